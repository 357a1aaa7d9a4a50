// The pictures of the README (docs/*.svg), recorded from a real run: the server, three clients in terminal emulators,
// and what they type. `deno task pictures` makes them again.

import { startServer } from "../../tests/helpers/programs/server_process.ts";
import { TerminalClient } from "../../tests/helpers/system/terminal_client.ts";
import { openSlowLink } from "./slow_link.ts";
import { type Frame, frameOf, svgOf } from "./terminal_svg.ts";

const BYTES_PER_SECOND = 3_000_000;
const SIZE = { columns: 84, rows: 22 };

/** What is seen in one terminal, step by step. */
class Recording {
  readonly frames: Frame[] = [];
  readonly #client: TerminalClient;

  constructor(client: TerminalClient) {
    this.#client = client;
  }

  /** Keeps what is on the screen now, to stand for so long. */
  async keep(seconds: number): Promise<void> {
    await this.#client.settled();
    this.frames.push(frameOf(this.#client.terminal, seconds));
  }

  /** Whether a bar was seen already. */
  get isMoving(): boolean {
    return this.frames.some(({ text }) => / \d+ %/.test(text));
  }

  /** Types a line as a person does, a few letters at a time. */
  async type(text: string): Promise<void> {
    const parts = text.match(/.{1,6}/gsu) ?? [];
    let typed = "";
    for (const part of parts) {
      typed += part;
      await this.#client.type(part);
      const end = typed.split(/[\r\n]/).at(-1) ?? "";
      await this.#client.until(() => this.#client.lines.some((line) => line.endsWith(end)), {
        what: `"${typed}" on the screen`,
      });
      await this.keep(0.25);
    }
  }
}

async function recordChat(folder: string): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startServer());
  const open = (name: string, ...more: string[]) =>
    stack.use(
      new TerminalClient({
        args: ["--port", String(server.port), "--name", name, "--download-dir", folder, ...more],
        env: { COLORTERM: "truecolor" },
        ...SIZE,
      }),
    );
  const alice = open("alice");
  await alice.shows(/In "lobby": alice/);
  const recording = new Recording(alice);
  await recording.keep(1);
  const [bob, carol] = [open("bob"), open("carol")];
  await Promise.all([bob, carol].map((client) => client.shows(/In "lobby":/)));
  await alice.shows(/carol joined|joined \(.*carol/);
  await recording.keep(1.2);
  const says = async (client: TerminalClient, text: string, shown: RegExp) => {
    await client.type(text);
    await client.type("\r");
    await alice.shows(shown);
    await recording.keep(1.2);
  };
  await says(carol, "good evening! the deployment begins in ten minutes", /<carol> good evening/);
  await recording.type("is everybody her");
  await says(
    bob,
    "alice: yes. here is what I run, see https://example.org/runbook",
    /<bob> alice: yes/,
  );
  await recording.type("e? 漢字 and 👍 too");
  await alice.type("\r");
  await alice.shows(/<alice> is everybody here/);
  await recording.keep(0.8);
  await says(
    bob,
    "```\x1b\rfor host in a b c; do\x1b\r    ssh $host  systemctl restart app\x1b\rdone\x1b\r```",
    /^ {4}done$/,
  );
  await says(carol, "/me puts the kettle on", /<carol> \* puts/);
  await recording.type("/msg carol tea for two, ple");
  await alice.type("ase\r");
  await alice.shows(/alice → carol/);
  await recording.keep(1.5);
  await recording.type("half a sentence that nobody interr");
  await carol.type("/quit\r");
  await alice.shows(/carol left/);
  await recording.keep(4);
  return svgOf(recording.frames, { ...SIZE, title: "A chat of three people, as alice sees it" });
}

async function recordFile(folder: string): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startServer());
  const link = stack.use(openSlowLink(server.port, BYTES_PER_SECOND));
  const size = { columns: 84, rows: 12 };
  const open = (name: string, port: number) =>
    stack.use(
      new TerminalClient({
        args: [
          "--port",
          String(port),
          "--name",
          name,
          "--download-dir",
          `${folder}/${name}`,
        ],
        env: { COLORTERM: "truecolor" },
        ...size,
      }),
    );
  const alice = open("alice", server.port);
  await alice.shows(/In "lobby": alice/);
  const bob = open("bob", link.port);
  await alice.shows(/bob joined/);
  const path = `${folder}/holiday.tar`;
  const bytes = new Uint8Array(10 * 1_024 * 1_024);
  for (let at = 0; at < bytes.length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  await Deno.writeFile(path, bytes);
  const recording = new Recording(bob);
  await bob.shows(/In "lobby"/);
  await recording.keep(0.8);
  await alice.type(`/send ${path}\r`);
  await bob.shows(/offers file 1/);
  await recording.keep(0.8);
  await recording.type("/accept 1\r");
  for (const percent of [10, 30, 50, 70, 90]) {
    const isThere = () =>
      bob.lines.some((line) => Number(/ (\d+) %/.exec(line)?.[1] ?? 0) >= percent) ||
      bob.lines.filter((line) => line.startsWith("receiving")).length === 0 && recording.isMoving;
    await bob.until(isThere, { what: `${percent} %` });
    await recording.keep(0.7);
  }
  await bob.shows(/SHA-256/);
  await recording.keep(4);
  const told = svgOf(recording.frames, { ...size, title: "A file on its way, as bob sees it" });
  // Where the recording kept its files is nobody's business.
  return told.replaceAll(`${folder}/bob`, "/home/bob/Downloads");
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-" });
  try {
    for (const [name, record] of [["chat", recordChat], ["file", recordFile]] as const) {
      await Deno.writeTextFile(
        new URL(`../../docs/${name}.svg`, import.meta.url),
        await record(folder),
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
