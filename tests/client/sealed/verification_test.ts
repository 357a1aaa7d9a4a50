// Comparing keys: one code for two people, equal on both screens, and a mark that is seen afterwards.

import assert from "node:assert/strict";
import { readTerminal } from "../../../client/app/terminal_input.ts";
import { createJsonRenderer } from "../../../client/render/json.ts";
import { safeName, whoSays } from "../../../client/render/text.ts";
import { pairCode, type SealedPerson } from "../../../client/sealed_engine/people.ts";
import { spokenFingerprint } from "../../../client/mls/room_code.ts";
import type { SealStatus } from "../../../client/sealed_engine/engine_protocol.ts";
import { FakeSession, startChat } from "../../helpers/fakes/chat_fakes.ts";
import { plainText } from "../../../client/render/shown.ts";
import {
  type FakeEngine,
  fakeEngines,
  personOf,
  statusOf,
} from "../../helpers/fakes/fake_engine.ts";

const keyOf = (byte: number) => spokenFingerprint(new Uint8Array(32).fill(byte));
const ALICE = { ...personOf(1, "alice"), ...keyOf(1) };
const BOB = { ...personOf(2, "bob"), ...keyOf(2) };
const JANE = { ...personOf(3, "jane doe"), ...keyOf(3) };

async function sealedChat() {
  const { engines, openEngine } = fakeEngines();
  const session = new FakeSession({ challenge: new Uint8Array(32).fill(9), rooms: 0 });
  const place = { name: "alice", room: "team" };
  const fake = await startChat([session], { place, secret: new Uint8Array(32), openEngine });
  void readTerminal({ chat: fake.chat, downloads: false, clock: fake.clock });
  const engine = engines[0] as FakeEngine;
  const are = (people: readonly SealedPerson[], fields: Partial<SealStatus> = {}) =>
    engine.tell(statusOf({ people, ...fields }));
  are([ALICE, BOB, JANE]);
  const says = ({ client, name }: SealedPerson, text: string) =>
    engine.tell({
      kind: "text",
      client,
      name,
      text,
      time: 0,
      action: false,
      reply: 0,
      sequence: 1,
      request: 0,
    });
  const accepted = () => engine.handled.filter(({ kind }) => kind === "accept");
  const last = () => fake.console.printed.at(-1) ?? "";
  return { ...fake, engine, are, says, accepted, last };
}

Deno.test("two people have one code, whoever asks, and another one with anybody else", () => {
  const [ofAlice, ofBob, ofJane] = [keyOf(1), keyOf(2), keyOf(3)];
  const code = pairCode(ofAlice, ofBob);
  assert.deepEqual(code, pairCode(ofBob, ofAlice));
  assert.notDeepEqual(code, pairCode(ofAlice, ofJane));
  assert.match(code.map(({ digits }) => digits).join(" "), /^(\d{5} ){11}\d{5}$/);
  assert.match(code.map(({ words }) => words).join(" "), /^([a-z]+ ){23}[a-z]+$/);
  // Both halves count: nobody who chooses one key alone can make the code equal.
  assert.deepEqual(
    new Set(code.map(({ digits }) => digits)),
    new Set([ofAlice.digits, ofBob.digits]),
  );
});

Deno.test("/verify shows the code, and yes verifies the key whose code was shown, and no other one", async () => {
  const { console, are, accepted, last, chat } = await sealedChat();
  await console.enter("/verify bob yes");
  assert.match(
    last(),
    /^error: Not verified: you have not seen the code of this key of bob\nhint: /,
  );
  await console.enter("/verify bob");
  const [digits = "", words = ""] = [
    [...last().matchAll(/(?:\d{5} ){5}\d{5}/g)].join(" "),
    last(),
  ];
  for (const part of pairCode(ALICE, BOB)) {
    assert.ok(digits.includes(part.digits));
    assert.ok(words.replaceAll(/\n- |\s+/g, " ").replaceAll(/ +/g, " ").includes(part.words));
  }
  // Meanwhile bob is somebody else.
  const other = { ...BOB, ...keyOf(9), suspect: true };
  are([ALICE, other, JANE]);
  await console.enter("/verify bob yes");
  assert.match(last(), /^error: Not verified/);
  assert.deepEqual(accepted(), []);
  await console.enter("/verify bob yes");
  assert.equal(last(), "- bob ✓ is verified on this device, until you leave.");
  assert.deepEqual(accepted(), [
    { kind: "accept", name: "bob", verified: true, digits: other.digits },
  ]);
  chat.end();
});

Deno.test("what is typed wrongly after /verify is told", async () => {
  const cases = [
    ["/verify", /You show no device key; .*\n.*You know nobody/],
    ["/verify carol", /Cannot find "carol" in this room/],
    ["/verify alice", /Cannot verify yourself/],
    ["/verify bob maybe", /the form is \/verify NAME \[yes\|anyway\]/],
    ["/verify jane", /Cannot find "jane"/],
    ['/verify "jane doe"', /Code of you and "jane doe":/],
    ["/verify jane doe", /Code of you and "jane doe":/],
    ["/verify jane doe anyway", /accepted the key of "jane doe" without comparing/],
  ] as const;
  const { console, last, chat } = await sealedChat();
  for (const [line, shown] of cases) {
    await console.enter(line);
    assert.match(last(), shown, line);
  }
  chat.end();
});

Deno.test("who is verified has a mark in lines, in /names and in /whois, and nobody else has it", async () => {
  const { console, are, says, engine, last, chat } = await sealedChat();
  const verified = { ...BOB, verified: true };
  are([ALICE, verified, JANE]);
  says(verified, "hello");
  assert.equal(last(), "<bob ✓> hello");
  says(JANE, "hello");
  assert.equal(last(), "<jane doe> hello");
  const direct = { kind: "direct", time: 0, request: 0, text: "psst" } as const;
  engine.tell({ ...direct, client: 2, name: "bob", to: 1, toName: "alice" });
  assert.equal(last(), "<bob ✓ → alice> psst");
  engine.tell({ ...direct, client: 1, name: "alice", to: 2, toName: "bob" });
  assert.equal(last(), "<alice → bob ✓> psst");
  await console.enter("/names");
  assert.equal(last(), '- In "team": alice, bob ✓, "jane doe"');
  await console.enter("/whois bob");
  assert.equal(last(), '- bob: here, in "team", verified');
  await console.enter("/whois jane doe");
  assert.equal(last(), '- "jane doe": here, in "team", key not compared');
  // Somebody else under the name, before the engine has told how the room is now.
  says({ ...BOB, client: 7 }, "it is me");
  assert.equal(last(), "<bob> it is me");
  says(verified, "no, me");
  chat.end();
});

Deno.test("a key that is questioned shows in the status line and in /names, until the user has looked", async () => {
  const { console, are, last, chat } = await sealedChat();
  const other = { ...BOB, suspect: true };
  are([ALICE, other, JANE], { stopped: true });
  assert.equal(console.status, "team · alice · STOPPED: bob has another key · connected");
  are([ALICE, other, JANE]);
  assert.equal(console.status, "team · alice · sealed, bob has another key · connected");
  await console.enter("/names");
  assert.equal(last(), '- In "team": alice, bob (ANOTHER KEY now), "jane doe"');
  are([ALICE, BOB, JANE]);
  assert.equal(console.status, "team · alice · sealed · connected");
  chat.end();
});

Deno.test("no name can pass for a verified one", () => {
  for (const name of ["bob ✓", "bob ✔", "bob ✅", "bob ☑", "✓"]) {
    assert.doesNotMatch(safeName(name), /[✓✔✅☑]/u, name);
    assert.doesNotMatch(whoSays({ sender: name }), /[✓✔✅☑]/u, name);
  }
});

Deno.test("programs get the mark as a field", () => {
  const line = {
    sender: "bob",
    text: "hi",
    room: "team",
    time: "",
    sequence: 1,
    own: false,
    mention: false,
    sealed: true,
  } as const;
  const { chat } = createJsonRenderer();
  const fieldsOf = (more: object) => JSON.parse(plainText(chat({ ...line, ...more }))) as object;
  assert.equal("verified" in fieldsOf({}), false);
  assert.deepEqual(fieldsOf({ verified: true }), {
    v: 1,
    kind: "chat",
    time: "",
    room: "team",
    sender: "bob",
    text: "hi",
    sequence: 1,
    own: false,
    mention: false,
    action: false,
    sealed: true,
    verified: true,
  });
});
