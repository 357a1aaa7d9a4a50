// `cmdchat-client recv`: prints messages of others until a number of them or a timeout is reached.

import { sanitizeText } from "../../shared/base/sanitize.ts";
import { createJsonRenderer } from "../render/json.ts";
import { type ChatLine, foldCase, safeLines, whoSays } from "../render/text.ts";
import { plainText } from "../render/shown.ts";
import { breakWords, wrapLines } from "../render/wrap.ts";
import { columnsOf } from "../terminal/tty.ts";
import { fromTheLeft, mostTextWidth } from "../terminal/width.ts";
import type { Script, ScriptInput } from "../app/script.ts";
import { endOf, Patience, timeOver } from "../app/patience.ts";
import { ScriptOutput } from "./script_output.ts";
import { StdoutLines } from "../base/stdout_lines.ts";

// Fewer cells beside the name are not worth a row.
const TEXT_CELLS_MIN = 8;

/** Options of `recv`. */
export interface RecvOptions {
  /** Messages to print; undefined = all. */
  readonly count: number | undefined;
  /** Seconds in all; undefined = forever. */
  readonly timeout: number | undefined;
  /** Only messages of this sender; undefined = of everybody. */
  readonly from: string | undefined;
  readonly json: boolean;
  /** Whether every row begins with `<NAME> `. */
  readonly names: boolean;
  /** Also what the room shows to those who come later: without it, only what is said from now on. */
  readonly backlog: boolean;
}

/** Creates the script that receives messages. */
export function recvScript(options: RecvOptions): Script {
  const receiving = new Receiving(options);
  return {
    receives: false,
    output(base) {
      const onChat = (line: ChatLine) => receiving.take(line);
      return new ScriptOutput(base, options.backlog ? { onChat, onBacklog: onChat } : { onChat });
    },
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
    if (this.#options.json) return plainText(this.#renderer.chat(line));
    return this.#options.names
      ? namedRows(line, columnsOf("stdout"))
      : fromTheLeft(sanitizeText(line.text));
  }
}

/** The text of a message with its sender before every row, so that none can pass for another member's. */
export function namedRows(
  { sender, text }: Pick<ChatLine, "sender" | "text">,
  columns: number | undefined,
): string {
  const mark = `${whoSays({ sender })} `;
  const rows = safeLines(text).flatMap((line) =>
    columns === undefined ? [mark + line] : markedRows(mark, line, columns)
  );
  return fromTheLeft(rows.map((row) => row.trimEnd()).join("\n"));
}

function markedRows(mark: string, line: string, columns: number): string[] {
  const width = columns - mostTextWidth(mark);
  // A long name in a narrow terminal: the rows are indented under it.
  if (width < TEXT_CELLS_MIN) return wrapLines([mark + line], { first: 0, columns });
  return breakWords(line, { first: 0, rest: 0, columns: width })
    .map(({ start, end }) => mark + line.slice(start, end));
}

/** Whether `sender` is `wanted`, in any case; true for everybody if `wanted` is undefined. */
export function isFrom(sender: string, wanted: string | undefined): boolean {
  return wanted === undefined || foldCase(sender) === foldCase(wanted);
}
