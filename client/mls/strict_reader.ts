// What the group library's structures say, read strictly (docs/PROTOCOL.md §11.2, §11.3): its decoder is lenient.

import type { GroupContext } from "ts-mls/groupContext.js";
import { type GroupInfo, ratchetTreeFromExtension } from "ts-mls/groupInfo.js";
import type { LeafNode } from "ts-mls/leafNode.js";
import { decodeMlsMessage, encodeMlsMessage, type MLSMessage } from "ts-mls/message.js";
import type { PrivateMessage } from "ts-mls/privateMessage.js";
import type { Proposal } from "ts-mls/proposal.js";
import type { ProposalOrRef } from "ts-mls/proposalOrRefType.js";
import type { PublicMessage } from "ts-mls/publicMessage.js";
import type { RatchetTree } from "ts-mls/ratchetTree.js";
import { ProtocolError } from "../../shared/base/errors.ts";
import type { GroupInfoFacts, Leaf } from "./leaf.ts";
import { CURVE_KEY_BYTES, MLS_CRYPTO } from "./cipher_suite.ts";

/** A message that was read strictly, by what it may be used for. */
export type MlsMessage =
  | { readonly kind: "group-info"; readonly info: GroupInfo }
  | { readonly kind: "public"; readonly message: PublicMessage }
  | { readonly kind: "private"; readonly message: PrivateMessage };

/** Extension of the group: the signature key of who made it. Of the range for private use, as all of ours. */
export const MAKER_EXTENSION = 0xf001;
/** Extension of the maker's leaf, empty: nobody comes in who is not in. */
export const LOCK_EXTENSION = 0xf002;
/** Proposal beside a removal: the maker wants it; the reason in UTF-8. */
export const KICK_PROPOSAL = 0xf001;

/** What every leaf says that it understands. */
export const CAPABILITIES = {
  versions: ["mls10" as const],
  ciphersuites: [MLS_CRYPTO.name],
  extensions: [MAKER_EXTENSION, LOCK_EXTENSION],
  proposals: [KICK_PROPOSAL],
  credentials: ["basic" as const],
};

/** The facts of a GroupInfo. Throws ProtocolError where it is not one of our kind of room. */
export function factsOf(info: GroupInfo): GroupInfoFacts {
  const { groupContext: context } = info;
  const tree = ratchetTreeFromExtension(info);
  const maker = makerIn(context);
  if (context.cipherSuite !== MLS_CRYPTO.name || tree === undefined || maker === undefined) {
    throw unreadable("group info");
  }
  const { groupId } = context;
  return { epoch: Number(context.epoch), groupId, maker, leaves: leavesOfTree(tree) };
}

/** The signature key of who made a group; undefined where the group is not one of our kind. */
export function makerIn({ extensions }: GroupContext): Uint8Array | undefined {
  const [maker] = extensions;
  const isOurs = extensions.length === 1 && maker?.extensionType === MAKER_EXTENSION &&
    maker.extensionData.length === CURVE_KEY_BYTES;
  return isOurs ? maker.extensionData : undefined;
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
  return proposal.proposalOrRefType === "proposal" && isJoinOrRemoval(proposal.proposal);
}

/** What is said of anything that is not as it should be. */
export function unreadable(what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(`Cannot read a sealed ${what}: it is not as the protocol says`, {
    cause,
  });
}

function isJoinOrRemoval({ proposalType }: Proposal): boolean {
  return proposalType === "remove" || proposalType === "external_init";
}

/** Whether a commit may have that proposal at all. */
export function isAllowed(proposal: Proposal): boolean {
  return isJoinOrRemoval(proposal) || proposal.proposalType === KICK_PROPOSAL;
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
  const isLocking = extensions.length === 1 && extensions[0]?.extensionType === LOCK_EXTENSION &&
    extensions[0].extensionData.length === 0;
  const isPlain = isBasic && (extensions.length === 0 || isLocking) &&
    JSON.stringify(capabilities) === JSON.stringify(CAPABILITIES);
  return {
    index,
    identity: isBasic ? credential.identity : new Uint8Array(),
    signatureKey,
    isPlain,
    isLocking,
    node: leaf,
  };
}
