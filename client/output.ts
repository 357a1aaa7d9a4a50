// Everything that is shown goes through here: to the console or to the diagnostics, into the memory of `/last`, and
// into the local history.

import { CmdchatError } from "../shared/errors.ts";
import type { Clock } from "./clock.ts";
import type { History, HistoryEntry } from "./history.ts";
import type { ChatLine, LinkNote, NoteLevel, Renderer, SystemLine } from "./renderers/text.ts";
import type { TransferEvent } from "./transfers.ts";

/** Where output goes. */
export interface OutputOptions {
  readonly renderer: Renderer;
  /** Takes what the chat is about. */
  readonly print: (text: string) => void;
  /** Takes what the program says about itself; where the output is piped this is standard error. */
  readonly diagnose: (text: string) => void;
  /** Renders what the program says about itself; the same renderer unless told. */
  readonly diagnosis?: Renderer;
  readonly history: Pick<History, "append"> | undefined;
  /** Lines kept for `/last`. */
  readonly bufferSize: number;
  readonly clock: Clock;
}

/** The client's voice. */
export class Output {
  readonly #options: OutputOptions;
  #kept: string[] = [];
  #historyFailed = false;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  /** A member's line. */
  chat(line: ChatLine): void {
    this.#show(this.#options.renderer.chat(line));
    const { time, room, sender, text, sequence } = line;
    this.#store({ kind: "chat", time, room, sender, text, sequence });
  }

  /** A line of the server's. */
  system(line: SystemLine): void {
    this.#show(this.#options.renderer.system(line));
    this.#store({ kind: "system", time: line.time, room: line.room, text: line.text });
  }

  /** A turn of a transfer in `room`. */
  file(event: TransferEvent, room: string): void {
    const time = this.#options.clock.utc();
    const text = this.#options.renderer.file(event, time);
    if (text !== undefined) this.#show(text);
    if (event.kind !== "saved" && event.kind !== "sent") return;
    const { name, sender } = event.file;
    this.#store({
      kind: "file",
      time,
      room,
      text: name,
      ...(sender === undefined ? {} : { sender }),
    });
  }

  /** An answer to what the user did: part of the conversation with the program, not a diagnostic. */
  answer(text: string): void {
    const { renderer, print, clock } = this.#options;
    print(renderer.note({ level: "info", text, time: clock.utc() }));
  }

  /** What the client itself has to say. */
  note(level: NoteLevel, text: string, hint?: string): void {
    const { diagnose, clock } = this.#options;
    diagnose(this.#diagnosis.note({ level, text, hint, time: clock.utc() }));
  }

  /** An error of ours as a note. Throws it on where it is a bug. */
  fault(error: unknown): void {
    if (!(error instanceof CmdchatError)) throw error;
    this.note("error", error.message, error.hint);
  }

  /** How the link is. */
  link(note: Omit<LinkNote, "time">): void {
    const { diagnose, clock } = this.#options;
    diagnose(this.#diagnosis.link({ ...note, time: clock.utc() }));
  }

  /** The last `count` lines again. */
  showLast(count: number): void {
    for (const text of this.#kept.slice(-count)) this.#options.print(text);
  }

  /** Forgets the lines kept for `/last`. */
  forget(): void {
    this.#kept = [];
  }

  get #diagnosis(): Renderer {
    return this.#options.diagnosis ?? this.#options.renderer;
  }

  #show(text: string): void {
    this.#options.print(text);
    this.#kept.push(text);
    // Cut in blocks, so that a busy room does not move the whole array for each line.
    const { bufferSize } = this.#options;
    if (this.#kept.length >= 2 * bufferSize) this.#kept = this.#kept.slice(-bufferSize);
  }

  #store(entry: HistoryEntry): void {
    const { history, clock } = this.#options;
    if (history === undefined) return;
    const time = isUtcTime(entry.time) ? entry.time : clock.utc();
    history.append({ ...entry, time }).catch((error) => this.#historyFault(error));
  }

  /** Told once: a full disk would otherwise answer every line with an error. */
  #historyFault(error: unknown): void {
    if (this.#historyFailed) return;
    this.#historyFailed = true;
    const why = error instanceof Error ? error.message : "the system refused";
    this.note("error", why, "lines from now on may be missing in the history file");
  }
}

function isUtcTime(time: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(time) &&
    !Number.isNaN(Date.parse(time));
}

/** Whether `text` names `name` as a word of its own, whatever the case. */
export function mentions(text: string, name: string): boolean {
  const needle = folded(name);
  const haystack = folded(text);
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + 1)) {
    const [before, after] = [haystack.slice(0, at), haystack.slice(at + needle.length)];
    if (!/[\p{L}\p{N}]$/u.test(before) && !/^[\p{L}\p{M}\p{N}]/u.test(after)) return true;
  }
  return false;
}

function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}
