import { QuitQuestion } from "../../../client/app/quit_question.ts";
import assert from "node:assert/strict";
import { readPipe } from "../../../client/app/pipe_input.ts";
import { readTerminal } from "../../../client/app/terminal_input.ts";
import { UnauthorizedError } from "../../../client/session/refusal.ts";
import { ConnectionError, UsageError } from "../../../shared/base/errors.ts";
import {
  eventOf,
  type FakeChat,
  FakeSession,
  startChat,
  turns,
} from "../../helpers/fakes/chat_fakes.ts";

function atTerminal({ chat, clock }: FakeChat): Promise<void> {
  return readTerminal({ chat, clock, downloads: true });
}

function fromPipe({ chat, clock }: FakeChat): ReturnType<typeof readPipe> {
  return readPipe({ chat, clock, downloads: false });
}

Deno.test("a line that is entered is sent, and two slashes make one", async () => {
  const session = new FakeSession();
  const fake = await startChat([session]);
  atTerminal(fake);
  await fake.console.enter("hello", "//etc/hosts", "two\nlines", "  ");
  assert.deepEqual(session.sent.map((request) => request.kind === "chat" && request.text), [
    "hello",
    "/etc/hosts",
    "two\nlines",
  ]);
});

Deno.test("a line entered without a connection waits for the next one, and that is told", async () => {
  const session = new FakeSession();
  const fake = await startChat([session]);
  atTerminal(fake);
  await session.drop();
  await fake.console.enter("hello");
  assert.equal(
    fake.console.printed.at(-1),
    '- Not yet sent: "hello" waits until there is a connection.',
  );
  assert.match(fake.console.status, /1 unsent/);
});

Deno.test("a message that is too long goes back into the input line, with both numbers told", async () => {
  const fake = await startChat([new FakeSession()]);
  atTerminal(fake);
  const text = "x".repeat(4_097);
  await fake.console.enter(text);
  assert.equal(fake.console.input, text);
  assert.match(fake.console.printed.at(-1) ?? "", /4097 bytes, at most 4096/);
});

Deno.test("what was on its way when the link broke is told to be perhaps not delivered", async () => {
  const session = new FakeSession();
  const fake = await startChat([session]);
  atTerminal(fake);
  await fake.console.enter("hello");
  await session.drop();
  assert.ok(
    fake.console.printed.some((line) => line.startsWith('warning: Perhaps not delivered: "hello"')),
  );
});

Deno.test("what waits when the chat ends is told to be not delivered, whoever ended it", async () => {
  const wantsOut = async (fake: FakeChat) => await fake.console.press("end");
  const isRefused = async ({ clock }: FakeChat) => {
    for (let second = 0; second < 5; second++) await clock.pass(1_000);
  };
  for (
    const [ends, exact] of [[wantsOut, ""], [
      isRefused,
      'warning: Perhaps not delivered: "sent"',
    ]] as const
  ) {
    const session = new FakeSession({ holdSeconds: 60 });
    const fake = await startChat([session, new UnauthorizedError("no")]);
    atTerminal(fake);
    await fake.console.enter("sent");
    await session.drop();
    await fake.console.enter("waits");
    await ends(fake);
    await fake.ended;
    await turns();
    const told = fake.console.printed.filter((line) => /delivered/.test(line));
    const wanted = [
      ...(exact === "" ? [] : [exact]),
      'warning: Not delivered: "waits": the chat has ended',
    ];
    assert.deepEqual(told.map((line) => line.split("\n")[0]), wanted);
  }
});

Deno.test("who leaves right after a line is not warned of it", async () => {
  const fake = await startChat([new FakeSession()]);
  atTerminal(fake);
  await fake.console.enter("bye all");
  await fake.console.press("end");
  await fake.ended;
  assert.deepEqual(fake.console.printed.filter((line) => /delivered/.test(line)), []);
});

Deno.test("an unknown command is an error with a suggestion, and leaves the input line empty", async () => {
  const session = new FakeSession();
  const fake = await startChat([session]);
  atTerminal(fake);
  await fake.console.enter("/jion dev");
  assert.equal(fake.console.input, "");
  assert.equal(
    fake.console.printed.at(-1),
    'error: Cannot use "/jion": there is no such command\nhint: did you mean /join?',
  );
  assert.equal(session.sent.length, 0);
});

Deno.test("/quit, Ctrl-C twice on an empty line and Ctrl-D leave", async () => {
  for (const leave of ["line", "interrupt", "end"] as const) {
    const fake = await startChat([new FakeSession()]);
    const reading = atTerminal(fake);
    if (leave === "line") await fake.console.enter("/quit");
    else await fake.console.press(leave);
    if (leave === "interrupt") {
      assert.equal(fake.console.printed.at(-1), "- Press Ctrl-C again to quit.");
      await fake.console.press(leave);
    }
    await reading;
    assert.equal(await fake.ended, undefined);
  }
});

Deno.test("Ctrl-C asks again after something else was done, and says what ends with the chat", async () => {
  const fake = await startChat([new FakeSession()]);
  const reading = atTerminal(fake);
  const questions = () => fake.console.printed.filter((line) => /Ctrl-C again/.test(line)).length;
  await fake.console.press("interrupt");
  await fake.console.enter("/rooms");
  await fake.console.press("interrupt");
  assert.equal(questions(), 2);
  const { chat } = fake;
  assert.equal(chat.ending.aborted, false);
  const team = chat.rooms.addSealed("team", "alice", -1 as never);
  team.seal = { maker: 7, people: [{ own: true, client: 7 }] } as never;
  new QuitQuestion(chat, true).interrupt();
  assert.equal(
    fake.console.printed.at(-1),
    "- Press Ctrl-C again to quit. This ends the server, for everybody who is on it, " +
      'your key as the maker of "team".',
  );
  await fake.console.press("interrupt");
  await reading;
});

Deno.test("a pipe sends line after line, each after the echo of the one before", async () => {
  const session = new FakeSession();
  const fake = await startChat([session]);
  const reading = fromPipe(fake);
  await fake.console.enter("one", "", "two");
  assert.equal(session.sent.length, 1);
  await session.echo("one");
  assert.equal(session.sent.length, 2);
  await session.echo("two");
  await fake.console.press("end");
  assert.equal(await reading, undefined);
  assert.equal(await fake.ended, undefined);
});

Deno.test("a pipe keeps to the server's rate", async () => {
  const rate = { messages: 2, seconds: 5 };
  const session = new FakeSession({ rate });
  const fake = await startChat([session]);
  fromPipe(fake);
  await fake.console.enter("one", "two", "three");
  await session.echo("one");
  await session.echo("two");
  assert.equal(session.sent.length, 2);
  await fake.clock.pass(4_999);
  assert.equal(session.sent.length, 2);
  await fake.clock.pass(1);
  assert.equal(session.sent.length, 3);
});

Deno.test("a pipe's line without an echo is a fault after 15 s", async () => {
  const session = new FakeSession();
  const fake = await startChat([session]);
  const reading = fromPipe(fake);
  await fake.console.enter("one");
  await fake.clock.pass(15_000);
  await fake.console.press("end");
  const fault = await reading;
  assert.ok(fault instanceof ConnectionError);
  assert.match(fault.message, /Perhaps not delivered: "one"/);
});

Deno.test("a pipe's refused line and unknown command are faults, and the lines after them are sent", async () => {
  const session = new FakeSession();
  const fake = await startChat([session]);
  const reading = fromPipe(fake);
  await fake.console.enter("/nok", "/nick bob", "after");
  assert.deepEqual(session.sent, [{ kind: "rename", id: 1, name: "bob" }]);
  await session.deliver(eventOf("declined", { id: 1, why: "taken" }));
  assert.equal(session.sent.length, 2);
  await session.echo("after");
  await fake.console.press("end");
  assert.ok(await reading instanceof UsageError);
});

Deno.test("a pipe waits for the connection, and gives up after 60 s without one", async () => {
  const session = new FakeSession();
  const down = () => new ConnectionError("down");
  const fake = await startChat([session, down(), down(), down(), down(), down(), down()]);
  await session.drop();
  const reading = fromPipe(fake);
  await fake.console.enter("one");
  for (let second = 0; second < 60; second++) await fake.clock.pass(1_000);
  await fake.console.press("end");
  const fault = await reading;
  assert.match(
    fault?.message ?? "",
    /^Not sent: there was no connection to the server within 60 s/,
  );
  await turns();
});

Deno.test("/quit in a pipe ends the reading", async () => {
  const session = new FakeSession();
  const fake = await startChat([session]);
  const reading = fromPipe(fake);
  await fake.console.enter("/quit", "never");
  assert.equal(await reading, undefined);
  assert.deepEqual(session.sent, []);
});
