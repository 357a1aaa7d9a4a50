import assert from "node:assert/strict";
import {
  isSealedId,
  localMember,
  memberNumber,
  requirePlain,
} from "../../../client/base/local_ids.ts";

const chunks = { file: "f", index: 0, count: 1 };

Deno.test("a number names nothing of a sealed room, whatever its sign", () => {
  for (const number of [0, 1, -1, -1_000_001, NaN]) {
    assert.equal(isSealedId(number), false);
    assert.equal(memberNumber("sealed 1", number), undefined);
  }
  assert.equal(isSealedId("sealed 1"), true);
  assert.equal(isSealedId(localMember("sealed 1", 0)), true);
});

Deno.test("a member belongs to one room: another room knows no number of theirs", () => {
  const member = localMember("sealed 1", 12);
  assert.equal(memberNumber("sealed 1", member), 12);
  assert.equal(memberNumber("sealed 2", member), undefined);
  assert.equal(memberNumber("sealed 1", localMember("sealed 11", 12)), undefined);
});

Deno.test("a request that names a sealed room or a member of one does not leave for the server", () => {
  const member = localMember("sealed 1", 2);
  const moderate = { kind: "moderate", id: 1, what: "kick", seconds: 0, text: "" } as const;
  for (
    const request of [
      { kind: "leave", id: 1, room: "sealed 1" },
      { kind: "direct", id: 1, to: member, text: "only you" },
      { kind: "pull", room: 1, to: member, ...chunks },
      { ...moderate, room: 1, whom: member },
      { kind: "move", id: 1, secret: new Uint8Array(32) },
    ] as const
  ) assert.throws(() => requirePlain(request), TypeError, request.kind);
  const plain = { kind: "pull", room: 1, to: 2, ...chunks } as const;
  assert.equal(requirePlain(plain), plain);
  assert.equal(requirePlain(plain), plain);
});
