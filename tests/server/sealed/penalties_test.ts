import assert from "node:assert/strict";
import { Attachments } from "../../../server/sealed/attachments.ts";
import { Penalties } from "../../../server/sealed/penalties.ts";
import { signAs } from "../../../shared/crypto/identity.ts";
import type { Event, EventOf } from "../../../shared/messages/messages_v2.ts";
import { attachInput, ridOf } from "../../../shared/messages/attach_proof.ts";
import { newAttachKey } from "../../helpers/peers/sealed_peer.ts";
import { bodyOf, handleOf, openRooms, Recorder } from "../../helpers/peers/sealed_room.ts";

Deno.test("each penalty is twice the one before, up to ten minutes, and for one address alone", () => {
  const penalties = new Penalties();
  const waits = Array.from({ length: 8 }, () => {
    penalties.add("192.0.2.1", 0);
    return penalties.waitMs("192.0.2.1", 0) / 1_000;
  });
  assert.deepEqual(waits, [10, 20, 40, 80, 160, 320, 600, 600]);
  assert.equal(penalties.waitMs("192.0.2.2", 0), 0);
  assert.equal(penalties.waitMs("192.0.2.1", 600_001), 0);
});

Deno.test("who had a commit voided cannot come back over a new connection, others can, and other rooms are open", async () => {
  const { rooms, clock } = openRooms();
  const [key, otherKey] = [await newAttachKey(), await newAttachKey()];
  const challenge = new Uint8Array(32).fill(3);
  const connect = (address: string) => {
    const told: Event[] = [];
    const session = new Attachments({
      address,
      takesFiles: true,
      takeMessage: () => 0,
      takeGroupWork: () => 0,
      spendPace() {},
      close() {},
      deliver: ({ event }) => void told.push(event),
    }, rooms);
    session.proveBy(challenge);
    return { session, told };
  };
  const come = async (address: string, n: number, as = key) => {
    const { session, told } = connect(address);
    const [rid, handle] = [ridOf(as.publicKey), handleOf(n)];
    const proof = await signAs(as, attachInput({ rid, handle, challenge }));
    session.handle({
      kind: "sealed_attach",
      ask: 1,
      rid,
      key: as.publicKey,
      handle,
      proof,
      owner: new Uint8Array(16).fill(n),
      member: false,
      epoch: 0,
      seq: 0,
    });
    return { session, told, answer: told.at(-1)?.kind };
  };
  const room = rooms.open(ridOf(key.publicKey));
  const [alice, bob] = [Recorder.attach(room, 1), Recorder.attach(room, 2)];
  alice.create();
  bob.commit(0, "bob joins");
  const mallory = await come("192.0.2.1", 9);
  assert.equal(mallory.answer, "sealed_attached");
  mallory.session.handle({
    kind: "sealed_commit",
    ask: 2,
    room: room.number,
    epoch: 1,
    evicts: [],
    body: bodyOf("garbage"),
  });
  for (const member of [alice, bob]) member.vote(2, false);
  const again = await come("192.0.2.1", 10);
  const { why } = again.told.at(-1) as EventOf<"sealed_declined">;
  assert.match(why, /your last commit was voided. Wait 10 s/);
  assert.equal((await come("192.0.2.2", 11)).answer, "sealed_attached");
  assert.equal((await come("192.0.2.1", 12, otherKey)).answer, "sealed_none");
  clock.turn(10_000);
  assert.equal((await come("192.0.2.1", 10)).answer, "sealed_attached");
});
