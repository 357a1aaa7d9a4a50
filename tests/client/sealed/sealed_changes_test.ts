// What the chat makes of decisions, names and words beside messages in a sealed room; the sealing part is the test's.

import assert from "node:assert/strict";
import { readTerminal } from "../../../client/app/terminal_input.ts";
import { FakeSession, startChat, turns } from "../../helpers/fakes/chat_fakes.ts";
import {
  type FakeEngine,
  fakeEngines,
  personOf,
  statusOf,
} from "../../helpers/fakes/fake_engine.ts";
import { HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";

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
  assert.match(maker.text(), /You made this room: \/kick, \/lock, \/op and \/pin are yours/);
  maker.chat.end();
  const other = await sealedChat({ maker: 2 });
  assert.doesNotMatch(other.text(), /You made this room/);
  await other.console.enter("/verify bob");
  assert.match(other.text(), /Code of you and bob \(made this room\):/);
  other.chat.end();
});

Deno.test("/kick, /lock and /unlock go to the engine and never to the server", async () => {
  const { chat, console, engine, session } = await sealedChat();
  await console.enter("/kick bob too loud", "/lock");
  engine.tell(statusOf({ people, maker: 1, locked: true }));
  await console.enter("/unlock");
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
  assert.match(story.text(), /\/lock keeps out everybody who is not in; \/rekey makes a new link/);
  assert.equal(story.chat.room.title, "team");
  story.chat.end();
});

Deno.test("who is removed is told by whom, and is out of the room", async () => {
  const story = await sealedChat({ maker: 2 });
  const { engine } = story;
  const whom = { whom: 1, whomName: "alice", reason: "spam" };
  engine.tell({ ...DECISION, what: "kick", client: 2, name: "bob", ...whom });
  engine.tell(statusOf({ phase: "out" }));
  await turns();
  assert.match(story.text(), /bob removed alice: spam/);
  assert.equal(story.text().match(/You are in no room now/g)?.length, 1);
  assert.equal(engine.closed, true);
  assert.deepEqual(story.chat.rooms.all, []);
  assert.doesNotMatch(story.text(), /still has the link/);
  story.chat.end();
});

Deno.test("what nobody can hold in a sealed room is refused with the reason and what helps", async () => {
  const story = await sealedChat();
  await story.console.enter("/ban bob", "/mute bob", "/slow 10s");
  await turns();
  assert.match(
    story.text(),
    /Cannot ban in a sealed room: anybody who has its link can join again/,
  );
  assert.match(story.text(), /\/kick NAME, then \/lock, or \/rekey/);
  assert.equal(story.text().match(/the server does not know who sends which message/g)?.length, 2);
  assert.equal(story.chat.room.bans.all.length, 0);
  assert.deepEqual(story.session.sent, []);
  story.chat.end();
});

Deno.test("a command that a sealed room does not have is refused as that, whatever stands behind it", async () => {
  const bans = /Cannot ban in a sealed room/;
  const silence = /the server does not know who sends which message/;
  for (
    const [typed, refusal] of [
      ["/ban nobody", bans],
      ["/ban bob 99x", bans],
      ["/ban", bans],
      ["/bans", bans],
      ["/unban nobody", bans],
      ["/mute nobody", silence],
      ["/unmute nobody at all", silence],
      ["/slow nonsense", silence],
      ["/backlog many", /Cannot keep lines of a sealed room/],
    ] as const
  ) {
    const story = await sealedChat();
    await story.console.enter(typed);
    await turns();
    assert.match(story.text(), refusal, typed);
    assert.equal(story.text().match(/Cannot /g)?.length, 1, story.text());
    assert.deepEqual(story.session.sent, []);
    story.chat.end();
  }
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

Deno.test("who was locked out tries the link again, and the room it has is brought online anew", async () => {
  const story = await sealedChat();
  story.engine.tell(statusOf({ phase: "out" }));
  const before = story.engine.handled.length;
  const secret = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
  await story.console.enter(`/join cmdchat://127.0.0.1:5050/team#secret=${secret}`);
  assert.deepEqual(story.engine.handled.slice(before).map(({ kind }) => kind), ["online"]);
  story.chat.end();
});

const SAID = { time: 0, action: false, reply: 0 };

Deno.test("/edit and /delete of one's own last message go to the engine, and what comes of it is shown", async () => {
  const story = await sealedChat();
  const { engine, console } = story;
  await console.enter("/edit too early");
  assert.match(story.text(), /you have sent none here that can be changed/);
  await console.enter("teh plan");
  engine.tell({
    kind: "text",
    client: 1,
    name: "alice",
    text: "teh plan",
    ...SAID,
    sequence: 4,
    request: 1,
  });
  await console.enter("/edit the plan");
  const edit = { kind: "revise", request: 2, sequence: 4, text: "the plan" } as const;
  assert.deepEqual(engine.handled.at(-1), edit);
  const own = { client: 1, name: "alice", time: 0, sequence: 4 };
  engine.tell({ kind: "revised", ...own, text: "the plan", request: 2 });
  assert.match(story.text(), /alice changed #4 from "teh plan" to: the plan/);
  await console.enter("/delete");
  assert.deepEqual(engine.handled.at(-1), { ...edit, request: 3, text: null });
  engine.tell({ kind: "revised", ...own, text: null, request: 3 });
  assert.match(story.text(), /alice deleted #4: "the plan"/);
  await console.enter("/delete");
  assert.match(story.text(), /#4 is deleted already/);
  assert.equal(engine.handled.at(-1)?.kind, "revise");
  assert.deepEqual(story.session.sent, []);
  story.chat.end();
});

Deno.test("/topic is said to the members, and told by whom; what a member only tells is told as such", async () => {
  const story = await sealedChat();
  const { engine, console } = story;
  await console.enter("/topic our plan");
  assert.deepEqual(engine.handled.at(-1), { kind: "topic", request: 1, text: "our plan" });
  const own = { client: 1, name: "alice", time: 0 };
  engine.tell({ kind: "topic", ...own, text: "our plan", request: 1, told: false });
  assert.match(story.text(), /alice set the topic: our plan/);
  const bob = { client: 2, name: "bob", time: 0, request: 0 };
  engine.tell({ kind: "topic", ...bob, text: "his plan", told: true });
  assert.match(story.text(), /Topic, as bob says: his plan/);
  await console.enter("/topic");
  assert.match(story.text(), /Topic of "team": his plan/);
  assert.deepEqual(story.session.sent, []);
  story.chat.end();
});

Deno.test("a pinned message that was heard is shown as it was, whoever tells of it; another as a member's word", async () => {
  const { engine, console, chat, text } = await sealedChat();
  const carol = { client: 3, name: "carol", time: 0, request: 0 };
  engine.tell({ kind: "text", ...carol, ...SAID, text: "soup at eight", sequence: 4 });
  const bob = { kind: "pinned", client: 2, name: "bob", time: 0, request: 0 } as const;
  const lie = { authorName: "bob", text: "no soup" };
  for (const told of [false, true]) {
    engine.tell({ ...bob, told, pin: { sequence: 4, ...lie } });
    await console.enter("/pin");
    assert.equal(console.printed.at(-1)?.slice(2), "Pinned, #4 of carol: soup at eight");
  }
  // A text from before our time has no number here: #4 is another one.
  engine.tell({ ...bob, told: true, pin: { sequence: 0, ...lie } });
  assert.match(console.printed.at(-1) ?? "", /Pinned, as bob says, a message of bob: no soup$/);
  engine.tell({ kind: "revised", ...carol, sequence: 4, text: "soup at nine" });
  await console.enter("/pin");
  assert.equal(console.printed.at(-1)?.slice(2), "Pinned, a message of bob: no soup");
  engine.tell({ ...bob, told: true, pin: null });
  await console.enter("/pin");
  assert.match(console.printed.at(-1) ?? "", /Nothing is pinned in "team"/);
  assert.doesNotMatch(text(), /#0/);
  chat.end();
});

Deno.test("who is writing in a sealed room is told to its members, where both want it", async () => {
  const story = await sealedChat();
  const { engine, chat } = story;
  chat.typing.entered("he");
  assert.notEqual(engine.handled.at(-1)?.kind, "typing");
  chat.output.settings.set("typing", "on");
  chat.typing.entered("hello");
  assert.deepEqual(engine.handled.at(-1), { kind: "typing" });
  assert.deepEqual(story.session.sent, []);
  engine.tell({ kind: "typing", client: 2, name: "bob" });
  assert.match(story.console.status, /bob is typing|bob/);
  engine.tell({
    kind: "text",
    client: 2,
    name: "bob",
    text: "hi",
    ...SAID,
    sequence: 4,
    request: 0,
  });
  assert.doesNotMatch(story.console.status, /bob/);
  chat.end();
});

// deno-lint-ignore no-control-regex -- what must not be there
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** All that is on the screen when members' programs say `text` wherever they can. */
async function shownOf(text: string): Promise<string[]> {
  const { chat, console, engine } = await sealedChat({ maker: 2 });
  chat.output.settings.set("typing", "on");
  const bob = { client: 2, name: text, time: 0 };
  engine.tell({ kind: "renamed", client: 2, name: text, previous: text });
  engine.tell({ kind: "topic", ...bob, text, request: 0, told: false });
  engine.tell({ kind: "topic", ...bob, text, request: 0, told: true });
  engine.tell({ kind: "revised", ...bob, sequence: 4, text, request: 0 });
  engine.tell({ kind: "typing", client: 2, name: text });
  const pin = { sequence: 0, authorName: text, text };
  for (const told of [false, true]) {
    engine.tell({ kind: "pinned", ...bob, pin, request: 0, told });
  }
  const kick = { kind: "moderated", what: "kick", reason: text } as const;
  engine.tell({ ...kick, client: 2, name: text, whom: 3, whomName: text });
  engine.tell({ ...kick, client: 1, name: text, whom: 3, whomName: text });
  engine.tell({ kind: "moderated", what: "lock", ...bob, whom: 0, whomName: "", reason: "" });
  await console.enter("/topic", "/rooms");
  return [...console.printed, console.status, console.prompt];
}

Deno.test("no name, topic, changed text or reason of a sealed room moves the terminal or begins a row of its own", async () => {
  const honest = await shownOf("harmless");
  assert.ok(honest.filter((line) => line.includes("harmless")).length >= 8);
  const rows = (lines: readonly string[]) => lines.map((line) => line.split("\n").length);
  for (const { label, text } of HOSTILE_TEXTS) {
    const shown = await shownOf(text);
    for (const line of shown) {
      assert.doesNotMatch(line.replaceAll("\n", ""), CONTROL, `${label}: ${JSON.stringify(line)}`);
    }
    assert.deepEqual(rows(shown), rows(honest), `${label}: ${JSON.stringify(shown)}`);
  }
});

Deno.test("what an ignored member's program does wrong is not told, what the server does is", async () => {
  const { chat, console, engine, text } = await sealedChat();
  await console.enter("/ignore bob");
  const note = { kind: "note", level: "warning" } as const;
  engine.tell({ ...note, text: "bob offers an impossible file.", of: "bob" });
  engine.tell({ ...note, text: "carol offers an impossible file.", of: "carol" });
  engine.tell({ ...note, text: "Unreadable. The server says that bob sent it." });
  engine.tell({ ...note, level: "danger", text: "bob is not in the room any more.", of: "bob" });
  assert.doesNotMatch(text(), /bob offers an impossible file/);
  assert.match(text(), /carol offers[^]*says that bob sent it[^]*bob is not in the room any more/);
  chat.end();
});
