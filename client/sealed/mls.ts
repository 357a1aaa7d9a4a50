// The one file that knows the group library, ts-mls 1.6.4 (RFC 9420; one maintainer, not audited: docs/adr).
// It is imported module by module, so that nothing it could use but we do not is loaded, and it is told
// everything: suite, credentials, retention. What it does not check, commit_rules.ts does.

import { type ClientState, createGroup as createMlsGroup } from "ts-mls/clientState.js";
import {
  createCommit,
  createGroupInfoWithExternalPubAndRatchetTree,
  joinGroupExternal,
} from "ts-mls/createCommit.js";
import { createApplicationMessage } from "ts-mls/createMessage.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { decryptWithLabel, encryptWithLabel } from "ts-mls/crypto/hpke.js";
import { type GroupInfo, ratchetTreeFromExtension } from "ts-mls/groupInfo.js";
import { defaultKeyPackageEqualityConfig } from "ts-mls/keyPackageEqualityConfig.js";
import { generateKeyPackageWithKey } from "ts-mls/keyPackage.js";
import { mlsExporter } from "ts-mls/keySchedule.js";
import type { LeafNode } from "ts-mls/leafNode.js";
import { defaultLifetime } from "ts-mls/lifetime.js";
import { decodeMlsMessage, encodeMlsMessage, type MLSMessage } from "ts-mls/message.js";
import { defaultPaddingConfig } from "ts-mls/paddingConfig.js";
import { decryptSenderData, type PrivateMessage } from "ts-mls/privateMessage.js";
import { processMessage } from "ts-mls/processMessages.js";
import type { Proposal } from "ts-mls/proposal.js";
import type { ProposalOrRef } from "ts-mls/proposalOrRefType.js";
import { emptyPskIndex } from "ts-mls/pskIndex.js";
import type { PublicMessage } from "ts-mls/publicMessage.js";
import type { RatchetTree } from "ts-mls/ratchetTree.js";
import { consumeRatchet } from "ts-mls/secretTree.js";
import { leafToNodeIndex, toLeafIndex } from "ts-mls/treemath.js";
import { ProtocolError } from "../../shared/errors.ts";
import type { CredentialCheck, DirectBinding, GroupInfoFacts, Leaf, Membership } from "./leaf.ts";
import { type HpkeMessage, isUsableHpkeKey, MLS_CRYPTO } from "./mls_crypto.ts";

/** A group at one epoch; never changed, each operation gives another. */
export type MlsState = ClientState & { readonly brand?: unique symbol };

/** A message that was read strictly, by what it may be used for. */
export type MlsMessage =
  | { readonly kind: "group-info"; readonly info: GroupInfo }
  | { readonly kind: "public"; readonly message: PublicMessage }
  | { readonly kind: "private"; readonly message: PrivateMessage };

/** What a message did, and the group after it. `consumed` is to be zeroed when there is no way back. */
export type Processed =
  | {
    readonly kind: "text";
    readonly sender: number;
    readonly plaintext: Uint8Array;
    readonly next: MlsState;
    readonly consumed: readonly Uint8Array[];
  }
  | {
    readonly kind: "commit";
    /** Leaf of a member, undefined for one who joins. */
    readonly committer: number | undefined;
    readonly next: MlsState;
    readonly consumed: readonly Uint8Array[];
  };

/** An own commit, and the group as it is once the relay has taken it. */
export interface OwnCommit {
  readonly message: Uint8Array;
  readonly next: MlsState;
  /** The group that it leaves, its handshake key used up: a second commit must not use it again. */
  readonly from: MlsState;
  readonly consumed: readonly Uint8Array[];
}

// The library's type wants CryptoKeys, which it never looks into.
const cs = MLS_CRYPTO as unknown as CiphersuiteImpl;

const CAPABILITIES = {
  versions: ["mls10" as const],
  ciphersuites: [MLS_CRYPTO.name],
  extensions: [],
  proposals: [],
  credentials: ["basic" as const],
};

// 0 would keep all epochs. Two: the relay still takes messages of the epoch before this one.
const RETAINED_EPOCHS = 2;
// The relay keeps the order, so nobody waits for a skipped message: its key is gone at once.
const RETAINED_GENERATIONS = 0;
const MAX_SKIPPED = 1_000;

function configOf(isValid: CredentialCheck): ClientState["clientConfig"] {
  return {
    keyRetentionConfig: {
      retainKeysForGenerations: RETAINED_GENERATIONS,
      retainKeysForEpochs: RETAINED_EPOCHS,
      maximumForwardRatchetSteps: MAX_SKIPPED,
    },
    lifetimeConfig: { maximumTotalLifetime: 0n, validateLifetimeOnReceive: false },
    keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
    // The envelope pads.
    paddingConfig: { ...defaultPaddingConfig, kind: "padUntilLength", padUntilLength: 0 },
    authService: {
      validateCredential: async (credential, key) =>
        await (credential.credentialType === "basic" && isValid(credential.identity, key)),
    },
  };
}

function keyPackage({ identity, keys }: Membership) {
  const credential = { credentialType: "basic" as const, identity };
  return generateKeyPackageWithKey(credential, CAPABILITIES, defaultLifetime, [], keys, cs);
}

/** A new group with one member, at epoch 0. */
export async function createGroup(groupId: Uint8Array, member: Membership): Promise<MlsState> {
  const { publicPackage, privatePackage } = await keyPackage(member);
  const config = configOf(member.isValid);
  return await createMlsGroup(groupId, publicPackage, privatePackage, [], cs, config);
}

/** The signed GroupInfo with the tree, by which others join. */
export async function exportGroupInfo(state: MlsState): Promise<Uint8Array> {
  const groupInfo = await createGroupInfoWithExternalPubAndRatchetTree(state, [], cs);
  return encodeMlsMessage({ version: "mls10", wireformat: "mls_group_info", groupInfo });
}

/** The facts of a GroupInfo. Throws ProtocolError where it is not one of our kind of room. */
export function factsOf(info: GroupInfo): GroupInfoFacts {
  const { groupContext: context } = info;
  const tree = ratchetTreeFromExtension(info);
  const ours = context.cipherSuite === MLS_CRYPTO.name && context.extensions.length === 0;
  if (!ours || tree === undefined) throw unreadable("group info");
  return { epoch: Number(context.epoch), groupId: context.groupId, leaves: leavesOfTree(tree) };
}

/** Joins by an external commit. `replaces`: the tree holds a former leaf with the same signature key. */
export async function joinByCommit(
  info: GroupInfo,
  member: Membership,
  { replaces }: { readonly replaces: boolean },
): Promise<{ readonly message: Uint8Array; readonly next: MlsState }> {
  const { publicPackage, privatePackage } = await keyPackage(member);
  const { publicMessage, newState } = await joinGroupExternal(
    info,
    publicPackage,
    privatePackage,
    replaces,
    cs,
    undefined,
    configOf(member.isValid),
  );
  const message = encodeMlsMessage({
    version: "mls10",
    wireformat: "mls_public_message",
    publicMessage,
  });
  return { message, next: newState };
}

/** Reads one message: all bytes used, written as we would write it. Throws ProtocolError. */
export function readMessage(bytes: Uint8Array): MlsMessage {
  const message = decodeStrictly(bytes);
  switch (message.wireformat) {
    case "mls_group_info":
      return { kind: "group-info", info: message.groupInfo };
    case "mls_public_message":
      requireJoin(message.publicMessage);
      return { kind: "public", message: message.publicMessage };
    case "mls_private_message":
      return { kind: "private", message: message.privateMessage };
    case "mls_welcome":
    case "mls_key_package":
      throw unreadable("message");
  }
}

function decodeStrictly(bytes: Uint8Array): MLSMessage {
  let decoded: [MLSMessage, number] | undefined;
  try {
    decoded = decodeMlsMessage(bytes, 0);
  } catch (cause) {
    throw unreadable("message", cause);
  }
  // The decoder takes trailing bytes and lengths that are longer than needed.
  if (decoded === undefined || decoded[1] !== bytes.length) throw unreadable("message");
  const again = encodeMlsMessage(decoded[0]);
  if (again.length !== bytes.length || again.some((byte, at) => byte !== bytes[at])) {
    throw unreadable("message");
  }
  return decoded[0];
}

// The only message that is not encrypted to the group is that of one who is not in it yet.
function requireJoin({ content, senderType }: PublicMessage): void {
  const isJoin = senderType === "new_member_commit" && content.contentType === "commit" &&
    content.sender.senderType === "new_member_commit" && content.commit.path !== undefined &&
    content.authenticatedData.length === 0 && content.commit.proposals.every(isJoinProposal);
  if (!isJoin) throw unreadable("message");
}

function isJoinProposal(proposal: ProposalOrRef): boolean {
  return proposal.proposalOrRefType === "proposal" && isAllowed(proposal.proposal);
}

function unreadable(what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(`Cannot read a sealed ${what}: it is not as the protocol says`, {
    cause,
  });
}

/** Takes a message in. Rejects with whatever the library says when it does not hold. */
export async function processOne(
  state: MlsState,
  read: Exclude<MlsMessage, { kind: "group-info" }>,
): Promise<Processed> {
  const message = read.kind === "public"
    ? { wireformat: "mls_public_message" as const, publicMessage: read.message }
    : { wireformat: "mls_private_message" as const, privateMessage: read.message };
  // Before the message, since its key is gone afterwards; the text inside may claim any sender.
  const sender = read.kind === "private" ? await senderOf(state, read.message) : undefined;
  let committer: number | undefined;
  const result = await processMessage(message, state, emptyPskIndex, (incoming) => {
    if (incoming.kind === "proposal") return "reject";
    committer = incoming.senderLeafIndex;
    return incoming.proposals.every(({ proposal }) => isAllowed(proposal)) ? "accept" : "reject";
  }, cs);
  const { newState: next, consumed } = result;
  if (result.kind === "applicationMessage") {
    return { kind: "text", sender: sender as number, plaintext: result.message, next, consumed };
  }
  if (result.actionTaken === "reject") throw unreadable("commit");
  return { kind: "commit", committer, next, consumed };
}

function isAllowed({ proposalType }: Proposal): boolean {
  return proposalType === "remove" || proposalType === "external_init";
}

/** Leaf index of a private message's sender. The library checks the signature of that leaf, but does not tell. */
async function senderOf(state: MlsState, message: PrivateMessage): Promise<number> {
  const secret = message.epoch === state.groupContext.epoch
    ? state.keySchedule.senderDataSecret
    : state.historicalReceiverData.get(message.epoch)?.senderDataSecret;
  const data = secret && await decryptSenderData(message, secret, cs);
  if (data === undefined) throw unreadable("message");
  return data.leafIndex;
}

/** Seals a text for the group; `authenticated` is signed and not encrypted by MLS. */
export async function protect(
  state: MlsState,
  plaintext: Uint8Array,
  authenticated: Uint8Array,
): Promise<Omit<OwnCommit, "from">> {
  const { newState, privateMessage, consumed } = await createApplicationMessage(
    state,
    plaintext,
    cs,
    authenticated,
  );
  const message = encodeMlsMessage({
    version: "mls10",
    wireformat: "mls_private_message",
    privateMessage,
  });
  return { message, next: newState, consumed };
}

/** A private commit that removes leaves, or none, and renews the own path. */
export async function commit(
  state: MlsState,
  removed: readonly number[],
  authenticated: Uint8Array,
): Promise<OwnCommit> {
  const result = await createCommit({ state, cipherSuite: cs }, {
    extraProposals: removed.map((leaf) => ({
      proposalType: "remove",
      remove: { removed: leaf },
    })),
    authenticatedData: authenticated,
  });
  const own = leafToNodeIndex(toLeafIndex(state.privatePath.leafIndex));
  const { newTree } = await consumeRatchet(state.secretTree, own, "commit", cs);
  return {
    message: encodeMlsMessage(result.commit),
    next: result.newState,
    from: { ...state, secretTree: newTree },
    consumed: result.consumed,
  };
}

/**
 * The group after an own commit that came back, with what was read and sent in its former epoch while it was under
 * way: the keys of that are used up, and zeroed.
 */
export function catchUp(next: MlsState, current: MlsState): MlsState {
  const history = new Map(next.historicalReceiverData);
  for (const [epoch, data] of history) {
    const { secretTree } = epoch === current.groupContext.epoch
      ? current
      : current.historicalReceiverData.get(epoch) ?? data;
    history.set(epoch, { ...data, secretTree });
  }
  return { ...next, historicalReceiverData: history };
}

/** The group before `after`, as it is to be gone back to; what was read since then is caught up with, as above. */
export function goBack(before: MlsState, after: MlsState): MlsState {
  const since = after.historicalReceiverData.get(before.groupContext.epoch);
  const secretTree = since?.secretTree ?? before.secretTree;
  return { ...catchUp(before, after), secretTree };
}

/** All leaves, in the order of the tree. */
export function leavesOf(state: MlsState): Leaf[] {
  return leavesOfTree(state.ratchetTree);
}

function leavesOfTree(tree: RatchetTree): Leaf[] {
  return tree.flatMap((node, at) =>
    node?.nodeType === "leaf" && at % 2 === 0 ? [leafOf(node.leaf, at / 2)] : []
  );
}

function leafOf(leaf: LeafNode, index: number): Leaf {
  const { credential, capabilities, extensions, signaturePublicKey: signatureKey } = leaf;
  const isBasic = credential.credentialType === "basic";
  const isPlain = isBasic && extensions.length === 0 &&
    JSON.stringify(capabilities) === JSON.stringify(CAPABILITIES);
  return {
    index,
    identity: isBasic ? credential.identity : new Uint8Array(),
    signatureKey,
    isPlain,
    node: leaf,
  };
}

/** Whether every node that is new in `after` has a key that others can encrypt to; the library does not look. */
export function hasUsableKeys(before: MlsState, after: MlsState): boolean {
  return after.ratchetTree.every((node, at) =>
    node === undefined || node === before.ratchetTree[at] ||
    isUsableHpkeKey(node.nodeType === "leaf" ? node.leaf.hpkePublicKey : node.parent.hpkePublicKey)
  );
}

/** The own leaf's index. */
export function ownLeafOf(state: MlsState): number {
  return state.privatePath.leafIndex;
}

/** The epoch as a number. */
export function epochOf(state: MlsState): number {
  return Number(state.groupContext.epoch);
}

/** Whether this member was removed: nothing can be sent or read any more. */
export function isRemoved(state: MlsState): boolean {
  return state.groupActiveState.kind === "removedFromGroup";
}

/** The 32-byte value that is equal for two members when epoch, members and history of the group are. */
export function epochAuthenticatorOf(state: MlsState): Uint8Array {
  return state.keySchedule.epochAuthenticator;
}

/** A 32-byte secret of this epoch under a label (RFC 9420 §8.5). */
export async function exportSecret(state: MlsState, label: string): Promise<Uint8Array> {
  return await mlsExporter(state.keySchedule.exporterSecret, label, new Uint8Array(), 32, cs);
}

/** A leaf as it was in this epoch or one that is retained. */
export function leafAt(state: MlsState, epoch: number, index: number): Leaf | undefined {
  const tree = epoch === epochOf(state)
    ? state.ratchetTree
    : state.historicalReceiverData.get(BigInt(epoch))?.ratchetTree;
  const node = tree?.[leafToNodeIndex(toLeafIndex(index))];
  return node?.nodeType === "leaf" ? leafOf(node.leaf, index) : undefined;
}

/** Seals for one leaf's encryption key, which is renewed whenever that member commits (RFC 9420 §5.1.3). */
export async function sealToLeaf(
  state: MlsState,
  index: number,
  { label, context, plaintext }: DirectBinding & { readonly plaintext: Uint8Array },
): Promise<HpkeMessage> {
  const node = state.ratchetTree[leafToNodeIndex(toLeafIndex(index))];
  if (node?.nodeType !== "leaf") throw unreadable("message");
  const key = await cs.hpke.importPublicKey(node.leaf.hpkePublicKey);
  return await encryptWithLabel(key, label, context, plaintext, cs.hpke);
}

/** Opens what was sealed for the own leaf. Rejects when it was not. */
export async function openAtLeaf(
  state: MlsState,
  { label, context }: DirectBinding,
  { enc, ct }: HpkeMessage,
): Promise<Uint8Array> {
  const own = leafToNodeIndex(toLeafIndex(state.privatePath.leafIndex));
  const key = await cs.hpke.importPrivateKey(state.privatePath.privateKeys[own] as Uint8Array);
  return await decryptWithLabel(key, label, context, enc, ct, cs.hpke);
}
