// `cmdchat-client recv`: prints what others say, until so many messages came or the time is over.

import { sanitizeText } from "../../shared/base/sanitize.ts";
import { createJsonRenderer } from "../render/json.ts";
import { type ChatLine, safeName } from "../render/text.ts";
import type { Script, ScriptInput } from "../app/script.ts";
import { endOf, Patience, timeOver } from "./patience.ts";
import { ScriptOutput } from "./script_output.ts";
import { StdoutLines } from "../base/stdout_lines.ts";

/** What `recv` was asked for. */
export interface RecvOptions {
  /** Messages to take; undefined = all. */
  readonly count: number | undefined;
  /** Seconds in all; undefined = for ever. */
  readonly timeout: number | undefined;
  /** Whose messages to take; undefined = everybody's. */
  readonly from: string | undefined;
  readonly json: boolean;
  /** Puts `<NAME> ` in front. */
  readonly names: boolean;
}

/** The script that receives. */
export function recvScript(options: RecvOptions): Script {
  const receiving = new Receiving(options);
  return {
    receives: false,
    output: (base) => new ScriptOutput(base, { onChat: (line) => receiving.take(line) }),
    read: (input) => receiving.run(input),
  };
}

class Receiving {
  readonly #options: RecvOptions;
  readonly #renderer = createJsonRenderer();
  readonly #stdout = new StdoutLines();
  readonly #enough = Promise.withResolvers<void>();
  #taken = 0;

  constructor(options: RecvOptions) {
    this.#options = options;
  }

  take(line: ChatLine): void {
    const { count, from } = this.#options;
    if (line.own || !isFrom(line.sender, from)) return;
    // More may come before the link is closed.
    if (count !== undefined && this.#taken >= count) return;
    this.#taken++;
    this.#stdout.print(this.#format(line));
    if (this.#taken === count) this.#enough.resolve();
  }

  async run({ chat, clock }: ScriptInput): Promise<undefined> {
    const { timeout, count } = this.#options;
    const patience = new Patience(timeout, clock);
    const over = Promise.race([this.#enough.promise, this.#stdout.closed, endOf(chat)]);
    try {
      const outcome = await patience.within(over);
      if (outcome !== "late" || count === undefined) return;
    } finally {
      await this.#stdout.flush();
      chat.end();
    }
    const what = this.#taken === 0 ? "No message came" : `Only ${this.#taken} of ${count} came`;
    throw timeOver(patience, what);
  }

  #format(line: ChatLine): string {
    if (this.#options.json) return this.#renderer.chat(line);
    const { sender, text } = line;
    return this.#options.names ? `<${safeName(sender)}> ${sanitizeText(text)}` : sanitizeText(text);
  }
}

/** Whether `sender` is the one that was named; any is where none was. Case does not count. */
export function isFrom(sender: string, wanted: string | undefined): boolean {
  const folded = (name: string) => name.normalize("NFKC").toLowerCase();
  return wanted === undefined || folded(sender) === folded(wanted);
}
