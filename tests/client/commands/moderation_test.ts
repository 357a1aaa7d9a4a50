import assert from "node:assert/strict";
import { COMMAND_GROUPS, parseLine, runCommand } from "../../../client/commands/dispatcher.ts";
import { createJsonRenderer } from "../../../client/render/json.ts";
import { plainText } from "../../../client/render/shown.ts";
import type { EventOf } from "../../../shared/messages/messages_v2.ts";
import { UsageError } from "../../../shared/base/errors.ts";
import {
  eventOf,
  FakeSession,
  LOBBY,
  membersOf,
  START,
  startChat,
} from "../../helpers/fakes/chat_fakes.ts";

const PIN = { sequence: 0, author: 0, authorName: "", text: "" };
const PINNED = { sequence: 3, author: 8, authorName: "eve", text: "read this" };
const RULES = { ops: [], locked: false, slow: 0, ...PIN, backlog: 0 };

async function story() {
  const session = new FakeSession();
  const fake = await startChat([session]);
  await session.deliver(membersOf("alice", "eve", "e v e"));
  const run = (line: string) => {
    const parsed = parseLine(line);
    assert.ok(parsed.kind === "command");
    const context = { chat: fake.chat, downloads: true, groups: COMMAND_GROUPS, quit: () => {} };
    return runCommand(parsed.row, parsed.argument, context);
  };
  const asked = () => session.sent.filter((request) => request.kind === "moderate");
  return { ...fake, session, run, asked };
}

Deno.test("/kick, /ban, /mute, /lock and /slow ask with the number, the time and the reason", async () => {
  const { run, asked } = await story();
  const lines = [
    "/kick eve",
    "/kick e v e too loud",
    "/ban eve 30m spam",
    "/mute eve 10s",
    "/mute eve too loud",
    "/lock",
  ];
  for (const line of [...lines, "/slow 10s", "/slow off", "/slow 0"]) void run(line);
  assert.deepEqual(
    asked().map((request) =>
      request.kind === "moderate" ? [request.what, request.seconds, request.text] : []
    ),
    [
      ["kick", 0, ""],
      ["kick", 0, "too loud"],
      ["ban", 1_800, "spam"],
      ["mute", 10, ""],
      ["mute", 0, "too loud"],
      ["lock", 0, ""],
      ["slow", 10, ""],
      ["slow", 0, ""],
      ["slow", 0, ""],
    ],
  );
});

Deno.test("a reason that is too long is refused before anything is sent, and counted in bytes", async () => {
  const { run, asked } = await story();
  for (const command of ["/kick eve", "/ban eve 30m", "/mute eve"]) {
    await assert.rejects(async () => await run(`${command} ${"ü".repeat(129)}`), {
      name: "LimitError",
      message: /it has 258 bytes, at most 256 are allowed/,
    });
    void run(`${command} ${"ü".repeat(128)}`);
  }
  assert.equal(asked().length, 3);
});

Deno.test("what cannot be meant is refused before anything is sent", async () => {
  const { run, asked } = await story();
  const lines = ["/kick nobody", "/slow soon", "/slow 31d", "/ban nobody 30m", "/unmute eve now"];
  // As a reason, what was meant as a time would be for good.
  for (const time of ["0", "2x", "10min", "31d", "-5m", "1.5h", "30 minutes", "3 strikes"]) {
    lines.push(`/ban eve ${time}`, `/mute eve ${time}`);
  }
  for (const line of lines) {
    await assert.rejects(async () => await run(line), UsageError, line);
  }
  assert.deepEqual(asked(), []);
});

Deno.test("who is removed reads why and is out of the room; who made it is told what that is good for", async () => {
  const { session, console, chat } = await story();
  await session.deliver(
    eventOf("rules", { room: LOBBY, maker: chat.clientId ?? 0, ...RULES }),
  );
  assert.match(console.printed.at(-1) ?? "", /You made this room: \/kick/);
  await session.deliver(eventOf("moderated", {
    room: LOBBY,
    at: 0,
    client: 9,
    name: "eve",
    request: 1,
    what: "ban",
    whom: chat.clientId ?? 0,
    whomName: "alice",
    seconds: 60,
    text: "noise",
  }));
  assert.match(console.printed.at(-2) ?? "", /eve banned alice for 1 minute: noise/);
  assert.equal(chat.rooms.byTitle("lobby"), undefined);
});

Deno.test("that somebody is gone who was removed just now is told once to people, and in full to programs", async () => {
  const { session, console, chat } = await story();
  await session.deliver(
    eventOf("joined", { room: LOBBY, client: 8, name: "eve", old: false }),
    eventOf("joined", { room: LOBBY, client: 9, name: "bob", old: false }),
  );
  const gone = (client: number, name: string) => eventOf("left", { room: LOBBY, client, name });
  const decision = { room: LOBBY, request: 0, seconds: 0, text: "" };
  for (const what of ["kick", "ban"] as const) {
    const whom = what === "kick" ? { whom: 8, whomName: "eve" } : { whom: 9, whomName: "bob" };
    console.printed.length = 0;
    await session.deliver(eventOf("moderated", { ...decision, what, ...whom }));
    await session.deliver(gone(whom.whom, whom.whomName));
    assert.equal(console.printed.length, 1, console.printed.join());
    assert.equal(chat.room.roster.find(whom.whomName), undefined);
  }
  // Whoever comes again and goes by themselves is told of.
  await session.deliver(eventOf("joined", { room: LOBBY, client: 9, name: "bob", old: false }));
  await session.deliver(gone(9, "bob"));
  assert.match(console.printed.at(-1) ?? "", /bob left\./);
  const json = createJsonRenderer();
  const about = { text: "eve left.", room: "lobby", time: "", event: "left", name: "eve" };
  assert.match(plainText(json.system({ ...about, isToldBefore: true })), /"event":"left"/);
  assert.equal(json.rule, undefined, "what shows no rules between lines hides nothing");
});

Deno.test("whoever moderated a room before the server restarted is told that it is over, and who does now", async () => {
  const [first, second] = [new FakeSession(), new FakeSession({ client: 2 })];
  const { console, chat, clock } = await startChat([first, second]);
  await first.deliver(
    membersOf("alice", "eve"),
    eventOf("rules", { room: LOBBY, maker: 7, ...RULES, ...PINNED, locked: true }),
  );
  assert.match(console.printed.at(-1) ?? "", /You made this room: .* The room is locked/);
  await first.drop();
  for (let second = 0; second < 2; second++) await clock.pass(1_000);
  await second.deliver(
    {
      kind: "members",
      room: LOBBY,
      more: false,
      list: [[7, "eve", "here", 0, null], [2, "alice", "here", 0, null]],
    },
    eventOf("rules", { room: LOBBY, maker: 7, ...RULES }),
  );
  assert.deepEqual(console.printed.slice(-2), [
    "* Nothing is pinned any more.",
    "* You do not moderate this room any more, these do: eve. Such rights end with the session, " +
    "and when the server restarts. The room is not locked any more.",
  ]);
  await second.deliver(eventOf("rules", { room: LOBBY, maker: 7, ...RULES }));
  assert.match(console.printed.at(-1) ?? "", /is not locked any more/, "it is told once");
  chat.end();
});

Deno.test("whoever makes a room again after the server restarted is told so, although its numbers begin anew", async () => {
  const [first, second] = [new FakeSession(), new FakeSession()];
  const { console, chat, clock } = await startChat([first, second]);
  await first.deliver(
    membersOf("eve", "alice"),
    eventOf("rules", { room: LOBBY, maker: 7, ...RULES }),
  );
  await first.drop();
  for (let second = 0; second < 2; second++) await clock.pass(1_000);
  console.printed.length = 0;
  await second.deliver(
    membersOf("alice", "eve"),
    eventOf("rules", { room: LOBBY, maker: 7, ...RULES }),
  );
  assert.match(console.printed.at(-1) ?? "", /You made this room/);
  chat.end();
});

Deno.test("/lock says that a room is locked only while somebody moderates it: nobody is told when a lock ends", async () => {
  const { run, session, console, asked } = await story();
  await session.deliver(eventOf("rules", { room: LOBBY, maker: 8, ...RULES, locked: true }));
  await run("/lock");
  assert.equal(console.printed.at(-1), '- "lobby" is locked already: nobody else can join.');
  assert.deepEqual(asked(), []);
  await session.deliver(eventOf("left", { room: LOBBY, at: 0, client: 8, name: "eve", time: 0 }));
  void run("/lock");
  assert.equal(asked().length, 1);
});

const BANS = eventOf("bans", {
  room: LOBBY,
  list: [[8, "eve", START + 3_600_000, "bob"], [9, "e v e", 0, "alice"]],
  more: false,
});

Deno.test("/bans lists who is banned, until when and by whom, and /unban lifts a ban of somebody else's", async () => {
  const { run, session, console, chat, asked } = await story();
  const listed = run("/bans");
  await session.deliver(eventOf("bans", { room: LOBBY, list: [], more: false }));
  await session.deliver({ kind: "done", id: 1 });
  await listed;
  assert.equal(console.printed.at(-1), '- Nobody is banned from "lobby".');
  const again = run("/ban");
  await session.deliver(BANS);
  await session.deliver({ kind: "done", id: 2 });
  await again;
  const { printed } = console;
  assert.match(
    printed.at(-1) ?? "",
    /eve for another 1 hour, by bob\n.*"e v e" for good, by alice/,
  );
  const wrong = assert.rejects(run("/unban mallory"), /"mallory" is not banned here/);
  await session.deliver({ kind: "done", id: 3 });
  await wrong;
  const more = assert.rejects(run("/unban eve e"), /"eve e" is not banned here/);
  await session.deliver({ kind: "done", id: 4 });
  await more;
  const lifted = run('/unban "E v e"');
  await session.deliver({ kind: "done", id: 5 });
  await session.deliver({ kind: "done", id: 6 });
  await lifted;
  const [unban] = asked();
  assert.ok(unban?.kind === "moderate" && unban.what === "unban" && unban.whom === 9);
  chat.end();
});

Deno.test("/op and /deop name one member and nothing else, and all see the mark", async () => {
  const { run, session, asked, console, chat } = await story();
  await assert.rejects(async () => await run("/op eve please"), /the form is \/op NAME/);
  void run("/op eve");
  await undefined;
  const [op] = asked();
  assert.ok(op?.kind === "moderate" && op.what === "op");
  const eve = op.whom;
  const decided = (what: "op" | "deop") =>
    session.deliver(eventOf("moderated", {
      room: LOBBY,
      at: 0,
      client: 77,
      name: "bob",
      request: 0,
      what,
      whom: eve,
      whomName: "eve",
      seconds: 0,
      text: "",
    }));
  await decided("op");
  assert.match(console.printed.at(-1) ?? "", /bob made eve an op of this room/);
  await run("/names");
  assert.match(console.printed.at(-1) ?? "", /eve \(op\)/);
  await run("/whois eve");
  assert.match(console.printed.at(-1) ?? "", /in "lobby" \(op\)/);
  await decided("deop");
  await run("/names");
  assert.doesNotMatch(console.printed.at(-1) ?? "", /\(op\)/);
  chat.end();
});

Deno.test("who comes in is told the ops and the pin, once", async () => {
  const { session, console, chat } = await story();
  const pin = { sequence: 12, author: 8, authorName: "eve", text: "soup \x1b[31m at eight" };
  const rules = eventOf("rules", { room: LOBBY, maker: 99, ...RULES, ops: [8], ...pin });
  const own = eventOf("rules", {
    room: LOBBY,
    maker: 99,
    ...RULES,
    ops: [chat.clientId ?? 0],
    ...pin,
  });
  const count = (what: RegExp) => console.printed.filter((line) => what.test(line)).length;
  await session.deliver(eventOf("members", {
    room: LOBBY,
    list: [[8, "eve", "here", 0, null], [chat.clientId ?? 0, "alice", "here", 0, null]],
    more: false,
  }));
  await session.deliver(rules);
  assert.equal(count(/Pinned, #12 of eve: soup/), 1);
  assert.equal(console.printed.filter((line) => line.includes("\x1b")).length, 0);
  assert.equal(count(/Ops: eve\./), 1);
  await session.deliver(rules);
  assert.equal(count(/Pinned, #12/), 1);
  await session.deliver(own);
  assert.equal(count(/You are an op of this room/), 1);
  chat.end();
});

Deno.test("/pin pins a message as it is, shows it, follows its edits and goes with it", async () => {
  const { run, session, console, chat } = await story();
  await run("/pin");
  assert.equal(console.printed.at(-1), '- Nothing is pinned in "lobby".');
  await assert.rejects(async () => await run("/unpin"), /nothing is pinned/);
  await assert.rejects(async () => await run("/pin soup"), /the form is \/pin #N/);
  await assert.rejects(async () => await run("/pin #7"), /no such message/);
  const about = { room: LOBBY, at: 0, client: 8, name: "eve", time: START, request: 0 };
  await session.deliver(eventOf("chat", {
    ...about,
    sequence: 7,
    text: "soup at eight",
    action: false,
    reply: 0,
  }));
  void run("/pin #7");
  await undefined;
  const [request] = session.sent.filter(({ kind }) => kind === "pin");
  const said = { sequence: 7, authorName: "eve", text: "soup at eight" };
  assert.deepEqual(request, { kind: "pin", id: 1, room: LOBBY, ...said });
  await session.deliver(eventOf("pinned", { ...about, author: 8, ...said }));
  assert.match(console.printed.at(-1) ?? "", /eve pinned #7 of eve: soup at eight/);
  await session.deliver(eventOf("revised", { ...about, sequence: 7, text: "soup at nine" }));
  await run("/pin");
  assert.equal(console.printed.at(-1), "- Pinned, #7 of eve: soup at nine");
  await session.deliver(eventOf("revised", { ...about, sequence: 7, text: null }));
  assert.match(console.printed.at(-1) ?? "", /Nothing is pinned any more/);
  await run("/pin");
  assert.equal(console.printed.at(-1), '- Nothing is pinned in "lobby".');
  chat.end();
});

Deno.test("who made a room and is alone in it is told what that is good for when somebody comes", async () => {
  const session = new FakeSession();
  const { chat, console } = await startChat([session]);
  const news = () => console.printed.filter((line) => line.includes("You made this room")).length;
  const rules = () => session.deliver(eventOf("rules", { maker: chat.clientId ?? 0, ...RULES }));
  await session.deliver(membersOf("alice"));
  await rules();
  assert.equal(news(), 0);
  await session.deliver(eventOf("joined", { client: 8 as never, name: "bob", old: false }));
  assert.equal(news(), 1);
  await session.deliver(eventOf("joined", { client: 9 as never, name: "carol", old: false }));
  await rules();
  assert.equal(news(), 1);
  chat.end();
});

Deno.test("/backlog is set by who moderates, within its bounds; alone it says how it is", async () => {
  const { run, session, console, chat } = await story();
  await run("/backlog");
  assert.match(
    console.printed.at(-1) ?? "",
    /is off: newcomers read nothing of what was said before/,
  );
  for (const wrong of ["101", "many", "-1"]) {
    await assert.rejects(async () => await run(`/backlog ${wrong}`), /1 to 100 lines, or off/);
  }
  void run("/backlog 20");
  await undefined;
  const asked = session.sent.find(({ kind }) => kind === "backlog");
  assert.deepEqual(asked, { kind: "backlog", id: 1, room: LOBBY, lines: 20 });
  const about = { room: LOBBY, at: 0, client: 8, name: "eve", time: START, request: 0 };
  await session.deliver(eventOf("backlog", { ...about, lines: 20 }));
  assert.match(console.printed.at(-1) ?? "", /eve turned the backlog on.* last 20 lines said from/);
  await run("/backlog");
  assert.match(console.printed.at(-1) ?? "", /The backlog is on.* last 20 lines/);
  chat.end();
});

Deno.test("earlier lines stand between two rules, once, ring for nobody and are not unread", async () => {
  const { session, console, chat } = await story();
  const when = START - 60_000;
  const list: EventOf<"earlier">["list"] = [
    [3, 8, "eve", when, "soup, alice?", false, 0],
    [4, 9, "bob", when, "soup", false, 3],
  ];
  await session.deliver(eventOf("rules", { room: LOBBY, maker: 99, ...RULES, backlog: 20 }));
  await session.deliver(eventOf("earlier", { room: LOBBY, list }));
  const lines = () =>
    console.printed.filter((line) => /before you came|soup|now$|now ─/.test(line));
  assert.equal(lines().length, 4, lines().join("\n"));
  assert.match(lines()[0] ?? "", /before you came/);
  assert.deepEqual(console.alerts, []);
  assert.equal(chat.room.unread, 0);
  await session.deliver(eventOf("earlier", { room: LOBBY, list }));
  assert.equal(lines().length, 4, "who comes in again reads nothing twice");
  assert.equal(chat.room.said.find(4)?.text, "soup");
  chat.end();
});
