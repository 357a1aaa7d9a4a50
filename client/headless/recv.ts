// `cmdchat-client recv`: prints messages of others until a number of them or a timeout is reached.

import { sanitizeText } from "../../shared/base/sanitize.ts";
import { createJsonRenderer } from "../render/json.ts";
import { type ChatLine, safeName } from "../render/text.ts";
import type { Script, ScriptInput } from "../app/script.ts";
import { endOf, Patience, timeOver } from "./patience.ts";
import { ScriptOutput } from "./script_output.ts";
import { StdoutLines } from "../base/stdout_lines.ts";

/** Options of `recv`. */
export interface RecvOptions {
  /** Messages to print; undefined = all. */
  readonly count: number | undefined;
  /** Seconds in all; undefined = for ever. */
  readonly timeout: number | undefined;
  /** Only messages of this sender; undefined = of everybody. */
  readonly from: string | undefined;
  readonly json: boolean;
  /** Puts `<NAME> ` in front. */
  readonly names: boolean;
}

/** Creates the script that receives messages. */
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
    // More may arrive before the connection is closed.
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

/** Whether `sender` is `wanted`, in any case; true for everybody if `wanted` is undefined. */
export function isFrom(sender: string, wanted: string | undefined): boolean {
  const folded = (name: string) => name.normalize("NFKC").toLowerCase();
  return wanted === undefined || folded(sender) === folded(wanted);
}
