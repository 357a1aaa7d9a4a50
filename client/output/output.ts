// All output goes through here: to the console or to the diagnostics, into the memory of `/last`, and into the local
// history. Lines that the user does not want to see end here.

import { CmdchatError } from "../../shared/base/errors.ts";
import { withoutSecrets } from "../../shared/base/sanitize.ts";
import { Attention, mentions } from "./attention.ts";
import { HistoryLog, markOf } from "./history_log.ts";
import type { LookBackSource } from "../console/look_back.ts";
import { drawnLines, earlierLines } from "./look_back_lines.ts";
import { DeferredLines } from "./deferred_lines.ts";
import { isReactionLine, ReactionFold, reactionSummary } from "./reaction_fold.ts";
import { IgnoredNames } from "../rooms/ignored_names.ts";
import { LongTexts } from "./long_texts.ts";
import { isMembership, isPresence, PresenceFold } from "./presence_fold.ts";
import { ProgressBars } from "./progress_bars.ts";
import {
  type ChatLine,
  type ConnectionNote,
  dayOf,
  foldCase,
  type Note,
  type Renderer,
  roomTag,
  shortLabel,
  type SystemLine,
} from "../render/text.ts";
import { plainRow, plainText, type RenderedLine } from "../render/shown.ts";
import type { NoteLevel } from "../base/note_level.ts";
import { ChatSettings } from "../config/chat_settings.ts";
import type { OutputOptions } from "./output_options.ts";
export type { OutputOptions, OutputScreen } from "./output_options.ts";
import { again, inOrder, type Showing, type ShownLine, shownLine } from "./shown_line.ts";
import type { TransferEvent } from "../transfer_base/transfer_event.ts";

const NOTHING: RenderedLine = { kind: "file", rows: [] };

/** Shows, folds, remembers and stores lines. */
export class Output {
  readonly settings: ChatSettings;
  readonly ignored = new IgnoredNames();
  readonly longTexts = new LongTexts();
  readonly #options: OutputOptions;
  readonly #presence = new PresenceFold();
  readonly #reactions = new ReactionFold();
  readonly #bars: ProgressBars;
  readonly #attention: Attention | undefined;
  readonly #deferred = new DeferredLines();
  readonly #log: HistoryLog;
  #kept: ShownLine[] = [];
  #day: string | undefined;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.settings = options.settings ?? new ChatSettings();
    this.#log = new HistoryLog({
      ...options,
      fault: (why) => this.note("error", why, "later lines may be missing from the history file"),
    });
    this.#bars = new ProgressBars(() => options.clock.now());
    const { screen, clock } = options;
    this.#attention = screen &&
      new Attention({ settings: this.settings, alert: screen.alert, now: () => clock.now() });
  }

  /** Shows a member's line. Returns whether the user sees it, and whether it mentions them. */
  chat(given: ChatLine): "hidden" | "shown" | "mention" {
    if (!given.own && this.ignored.has(given.sender)) return "hidden";
    const line = { ...given, mention: given.mention || this.#isHighlighted(given) };
    const isDeferred = this.#isDeferred(line) && !line.mention;
    const draw = (showing: Showing) => this.#renderer.chat({ ...line, ...showing });
    const shown = { ...shownLine(line, draw), isSaid: true };
    if (isDeferred) this.#deferred.keep(line.room, shown);
    else this.#show(shown, line.elsewhere);
    const { time, room, sender, to, text, sequence } = line;
    const mark = markOf(line);
    this.#log.store(
      to === undefined
        ? { kind: "chat", time, room, sender, text, sequence, ...mark }
        : { kind: "system", time, room, text: `${sender} to ${to} alone: ${text}`, ...mark },
    );
    if (!isDeferred) this.#attention?.chat(line);
    return line.mention ? "mention" : "shown";
  }

  /** Shows what was said before the user came in, between two rules; it rings for nobody, and is not stored. */
  earlier(lines: readonly ChatLine[]): void {
    const seen = lines.filter(({ own, sender }) => own || !this.ignored.has(sender));
    const [first] = seen;
    if (first === undefined) return;
    const where = first.elsewhere ? `${shortLabel(first.room)}: ` : "";
    this.flush();
    this.#rule(`${where}before you came`);
    for (const line of seen) {
      const draw = (showing: Showing) => this.#renderer.chat({ ...line, ...showing });
      this.#show({ ...shownLine(line, draw), isSaid: true }, line.elsewhere);
    }
    this.#rule(`${where}now`);
  }

  /** Shows a system line. */
  system(line: SystemLine): void {
    const { name, previous } = line;
    if (line.event === "renamed" && previous !== undefined && name !== undefined) {
      this.ignored.rename(previous, name);
    }
    // What hides nothing from a program has no rules between lines.
    if (line.isToldBefore && this.#renderer.rule !== undefined) return;
    const isAbout = name !== undefined && line.event !== "renamed" && !isMembership(line);
    if (isAbout && this.ignored.has(name)) return;
    if (isReactionLine(line)) this.#reactionLine(line);
    else if (this.#isDeferred(line)) this.#deferSystem(line);
    else if (isPresence(line)) this.#presenceLine(line);
    else this.#show(this.#systemLine(line), line.elsewhere);
    const { time, room, text } = line;
    this.#log.store({ kind: "system", time, room, text, ...markOf(line) });
  }

  /** Shows an event of a transfer; `current`: the title of the current room. */
  file(event: TransferEvent, current: string | undefined): void {
    if (this.#bars.take(event)) this.#refreshLive();
    const time = this.#options.clock.utc();
    const room = event.kind === "refused" ? undefined : event.file.room;
    const draw = ({ elsewhere, isAgain }: Showing) =>
      this.#renderer.file(event, time, { tag: roomTag({ room: room ?? "", elsewhere }), isAgain });
    if (draw({ elsewhere: false }) !== undefined) {
      const line = shownLine({ room, time }, (showing) => draw(showing) ?? NOTHING);
      this.#show(line, room !== undefined && room !== current);
    }
    if (event.kind !== "saved" && event.kind !== "sent") return;
    const { name, sender } = event.file;
    this.#log.store({
      kind: "file",
      time,
      room: room ?? current ?? "",
      text: name,
      ...(sender === undefined ? {} : { sender }),
    });
  }

  /** Shows the answer to a command: part of the conversation, not a diagnostic. */
  answer(text: string, options: Pick<Note, "isCopyable"> = {}): void {
    const { renderer, print, clock } = this.#options;
    this.flush();
    print(renderer.note({ level: "info", text, time: clock.utc(), ...options }));
  }

  /** Shows a diagnostic of the client. */
  note(level: NoteLevel, text: string, hint?: string): void {
    const { diagnose, clock } = this.#options;
    this.flush();
    diagnose(this.#diagnosis.note({ level, text, hint, time: clock.utc() }));
  }

  /** Shows an error as a note. Rethrows what is not a CmdchatError: a bug. */
  fault(error: unknown): void {
    if (!(error instanceof CmdchatError)) throw error;
    this.note("error", withoutSecrets(error.message), error.hint);
  }

  /** Shows a change of the connection. */
  connection(note: Omit<ConnectionNote, "time">): void {
    const { diagnose, clock } = this.#options;
    this.flush();
    diagnose(this.#diagnosis.connection({ ...note, time: clock.utc() }));
  }

  /** The user goes to `room`: says so, and shows the deferred lines of the room. */
  moveTo(room: string): void {
    // A waiting summary is tagged for the room that the user leaves.
    this.flush();
    const line = this.#diagnosis.roomSwitch?.(room);
    if (line !== undefined) this.#options.diagnose(line);
    const time = this.#options.clock.utc();
    const deferred = this.#deferred.take(room);
    if (deferred.length > 0) this.#rule("new");
    for (const line of deferred) this.#put({ ...line, time }, { elsewhere: false });
  }

  /** Shows the last `count` messages of a room, which the user has not read; `current`: the title of the current room. */
  showUnread(room: string, count: number, current: string | undefined): void {
    this.flush();
    const deferred = this.#deferred.take(room);
    // Mentions were shown at once, and count as unread all the same.
    const shown = count - deferred.filter(({ isSaid }) => isSaid).length;
    const said = this.#kept.filter((line) => line.isSaid && line.room === room);
    this.#rule(`${shortLabel(room)}: ${count} new`);
    const seen = new Set(shown > 0 ? said.slice(-shown) : []);
    for (const line of inOrder([...seen, ...deferred])) {
      if (seen.has(line)) this.#options.print(this.#folded(line, again(line, current)));
      else this.#put(line, { elsewhere: room !== current, isAsked: true });
    }
  }

  /** Shows a title of the window, where the user wants one. */
  title(text: string): void {
    this.#options.screen?.title?.(this.settings.get("title") === "on" ? text : undefined);
  }

  #rule(text: string): void {
    const rule = this.#renderer.rule?.(text);
    if (rule !== undefined) this.#options.print(rule);
  }

  /** Shows the last `count` lines again; `current`: the title of the current room. False if none are kept. */
  showLast(count: number, current: string | undefined): boolean {
    this.flush();
    if (this.#kept.length === 0) return false;
    for (const line of this.#kept.slice(-count)) {
      this.#options.print(this.#folded(line, again(line, current)));
    }
    return true;
  }

  /** What the user may look back at; `current`: the title of the current room. */
  lookBack(current: string | undefined): LookBackSource | undefined {
    const { screen, history, renderer } = this.#options;
    if (screen?.paint === undefined) return undefined;
    this.flush();
    const look = { current, renderer, paint: screen.paint };
    const entries = history?.entries?.bind(history);
    return {
      kept: drawnLines(this.#kept, look),
      earlier: entries && (() => earlierLines(entries(), this.#kept[0]?.time, look)),
    };
  }

  /** Shows the kept lines that have a text in them, whatever its case; gives their number. */
  showFound(text: string, current: string | undefined): number {
    this.flush();
    const wanted = foldCase(text);
    const found = this.#kept.filter(({ draw }) =>
      foldCase(plainText(draw({ elsewhere: false, isAsked: true }))).includes(wanted)
    );
    for (const line of found) this.#options.print(line.draw(again(line, current)));
    return found.length;
  }

  /** Shows the hidden rows of long message `n`, by default the newest; false if there are none. */
  showMore(n?: number): boolean {
    const rest = this.longTexts.find(n);
    if (rest === undefined) return false;
    this.flush();
    this.#options.print(rest);
    return true;
  }

  /** Drops the lines kept for `/last` and `/more`, and the rows that change in place. */
  forget(): void {
    this.#kept = [];
    this.longTexts.clear();
    this.#presence.clear();
    this.#reactions.clear();
    this.#refreshLive();
  }

  /** Prints the summary that so far changed in place. */
  flush(): void {
    const summary = this.#presence.summary ?? this.#reactions.summary;
    this.#reactions.clear();
    if (summary === undefined) return;
    this.#presence.clear();
    this.#refreshLive();
    this.#put(this.#systemLine(summary), summary);
  }

  /** Cells of a row of the terminal; undefined without one. */
  get columns(): number | undefined {
    return this.#options.screen?.columns();
  }

  /** Draws the rows that change in place for the terminal's new width. */
  resized(): void {
    this.#refreshLive();
  }

  get #renderer(): Renderer {
    return this.#options.renderer;
  }

  get #diagnosis(): Renderer {
    return this.#options.diagnosis ?? this.#options.renderer;
  }

  #isDeferred({ elsewhere = false }: { readonly elsewhere?: boolean }): boolean {
    return elsewhere && this.settings.get("others") === "count";
  }

  /** Joins and leaves in a room that is only counted are no news once the user goes there. */
  #deferSystem(line: SystemLine): void {
    if (isPresence(line)) return;
    this.#deferred.keep(line.room, this.#systemLine(line));
  }

  #systemLine(line: SystemLine): ShownLine {
    return shownLine(line, (showing) => this.#renderer.system({ ...line, ...showing }));
  }

  #presenceLine(line: SystemLine): void {
    const how = this.settings.get("joins");
    if (how === "off") return;
    if (how === "all" || this.#options.screen === undefined) {
      return this.#show(this.#systemLine(line), line.elsewhere);
    }
    // One of the two waits at a time, so that lines stay in their order.
    if (!this.#presence.fits(line) || this.#reactions.summary !== undefined) this.flush();
    this.#presence.add(line);
    this.#refreshLive();
  }

  #reactionLine(line: SystemLine): void {
    const { screen } = this.#options;
    const { room, sequence = 0, reactions = [], elsewhere } = line;
    if (screen?.react?.(room, sequence, reactions)) return;
    const how = this.settings.get("reactions");
    if (how === "off") return;
    if (this.#isDeferred(line)) {
      const text = reactionSummary(sequence, reactions);
      const folds = `reactions ${sequence}`;
      return this.#deferred.keep(room, { ...this.#systemLine({ ...line, text }), folds });
    }
    if (how === "all" || screen === undefined) return this.#show(this.#systemLine(line), elsewhere);
    if (!this.#reactions.fits(line) || this.#presence.summary !== undefined) this.flush();
    this.#reactions.add(line);
    this.#refreshLive();
  }

  #refreshLive(): void {
    const { screen, renderer } = this.#options;
    if (screen === undefined) return;
    const summary = this.#presence.summary ?? this.#reactions.summary;
    screen.setLive([
      ...(summary === undefined ? [] : [renderer.system(summary)]),
      ...this.#bars.rows(screen.columns() - 1).map((row): RenderedLine => ({
        kind: "progress",
        rows: [plainRow(row)],
      })),
    ]);
  }

  #isHighlighted({ own, text }: ChatLine): boolean {
    const words = this.settings.get("highlight").split(",").map((word) => word.trim());
    return !own && words.some((word) => word !== "" && mentions(text, word));
  }

  #show(line: ShownLine, elsewhere = false): void {
    this.flush();
    this.#put(line, { elsewhere });
  }

  #put(line: ShownLine, { elsewhere = false, isAsked = false }: Partial<Showing>): void {
    const { renderer, print, bufferSize } = this.#options;
    const day = dayOf(line.time) ?? this.#day;
    if (renderer.day !== undefined && day !== undefined && this.#day !== undefined) {
      if (day !== this.#day) print(renderer.day(day));
    }
    this.#day = day;
    print(this.#folded(line, { elsewhere, isAsked }));
    this.#kept.push(line);
    // Cut in blocks, so that a busy room does not shift the whole array for each line.
    if (this.#kept.length >= 2 * bufferSize) this.#kept = this.#kept.slice(-bufferSize);
  }

  /** Hides the rows above the limit; `/more` shows them. */
  #folded(line: ShownLine, showing: Showing): RenderedLine {
    const { renderer, screen } = this.#options;
    const shown = line.draw(showing);
    const max = this.settings.count("fold");
    if (max === 0 || screen === undefined || renderer.more === undefined) return shown;
    const { rows } = shown;
    if (rows.length <= max + 1) return shown;
    const rest = rows.slice(max);
    line.more = this.longTexts.keep(rest, { draw: () => line.draw(showing), n: line.more });
    const more = renderer.more(rest.length, line.more);
    return { ...shown, rows: [...rows.slice(0, max), more] };
  }
}
