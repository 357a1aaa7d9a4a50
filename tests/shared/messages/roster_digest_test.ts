import assert from "node:assert/strict";
import { rosterDigest } from "../../../shared/messages/roster_digest.ts";

const handle = (fill: number) => new Uint8Array(16).fill(fill);

Deno.test("rosterDigest() is the same for the same handles in whatever order, and for no others", () => {
  const members = [handle(1), handle(2), handle(200)];
  const digest = rosterDigest({ members, locked: false });
  assert.equal(digest.length, 32);
  assert.deepEqual(rosterDigest({ members: members.toReversed(), locked: false }), digest);
  for (const other of [[], members.slice(1), [...members, handle(3)], [...members, handle(1)]]) {
    assert.notDeepEqual(rosterDigest({ members: other, locked: false }), digest);
  }
  assert.notDeepEqual(rosterDigest({ members, locked: true }), digest);
});
