import assert from "node:assert/strict";
import { Attachments } from "../../../server/sealed/attachments.ts";
import { Penalties } from "../../../server/sealed/attaching.ts";
import { LimitError } from "../../../shared/base/errors.ts";
import type { Event, EventOf } from "../../../shared/messages/messages_v2.ts";
import { attachInput, handleOf, ridOf } from "../../../shared/messages/attach_proof.ts";
import { newAttachKey, type SigningKey } from "../../helpers/peers/sealed_peer.ts";
import {
  bodyOf,
  type OpenRooms,
  openRooms,
  Recorder,
  roomOf,
} from "../../helpers/peers/sealed_room.ts";

Deno.test("each penalty is twice the one before, up to ten minutes, and for that one alone", () => {
  const penalties = new Penalties();
  const waits = Array.from({ length: 8 }, () => {
    penalties.add("192.0.2.1", 0);
    return penalties.waitMs("192.0.2.1", 0) / 1_000;
  });
  assert.deepEqual(waits, [10, 20, 40, 80, 160, 320, 600, 600]);
  assert.equal(penalties.waitMs("192.0.2.2", 0), 0);
  assert.equal(penalties.waitMs("192.0.2.1", 600_001), 0);
});

const key = await newAttachKey();
const challenge = new Uint8Array(32).fill(3);

/** Sessions of a server that attach to sealed rooms. */
function door({ rooms }: OpenRooms) {
  return (address: string, seat: SigningKey, as = key) => {
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
    const [rid, handle] = [ridOf(as.publicKey), handleOf(seat.publicKey)];
    const claim = { rid, handle, challenge };
    session.handle({
      kind: "sealed_attach",
      ask: 1,
      rid,
      key: as.publicKey,
      proof: as.sign(attachInput("link", claim)),
      handleKey: seat.publicKey,
      handleProof: seat.sign(attachInput("handle", claim)),
      member: false,
      epoch: 0,
      seq: 0,
    });
    const answer = told.at(-1);
    return { session, told, answer: answer?.kind, why: answer && "why" in answer && answer.why };
  };
}

/** Mallory, of that address, commits what its judges find unsound; gives what was told it last. */
async function garbageFrom(address: string) {
  const parts = openRooms();
  const come = door(parts);
  const room = parts.rooms.open(ridOf(key.publicKey));
  const [alice, bob] = [Recorder.attach(room, 1), Recorder.attach(room, 2, undefined, "192.0.2.7")];
  alice.create();
  bob.enter(0, alice);
  const seat = await newAttachKey();
  const mallory = await come(address, seat);
  const members = [alice.handle, bob.handle, handleOf(seat.publicKey)];
  const commit = { ask: 3, room: room.number, epoch: 1, members, locked: false };
  // Once the GroupInfo may have been the fault.
  for (const [giver, judge] of [[bob, alice], [alice, bob]] as const) {
    mallory.session.handle({ kind: "sealed_join", ask: 2, room: room.number, fresh: false });
    giver.give();
    mallory.session.handle({ kind: "sealed_commit", ...commit, body: bodyOf("garbage") });
    for (const one of [judge, giver]) one.check(false);
  }
  return { ...parts, come, room, seat, mallory, alice, bob };
}

Deno.test("garbage of a guest is judged before it is ordered: nobody reads it, and its sender is let go", async () => {
  const { mallory, alice, counters } = await garbageFrom("192.0.2.1");
  assert.equal(alice.all("sealed_frame").length, 1, "bob's entrance alone");
  assert.equal(counters.sealedVoids, 0);
  const { ask, why } = mallory.told.at(-1) as EventOf<"sealed_declined">;
  assert.equal(ask, 0);
  assert.match(why, /invalid/);
});

Deno.test("a source whose commit was unsound is kept out of that room for ten seconds, others are not", async () => {
  const { come, clock } = await garbageFrom("192.0.2.1");
  const again = await come("192.0.2.1", await newAttachKey());
  assert.match(`${again.why}`, /members found the last commit invalid\. Wait 10 s/);
  assert.equal((await come("192.0.2.2", await newAttachKey())).answer, "sealed_attached");
  const other = await newAttachKey();
  assert.equal((await come("192.0.2.1", await newAttachKey(), other)).answer, "sealed_none");
  clock.turn(10_000);
  assert.equal((await come("192.0.2.1", await newAttachKey())).answer, "sealed_attached");
});

Deno.test("an IPv6 /48 from which eight commits were unsound waits too, but not those who share a member's /64", () => {
  const { room, clock, members: [alice, bob] } = roomOf(2);
  const garbage = (n: number) => {
    const mallory = Recorder.attach(room, 20 + n, undefined, `2001:db8:7:${n}::/64`);
    for (let times = 0; times < 2 && mallory.drops.length === 0; times++) {
      mallory.join();
      for (const giver of [alice, bob]) {
        if (giver.all("sealed_group_info_please").length > 0) giver.give();
      }
      mallory.commit(1, "garbage");
      for (const judge of [bob, alice, bob]) {
        if (judge.all("sealed_check_please").length > 0) judge.check(false);
      }
      for (const member of [alice, bob]) member.events.length = 0;
    }
    assert.deepEqual(mallory.drops, ["voided"], `${n}`);
  };
  for (let n = 0; n < 7; n++) garbage(n);
  Recorder.attach(room, 40, undefined, "2001:db8:7:99::/64");
  garbage(7);
  assert.throws(() => Recorder.attach(room, 41, undefined, "2001:db8:7:98::/64"), /Wait 10 s/);
  Recorder.attach(room, 42, undefined, "2001:db8:8:98::/64");
  bob.attach({ epoch: 1, seq: 1 }, "2001:db8:7:97::/64");
  Recorder.attach(room, 43, undefined, "2001:db8:7:97::/64");
  clock.turn(10_000);
  Recorder.attach(room, 44, undefined, "2001:db8:7:98::/64");
});

Deno.test("behind an address that a member shares, only the handle is kept out", async () => {
  const { come, seat, bob } = await garbageFrom("192.0.2.7");
  assert.equal((await come("192.0.2.7", await newAttachKey())).answer, "sealed_attached");
  assert.match(`${(await come("192.0.2.7", seat)).why}`, /Wait 10 s/);
  bob.room.loseConnection(bob.seat);
  assert.match(`${(await come("192.0.2.7", await newAttachKey())).why}`, /Wait 10 s/);
});

Deno.test("who was removed while connected gets nothing more under its handle: no frame, no turn, no seat", () => {
  const { room, members: [alice, bob, carol] } = roomOf(3);
  alice.commit(2, "without bob", [bob.handle]);
  assert.equal(bob.all("sealed_frame").length, 1, "its removal");
  alice.app(3, "bob is gone");
  carol.commit(3, "fresh keys");
  assert.equal(bob.all("sealed_frame").length, 1);
  assert.equal(carol.all("sealed_frame").length, 3);
  assert.throws(() => bob.join(), /you were removed/);
  assert.throws(() => bob.app(4, "still here"), LimitError);
  bob.room.leave(bob.seat);
  assert.throws(() => bob.attach({ epoch: 2, seq: 2 }), /you were removed/);
  assert.equal(Recorder.attach(room, 9).last("sealed_attached")?.members.length, 0);
});

Deno.test("a removal that is voided leaves a member who it was, and it has missed nothing", () => {
  const { members: [alice, bob, mallory] } = roomOf(3);
  mallory.commit(2, "without alice", [alice.handle]);
  bob.app(3, "alice does not hear this");
  assert.equal(alice.all("sealed_frame").length, 1);
  for (const member of [alice, bob]) member.vote(3, false);
  const { seq, last } = alice.last("sealed_void") ?? {};
  assert.deepEqual([seq, last], [3, 4]);
  alice.app(2, "here I am");
  assert.equal(bob.last("sealed_frame")?.seq, 5);
});

Deno.test("a locked room lets go of those who are not in it, and takes no other handle", () => {
  const { room, members: [alice, bob] } = roomOf(2);
  const [waiting, idle] = [7, 8].map((n) => Recorder.attach(room, n)) as [Recorder, Recorder];
  waiting.join();
  alice.commit(1, "lock", [], true);
  assert.deepEqual([waiting.drops, idle.drops], [["locked"], ["locked"]]);
  assert.throws(() => Recorder.attach(room, 9), /it is locked/);
  bob.room.loseConnection(bob.seat);
  bob.attach({ epoch: 2, seq: 2 });
  alice.commit(2, "unlock", [], false);
  assert.equal(Recorder.attach(room, 9).last("sealed_attached")?.missing, "epochs");
});

Deno.test("one source has sixteen guests, and who did not use its turn gives way to the next", () => {
  const { room, clock, members: [alice] } = roomOf(1);
  const guests = Array.from({ length: 16 }, (_, n) => {
    const guest = Recorder.attach(room, n + 2, undefined, "192.0.2.1");
    guest.join();
    return guest;
  });
  assert.throws(() => Recorder.attach(room, 30, undefined, "192.0.2.1"), /others are waiting/);
  alice.give();
  clock.turn(3_000);
  Recorder.attach(room, 31, undefined, "192.0.2.1");
  assert.deepEqual(guests.map(({ drops }) => drops.length), [1, ...Array(15).fill(0)]);
  Recorder.attach(room, 32, undefined, "192.0.2.2");
});

Deno.test("members are told how many connections have the link and are not in the group, at most once a second", () => {
  const { room, clock, members: [alice] } = roomOf(1);
  const told = () => alice.all("sealed_guests").map(({ count }) => count);
  const guests = [7, 8, 9].map((n) => Recorder.attach(room, n)) as [Recorder, Recorder, Recorder];
  assert.deepEqual(told(), [1]);
  clock.turn(1_000);
  assert.deepEqual(told(), [1, 3]);
  clock.turn(5_000);
  guests[0].enter(0, alice);
  assert.deepEqual(told(), [1, 3, 2]);
  assert.equal(guests[0].last("sealed_guests")?.count, 2);
  assert.equal(guests[1].last("sealed_guests"), undefined);
});
