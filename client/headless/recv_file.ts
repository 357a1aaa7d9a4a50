// `cmdchat-client recv-file`: accepts the next offered files and prints their paths.

import { CmdchatError } from "../../shared/base/errors.ts";
import { quote, sanitizeLine } from "../../shared/base/sanitize.ts";
import type { Chat } from "../chat/chat.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import { printError } from "../base/exit.ts";
import { errorText } from "../../shared/cli/error_report.ts";
import { transferJson } from "../render/json.ts";
import type { Script, ScriptInput } from "../app/script.ts";
import type { TransferEvent } from "../transfer_base/transfer_event.ts";
import { isFrom } from "./recv.ts";
import { endOf, Patience, timeOver } from "../app/patience.ts";
import { ScriptOutput } from "./script_output.ts";
import { StdoutLines } from "../base/stdout_lines.ts";
import { transferError } from "./transfer_error.ts";

/** Options of `recv-file`. */
export interface RecvFileOptions {
  /** Files to receive. */
  readonly count: number;
  /** Seconds in all; undefined = forever. */
  readonly timeout: number | undefined;
  readonly from: string | undefined;
  readonly json: boolean;
}

/** Creates the script that receives files. */
export function recvFileScript(options: RecvFileOptions): Script {
  const receiving = new FileReceiving(options);
  return {
    receives: true,
    output: (base) => new ScriptOutput(base, { onFile: (event) => receiving.handle(event) }),
    read: (input) => receiving.run(input),
  };
}

// A worker that does not answer keeps nobody here.
const FLUSH_MS = 2_000;

class FileReceiving {
  readonly #options: RecvFileOptions;
  readonly #stdout = new StdoutLines();
  readonly #enough = Promise.withResolvers<void>();
  readonly #waiting: number[] = [];
  readonly #taking = new Set<number>();
  #chat: Chat | undefined;
  #saved = 0;
  #fault: CmdchatError | undefined;

  constructor(options: RecvFileOptions) {
    this.#options = options;
  }

  handle(event: TransferEvent): void {
    const sender = event.kind === "refused" ? event.sender : event.file.sender;
    if (sender === undefined || !isFrom(sender, this.#options.from)) return;
    if (this.#options.json && event.kind !== "progress") {
      this.#stdout.print(transferJson(event, SYSTEM_CLOCK.utc()));
    }
    switch (event.kind) {
      case "offered":
        this.#waiting.push(event.file.n);
        return this.#takeMore();
      case "saved":
        return this.#save(event.file.n, event.path);
      case "failed":
        return this.#fail(event);
      case "refused":
        this.#complain(transferError(`Cannot receive ${quote(event.name)}`, event.fault));
    }
  }

  async run({ chat, clock }: ScriptInput): Promise<CmdchatError | undefined> {
    this.#chat = chat;
    this.#takeMore();
    const patience = new Patience(this.#options.timeout, clock);
    try {
      const over = Promise.race([this.#enough.promise, this.#stdout.closed, endOf(chat)]);
      const isLate = await patience.within(over) === "late";
      if (isLate) throw timeOver(patience, this.#missing());
    } finally {
      await chat.transfers.settled();
      // What became of the files is told to their senders.
      await Promise.race([chat.sealed.flushed(), clock.wait(FLUSH_MS)]);
      await this.#stdout.flush();
      chat.end();
    }
    return this.#saved < this.#options.count ? this.#fault : undefined;
  }

  /** Accepts as many offers as are still missing. */
  #takeMore(): void {
    const { count } = this.#options;
    while (this.#chat !== undefined && this.#saved + this.#taking.size < count) {
      const n = this.#waiting.shift();
      if (n === undefined) return;
      this.#taking.add(n);
      try {
        this.#chat.transfers.accept(n);
      } catch (error) {
        // The offer ended at the same moment; its event says why.
        if (!(error instanceof CmdchatError)) throw error;
        this.#taking.delete(n);
      }
    }
  }

  #save(n: number, path: string): void {
    this.#taking.delete(n);
    this.#saved++;
    if (!this.#options.json) this.#stdout.print(sanitizeLine(path));
    if (this.#saved === this.#options.count) this.#enough.resolve();
  }

  #fail({ file, fault }: Extract<TransferEvent, { kind: "failed" }>): void {
    const wasTaken = this.#taking.delete(file.n);
    if (this.#waiting.includes(file.n)) this.#waiting.splice(this.#waiting.indexOf(file.n), 1);
    if (!wasTaken) return;
    this.#complain(transferError(`Cannot receive ${quote(file.name)}`, fault));
    // A disk that is full stays full.
    if (fault.code === "not_saved") this.#enough.resolve();
    this.#takeMore();
  }

  #complain(error: CmdchatError): void {
    this.#fault = error;
    printError(errorText(error));
  }

  #missing(): string {
    const { count } = this.#options;
    return this.#saved === 0 ? "No file came" : `Only ${this.#saved} of ${count} files came`;
  }
}
