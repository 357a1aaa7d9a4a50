import assert from "node:assert/strict";
import type { Slot } from "../../../server/cluster/client_numbers.ts";
import { SealedHomes } from "../../../server/cluster/sealed_homes.ts";
import type { ClusterMessage } from "../../../server/cluster/cluster_messages.ts";
import { attachInput, handleOf, ridOf } from "../../../shared/messages/attach_proof.ts";
import { decodeEvent, encodeRequest } from "../../../shared/messages/codec_v2.ts";
import { openRooms, Recorder } from "../../helpers/peers/sealed_room.ts";
import { newAttachKey } from "../../helpers/peers/sealed_peer.ts";

const RID = new Uint8Array(16).fill(9);

function side(slot: number, bounds: { readonly share?: number } = {}) {
  const said: ClusterMessage[] = [];
  const { rooms } = openRooms(bounds);
  const homes = new SealedHomes({ slot: slot as Slot, send: (word) => said.push(word) });
  homes.watch(rooms);
  return { slot: slot as Slot, homes, rooms, said };
}

Deno.test("a room that begins and ends is told to the others", () => {
  const { rooms, said } = side(1);
  const room = rooms.open(RID);
  room.tidy();
  assert.deepEqual(said, [{ kind: "sealed_home", rid: RID }, { kind: "sealed_end", rid: RID }]);
});

Deno.test("of two servers that opened a room at once, the one with the lower number keeps it", () => {
  const [low, high] = [side(1), side(2)];
  const [kept, lost] = [
    new Recorder(low.rooms.open(RID), 1),
    new Recorder(high.rooms.open(RID), 2),
  ];
  kept.attach();
  lost.attach();
  low.homes.receive(high.slot, { kind: "sealed_home", rid: RID });
  high.homes.receive(low.slot, { kind: "sealed_home", rid: RID });
  assert.deepEqual([kept.again, lost.again], [0, 1]);
  assert.deepEqual([low.rooms.size, high.rooms.size], [1, 0]);
  assert.equal(low.said.filter(({ kind }) => kind === "sealed_home").length, 2, "it says so again");
});

Deno.test("a client in a room elsewhere is sent away when that server is lost, or words may have been", () => {
  const { homes } = side(1);
  let closed = 0;
  const client = homes.clientOf({
    id: 5,
    address: "2001:db8::5",
    deliver() {},
    close: () => closed++,
  });
  homes.receive(2 as Slot, { kind: "sealed_home", rid: RID });
  const attach = {
    kind: "sealed_attach" as const,
    ask: 1,
    rid: RID,
    key: new Uint8Array(32),
    proof: new Uint8Array(64),
    handleKey: new Uint8Array(32),
    handleProof: new Uint8Array(64),
    member: false,
    epoch: 0,
    seq: 0,
  };
  assert.equal(client.pass(attach, new Uint8Array(32)), "passed");
  homes.lost(3 as Slot);
  assert.equal(closed, 0);
  homes.lost(2 as Slot);
  assert.equal(closed, 1);
  assert.equal(client.pass(attach, new Uint8Array(32)), undefined, "its room has no home now");
});

Deno.test("clients of other servers count by where they come from, as those of the home do", async () => {
  const { homes, said } = side(1, { share: 1 });
  const challenge = new Uint8Array(32).fill(3);
  const attaches = async (peer: number, source: string) => {
    const [key, seat] = [await newAttachKey(), await newAttachKey()];
    const [rid, handle] = [ridOf(key.publicKey), handleOf(seat.publicKey)];
    const claim = { rid, handle, challenge };
    const request = encodeRequest({
      kind: "sealed_attach",
      ask: 1,
      rid,
      key: key.publicKey,
      proof: key.sign(attachInput("link", claim)),
      handleKey: seat.publicKey,
      handleProof: seat.sign(attachInput("handle", claim)),
      member: false,
      epoch: 0,
      seq: 0,
    });
    homes.receive(2 as Slot, { kind: "sealed_ask", to: 1, peer, source, challenge, request });
    const answers = said.filter((word) => word.kind === "sealed_tell" && word.peer === peer);
    return answers.map((word) => decodeEvent((word as { event: Uint8Array }).event).kind);
  };
  assert.deepEqual(await attaches(1, "2001:db8::1"), ["sealed_none"]);
  assert.deepEqual(await attaches(2, "2001:db8::2"), ["sealed_declined"], "its share is used");
  assert.deepEqual(await attaches(3, "2001:db8:0:1::1"), ["sealed_none"]);
});

Deno.test("a client's request goes to its room's home with the source that it comes from", () => {
  const { homes, said } = side(1);
  const client = homes.clientOf({ id: 5, address: "2001:db8::5", deliver() {}, close() {} });
  homes.receive(2 as Slot, { kind: "sealed_home", rid: RID });
  const [bytes32, bytes64] = [new Uint8Array(32), new Uint8Array(64)];
  const keys = { key: bytes32, proof: bytes64, handleKey: bytes32, handleProof: bytes64 };
  const state = { member: false, epoch: 0, seq: 0 };
  client.pass({ kind: "sealed_attach", ask: 1, rid: RID, ...keys, ...state }, bytes32);
  const [asked] = said.filter((word) => word.kind === "sealed_ask");
  assert.equal(asked?.kind === "sealed_ask" && asked.source, "2001:db8::5");
});
