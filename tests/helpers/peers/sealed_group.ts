// Members of a sealed room in one process, and an order of frames as the relay gives it, without any relay.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SealedGroup } from "../../../client/mls/group.ts";
import { type CommitIntent } from "../../../client/mls/commit_rules.ts";
import type { FrameOutcome, SealedFrame } from "../../../client/mls/group_outcome.ts";
import { generateSignatureKeys } from "../../../client/mls/cipher_suite.ts";
import {
  type GroupIdentity,
  join,
  type Outgoing,
  type OutgoingCommit,
  readInvitation,
} from "../../../client/mls/joining.ts";
import { rosterDigest } from "../../../shared/messages/roster_digest.ts";
import { deriveRoomKeys, type RoomKeys } from "../../../client/mls/room_keys.ts";

/** Keys of a room whose secret is 32 times that byte. */
export function testKeys(fill = 7): RoomKeys {
  return deriveRoomKeys(new Uint8Array(32).fill(fill));
}

/** Random source of a test: numbers from 0 to below 1 (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

let handles = 0;

/** A place for somebody new; every call has a handle and a key of its own. */
export function identityFor(name: string, keys: RoomKeys = testKeys()): GroupIdentity {
  const handle = (++handles).toString(16).padStart(32, "0");
  return { keys, me: { name, handle }, signature: generateSignatureKeys() };
}

/** A member with its group. */
export interface TestMember {
  identity: GroupIdentity;
  group: SealedGroup;
}

/** Several members and the order of their frames. */
export class OrderedRoom {
  readonly members: TestMember[] = [];
  /** Handles that may be removed. */
  readonly gone = new Set<string>();
  sequence = 0;

  /** A room with its first member. */
  static async create(name: string, keys?: RoomKeys): Promise<OrderedRoom> {
    const room = new OrderedRoom();
    const identity = identityFor(name, keys);
    room.members.push({ identity, group: await SealedGroup.create(identity, 0) });
    return room;
  }

  /** The member of that name. */
  of(name: string): TestMember {
    const member = this.members.find(({ identity }) => identity.me.name === name);
    assert.ok(member, `${name} is in the room`);
    return member;
  }

  /** The next frame. */
  frame(
    type: SealedFrame["type"],
    from: string,
    { epoch, body, roster }: Omit<Outgoing, "digest"> & Partial<Pick<OutgoingCommit, "roster">>,
  ): SealedFrame {
    const digest = roster === undefined ? new Uint8Array() : rosterDigest(roster);
    return { seq: ++this.sequence, type, epoch, from, roster: digest, body };
  }

  /** Hands a frame to everybody; what it did to each, by name. */
  async deliver(frame: SealedFrame): Promise<Record<string, FrameOutcome>> {
    const outcomes: Record<string, FrameOutcome> = {};
    for (const { identity, group } of this.members) {
      outcomes[identity.me.name] = await group.receive(frame, (handle) => this.gone.has(handle));
    }
    return outcomes;
  }

  /** Somebody joins by the GroupInfo of `by`, or the place given comes back. */
  async join(
    name: string | GroupIdentity,
    by = this.members[0] as TestMember,
  ): Promise<TestMember> {
    const keys = by.identity.keys;
    const identity = typeof name === "string" ? identityFor(name, keys) : name;
    const joining = await join(identity, readInvitation(keys, await by.group.groupInfo()));
    const frame = this.frame("commit", identity.me.handle, joining);
    for (const [who, outcome] of Object.entries(await this.deliver(frame))) {
      assert.equal(outcome.kind, "epoch", `${who}: ${JSON.stringify(outcome)}`);
    }
    const member = { identity, group: await SealedGroup.joined(joining, frame.seq) };
    this.members.push(member);
    return member;
  }

  /** A member commits, with removals or none; everybody takes it. */
  async commit(by: TestMember, removed: readonly TestMember[] = []): Promise<void> {
    for (const { identity } of removed) this.gone.add(identity.me.handle);
    await this.change(by, {}, removed);
  }

  /** A member commits something else; everybody takes it. */
  async change(
    by: TestMember,
    intent: CommitIntent,
    removed: readonly TestMember[] = [],
  ): Promise<void> {
    const leaves = removed.map(({ group }) => group.ownLeaf);
    const outgoing = await by.group.startCommit({ ...intent, removed: leaves });
    const frame = this.frame("commit", by.identity.me.handle, outgoing);
    for (const member of this.members) {
      const outcome = await member.group.receive(frame, (handle) => this.gone.has(handle));
      const expected = removed.includes(member) ? "removed" : "epoch";
      assert.equal(outcome.kind, expected, JSON.stringify(outcome));
    }
    for (const member of removed) this.members.splice(this.members.indexOf(member), 1);
    const { name = by.identity.me.name } = intent;
    by.identity = { ...by.identity, me: { ...by.identity.me, name } };
  }

  /** A member says something; what the others read. */
  async say(by: TestMember, text: string): Promise<Record<string, FrameOutcome>> {
    const outgoing = await by.group.seal(new TextEncoder().encode(text));
    return await this.deliver(this.frame("app", by.identity.me.handle, outgoing));
  }

  /** Says something and demands that everybody else reads it, from whom it is, in the same order. */
  async sayToAll(by: TestMember, text: string): Promise<void> {
    for (const [who, outcome] of Object.entries(await this.say(by, text))) {
      if (who === by.identity.me.name) {
        assert.equal(outcome.kind, "echo");
        continue;
      }
      assert.ok(outcome.kind === "text", `${who}: ${JSON.stringify(outcome)}`);
      assert.equal(Buffer.from(outcome.payload).toString(), text);
      assert.equal(outcome.from.name, by.identity.me.name);
      assert.notEqual(outcome.order, "different");
    }
  }

  /** Everybody has the same epoch, code and members, and these are the members. */
  assertAgreed(): void {
    const names = this.members.map(({ identity }) => identity.me.name).sort();
    const [first] = this.members;
    for (const { identity, group } of this.members) {
      assert.equal(group.code, first?.group.code, `code of ${identity.me.name}`);
      assert.equal(group.epoch, first?.group.epoch, `epoch of ${identity.me.name}`);
      assert.deepEqual(group.members.map(({ name }) => name).sort(), names, identity.me.name);
    }
  }
}
