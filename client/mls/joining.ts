// An identity in a sealed room: who this client is, and the way in, by the GroupInfo that the relay hands out
// (docs/PROTOCOL.md §11.4).

import { equalBytes, fromHex, toHex } from "#platform/bytes.ts";
import { type RosterClaim, rosterDigest } from "../../shared/messages/roster_digest.ts";
import { type DeviceKey, leafStatement, proveAs } from "../../shared/crypto/device_key.ts";
import { handleOf } from "../../shared/messages/attach_proof.ts";
import { sha256 } from "../../shared/crypto/hkdf.ts";
import { ProtocolError } from "../../shared/base/errors.ts";
import { type GroupMember, isLocked } from "./commit_rules.ts";
import { type CredentialSubject, makeCredential, readCredential } from "./credential.ts";
import { openEnvelope, sealEnvelope } from "./envelope.ts";
import type { Leaf, OwnLeaf, Rights } from "./leaf.ts";
import * as mls from "./group_library.ts";
import { generateSignatureKeys, type SignatureKeys } from "./cipher_suite.ts";
import { factsOf, type MlsMessage, readMessage } from "./strict_reader.ts";
import { ORDER_MARK_BYTES } from "./order_chain.ts";
import type { RoomKeys } from "./room_keys.ts";

/** A room, and who this client is in it. */
export interface GroupIdentity {
  readonly keys: RoomKeys;
  readonly me: CredentialSubject;
  /** Fresh for each process and room, kept over reconnects. */
  readonly signature: SignatureKeys;
}

/** What a new identity is made of. */
export interface NewIdentity {
  readonly keys: RoomKeys;
  readonly name: string;
  readonly handleKey: Uint8Array;
  /** The key that shows the members who this is; used once, and not kept. */
  readonly device?: DeviceKey | undefined;
}

/** An identity with a fresh signature key. */
export function newIdentity({ keys, name, handleKey, device }: NewIdentity): GroupIdentity {
  const handle = handleOf(handleKey);
  const signature = generateSignatureKeys();
  const leaf = { rid: keys.rid, handle, signatureKey: signature.publicKey };
  const proof = device && { device: proveAs(device, leafStatement(leaf)) };
  return { keys, me: { name, handle: toHex(handle), ...proof }, signature };
}

/** A body to be sent, and the epoch it belongs to; `digest` recognises it when it comes back. */
export interface Outgoing {
  readonly epoch: number;
  readonly body: Uint8Array;
  readonly digest: string;
}

/** A commit, and who is in the group after it. */
export interface OutgoingCommit extends Outgoing {
  readonly roster: RosterClaim;
}

/** An opened and checked GroupInfo. */
export interface GroupInvitation {
  readonly epoch: number;
  readonly members: readonly GroupMember[];
  /** Whether the room is locked against newcomers. */
  readonly locked: boolean;
  readonly rights: Rights;
  readonly info: Parameters<typeof mls.joinByCommit>[0];
}

/** A join that is under way. */
export interface Joining extends OutgoingCommit {
  readonly identity: GroupIdentity;
  readonly next: mls.MlsState;
}

/** How a body is recognised: its SHA-256 in hexadecimal. */
export function digestOf(body: Uint8Array): string {
  return toHex(sha256(body));
}

/** The own membership as the group library wants it. */
export function membershipOf({ keys, me, signature }: GroupIdentity): OwnLeaf {
  return {
    identity: makeCredential(keys, me, signature.publicKey),
    keys: signature,
    isValid: (identity, key) => readCredential(keys, identity, key) !== undefined,
  };
}

// A tree hands out the same node for as long as nobody changes it: 200 MACs and signatures are not to be computed for
// each message.
const known = new WeakMap<
  object,
  { readonly keys: RoomKeys; readonly person: CredentialSubject | undefined }
>();

/** Who a leaf is; undefined when its credential does not hold. */
export function memberOf(keys: RoomKeys, leaf: Leaf): GroupMember | undefined {
  let entry = known.get(leaf.node);
  if (entry?.keys !== keys) {
    entry = { keys, person: readCredential(keys, leaf.identity, leaf.signatureKey) };
    known.set(leaf.node, entry);
  }
  const { person } = entry;
  return person && { ...person, leaf: leaf.index, signatureKey: leaf.signatureKey };
}

/** Who all leaves are. */
export function membersOf(keys: RoomKeys, leaves: readonly Leaf[]): GroupMember[] {
  return leaves.map((leaf) => memberOf(keys, leaf)).filter((member) => member !== undefined);
}

/** What the relay is told of a group: the handles of all leaves, and whether it is locked. */
export function rosterOf(keys: RoomKeys, state: mls.MlsState): RosterClaim {
  const leaves = mls.leavesOf(state);
  const members = membersOf(keys, leaves)
    .map(({ handle }) => fromHex(handle));
  return { members, locked: isLocked(leaves, mls.rightsOf(state)) };
}

/** Throws ProtocolError where the relay was told of other members than the group has. */
export function checkRoster(keys: RoomKeys, state: mls.MlsState, digest: Uint8Array): void {
  if (equalBytes(rosterDigest(rosterOf(keys, state)), digest)) return;
  throw new ProtocolError("its sender told the server about other members");
}

/** A private message of the frame's kind, epoch and this group. Throws ProtocolError or CryptoError. */
export function openPrivate(
  keys: RoomKeys,
  frame: {
    readonly type: "commit" | "app";
    readonly epoch: number;
    readonly body: Uint8Array;
  },
): Extract<MlsMessage, { kind: "private" }> {
  const read = readMessage(openEnvelope(keys, frame.type, frame.body));
  if (read.kind !== "private") throw new ProtocolError("it is public");
  const { message } = read;
  const fits = message.contentType === (frame.type === "app" ? "application" : "commit") &&
    Number(message.epoch) === frame.epoch &&
    equalBytes(message.groupId, keys.rid) &&
    message.authenticatedData.length === ORDER_MARK_BYTES;
  if (!fits) throw new ProtocolError("it is not what its frame says");
  return read;
}

/** Opens and checks a GroupInfo as the relay gave it. Throws CryptoError or ProtocolError. */
export function readInvitation(keys: RoomKeys, body: Uint8Array): GroupInvitation {
  const read = readMessage(openEnvelope(keys, "group-info", body));
  const facts = read.kind === "group-info" ? factsOf(read.info) : undefined;
  if (read.kind !== "group-info" || facts === undefined) throw refused();
  const members = membersOf(keys, facts.leaves);
  const locked = isLocked(facts.leaves, facts.rights);
  const isOurs = equalBytes(facts.groupId, keys.rid) &&
    members.length === facts.leaves.length && facts.leaves.every(({ isPlain }) => isPlain);
  if (!isOurs) throw refused();
  return { epoch: facts.epoch, members, locked, rights: facts.rights, info: read.info };
}

function refused(): ProtocolError {
  return new ProtocolError(
    "Cannot join the sealed room: what the server sent does not belong to it",
  );
}

/** Makes the commit by which one joins, or comes back in place of the own former leaf. */
export async function join(identity: GroupIdentity, invitation: GroupInvitation): Promise<Joining> {
  const own = identity.signature.publicKey;
  const replaces = invitation.members.some(({ signatureKey }) => equalBytes(signatureKey, own));
  // The library cannot replace the only leaf; a member that is alone has nobody to come back to either.
  if (replaces && invitation.members.length === 1) throw refused();
  const { message, next } = await mls.joinByCommit(invitation.info, membershipOf(identity), {
    replaces,
  });
  const body = sealEnvelope(identity.keys, "commit", message);
  const roster = rosterOf(identity.keys, next);
  return { epoch: invitation.epoch, body, digest: digestOf(body), roster, identity, next };
}
