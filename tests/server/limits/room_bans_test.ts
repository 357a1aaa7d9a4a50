import assert from "node:assert/strict";
import { ROOM_BANS_BUDGET } from "../../../server/config/limits.ts";
import { RoomBans } from "../../../server/limits/room_bans.ts";

const DEN = { title: "den", madeBy: "192.0.2.1" };

Deno.test("a ban keeps a source out of one room until its end, or until it is lifted", () => {
  const bans = new RoomBans();
  bans.add(DEN, "2001:db8::1", 2_000);
  assert.equal(bans.until("den", "2001:db8::2", 1_000), 2_000);
  assert.equal(bans.until("den", "2001:db8:0:1::1", 1_000), undefined);
  assert.equal(bans.until("lobby", "2001:db8::1", 1_000), undefined);
  assert.equal(bans.until("den", "2001:db8::1", 2_000), undefined);
  bans.add(DEN, "192.0.2.7", Infinity);
  bans.lift("den");
  assert.equal(bans.until("den", "192.0.2.7", 0), undefined);
});

Deno.test("bans in rooms of one's own never end a ban of another maker", () => {
  const bans = new RoomBans();
  bans.add(DEN, "192.0.2.66", Infinity);
  for (let n = 0; n < 2 * ROOM_BANS_BUDGET.most; n++) {
    const address = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
    bans.add({ title: `mine ${n % 100}`, madeBy: "192.0.2.66" }, address, Infinity);
  }
  assert.equal(bans.until("den", "192.0.2.66", 0), Infinity);
  assert.equal(bans.until("mine 0", "10.0.0.0", 0), undefined, "their own oldest one ended");
  assert.equal(bans.until("mine 99", "10.0.78.31", 0), Infinity);
});

Deno.test("other servers are told of bans that began or ended here, and not of what they told", () => {
  const told: unknown[] = [];
  const bans = new RoomBans((...change) => told.push(change));
  bans.note(DEN, "192.0.2.8", 5);
  bans.add(DEN, "2001:db8::1", 7);
  bans.noteLifted("den");
  bans.lift("den");
  assert.deepEqual(told, [["den", { source: "2001:db8::/64", until: 7 }], ["den"]]);
});
