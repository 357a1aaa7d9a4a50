// What we do with the group library, ts-mls 1.6.4 (RFC 9420; one maintainer, not audited: docs/adr). Beside
// strict_reader.ts no other file knows it. It is imported module by module, so that nothing it could use but we do not
// is loaded, and it is told everything: suite, credentials, retention. What it does not check, commit_rules.ts does.

import { type ClientState, createGroup as createMlsGroup } from "ts-mls/clientState.js";
import {
  createCommit,
  createGroupInfoWithExternalPubAndRatchetTree,
  joinGroupExternal,
} from "ts-mls/createCommit.js";
import { createApplicationMessage } from "ts-mls/createMessage.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { decryptWithLabel, encryptWithLabel } from "ts-mls/crypto/hpke.js";
import type { GroupInfo } from "ts-mls/groupInfo.js";
import { defaultKeyPackageEqualityConfig } from "ts-mls/keyPackageEqualityConfig.js";
import { generateKeyPackageWithKey } from "ts-mls/keyPackage.js";
import { mlsExporter } from "ts-mls/keySchedule.js";
import { defaultLifetime } from "ts-mls/lifetime.js";
import { encodeMlsMessage } from "ts-mls/message.js";
import { defaultPaddingConfig } from "ts-mls/paddingConfig.js";
import { decryptSenderData, type PrivateMessage } from "ts-mls/privateMessage.js";
import { processMessage } from "ts-mls/processMessages.js";
import type { Proposal } from "ts-mls/proposal.js";
import { emptyPskIndex } from "ts-mls/pskIndex.js";
import { consumeRatchet } from "ts-mls/secretTree.js";
import { leafToNodeIndex, toLeafIndex } from "ts-mls/treemath.js";
import type { CredentialCheck, DirectBinding, Leaf, OwnLeaf, Rights } from "./leaf.ts";
import { type HpkeMessage, MLS_CRYPTO } from "./cipher_suite.ts";
import {
  areAllowed,
  CAPABILITIES,
  changesRights,
  extensionsOf,
  KICK_PROPOSAL,
  kicksIn,
  leafOf,
  leavesOfTree,
  type MlsMessage,
  rightsIn,
  unreadable,
} from "./strict_reader.ts";

/** A group at one epoch; never changed, each operation gives another. */
export type MlsState = ClientState & { readonly brand?: unique symbol };

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
    /** Reasons of the kicks that it names. */
    readonly kicks: readonly Uint8Array[];
    readonly next: MlsState;
    readonly consumed: readonly Uint8Array[];
  };

/** What a commit does besides renewing our own path. */
export interface CommitPlan {
  /** Leaves to be removed. */
  readonly removed?: readonly number[];
  /** The removal is a kick, for that reason. */
  readonly kick?: Uint8Array | undefined;
  /** The credential of our own leaf from now on. */
  readonly leaf?: Pick<OwnLeaf, "identity"> | undefined;
  /** Who may do what from now on; then it does nothing else, and renews no path. */
  readonly rights?: Rights | undefined;
  /** Signed, and not encrypted by MLS. */
  readonly authenticated: Uint8Array;
}

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

function keyPackage({ identity, keys }: OwnLeaf) {
  return generateKeyPackageWithKey(
    credentialOf(identity),
    CAPABILITIES,
    defaultLifetime,
    [],
    keys,
    cs,
  );
}

function credentialOf(identity: Uint8Array) {
  return { credentialType: "basic" as const, identity };
}

/** A new group with one member, who is its maker, at epoch 0. */
export async function createGroup(groupId: Uint8Array, member: OwnLeaf): Promise<MlsState> {
  const { publicPackage, privatePackage } = await keyPackage(member);
  const config = configOf(member.isValid);
  const rights = extensionsOf({ maker: member.keys.publicKey, ops: [], locked: false });
  return await createMlsGroup(groupId, publicPackage, privatePackage, rights, cs, config);
}

/** The signed GroupInfo with the tree, by which others join. */
export async function exportGroupInfo(state: MlsState): Promise<Uint8Array> {
  const groupInfo = await createGroupInfoWithExternalPubAndRatchetTree(state, [], cs);
  return encodeMlsMessage({ version: "mls10", wireformat: "mls_group_info", groupInfo });
}

/** Joins by an external commit. `replaces`: the tree holds a former leaf with the same signature key. */
export async function joinByCommit(
  info: GroupInfo,
  member: OwnLeaf,
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

/** Takes a message in. Rejects with whatever the library says when it does not hold. */
export async function processOne(
  state: MlsState,
  read: Exclude<MlsMessage, { kind: "group-info" }>,
  { maySkip = () => true }: { readonly maySkip?: (keys: number) => boolean } = {},
): Promise<Processed> {
  const message = read.kind === "public"
    ? { wireformat: "mls_public_message" as const, publicMessage: read.message }
    : { wireformat: "mls_private_message" as const, privateMessage: read.message };
  // Before the message, since its key is gone afterwards; the text inside may claim any sender.
  const sender = read.kind === "private" ? await senderOf(state, read.message) : undefined;
  if (sender !== undefined && !maySkip(sender.skipped)) throw unreadable("message");
  let committer: number | undefined;
  let proposals: Proposal[] = [];
  const result = await processMessage(message, state, emptyPskIndex, (incoming) => {
    if (incoming.kind === "proposal") return "reject";
    committer = incoming.senderLeafIndex;
    proposals = incoming.proposals.map(({ proposal }) => proposal);
    // Those of a public commit were looked at when it was read.
    return read.kind === "public" || areAllowed(proposals) ? "accept" : "reject";
  }, cs);
  const { newState: next, consumed } = result;
  if (result.kind === "applicationMessage") {
    const { leafIndex = -1 } = sender ?? {};
    return { kind: "text", sender: leafIndex, plaintext: result.message, next, consumed };
  }
  if (result.actionTaken === "reject") throw unreadable("commit");
  // With a path, what the library seals for the rights before it opens for those after.
  if (proposals.some(changesRights) && hasPath(state, next, committer)) throw unreadable("commit");
  return { kind: "commit", committer, kicks: kicksIn(proposals), next, consumed };
}

/** Whether the commit of that leaf had a path: it puts another leaf in its place. */
function hasPath(before: MlsState, after: MlsState, committer = -1): boolean {
  const at = 2 * committer;
  return before.ratchetTree[at] !== after.ratchetTree[at];
}

interface Sender {
  readonly leafIndex: number;
  /** Keys of it that were not used: the library derives each of them before it verifies anything. */
  readonly skipped: number;
}

/** A private message's sender. The library checks the signature of that leaf, but does not tell. */
async function senderOf(state: MlsState, message: PrivateMessage): Promise<Sender> {
  const { secretTree, senderDataSecret } = message.epoch === state.groupContext.epoch
    ? { ...state.keySchedule, secretTree: state.secretTree }
    : state.historicalReceiverData.get(message.epoch) ?? {};
  const data = senderDataSecret && await decryptSenderData(message, senderDataSecret, cs);
  if (data === undefined) throw unreadable("message");
  const { leafIndex, generation } = data;
  const next = secretTree?.[leafToNodeIndex(toLeafIndex(leafIndex))]?.application.generation ?? 0;
  return { leafIndex, skipped: Math.max(0, generation - next) };
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

/** A private commit that does what is planned, and renews the own path. */
export async function commit(
  state: MlsState,
  { removed = [], kick, leaf, rights, authenticated }: CommitPlan,
): Promise<OwnCommit> {
  const removals = removed.map((index): Proposal => ({
    proposalType: "remove",
    remove: { removed: index },
  }));
  const kicks: Proposal[] = kick === undefined
    ? []
    : [{ proposalType: KICK_PROPOSAL, proposalData: kick }];
  const contexts: Proposal[] = rights === undefined ? [] : [{
    proposalType: "group_context_extensions",
    groupContextExtensions: { extensions: extensionsOf(rights) },
  }];
  const from = leaf === undefined ? state : withOwnLeaf(state, leaf);
  const result = await createCommit({ state: from, cipherSuite: cs }, {
    extraProposals: [...removals, ...kicks, ...contexts],
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

/** The group as if the own leaf were another one: the path of a commit takes over what it says. */
function withOwnLeaf(state: MlsState, { identity }: Pick<OwnLeaf, "identity">): MlsState {
  const own = leafToNodeIndex(toLeafIndex(state.privatePath.leafIndex));
  const changed = { credential: credentialOf(identity) };
  const ratchetTree = state.ratchetTree.map((node, at) =>
    at === own && node?.nodeType === "leaf" ? { ...node, leaf: { ...node.leaf, ...changed } } : node
  );
  return { ...state, ratchetTree };
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

/** Who may do what in the group. Throws ProtocolError where a commit made another kind of group of it. */
export function rightsOf(state: MlsState): Rights {
  const rights = rightsIn(state.groupContext.extensions);
  if (rights === undefined) throw unreadable("group");
  return rights;
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
