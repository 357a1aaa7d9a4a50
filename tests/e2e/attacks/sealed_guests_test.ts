// What a connection can do that holds the link of a sealed room and is not in it. A real server and real sockets; the
// members live in this process, with real cryptography. Everybody comes from one address: the worst case.

import assert from "node:assert/strict";
import { ed25519Signer } from "#platform/curves.ts";
import { Buffer } from "node:buffer";
import { deriveRoomKeys, type RoomKeys } from "../../../client/mls/room_keys.ts";
import { readInvitation } from "../../../client/mls/joining.ts";
import type { Event } from "../../../shared/messages/messages_v2.ts";
import { SealedMember } from "../../helpers/peers/sealed_member.ts";
import { SealedPeer, type SigningKey } from "../../helpers/peers/sealed_peer.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";

const NO_LIMIT = ["--rate-limit", "off"];

/** The attach key of a link, as peers sign with it. */
function attachKeyOf({ attach }: RoomKeys): SigningKey {
  return { sign: ed25519Signer(attach.signKey), publicKey: attach.publicKey };
}

/** A room with two members, and connections that hold its link. */
class Scene implements AsyncDisposable {
  readonly server: RunningServer;
  readonly members: SealedMember[] = [];
  readonly guests: SealedPeer[] = [];
  readonly secret = crypto.getRandomValues(new Uint8Array(32));
  readonly keys = deriveRoomKeys(this.secret);
  #talk: Promise<void> = Promise.resolve();
  #isOver = false;
  /** The longest that a text of a member took to come back, in ms. */
  slowest = 0;

  constructor(server: RunningServer) {
    this.server = server;
  }

  static async open(): Promise<Scene> {
    const scene = new Scene(await startServer({ args: NO_LIMIT }));
    for (const name of ["alice", "bob"]) await scene.join(name);
    return scene;
  }

  get alice(): SealedMember {
    return this.members[0] as SealedMember;
  }

  async join(name: string): Promise<SealedMember> {
    const member = await SealedMember.join(this.server, this.secret, name);
    this.members.push(member);
    return member;
  }

  /** Guests that say that they are members. */
  async attack(count: number): Promise<void> {
    const key = attachKeyOf(this.keys);
    const guests = await Promise.all(Array.from({ length: count }, async () => {
      const guest = await SealedPeer.connect({ port: this.server.port }, key);
      await guest.attach({ member: true, epoch: this.alice.status.epoch, seq: 1 });
      return guest;
    }));
    this.guests.push(...guests);
  }

  /** Alice says one line after another, until the scene is over. */
  talk(): void {
    this.#talk = (async () => {
      while (!this.#isOver) {
        const from = performance.now();
        await this.alice.say(`line at ${from}`);
        this.slowest = Math.max(this.slowest, performance.now() - from);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
  }

  async endTalk(): Promise<void> {
    this.#isOver = true;
    await this.#talk;
  }

  /** Warnings on the members' screens, but for the count of guests. */
  get warnings(): string[] {
    return this.members.flatMap(({ notes }) => notes)
      .filter((note) => !note.startsWith("info") && !/have the link|has the link/.test(note));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endTalk();
    for (const one of [...this.members, ...this.guests]) await one[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1_000;
}

Deno.test("six connections that say they are members void nobody's join, and stop no text", async () => {
  await using scene = await Scene.open();
  await scene.attack(6);
  scene.talk();
  for (const guest of scene.guests) {
    for (let seq = 1; seq < 40; seq++) {
      await guest.send({ kind: "sealed_vote", room: guest.room, seq, ok: false });
    }
  }
  const took = await seconds(() => scene.join("carol"));
  await scene.endTalk();
  assert.ok(took < 5, `the newcomer was in after ${took} s`);
  assert.ok(scene.slowest < 2_000, `a text took ${scene.slowest} ms`);
  assert.deepEqual(scene.warnings, []);
  const heard = scene.guests.flatMap(({ peer }) => peer.events).map(({ kind }) => kind);
  assert.equal(heard.includes("sealed_frame"), false, "a guest gets no frame");
  assert.equal(heard.includes("sealed_group_info_please"), false, "a guest is asked for nothing");
});

Deno.test("fifteen connections that waste their turns delay a newcomer of their own address by seconds", async () => {
  await using scene = await Scene.open();
  await scene.attack(15);
  scene.talk();
  for (const guest of scene.guests) {
    await guest.send({ kind: "sealed_join", room: guest.room, fresh: false });
  }
  const took = await seconds(() => scene.join("carol"));
  await scene.endTalk();
  assert.ok(took < 15, `the newcomer was in after ${took} s`);
  assert.ok(scene.slowest < 2_000, `a text took ${scene.slowest} ms`);
  assert.deepEqual(scene.warnings, []);
});

Deno.test("eight connections that commit garbage in their turns put no line on any screen, and stop no text", async () => {
  await using scene = await Scene.open();
  await scene.attack(8);
  scene.talk();
  const commitGarbage = async (guest: typeof scene.guests[number]): Promise<string> => {
    const answer = await guest.answer(
      await guest.send({ kind: "sealed_join", room: guest.room, fresh: false }),
    );
    if (answer.kind !== "sealed_group_info") return answer.kind;
    const { epoch, members } = readInvitation(scene.keys, answer.body);
    const handles = members.map(({ handle }) => new Uint8Array(Buffer.from(handle, "hex")));
    const body = crypto.getRandomValues(new Uint8Array(1_052));
    const roster = { members: [...handles, guest.handle], locked: false };
    const commit = { kind: "sealed_commit", room: guest.room, epoch, ...roster, body } as const;
    const ask = await guest.send(commit);
    const { kind } = await guest.peer.untilAny((event): event is Event =>
      (event.kind === "sealed_declined" && event.ask === 0) ||
      (event.kind === "sealed_conflict" && event.ask === ask)
    );
    return kind;
  };
  // The first of a source has one more try.
  const outcomes = await Promise.all(scene.guests.map(async (guest) => {
    const kind = await commitGarbage(guest);
    return kind === "sealed_conflict" ? await commitGarbage(guest) : kind;
  }));
  assert.deepEqual(new Set(outcomes), new Set(["sealed_declined"]));
  await scene.endTalk();
  assert.ok(scene.slowest < 2_000, `a text took ${scene.slowest} ms`);
  assert.deepEqual(scene.warnings, []);
  assert.equal(scene.alice.status.epoch, 1, "nothing of it was ordered");
  assert.ok(await seconds(() => scene.join("carol")) < 15);
});

Deno.test("three members who say no of a sound join, and are asked first, keep nobody out", async () => {
  await using scene = new Scene(await startServer({ args: NO_LIMIT }));
  for (const name of ["ann", "ben", "cid", "alice", "bob", "eve"]) await scene.join(name);
  const liars = new Set<string>();
  for (const member of scene.members) {
    member.lie = (request) => {
      if (request.kind !== "sealed_check") return request;
      if (liars.size < 3) liars.add(member.name);
      return { ...request, ok: !liars.has(member.name) };
    };
  }
  await scene.join("carol");
  assert.equal(liars.size, 3);
  const bob = scene.members.find(({ name }) => name === "bob");
  await bob?.until(() => bob.status.people.some(({ name }) => name === "carol"), "carol");
});

Deno.test("a locked room lets all guests go, and takes none", async () => {
  await using scene = await Scene.open();
  await scene.attack(2);
  scene.alice.ask({ kind: "lock", request: 900, locked: true });
  for (const guest of scene.guests) {
    const { why } = await guest.peer.until("sealed_declined", ({ ask }) => ask === 0);
    assert.match(why, /locked/);
    const answer = await guest.attach();
    assert.match(answer.kind === "sealed_declined" ? answer.why : "", /it is locked/);
  }
  await scene.alice.say("among us");
  for (const { peer } of scene.guests) {
    assert.equal(peer.events.some(({ kind }) => kind === "sealed_frame"), false);
  }
});

Deno.test("members are told of a connection that stays and is not in the room", async () => {
  await using scene = await Scene.open();
  await scene.attack(1);
  for (const member of scene.members) {
    await member.until(
      () => member.notes.some((note) => /1 connection has the link of this room/.test(note)),
      "the count of guests",
    );
  }
});
