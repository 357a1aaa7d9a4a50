// A server that puts the whole corpus into every field it has, against the real client in a terminal.
import assert from "node:assert/strict";
import { CLIENT_OPTIONS } from "../../../client/config/client_options.ts";
import {
  HOSTILE_TEXTS,
  TERMINAL_SEQUENCES,
  UNICODE_TRICKS,
} from "../../helpers/hostile/hostile_text.ts";
import { runProgram } from "../../helpers/programs/programs.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import {
  OWN_QUESTIONS,
  OWN_REPLIES,
  TerminalClient,
} from "../../helpers/system/terminal_client.ts";
import { type V1Link, V1Server } from "../../helpers/peers/v1_server.ts";

const test = skipWithout("script", "stty");

// A client that knows better sessions takes this server only when told to.
const LEGACY = "legacy" in CLIENT_OPTIONS ? ["--legacy"] : [];
const OWN_ID = 7;
const LABEL_MAX = 1_024;
const TIME_MAX = 64;
const EVENTS = ["joined", "left", "renamed", "names", "refused", "rate_limited", "notice"];
// deno-lint-ignore no-control-regex -- what must not be there
const CONTROL_BUT_NEWLINE = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;

// deno-lint-ignore no-control-regex -- escape sequences
const OWN_MODES = /\x1b\[\?(?:7|25|2004|2026)[hl]/g;
// Strings, questions, resets, modes, scrolling: nothing that the client itself ever sends.
// deno-lint-ignore no-control-regex -- escape sequences
const FOREIGN_SEQUENCE = /\x1b(?:[^[]|\[[\d;?>=]*[^\d;?>=mABCGHJK])|[\x05\x07\x0e\x0f\x7f-\x9f]/;

const label = (text: string) => text.slice(0, LABEL_MAX);
const ALL_SEQUENCES = label(TERMINAL_SEQUENCES.map(({ text }) => text.slice(0, 40)).join(""));
const ALL_TRICKS = label(UNICODE_TRICKS.map(({ text }) => text.slice(0, 40)).join(""));

/** One text in every field of every kind of message. */
async function sendEverywhere(link: V1Link, text: string): Promise<void> {
  const stamp = { room: label(text), timestamp: text.slice(0, TIME_MAX) };
  const name = label(text);
  for (const client_id of [OWN_ID, OWN_ID + 1]) {
    await link.chat(text, { ...stamp, client_id, sender: name });
    for (const event of EVENTS) {
      const fields = { event, name, previous: name, names: [name, name] };
      await link.system(text, { ...stamp, client_id, ...fields });
    }
    await link.system(text, { ...stamp, client_id });
    const file = {
      file_id: text.slice(0, 128) || "x",
      filename: name,
      filesize: 1,
      total_chunks: 1,
    };
    await link.send({ type: "file_init", ...file, ...stamp, client_id, sender: name });
  }
}

function startClient(port: number): TerminalClient {
  return new TerminalClient({ args: ["--port", String(port), "--name", "alice", ...LEGACY] });
}

function assertTerminalIsWell({ replies, noises, terminal, lines, raw }: TerminalClient): void {
  assert.match(replies.join(""), OWN_REPLIES);
  assert.deepEqual(noises, []);
  const { bracketedPasteMode, mouseTrackingMode, wraparoundMode, insertMode } = terminal.modes;
  assert.deepEqual(
    { bracketedPasteMode, mouseTrackingMode, wraparoundMode, insertMode },
    {
      bracketedPasteMode: true,
      mouseTrackingMode: "none",
      wraparoundMode: true,
      insertMode: false,
    },
  );
  assert.equal(terminal.buffer.active.type, "normal");
  assert.doesNotMatch(raw.replace(OWN_QUESTIONS, "").replace(OWN_MODES, ""), FOREIGN_SEQUENCE);
  assert.match(lines.at(-1) ?? "", / · server can read · connected/);
}

test("no field of an evil server moves the terminal", async () => {
  await using server = new V1Server();
  await using client = startClient(server.port);
  const link = await server.join();
  // A name that the server gives us and then says rings the bell, as it should.
  await client.type("/bell off\r");
  await client.shows(/bell = off$/);
  for (const [index, { text }] of HOSTILE_TEXTS.entries()) {
    await sendEverywhere(link, text);
    await link.system("back to alice", { event: "renamed", previous: "x", name: "alice" });
    await link.chat(`mark ${index}.`, { client_id: OWN_ID + 2, sender: "bob" });
  }
  await link.system("back", { event: "joined", name: "alice", room: "lobby" });
  await link.chat("the end.", { client_id: OWN_ID + 2, sender: "bob" });
  await client.shows(/<bob> the end\.$/);
  await client.settled();
  assertTerminalIsWell(client);
  const marks = client.lines.filter((line) => /^\d\d:\d\d:\d\d #1 <bob> mark \d+\.$/.test(line));
  assert.equal(marks.length, HOSTILE_TEXTS.length);
});

for (const [what, text] of [["escape sequences", ALL_SEQUENCES], ["tricks", ALL_TRICKS]] as const) {
  test(`a name and a room that a server gives do nothing in prompt and status line: ${what}`, async () => {
    await using server = new V1Server({ welcome: { name: text, room: text } });
    await using client = startClient(server.port);
    const link = await server.join();
    await link.chat("hello.", { client_id: OWN_ID + 1, sender: "bob", room: text });
    await client.shows(/<bob> hello\.$/);
    await client.settled();
    assertTerminalIsWell(client);
  });

  test(`a server's reason for a refusal is one harmless line: ${what}`, async () => {
    await using server = new V1Server({
      answer: () => ({ type: "handshake_error", reason: text }),
    });
    const args = ["run", "--no-check", "-A", "client/main.ts", "--port", String(server.port)];
    const [ended] = await Promise.all([
      runProgram(Deno.execPath(), {
        args: [...args, ...LEGACY],
        env: { HOME: Deno.env.get("HOME") ?? "" },
      }),
      server.join(),
    ]);
    assert.notEqual(ended.code, 0);
    assert.doesNotMatch(ended.stdout + ended.stderr, CONTROL_BUT_NEWLINE);
    assert.match(ended.stderr, /^(?:warning: --legacy: .*\n)?error: .*\n(?:hint: .*\n)?$/);
  });
}
