// Reactions: what a user types for them, and how they are shown.

import assert from "node:assert/strict";
import { createCompleter } from "../../../client/commands/completer.ts";
import { SYSTEM_CLOCK } from "../../../client/base/clock.ts";
import { readTerminal } from "../../../client/app/terminal_input.ts";
import { Output } from "../../../client/output/output.ts";
import { createMinimalRenderer } from "../../../client/render/minimal.ts";
import { plainText } from "../../../client/render/shown.ts";
import { eventOf, FakeConsole, FakeSession, startChat } from "../../helpers/fakes/chat_fakes.ts";

async function story() {
  const [session, console] = [new FakeSession(), new FakeConsole()];
  const output = new Output({
    renderer: createMinimalRenderer(),
    print: (shown) => console.print(plainText(shown)),
    diagnose: (shown) => console.print(plainText(shown)),
    history: undefined,
    bufferSize: 10,
    clock: SYSTEM_CLOCK,
    screen: {
      setLive: (lines) => console.setLive(lines.map(plainText)),
      alert: () => {},
      columns: () => 80,
    },
  });
  const fake = { ...await startChat([session], { console, output }), console };
  void readTerminal({ chat: fake.chat, downloads: true, clock: SYSTEM_CLOCK });
  await session.deliver(
    eventOf("chat", { client: 8, name: "bob", sequence: 1, text: "one" }),
    eventOf("chat", { client: 9, name: "carol", sequence: 2, text: "two" }),
    eventOf("chat", { client: 7, name: "alice", sequence: 3, text: "three" }),
  );
  const react = (client: number, name: string, fields: object = {}) =>
    session.deliver(
      eventOf("reacted", {
        client,
        name,
        request: 0,
        sequence: 2,
        emoji: "👍",
        on: true,
        ...fields,
      }),
    );
  return { ...fake, session, react };
}

const sentBy = ({ session }: Awaited<ReturnType<typeof story>>) =>
  session.sent.map((request) =>
    request.kind === "react"
      ? `${request.on ? "+" : "-"}${request.emoji} #${request.sequence}`
      : request.kind
  );

const CASES: readonly (readonly [string, string | undefined, string?])[] = [
  ["/react :+1:", "+👍 #2"],
  ["/react 👍", "+👍 #2"],
  ["/react tada", "+🎉 #2"],
  ["/react #1 :Heart:", "+❤️ #1"],
  ["/react 3 👩‍👩‍👧‍👦", "+👩‍👩‍👧‍👦 #3"],
  [
    "/react #9 :+1:",
    undefined,
    "error: Cannot react to #9: this client has no such message of this room\n" +
    "hint: N is the number before a message; /last shows it",
  ],
  [
    "/react #1",
    undefined,
    'error: Cannot react with "#1": the form is /react [#N] EMOJI\nhint: N is the number before a message; /last shows it; /react #12 :+1: reacts to #12',
  ],
  [
    "/react :thumbup:",
    undefined,
    'error: Cannot react with ":thumbup:": expected one emoji or its name\nhint: did you mean :thumbsup: 👍?',
  ],
  [
    "/react +2 now",
    undefined,
    'error: Cannot react with "+2 now": the form is /react [#N] EMOJI\nhint: N is the number before a message; /last shows it; /react #12 :+1: reacts to #12',
  ],
  [
    "/unreact :+1: and more",
    undefined,
    "error: Cannot take a reaction back: the form is /unreact [#N] [EMOJI]\n" +
    "hint: N is the number before a message; /last shows it",
  ],
  [
    "/unreact",
    undefined,
    "error: Cannot take a reaction back: you have none under any message here\nhint: the form is /unreact [#N] [EMOJI]",
  ],
];

for (const [line, asked, shown] of CASES) {
  Deno.test(`${line} asks for ${asked ?? "nothing, and says why"}`, async () => {
    const scene = await story();
    await scene.console.enter(line);
    assert.deepEqual(sentBy(scene), asked === undefined ? [] : [asked]);
    if (shown !== undefined) assert.equal(scene.console.printed.at(-1), shown);
    scene.chat.end();
  });
}

Deno.test("the same reaction again takes it back, and so does /unreact", async () => {
  const scene = await story();
  await scene.react(7, "alice");
  await scene.react(7, "alice", { emoji: "🎉", sequence: 1 });
  for (const line of ["/react :+1:", "/unreact", "/unreact #2 :+1:", "/unreact 2"]) {
    await scene.console.enter(line);
  }
  assert.deepEqual(sentBy(scene), ["-👍 #2", "-🎉 #1", "-👍 #2", "-👍 #2"]);
  scene.chat.end();
});

Deno.test("nobody has more reactions under a message than clients count", async () => {
  const scene = await story();
  for (const emoji of ["👍", "🎉", "❤️", "👀"]) await scene.react(7, "alice", { emoji });
  await scene.console.enter("/react 🚀");
  assert.deepEqual(sentBy(scene), []);
  assert.match(scene.console.printed.at(-1) ?? "", /4 of your reactions are there, the maximum/);
  scene.chat.end();
});

Deno.test("reactions to one message are one line that changes in place until something else is said", async () => {
  const { console, session, react, chat } = await story();
  const before = console.printed.length;
  await react(8, "bob");
  await react(9, "carol");
  await react(9, "carol", { emoji: "❤" });
  assert.deepEqual(console.live, ["* #2  👍 2 (bob, carol)  ❤ 1 (carol)"]);
  await react(9, "carol", { on: false });
  assert.deepEqual(console.live, ["* #2  👍 1 (bob)  ❤ 1 (carol)"]);
  await react(8, "bob", { sequence: 1 });
  assert.deepEqual(console.printed.slice(before), ["* #2  👍 1 (bob)  ❤ 1 (carol)"]);
  assert.deepEqual(console.live, ["* #1  👍 1 (bob)"]);
  await react(8, "bob", { sequence: 1, on: false });
  assert.deepEqual(console.live, [], "what came and went leaves nothing");
  await react(8, "bob", { on: false });
  await react(9, "carol", { emoji: "❤", on: false });
  assert.deepEqual(console.live, [], "and neither does what was taken back in between");
  await react(8, "bob");
  await session.deliver(eventOf("joined", { client: 5, name: "dave", old: false }));
  assert.deepEqual(console.live, ["* dave joined."]);
  await react(8, "bob", { on: false });
  chat.output.flush();
  assert.deepEqual(console.printed.slice(before + 1), [
    "* #2  👍 1 (bob)",
    "* dave joined.",
    "* #2  no reactions any more",
  ]);
  chat.end();
});

Deno.test("what is no emoji, and what an ignored member puts, is not shown and not counted", async () => {
  const { console, react, chat } = await story();
  await console.enter("/ignore carol");
  const before = [...console.printed];
  for (const emoji of ["a", "👍👍", "\x1b[2J", "👍\u0301", ""]) await react(8, "bob", { emoji });
  await react(9, "carol");
  assert.deepEqual([console.printed, console.live], [before, []]);
  await react(8, "bob");
  assert.deepEqual(console.live, ["* #2  👍 1 (bob)"]);
  chat.end();
});

Deno.test("/set reactions all shows each in a line, off shows none", async () => {
  const { console, react, chat } = await story();
  await console.enter("/set reactions all");
  await react(8, "bob");
  await react(8, "bob", { on: false });
  assert.deepEqual(console.printed.slice(-2), [
    '* bob reacted 👍 to #2 "two".',
    "* bob took 👍 back from #2.",
  ]);
  await console.enter("/ignore carol");
  await react(8, "bob");
  assert.equal(console.printed.at(-1), "* bob reacted 👍 to #2.", "not what carol said");
  await react(8, "bob", { on: false });
  await console.enter("/set reactions off");
  const { length } = console.printed;
  await react(8, "bob");
  assert.deepEqual([console.printed.length, console.live], [length, []]);
  chat.end();
});

Deno.test("Tab completes the name of an emoji, with and without its colon", async () => {
  const { chat } = await story();
  const complete = createCompleter(() => chat);
  const offers = (line: string) => complete(line, line.length).candidates.slice(0, 1);
  assert.deepEqual([offers("/react :tad"), offers("/react #2 tad"), offers("/react ")], [["🎉"], [
    "🎉",
  ], []]);
  chat.end();
});
