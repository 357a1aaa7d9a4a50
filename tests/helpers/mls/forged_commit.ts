// Commits that the group library would not make: their sender puts together what the library's own functions give, and
// signs it rightly.

import {
  addHistoricalReceiverData,
  applyProposals,
  exportSecret,
  nextEpochContext,
} from "ts-mls/clientState.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { createConfirmationTag, createContentCommitSignature } from "ts-mls/framedContent.js";
import { type GroupInfo, ratchetTreeFromExtension, signGroupInfo } from "ts-mls/groupInfo.js";
import { generateKeyPackageWithKey } from "ts-mls/keyPackage.js";
import { initializeEpoch } from "ts-mls/keySchedule.js";
import { defaultLifetime } from "ts-mls/lifetime.js";
import { decodeMlsMessage, encodeMlsMessage } from "ts-mls/message.js";
import { protect } from "ts-mls/messageProtection.js";
import { protectPublicMessage } from "ts-mls/messageProtectionPublic.js";
import { getCommitSecret } from "ts-mls/pathSecrets.js";
import type { Proposal } from "ts-mls/proposal.js";
import { emptyPskIndex } from "ts-mls/pskIndex.js";
import { addLeafNode, filteredDirectPath, type RatchetTree } from "ts-mls/ratchetTree.js";
import { createSecretTree } from "ts-mls/secretTree.js";
import { treeHashRoot } from "ts-mls/treeHash.js";
import {
  type LeafIndex,
  leafWidth,
  nodeToLeafIndex,
  toLeafIndex,
  toNodeIndex,
} from "ts-mls/treemath.js";
import { createUpdatePath } from "ts-mls/updatePath.js";
import { MLS_CRYPTO } from "../../../client/mls/cipher_suite.ts";
import * as mls from "../../../client/mls/group_library.ts";
import type { OwnLeaf } from "../../../client/mls/leaf.ts";
import { CAPABILITIES } from "../../../client/mls/strict_reader.ts";
import { invitationOf, MARK } from "./evil_member.ts";
import type { OrderedRoom } from "../peers/sealed_group.ts";

const cs = MLS_CRYPTO as unknown as CiphersuiteImpl;
type GroupContext = GroupInfo["groupContext"];

/** What is forged, and the group of its sender after it. */
export interface Forged {
  readonly message: Uint8Array;
  readonly next: mls.MlsState;
}

/** Public keys in place of those of a path: of its leaf, and of its nodes from the leaf to the root. */
export interface PathKeys {
  readonly leaf?: Uint8Array;
  readonly nodes?: readonly (Uint8Array | undefined)[];
}

/** The suite, for a path of so many nodes, with these keys in it. */
function withKeys({ leaf, nodes = [] }: PathKeys, length: number): CiphersuiteImpl {
  let made = 0;
  // The library asks for the keys of the nodes first, from the leaf to the root, and then for that of the leaf.
  const exportPublicKey: CiphersuiteImpl["hpke"]["exportPublicKey"] = async (key) => {
    const other = made === length ? leaf : nodes[made];
    made++;
    return other ?? await cs.hpke.exportPublicKey(key);
  };
  return { ...cs, hpke: { ...cs.hpke, exportPublicKey } } as CiphersuiteImpl;
}

/** A path of that leaf with these keys, the tree with it, and the secret that it gives the epoch. */
async function pathOf(
  tree: RatchetTree,
  leaf: LeafIndex,
  { context, signKey, keys }: {
    readonly context: GroupContext;
    readonly signKey: Uint8Array;
    readonly keys: PathKeys;
  },
) {
  const suite = withKeys(keys, filteredDirectPath(leaf, tree).length);
  const [after, path, secrets] = await createUpdatePath(tree, leaf, context, signKey, suite);
  const last = secrets.at(-1);
  const secret = last === undefined
    ? new Uint8Array(cs.kdf.size)
    : await getCommitSecret(after, toNodeIndex(last.nodeIndex), last.secret, cs.kdf);
  return { tree: after, path, secret };
}

interface Signed extends Awaited<ReturnType<typeof createContentCommitSignature>> {
  readonly wireformat: "mls_private_message" | "mls_public_message";
  readonly context: GroupContext;
  readonly tag: Uint8Array;
  readonly secrets: readonly [init: Uint8Array, commit: Uint8Array];
}

/** The epoch that a signed commit begins. */
async function epochAfter(tree: RatchetTree, signed: Signed) {
  const { wireformat, framedContent, signature, context, tag, secrets: [init, commit] } = signed;
  const treeHash = await treeHashRoot(tree, cs.hash);
  const groupContext = await nextEpochContext(
    context,
    wireformat,
    framedContent,
    signature,
    treeHash,
    tag,
    cs.hash,
  );
  const psk = new Uint8Array(cs.kdf.size);
  const epoch = await initializeEpoch(init, commit, groupContext, psk, cs.kdf);
  const { keySchedule, encryptionSecret } = epoch;
  const { confirmedTranscriptHash } = groupContext;
  return {
    groupContext,
    ratchetTree: tree,
    keySchedule,
    secretTree: await createSecretTree(leafWidth(tree.length), encryptionSecret, cs.kdf),
    confirmationTag: await createConfirmationTag(
      keySchedule.confirmationKey,
      confirmedTranscriptHash,
      cs.hash,
    ),
  };
}

const byValue = (proposal: Proposal) => ({ proposalOrRefType: "proposal" as const, proposal });

/** A private commit with just these proposals, with a path or without one, such that all receivers can open it. */
export async function forgeCommit(
  state: mls.MlsState,
  { proposals: given = [], path: hasPath = true, keys = {} }: {
    readonly proposals?: readonly Proposal[];
    readonly path?: boolean;
    readonly keys?: PathKeys;
  } = {},
): Promise<Forged> {
  const own = toLeafIndex(state.privatePath.leafIndex);
  const signKey = state.signaturePrivateKey;
  const proposals = given.map(byValue);
  const { tree: changed, additionalResult: result } = await applyProposals(
    state,
    proposals,
    own,
    emptyPskIndex,
    true,
    cs,
  );
  const extensions = result.kind === "memberCommit" && result.extensions.length > 0
    ? result.extensions
    : state.groupContext.extensions;
  const context = { ...state.groupContext, extensions };
  const { tree, path, secret } = hasPath
    ? await pathOf(changed, own, { context, signKey, keys })
    : { tree: changed, path: undefined, secret: new Uint8Array(cs.kdf.size) };
  const wireformat = "mls_private_message";
  const signed = await createContentCommitSignature(
    state.groupContext,
    wireformat,
    { proposals, path },
    { senderType: "member", leafIndex: own },
    MARK,
    signKey,
    cs.signature,
  );
  const initSecret = result.kind === "externalCommit"
    ? result.externalInitSecret
    : state.keySchedule.initSecret;
  const next = await epochAfter(tree, {
    ...signed,
    wireformat,
    context,
    tag: state.confirmationTag,
    secrets: [initSecret, secret],
  });
  const { signature, framedContent } = signed;
  const { confirmationTag } = next;
  const { privateMessage } = await protect(
    state.keySchedule.senderDataSecret,
    MARK,
    state.groupContext,
    state.secretTree,
    { ...framedContent, auth: { contentType: "commit", signature, confirmationTag } },
    own,
    state.clientConfig.paddingConfig,
    cs,
  );
  const [historicalReceiverData] = addHistoricalReceiverData(state);
  return {
    message: encodeMlsMessage({ version: "mls10", wireformat, privateMessage }),
    next: { ...state, ...next, historicalReceiverData },
  };
}

/** A proposal that takes the secret of the next epoch from outside of the group. */
export async function externalInit(state: mls.MlsState): Promise<Proposal> {
  const { publicKey } = await cs.hpke.deriveKeyPair(state.keySchedule.externalSecret);
  return (await initOf(await cs.hpke.exportPublicKey(publicKey))).proposal;
}

async function initOf(externalKey: Uint8Array) {
  const { enc, secret } = await exportSecret(externalKey, cs);
  const proposal: Proposal = { proposalType: "external_init", externalInit: { kemOutput: enc } };
  return { proposal, secret };
}

/** The external commit of that membership: with other proposals, other keys in its path, or without one. */
export async function forgeJoin(
  room: OrderedRoom,
  member: OwnLeaf,
  { proposals: more = [], inits = 1, path: hasPath = true, keys = {}, mark = new Uint8Array() }: {
    readonly proposals?: readonly Proposal[];
    /** How many external_init proposals it has. */
    readonly inits?: number;
    readonly path?: boolean;
    readonly keys?: PathKeys;
    /** Its authenticated data. */
    readonly mark?: Uint8Array;
  } = {},
): Promise<Forged> {
  const { info } = await invitationOf(room);
  const own = await mls.createGroup(info.groupContext.groupId, member);
  const { groupContext: context, confirmationTag: tag, extensions } = info;
  const { publicPackage } = await generateKeyPackageWithKey(
    { credentialType: "basic", identity: member.identity },
    CAPABILITIES,
    defaultLifetime,
    [],
    member.keys,
    cs,
  );
  const before = ratchetTreeFromExtension(info) ?? [];
  const [added, at] = addLeafNode(before, publicPackage.leafNode);
  const leaf = nodeToLeafIndex(at);
  const { signKey } = member.keys;
  const { tree, path, secret } = await pathOf(added, leaf, { context, signKey, keys });
  const externalKey = extensions.find(({ extensionType }) => extensionType === "external_pub");
  const init = await initOf(externalKey?.extensionData ?? new Uint8Array());
  const proposals = [...Array(inits).fill(init.proposal), ...more].map(byValue);
  const wireformat = "mls_public_message";
  const signed = await createContentCommitSignature(
    context,
    wireformat,
    { proposals, path: hasPath ? path : undefined },
    { senderType: "new_member_commit" },
    mark,
    signKey,
    cs.signature,
  );
  const next = await epochAfter(tree, {
    ...signed,
    wireformat,
    context,
    tag,
    secrets: [init.secret, secret],
  });
  const { signature, framedContent: content } = signed;
  const { confirmationTag } = next;
  const publicMessage = await protectPublicMessage(
    next.keySchedule.membershipKey,
    next.groupContext,
    { wireformat, content, auth: { contentType: "commit", signature, confirmationTag } },
    cs,
  );
  const message = encodeMlsMessage({ version: "mls10", wireformat, publicMessage });
  return { message, next: { ...own, ...next } };
}

/** The GroupInfo of a member with other extensions than it has, signed by that member. */
export async function forgeGroupInfo(
  state: mls.MlsState,
  change: (extensions: GroupInfo["extensions"]) => GroupInfo["extensions"],
): Promise<Uint8Array> {
  const [message] = decodeMlsMessage(await mls.exportGroupInfo(state), 0) ?? [];
  if (message?.wireformat !== "mls_group_info") throw new Error("no GroupInfo");
  const extensions = change(message.groupInfo.extensions);
  const groupInfo = await signGroupInfo(
    { ...message.groupInfo, extensions },
    state.signaturePrivateKey,
    cs.signature,
  );
  return encodeMlsMessage({ ...message, groupInfo });
}
