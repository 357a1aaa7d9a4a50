// What the chat makes of decisions, names and words beside messages in a sealed room; the sealing part is the test's.

import assert from "node:assert/strict";
import { readTerminal } from "../../client/chat_input.ts";
import { FakeSession, startChat, turns } from "../helpers/chat_fakes.ts";
import { type FakeEngine, fakeEngines, personOf, statusOf } from "../helpers/fake_engine.ts";

const people = [personOf(1, "alice"), personOf(2, "bob"), personOf(3, "carol")];

/** Alice in the sealed room "team" with bob and carol; number `maker` of them made it. */
async function sealedChat({ maker = 1 } = {}) {
  const { engines, openEngine } = fakeEngines();
  const challenge = new Uint8Array(32).fill(9);
  const fingerprint = "SHA256:gfCOkTpYGNqX3fuCtWaOvS-Ow2v8pz3NjflTPAJix68" as never;
  const session = new FakeSession({ challenge, fingerprint, rooms: 0 });
  const secret = new Uint8Array(32).fill(7);
  const place = { name: "alice", room: "team" };
  const fake = await startChat([session], { place, secret, openEngine });
  void readTerminal({ chat: fake.chat, downloads: false, clock: fake.clock });
  const engine = engines[0] as FakeEngine;
  engine.tell(statusOf({ people, maker }));
  return { ...fake, session, engine, text: () => fake.console.printed.join("\n") };
}

const DECISION = { kind: "moderated", client: 1, name: "alice" } as const;

Deno.test("who made a sealed room is told what that gives, and the others are not", async () => {
  const maker = await sealedChat();
  assert.match(maker.text(), /You made this room: \/kick and \/lock are yours/);
  maker.chat.end();
  const other = await sealedChat({ maker: 2 });
  assert.doesNotMatch(other.text(), /You made this room/);
  await other.console.enter("/verify bob");
  assert.match(other.text(), /Key of bob \(made this room\):/);
  other.chat.end();
});

Deno.test("/kick, /lock and /unlock go to the engine and never to the server", async () => {
  const { chat, console, engine, session } = await sealedChat();
  await console.enter("/kick bob too loud", "/lock", "/unlock");
  assert.deepEqual(engine.handled.slice(-3), [
    { kind: "kick", request: 1, whom: 2, reason: "too loud" },
    { kind: "lock", request: 2, locked: true },
    { kind: "lock", request: 3, locked: false },
  ]);
  assert.deepEqual(session.sent, []);
  chat.end();
});

Deno.test("a removal is told with its reason, and who did it hears that the link still opens the room", async () => {
  const story = await sealedChat();
  await story.console.enter("/kick bob too loud");
  const { engine } = story;
  engine.tell({ ...DECISION, what: "kick", whom: 2, whomName: "bob", reason: "too loud" });
  engine.tell({ kind: "left", client: 2, name: "bob" });
  engine.tell({ kind: "done", request: 1 });
  assert.match(story.text(), /alice removed bob: too loud/);
  assert.match(story.text(), /bob still has the link/);
  assert.match(story.text(), /\/lock keeps out whoever is not in; \/rekey makes a new link/);
  assert.equal(story.chat.room.title, "team");
  story.chat.end();
});

Deno.test("who is removed is told by whom, and is out of the room", async () => {
  const story = await sealedChat({ maker: 2 });
  const { engine } = story;
  const whom = { whom: 1, whomName: "alice", reason: "spam" };
  engine.tell({ ...DECISION, what: "kick", client: 2, name: "bob", ...whom });
  await turns();
  assert.match(story.text(), /bob removed alice: spam/);
  assert.equal(engine.closed, true);
  assert.deepEqual(story.chat.rooms.all, []);
  assert.doesNotMatch(story.text(), /still has the link/);
  story.chat.end();
});

Deno.test("what nobody can hold in a sealed room is refused with the reason and what helps", async () => {
  const story = await sealedChat();
  await story.console.enter("/ban bob", "/mute bob", "/slow 10s");
  await turns();
  assert.match(story.text(), /Cannot ban in a sealed room: whoever has its link comes in again/);
  assert.match(story.text(), /\/kick NAME, then \/lock, or \/rekey/);
  assert.equal(story.text().match(/its server cannot tell who says what/g)?.length, 2);
  assert.equal(story.chat.room.banned.size, 0);
  assert.deepEqual(story.session.sent, []);
  story.chat.end();
});

Deno.test("/nick in a sealed room goes to its members alone, and others see who it was", async () => {
  const story = await sealedChat();
  await story.console.enter("/nick alicia");
  assert.deepEqual(story.engine.handled.at(-1), { kind: "rename", request: 1, name: "alicia" });
  assert.deepEqual(story.session.sent, []);
  const { engine } = story;
  engine.tell({ kind: "renamed", client: 1, name: "alicia", previous: "alice" });
  engine.tell({ kind: "renamed", client: 2, name: "robert", previous: "bob" });
  engine.tell({ kind: "done", request: 1 });
  assert.match(story.text(), /alice is now known as alicia/);
  assert.match(story.text(), /bob is now known as robert/);
  assert.match(story.console.prompt, /^alicia@team> $/);
  story.chat.end();
});
