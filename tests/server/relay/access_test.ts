import assert from "node:assert/strict";
import { getLogger, type Logger } from "@logtape/logtape";
import { Access } from "../../../server/relay/access.ts";
import { Metrics } from "../../../server/telemetry/metrics.ts";
import { configOf } from "../../helpers/peers/relay.ts";

const RANDOM = "Vx2hQ0m9uT7kZb4Lr8sNpA";
const tokens = { CMDCHAT_TOKENS: `made up,${RANDOM}` };

/** Access control in one moment: no rate recovers in it, however busy the machine is. */
function makeAccess(env: Readonly<Record<string, string>> = {}): Access {
  const { counters } = new Metrics();
  return new Access(configOf([], env), { counters, log: getLogger("test"), now: () => 1_000 });
}

const neighbor = (n: number) => `2001:db8:7:${n.toString(16)}::1`;

function judge(access: Access, token: string, address: string): string {
  return access.judgeToken(token, { address, returning: undefined });
}

function guess(access: Access, count: number, address: (n: number) => string): string[] {
  return Array.from({ length: count }, (_, n) => judge(access, `wrong ${n}`, address(n)));
}

Deno.test("wrong tokens from all over an IPv6 /48 keep out no neighbor with a random token, or one that was there", () => {
  const access = makeAccess(tokens);
  assert.equal(judge(access, "made up", neighbor(0xaaaa)), "right");
  const answers = guess(access, 1_000, neighbor);
  assert.equal(answers.filter((one) => one === "wrong").length, 80);
  assert.equal(judge(access, RANDOM, neighbor(0xbbbb)), "right");
  assert.equal(judge(access, "made up", neighbor(0xaaaa)), "right");
  assert.equal(judge(access, "made up", "2001:db8:8::1"), "right", "another network");
});

Deno.test("a token that somebody made up gets the answer of wrong ones there, so that nobody guesses it faster", () => {
  const access = makeAccess(tokens);
  guess(access, 1_000, neighbor);
  assert.equal(judge(access, "made up", neighbor(0xbbbb)), "later");
  assert.equal(judge(access, "wrong", neighbor(0xbbbb)), "later");
  assert.equal(judge(access, `${RANDOM}x`, neighbor(0xbbbb)), "later");
});

Deno.test("nor does somebody guess faster where a right token came from", () => {
  const access = makeAccess(tokens);
  const here = () => neighbor(0xaaaa);
  judge(access, RANDOM, here());
  guess(access, 1_000, neighbor);
  assert.equal(guess(access, 100, here).filter((one) => one === "wrong").length, 10);
  assert.equal(judge(access, "made up", here()), "later");
  assert.equal(judge(access, RANDOM, here()), "right");
});

Deno.test("nor does whoever has a right token, and comes by it from all over an IPv6 /48", () => {
  const access = makeAccess(tokens);
  const answers = Array.from({ length: 100 }, (_, n) => {
    judge(access, RANDOM, neighbor(n));
    return guess(access, 10, () => neighbor(n));
  });
  assert.equal(answers.flat().filter((one) => one === "wrong").length, 80);
});

Deno.test("guesses of somebody with the same IPv4 address keep out nobody with a random token", () => {
  const access = makeAccess(tokens);
  assert.equal(guess(access, 11, () => "192.0.2.1").at(-1), "later");
  assert.equal(judge(access, RANDOM, "192.0.2.1"), "right");
  assert.equal(judge(access, "made up", "192.0.2.1"), "later");
});

Deno.test("who is held comes back while neighbors in its IPv6 /48 come far too often", () => {
  const access = makeAccess();
  access.keepSlot(neighbor(0xffff));
  assert.equal(access.connections, 1, "it is held");
  const comeAndGo = (n: number) => {
    const slot = access.admit(neighbor(n));
    slot?.release();
    return slot !== undefined;
  };
  // What eight sources may in one burst.
  assert.equal(Array.from({ length: 5_000 }, (_, n) => comeAndGo(n)).filter(Boolean).length, 1_024);
  assert.equal(access.admit(neighbor(0xfffe)), undefined, "nobody of that /64 is held");
  assert.equal(access.admit("2001:db8:7:ffff::2")?.forHeld, true);
});

/** Access control in one moment, and the lines of its log. */
function loggedAccess(args: readonly string[]) {
  const said: string[] = [];
  const log = {
    warning: (_: string, { address, why }: Record<string, string>) =>
      said.push(`${address} ${why}`),
  };
  const { counters } = new Metrics();
  const context = { counters, log: log as unknown as Logger, now: () => 1_000 };
  return { access: new Access(configOf(args), context), said, counters };
}

Deno.test("the log says which cap keeps a connection out, and its value, once for each source", () => {
  const narrow = loggedAccess(["--max-per-address", "2", "--max-connections", "40"]);
  for (let n = 0; n < 4; n++) narrow.access.admit("192.0.2.1");
  for (let n = 0; n < 3; n++) narrow.access.admit("2001:db8:8::1");
  for (let n = 0; n < 17; n++) narrow.access.admit(neighbor(n));
  // 20 are taken.
  for (let n = 1; n <= 9; n++) {
    for (let k = 0; k < 2; k++) narrow.access.admit(`198.51.100.${n}`);
  }
  narrow.access.admit("198.51.100.10");
  narrow.access.admit("198.51.100.11");
  narrow.access.admit("198.51.100.12");
  assert.deepEqual(narrow.said, [
    "192.0.2.1 2 connections from its address (--max-per-address)",
    "2001:db8:8::/64 2 connections from its IPv6 /64 (--max-per-address)",
    "2001:db8:7:10::/64 16 connections from its IPv6 /48 (8 times --max-per-address)",
    "198.51.100.12 all 40 connections are taken (--max-connections)",
  ]);
  const last = loggedAccess(["--max-per-address", "20", "--max-connections", "32"]);
  for (let n = 0; n < 18; n++) last.access.admit("192.0.2.1");
  for (let n = 0; n < 13; n++) last.access.admit("192.0.2.2");
  assert.deepEqual(last.said, [
    "192.0.2.2 the last of 32 connections (--max-connections) are for networks with fewer",
  ]);
});

Deno.test("the log says of whom an IPv6 /48 shuts out that its neighbors did it, once for each", () => {
  const { access, said, counters } = loggedAccess(["--connection-rate", "2/60"]);
  for (let n = 0; n < 8; n++) for (let k = 0; k < 2; k++) access.admit(neighbor(n));
  assert.deepEqual(said, []);
  for (let k = 0; k < 3; k++) assert.equal(access.admit(neighbor(0xaaaa)), undefined);
  assert.equal(access.admit(neighbor(1)), undefined);
  assert.deepEqual(said, [
    "2001:db8:7:aaaa::/64 too many new connections from its IPv6 /48",
    "2001:db8:7:1::/64 too many new connections",
  ]);
  assert.equal(counters.connectionsRefused, 4);
});
