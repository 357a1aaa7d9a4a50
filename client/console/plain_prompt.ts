// The console of --plain in a terminal: lines that never change once they are written, for screen readers. The terminal's
// own line mode would cut a line at 4,095 bytes and send a paste line by line, so keys are read one by one here, and what
// is typed is echoed.

import type { AskOptions, ChatConsole, UserEvent } from "./console.ts";
import { EventQueue } from "./event_queue.ts";
import { FULL_HINT, longPasteQuestion, pausedPasteHint, REFUSED_PASTE_HINT } from "./input_area.ts";
import { LineWriter } from "./line_writer.ts";
import { PasteQuestion } from "./paste_question.ts";
import { type StatusText, wholeStatus } from "./status_fit.ts";
import { TypedEcho } from "./typed_echo.ts";
import { InputHistory } from "../editing/input_history.ts";
import { KeyBurst } from "../editing/key_burst.ts";
import { LineEditor } from "../editing/line_editor.ts";
import { KeyReader, type UserKey } from "../terminal/key_reader.ts";
import { STOP_NOTES } from "../terminal/lent_terminal.ts";
import { RUNTIME_TIMERS, type Timers } from "../terminal/paint_scheduler.ts";
import type { Tty } from "../terminal/terminal.ts";
import { PASTE_BRACKETS_OFF, PASTE_BRACKETS_ON } from "../terminal/terminal_modes.ts";

/** What a plain prompt needs besides its terminal. */
export interface PlainPromptOptions {
  /** Whether the terminal is asked for brackets around a paste: the only sequence that it ever gets. */
  readonly brackets: boolean;
  /** Writes printed text where that does not go to the terminal. */
  readonly redirected?: ((text: string) => Promise<void>) | undefined;
  /** Called with the text of the line whenever the user adds to it. */
  readonly entered?: (text: string) => void;
  /** Most lines of a paste that are sent without asking, 0 for any number; default 5. */
  readonly pasteLines?: () => number;
  /** Keys of the user's own, from readKeys(). */
  readonly keys?: ReadonlyMap<string, string>;
  readonly timers?: Timers;
}

interface Question {
  readonly hidden: boolean;
  readonly text: string;
  readonly editor: LineEditor;
  readonly answer: (text: string | undefined) => void;
}

/** A terminal in raw mode that shows lines and one line that is typed. */
export class PlainPrompt implements ChatConsole {
  status = "";
  readonly #tty: Tty;
  readonly #options: PlainPromptOptions;
  readonly #events = new EventQueue<UserEvent>();
  readonly #terminal: LineWriter;
  /** Where printed text goes: to the terminal, in the order of what is typed, or elsewhere. */
  readonly #output: LineWriter;
  readonly #echo: TypedEcho;
  readonly #keys: KeyReader;
  readonly #burst: KeyBurst;
  readonly #editor = new LineEditor();
  readonly #history = new InputHistory();
  readonly #questions: Question[] = [];
  readonly #pasted: PasteQuestion;
  #isStopping = false;
  #closing: Promise<void> | undefined;

  private constructor(tty: Tty, options: PlainPromptOptions) {
    this.#tty = tty;
    this.#options = options;
    const timers = options.timers ?? RUNTIME_TIMERS;
    const broke = () => this.#events.push({ kind: "end" });
    this.#terminal = new LineWriter((text) => writeTo(tty, text), broke);
    this.#output = options.redirected === undefined
      ? this.#terminal
      : new LineWriter(options.redirected, broke);
    this.#echo = new TypedEcho((text) => this.#terminal.add(text), () => tty.columns);
    this.#pasted = new PasteQuestion(options.pasteLines);
    this.#burst = new KeyBurst({ timers, deliver: (keys) => this.#take(keys) });
    this.#keys = new KeyReader(tty, {
      timers,
      take: (keys) => this.#keyGoesOn(keys) || this.#burst.take(keys),
      busy: () => undefined,
    });
  }

  /** Begins to read keys. */
  static open(tty: Tty, options: PlainPromptOptions): PlainPrompt {
    const prompt = new PlainPrompt(tty, options);
    tty.onStop({ stop: () => void prompt.#stop(""), goOn: () => prompt.#goOn() });
    prompt.#brackets(PASTE_BRACKETS_ON);
    prompt.#keys.run().then(() => prompt.#events.push({ kind: "end" }));
    return prompt;
  }

  get events(): AsyncIterable<UserEvent> {
    return this.#events;
  }

  print(text: string): void {
    if (this.#output === this.#terminal) this.#echo.endRow();
    this.#output.add(`${text}\n`);
  }

  /** Kept for `/status`: there is no status line. */
  setStatus(status: StatusText): void {
    this.status = wholeStatus(status);
  }

  /** Does nothing: written text does not change. */
  setLive(): void {}

  /** Does nothing: a screen reader has its own signals. */
  alert(): void {}

  /** Does nothing: a prompt would be read out after every line. */
  setPrompt(): void {}

  setInput(text: string): void {
    this.#editor.set(text);
    if (this.#questions.length === 0) this.#echo.repeat(text);
  }

  /** Does nothing: written text stays. */
  clear(): void {}

  ask(question: string, { hidden = false }: AskOptions = {}): Promise<string | undefined> {
    if (this.#closing !== undefined) return Promise.resolve(undefined);
    return new Promise((answer) => {
      const text = question.endsWith(" ") ? question : `${question} `;
      this.#questions.push({ hidden, text, editor: new LineEditor(), answer });
      if (this.#questions.length === 1) this.#showQuestion();
    });
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#keys.stop();
    this.#burst.stop();
    this.#echo.endRow();
    for (const { answer } of this.#questions.splice(0)) answer(undefined);
    this.#events.close();
    // The terminal takes the brackets back itself; what was lost is told after that.
    const [output] = await Promise.allSettled([this.#output.close(), this.#terminal.close()]);
    await this.#tty.close();
    if (output.status === "rejected") throw output.reason;
  }

  get #active(): LineEditor {
    return this.#questions[0]?.editor ?? this.#editor;
  }

  /** What of the line may be shown. */
  get #shown(): string {
    return this.#questions[0]?.hidden ? "" : this.#active.text;
  }

  #brackets(sequence: string): void {
    if (this.#options.brackets) this.#terminal.add(sequence);
  }

  #take(events: readonly UserKey[]): void {
    if (this.#closing !== undefined) return;
    for (const event of events) this.#handle(event);
  }

  #handle(event: UserKey): void {
    switch (event.kind) {
      case "key":
        return this.#key(this.#options.keys?.get(event.key) ?? event.key);
      case "text":
        this.#insert(event.text);
        if (event.text.includes("\n")) this.#pasted.note(this.#active.text);
        return;
      case "pause":
        return this.#tell(pausedPasteHint(event.length));
      case "paste":
        if (event.cut) return this.#tell(REFUSED_PASTE_HINT);
        this.#insert(event.text.replace(/\n+$/, ""), "insert");
        return this.#pasted.note(event.text.replace(/\n+$/, ""));
    }
  }

  #key(key: string): void {
    switch (key) {
      case "enter":
        return this.#enter();
      case "alt-enter":
      case "shift-enter":
      case "ctrl-enter":
        return this.#insert("\n");
      case "tab":
        return this.#insert("\t");
      case "backspace":
      case "shift-backspace":
        return this.#edit((editor) => editor.delete("back"));
      case "ctrl-w":
      case "alt-backspace":
        return this.#edit((editor) => editor.kill("back", "blank"));
      case "ctrl-u":
        return this.#edit((editor) => editor.kill("back", "line"));
      case "ctrl-r":
        return this.#echo.repeat(this.#shown);
      case "up":
        return this.#recall(this.#history.older(this.#editor.text));
      case "down":
        return this.#recall(this.#history.newer());
      case "ctrl-c":
        return this.#interrupt();
      case "ctrl-d":
        return this.#active.text === "" ? this.#refuse("end") : undefined;
      case "ctrl-z":
        return void this.#stop(STOP_NOTES[this.#tty.stopping].replaceAll("\r", ""));
      default:
        if (key.startsWith("/")) this.#events.push({ kind: "line", text: key });
    }
  }

  #insert(text: string, how: "type" | "insert" = "type"): void {
    // Of a paste without brackets each line would be refused aloud.
    const isTold = how === "type" && this.#active.isFull;
    if (!this.#active[how](text)) return isTold ? undefined : this.#tell(FULL_HINT);
    const question = this.#questions[0];
    if (!question?.hidden) this.#echo.add(text);
    if (question === undefined) this.#options.entered?.(this.#editor.text);
  }

  #edit(change: (editor: LineEditor) => void): void {
    const before = this.#shown;
    change(this.#active);
    this.#echo.shorten(before, this.#shown);
  }

  #recall(text: string | undefined): void {
    if (text === undefined || this.#questions.length > 0) return;
    this.setInput(text);
  }

  #enter(): void {
    const text = this.#active.text;
    const question = this.#questions.shift();
    if (question === undefined && this.#pasted.asks()) {
      return this.#tell(longPasteQuestion(text));
    }
    this.#echo.endLine();
    if (question !== undefined) return this.#answered(question, text);
    if (text === "") return;
    this.#history.add(text);
    this.#editor.reset();
    this.#events.push({ kind: "line", text });
  }

  #interrupt(): void {
    this.#pasted.reset();
    if (this.#active.text === "") return this.#refuse("interrupt");
    this.#active.reset();
    this.#history.leave();
    this.#echo.drop();
  }

  /** Refuses the open question, or tells the program that the user wants to quit. */
  #refuse(kind: "interrupt" | "end"): void {
    const question = this.#questions.shift();
    if (question === undefined) return this.#events.push({ kind });
    this.#echo.endLine();
    this.#answered(question, undefined);
  }

  #answered({ answer }: Question, text: string | undefined): void {
    answer(text);
    if (this.#questions.length > 0) this.#showQuestion();
    else this.#echo.repeat(this.#editor.text);
  }

  #showQuestion(): void {
    this.#echo.endRow();
    this.#echo.add(this.#questions[0]?.text ?? "");
  }

  /** A line to the person at the keyboard. */
  #tell(text: string): void {
    this.#echo.endRow();
    this.#terminal.add(`- ${text}\n`);
  }

  async #stop(note: string): Promise<void> {
    this.#isStopping = true;
    this.#echo.endRow();
    this.#brackets(PASTE_BRACKETS_OFF);
    this.#terminal.add(note);
    await this.#terminal.close().catch(() => {});
    if (this.#isStopping) this.#tty.stop();
  }

  /** As LentTerminal.keyGoesOn(). */
  #keyGoesOn({ length }: readonly UserKey[]): boolean {
    if (!this.#isStopping || length === 0) return false;
    this.#tty.resume();
    this.#goOn();
    return true;
  }

  #goOn(): void {
    this.#isStopping = false;
    this.#brackets(PASTE_BRACKETS_ON);
    this.#echo.repeat(this.#shown);
  }
}

async function writeTo(tty: Tty, text: string): Promise<void> {
  tty.write(text);
  await tty.flush();
}
