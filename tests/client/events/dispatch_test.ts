import assert from "node:assert/strict";
import {
  eventOf,
  FakeSession,
  membersOf,
  START,
  startChat,
} from "../../helpers/fakes/chat_fakes.ts";

const BOB = { client: 8, name: "bob" };

Deno.test("the roster follows members, joined, left, renamed, away and back", async () => {
  const session = new FakeSession();
  const { chat } = await startChat([session]);
  await session.deliver(
    membersOf("alice", "bob"),
    eventOf("joined", { client: 9, name: "carol", old: true }),
    eventOf("renamed", { ...BOB, previous: "bob", name: "bert" }),
    eventOf("away", { ...BOB, name: "bert" }),
  );
  assert.deepEqual(chat.room.roster.people.map(({ name, state }) => `${name} ${state}`), [
    "alice here",
    "carol old",
    "bert away",
  ]);
  await session.deliver(
    eventOf("back", { ...BOB, name: "bert" }),
    eventOf("left", { client: 9, name: "carol" }),
  );
  assert.deepEqual(chat.room.roster.people.map(({ name, state }) => `${name} ${state}`), [
    "alice here",
    "bert here",
  ]);
});

Deno.test("others are told to lose the connection and to be back, and we are not told of ourselves", async () => {
  const session = new FakeSession();
  const { chat, console } = await startChat([session]);
  await session.deliver(membersOf("alice", "bob"));
  const before = console.printed.length;
  const ours = { client: chat.clientId ?? assert.fail(), name: "alice" };
  await session.deliver(eventOf("away", ours), eventOf("back", ours), eventOf("away", BOB));
  assert.deepEqual(console.printed.slice(before), ["* bob lost the connection."]);
});

Deno.test("who is in a room is told once, whatever comes and goes", async () => {
  const session = new FakeSession();
  const { console } = await startChat([session]);
  const lines = () => console.printed.filter((line) => line.startsWith('* In "lobby": alice, bob'));
  await session.deliver(membersOf("alice", "bob"), membersOf("alice", "bob"));
  assert.equal(lines().length, 1);
});

Deno.test("our rename shows in the prompt, and its answer ends the request", async () => {
  const session = new FakeSession();
  const { chat, console } = await startChat([session]);
  const outcome = chat.rename("alicia");
  await session.deliver(
    eventOf("renamed", { previous: "alice", name: "alicia" }),
    eventOf("done", { id: 1 }),
  );
  assert.equal(await outcome, "confirmed");
  assert.equal(console.prompt, "alicia@lobby> ");
});

Deno.test("a refusal is shown in the server's words and ends its request", async () => {
  const session = new FakeSession();
  const { chat, console } = await startChat([session]);
  const outcome = chat.rename("bob");
  await session.deliver(eventOf("declined", { id: 1, why: "The name is taken" }));
  assert.deepEqual(await outcome, { why: "The name is taken" });
  assert.equal(console.printed.at(-1), "* The name is taken");
});

Deno.test("an event that was seen already is passed over, and one that is missing is told", async () => {
  const session = new FakeSession({}, { at: 5 });
  const { chat, console } = await startChat([session]);
  await session.echo("old", { ...BOB, at: 5 });
  await session.echo("new", { ...BOB, at: 6 });
  await session.echo("later", { ...BOB, at: 9 });
  assert.equal(chat.room.seen, 9);
  assert.deepEqual(console.printed.slice(1), [
    "<bob> new",
    'warning: The server left out 2 events of "lobby"',
    "<bob> later",
  ]);
});

Deno.test("a time beyond every date does not end the chat", async () => {
  const session = new FakeSession();
  const { console, history } = await startChat([session]);
  await session.echo("hi", { ...BOB, time: Number.MAX_SAFE_INTEGER });
  assert.equal(console.printed.at(-1), "<bob> hi");
  assert.equal(history.at(-1)?.time, new Date(START).toISOString());
});

Deno.test("lines of the server are shown as its own, and kept in the history", async () => {
  const session = new FakeSession();
  const { console, history } = await startChat([session]);
  await session.deliver(eventOf("notice", { text: "Maintenance at noon." }));
  assert.equal(console.printed.at(-1), "* Maintenance at noon.");
  assert.equal(history.at(-1)?.kind, "system");
  await session.deliver(eventOf("closing", { why: "The server is stopping.", retry: true }));
  assert.equal(console.printed.at(-1), "* The server is stopping.");
});

Deno.test("a file offer of a member is shown with the commands that answer it", async () => {
  const session = new FakeSession();
  const { chat, console } = await startChat([session]);
  await session.deliver(
    eventOf("offer", {
      ...BOB,
      request: 0,
      file: "f1",
      filename: "a.txt",
      size: 5,
      chunks: 1,
      hash: null,
      to: 0,
      folder: false,
    }),
  );
  assert.equal(
    console.printed.at(-1),
    '- <bob> offers file 1, "a.txt" (5 bytes): /accept 1 or /reject 1',
  );
  await session.deliver(eventOf("left", BOB));
  assert.ok(console.printed.some((line) => line.startsWith("- Not received: file 1")));
  await chat.transfers.dispose();
});
