// Everything that is shown goes through here: to the console or to the diagnostics, into the memory of `/last`, and
// into the local history. What the user does not want to see ends here.

import { CmdchatError } from "../../shared/base/errors.ts";
import { Attention } from "./attention.ts";
import type { Clock } from "../base/clock.ts";
import type { History, HistoryEntry } from "../history/history.ts";
import { HeldLines } from "./held_lines.ts";
import { IgnoredNames } from "../rooms/ignored_names.ts";
import { LongTexts } from "./long_texts.ts";
import { isMembership, isPresence, PresenceFold } from "./presence_fold.ts";
import { ProgressBars } from "./progress_bars.ts";
import {
  type ChatLine,
  dayOf,
  type LinkNote,
  type Renderer,
  roomTag,
  type SystemLine,
} from "../render/text.ts";
import type { NoteLevel } from "../base/note_level.ts";
import { ChatSettings } from "../config/chat_settings.ts";
import type { ShownLine } from "./shown_line.ts";
import type { Alert } from "../terminal/terminal.ts";
import type { TransferEvent } from "../transfers/transfer_event.ts";

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
  readonly settings?: ChatSettings;
  /** Only where somebody looks at a screen. */
  readonly screen?: OutputScreen;
}

/** A screen with rows that change in place. */
export interface OutputScreen {
  readonly setLive: (rows: readonly string[]) => void;
  readonly alert: (alert: Alert) => void;
  readonly columns: () => number;
}

/** The client's voice. */
export class Output {
  readonly settings: ChatSettings;
  readonly ignored = new IgnoredNames();
  readonly longTexts = new LongTexts();
  readonly #options: OutputOptions;
  readonly #presence = new PresenceFold();
  readonly #bars: ProgressBars;
  readonly #attention: Attention | undefined;
  readonly #held = new HeldLines();
  #kept: ShownLine[] = [];
  #day: string | undefined;
  #historyFailed = false;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.settings = options.settings ?? new ChatSettings();
    this.#bars = new ProgressBars(() => options.clock.now());
    const { screen, clock } = options;
    this.#attention = screen &&
      new Attention({ settings: this.settings, alert: screen.alert, now: () => clock.now() });
  }

  /** A member's line. Says whether the user is told of it at all, and whether it calls them. */
  chat(given: ChatLine): "hidden" | "shown" | "mention" {
    if (!given.own && this.ignored.has(given.sender)) return "hidden";
    const line = { ...given, mention: given.mention || this.#isHighlighted(given) };
    const held = this.#isHeld(line) && !line.mention;
    const shown = lineOf(line, (elsewhere) => this.#renderer.chat({ ...line, elsewhere }));
    if (held) this.#held.keep(line.room, shown);
    else this.#show(shown, line.elsewhere);
    const { time, room, sender, to, text, sequence } = line;
    const mark = markOf(line);
    this.#store(
      to === undefined
        ? { kind: "chat", time, room, sender, text, sequence, ...mark }
        : { kind: "system", time, room, text: `${sender} to ${to} alone: ${text}`, ...mark },
    );
    if (!held) this.#attention?.chat(line);
    return line.mention ? "mention" : "shown";
  }

  /** A line of the server's. */
  system(line: SystemLine): void {
    const { name, previous } = line;
    if (line.event === "renamed" && previous !== undefined && name !== undefined) {
      this.ignored.rename(previous, name);
    }
    const isAbout = name !== undefined && line.event !== "renamed" && !isMembership(line);
    if (isAbout && this.ignored.has(name)) return;
    if (this.#isHeld(line)) this.#holdSystem(line);
    else if (isPresence(line)) this.#presenceLine(line);
    else this.#show(this.#systemLine(line), line.elsewhere);
    const { time, room, text } = line;
    this.#store({ kind: "system", time, room, text, ...markOf(line) });
  }

  /** A turn of a transfer; `current`: the room that the user is in. */
  file(event: TransferEvent, current: string | undefined): void {
    if (this.#bars.take(event)) this.#refreshLive();
    const time = this.#options.clock.utc();
    const room = event.kind === "refused" ? undefined : event.file.room;
    const draw = (elsewhere: boolean) =>
      this.#renderer.file(event, time, roomTag({ room: room ?? "", elsewhere }));
    if (draw(false) !== undefined) {
      const line = lineOf({ room, time }, (elsewhere) => draw(elsewhere) ?? "");
      this.#show(line, room !== undefined && room !== current);
    }
    if (event.kind !== "saved" && event.kind !== "sent") return;
    const { name, sender } = event.file;
    this.#store({
      kind: "file",
      time,
      room: room ?? current ?? "",
      text: name,
      ...(sender === undefined ? {} : { sender }),
    });
  }

  /** An answer to what the user did: part of the conversation with the program, not a diagnostic. */
  answer(text: string): void {
    const { renderer, print, clock } = this.#options;
    this.flush();
    print(renderer.note({ level: "info", text, time: clock.utc() }));
  }

  /** What the client itself has to say. */
  note(level: NoteLevel, text: string, hint?: string): void {
    const { diagnose, clock } = this.#options;
    this.flush();
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
    this.flush();
    diagnose(this.#diagnosis.link({ ...note, time: clock.utc() }));
  }

  /** The user goes to `room`: says so, and shows what was held back of it. */
  moveTo(room: string): void {
    // Of which room it is was said for where the user still is.
    this.flush();
    const place = this.#diagnosis.place?.(room);
    if (place !== undefined) this.#options.diagnose(place);
    const time = this.#options.clock.utc();
    for (const line of this.#held.take(room)) this.#put({ ...line, time });
  }

  /** The last `count` lines again, for who is in the room `current`. */
  showLast(count: number, current: string | undefined): void {
    this.flush();
    for (const line of this.#kept.slice(-count)) {
      const elsewhere = line.room !== undefined && line.room !== current;
      this.#options.print(this.#folded(line, elsewhere));
    }
  }

  /** The rows of a long message that were left out, of the newest one unless told; whether there are any. */
  showMore(n?: number): boolean {
    const rest = this.longTexts.find(n);
    if (rest === undefined) return false;
    this.flush();
    this.#options.print(rest);
    return true;
  }

  /** Forgets the lines kept for `/last` and `/more`, and what still changes. */
  forget(): void {
    this.#kept = [];
    this.longTexts.clear();
    this.#presence.clear();
    this.#refreshLive();
  }

  /** Prints for good what so far changed in place. */
  flush(): void {
    const { summary } = this.#presence;
    if (summary === undefined) return;
    this.#presence.clear();
    this.#refreshLive();
    this.#put(this.#systemLine(summary), summary.elsewhere);
  }

  /** The terminal has another width: what changes in place is drawn for it. */
  resized(): void {
    this.#refreshLive();
  }

  get #renderer(): Renderer {
    return this.#options.renderer;
  }

  get #diagnosis(): Renderer {
    return this.#options.diagnosis ?? this.#options.renderer;
  }

  #isHeld({ elsewhere = false }: { readonly elsewhere?: boolean }): boolean {
    return elsewhere && this.settings.get("others") === "count";
  }

  /** Who came and went in a room that is only counted is no news when the user goes there. */
  #holdSystem(line: SystemLine): void {
    if (isPresence(line)) return;
    this.#held.keep(line.room, this.#systemLine(line));
  }

  #systemLine(line: SystemLine): ShownLine {
    return lineOf(line, (elsewhere) => this.#renderer.system({ ...line, elsewhere }));
  }

  #presenceLine(line: SystemLine): void {
    const how = this.settings.get("joins");
    if (how === "off") return;
    if (how === "all" || this.#options.screen === undefined) {
      return this.#show(this.#systemLine(line), line.elsewhere);
    }
    if (!this.#presence.fits(line)) this.flush();
    this.#presence.add(line);
    this.#refreshLive();
  }

  #refreshLive(): void {
    const { screen, renderer } = this.#options;
    if (screen === undefined) return;
    const { summary } = this.#presence;
    screen.setLive([
      ...(summary === undefined ? [] : renderer.system(summary).split("\n")),
      ...this.#bars.rows(screen.columns() - 1),
    ]);
  }

  #isHighlighted({ own, text }: ChatLine): boolean {
    const words = this.settings.get("highlight").split(",").map((word) => word.trim());
    return !own && words.some((word) => word !== "" && mentions(text, word));
  }

  #show(line: ShownLine, elsewhere?: boolean): void {
    this.flush();
    this.#put(line, elsewhere);
  }

  #put(line: ShownLine, elsewhere = false): void {
    const { renderer, print, bufferSize } = this.#options;
    const day = dayOf(line.time) ?? this.#day;
    if (renderer.day !== undefined && day !== undefined && this.#day !== undefined) {
      if (day !== this.#day) print(renderer.day(day));
    }
    this.#day = day;
    print(this.#folded(line, elsewhere));
    this.#kept.push(line);
    // Cut in blocks, so that a busy room does not move the whole array for each line.
    if (this.#kept.length >= 2 * bufferSize) this.#kept = this.#kept.slice(-bufferSize);
  }

  /** Without the rows that are too many; they wait for `/more`. */
  #folded(line: ShownLine, elsewhere: boolean): string {
    const { renderer, screen } = this.#options;
    const text = line.draw(elsewhere);
    const max = this.settings.count("fold");
    if (max === 0 || screen === undefined || renderer.more === undefined) return text;
    const rows = text.split("\n");
    if (rows.length <= max + 1) return text;
    const rest = rows.slice(max);
    line.more = this.longTexts.keep(rest, { draw: () => line.draw(elsewhere), n: line.more });
    return [...rows.slice(0, max), renderer.more(rest.length, line.more)].join("\n");
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

function lineOf(
  { room, time }: Pick<ShownLine, "room" | "time">,
  draw: ShownLine["draw"],
): ShownLine {
  return { room, time, draw };
}

/** The history keeps of each line whether the server could read it. */
function markOf({ sealed = false }: Pick<ChatLine, "sealed">): Pick<HistoryEntry, "sealed"> {
  return sealed ? { sealed } : {};
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
