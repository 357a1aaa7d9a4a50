// A name comes back to whoever asked for it once its holder is gone, and is never taken from anybody.

import assert from "node:assert/strict";
import { readTerminal } from "../../../client/app/terminal_input.ts";
import {
  enteredOf,
  eventOf,
  FakeSession,
  startChat,
  turns,
} from "../../helpers/fakes/chat_fakes.ts";
import {
  type FakeEngine,
  fakeEngines,
  personOf,
  statusOf,
} from "../../helpers/fakes/fake_engine.ts";

const OTHER = { client: 8 } as const;

/** We asked for "alice" and are "alice-2": a session that the server holds has the name. */
async function story(isV1 = false) {
  const session = new FakeSession({ isV1 }, { name: "alice-2" });
  const fake = await startChat([session]);
  void readTerminal({ chat: fake.chat, downloads: false, clock: fake.clock });
  const names = () => session.sent.flatMap((sent) => sent.kind === "rename" ? [sent.name] : []);
  return { ...fake, session, names };
}

Deno.test("the name is asked for when its holder has left, and shows when the server gives it", async () => {
  const { session, names, console, chat } = await story();
  await session.deliver(eventOf("left", { ...OTHER, name: "alice" }));
  assert.deepEqual(names(), ["alice"]);
  await session.deliver(
    eventOf("renamed", { name: "alice", previous: "alice-2" }),
    { kind: "done", id: 1 },
  );
  assert.match(console.prompt, /^alice@lobby>/);
  assert.equal(console.printed.at(-1), "* alice-2 is now known as alice.");
  await session.deliver(eventOf("left", { ...OTHER, name: "bob" }));
  assert.equal(names().length, 1);
  chat.end();
});

Deno.test("what frees a name, and what does not", async () => {
  const cases = [
    [eventOf("left", { ...OTHER, name: "Alice" }), 1],
    [eventOf("left", { ...OTHER, name: "alice-2b" }), 0],
    [eventOf("left", { ...OTHER, name: "bob" }), 0],
    [eventOf("away", { ...OTHER, name: "alice" }), 0],
    [eventOf("renamed", { ...OTHER, name: "carol", previous: "alice" }), 1],
  ] as const;
  for (const [event, count] of cases) {
    const { session, names, chat } = await story();
    await session.deliver(event);
    assert.equal(names().length, count, JSON.stringify(event));
    chat.end();
  }
  const { session, names, chat } = await story(true);
  await session.deliver(eventOf("left", { ...OTHER, name: "alice" }));
  assert.deepEqual(names(), []);
  chat.end();
});

Deno.test("a name that somebody else took first is no news, and is asked for again only after a pause", async () => {
  const { session, names, console, clock, chat } = await story();
  const goes = () => session.deliver(eventOf("left", { ...OTHER, name: "alice" }));
  await goes();
  const before = console.printed.length;
  await session.deliver({ kind: "declined", id: 1, why: "somebody took it just now" });
  assert.equal(console.printed.length, before);
  for (let time = 0; time < 100; time++) await goes();
  assert.equal(names().length, 1);
  await clock.pass(10_000);
  assert.equal(names().length, 2);
  chat.end();
});

Deno.test("who has come in under the name meanwhile keeps it", async () => {
  const { session, names, clock, chat } = await story();
  const gone = eventOf("left", { ...OTHER, name: "alice" });
  await session.deliver(gone, { kind: "declined", id: 1, why: "taken" });
  await session.deliver(gone, eventOf("joined", { client: 9, name: "alice", old: false }));
  await clock.pass(10_000);
  assert.equal(names().length, 1);
  chat.end();
});

Deno.test("who has chosen another name is not given the first one", async () => {
  for (const isConfirmed of [true, false]) {
    const { session, names, console, chat } = await story();
    await console.enter("/nick al");
    if (isConfirmed) await session.deliver({ kind: "done", id: 1 });
    await session.deliver(eventOf("left", { ...OTHER, name: "alice" }));
    assert.deepEqual(names(), ["al"]);
    chat.end();
  }
});

Deno.test("a name comes back in every room where we miss it", async () => {
  const session = new FakeSession({}, {}, { room: 4, title: "dev", name: "alice-2" });
  const { chat } = await startChat([session]);
  await session.deliver(
    enteredOf({ id: 0 }),
    eventOf("left", { ...OTHER, room: 4, name: "alice" }),
  );
  assert.deepEqual(session.sent, [{ kind: "rename", id: 1, name: "alice" }]);
  chat.end();
});

Deno.test("in a sealed room the engine is asked, and the server never", async () => {
  const { engines, openEngine } = fakeEngines();
  const session = new FakeSession({ challenge: new Uint8Array(32).fill(9), rooms: 0 });
  const place = { name: "alice", room: "team" };
  const secret = new Uint8Array(32).fill(7);
  const { chat, console } = await startChat([session], { place, secret, openEngine });
  const engine = engines[0] as FakeEngine;
  const people = [personOf(1, "alice-2"), personOf(2, "alice"), personOf(3, "jane doe")];
  engine.tell(statusOf({ name: "alice-2", people }));
  engine.tell({ kind: "left", client: 2, name: "alice" });
  await turns();
  assert.deepEqual(engine.handled.at(-1), { kind: "rename", request: 1, name: "alice" });
  const before = console.printed.length;
  engine.tell({ kind: "declined", request: 1, why: "Not done: somebody here has that name." });
  await turns();
  assert.equal(console.printed.length, before);
  assert.deepEqual(session.sent, []);
  chat.end();
});
