import assert from "node:assert/strict";
import { COMMAND_GROUPS, parseLine, runCommand } from "../../../client/commands/dispatcher.ts";
import { readTerminal } from "../../../client/app/terminal_input.ts";
import type { Event, EventOf } from "../../../shared/messages/messages_v2.ts";
import {
  enteredOf,
  eventOf,
  type FakeChat,
  FakeSession,
  LOBBY,
  membersOf,
  startChat,
} from "../../helpers/fakes/chat_fakes.ts";

const DEV = 4;
const BOB = { client: 8, name: "bob" };

interface Story extends FakeChat {
  readonly session: FakeSession;
  /** What the user enters as a command. */
  run(line: string): Promise<unknown>;
}

async function story(session = new FakeSession({}, {}, { room: DEV, title: "dev" })) {
  const fake = await startChat([session, new FakeSession({ client: 9 })]);
  const run = (line: string) => {
    const parsed = parseLine(line);
    assert.ok(parsed.kind === "command");
    const context = { chat: fake.chat, downloads: true, groups: COMMAND_GROUPS, quit: () => {} };
    return runCommand(parsed.row, parsed.argument, context);
  };
  return { ...fake, session, run } satisfies Story;
}

function direct(fields: Partial<EventOf<"direct">>) {
  return eventOf("direct", { ...BOB, to: 7, toName: "alice", request: 0, text: "psst", ...fields });
}

Deno.test("the room of a hello stays the current one, what comes in others is marked and counted", async () => {
  const { console, session, chat } = await story();
  assert.equal(console.prompt, "alice@lobby> ");
  assert.equal(console.status, "1:lobby · alice · server can read · connected");
  await session.echo("hi", { ...BOB, room: DEV });
  await session.echo("alice: look", { ...BOB, room: DEV, sequence: 2 });
  await session.deliver(eventOf("left", { ...BOB, room: DEV }));
  assert.deepEqual(console.printed.slice(-3), [
    "[dev] <bob> hi",
    "[dev] <bob> alice: look",
    "* [dev] bob left.",
  ]);
  assert.match(console.status, /· 2:dev 2!$/);
  chat.switchTo(chat.rooms.byTitle("dev") ?? assert.fail());
  assert.equal(console.prompt, "alice@dev> ");
  assert.doesNotMatch(console.status, /!/);
});

Deno.test("/join comes into a further room, and lines go there from its answer on", async () => {
  const { run, session, console, chat } = await story(new FakeSession());
  const joining = run("/join dev");
  await session.deliver(enteredOf({ id: 1, room: DEV, title: "dev", name: "alice-2" }));
  assert.equal(await joining, "confirmed");
  assert.equal(console.prompt, "alice-2@dev> ");
  chat.say("hello");
  assert.deepEqual(session.sent.at(-1), {
    kind: "chat",
    id: 2,
    room: DEV,
    text: "hello",
    action: false,
    reply: 0,
  });
  await run("/join lobby");
  assert.equal(console.prompt, "alice@lobby> ");
  assert.equal(session.sent.length, 2, "a room that we are in is not asked for");
});

Deno.test("/leave leads back to the room before; late events of a room that was left are passed over", async () => {
  const { run, session, console, chat } = await story();
  await run("/switch 2");
  const leaving = run("/leave");
  await session.deliver({ kind: "done", id: 1 });
  await leaving;
  assert.equal(console.prompt, "alice@lobby> ");
  const before = console.printed.length;
  await session.echo("too late", { ...BOB, room: DEV });
  assert.equal(console.printed.length, before);
  const last = run("/leave lobby");
  await session.deliver({ kind: "done", id: 2 });
  await last;
  assert.equal(console.prompt, "alice> ");
  assert.equal(console.status, "no room · alice · connected");
  assert.deepEqual(console.printed.slice(-2), [
    "- You are in no room now.\nhint: /join ROOM",
    '- You left "lobby".',
  ]);
  await assert.rejects(run("/names"), /you are in no room/);
  await assert.rejects(run("/away lunch"), /you are in no room/);
  assert.throws(() => chat.say("nobody hears this"), /you are in no room/);
});

Deno.test("/switch takes a name or a number, /rooms lists both", async () => {
  const { run, session, console } = await story();
  await session.echo("hi", { ...BOB, room: DEV });
  await run("/rooms");
  assert.equal(
    console.printed.at(-1),
    "- your rooms:\n- *1 lobby: as alice, 1 here\n-  2 dev: as alice, 2 here, 1 unread",
  );
  await run("/switch dev");
  assert.equal(console.prompt, "alice@dev> ");
  await run("/switch 1");
  assert.equal(console.prompt, "alice@lobby> ");
  await run("/switch");
  assert.equal(console.prompt, "alice@dev> ", "back to where we were");
  await run("/switch 1");
  await session.echo("hi again", { ...BOB, room: DEV, sequence: 2 });
  await run("/switch");
  assert.equal(console.prompt, "alice@dev> ", "to what is unread");
  await run("/switch 1");
  await assert.rejects(run("/switch 3"), /among your rooms/);
  await assert.rejects(run("/switch den"), /among your rooms/);
});

Deno.test("what was typed for a room goes to that room after a reconnect, whatever its number is then", async () => {
  const first = new FakeSession({}, {}, { room: DEV, title: "dev" });
  const second = new FakeSession({}, { room: 11 }, { room: 12, title: "dev" });
  const { chat, clock } = await startChat([first, second]);
  chat.switchTo(chat.rooms.byTitle("dev") ?? assert.fail());
  await first.drop();
  chat.say("for dev");
  chat.switchTo(chat.rooms.byTitle("lobby") ?? assert.fail());
  for (let second = 0; second < 3; second++) await clock.pass(1_000);
  const [sent] = second.sent;
  assert.ok(sent?.kind === "chat" && sent.room === 12);
});

Deno.test("/msg goes to a session's number, and both ends see that the server can read it", async () => {
  const { run, session, console } = await story();
  await session.deliver(membersOf("alice", "bob b"));
  const sending = run("/msg bob b psst, you");
  assert.deepEqual(session.sent, [{ kind: "direct", id: 1, to: 1, text: "psst, you" }]);
  await session.deliver(
    direct({ client: 7, name: "alice", to: 1, toName: "bob b", request: 1, text: "psst, you" }),
  );
  assert.equal(await sending, "confirmed");
  assert.equal(console.printed.at(-1), "<alice → bob b> (server can read) psst, you");
  await session.deliver(direct({ text: "yes" }));
  assert.equal(console.printed.at(-1), "<bob → alice> (server can read) yes");
  await assert.rejects(run("/msg bob b"), /it is empty/);
  await assert.rejects(run("/msg carol hi"), /nobody in your rooms has this name/);
  for (const line of ["/msg bo hi", "/whois bob c", "/kick BO"]) {
    await assert.rejects(run(line), { hint: 'did you mean "bob b"?' });
  }
});

Deno.test("/reply answers the session that wrote, not the name; a new session of ours forgets it", async () => {
  const { run, session, clock } = await story();
  await assert.rejects(run("/reply hm"), /nobody has sent you a direct message/);
  await session.deliver(direct({}), eventOf("left", BOB));
  await session.deliver(eventOf("joined", { client: 20, name: "bob", old: false }));
  const replying = run("/reply secret");
  assert.deepEqual(session.sent, [{ kind: "direct", id: 1, to: BOB.client, text: "secret" }]);
  await session.deliver({ kind: "declined", id: 1, why: "its receiver is not here any more" });
  assert.deepEqual(await replying, { why: "its receiver is not here any more" });
  await session.drop();
  for (let second = 0; second < 3; second++) await clock.pass(1_000);
  await assert.rejects(run("/reply again"), /nobody has sent you a direct message/);
});

Deno.test("what holds numbers of one session never goes to another one", async () => {
  const first = new FakeSession({ rate: { messages: 1, seconds: 60 } });
  const second = new FakeSession();
  const { chat, clock } = await startChat([first, second]);
  chat.say("takes the only place");
  const outcomes = [chat.talk.direct(BOB, "for bob only"), chat.say("re", { reply: 3 })];
  await first.drop();
  for (let second = 0; second < 3; second++) await clock.pass(1_000);
  for (const outcome of await Promise.all(outcomes)) {
    assert.ok(typeof outcome === "object" && /the session ended/.test(outcome.why));
  }
  assert.deepEqual(second.sent, []);
});

Deno.test("the same name in two rooms may be two people, and a direct message goes to neither by guess", async () => {
  const { run, session, console, chat } = await story(
    new FakeSession({}, {}, { room: DEV, title: "dev" }, { room: 5, title: "den" }),
  );
  await session.deliver(
    eventOf("joined", { room: DEV, client: 20, name: "bob", old: false }),
    eventOf("joined", { room: 5, client: 21, name: "bob", old: false }),
  );
  await assert.rejects(run("/msg bob hi"), /not the same in all rooms/);
  await run("/whois bob");
  const printed = console.printed.at(-1) ?? "";
  assert.match(printed, /in "dev".*session 20\n.*in "den".*session 21/);
  chat.switchTo(chat.rooms.byTitle("den") ?? assert.fail());
  void run("/msg bob hi");
  assert.deepEqual(session.sent, [{ kind: "direct", id: 1, to: 21, text: "hi" }]);
});

Deno.test("an undelivered direct message is told with its words", async () => {
  const { session, console } = await story();
  await session.deliver(direct({ client: 7, name: "alice", to: 8, toName: "bob", request: 5 }));
  await session.deliver(eventOf("undelivered", { ...BOB, request: 5 }));
  assert.equal(console.printed.at(-1), 'warning: Not delivered: "bob" left before getting "psst"');
});

Deno.test("/me, /quote, /edit and /delete ask for what they say, and show as theirs", async () => {
  const { run, session, console } = await story();
  void run("/me waves");
  await session.echo("waves", { action: true, sequence: 1 });
  await session.echo("hello", { ...BOB, sequence: 2 });
  await assert.rejects(run("/quote 9 what?"), /has no such message/);
  await assert.rejects(run("/quote hm"), /the form is \/quote N TEXT/);
  void run("/quote #2 hello too");
  await session.echo("hello too", { reply: 2, sequence: 3 });
  void run("/edit hello, bob");
  void run("/delete");
  assert.deepEqual(session.sent.slice(2), [
    { kind: "revise", id: 3, room: LOBBY, sequence: 3, text: "hello, bob" },
    { kind: "revise", id: 4, room: LOBBY, sequence: 3, text: null },
  ]);
  await session.deliver(
    eventOf("revised", { request: 3, sequence: 3, text: "hello, bob" }),
    eventOf("revised", { request: 4, sequence: 3, text: null }),
  );
  assert.deepEqual(console.printed.slice(-5), [
    "<alice> * waves",
    "<bob> hello",
    '<alice> (to #2 <bob> "hello") hello too',
    '* alice changed #3 from "hello too" to: hello, bob',
    '* alice deleted #3: "hello, bob".',
  ]);
});

Deno.test("/topic and /away are asked for, shown, and an away text is said again in a new session", async () => {
  const first = new FakeSession();
  const second = new FakeSession({ client: 9 });
  const { chat, console, clock } = await startChat([first, second]);
  const away = chat.talk.setStatus("lunch");
  await first.deliver({ kind: "done", id: 1 }, eventOf("status", { ...BOB, text: "asleep" }));
  await away;
  assert.equal(console.printed.at(-1), "* bob is away: asleep");
  assert.equal(chat.room.roster.find("bob")?.status, "asleep");
  await first.deliver(eventOf("topic", { ...BOB, text: "soup" }));
  assert.equal(console.printed.at(-1), "* bob set the topic: soup");
  assert.equal(chat.room.topic, "soup");
  await first.drop();
  for (let second = 0; second < 3; second++) await clock.pass(1_000);
  assert.deepEqual(second.sent, [{ kind: "status", id: 1, text: "lunch" }]);
});

Deno.test("an old server is told apart: what it cannot do is refused in one line", async () => {
  const { run, session } = await story(new FakeSession({ isV1: true }));
  for (const line of ["/me waves", "/msg bob hi", "/topic x", "/away", "/edit x", "/leave"]) {
    await assert.rejects(run(line), /speaks the old protocol/, line);
  }
  assert.deepEqual(session.sent, []);
});

Deno.test("on an old server, joining is leaving: there is one room", async () => {
  const { run, session, chat, console } = await story(new FakeSession({ isV1: true }));
  const joining = run("/join dev");
  await session.deliver(enteredOf({ id: 1, room: DEV, title: "dev" }));
  await joining;
  assert.deepEqual(chat.rooms.titles, ["dev"]);
  assert.equal(console.status, "dev · alice · server can read · connected");
});

Deno.test("/edit and /delete wait for the last message that is on its way, and mean no other one", async () => {
  const { run, session, chat } = await story(new FakeSession());
  await session.echo("the first", { request: 0 });
  void chat.say("the second");
  void run("/edit better");
  void chat.say("the third");
  const deleted = run("/delete");
  assert.deepEqual(session.sent.map(({ kind }) => kind), ["chat", "chat"]);
  await session.echo("the second", { request: 1, sequence: 2 });
  assert.deepEqual(session.sent.at(-1), {
    kind: "revise",
    id: 3,
    room: LOBBY,
    sequence: 2,
    text: "better",
  });
  const refused = assert.rejects(deleted, /Cannot change your last message: it was not delivered/);
  await session.deliver({ kind: "declined", id: 2, why: "too fast" });
  await refused;
  assert.equal(session.sent.length, 3);
});

Deno.test("who leaves the current room is told where they are, and gets what was held back there", async () => {
  const { run, session, console, chat } = await story();
  chat.output.settings.set("others", "count");
  await run("/switch 2");
  await session.echo("meanwhile", BOB);
  const before = console.printed.length;
  const leaving = run("/leave");
  await session.deliver({ kind: "done", id: 1 });
  await leaving;
  assert.deepEqual(console.printed.slice(before), [
    "- now in lobby",
    "- new",
    "<bob> meanwhile",
    '- You left "dev".',
  ]);
});

Deno.test("/set others count holds lines of other rooms back until the user goes there, but not mentions", async () => {
  const { session, console, chat, history } = await story();
  chat.output.settings.set("others", "count");
  const before = console.printed.length;
  await session.echo("hi", { ...BOB, room: DEV });
  await session.deliver(
    eventOf("left", { client: 20, name: "carol", room: DEV }),
    eventOf("topic", { ...BOB, room: DEV, text: "soup" }),
  );
  assert.equal(console.printed.length, before);
  assert.match(console.status, /2:dev 1$/);
  assert.equal(history.at(-1)?.text, "bob set the topic: soup");
  await session.echo("alice: look", { ...BOB, room: DEV, sequence: 2 });
  assert.deepEqual(console.printed.slice(before), ["[dev] <bob> alice: look"]);
  chat.switchTo(chat.rooms.byTitle("dev") ?? assert.fail());
  assert.deepEqual(console.printed.slice(before + 1), [
    "- now in dev",
    "- new",
    "<bob> hi",
    "* bob set the topic: soup",
  ]);
});

Deno.test("keys go to a room by its number, to a neighbor and to what is unread, and say where there is none", async () => {
  const { console, chat, clock, session } = await story();
  const reading = readTerminal({ chat, downloads: true, clock });
  await console.pressRoom(2);
  assert.equal(console.prompt, "alice@dev> ");
  await console.pressRoom(9);
  assert.match(console.printed.at(-1) ?? "", /You have no room 9/);
  // Around both ends; and to the room where something is unread, then back.
  for (const [n, room] of [["before", "lobby"], ["before", "dev"], ["after", "lobby"]] as const) {
    await console.pressRoom(n);
    assert.equal(console.prompt, `alice@${room}> `, n);
  }
  await session.echo("hi", { ...BOB, room: DEV });
  await console.pressRoom("unread");
  assert.equal(console.prompt, "alice@dev> ");
  await console.pressRoom("unread");
  assert.equal(console.prompt, "alice@lobby> ");
  await console.press("end");
  await reading;
});

Deno.test("the status line tells how long the way to the server is, and who is writing here", async () => {
  const { session, console, chat } = await story();
  session.roundTripMs = 23.4;
  await session.deliver({ kind: "pong" });
  assert.match(console.status, /· connected 23 ms$/);
  session.roundTripMs = 1_540;
  await session.deliver({ kind: "pong" });
  assert.match(console.status, /· connected 1\.5 s$/);
  const typing: Event = { kind: "typing", room: LOBBY, client: 8, name: "bob" };
  await session.deliver(typing);
  assert.doesNotMatch(console.status, /writing/, "only where the user wants it");
  chat.output.settings.set("typing", "on");
  await session.deliver(typing, { ...typing, room: DEV, name: "carol" });
  assert.match(console.status, /· bob is typing$/);
  await session.echo("said", BOB);
  assert.doesNotMatch(console.status, /writing/);
  chat.typing.entered("hm");
  assert.deepEqual(session.sent, [{ kind: "typing", room: LOBBY }]);
});

Deno.test("what an ignored member says elsewhere is not counted either", async () => {
  const { session, console, chat } = await story();
  chat.output.ignored.add("bob");
  await session.echo("alice: hey", { ...BOB, room: DEV });
  assert.doesNotMatch(console.status, /dev/);
});

Deno.test("a name that was refused is not asked for again at the next connection", async () => {
  const [first, second] = [new FakeSession(), new FakeSession()];
  const { chat, clock, asked } = await startChat([first, second]);
  const refused = chat.rename("bob");
  await first.deliver({ kind: "declined", id: 1, why: "taken" });
  assert.deepEqual(await refused, { why: "taken" });
  const taken = chat.rename("alicia");
  await first.deliver(
    eventOf("renamed", { previous: "alice", name: "alicia" }),
    { kind: "done", id: 2 },
  );
  assert.equal(await taken, "confirmed");
  await first.drop();
  for (let second = 0; second < 3; second++) await clock.pass(1_000);
  assert.deepEqual(asked.map(({ name }) => name), ["alice", "alicia"]);
});
