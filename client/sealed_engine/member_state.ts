// What all parts of a member's state machine share: who one is, the group, the own messages, and how to speak to the
// relay and to the chat.

import { fromHex } from "#platform/bytes.ts";
import { randomBytes } from "../../shared/crypto/random_bytes.ts";
import type { RequestId, SealedRoomId } from "../../shared/messages/ids.ts";
import { nameInSentence } from "../../shared/text/names.ts";
import type { GroupMember } from "../mls/commit_rules.ts";
import type { SealedGroup } from "../mls/group.ts";
import { type CommitIntent, opsOf } from "../mls/commit_rules.ts";
import type { Changed } from "../mls/group_outcome.ts";
import { generateSignatureKeys } from "../mls/cipher_suite.ts";
import { OwnMessages, type OwnPayload } from "./own_messages.ts";
import { encodePayload, ID_BYTES, type Payload } from "../mls/payload.ts";
import type { DeviceKey } from "../../shared/crypto/device_key.ts";
import { People, type RememberedPerson } from "./people.ts";
import { type GroupIdentity, newIdentity } from "../mls/joining.ts";
import type { NoteLevel } from "../base/note_level.ts";
import type { SealedRoomEvent, SealStatus, ToRelay } from "./engine_protocol.ts";
import type { RoomKeys } from "../mls/room_keys.ts";
import { MemberFaults } from "./warnings.ts";

/** What a room works with. */
export interface MemberOptions {
  readonly keys: RoomKeys;
  /** The wanted name; a taken one gets the next free suffix. */
  readonly name: string;
  /** Whether an alarm holds what is about to be sent, true unless told. */
  readonly holds?: boolean;
  /** The key that shows the members who this is; absent: nothing does. Used once, and not kept. */
  readonly device?: DeviceKey | undefined;
  /** Whom the user knows by their device keys. */
  readonly remembered?: readonly RememberedPerson[] | undefined;
  readonly send: (request: ToRelay) => void;
  readonly tell: (event: SealedRoomEvent) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly date: () => number;
}

/** What was asked of the relay. */
export type Purpose =
  | "attach"
  | "create"
  | "bring back"
  | "join"
  | "enter"
  | "commit"
  | "other"
  /** Digest of an own message. */
  | { readonly app: string }
  /** A chunk of an own file, by the chat's id of it. */
  | { readonly file: string; readonly index: number };

/** Somebody needs so long to see an alarm while writing. */
const HOLD_MS = 3_000;
const HOLD_AGAIN_MS = 60_000;

/** The shared state of one member in one room. */
export class MemberState {
  readonly options: MemberOptions;
  /** Fresh for each process and room, kept over reconnects; its hash is the handle. */
  readonly handleKeys = generateSignatureKeys();
  readonly people: People;
  readonly own = new OwnMessages();
  readonly faults: MemberFaults;
  readonly #asks = new Map<number, Purpose>();
  /** Handles that said they leave. */
  readonly #leaving = new Set<string>();
  #identity: GroupIdentity;
  #group: SealedGroup | undefined;
  #phase: SealStatus["phase"] = "offline";
  #isConfirmed = false;
  #room = 0;
  /** Since when an own commit is under way. */
  #committedAt = Infinity;
  /** Own messages since the keys were renewed. */
  #sentMessages = 0;
  #lastAsk = 0;
  /** Until when nothing is said, after an alarm. */
  #heldUntil = -Infinity;
  #alarmName = "";
  #isHeld = false;

  constructor(options: MemberOptions) {
    const { device, ...kept } = options;
    this.options = kept;
    this.faults = new MemberFaults(kept);
    this.#identity = newIdentity({ ...kept, device, handleKey: this.handleKeys.publicKey });
    this.people = new People(this.#identity.me.handle, options.remembered);
  }

  /** Who this member is. */
  get identity(): GroupIdentity {
    return this.#identity;
  }

  /** The group as this member sees it; undefined before it was in one. */
  get group(): SealedGroup | undefined {
    return this.#group;
  }

  /** How far the way into the room is. */
  get phase(): SealStatus["phase"] {
    return this.#phase;
  }

  /** Whether another member has shown that it sees this one. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /** The relay's number for the room. */
  get room(): number {
    return this.#room;
  }

  /** Own messages since the keys were renewed. */
  get sentMessages(): number {
    return this.#sentMessages;
  }

  /** The way into the room has come that far. */
  moveTo(phase: SealStatus["phase"]): void {
    this.#phase = phase;
  }

  /** The relay has given the room a number. */
  numberRoom(room: SealedRoomId): void {
    this.#room = room;
  }

  /** This member has made the group: nobody else is there who could confirm it. */
  made(group: SealedGroup): void {
    this.#group = group;
    this.#isConfirmed = true;
  }

  /** This member has come into a group, under that identity; nobody has confirmed it yet. */
  cameInto(group: SealedGroup, identity: GroupIdentity): void {
    this.#identity = identity;
    this.#group = group;
    this.#isConfirmed = false;
  }

  /** Another member sees this one. */
  confirm(): void {
    this.#isConfirmed = true;
  }

  /** An epoch has begun, with fresh keys, in which this member is called so. */
  beginEpoch(name: string): void {
    this.#identity = { ...this.#identity, me: { ...this.#identity.me, name } };
    this.#committedAt = Infinity;
    this.#sentMessages = 0;
  }

  /** A member says that it leaves. */
  isLeaving(handle: string): void {
    this.#leaving.add(handle);
  }

  /** Whether an own commit has been under way since before that time. */
  isCommitOverdue(before: number): boolean {
    return this.#committedAt <= before;
  }

  /** How the room is. */
  get status(): SealStatus {
    const { group } = this;
    return {
      kind: "status",
      phase: this.phase,
      name: this.identity.me.name,
      epoch: group?.epoch ?? 0,
      code: group?.code ?? "",
      confirmed: this.isConfirmed,
      maker: group?.maker === undefined ? 0 : this.people.numberOf(group.maker.handle),
      ops: opsOf(group).map(({ handle }) => this.people.numberOf(handle)),
      locked: group?.isLocked ?? false,
      stopped: this.options.now() < this.#heldUntil,
      people: group?.members.map((member) => this.people.show(member)) ?? [],
    };
  }

  /** Numbers a request. */
  ask(purpose: Purpose): number {
    const ask = ++this.#lastAsk;
    // Whatever is answered to these changes nothing, and some are never answered.
    if (purpose !== "other") this.#asks.set(ask, purpose);
    return ask;
  }

  /** What an answer answers, once. */
  answered(ask: number): Purpose | undefined {
    const purpose = this.#asks.get(ask);
    this.#asks.delete(ask);
    return purpose;
  }

  /** An own message has come back: nothing else will answer it. */
  echoed(digest: string): void {
    for (const [ask, purpose] of this.#asks) {
      if (typeof purpose !== "object" || !("app" in purpose) || purpose.app !== digest) continue;
      this.#asks.delete(ask);
      return;
    }
  }

  /** Nothing that was asked will be answered: the connection is another one. */
  forgetAsks(): void {
    this.#asks.clear();
  }

  /** Tells the user something that the room itself has to say. */
  note(level: NoteLevel, text: string): void {
    this.options.tell({ kind: "note", level, text });
  }

  /** Tells how the room is. */
  showStatus(): void {
    this.options.tell(this.status);
  }

  /** Tells who came, who left and who has another name: nobody comes unseen. */
  tellChange({ joined, left, renamed }: Changed): void {
    const { people, options } = this;
    for (const { member, previous } of renamed) {
      const { handle, name } = member;
      options.tell({ kind: "renamed", client: people.numberOf(handle), name, previous });
      this.people.renamed(previous, member);
      this.meet(member);
    }
    for (const { handle, name } of left) {
      this.#leaving.delete(handle);
      options.tell({ kind: "left", client: people.numberOf(handle), name });
    }
    if (this.group !== undefined) people.trim(this.group.members);
    for (const member of joined) {
      const { handle, name } = member;
      // Whoever joins is here, whichever of the two the relay tells first.
      if (this.phase === "in") people.setHere(handle, true);
      options.tell({ kind: "joined", client: people.numberOf(handle), name });
      this.meet(member);
    }
  }

  /**
   * Why nothing can be said because of somebody's key; `to`: the number of whom alone it is for. A room goes on a moment
   * after the alarm, or anybody could stop its talk by coming in under a name that was another's.
   */
  objectionOfKeys(to?: number): string | undefined {
    if (this.options.holds === false) return undefined;
    const receiver = this.#group?.members.find(({ handle }) =>
      to !== undefined && this.people.numberOf(handle) === to
    );
    if (receiver !== undefined && this.people.isSuspect(receiver)) {
      const name = nameInSentence(receiver.name);
      return `Not sent: ${name} has another key now. Look first: /verify ${name}`;
    }
    if (this.options.now() >= this.#heldUntil) return undefined;
    return `Not sent: ${
      nameInSentence(this.#alarmName)
    } came back with another key just now. Send it again if you still want to.`;
  }

  /** Looks at a member's key: a loud alarm where the name was another key's before. */
  meet(member: GroupMember): void {
    const cause = this.people.meet(member);
    if (cause === undefined) return;
    const { name } = member;
    this.options.tell({ kind: "alarm", name, cause, ...this.#hold(name) });
  }

  /** What was written before the alarm could be read is not sent: it was meant for those who were known. */
  #hold(name: string): { readonly held: readonly RequestId[]; readonly why: string } {
    const now = this.options.now();
    // Whoever comes in again and again may not stop the talk by that.
    if (now < this.#heldUntil + HOLD_AGAIN_MS || this.options.holds === false) {
      return { held: [], why: "" };
    }
    this.#heldUntil = now + HOLD_MS;
    this.#isHeld = true;
    this.#alarmName = name;
    const held = this.own.takeBack().map(({ request }) => request);
    return { held, why: this.objectionOfKeys() ?? "" };
  }

  /** Lets time pass: tells when a hold is over. */
  tick(now: number): void {
    if (!this.#isHeld || now < this.#heldUntil) return;
    this.#isHeld = false;
    this.showStatus();
  }

  /** Says something as soon as the room can take it. */
  async say(payload: OwnPayload, request = 0): Promise<void> {
    this.own.add(payload, request);
    await this.flush();
  }

  /** Says what is worth nothing later, now or never. */
  async sayNow(payload: Payload): Promise<void> {
    const { group } = this;
    if (this.phase !== "in" || group === undefined || group.members.length === 1) return;
    const { epoch, body, digest } = await group.seal(encodePayload(payload));
    this.own.remember(digest);
    this.#sentMessages++;
    this.options.send({
      kind: "sealed_app",
      ask: this.ask({ app: digest }),
      room: this.room,
      epoch,
      body,
    });
  }

  /** Seals and sends what waits. */
  async flush(): Promise<void> {
    const { group } = this;
    if (this.phase !== "in" || group === undefined) return;
    for (const message of this.own.unsent) {
      const payload = await this.#sealed(message.payload);
      if (payload === undefined) {
        this.own.remove(message);
        const why = "Not sent: its receiver is no longer in the room.";
        this.options.tell({ kind: "declined", request: message.request, why });
        continue;
      }
      const { epoch, body, digest } = await group.seal(encodePayload(payload));
      this.own.sent(message, digest, this.options.now());
      this.#sentMessages++;
      const ask = this.ask({ app: digest });
      this.options.send({ kind: "sealed_app", ask, room: this.room, epoch, body });
    }
  }

  /** What is for one member is sealed for the key that its leaf has now; undefined when that member is gone. */
  async #sealed(payload: OwnPayload): Promise<Payload | undefined> {
    if (payload.kind !== "whisper" && payload.kind !== "hand") return payload;
    const { id, to } = payload;
    const { group } = this;
    const receiver = group?.members.find(({ handle }) => handle === to);
    if (receiver === undefined || group === undefined) return undefined;
    const about = { id, to: fromHex(to) };
    if (payload.kind === "whisper") {
      const text = new TextEncoder().encode(payload.text);
      const { enc, ct: sealed } = await group.sealFor(receiver, "text", text);
      return { kind: "direct", ...about, enc, sealed };
    }
    const { enc, ct: sealed } = await group.sealFor(receiver, "file", encodePayload(payload.file));
    return { kind: "handed", ...about, enc, sealed };
  }

  /** Commits a change, or fresh keys. Not while another own commit is under way. */
  async commit(intent: CommitIntent = {}): Promise<void> {
    const { group } = this;
    if (this.phase !== "in" || group === undefined || group.isCommitting) return;
    const { epoch, body, roster } = await group.startCommit(intent);
    this.#committedAt = this.options.now();
    this.options.send({
      kind: "sealed_commit",
      ask: this.ask("commit"),
      room: this.room,
      epoch,
      ...roster,
      body,
    });
  }

  /** The own commit lost, or will not come back. */
  abandonCommit(): void {
    this.group?.abandonCommit();
    this.#committedAt = Infinity;
  }

  /** Whether a member may be removed: it has no connection, or it said that it leaves. */
  mayRemove(handle: string): boolean {
    // What is read from before our connection has been judged by those who were here; we have no vote on it.
    return this.phase !== "in" || this.#leaving.has(handle) || !this.people.isHere(handle);
  }
}

/** A fresh id of a payload. */
export function newId(): Uint8Array {
  return randomBytes(ID_BYTES);
}
