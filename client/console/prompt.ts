// The console in a terminal: keys become lines, printed text goes above them, and one status line is below.
import type { AskOptions, ChatConsole, UserEvent } from "./console.ts";
import type { Alert, Tty } from "../terminal/terminal.ts";
import { BINDINGS, ROOM_KEYS } from "../editing/key_bindings.ts";
import { LineEditor } from "../editing/line_editor.ts";
import { Questions } from "../editing/questions.ts";
import { ViKeys } from "../editing/vi_keys.ts";
import type { Rgb } from "../terminal/contrast.ts";
import { EventQueue } from "./event_queue.ts";
import {
  FULL_HINT,
  GoalColumn,
  InputWindow,
  longPasteQuestion,
  pausedPasteHint,
  REFUSED_PASTE_HINT,
} from "./input_area.ts";
import { KeyBurst } from "../editing/key_burst.ts";
import { InputAids } from "../editing/input_aids.ts";
import { ExternalEditing } from "./external_editor.ts";
import { InputHistory } from "../editing/input_history.ts";
import { KeyReader, type UserKey } from "../terminal/key_reader.ts";
import { parseStyled, type Row } from "../terminal/layout.ts";
import { LentTerminal, STOP_NOTES } from "../terminal/lent_terminal.ts";
import { PaintScheduler, RUNTIME_TIMERS, type Timers } from "../terminal/paint_scheduler.ts";
import { LookBack } from "./look_back.ts";
import { PasteQuestion } from "./paste_question.ts";
import { PrintBuffer } from "./print_buffer.ts";
import type { PromptOptions } from "./prompt_options.ts";
import { Screen } from "../terminal/screen.ts";
import { type StatusText, wholeStatus, withMark } from "./status_fit.ts";
import {
  alertSequence,
  TERMINAL_MODES_OFF,
  TERMINAL_MODES_ON,
} from "../terminal/terminal_modes.ts";

/** A chat console on a terminal. */
export class Prompt implements ChatConsole {
  readonly #tty: Tty;
  readonly #timers: Timers;
  readonly #options: PromptOptions;
  readonly #screen: Screen;
  readonly #scheduler: PaintScheduler;
  readonly #window = new InputWindow();
  readonly #printed = new PrintBuffer();
  readonly #events = new EventQueue<UserEvent>();
  readonly #keys: KeyReader;
  readonly #burst: KeyBurst;
  readonly #editor = new LineEditor();
  readonly #history = new InputHistory();
  readonly #aids: InputAids;
  readonly #vi: ViKeys;
  readonly #lent: LentTerminal;
  readonly #questions = new Questions();
  #prompt: string;
  #status: StatusText = "";
  #live: readonly string[] = [];
  #hint = "";
  #chord = false; // The previous key was Ctrl-X.
  readonly #pasted: PasteQuestion;
  readonly #external: ExternalEditing | undefined;
  #view: LookBack | undefined;
  readonly #goal = new GoalColumn();
  #closing: Promise<void> | undefined;

  private constructor(tty: Tty, options: PromptOptions) {
    const { columns, rows } = tty;
    this.#tty = tty;
    this.#timers = options.timers ?? RUNTIME_TIMERS;
    this.#options = options;
    this.#aids = new InputAids({
      editor: this.#editor,
      history: this.#history,
      complete: options.complete,
    });
    this.#prompt = options.prompt ?? "> ";
    this.#pasted = new PasteQuestion(options.pasteLines);
    this.#screen = new Screen({ columns, rows, reflow: options.reflow ?? "follow-cursor" });
    this.#burst = new KeyBurst({ timers: this.#timers, deliver: (keys) => this.#take(keys) });
    this.#keys = new KeyReader(tty, {
      timers: this.#timers,
      take: (keys) => this.#lent.keyGoesOn(keys) || this.#burst.take(keys),
      busy: () => this.#external?.busy,
    });
    this.#scheduler = new PaintScheduler(() => this.#paint(), {
      timers: this.#timers,
      failed: () => this.#events.push({ kind: "end" }),
    });
    const { edit } = options;
    this.#external = edit && new ExternalEditing({
      during: () => this.#lent.during(() => edit(this.#editor.text)),
      edited: (text) => {
        this.#editor.set(text);
        this.#pasted.reset();
      },
      failed: (hint) => this.#hint = hint,
      ended: () => this.#scheduler.request("now"),
    });
    this.#vi = new ViKeys({
      tty,
      editor: this.#editor,
      isWanted: () => this.#questions.open === undefined && (options.vi?.() ?? false),
      vertical: (by) => this.#vertical(by),
      search: () => this.#aids.beginSearch(),
      edit: () => this.#external?.open(),
    });
    this.#lent = new LentTerminal({
      tty,
      screen: this.#screen,
      scheduler: this.#scheduler,
      waiting: () => this.#printed.take(),
      leaving: () => this.#vi.leave(),
    });
  }

  /** Shows the input line and begins to read keys. */
  static open(tty: Tty, options: PromptOptions = {}): Prompt {
    const prompt = new Prompt(tty, options);
    tty.onResize(() => prompt.#resized());
    const stop = () => void (prompt.#view?.close(), prompt.#lent.stop());
    tty.onStop({ stop, goOn: () => prompt.#lent.goOn() });
    // Painted again with the widths that the terminal tells.
    if (options.asksWidths) {
      void prompt.#keys.learnWidths().then((isNews) => isNews && prompt.#resized());
    }
    tty.write(TERMINAL_MODES_ON);
    // Not at once: whoever opens it says first what the prompt and the status are, and a second paint waits for a frame.
    prompt.#scheduler.request("soon");
    prompt.#keys.run().then(() => prompt.#events.push({ kind: "end" }));
    return prompt;
  }

  get events(): AsyncIterable<UserEvent> {
    return this.#events;
  }

  print(text: string): void {
    this.#printed.add(text);
    this.#view?.note();
    this.#scheduler.request("soon");
  }

  setStatus(status: StatusText): void {
    const before = this.status;
    this.#status = status;
    if (this.status !== before) this.#scheduler.request("soon");
  }

  get status(): string {
    return wholeStatus(this.#status);
  }

  setLive(rows: readonly string[]): void {
    this.#live = rows;
    this.#scheduler.request("soon");
  }

  alert(alert: Alert): void {
    if (this.#closing === undefined) this.#tty.write(alertSequence(alert));
  }

  setPrompt(text: string): void {
    this.#prompt = text;
    this.#scheduler.request("soon");
  }

  /** The color of the terminal's background; undefined if the terminal does not answer. */
  background(): Promise<Rgb | undefined> {
    return this.#keys.background();
  }

  lookBack(query?: string): void {
    const source = this.#options.lookBack?.();
    if (source === undefined || this.#external?.busy !== undefined || this.#view !== undefined) {
      return;
    }
    this.#scheduler.pause();
    const closed = () => {
      this.#view = undefined;
      this.#scheduler.resume();
    };
    this.#view = LookBack.open(this.#tty, source, { query, closed });
  }

  setInput(text: string): void {
    this.#editor.set(text);
    this.#scheduler.request("now");
  }

  clear(): void {
    this.#printed.take();
    this.#screen.clear("all");
    this.#scheduler.request("now");
  }

  ask(question: string, options: AskOptions = {}): Promise<string | undefined> {
    if (this.#closing !== undefined) return Promise.resolve(undefined);
    this.#view?.close();
    const answer = this.#questions.ask(question, options.hidden ?? false);
    this.#scheduler.request("now");
    return answer;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#view?.close();
    this.#scheduler.close();
    await this.#external?.busy;
    await this.#keys.answered();
    this.#keys.stop();
    this.#burst.stop();
    try {
      this.#tty.write(
        this.#screen.leave(this.#printed.take()) + TERMINAL_MODES_OFF + this.#vi.leave(),
      );
      await this.#tty.flush();
    } catch {
      // The terminal is gone; everything else is still closed.
    } finally {
      this.#questions.close();
      this.#events.close();
      await this.#tty.close();
    }
  }

  #paint(): Promise<void> {
    // On a busy machine the signal comes late, and a picture painted for the old width would leave rubbish.
    this.#tty.measure();
    const area = this.#window.compose({
      ...this.#shown(),
      status: this.#statusLine(),
      isHint: this.#hint !== "",
      live: this.#live,
      columns: this.#tty.columns,
      rows: this.#tty.rows,
    });
    const output = this.#screen.paint(area, this.#printed.take()) + this.#vi.shape();
    if (output !== "") this.#tty.write(output);
    return this.#tty.flush();
  }

  /** Prompt, text and cursor to show now. */
  #shown(): { readonly prompt: Row; readonly text: string; readonly cursor: number } {
    const question = this.#questions.open;
    if (question?.hidden) return { prompt: question.prompt, text: "", cursor: 0 };
    const { text, cursor } = this.#aids.search ?? this.#active;
    const prompt = this.#aids.search?.prompt ?? this.#prompt;
    return { prompt: question?.prompt ?? parseStyled(prompt), text, cursor };
  }

  #statusLine(): StatusText {
    if (this.#hint !== "") return this.#hint;
    return this.#aids.candidates(this.#tty.columns) ?? withMark(this.#vi.mark, this.#status);
  }

  get #active(): LineEditor {
    return this.#questions.open?.editor ?? this.#editor;
  }

  #resized(): void {
    this.#screen.resize(this.#tty.columns, this.#tty.rows);
    this.#options.resized?.();
    this.#view?.resized();
    this.#scheduler.request("soon");
  }

  #take(events: readonly UserKey[]): void {
    if (this.#closing !== undefined || events.length === 0) return;
    if (this.#view !== undefined) return this.#view.take(events);
    for (const event of events) this.#handle(event);
    this.#scheduler.request("now");
  }

  #handle(event: UserKey): void {
    this.#hint = "";
    if (this.#aids.takes(event)) return this.#vi.settle();
    const isOwn = event.kind === "key" && this.#options.keys?.has(event.key);
    if (!isOwn && this.#vi.takes(event)) return;
    this.#press(event);
    this.#vi.settle();
  }

  #press(event: UserKey): void {
    if (event.kind === "key") {
      if (event.key !== "up" && event.key !== "down") this.#goal.forget();
      this.#key(this.#options.keys?.get(event.key) ?? event.key);
    } else if (event.kind === "text") {
      this.#insert(event.text);
      if (event.text.includes("\n")) this.#pasted.note(this.#active.text);
    } else if (event.kind === "pause") {
      this.#hint = pausedPasteHint(event.length);
    } else if (event.cut) {
      this.#hint = REFUSED_PASTE_HINT;
    } else {
      this.#paste(event.text.replace(/\n+$/, ""));
    }
  }

  #paste(text: string): void {
    const wasEmpty = this.#active.text === "" && this.#questions.open === undefined;
    this.#insert(text, "insert");
    const becomes = wasEmpty ? this.#options.pasted?.(text) : undefined;
    if (becomes !== undefined) this.#editor.set(becomes.text);
    this.#hint = becomes?.hint ?? this.#hint;
    this.#pasted.note(text);
  }

  #insert(text: string, how: "type" | "insert" = "type"): void {
    this.#goal.forget();
    if (!this.#active[how](text)) this.#hint = FULL_HINT;
    // The answer to a question may be a secret.
    if (this.#questions.open === undefined) this.#options.entered?.(this.#editor.text);
  }

  #key(key: string): void {
    const chord = this.#chord;
    this.#chord = key === "ctrl-x" && !chord;
    if (chord && key === "ctrl-e" && this.#questions.open === undefined) {
      return this.#external?.open();
    }
    if (chord && key === "ctrl-u") return this.#active.undo();
    switch (key) {
      case "enter":
        return this.#enter();
      case "ctrl-c":
        return this.#interrupt();
      case "ctrl-d":
        return this.#active.text === "" ? this.#refuse("end") : this.#active.delete("forward");
      case "ctrl-z":
        return void this.#lent.stop(STOP_NOTES[this.#tty.stopping]);
      case "page-up":
        return this.#questions.open !== undefined ? undefined : this.lookBack();
      case "ctrl-l":
        return this.#screen.clear("screen");
      case "up":
      case "ctrl-p":
        return this.#vertical(-1);
      case "down":
      case "ctrl-n":
        return this.#vertical(1);
      case "ctrl-r":
        return this.#questions.open === undefined ? this.#aids.beginSearch() : undefined;
      case "tab":
      case "shift-tab":
        return this.#questions.open !== undefined
          ? undefined
          : this.#aids.tab(key === "tab" ? 1 : -1);
      default:
        if (ROOM_KEYS.has(key)) this.#events.push({ kind: "room", n: ROOM_KEYS.get(key) ?? 0 });
        if (key.startsWith("/")) this.#events.push({ kind: "line", text: key });
        BINDINGS[key]?.(this.#active);
    }
  }

  #enter(): void {
    const text = this.#active.text;
    if (this.#questions.answer(text) || text === "") return;
    if (this.#pasted.asks()) {
      this.#hint = longPasteQuestion(text);
      return;
    }
    this.#history.add(text);
    this.#editor.reset();
    this.#vi.begin();
    this.#events.push({ kind: "line", text });
  }

  #interrupt(): void {
    this.#pasted.reset();
    if (this.#active.text === "") return this.#refuse("interrupt");
    this.#history.leave();
    this.#active.move("forward", "all");
    this.#active.kill("back", "all");
    this.#vi.begin();
  }

  /** Refuses the open question, or tells the program that the user wants to quit. */
  #refuse(kind: "interrupt" | "end"): void {
    if (!this.#questions.answer(undefined)) this.#events.push({ kind });
  }

  #vertical(by: 1 | -1): void {
    const { prompt, ...input } = this.#shown();
    const flow = this.#window.flow(prompt, { ...input, columns: this.#tty.columns });
    const index = this.#goal.move(flow, by);
    if (index === undefined) this.#recall(by);
    else this.#active.cursor = index;
  }

  #recall(by: 1 | -1): void {
    if (this.#questions.open !== undefined) return;
    const text = by < 0 ? this.#history.older(this.#editor.text) : this.#history.newer();
    if (text !== undefined) this.#editor.set(text);
    this.#goal.forget();
  }
}
