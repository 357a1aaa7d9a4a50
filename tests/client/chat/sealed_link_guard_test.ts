// A sealed link never leaves for a server that can read without a question, whatever takes it there.
import assert from "node:assert/strict";
import { readTerminal } from "../../../client/app/terminal_input.ts";
import { COMMAND_GROUPS, parseLine, runCommand } from "../../../client/commands/dispatcher.ts";
import { eventOf, FakeSession, startChat, turns } from "../../helpers/fakes/chat_fakes.ts";

const SECRET = "NZby-eWLmmpz4ZZzv1kJwHJZpxw3DlrB9eVMF_7I82A";
const LINK = `cmdchat://chat.example.org:5050/team#fp=abc&secret=${SECRET}`;

async function talk() {
  const session = new FakeSession();
  const fake = await startChat([session]);
  await session.deliver(
    eventOf("joined", { client: 8 as never, name: "bob", old: false }),
    eventOf("chat", { client: 8 as never, name: "bob", text: "hm", sequence: 1 as never }),
  );
  return { ...fake, session };
}

const WAYS = [
  LINK,
  `join us: ${LINK.toUpperCase().replace(/SECRET=.*/, `SECRET=${SECRET}`)}`,
  `line\n${LINK}`,
  `/me sends ${LINK}`,
  `/msg bob ${LINK}`,
  `/quote 1 ${LINK}`,
  `/topic ${LINK}`,
  `/away ${LINK}`,
  `/kick bob ${LINK}`,
  `only its end: #secret=${SECRET}`,
  `in an address: https%3A%2F%2Fh%2F%23room%3Dteam%26secret%3D${SECRET}`,
];

for (const line of WAYS) {
  Deno.test(`a sealed link is asked about before it leaves: ${line.slice(0, 12).replaceAll("\n", " ")}`, async () => {
    const { chat, console, session, clock } = await talk();
    const reading = readTerminal({ chat, downloads: false, clock });
    const before = session.sent.length;
    await console.enter(line);
    assert.equal(session.sent.length, before);
    const shown = console.printed.join("\n");
    assert.match(shown, /Not sent: the text has the link of a sealed room/);
    assert.match(shown, /enter the same again to send it anyway/);
    // Enter pressed twice is no answer.
    await console.enter(line);
    assert.equal(session.sent.length, before);
    await clock.pass(1_000);
    await console.enter(line);
    assert.equal(session.sent.length, before + 1);
    // Once: the next time it is asked about again.
    await console.enter(line);
    assert.equal(session.sent.length, before + 1);
    await console.press("end");
    await reading;
  });
}

Deno.test("a program is refused, however often it tries; links of plain rooms and other texts leave", async () => {
  const { chat, session } = await talk();
  const context = { chat, downloads: false, groups: COMMAND_GROUPS, quit: () => {} };
  const parsed = parseLine(`/topic ${LINK}`);
  assert.ok(parsed.kind === "command");
  for (let n = 0; n < 2; n++) {
    assert.throws(() => chat.say(LINK), /Not sent: the text has the link of a sealed room/);
    await assert.rejects(runCommand(parsed.row, parsed.argument, context), /Not sent/);
  }
  const before = session.sent.length;
  void chat.say("cmdchat://chat.example.org/lobby#fp=abc");
  void chat.say("the secret=42");
  assert.ok(session.sent.length >= before + 1);
  chat.end();
});

Deno.test("a file whose name has a sealed link is asked about in a plain room, and closed meanwhile", async () => {
  const { chat, session, clock } = await talk();
  let closed = 0;
  const file = () => ({
    name: `cmdchat_team#secret=${SECRET}.txt`,
    size: 3,
    hash: new Uint8Array(32),
    chunk: () => Promise.resolve(new Uint8Array(3)),
    close: () => closed++,
  });
  assert.throws(
    () => chat.transfers.sendFile(file(), chat.room),
    /Not sent: the text has the link/,
  );
  chat.requests.linkGuard.canConfirm = true;
  assert.throws(() => chat.transfers.sendFile(file(), chat.room), /Not sent/);
  await clock.pass(1_000);
  assert.deepEqual(session.sent, []);
  assert.equal(closed, 2);
  chat.transfers.sendFile(file(), chat.room);
  await turns();
  assert.deepEqual(session.sent.map(({ kind }) => kind), ["offer"]);
  const sealed = { id: undefined, title: "team", isSealed: true } as const;
  chat.transfers.sendFile(file(), sealed);
  chat.end();
  await chat.transfers.dispose();
});

Deno.test("names of rooms and people cannot hold a link, and nothing of one is sent", async () => {
  const { chat, console, session, clock } = await talk();
  void readTerminal({ chat, downloads: false, clock });
  const lines = [
    `/join team ${LINK}`,
    `/join #secret=${SECRET}`,
    `/nick ${LINK}`,
    `/whois ${LINK}`,
    `/switch ${LINK}`,
    `/ignore ${LINK}`,
  ];
  for (const line of lines) await console.enter(line);
  assert.deepEqual(session.sent, []);
  chat.end();
});
