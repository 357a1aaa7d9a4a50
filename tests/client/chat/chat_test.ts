import assert from "node:assert/strict";
import type { Fingerprint } from "../../../shared/crypto/fingerprint.ts";
import { UnauthorizedError } from "../../../client/session/refusal.ts";
import { ConnectionError, LimitError } from "../../../shared/base/errors.ts";
import {
  enteredOf,
  eventOf,
  FakeSession,
  LOBBY,
  type ManualClock,
  startChat,
  turns,
} from "../../helpers/fakes/chat_fakes.ts";

async function passSeconds(clock: ManualClock, count: number): Promise<void> {
  for (let second = 0; second < count; second++) await clock.pass(1_000);
}

const IN_LOBBY = { room: LOBBY, action: false, reply: 0 };

const TICKET = {
  server: `SHA256:${"A".repeat(43)}` as Fingerprint,
  session: new Uint8Array(16),
  secret: new Uint8Array(32),
};

Deno.test("prompt and status line say who and where we are, and that the server can read", async () => {
  const session = new FakeSession({}, { name: "alice-2", title: "dev" });
  const { console } = await startChat([session]);
  assert.equal(console.prompt, "alice-2@dev> ");
  assert.equal(console.status, "dev · alice-2 · server can read · connected");
  assert.deepEqual(console.printed, ['- Connected as "alice-2" in "dev"']);
});

Deno.test("an echo of ours is shown with its sequence, and confirms what was said", async () => {
  const session = new FakeSession();
  const { chat, console, history } = await startChat([session]);
  const outcome = chat.say("hello");
  assert.deepEqual(session.sent, [{ kind: "chat", id: 1, ...IN_LOBBY, text: "hello" }]);
  await session.echo("hello", { sequence: 3 });
  assert.equal(await outcome, "confirmed");
  assert.equal(console.printed.at(-1), "<alice> hello");
  assert.deepEqual(history, [{
    kind: "chat",
    time: "2026-11-23T18:00:00.000Z",
    room: "lobby",
    sender: "alice",
    text: "hello",
    sequence: 3,
  }]);
});

Deno.test("the same words of somebody else confirm nothing", async () => {
  const session = new FakeSession();
  const { chat } = await startChat([session]);
  chat.say("hello");
  await session.echo("hello", { name: "bob", client: 8 });
  assert.equal(chat.requests.unanswered, 1);
});

Deno.test("a message above the server's limit is refused with both numbers before anything is sent", async () => {
  const session = new FakeSession({ messageMax: 10 });
  const { chat } = await startChat([session]);
  assert.throws(
    () => chat.say("ä".repeat(6)),
    (error) => error instanceof LimitError && /12 bytes, at most 10/.test(error.message),
  );
  assert.equal(session.sent.length, 0);
  chat.say("ä".repeat(5));
  assert.equal(session.sent.length, 1);
});

Deno.test("messages beyond the server's rate wait for their turn", async () => {
  const session = new FakeSession({ rate: { messages: 2, seconds: 5 } });
  const { chat, console, clock } = await startChat([session]);
  for (const text of ["one", "two", "three"]) chat.say(text);
  await turns();
  assert.equal(session.sent.length, 2);
  assert.match(console.status, /1 unsent/);
  await clock.pass(5_000);
  assert.equal(session.sent.length, 3);
});

Deno.test("after a lost connection the chat comes back with the name and the rooms it had", async () => {
  const first = new FakeSession();
  const second = new FakeSession({}, { room: 8 }, { room: 9, title: "dev" });
  const { chat, console, clock, asked } = await startChat([first, second]);
  const join = chat.join("dev");
  await first.deliver(enteredOf({ id: 1, room: 4, title: "dev", at: 12 }));
  assert.equal(await join, "confirmed");
  assert.equal(console.prompt, "alice@dev> ");
  await first.drop();
  assert.match(console.status, /reconnecting in 2 s…$/);
  await clock.pass(1_000);
  assert.match(console.status, /reconnecting in 1 s…$/);
  await clock.pass(1_000);
  assert.match(console.status, /connected$/);
  assert.deepEqual(asked.map(({ rooms }) => rooms), [
    [["lobby", 0]],
    [["lobby", 0], ["dev", 12]],
  ]);
  assert.deepEqual(console.printed.slice(-2), [
    "- The server closed the connection; trying again",
    '- Connected again as "alice" in "lobby", "dev"',
  ]);
  assert.equal(console.prompt, "alice@dev> ");
});

Deno.test("an outage of many attempts is told once, and with quiet not at all", async () => {
  const down = new ConnectionError("down");
  for (const quiet of [false, true]) {
    const session = new FakeSession();
    const { console, clock } = await startChat([session, down, down, new FakeSession()], { quiet });
    const before = console.printed.length;
    await session.drop(new ConnectionError("The connection broke", { hint: "check it" }));
    for (let second = 0; second < 14; second++) await clock.pass(1_000);
    assert.match(console.status, /connected$/);
    assert.equal(console.printed.length - before, quiet ? 0 : 2);
  }
});

Deno.test("what was sent and not echoed when the link broke is reported as lost where the session is not held", async () => {
  const session = new FakeSession();
  const { chat } = await startChat([session]);
  const outcome = chat.say("hello");
  await session.drop();
  assert.equal(await outcome, "lost");
  await assert.rejects(chat.rename("bob"), /no connection/);
});

Deno.test("what was sent and not answered is sent again, under its number, to the same session", async () => {
  const held = {
    holdSeconds: 60,
    ticket: TICKET,
  };
  const [first, second] = [new FakeSession(held), new FakeSession({ ...held, resumed: true })];
  const { chat, clock } = await startChat([first, second]);
  const outcome = chat.say("hello");
  await first.drop();
  const later = chat.say("typed meanwhile");
  await clock.pass(1_000);
  await clock.pass(1_000);
  assert.deepEqual(second.sent, [
    { kind: "chat", id: 1, ...IN_LOBBY, text: "hello" },
    { kind: "chat", id: 2, ...IN_LOBBY, text: "typed meanwhile" },
  ]);
  await second.deliver(eventOf("done", { id: 1 }));
  await second.echo("typed meanwhile");
  assert.deepEqual([await outcome, await later], ["confirmed", "confirmed"]);
});

Deno.test("what the server takes long to answer shows in the status line until it is answered", async () => {
  const session = new FakeSession();
  const { chat, console, clock } = await startChat([session]);
  chat.say("hello");
  await passSeconds(clock, 2);
  assert.doesNotMatch(console.status, /confirmed/);
  await passSeconds(clock, 2);
  assert.match(console.status, /connected · 1 unconfirmed$/);
  await session.echo("hello");
  assert.doesNotMatch(console.status, /confirmed/);
  chat.say("again");
  await session.echo("again");
  await passSeconds(clock, 10);
  assert.doesNotMatch(console.status, /confirmed/);
});

Deno.test("a link that breaks before all rooms of its session are known loses nothing", async () => {
  const held = {
    holdSeconds: 60,
    rooms: 2,
    ticket: TICKET,
  };
  const rooms = [{}, { room: LOBBY + 1, title: "den" }];
  const [first, broken, last] = [
    new FakeSession(held, ...rooms),
    new FakeSession({ ...held, resumed: true }, {}),
    new FakeSession({ ...held, resumed: true }, ...rooms),
  ];
  const { chat, clock } = await startChat([first, broken, last]);
  const outcome = chat.say("hello");
  await first.drop();
  await passSeconds(clock, 2);
  await broken.drop();
  await passSeconds(clock, 4);
  assert.deepEqual(last.sent.map(({ kind }) => kind), ["chat"]);
  await last.deliver(eventOf("done", { id: 1 }));
  assert.equal(await outcome, "confirmed");
});

Deno.test("what was said in a session that is gone is not said in one that takes up another", async () => {
  const held = {
    holdSeconds: 60,
    ticket: TICKET,
  };
  const [first, anew, again] = [
    new FakeSession(held),
    new FakeSession({ ...held, rooms: 2 }, {}),
    new FakeSession({ ...held, resumed: true }),
  ];
  const { chat, clock } = await startChat([first, anew, again]);
  const outcome = chat.say("hello");
  await first.drop();
  await passSeconds(clock, 2);
  await anew.drop();
  await passSeconds(clock, 4);
  assert.equal(await outcome, "lost");
  void chat.say("next");
  assert.deepEqual(again.sent, [{ kind: "chat", id: 1, ...IN_LOBBY, text: "next" }]);
});

Deno.test("what is typed without a connection leaves with the next session", async () => {
  const [first, second] = [new FakeSession(), new FakeSession()];
  const { chat, console, clock } = await startChat([first, second]);
  await first.drop();
  chat.say("later");
  assert.match(console.status, /1 unsent/);
  await clock.pass(1_000);
  await clock.pass(1_000);
  assert.deepEqual(second.sent, [{ kind: "chat", id: 1, ...IN_LOBBY, text: "later" }]);
});

Deno.test("a refused token ends the chat with that error", async () => {
  const error = new UnauthorizedError("no");
  const { ended } = await startChat([error]);
  assert.equal(await ended, error);
});

Deno.test("end() says goodbye, closes the session and lets run() return", async () => {
  const session = new FakeSession();
  const { chat, ended } = await startChat([session]);
  chat.end();
  assert.equal(await ended, undefined);
  assert.ok(session.left && session.closed);
  assert.ok(chat.ending.aborted);
});

Deno.test("a name that we have and a room that we are in are not asked for again", async () => {
  const session = new FakeSession();
  const { chat } = await startChat([session]);
  assert.equal(await chat.rename("alice"), "confirmed");
  assert.equal(await chat.join("lobby"), "confirmed");
  assert.deepEqual(session.sent, []);
});

Deno.test("a file on its way shows in the status line until it is through", async () => {
  const session = new FakeSession();
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "hello");
  const { chat, console } = await startChat([session]);
  await chat.transfers.offerFile(path, chat.room);
  await turns();
  const init = session.sent[0];
  assert.equal(init?.kind, "offer");
  assert.match(console.printed.at(-1) ?? "", /^- Offering file 1, /);
  await chat.transfers.dispose();
  await Deno.remove(path);
});
