// Which message /edit and /delete mean, with the lines that the user sees.

import assert from "node:assert/strict";
import { completePath } from "../../../client/files/path_completion.ts";
import { createCompleter } from "../../../client/commands/completer.ts";
import { readTerminal } from "../../../client/app/terminal_input.ts";
import { SYSTEM_CLOCK } from "../../../client/base/clock.ts";
import {
  eventOf,
  type FakeChat,
  FakeSession,
  LOBBY,
  startChat,
} from "../../helpers/fakes/chat_fakes.ts";

interface Story extends FakeChat {
  readonly session: FakeSession;
}

/** Alice said 1, bob 2, alice 3, and all of it arrived. */
async function story(): Promise<Story> {
  const session = new FakeSession();
  const fake = await startChat([session]);
  void readTerminal({ chat: fake.chat, downloads: true, clock: SYSTEM_CLOCK });
  await session.echo("one", { request: 0, sequence: 1 });
  await session.echo("two", { request: 0, sequence: 2, client: 8, name: "bob" });
  await session.echo("three", { request: 0, sequence: 3 });
  return { ...fake, session };
}

/** What a line asks for, as `sequence text`; and what is shown of it, where nothing is asked. */
const CASES: readonly (readonly [line: string, asked: string | undefined, shown?: string])[] = [
  ["/edit better", "3 better"],
  ["/edit #1 better", "1 better"],
  ["/edit #1   two  blanks", "1 two  blanks"],
  ["/edit 2", "3 2"],
  ["/edit # 1 is no number", "3 # 1 is no number"],
  ["/edit #dev is up", "3 #dev is up"],
  ["/delete", "3 null"],
  ["/delete #1", "1 null"],
  ["/delete 1", "1 null"],
  [
    "/edit 1 text",
    undefined,
    'error: Cannot tell which message you mean by "1 …"\n' +
    "hint: /edit #1 TEXT changes message 1; /edit #3 1 TEXT changes your last message",
  ],
  ["/edit #2 mine now", undefined, 'error: Cannot change #2: "bob" wrote it'],
  ["/delete #2", undefined, 'error: Cannot delete #2: "bob" wrote it'],
  [
    "/delete 9",
    undefined,
    "error: Cannot delete #9: this client has no such message of this room\n" +
    "hint: a message has its number before it; /last shows it",
  ],
  [
    "/edit #1",
    undefined,
    "error: Cannot change #1 to nothing: the form is /edit [#N] TEXT\nhint: /delete #1 deletes it",
  ],
  [
    "/edit",
    undefined,
    "error: Cannot use /edit without an argument: the form is /edit [#N] TEXT",
  ],
  [
    "/delete it all",
    undefined,
    'error: Cannot delete "it all": the form is /delete [#N]\nhint: N is the number before a message; /last shows it',
  ],
];

for (const [line, asked, shown] of CASES) {
  Deno.test(`${line} means ${asked ?? "nothing, and says why"}`, async () => {
    const { console, session, chat } = await story();
    await console.enter(line);
    const sent = session.sent.map((request) =>
      request.kind === "revise" ? `${request.sequence} ${request.text}` : request.kind
    );
    assert.deepEqual(sent, asked === undefined ? [] : [asked]);
    if (shown !== undefined) assert.equal(console.printed.at(-1), shown);
    assert.equal(console.input, "");
    chat.end();
  });
}

Deno.test("a topic or an away message that is too long is refused before it is sent, and counted in bytes", async () => {
  const { console, session, chat } = await story();
  for (const [line, max] of [["/topic", 256], ["/away", 128]] as const) {
    await console.enter(`${line} ${"ü".repeat(max / 2 + 1)}`);
    assert.deepEqual(session.sent, []);
    assert.match(
      console.printed.at(-1) ?? "",
      new RegExp(`it has ${max + 2} bytes, at most ${max}`),
    );
  }
  for (const [line, max] of [["/topic", 256], ["/away", 128]] as const) {
    await console.enter(`${line} ${"ü".repeat(max / 2)}`);
  }
  assert.deepEqual(session.sent.map(({ kind }) => kind), ["topic", "status"]);
  chat.end();
});

Deno.test("a second /delete takes no older message, however soon it comes", async () => {
  for (const isQuick of [true, false]) {
    const { console, session, chat } = await story();
    await console.enter("/delete");
    const confirm = () =>
      session.deliver(eventOf("revised", { request: 1, sequence: 3, text: null }));
    if (!isQuick) await confirm();
    await console.enter("/delete");
    if (isQuick) await confirm();
    assert.deepEqual(session.sent, [
      { kind: "revise", id: 1, room: LOBBY, sequence: 3, text: null },
    ]);
    assert.deepEqual(console.printed.slice(-2), [
      '* alice deleted #3: "three".',
      "error: Cannot change your last message here: #3 is deleted already\n" +
      'hint: the one before that is #1: "one"; name its number to change it',
    ]);
    await console.enter("/edit and no older one is changed");
    assert.equal(session.sent.length, 1);
    await console.enter("a new one");
    await session.echo("a new one", { sequence: 4 });
    await console.enter("/delete");
    assert.deepEqual(session.sent.at(-1), {
      kind: "revise",
      id: 3,
      room: LOBBY,
      sequence: 4,
      text: null,
    });
    chat.end();
  }
});

Deno.test("a wrong command does not stay in the input line, a message that is too long does", async () => {
  const { console, session, chat } = await story();
  for (const line of ["/nope", "/nick", "/delete now", "/lock it", "/kick nobody"]) {
    await console.enter(line);
    assert.match(console.printed.at(-1) ?? "", /^error: /, line);
    assert.equal(console.input, "", line);
  }
  await console.enter("x".repeat(5_000));
  assert.equal(console.input.length, 5_000);
  assert.deepEqual(session.sent, []);
  chat.end();
});

Deno.test("Tab offers one's own messages to /edit and /delete, and the old text to change", async () => {
  const { chat } = await story();
  const complete = createCompleter(() => chat, {
    paths: (typed) => completePath(typed, undefined),
  });
  const offers = (line: string) => {
    const { start, candidates } = complete(line, line.length);
    return candidates.map((candidate) => line.slice(0, start) + candidate);
  };
  assert.deepEqual(offers("/edit "), ["/edit three"]);
  assert.deepEqual(offers("/edit #"), ["/edit #1 ", "/edit #3 "]);
  assert.deepEqual(offers("/edit #1 "), ["/edit #1 one"]);
  assert.deepEqual(offers("/edit #2 "), []);
  assert.deepEqual(offers("/delete "), ["/delete #1", "/delete #3"]);
  chat.end();
});
