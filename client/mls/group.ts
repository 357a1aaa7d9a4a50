// One member's view of a sealed room's group: frames of the relay in, what they did out (docs/PROTOCOL.md §11.4 to
// §11.6). It keeps one way back, for a commit that the members vote away. Calls must not overlap.

import { equalBytes } from "#platform/bytes.ts";
import { ProtocolError } from "../../shared/base/errors.ts";
import {
  type CommitFault,
  CommitIntent,
  type GroupMember,
  isLocked,
  judge,
} from "./commit_rules.ts";
import { makeCredential } from "./credential.ts";
import { openEnvelope, sealEnvelope } from "./envelope.ts";
import {
  type Changed,
  changeOf,
  type FrameOutcome,
  type Kick,
  kickOf,
  PendingCommit,
  Previous,
  readReason,
  reasonOf,
  type SealedFrame,
  wipe,
} from "./group_outcome.ts";
import { oneMemberBinding, type OneMemberContent, type Rights } from "./leaf.ts";
import * as mls from "./group_library.ts";
import type { HpkeMessage } from "./cipher_suite.ts";
import { keyFault, readMessage } from "./strict_reader.ts";
import { OrderChain, SkippedKeys } from "./order_chain.ts";
import { roomCode } from "./room_code.ts";
import {
  checkRoster,
  digestOf,
  type GroupIdentity,
  type Joining,
  memberOf,
  membershipOf,
  membersOf,
  openPrivate,
  type Outgoing,
  type OutgoingCommit,
  rosterOf,
} from "./joining.ts";

const ORDER_LABEL = "cmdchat sealed order v1";

const utf8 = new TextEncoder();

/** The group of one room, as one member sees it. */
export class SealedGroup {
  readonly #identity: GroupIdentity;
  readonly #chain = new OrderChain();
  readonly #skipped = new SkippedKeys();
  readonly #voided = new Set<string>();
  #state: mls.MlsState;
  #previous: Previous | undefined;
  #pending: PendingCommit | undefined;
  #rejected: { readonly seq: number; readonly digest: string } | undefined;

  private constructor(identity: GroupIdentity, state: mls.MlsState) {
    this.#identity = identity;
    this.#state = state;
  }

  /** A new group with one member; frames begin after that sequence. */
  static async create(identity: GroupIdentity, sequence: number): Promise<SealedGroup> {
    const group = new SealedGroup(
      identity,
      await mls.createGroup(identity.keys.rid, membershipOf(identity)),
    );
    await group.#beginEpoch(sequence);
    return group;
  }

  /** The group after the own joining commit came back as the frame of that sequence. */
  static async joined(joining: Joining, sequence: number): Promise<SealedGroup> {
    const group = new SealedGroup(joining.identity, joining.next);
    await group.#beginEpoch(sequence);
    return group;
  }

  /** The current epoch. */
  get epoch(): number {
    return mls.epochOf(this.#state);
  }

  /** Sequence of the last frame. */
  get sequence(): number {
    return this.#chain.sequence;
  }

  /** The room code of this moment. */
  get code(): string {
    return roomCode(mls.epochAuthenticatorOf(this.#state));
  }

  /** Who is in the group. */
  get members(): readonly GroupMember[] {
    return membersOf(this.#identity.keys, mls.leavesOf(this.#state));
  }

  /** Who made the room; undefined while it is not here. */
  get maker(): GroupMember | undefined {
    const { maker } = this.rights;
    return this.members.find(({ signatureKey }) => equalBytes(signatureKey, maker));
  }

  /** Who may do what. */
  get rights(): Rights {
    return mls.rightsOf(this.#state);
  }

  /** Whether nobody else is let in. */
  get isLocked(): boolean {
    return isLocked(mls.leavesOf(this.#state), this.rights);
  }

  /** Index of the own leaf. */
  get ownLeaf(): number {
    return mls.ownLeafOf(this.#state);
  }

  /** Whether an own commit waits for its echo. */
  get isCommitting(): boolean {
    return this.#pending !== undefined;
  }

  /** The sealed GroupInfo of this epoch. */
  async groupInfo(): Promise<Uint8Array> {
    const info = await mls.exportGroupInfo(this.#state);
    return sealEnvelope(this.#identity.keys, "group-info", info);
  }

  /** Seals what is to be said. */
  async seal(payload: Uint8Array): Promise<Outgoing> {
    const { message, next, consumed } = await mls.protect(this.#state, payload, this.#chain.mark());
    this.#state = next;
    wipe(consumed);
    return this.#outgoing("app", message);
  }

  /** Seals content for one member alone; what carries it is sealed for the group and signed. */
  async sealFor(
    to: GroupMember,
    what: OneMemberContent,
    content: Uint8Array,
  ): Promise<HpkeMessage> {
    const { keys: { rid }, me } = this.#identity;
    const binding = oneMemberBinding(what, { rid, from: me.handle, to: to.handle });
    return await mls.sealToLeaf(this.#state, to.leaf, { ...binding, plaintext: content });
  }

  /** Opens what a member has sealed for us; undefined when it did not. */
  async openFrom(
    member: GroupMember,
    what: OneMemberContent,
    message: HpkeMessage,
  ): Promise<Uint8Array | undefined> {
    const { keys: { rid }, me } = this.#identity;
    const binding = oneMemberBinding(what, { rid, from: member.handle, to: me.handle });
    // Sealed before an own commit, read after it: then for the key that the leaf had before.
    const open = (state: mls.MlsState) =>
      mls.openAtLeaf(state, binding, message).catch(() => undefined);
    return await open(this.#state) ?? (this.#previous && await open(this.#previous.state));
  }

  /** Makes a commit. It counts when it has come back. */
  async startCommit(intent: CommitIntent = {}): Promise<OutgoingCommit> {
    const { removed = [], kick: reason, rights } = intent;
    const own = await mls.commit(this.#state, {
      removed,
      kick: reason === undefined ? undefined : utf8.encode(reason),
      leaf: this.#leafFor(intent),
      rights,
      authenticated: this.#chain.mark(),
    });
    const outgoing = this.#outgoing("commit", own.message);
    const kick = reason === undefined
      ? undefined
      : this.#kickOf({ committer: this.ownLeaf, reason, next: own.next });
    this.#state = own.from;
    const roster = rosterOf(this.#identity.keys, own.next);
    this.#pending = { ...outgoing, roster, next: own.next, consumed: own.consumed, kick };
    return this.#pending;
  }

  #leafFor({ name }: CommitIntent): mls.CommitPlan["leaf"] {
    const own = this.members.find(({ leaf }) => leaf === this.ownLeaf);
    if (name === undefined || own === undefined) return undefined;
    const { keys, signature } = this.#identity;
    const person = { ...this.#identity.me, name, handle: own.handle };
    return { identity: makeCredential(keys, person, signature.publicKey) };
  }

  /** The own commit lost the race, or will not be sent. */
  abandonCommit(): void {
    this.#pending = undefined;
  }

  /** There is no way back any more from the last commit: its keys are wiped. */
  forgetPrevious(): void {
    wipe(this.#previous?.consumed ?? []);
    this.#previous = undefined;
  }

  /** Takes the next frame. Throws ProtocolError when it is not the next one: something is missing or repeated. */
  async receive(frame: SealedFrame, mayRemove: (handle: string) => boolean): Promise<FrameOutcome> {
    if (frame.seq !== this.#chain.sequence + 1) {
      throw new ProtocolError(
        "Cannot read the sealed room: the server left out or repeated a frame",
      );
    }
    const outcome = frame.type === "commit"
      ? await this.#receiveCommit(frame, mayRemove)
      : await this.#receiveText(frame);
    // A commit that holds has begun a new chain.
    if (this.#chain.sequence !== frame.seq) this.#chain.add(frame.seq, frame.body);
    return outcome;
  }

  /** Whether the commit by which somebody wants to enter is sound; undefined where it is of an epoch not ours. */
  async judges(
    commit: Omit<SealedFrame, "seq" | "type">,
    mayRemove: (handle: string) => boolean,
  ): Promise<boolean | undefined> {
    if (commit.epoch !== this.epoch) return undefined;
    if (this.#voided.has(digestOf(commit.body))) return false;
    try {
      const { result } = await this.#processCommit(
        { ...commit, seq: 0, type: "commit" },
        mayRemove,
      );
      return result.committer === undefined;
    } catch {
      return false; // Whatever is wrong with it: the relay is told no more.
    }
  }

  /** The relay has lost frames before that one, all of them texts. */
  skipTo(sequence: number): void {
    this.#chain.skipTo(sequence);
  }

  /**
   * The members voted the commit of sequence `seq` away, and with it all up to `last`. Undefined when there is no
   * way back from here: it has to join again.
   */
  goBack(
    { seq, epoch, last }: { readonly seq: number; readonly epoch: number; readonly last: number },
  ): Changed | undefined {
    const previous = this.#previous?.seq === seq ? this.#previous : undefined;
    const rejected = this.#rejected?.seq === seq ? this.#rejected : undefined;
    const state = previous === undefined ? this.#state : mls.goBack(previous.state, this.#state);
    const undone = previous ?? rejected;
    if (undone === undefined || mls.epochOf(state) !== epoch) return undefined;
    const before = this.members;
    this.#voided.add(undone.digest);
    this.#state = state;
    if (previous !== undefined) this.#previous = undefined;
    this.#pending = undefined;
    this.#chain.goBack(seq, last);
    return changeOf(before, this.members);
  }

  #outgoing(kind: "app" | "commit", message: Uint8Array): Outgoing {
    const body = sealEnvelope(this.#identity.keys, kind, message);
    return { epoch: this.epoch, body, digest: digestOf(body) };
  }

  async #receiveText(frame: SealedFrame): Promise<FrameOutcome> {
    if (frame.from === this.#identity.me.handle) {
      return { kind: "echo", digest: digestOf(frame.body) };
    }
    try {
      const message = openPrivate(this.#identity.keys, frame);
      const { authenticatedData } = message.message;
      const maySkip = (keys: number) =>
        (keys === 0 || this.members.some(({ handle }) => handle === frame.from)) &&
        this.#skipped.take(frame.from, keys);
      const result = await mls.processOne(this.#state, message, { maySkip });
      const from = result.kind === "text" ? this.#memberAt(frame.epoch, result.sender) : undefined;
      if (result.kind !== "text" || from === undefined) throw new ProtocolError("no text");
      this.#state = result.next;
      wipe(result.consumed);
      const order = this.#chain.compare(authenticatedData, frame.seq);
      return { kind: "text", from, payload: result.plaintext, order };
    } catch (error) {
      return { kind: "unreadable", why: reasonOf(error) };
    }
  }

  #memberAt(epoch: number, index: number): GroupMember | undefined {
    const leaf = mls.leafAt(this.#state, epoch, index);
    return leaf && memberOf(this.#identity.keys, leaf);
  }

  async #receiveCommit(
    frame: SealedFrame,
    mayRemove: (handle: string) => boolean,
  ): Promise<FrameOutcome> {
    const digest = digestOf(frame.body);
    if (frame.epoch !== this.epoch || this.#voided.has(digest)) {
      return this.#reject(frame, digest, "it is of another epoch, or void");
    }
    const before = this.members;
    const pending = this.#pending?.digest === digest ? this.#pending : undefined;
    if (pending !== undefined) {
      await this.#adopt(mls.catchUp(pending.next, this.#state), pending.consumed, {
        frame,
        digest,
      });
      const { kick } = pending;
      return {
        kind: "epoch",
        own: true,
        by: this.#memberAt(frame.epoch, this.ownLeaf),
        order: "same",
        kick,
        ...changeOf(before, this.members),
      };
    }
    try {
      const { result, order, kick } = await this.#processCommit(frame, mayRemove);
      const by = before.find(({ leaf }) => leaf === result.committer);
      if (mls.isRemoved(result.next)) return { kind: "removed", kick };
      await this.#adopt(result.next, result.consumed, { frame, digest });
      return { kind: "epoch", own: false, by, order, kick, ...changeOf(before, this.members) };
    } catch (error) {
      return this.#reject(frame, digest, reasonOf(error));
    }
  }

  async #processCommit(frame: SealedFrame, mayRemove: (handle: string) => boolean) {
    const read = readMessage(openEnvelope(this.#identity.keys, "commit", frame.body));
    if (read.kind === "group-info") throw new ProtocolError("it is not a commit");
    const message = read.kind === "private" ? openPrivate(this.#identity.keys, frame) : read;
    const result = await mls.processOne(this.#state, message);
    const fault = result.kind === "commit"
      ? this.#faultOf(result, frame.from, mayRemove)
      : "it is not a commit";
    if (fault !== undefined || result.kind !== "commit") throw new ProtocolError(fault ?? "");
    const order = message.kind === "private"
      ? this.#chain.compare(message.message.authenticatedData, frame.seq)
      : "unknown";
    const { committer, kicks: [reason], next } = result;
    const kick = committer === undefined || reason === undefined
      ? undefined
      : this.#kickOf({ committer, reason: readReason(reason), next });
    checkRoster(this.#identity.keys, next, frame.roster);
    return { result, order, kick } as const;
  }

  #kickOf(about: { committer: number; reason: string; next: mls.MlsState }): Kick | undefined {
    const { members } = this;
    return kickOf({ ...about, members, after: mls.leavesOf(about.next) });
  }

  #faultOf(
    result: Extract<mls.Processed, { kind: "commit" }>,
    from: string,
    mayRemove: (handle: string) => boolean,
  ): CommitFault {
    const change = {
      before: mls.leavesOf(this.#state),
      after: mls.leavesOf(result.next),
      rights: this.rights,
      newRights: mls.rightsOf(result.next),
      committer: result.committer,
      kicks: result.kicks.length,
      from,
    };
    const { keys } = this.#identity;
    return judge(change, { personOf: (leaf) => memberOf(keys, leaf), mayRemove }) ??
      keyFault(this.#state, result.next);
  }

  #reject(frame: SealedFrame, digest: string, why: string): FrameOutcome {
    this.#rejected = { seq: frame.seq, digest };
    return { kind: "unsound", why };
  }

  async #adopt(
    next: mls.MlsState,
    consumed: readonly Uint8Array[],
    { frame, digest }: { readonly frame: SealedFrame; readonly digest: string },
  ): Promise<void> {
    this.forgetPrevious();
    this.#previous = { state: this.#state, consumed, seq: frame.seq, digest };
    this.#state = next;
    this.#pending = undefined;
    await this.#beginEpoch(frame.seq);
  }

  async #beginEpoch(sequence: number): Promise<void> {
    this.#chain.begin(sequence, await mls.exportSecret(this.#state, ORDER_LABEL));
  }
}
