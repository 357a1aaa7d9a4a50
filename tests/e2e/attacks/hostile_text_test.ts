// The real server and real clients in terminals, and a member who sends the whole corpus in every field it has.
import assert from "node:assert/strict";
import { HOSTILE_FILE_NAMES, HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";
import { Program } from "../../helpers/programs/programs.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import {
  OWN_QUESTIONS,
  OWN_REPLIES,
  TerminalClient,
} from "../../helpers/system/terminal_client.ts";
import { frameOf, handshakeOf, RawPeer, V1Peer } from "../../helpers/peers/v1_peer.ts";

const test = skipWithout("script", "stty");

const TOKEN = "token-that-no-log-may-hold";
const ATTACKER = "mallory";
const LABEL_MAX = 1_024;
const FILES_AT_ONCE = 4;
// Longer ones, and what is a name after all, are refused or taken for reasons of their own.
/** Texts that a name may be. */
const POSSIBLE = ["right-to-left text", "right-to-left name", "name that ends a sentence"];
const NAMES = HOSTILE_TEXTS.filter(({ label, text }) =>
  text.length <= LABEL_MAX && !POSSIBLE.includes(label)
);
const FILES = [...HOSTILE_FILE_NAMES, ...HOSTILE_TEXTS].filter(({ text }) =>
  text.length <= LABEL_MAX
);
// What the client itself sends to a terminal: styles, moves of its own input line, modes of its own.
// deno-lint-ignore no-control-regex -- escape sequences
const OWN_SEQUENCES = /\x1b\[(?:[\d;]*m|\d*[ABG]|[CJK]|\?(?:7|25|2004|2026)[hl])|[\r\n\b]/g;
// With it the client's own output begins; before it the runtime may have written.
const FIRST_SEQUENCE = "\x1b[?2004h";
const ORDINARY_MODES = {
  applicationCursorKeysMode: false,
  applicationKeypadMode: false,
  insertMode: false,
  mouseTrackingMode: "none",
  originMode: false,
  reverseWraparoundMode: false,
  sendFocusMode: false,
  synchronizedOutputMode: false,
  wraparoundMode: true,
};
// deno-lint-ignore no-control-regex -- what must not be there
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;

/** The scene: a server, victims behind every renderer, and the attacker. */
interface Scene extends AsyncDisposable {
  readonly server: RunningServer;
  readonly mallory: V1Peer;
  readonly rich: TerminalClient;
  readonly minimal: TerminalClient;
  readonly plain: TerminalClient;
  readonly json: Program;
  readonly downloads: string;
}

async function openScene(): Promise<Scene> {
  const stack = new AsyncDisposableStack();
  const downloads = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(downloads, { recursive: true }));
  const server = stack.use(
    await startServer({
      args: [
        "--rate-limit",
        "off",
        "--max-message",
        "7168",
        "--metrics-interval",
        "1",
        "--connection-rate",
        "off",
      ],
      env: { CMDCHAT_TOKENS: TOKEN, CMDCHAT_LOG_LEVEL: "DEBUG" },
    }),
  );
  const env = { CMDCHAT_TOKEN: TOKEN };
  const options = (name: string, ...more: string[]) => [
    "--port",
    String(server.port),
    "--name",
    name,
    "--renderer",
    name,
    ...more,
  ];
  const rich = stack.use(
    new TerminalClient({
      args: options("rich", "--accept-files", "--download-dir", downloads),
      env,
    }),
  );
  const minimal = stack.use(new TerminalClient({ args: options("minimal"), env, columns: 57 }));
  const plain = stack.use(
    new TerminalClient({
      args: ["--port", String(server.port), "--name", "plain", "--plain"],
      env,
      columns: 64,
    }),
  );
  const json = stack.use(
    new Program(Deno.execPath(), {
      args: ["run", "--no-check", "-A", "client/main.ts", ...options("json")],
      env: { ...env, HOME: Deno.env.get("HOME") ?? "" },
    }),
  );
  await Promise.all([
    rich.shows(/\* In "lobby"/),
    minimal.shows(/\* In "lobby"/),
    plain.shows(/\* In "lobby"/),
    json.prints(/"event":"names"/),
  ]);
  const mallory = stack.use(
    await V1Peer.join({ port: server.port, name: ATTACKER, token: TOKEN }),
  );
  const disposeAll = stack.move();
  return {
    server,
    mallory,
    rich,
    minimal,
    plain,
    json,
    downloads,
    [Symbol.asyncDispose]: () => disposeAll.disposeAsync(),
  };
}

/** All texts as messages and as the server's words, a mark after each, so that a moved row is noticed. */
async function say({ mallory }: Scene): Promise<void> {
  for (const [index, { text }] of HOSTILE_TEXTS.entries()) {
    await mallory.chat(text);
    await mallory.send({ type: "system", message: `forged ${index} ${text}` });
    await mallory.chat(`mark ${index}.`);
  }
}

/** All texts as names of oneself, of rooms and of files. */
async function nameThings({ mallory, rich }: Scene): Promise<void> {
  for (const { text } of NAMES) {
    await mallory.send({ type: "rename", name: text });
    await mallory.send({ type: "switch_room", room: text });
  }
  for (let sent = 0; sent < FILES.length; sent += FILES_AT_ONCE) {
    for (const [index, { text }] of FILES.slice(sent, sent + FILES_AT_ONCE).entries()) {
      await sendFile(mallory, `file ${sent + index}`, text);
    }
    const wanted = Math.min(sent + FILES_AT_ONCE, FILES.length);
    const saved = () => rich.raw.split("SHA-256").length > wanted;
    await rich.until(saved, { what: `${wanted} files saved` });
  }
}

async function sendFile(mallory: V1Peer, id: string, filename: string): Promise<void> {
  const file = { file_id: id, filename, filesize: 1, total_chunks: 1 };
  await mallory.send({ type: "file_init", ...file });
  await mallory.send({
    type: "file_chunk",
    file_id: id,
    chunk_index: 0,
    chunk_data: btoa("x"),
    is_final: true,
  });
}

/** Says a last word and waits until every victim shows it. */
async function everyoneSees(scene: Scene, word: string): Promise<void> {
  const { mallory, rich, minimal, plain, json } = scene;
  await mallory.chat(word);
  await Promise.all([
    rich.shows(new RegExp(`${word}$`)),
    minimal.shows(new RegExp(`${word}$`)),
    plain.shows(new RegExp(`${word}$`)),
    json.prints(new RegExp(`"${word}"`)),
    mallory.hears(word, 20_000),
  ]);
  // A terminal that never is says nothing here: what was done to it is what the steps are for.
  await Promise.allSettled([rich.settled(), minimal.settled(), plain.settled()]);
}

/** Handshakes with each name, each on a connection of its own; what the server answered. */
async function knock({ server }: Scene): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const { text } of NAMES) {
    await using peer = await RawPeer.connect({ port: server.port });
    await peer.write(frameOf(await handshakeOf({ name: text, token: TOKEN })));
    answers.push((await peer.json())?.["reason"]);
  }
  return answers;
}

function assertTerminalIsWell(client: TerminalClient, who: string): void {
  // What the client itself asks at start, and in --plain nothing.
  const replies = who === "plain" ? /^$/ : OWN_REPLIES;
  assert.match(client.replies.join(""), replies, `${who}: nothing else arrives on stdin`);
  assert.deepEqual(client.noises, [], who);
  const { modes, buffer } = client.terminal;
  assert.deepEqual(
    { ...modes, buffer: buffer.active.type },
    { ...ORDINARY_MODES, bracketedPasteMode: true, buffer: "normal" },
    who,
  );
  const painted = client.raw.slice(client.raw.indexOf(FIRST_SEQUENCE));
  assert.doesNotMatch(painted.replace(OWN_QUESTIONS, "").replace(OWN_SEQUENCES, ""), CONTROL, who);
}

/** Each mark is a line of its own, once and in order; what is between belongs to a line that has a sender. A mark keeps right-to-left rows in order. */
function assertNoRowMoved(client: TerminalClient, head: RegExp, who: string): void {
  // Prompt and status line; a plain terminal has neither.
  const below = who === "plain" ? 0 : 2;
  const { lines } = client;
  const marks = lines.filter((line) => / mark \d+\.$/.test(line));
  assert.deepEqual(
    marks.map((line) => line.replace(head, "")),
    HOSTILE_TEXTS.map((_, index) => `mark ${index}.`),
  );
  for (const line of marks) assert.match(line, new RegExp(`<${ATTACKER}> mark \\d+\\.$`), who);
  const chat = lines.slice(
    lines.findIndex((line) => line.includes("mallory")) + 2,
    lines.length - below,
  );
  const stray = chat.filter((line) => !head.test(line) && !/^\u200e? {4}/.test(line));
  assert.deepEqual(stray, [], who);
  assert.ok(!lines.some((line) => line.includes("forged 1 ")), who);
}

function assertVictimsAreWell({ rich, minimal, plain }: Scene): void {
  assertTerminalIsWell(rich, "rich");
  assertTerminalIsWell(minimal, "minimal");
  assertTerminalIsWell(plain, "plain");
  assert.doesNotMatch(plain.raw.slice(plain.raw.indexOf(FIRST_SEQUENCE) + 1), /\p{Cc}\[/u);
  assertNoRowMoved(rich, /^\u200e?\d\d:\d\d:\d\d (?:#\d+ <mallory>(?: |$)|[*-] )/, "rich");
  assertNoRowMoved(minimal, /^\u200e?(?:<mallory>(?: |$)|[*-] )/, "minimal");
  assertNoRowMoved(plain, /^\u200e?(?:<mallory>(?: |$)|[*-] )/, "plain");
  for (const [client, name] of [[rich, "rich"], [minimal, "minimal"]] as const) {
    assert.match(client.lines.at(-2) ?? "", new RegExp(`^${name}@lobby> ?$`));
    assert.match(client.lines.at(-1) ?? "", new RegExp(`^lobby · ${name} · `));
  }
}

test("a hostile member reaches nobody's terminal, disk, stdin or log", async (t) => {
  await using scene = await openScene();
  const { mallory, json, server } = scene;
  await say(scene);
  await everyoneSees(scene, "all is said.");

  await t.step("no victim said a word: no answer of a terminal came back as typed text", () => {
    const others = mallory.history.filter(({ type, sender }) =>
      type === "chat" && sender !== ATTACKER
    );
    assert.deepEqual(others, []);
  });

  await t.step("terminals: no control byte, no row moved, no title, no mode, no reply", () => {
    assertVictimsAreWell(scene);
  });

  await t.step(
    "the JSON renderer keeps one valid line a message, with every character of it",
    () => {
      const lines = json.stdout.trimEnd().split("\n").map((line) => {
        assert.doesNotMatch(line, CONTROL);
        return JSON.parse(line);
      });
      const said = lines.filter(({ kind, text }) =>
        kind === "chat" && !/^(?:mark \d+\.|all is said\.)$/.test(text)
      );
      // v2 carries UTF-8, which has no lone surrogates.
      const sent = HOSTILE_TEXTS.map(({ text }) => text.toWellFormed());
      assert.deepEqual(said.map(({ text }) => text), sent);
    },
  );

  await t.step("a client's system payload never reaches anyone, not even itself", () => {
    assert.ok(!JSON.stringify(mallory.history).includes("forged 1 "));
    assert.ok(!json.stdout.includes("forged 1 "));
  });

  await nameThings(scene);
  await everyoneSees(scene, "all is named.");
  const refused = await knock(scene);

  await t.step("terminals are as well after hostile names of members, rooms and files", () => {
    assertVictimsAreWell(scene);
  });

  await t.step("hostile names and rooms are refused, and the refusal says nothing hostile", () => {
    assert.deepEqual(refused.filter((reason) => reason !== "invalid_name"), []);
    const answers = mallory.history.filter(({ event }) => event === "refused");
    assert.ok(answers.length >= 2 * NAMES.length, `${answers.length} refusals`);
    for (const { message } of answers) assert.doesNotMatch(String(message), CONTROL);
    assert.ok(!mallory.history.some(({ event }) => event === "renamed"));
  });

  await t.step("files land in the folder under harmless names, and nowhere else", () => {
    const saved = [...Deno.readDirSync(scene.downloads)];
    assert.equal(saved.length, FILES.length);
    for (const { name, isFile } of saved) {
      assert.ok(isFile, name);
      // Joiners are a part of letters and emoji; nothing else that is invisible is.
      assert.doesNotMatch(name, /^[.~-]|[/\\:*?"<>|]|(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}]/u);
    }
  });

  await t.step("the log has one line an event and nothing of what was said", async () => {
    const { stderr } = await server.stop();
    assertLogIsClean(stderr, scene);
  });
});

function assertLogIsClean(log: string, { mallory }: Scene): void {
  const lines = log.slice(0, -1).split("\n");
  assert.ok(log.endsWith("\n"));
  for (const line of lines) {
    assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z (?:DEBUG|INFO|WARNING|ERROR|CRITICAL) \S/);
    assert.doesNotMatch(line, CONTROL);
    assert.doesNotMatch(line, /[\u2028\u2029\u202a-\u202e]/);
  }
  const count = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
  assert.equal(count(/ client joined\b/), 5);
  // All of them came from one address, which gets one line at once and one a minute.
  const refused = count(/ handshake refused\b/);
  assert.ok(refused >= 1 && refused <= 4, `${refused} lines`);
  for (const secret of secretsOf(mallory)) assert.ok(!log.includes(secret), secret.slice(0, 40));
}

/** What no log may hold: token, wrapped key, names, texts and file names, as far as they are tellable words. */
function secretsOf(mallory: V1Peer): string[] {
  const words = [
    "pwned",
    "forged",
    "mark 1",
    "all is said",
    "passwd",
    "bashrc",
    "evil",
    "Z\u0301",
    "\u6f22\u6f22",
  ];
  return [TOKEN, ATTACKER, String(mallory.welcome["encrypted_key"]), "BEGIN PUBLIC KEY", ...words];
}
