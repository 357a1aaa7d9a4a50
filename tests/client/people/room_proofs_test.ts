// Known people in plain rooms, as a chat has them: whom it asks, what it believes, and what it stops.

import assert from "node:assert/strict";
import { readTerminal } from "../../../client/app/terminal_input.ts";
import { PROOF_ANSWERS, PROOF_PATIENCE_MS } from "../../../client/base/limits.ts";
import type { AlarmManner } from "../../../client/sealed/alarm.ts";
import {
  type DeviceKey,
  deviceKeyOf,
  proveAs,
  type RoomClaim,
  roomStatement,
} from "../../../shared/crypto/device_key.ts";
import type { Fingerprint } from "../../../shared/crypto/fingerprint.ts";
import { sha256 } from "../../../shared/crypto/hkdf.ts";
import type { RequestOf } from "../../../shared/messages/messages_v2.ts";
import {
  eventOf,
  FakeSession,
  LOBBY,
  membersOf,
  startChat,
} from "../../helpers/fakes/chat_fakes.ts";
import {
  BOB,
  BOB_CLIENT,
  knowing,
  MALLORY,
  proofOf,
  SERVER,
  SERVER_KEY,
} from "../../helpers/fakes/known_bob.ts";
import { toHex } from "#platform/bytes.ts";

const ALICE = deviceKeyOf(new Uint8Array(32).fill(4));

interface Knows {
  readonly device?: DeviceKey;
  readonly bob?: DeviceKey;
  readonly alarms?: AlarmManner;
}

/** Alice in the lobby, before she is told who is there. */
async function aliceIn(knows: Knows = {}, fingerprint: Fingerprint | undefined = SERVER) {
  const session = new FakeSession({ fingerprint });
  const { device, bob, alarms = "hold" } = knows;
  const people = { device, known: knowing(bob) };
  const fake = await startChat([session], { people, alarms });
  void readTerminal({ chat: fake.chat, downloads: false, clock: fake.clock });
  const of = <K extends "ask_proof" | "proof" | "chat" | "direct">(kind: K) =>
    session.sent.filter((request): request is RequestOf<K> => request.kind === kind);
  const lines = () => fake.console.printed.join("\n");
  const answer = (key: DeviceKey, changes: Partial<RoomClaim> = {}) =>
    session.deliver(proofOf(key, session, changes));
  return { ...fake, session, of, lines, answer };
}

Deno.test("whom the user knows is asked, and has the mark once the key is proven; then what was typed leaves", async () => {
  const { chat, console, session, of, answer, lines } = await aliceIn({ bob: BOB });
  await console.enter("before anybody is known to be there");
  assert.deepEqual(of("chat"), []);
  await session.deliver(membersOf("bob", "carol"));
  assert.deepEqual(of("ask_proof").map(({ to, nonce }) => [to, nonce.length]), [[BOB_CLIENT, 32]]);
  assert.deepEqual(of("chat"), []);
  await answer(BOB);
  assert.match(lines(), /bob ✓ has the device key that you verified on 2026-11-29\./);
  assert.deepEqual(of("chat").map(({ text }) => text), ["before anybody is known to be there"]);
  await session.deliver(
    eventOf("chat", { client: BOB_CLIENT, name: "bob", text: "hello", sequence: 2 }),
  );
  assert.match(lines(), /<bob ✓> hello/);
  await session.deliver(eventOf("chat", { client: 1, name: "carol", text: "hi", sequence: 3 }));
  assert.match(lines(), /<carol> hi/);
  // A rename keeps the key, and a newcomer under the free name has to prove it anew.
  await session.deliver(
    eventOf("renamed", { client: BOB_CLIENT, previous: "bob", name: "robert" }),
  );
  await session.deliver(
    eventOf("chat", { client: BOB_CLIENT, name: "robert", text: "I am", sequence: 4 }),
  );
  assert.match(lines(), /<robert ✓> I am/);
  await session.deliver(eventOf("joined", { client: 9, name: "bob" }));
  assert.deepEqual(of("ask_proof").map(({ to }) => to), [BOB_CLIENT, 9]);
  chat.end();
});

Deno.test("a thief under a known name, with another key or with none, is an alarm", async () => {
  for (const thief of [MALLORY, undefined]) {
    const { chat, clock, console, session, of, answer, lines } = await aliceIn({ bob: BOB });
    await session.deliver(membersOf("bob"));
    await console.enter("meet at eight");
    if (thief === undefined) await clock.pass(PROOF_PATIENCE_MS);
    else await answer(thief);
    const what = thief === undefined ? /bob shows NO DEVICE KEY/ : /bob shows ANOTHER DEVICE KEY/;
    assert.match(lines(), what);
    assert.match(console.status, /STOPPED: bob has another key/);
    assert.deepEqual(of("chat"), [], "what was typed before the alarm is given back");
    assert.match(lines(), /Not sent: bob may be somebody else/);
    await clock.pass(3_000);
    assert.match(console.status, /not sealed, bob has another key/);
    await console.enter("after a look", "/msg bob secret");
    assert.deepEqual(of("chat").map(({ text }) => text), ["after a look"]);
    await session.echo("after a look");
    assert.deepEqual(of("direct"), []);
    await session.deliver(
      eventOf("chat", { client: BOB_CLIENT, name: "bob", text: "it is me", sequence: 2 }),
    );
    assert.match(lines(), /<bob> it is me/);
    await console.enter("/verify bob anyway", "/msg bob secret");
    assert.deepEqual(of("direct").map(({ text }) => text), ["secret"]);
    assert.doesNotMatch(console.status, /another key/);
    chat.end();
  }
});

Deno.test("a proof of another room, session, server or question is an alarm, and so is another member's", async () => {
  const swapped: Partial<RoomClaim>[] = [
    { room: "hall" },
    { prover: 5 },
    { asker: 8 },
    { server: new Uint8Array(32).fill(9) },
    { nonce: new Uint8Array(32).fill(9) },
    { name: "mallory" },
  ];
  for (const changes of swapped) {
    const { chat, session, answer, lines, console } = await aliceIn({ bob: BOB });
    await session.deliver(membersOf("bob"));
    await answer(BOB, changes);
    assert.match(lines(), /bob shows NO DEVICE KEY/, Object.keys(changes).join());
    assert.match(console.status, /bob has another key/);
    chat.end();
  }
  // Recorded before, and played again to the same question's asker under a later nonce.
  const { chat, session, of, answer, lines } = await aliceIn({ bob: BOB });
  await session.deliver(membersOf("bob"));
  const [{ nonce }] = of("ask_proof") as [RequestOf<"ask_proof">];
  await session.deliver(eventOf("left", { client: BOB_CLIENT, name: "bob" }));
  await session.deliver(eventOf("joined", { client: BOB_CLIENT, name: "bob" }));
  await answer(BOB, { nonce });
  assert.match(lines(), /bob shows NO DEVICE KEY/);
  chat.end();
});

Deno.test("a program stops before it says anything to a name that is perhaps somebody else's", async () => {
  const { chat, ended, session, of, answer } = await aliceIn({ bob: BOB, alarms: "stop" });
  void chat.say("build failed");
  await session.deliver(membersOf("bob"));
  await answer(MALLORY);
  const fault = await ended as { exitCode: number; message: string; hint: string };
  assert.equal(fault.exitCode, 7);
  assert.match(fault.message, /^Stopped in "lobby": bob shows ANOTHER DEVICE KEY/);
  assert.match(fault.hint, /--allow-changed-keys/);
  assert.deepEqual(of("chat"), []);
});

Deno.test("with --allow-changed-keys a program is told, and goes on at once", async () => {
  const { chat, session, of, answer, lines } = await aliceIn({ bob: BOB, alarms: "pass" });
  void chat.say("build failed");
  assert.deepEqual(of("chat").map(({ text }) => text), ["build failed"]);
  await session.deliver(membersOf("bob"));
  await answer(MALLORY);
  assert.match(
    lines(),
    /ANOTHER DEVICE KEY .* Sending continues, because of --allow-changed-keys\./,
  );
  chat.end();
});

Deno.test("who shows no device key and knows nobody says nothing about it", async () => {
  const { chat, clock, console, session, lines } = await aliceIn();
  await session.deliver(membersOf("bob", "carol"));
  await console.enter("hello", "/whois bob", "/names", "/people");
  await session.deliver({ kind: "proof_asked", room: LOBBY, client: 0, nonce: new Uint8Array(32) });
  await clock.pass(PROOF_PATIENCE_MS);
  assert.deepEqual(new Set(session.sent.map(({ kind }) => kind)), new Set(["chat"]));
  assert.match(lines(), /You show no device key; cmdchat-client keygen makes one\./);
  chat.end();
});

Deno.test("who shows a device key answers each question with a proof for it alone, and not without end", async () => {
  const { chat, session, of } = await aliceIn({ device: ALICE });
  await session.deliver(membersOf("bob"));
  const nonce = new Uint8Array(32).fill(5);
  await session.deliver({ kind: "proof_asked", room: LOBBY, client: 0, nonce });
  const [proof] = of("proof");
  const statement = roomStatement({
    server: sha256(SERVER_KEY),
    prover: 7,
    asker: 0,
    nonce,
    room: "lobby",
    name: "alice",
  });
  const { key, signature } = proveAs(ALICE, statement);
  assert.deepEqual(proof, { kind: "proof", room: LOBBY, to: 0, key, signature });
  const flood = Array.from({ length: 2 * PROOF_ANSWERS.messages }, () => (
    { kind: "proof_asked", room: LOBBY, client: 0, nonce } as const
  ));
  await session.deliver(...flood);
  assert.equal(of("proof").length, PROOF_ANSWERS.messages);
  chat.end();
});

Deno.test("/verify compares a device key in a plain room, and yes remembers the one that was shown", async () => {
  const { chat, console, session, answer, lines } = await aliceIn({ device: ALICE });
  await session.deliver(membersOf("bob"));
  await console.enter("/verify bob");
  await answer(BOB);
  assert.match(lines(), /Device key of bob:\n.*(?:\d{5} ){5}\d{5}/);
  await console.enter("/verify bob yes", "/people");
  assert.match(lines(), /bob ✓ is verified in all your rooms, until you quit\./);
  assert.match(lines(), /You know, until you quit:\n.*bob ✓ 2026-11-23 (?:\d{5} ){5}\d{5}/);
  assert.equal(chat.people.known.byName("bob")?.key, toHex(BOB.publicKey));
  await console.enter("/whois bob");
  assert.match(lines(), /verified, known to you as bob, device key/);
  await console.enter(
    "/forget bob",
    "/whois bob",
    "/forget bob",
    "/verify bob maybe",
  );
  assert.match(lines(), /bob is forgotten\./);
  assert.match(lines(), /error: Cannot forget "bob": you know nobody of this name/);
  assert.match(lines(), /error: Cannot verify "bob maybe": the form is/);
  assert.equal(chat.people.known.all.length, 0);
  chat.end();
});

Deno.test("/verify says so where somebody shows no key, or where it was not seen yet", async () => {
  const { chat, clock, console, session, answer, lines } = await aliceIn({ device: ALICE });
  await session.deliver(membersOf("bob"));
  await console.enter("/verify bob");
  await clock.pass(PROOF_PATIENCE_MS);
  assert.match(lines(), /error: Cannot verify bob: they show no device key/);
  await console.enter("/verify bob yes");
  await answer(BOB);
  assert.match(
    lines(),
    /error: Not verified: you have not seen this device key of bob\n.*compare it first/,
  );
  assert.equal(chat.people.known.all.length, 0);
  chat.end();
});

Deno.test("a lost connection is no alarm: over the same session it is asked again, over another one anew", async () => {
  const ticket = { session: new Uint8Array(16), secret: new Uint8Array(32), server: SERVER };
  const back = new FakeSession({ fingerprint: SERVER, resumed: true, holdSeconds: 60, ticket });
  const { chat, clock, session, of, attempts, lines } = await aliceIn({ bob: BOB });
  await session.deliver(membersOf("bob"));
  attempts.push(back);
  await session.drop();
  await clock.pass(1_000);
  await clock.pass(PROOF_PATIENCE_MS);
  const again = back.sent.find((request) => request.kind === "ask_proof");
  assert.deepEqual(again?.nonce, of("ask_proof")[0]?.nonce);
  assert.doesNotMatch(lines().slice(0, -1), /ANOTHER DEVICE KEY/);
  chat.end();
});

Deno.test("an answer that comes late ends the alarm", async () => {
  const { chat, clock, console, session, answer, lines } = await aliceIn({ bob: BOB });
  await session.deliver(membersOf("bob"));
  await clock.pass(PROOF_PATIENCE_MS);
  assert.match(console.status, /bob has another key/);
  await answer(BOB);
  assert.doesNotMatch(console.status, /another key/);
  assert.match(lines(), /bob ✓ has the device key/);
  chat.end();
});

Deno.test("who was asked under another name is an alarm as soon as the name is a known one, however often it changes", async () => {
  const { chat, console, session, of, answer, lines } = await aliceIn({ device: ALICE, bob: BOB });
  await session.deliver(membersOf("carol", "dave"));
  await console.enter("/whois carol");
  await answer(MALLORY, { name: "carol" });
  await console.enter("/verify carol anyway");
  const rename = (previous: string, name: string) =>
    session.deliver(eventOf("renamed", { client: 0, previous, name }));
  await rename("carol", "bob");
  assert.match(lines(), /bob shows ANOTHER DEVICE KEY/);
  assert.match(console.status, /STOPPED: bob has another key/);
  await console.enter("the number is");
  assert.deepEqual(of("chat"), []);
  await rename("bob", "carol");
  assert.doesNotMatch(console.status, /another key/);
  await console.enter("/msg carol hello");
  assert.deepEqual(of("direct").map(({ text }) => text), ["hello"]);
  await rename("carol", "bob");
  assert.match(console.status, /bob has another key/);
  chat.end();
});

Deno.test("silence under another name is no alarm: who takes a known name is asked again", async () => {
  const { chat, clock, console, session, of, answer, lines } = await aliceIn({
    device: ALICE,
    bob: BOB,
  });
  await session.deliver(membersOf("tmp", "dave"));
  await console.enter("/whois tmp");
  await clock.pass(PROOF_PATIENCE_MS);
  await session.deliver(eventOf("renamed", { client: BOB_CLIENT, previous: "tmp", name: "bob" }));
  assert.equal(of("ask_proof").length, 2);
  assert.doesNotMatch(console.status, /another key/);
  await answer(BOB);
  assert.match(lines(), /bob ✓ has the device key/);
  assert.doesNotMatch(lines(), /DEVICE KEY/);
  chat.end();
});

Deno.test("who takes a known name while it is asked under another is asked again, and its silence is an alarm", async () => {
  const { chat, clock, console, session, of, lines } = await aliceIn({ device: ALICE, bob: BOB });
  await session.deliver(membersOf("tmp", "dave"));
  await console.enter("/whois tmp");
  await session.deliver(eventOf("renamed", { client: BOB_CLIENT, previous: "tmp", name: "bob" }));
  await console.enter("the number is");
  await clock.pass(PROOF_PATIENCE_MS);
  assert.equal(of("ask_proof").length, 2);
  assert.doesNotMatch(console.status, /another key/);
  await clock.pass(PROOF_PATIENCE_MS);
  assert.match(lines(), /bob shows NO DEVICE KEY/);
  assert.deepEqual(of("chat"), []);
  chat.end();
});

Deno.test("an old client under a known name is told once, and accepted once", async () => {
  const { chat, console, session, lines } = await aliceIn({ bob: BOB });
  await session.deliver(membersOf("carol"));
  await session.deliver(eventOf("joined", { client: 9, name: "bob", old: true }));
  await console.enter("/verify bob anyway", "/forget nobody");
  await chat.people.known.remember({ name: "erin", key: "00", date: "2026-11-29" });
  assert.equal(lines().match(/bob shows NO DEVICE KEY/g)?.length, 1);
  assert.doesNotMatch(console.status, /another key/);
  chat.end();
});

Deno.test("another session has nobody of the one before: their alarm is over", async () => {
  const { chat, clock, console, session, attempts, answer } = await aliceIn({ bob: BOB });
  await session.deliver(membersOf("bob"));
  await answer(MALLORY);
  assert.match(console.status, /bob has another key/);
  const next = new FakeSession({ fingerprint: SERVER });
  attempts.push(next);
  await session.drop();
  // The hold of the alarm ends first, then the wait for the next attempt.
  await clock.pass(3_000);
  await clock.pass(1_000);
  await next.deliver(membersOf("carol"));
  assert.equal(chat.connected, true);
  assert.doesNotMatch(console.status, /another key/);
  chat.end();
});
