import assert from "node:assert/strict";
import { COMMAND_GROUPS, parseLine, runCommand } from "../../../client/commands/dispatcher.ts";
import { UsageError } from "../../../shared/base/errors.ts";
import {
  eventOf,
  FakeSession,
  LOBBY,
  membersOf,
  startChat,
} from "../../helpers/fakes/chat_fakes.ts";

async function story() {
  const session = new FakeSession();
  const fake = await startChat([session]);
  await session.deliver(membersOf("alice", "eve", "e v e"));
  const run = (line: string) => {
    const parsed = parseLine(line);
    assert.ok(parsed.kind === "command");
    const context = { chat: fake.chat, downloads: true, groups: COMMAND_GROUPS, quit: () => {} };
    return runCommand(parsed.row, parsed.argument, context);
  };
  const asked = () => session.sent.filter((request) => request.kind === "moderate");
  return { ...fake, session, run, asked };
}

Deno.test("/kick, /ban, /mute, /lock and /slow ask with the number, the time and the reason", async () => {
  const { run, asked, session } = await story();
  const lines = [
    "/kick eve",
    "/kick e v e too loud",
    "/ban eve 30m spam",
    "/mute eve 10s",
    "/lock",
  ];
  for (const line of [...lines, "/slow 10s", "/slow off"]) void run(line);
  await session.deliver({ kind: "done", id: 3 });
  void run("/unban eve");
  await undefined;
  assert.deepEqual(
    asked().map((request) =>
      request.kind === "moderate" ? [request.what, request.seconds, request.text] : []
    ),
    [
      ["kick", 0, ""],
      ["kick", 0, "too loud"],
      ["ban", 1_800, "spam"],
      ["mute", 10, ""],
      ["lock", 0, ""],
      ["slow", 10, ""],
      ["slow", 0, ""],
      ["unban", 0, ""],
    ],
  );
});

Deno.test("what cannot be meant is refused before anything is sent", async () => {
  const { run, asked } = await story();
  for (const line of ["/kick nobody", "/slow soon", "/slow 31d", "/unban eve", "/ban nobody 30m"]) {
    await assert.rejects(async () => await run(line), UsageError, line);
  }
  assert.deepEqual(asked(), []);
});

Deno.test("who is removed reads why and is out of the room; who made it is told what that is good for", async () => {
  const { session, console, chat } = await story();
  await session.deliver(
    eventOf("rules", { room: LOBBY, maker: chat.clientId ?? 0, locked: false, slow: 0 }),
  );
  assert.match(console.printed.at(-1) ?? "", /You made this room: \/kick/);
  await session.deliver(eventOf("moderated", {
    room: LOBBY,
    at: 0,
    client: 9,
    name: "eve",
    request: 1,
    what: "ban",
    whom: chat.clientId ?? 0,
    whomName: "alice",
    seconds: 60,
    text: "noise",
  }));
  assert.match(console.printed.at(-2) ?? "", /eve banned alice for 1 minute: noise/);
  assert.equal(chat.rooms.byTitle("lobby"), undefined);
});

Deno.test("/ban alone lists whom one has banned here: who was, and not who was asked for", async () => {
  const { run, session, console, chat } = await story();
  await run("/ban");
  assert.equal(console.printed.at(-1), '- You have banned nobody in "lobby".');
  const refused = run("/ban eve");
  await session.deliver({ kind: "declined", id: 1, why: "only the maker may" });
  await refused;
  const banned = run("/ban e v e 1h spam");
  await session.deliver({ kind: "done", id: 2 });
  await banned;
  await run("/ban");
  assert.equal(
    console.printed.at(-1),
    '- You banned "e v e" in "lobby"; /unban NAME lifts a ban.',
  );
  await assert.rejects(async () => await run("/unban eve"), /you did not ban "eve" here/);
  const lifted = run('/unban "E v e"');
  await session.deliver({ kind: "done", id: 3 });
  await lifted;
  await run("/ban");
  assert.equal(console.printed.at(-1), '- You have banned nobody in "lobby".');
  chat.end();
});

Deno.test("who made a room and is alone in it is told what that is good for when somebody comes", async () => {
  const session = new FakeSession();
  const { chat, console } = await startChat([session]);
  const news = () => console.printed.filter((line) => line.includes("You made this room")).length;
  const rules = () =>
    session.deliver(eventOf("rules", { maker: chat.clientId ?? 0, locked: false, slow: 0 }));
  await session.deliver(membersOf("alice"));
  await rules();
  assert.equal(news(), 0);
  await session.deliver(eventOf("joined", { client: 8 as never, name: "bob", old: false }));
  assert.equal(news(), 1);
  await session.deliver(eventOf("joined", { client: 9 as never, name: "carol", old: false }));
  await rules();
  assert.equal(news(), 1);
  chat.end();
});
