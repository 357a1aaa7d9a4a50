// Members of a sealed room who do with the group library what they like, and what the others make of it.

import assert from "node:assert/strict";
import { makeCredential } from "../../../client/mls/credential.ts";
import { openEnvelope, sealEnvelope } from "../../../client/mls/envelope.ts";
import { SealedGroup } from "../../../client/mls/group.ts";
import type { SealedFrame } from "../../../client/mls/group_outcome.ts";
import type { OwnLeaf } from "../../../client/mls/leaf.ts";
import * as mls from "../../../client/mls/group_library.ts";
import { readMessage } from "../../../client/mls/strict_reader.ts";
import {
  type GroupIdentity,
  type GroupInvitation,
  join,
  readInvitation,
  rosterOf,
} from "../../../client/mls/joining.ts";
import { identityFor, OrderedRoom } from "../peers/sealed_group.ts";

/** One of them, with the state of its own group. */
export interface EvilMember {
  readonly identity: GroupIdentity;
  readonly state: mls.MlsState;
}

/** An order mark of one who cannot tell. */
export const MARK = new Uint8Array(16);

/** A commit as its sender made it, or with the group that it leads to: of whose members the relay is told then. */
type EvilCommit = Uint8Array | { readonly message: Uint8Array; readonly next: mls.MlsState };

function frameOf(room: OrderedRoom, from: string, commit: EvilCommit): SealedFrame {
  const [first] = room.members;
  const { keys } = first!.identity;
  const { message, next } = commit instanceof Uint8Array
    ? { message: commit, next: undefined }
    : commit;
  const body = sealEnvelope(keys, "commit", message);
  const roster = next && { roster: rosterOf(keys, next) };
  return room.frame("commit", from, { epoch: first!.group.epoch, body, ...roster });
}

/** Everybody takes a commit. */
export async function takenByAll(
  room: OrderedRoom,
  from: string,
  commit: EvilCommit,
): Promise<void> {
  const outcomes = await room.deliver(frameOf(room, from, commit));
  for (const [who, outcome] of Object.entries(outcomes)) {
    assert.equal(outcome.kind, "epoch", `${who}: ${JSON.stringify(outcome)}`);
  }
}

/** Everybody refuses a commit, for that reason, and the room goes on. */
export async function refusedByAll(
  room: OrderedRoom,
  from: string,
  commit: EvilCommit,
  why: RegExp,
): Promise<void> {
  const [first] = room.members;
  const { epoch = 0, code } = first?.group ?? {};
  const frame = frameOf(room, from, commit);
  for (const [who, outcome] of Object.entries(await room.deliver(frame))) {
    assert.ok(outcome.kind === "unsound", `${who}: ${outcome.kind}`);
    assert.match(outcome.why, why);
  }
  for (const { group } of room.members) {
    assert.ok(group.goBack({ seq: frame.seq, epoch, last: frame.seq }));
  }
  for (const { group } of room.members) assert.equal(group.code, code);
  for (const member of room.members) await room.sayToAll(member, "we go on");
}

/** A room of alice, who made it, bob and carol. */
export async function threePeople(): Promise<OrderedRoom> {
  const room = await OrderedRoom.create("alice");
  await room.join("bob");
  await room.join("carol");
  return room;
}

/** What the relay would hand a newcomer. */
export async function invitationOf(room: OrderedRoom): Promise<GroupInvitation> {
  const [first] = room.members;
  return readInvitation(first!.identity.keys, await first!.group.groupInfo());
}

/** A member who does with the library what it likes: it joins rightly, and holds its own state. */
export async function mallory(room: OrderedRoom, name = "mallory"): Promise<EvilMember> {
  const identity = identityFor(name, room.members[0]!.identity.keys);
  const invitation = await invitationOf(room);
  const { message, next } = await mls.joinByCommit(invitation.info, membershipOf(identity), {
    replaces: false,
  });
  const body = sealEnvelope(identity.keys, "commit", message);
  const frame = room.frame("commit", identity.me.handle, {
    epoch: invitation.epoch,
    body,
    roster: rosterOf(identity.keys, next),
  });
  for (const outcome of Object.values(await room.deliver(frame))) {
    assert.equal(outcome.kind, "epoch");
  }
  return { identity, state: next };
}

/** A membership as its owner likes it. */
export function membershipOf(
  identity: GroupIdentity,
  { as = identity.me, keys = identity.keys } = {},
): OwnLeaf {
  return {
    identity: makeCredential(keys, as, identity.signature.publicKey),
    keys: identity.signature,
    isValid: () => true,
  };
}

/** The commit of one who joins with that membership. */
export async function joinAs(
  room: OrderedRoom,
  membership: Parameters<typeof mls.joinByCommit>[1],
): Promise<Uint8Array> {
  const { info } = await invitationOf(room);
  return (await mls.joinByCommit(info, membership, { replaces: false })).message;
}

/** A room of bob and carol, made by an alice who does with the library what she likes. */
export async function evilMaker(): Promise<EvilMember & { readonly room: OrderedRoom }> {
  const identity = identityFor("alice");
  const { keys } = identity;
  const room = new OrderedRoom();
  let state = await mls.createGroup(keys.rid, membershipOf(identity));
  for (const name of ["bob", "carol"]) {
    const joiner = identityFor(name);
    const info = sealEnvelope(keys, "group-info", await mls.exportGroupInfo(state));
    const joining = await join(joiner, readInvitation(keys, info));
    const frame = room.frame("commit", joiner.me.handle, joining);
    await room.deliver(frame);
    const message = readMessage(openEnvelope(keys, "commit", joining.body));
    assert.ok(message.kind === "public");
    state = (await mls.processOne(state, message)).next;
    room.members.push({ identity: joiner, group: await SealedGroup.joined(joining, frame.seq) });
  }
  return { room, identity, state };
}
