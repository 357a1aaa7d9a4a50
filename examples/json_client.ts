// What the examples share: the client as a process that speaks JSON, one object per line in both directions (docs/JSON.md).

/** One line of the client, or a result of a request. Fields that a kind does not have are undefined. */
export interface Line {
  readonly kind: string;
  readonly event?: string;
  readonly room?: string;
  readonly sender?: string;
  readonly text?: string;
  readonly own?: boolean;
  readonly mention?: boolean;
  readonly action?: boolean;
  readonly id?: string | number;
  readonly ok?: boolean;
  readonly error?: string;
}

/** A running `cmdchat-client --json`. CMDCHAT_CLIENT may name another command line for it. */
export class JsonClient {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(args: readonly string[]) {
    const [program = "", ...before] = (Deno.env.get("CMDCHAT_CLIENT") ?? "cmdchat-client").split(
      " ",
    );
    this.#child = new Deno.Command(program, {
      args: [...before, "--json", ...args],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
  }

  /** All that it prints, until it ends. */
  async *lines(): AsyncGenerator<Line, void> {
    for await (const line of linesOf(this.#child.stdout)) yield JSON.parse(line) as Line;
  }

  /** Asks for something; its result comes as a line of kind `result`, with the same id. */
  async ask(request: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
  }

  /** Lets it leave once all that was asked is done. */
  async leave(): Promise<void> {
    await this.#input.close();
  }

  /** Its exit code, once its lines have been read to their end. */
  get code(): Promise<number> {
    return this.#child.status.then(({ code }) => code);
  }
}

/** The lines of a stream of bytes, without their ends. */
export async function* linesOf(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of bytes) {
    const lines = (rest + decoder.decode(part, { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
