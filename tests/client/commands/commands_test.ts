import assert from "node:assert/strict";
import type { CommandContext } from "../../../client/commands/command.ts";
import { slashUsage, WORDS_OF_OTHERS } from "../../../client/commands/command.ts";
import {
  COMMAND_GROUPS,
  COMMANDS,
  findSlashCommand,
  parseLine,
  runCommand,
} from "../../../client/commands/dispatcher.ts";
import { helpText, slashHelp } from "../../../client/commands/screen_commands.ts";
import { wrapLines } from "../../../client/render/wrap.ts";
import { BINDINGS, ROOM_KEYS } from "../../../client/editing/key_bindings.ts";
import { ConnectionError, UsageError } from "../../../shared/base/errors.ts";
import {
  eventOf,
  type FakeChat,
  FakeSession,
  membersOf,
  startChat,
} from "../../helpers/fakes/chat_fakes.ts";

const TERMINAL = { first: 11, columns: 80, table: true } as const;

interface Story extends FakeChat {
  readonly session: FakeSession;
  readonly quits: number[];
  readonly run: (line: string) => Promise<unknown>;
}

interface StoryOptions {
  readonly connected?: boolean;
  readonly downloads?: boolean;
  /** The session of a second connection. */
  readonly next?: FakeSession;
}

async function story(options: StoryOptions = {}): Promise<Story> {
  const session = new FakeSession();
  const fake = await startChat([session, ...options.next === undefined ? [] : [options.next]]);
  if (options.connected === false) await session.drop();
  const quits: number[] = [];
  const context: CommandContext = {
    chat: fake.chat,
    downloads: options.downloads ?? true,
    groups: COMMAND_GROUPS,
    quit: () => void quits.push(1),
  };
  const run = async (line: string) => {
    const parsed = parseLine(line);
    assert.equal(parsed.kind, "command");
    return parsed.kind === "command"
      ? await runCommand(parsed.row, parsed.argument, context)
      : null;
  };
  return { ...fake, session, quits, run };
}

Deno.test("every command has a help line, and no name or alias is used twice", () => {
  const words = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases ?? []]);
  assert.equal(new Set(words).size, words.length);
  for (const row of COMMANDS) {
    assert.match(row.help, /^[a-z].*[^.]$/);
    assert.ok(slashHelp(COMMANDS).includes(slashUsage(row)));
  }
  for (const word of ["nick", "join", "send", "clear", "help", "quit"]) {
    assert.ok(findSlashCommand(word), word);
  }
});

Deno.test("/help names keys that the prompt knows", () => {
  const help = helpText(COMMAND_GROUPS, "keys");
  const keys = [...help.matchAll(/(?:Ctrl|Alt)-[A-Z]\b/g)].map(([key]) => key.toLowerCase());
  // Handled by the prompt itself, not by the editor.
  const ofPrompt = ["ctrl-c", "ctrl-d", "ctrl-l", "ctrl-r", "ctrl-x", "ctrl-z"];
  for (const key of keys) {
    assert.ok(key in BINDINGS || ROOM_KEYS.has(key) || ofPrompt.includes(key), key);
  }
});

Deno.test("/help fits on a screen and names every command; /help all says what each does", () => {
  const [overview, all] = ["", "all"].map((argument) => helpText(COMMAND_GROUPS, argument));
  assert.ok(wrapLines((overview ?? "").split("\n"), TERMINAL).length <= 20, overview);
  for (const row of COMMANDS) {
    assert.match(overview ?? "", new RegExp(`/${row.name}( |$)`, "m"));
    assert.ok(all?.includes(row.help), row.name);
    assert.ok(helpText(COMMAND_GROUPS, row.name).includes(row.help), row.name);
  }
  assert.match(all ?? "", /\/\/TEXT/);
  assert.throws(() => helpText(COMMAND_GROUPS, "nonsense"), UsageError);
});

Deno.test("parseLine() tells messages from commands", () => {
  assert.deepEqual(parseLine("hello /nick"), { kind: "message", text: "hello /nick" });
  assert.deepEqual(parseLine("//nick"), { kind: "message", text: "/nick" });
  const parsed = parseLine("/NICK   bob  ");
  assert.ok(parsed.kind === "command" && parsed.row.name === "nick" && parsed.argument === "bob");
  assert.throws(
    () => parseLine("/jion"),
    (error) => error instanceof UsageError && error.hint === "did you mean /join?",
  );
  assert.throws(
    () => parseLine("/usr/bin/env"),
    (error) =>
      error instanceof UsageError &&
      /^\/help lists all commands; start the line with \/\//.test(error.hint ?? ""),
  );
});

Deno.test("a word of other chats leads to the command of this one", () => {
  const known = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases ?? []]);
  for (const [word, name] of WORDS_OF_OTHERS) {
    assert.ok(!known.includes(word), word);
    assert.ok(known.includes(name), name);
    assert.throws(() => parseLine(`/${word} x`), { hint: `did you mean /${name}?` });
  }
});

Deno.test("the dispatcher enforces what a row declares", async () => {
  const { run, session } = await story();
  await assert.rejects(run("/nick"), /the form is \/nick NAME/);
  await assert.rejects(run("/clear all"), /it takes no argument/);
  await assert.rejects(run("/nick a<b"), UsageError);
  assert.deepEqual(session.sent, []);
  const off = await story({ connected: false });
  for (const line of ["/nick bob", "/join dev", "/send x"]) {
    await assert.rejects(off.run(line), ConnectionError);
  }
  const careful = await story({ downloads: false });
  await assert.rejects(careful.run("/accept 1"), /this client may not save files/);
});

Deno.test("/nick and /join ask the server for what is normalised", async () => {
  const { run, session } = await story();
  run("/nick  bob   b ");
  run("/join DEV");
  assert.deepEqual(session.sent, [
    { kind: "rename", id: 1, name: "bob b" },
    { kind: "join", id: 2, title: "dev" },
  ]);
});

Deno.test("/join to the room that one is in says so", async () => {
  const { run, session, console } = await story();
  await run("/join Lobby");
  assert.deepEqual(session.sent, []);
  assert.match(console.printed.at(-1) ?? "", /You are already in "lobby"/);
});

Deno.test("/names lists who is there", async () => {
  const { run, session, console } = await story();
  await session.deliver(membersOf("alice", "bob"));
  await run("/who");
  assert.equal(console.printed.at(-1), '- In "lobby": alice, bob');
  for (
    const [typed, shown] of [["BO", "bob"], ['"bob"', "bob"], ["li", "alice"], [
      "x",
      'no name with "x"',
    ]]
  ) {
    await run(`/names ${typed}`);
    assert.equal(console.printed.at(-1), `- In "lobby": ${shown}`);
  }
});

Deno.test("/files, /accept, /reject and /cancel speak of numbers", async () => {
  const { run, session, console, chat } = await story();
  await run("/files");
  assert.equal(console.printed.at(-1), "- There are no offers and no transfers.");
  await session.deliver(
    eventOf("offer", {
      client: 8,
      name: "bob",
      request: 0,
      file: "f1",
      filename: "a.txt",
      size: 5,
      chunks: 1,
      to: 0,
      folder: false,
    }),
  );
  await run("/files");
  assert.equal(console.printed.at(-1), '- files:\n- 1: "a.txt" (5 bytes) from <bob>: offered');
  await assert.rejects(run("/accept first"), /the argument is the number of a file/);
  await assert.rejects(run("/cancel 99"), UsageError);
  await run("/reject #1");
  assert.match(console.printed.at(-1) ?? "", /^- Refused file 1/);
  await chat.transfers.dispose();
});

Deno.test("/send @NAME offers a file to the member of that name alone, and says what else was typed", async () => {
  const { run, session, console, chat } = await story();
  await session.deliver(membersOf("alice", "bob", "jane doe"));
  const folder = await Deno.makeTempDir();
  try {
    for (const name of ["a.txt", "@bob"]) await Deno.writeTextFile(`${folder}/${name}`, "x");
    const sentTo = () =>
      session.sent.flatMap((request) => request.kind === "offer" ? [request.to] : []);
    const clientOf = (name: string) => chat.room.roster.find(name)?.client;
    await run(`/send @bob ${folder}/a.txt`);
    await run(`/send @"jane doe" ${folder}/a.txt`);
    assert.deepEqual(sentTo(), [clientOf("bob"), clientOf("jane doe")]);
    assert.match(console.printed.join("\n"), /Offering file 1, "a\.txt" \(1 bytes?\) to bob alone/);
    await run("/files");
    assert.match(console.printed.at(-1) ?? "", /1: "a\.txt" \(1 bytes?\) for <bob> alone: sending/);
    await run(`/send ${folder}/@bob`);
    assert.equal(sentTo().at(-1), 0, "a file of that name, to all");
    await assert.rejects(run("/send @bert x"), (error: UsageError) => {
      assert.match(error.message, /Cannot find "bert": nobody in this room/);
      assert.match(error.hint ?? "", /a file whose name begins with @ is \.\/@NAME/);
      return true;
    });
    await assert.rejects(run("/send @alice x"), /Cannot send a file to yourself/);
    await assert.rejects(run("/send @bob"), /it needs a path/);
  } finally {
    await chat.transfers.dispose();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("/last shows again what was said, /clear forgets it", async () => {
  const { run, session, console } = await story();
  for (const text of ["one", "two", "three"]) await session.deliver(eventOf("notice", { text }));
  console.printed.length = 0;
  await run("/last 2");
  assert.deepEqual(console.printed, ["* two", "* three"]);
  await assert.rejects(run("/last many"), /the argument is a number/);
  await run("/clear");
  assert.equal(console.cleared, 1);
  console.printed.length = 0;
  await run("/last");
  assert.deepEqual(console.printed, [
    "- No lines are kept: nothing was said since the start, or since /clear.",
  ]);
});

Deno.test("/status says who the server is, what protects the way to it, and which protocol is spoken", async () => {
  const fingerprint = "SHA256:gfCOkTpYGNqX3fuCtWaOvS-Ow2v8pz3NjflTPAJix68" as never;
  const place = { host: "chat.example.org", port: 6_400, token: undefined };
  const line = "- lobby · alice · server can read · connected";
  const cases = [
    [{ fingerprint }, { tls: true }, {}, [
      line,
      "- server: chat.example.org:6400, TLS, protocol 2: encrypted to the server, with forward secrecy",
      `- fingerprint: ${fingerprint} (as expected)`,
    ]],
    [{ fingerprint }, { tls: true, webSocket: true }, { isProven: () => false }, [
      "- lobby · alice · server can read · server not proven · connected",
      "- server: chat.example.org:6400, WebSocket in TLS, protocol 2: encrypted to the server, with " +
      "forward secrecy",
      `- fingerprint: ${fingerprint} (not compared)`,
    ]],
    [{ fingerprint }, { tls: true }, { isCompared: () => false }, [
      line,
      "- server: chat.example.org:6400, TLS, protocol 2: encrypted to the server, with forward secrecy",
      `- fingerprint: ${fingerprint} (not compared; the certificate is valid)`,
    ]],
    [{ fingerprint }, { tls: false }, { isCompared: () => false }, [
      line,
      "- server: chat.example.org:6400, no TLS, protocol 2: encrypted to the server, with forward secrecy",
      `- fingerprint: ${fingerprint} (not compared; there is no network in between)`,
    ]],
    // With --tls-insecure, the certificate proves nothing.
    [{ fingerprint }, { tls: true }, { isCompared: () => false, isUnverified: () => true }, [
      line,
      "- server: chat.example.org:6400, TLS (certificate not known here), protocol 2: encrypted to the server, with " +
      "forward secrecy",
      `- fingerprint: ${fingerprint} (not compared; there is no network in between)`,
    ]],
    [{ fingerprint }, { host: "a.onion.", tls: false }, { isCompared: () => false }, [
      line,
      "- server: a.onion.:6400, no TLS, protocol 2: encrypted to the server, with forward secrecy",
      `- fingerprint: ${fingerprint} (not compared; the onion address proves it)`,
    ]],
    [{ isV1: true }, { tls: false }, {}, [
      line,
      "- server: chat.example.org:6400, no TLS, old protocol: no forward secrecy",
      "- fingerprint: none; the old protocol does not say who the server is",
    ]],
  ] as const;
  for (const [welcome, way, options, shown] of cases) {
    const address = { ...place, ...way };
    const { chat, console } = await startChat([new FakeSession(welcome)], { address, ...options });
    const context = { chat, downloads: true, groups: COMMAND_GROUPS, quit: () => {} };
    await runCommand(findSlashCommand("status")!, "", context);
    assert.deepEqual(console.printed.at(-1)?.split("\n"), shown);
    chat.end();
  }
  const { run, console } = await story({ connected: false });
  await run("/status");
  assert.match(
    console.printed.at(-1) ?? "",
    /server: 127\.0\.0\.1:5050, no TLS, no connection now$/,
  );
});

Deno.test("/help lists all commands, /help COMMAND says what one does", async () => {
  const { run, console } = await story();
  await run("/help");
  assert.match(console.printed.at(-1) ?? "", /^- rooms {9}\/join \/leave /m);
  await run("/help /q");
  assert.match(console.printed.at(-1) ?? "", /^- \/quit {2}leave.*\(also \/exit, \/q\)$/);
  await assert.rejects(run("/help nothing"), /there is no such command/);
});

Deno.test("/quit quits", async () => {
  const { run, quits } = await story();
  await run("/exit");
  assert.equal(quits.length, 1);
});

Deno.test("/reconnect does not say that the server closed what the user ended", async () => {
  const next = new FakeSession();
  const fake = await story({ next });
  await fake.run("/reconnect");
  await fake.session.drop();
  assert.deepEqual(fake.console.printed.slice(-2), [
    "- You ended the connection; trying again",
    '- Connected again as "alice" in "lobby"',
  ]);
  await next.drop();
  assert.equal(fake.console.printed.at(-1), "- The server closed the connection; trying again");
});
