// What the group library's structures say, read strictly (docs/PROTOCOL.md §11.2, §11.3): its decoder is lenient.

import type { ClientState } from "ts-mls/clientState.js";
import type { GroupContext } from "ts-mls/groupContext.js";
import { type GroupInfo, ratchetTreeFromExtension } from "ts-mls/groupInfo.js";
import type { LeafNode } from "ts-mls/leafNode.js";
import { decodeMlsMessage, encodeMlsMessage, type MLSMessage } from "ts-mls/message.js";
import type { PrivateMessage } from "ts-mls/privateMessage.js";
import type { Proposal, ProposalGroupContextExtensions } from "ts-mls/proposal.js";
import type { ProposalOrRef } from "ts-mls/proposalOrRefType.js";
import type { PublicMessage } from "ts-mls/publicMessage.js";
import { encodeRatchetTree, getHpkePublicKey, type RatchetTree } from "ts-mls/ratchetTree.js";
import { directPath, leafToNodeIndex, leafWidth, toLeafIndex } from "ts-mls/treemath.js";
import { equalBytes, toHex } from "#platform/bytes.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import { ProtocolError } from "../../shared/base/errors.ts";
import { OPS_MAX, SEALED_MEMBERS_MAX } from "../../shared/base/limits.ts";
import type { GroupInfoFacts, Leaf, Rights } from "./leaf.ts";
import { CURVE_KEY_BYTES, isPairOf, isUsableHpkeKey, MLS_CRYPTO } from "./cipher_suite.ts";

/** A message that was read strictly, by what it may be used for. */
export type MlsMessage =
  | { readonly kind: "group-info"; readonly info: GroupInfo }
  | { readonly kind: "public"; readonly message: PublicMessage }
  | { readonly kind: "private"; readonly message: PrivateMessage };

/** Extension of the group: the signature key of who made it. Of the range for private use, like all of this program. */
const MAKER_EXTENSION = 0xf001;
/** Extension of the group, empty: nobody comes in who is not in. */
const LOCK_EXTENSION = 0xf002;
/** Extension of the group: the signature keys of the maker's ops, one behind the other. */
const OPS_EXTENSION = 0xf003;
/** Proposal that goes with a removal by a member who moderates the room; the reason in UTF-8. */
export const KICK_PROPOSAL = 0xf001;

/** Nodes of the widest tree: a joiner takes the first free leaf, and the library fills a tree up to a whole one. */
const NODES_MAX = 2 ** (Math.ceil(Math.log2(SEALED_MEMBERS_MAX)) + 1) - 1;

/** What every leaf says that it understands. */
export const CAPABILITIES = {
  versions: ["mls10" as const],
  ciphersuites: [MLS_CRYPTO.name],
  extensions: [MAKER_EXTENSION, LOCK_EXTENSION, OPS_EXTENSION],
  proposals: [KICK_PROPOSAL],
  credentials: ["basic" as const],
};

/** The facts of a GroupInfo. Throws ProtocolError where it is not one of our kind of room. */
export function factsOf(info: GroupInfo): GroupInfoFacts {
  const { groupContext: context } = info;
  const tree = treeOf(info);
  const rights = rightsIn(context.extensions);
  if (context.cipherSuite !== MLS_CRYPTO.name || tree === undefined || rights === undefined) {
    throw unreadable("group info");
  }
  const { groupId } = context;
  return { epoch: Number(context.epoch), groupId, rights, leaves: leavesOfTree(tree) };
}

/** The tree of a GroupInfo, written as we would write it; undefined where it is not, or wider than any of our rooms. */
function treeOf(info: GroupInfo): RatchetTree | undefined {
  const tree = ratchetTreeFromExtension(info);
  const given = info.extensions.find(({ extensionType }) => extensionType === "ratchet_tree");
  const isOurs = tree !== undefined && given !== undefined && tree.length <= NODES_MAX &&
    equalBytes(encodeRatchetTree(tree), given.extensionData);
  return isOurs ? tree : undefined;
}

type Extensions = GroupContext["extensions"];

/** Who may do what in a group, as its context says; undefined where the group is not one of our kind. */
export function rightsIn(extensions: Extensions): Rights | undefined {
  const [maker, ...others] = extensions;
  if (maker?.extensionType !== MAKER_EXTENSION) return undefined;
  const locked = others[0]?.extensionType === LOCK_EXTENSION;
  const opsAt = others[locked ? 1 : 0];
  const data = opsAt?.extensionType === OPS_EXTENSION ? opsAt.extensionData : new Uint8Array();
  const ops = Array.from(
    { length: Math.min(OPS_MAX, Math.ceil(data.length / CURVE_KEY_BYTES)) },
    (_, n) => data.slice(n * CURVE_KEY_BYTES, (n + 1) * CURVE_KEY_BYTES),
  );
  const rights = { maker: maker.extensionData, locked, ops };
  // Written as we would write it: each key once, in its size, and nothing else.
  const keys = [rights.maker, ...ops];
  const isOurs = keys.every(({ length }) => length === CURVE_KEY_BYTES) &&
    new Set(keys.map(toHex)).size === keys.length &&
    isSame(extensions, extensionsOf(rights));
  return isOurs ? rights : undefined;
}

/** The extensions of a group's context that say who may do what. */
export function extensionsOf({ maker, locked, ops }: Rights): Extensions {
  const lock = { extensionType: LOCK_EXTENSION, extensionData: new Uint8Array() };
  const list = { extensionType: OPS_EXTENSION, extensionData: concatBytes([...ops]) };
  return [
    { extensionType: MAKER_EXTENSION, extensionData: maker },
    ...(locked ? [lock] : []),
    ...(ops.length > 0 ? [list] : []),
  ];
}

function isSame(one: Extensions, other: Extensions): boolean {
  return one.length === other.length &&
    one.every(({ extensionType, extensionData }, n) =>
      extensionType === other[n]?.extensionType &&
      equalBytes(extensionData, other[n].extensionData)
    );
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

// That there is one external_init, and one removal at most, the library demands (RFC 9420 §12.2).

function isJoinProposal(proposal: ProposalOrRef): boolean {
  if (proposal.proposalOrRefType !== "proposal") return false;
  const { proposalType } = proposal.proposal;
  return proposalType === "remove" || proposalType === "external_init";
}

/** The error for everything that is not as it should be. */
export function unreadable(what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(`Cannot read a sealed ${what}: it is not as the protocol says`, {
    cause,
  });
}

/** Whether a private commit may have these proposals, by value. One that changes rights does nothing else. */
export function areAllowed(proposals: readonly Proposal[]): boolean {
  return proposals.every((proposal) => {
    const { proposalType } = proposal;
    if (!changesRights(proposal)) {
      return proposalType === "remove" || proposalType === KICK_PROPOSAL;
    }
    const { extensions } = proposal.groupContextExtensions;
    return proposals.length === 1 && rightsIn(extensions) !== undefined;
  });
}

/** Whether a proposal is about who may do what. */
export function changesRights(proposal: Proposal): proposal is ProposalGroupContextExtensions {
  return proposal.proposalType === "group_context_extensions";
}

/** The reasons of the kicks among proposals. */
export function kicksIn(proposals: readonly Proposal[]): Uint8Array[] {
  return proposals.flatMap((proposal) =>
    proposal.proposalType === KICK_PROPOSAL && "proposalData" in proposal
      ? [proposal.proposalData]
      : []
  );
}

/** All leaves of a tree, in its order. */
export function leavesOfTree(tree: RatchetTree): Leaf[] {
  return tree.flatMap((node, at) =>
    node?.nodeType === "leaf" && at % 2 === 0 ? [leafOf(node.leaf, at / 2)] : []
  );
}

/** A leaf as our rules look at it. */
export function leafOf(leaf: LeafNode, index: number): Leaf {
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

/**
 * Why the keys of the nodes that are new in `after` must not hold; the library looks at none of this. RFC 9420 §7.3 and
 * §12.4.2 demand that keys are unique, and whoever joins refuses a tree where they are not; §7.5 that they come from the
 * secrets of the path: to another key nobody below that node could open the next commit.
 */
export function keyFault(before: ClientState, after: ClientState): string | undefined {
  const { ratchetTree: tree, privatePath } = after;
  const nodes = tree.filter((node) => node !== undefined);
  const leaves = leavesOfTree(tree);
  const areUnique = (keys: readonly Uint8Array[]) => new Set(keys.map(toHex)).size === keys.length;
  if (
    !areUnique(nodes.map(getHpkePublicKey)) || !areUnique(leaves.map((leaf) => leaf.signatureKey))
  ) {
    return "it has a key twice";
  }
  const own = leafToNodeIndex(toLeafIndex(privatePath.leafIndex));
  // Who is removed by it gets no secret of its path, and takes nothing of it over.
  const above = new Set<number>(
    after.groupActiveState.kind === "removedFromGroup"
      ? []
      : directPath(own, leafWidth(tree.length)),
  );
  const isSound = tree.every((node, at) => {
    if (node === undefined || node === before.ratchetTree[at]) return true;
    const key = getHpkePublicKey(node);
    return isUsableHpkeKey(key) &&
      (!above.has(at) || isPairOf(privatePath.privateKeys[at], key));
  });
  return isSound ? undefined : "nobody can encrypt to its keys";
}
