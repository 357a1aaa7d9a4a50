// Warnings that others could cause without end: each says who it is about, and none comes so often that it fills the
// screen.

import { nameInSentence } from "../../shared/text/names.ts";
import type { NoteLevel } from "../base/note_level.ts";
import type { GroupMember } from "../mls/commit_rules.ts";
import type { SealedRoomEvent, SealStatus } from "./engine_protocol.ts";

/** What warnings need of the state of a member. */
interface Warned {
  readonly phase: SealStatus["phase"];
  readonly options: FaultsOptions;
  note(level: NoteLevel, text: string): void;
}

interface FaultsOptions {
  readonly now: () => number;
  readonly tell: (event: SealedRoomEvent) => void;
}

/** Whoever comes in is a guest for a moment. */
const STAYS_MS = 10_000;
/** They come and go as they like, and must not fill the screen by that. */
const TOLD_AGAIN_MS = 60_000;

/** A member's warning about connections that hold the link and are not in the room. The relay may hide them. */
export class GuestCount {
  readonly #state: Warned;
  #count = 0;
  #since = Infinity;
  #told = 0;
  #toldAt = -Infinity;

  constructor(state: Warned) {
    this.#state = state;
  }

  /** The relay has counted them. */
  counted(count: number): void {
    if (this.#count === 0 && count > 0) this.#since = this.#state.options.now();
    if (count === 0) this.#told = 0;
    this.#count = count;
  }

  /** Lets time pass. */
  tick(now: number): void {
    const isNews = this.#count > this.#told && now >= this.#since + STAYS_MS &&
      now >= this.#toldAt + TOLD_AGAIN_MS;
    if (!isNews || this.#state.phase !== "in") return;
    this.#told = this.#count;
    this.#toldAt = now;
    const who = this.#count === 1 ? "1 connection has" : `${this.#count} connections have`;
    const verb = this.#count === 1 ? "is" : "are";
    this.#state.note("warning", `${who} the link of this room and ${verb} not in it.`);
  }
}

/** The same fault of the same member is told about once in this time, however often it comes. */
const FAULT_QUIET_MS = 60_000;
// As many as two faults of each member of a large room.
const FAULTS_REMEMBERED = 512;

/** Faults of members' programs, and what the relay passes on in their names. */
export class MemberFaults {
  readonly #options: FaultsOptions;
  readonly #told = new Map<string, { readonly at: number; more: number }>();

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  /** A member's program has done something wrong: `what` with its name before it. */
  of({ handle, name }: GroupMember, what: string, level: NoteLevel = "warning"): void {
    this.#tell(`${handle} ${what}`, { level, text: `${nameInSentence(name)}${what}`, of: name });
  }

  /** Something came that may be of anybody; `from`: whose it is, as the relay says. */
  saidToBe(from: GroupMember | undefined, text: string): void {
    const who = from && nameInSentence(from.name);
    const whose = who === undefined ? "" : ` The server says that ${who} sent it.`;
    this.#tell(`${from?.handle} ${text}`, { level: "warning", text: `${text}${whose}` });
  }

  #tell(key: string, note: { level: NoteLevel; text: string; of?: string }): void {
    const now = this.#options.now();
    const told = this.#told.get(key);
    if (told !== undefined && now < told.at + FAULT_QUIET_MS) {
      told.more++;
      return;
    }
    this.#told.delete(key);
    this.#told.set(key, { at: now, more: 0 });
    const [oldest] = this.#told.keys();
    if (this.#told.size > FAULTS_REMEMBERED && oldest !== undefined) this.#told.delete(oldest);
    const more = told === undefined || told.more === 0
      ? ""
      : ` (${told.more} more since the last warning.)`;
    this.#options.tell({ kind: "note", ...note, text: `${note.text}${more}` });
  }
}
