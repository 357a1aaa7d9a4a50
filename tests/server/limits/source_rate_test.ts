import assert from "node:assert/strict";
import { SourceRate } from "../../../server/limits/source_rate.ts";

function countPassing(rate: SourceRate, address: string, tries: number, now: number): number {
  return Array.from({ length: tries }, () => rate.take(address, now)).filter(Boolean).length;
}

Deno.test("each source has a burst, and as many again in the time of the rate", () => {
  const rate = new SourceRate({ messages: 10, seconds: 5 });
  assert.equal(countPassing(rate, "192.0.2.1", 100, 0), 10);
  assert.equal(countPassing(rate, "192.0.2.2", 100, 0), 10, "another source has its own");
  assert.equal(countPassing(rate, "192.0.2.1", 100, 2_500), 5);
  assert.equal(countPassing(rate, "192.0.2.1", 100, 60_000), 10, "and no more than the burst");
});

Deno.test("all addresses of an IPv6 /64 are one source", () => {
  const rate = new SourceRate({ messages: 10, seconds: 5 });
  assert.equal(countPassing(rate, "2001:db8::1", 10, 0), 10);
  assert.equal(rate.allows("2001:db8::ffff:1", 0), false);
  assert.equal(rate.allows("2001:db8:0:1::1", 0), true);
});

Deno.test("an IPv6 /48 has eight times the rate of one of its sources, and no more", () => {
  const rate = new SourceRate({ messages: 10, seconds: 5 });
  const address = (n: number) => `2001:db8:7:${n.toString(16)}::1`;
  const passing = Array.from({ length: 20 }, (_, n) => countPassing(rate, address(n), 10, 0));
  assert.deepEqual(passing, [...Array(8).fill(10), ...Array(12).fill(0)]);
  assert.equal(rate.allows(address(99), 0), false);
  assert.equal(countPassing(rate, "2001:db8:8::1", 10, 0), 10, "another has its own");
  assert.equal(countPassing(rate, address(99), 100, 5_000), 10);
});

Deno.test("allows() takes nothing", () => {
  const rate = new SourceRate({ messages: 1, seconds: 5 });
  for (let n = 0; n < 5; n++) assert.equal(rate.allows("192.0.2.1", 0), true);
  assert.equal(rate.take("192.0.2.1", 0), true);
  assert.equal(rate.allows("192.0.2.1", 0), false);
});

Deno.test("many sources cannot fill the memory, and cannot renew each other's burst at once", () => {
  const rate = new SourceRate({ messages: 1, seconds: 1_000 });
  rate.take("192.0.2.1", 0);
  for (let n = 0; n < 9_000; n++) rate.take(`10.${n >> 16}.${n >> 8 & 255}.${n & 255}`, 0);
  assert.equal(rate.allows("192.0.2.1", 0), false);
});

Deno.test("who uses up a burst does not get it anew by filling the memory in other scopes", () => {
  const rate = new SourceRate({ messages: 128, seconds: 640 });
  const join = (room: string) => rate.take("192.0.2.1", 0, `${room}\n`);
  for (let n = 0; n < 128; n++) assert.ok(join("lobby"));
  for (let n = 0; n < 30_000; n++) join(`room ${n}`);
  assert.equal(join("lobby"), false);
});

Deno.test("nor does an IPv6 /48, of which some is left", () => {
  const rate = new SourceRate({ messages: 128, seconds: 640 });
  const address = (n: number) => `2001:db8:7:${n.toString(16)}::1`;
  const join = (n: number, room: string) => rate.take(address(n), 0, `${room}\n`);
  for (let n = 0; n < 7; n++) for (let k = 0; k < 128; k++) assert.ok(join(n, "lobby"));
  for (let n = 0; n < 30_000; n++) join(100, `room ${n}`);
  const passing = Array.from({ length: 20 * 128 }, (_, n) => join(200 + n % 20, "lobby"));
  assert.equal(passing.filter((passes) => passes).length, 128);
});

Deno.test("nor do most of a thousand who used up theirs, while twenty thousand others come", () => {
  const rate = new SourceRate({ messages: 2, seconds: 640 });
  const spent = Array.from({ length: 1_000 }, (_, n) => `198.51.${n >> 8}.${n & 255}`);
  for (const address of [...spent, ...spent]) rate.take(address, 0);
  for (let n = 0; n < 20_000; n++) assert.ok(rate.take(`10.0.${n >> 8}.${n & 255}`, 0));
  const renewed = spent.filter((address) => rate.allows(address, 0));
  assert.ok(renewed.length < 100, String(renewed.length));
});

Deno.test("whose neighbors in an IPv6 /48 took what the site may have is told from who took its own", () => {
  const rate = new SourceRate({ messages: 2, seconds: 10 });
  const address = (n: number) => `2001:db8:7:${n}::1`;
  for (let n = 0; n < 8; n++) for (let k = 0; k < 3; k++) rate.take(address(n), 0);
  assert.equal(rate.take(address(9), 0), false);
  assert.equal(rate.isSpentByNeighbors(address(9), 0), true);
  assert.equal(rate.isSpentByNeighbors(address(1), 0), false);
  assert.equal(rate.isSpentByNeighbors("2001:db8:8::1", 0), false);
  for (let k = 0; k < 3; k++) rate.take("192.0.2.1", 0);
  assert.equal(rate.isSpentByNeighbors("192.0.2.1", 0), false);
});
