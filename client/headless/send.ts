// `cmdchat-client send`: one message, or one for each line as it comes. The exit code says whether the server
// acknowledged all of them.
//
// 1. Messages are sent in the order of the lines, at most WINDOW of them unacknowledged.
// 2. After a lost connection the client reconnects for as long as --timeout allows. Unacknowledged messages are sent
//    again in the same session, where the server drops duplicates.
// 3. A message that was perhaps delivered is reported and never sent again.

import {
  type CmdchatError,
  ConnectionError,
  LimitError,
  UsageError,
} from "../../shared/base/errors.ts";
import { MESSAGE_MAX_BYTES_CEILING } from "../../shared/base/limits.ts";
import { quote, withoutSecrets } from "../../shared/base/sanitize.ts";
import type { Chat } from "../chat/chat.ts";
import { printError } from "../base/exit.ts";
import { errorText } from "../../shared/cli/error_report.ts";
import { jsonLine } from "../render/json.ts";
import type { RequestOutcome } from "../session/request_ledger.ts";
import type { Script, ScriptInput } from "../app/script.ts";
import { refusedError } from "../app/pipe_input.ts";
import { connectedInTime, Patience } from "../app/patience.ts";
import { ScriptOutput } from "./script_output.ts";
import { StdoutLines } from "../base/stdout_lines.ts";

/** Far below UNSENT_MAX, and enough not to wait for a distant server after each line. */
const WINDOW = 32;

/** Options of `send`. */
export interface SendOptions {
  /** undefined = standard input. */
  readonly text: string | undefined;
  /** One message for each line of standard input. */
  readonly lines: boolean;
  /** One JSON object on standard output for each message. */
  readonly json: boolean;
  /** Seconds in total for one message; for lines, seconds without a connection; undefined = forever. */
  readonly timeout: number | undefined;
}

/** Creates the script that sends messages. */
export function sendScript(options: SendOptions): Script {
  return {
    receives: false,
    output: (base) => new ScriptOutput(base, {}),
    read: (input) => new Sending(options, input).run(),
  };
}

class Sending {
  readonly #options: SendOptions;
  readonly #input: ScriptInput;
  readonly #chat: Chat;
  readonly #stdout = new StdoutLines();
  readonly #open = new Set<Promise<void>>();
  #count = 0;
  #fault: CmdchatError | undefined;

  constructor(options: SendOptions, input: ScriptInput) {
    this.#options = options;
    this.#input = input;
    this.#chat = input.chat;
  }

  async run(): Promise<CmdchatError | undefined> {
    const { text, lines } = this.#options;
    try {
      if (text !== undefined) await this.#sendOne(text);
      else if (lines) await this.#sendLines();
      else await this.#sendOne(await this.#readAll());
    } finally {
      await this.#stdout.flush();
      this.#chat.end();
    }
    return this.#fault;
  }

  async #sendOne(text: string): Promise<void> {
    if (text.trim() === "") throw new UsageError("Cannot send a message: it is empty");
    const patience = new Patience(this.#options.timeout, this.#input.clock);
    if (!await connectedInTime(this.#chat, patience)) return;
    const outcome = await patience.within(this.#say(text));
    if (outcome !== "late") return;
    this.#tell(1, text, notDelivered(text, late(patience)));
  }

  async #sendLines(): Promise<void> {
    const patience = () => new Patience(this.#options.timeout, this.#input.clock);
    if (!await connectedInTime(this.#chat, patience())) return;
    for await (const text of this.#linesOfInput()) {
      if (text.trim() === "") continue;
      if (!this.#chat.connected && !await connectedInTime(this.#chat, patience())) return;
      const said = this.#say(text).finally(() => this.#open.delete(said));
      this.#open.add(said);
      while (this.#open.size >= WINDOW) await Promise.race(this.#open);
    }
    while (this.#open.size > 0) {
      if (this.#chat.connected) await Promise.race(this.#open);
      else if (!await connectedInTime(this.#chat, patience())) return;
    }
  }

  /** Sends a message and reports the outcome. */
  async #say(text: string): Promise<void> {
    const n = ++this.#count;
    let outcome: RequestOutcome;
    try {
      outcome = await this.#chat.say(text);
    } catch (error) {
      if (error instanceof LimitError) {
        return this.#tell(n, text, withHint(error, this.#options.lines));
      }
      if (error instanceof UsageError) return this.#tell(n, text, error);
      throw error;
    }
    if (outcome === "confirmed") return this.#tell(n, text, undefined);
    // What stopped the chat has its own error to tell.
    const fault = outcome === "lost" ? notDelivered(text) : refusedError(text, outcome);
    this.#tell(n, text, this.#chat.finish.fault ?? fault);
  }

  #tell(n: number, text: string, fault: CmdchatError | undefined): void {
    this.#fault ??= fault;
    const isTold = fault === undefined || fault === this.#chat.finish.fault;
    if (!isTold) printError(errorText(fault));
    if (!this.#options.json) return;
    const time = this.#input.clock.utc();
    this.#stdout.print(jsonLine({ kind: "result", time, id: n, ...resultFields(fault), text }));
  }

  async *#linesOfInput(): AsyncGenerator<string, void> {
    for await (const event of this.#chat.console.events) {
      if (event.kind === "cut") throw event.fault;
      if (event.kind !== "line" || this.#chat.ending.aborted) return;
      yield event.text;
    }
  }

  async #readAll(): Promise<string> {
    if (this.#input.isTerminal) {
      printError("Type the message; Ctrl-D on an empty line sends it.");
    }
    let text = "";
    for await (const line of this.#linesOfInput()) {
      text += `${line}\n`;
      // Far above every limit: the error must not need the whole input.
      if (text.length > 2 * MESSAGE_MAX_BYTES_CEILING) {
        throw new LimitError(
          `Cannot send the message: it has more than ${MESSAGE_MAX_BYTES_CEILING} bytes`,
          { hint: "--lines sends each line as a message; send-file sends it as a file" },
        );
      }
    }
    return text.replace(/\n+$/, "");
  }
}

/** The fields of a result for its outcome. */
export function resultFields(fault: CmdchatError | undefined): Record<string, unknown> {
  if (fault === undefined) return { ok: true };
  const error = withoutSecrets(fault.message);
  return { ok: false, code: fault.exitCode, error, hint: fault.hint };
}

function notDelivered(
  text: string,
  why = "the connection was lost before the server answered",
): ConnectionError {
  return new ConnectionError(`Perhaps not delivered: ${quote(text)}: ${why}`);
}

function late({ seconds }: Patience): string {
  return `the server did not answer within ${seconds} s`;
}

function withHint(error: LimitError, lines: boolean): LimitError {
  const hint = lines
    ? "send-file sends it as a file"
    : "--lines sends each line as a message; send-file sends it as a file";
  return new LimitError(error.message, { cause: error, hint });
}
