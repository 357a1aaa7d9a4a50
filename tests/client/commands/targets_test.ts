// Whom and which room a typed line means, with names of several words and names in quotes.

import assert from "node:assert/strict";
import { COMMAND_GROUPS, parseLine, runCommand } from "../../../client/commands/dispatcher.ts";
import { FakeSession, membersOf, startChat } from "../../helpers/fakes/chat_fakes.ts";
import type { Request } from "../../../shared/messages/messages_v2.ts";

// Their numbers are their places in the list.
const MEMBERS = ["nobody yet", "bob", "bob bye", "jane", "jane doe", "Eve"];

async function story() {
  const session = new FakeSession({}, {}, { room: 4, title: "dev" });
  const fake = await startChat([session]);
  await session.deliver(membersOf(...MEMBERS));
  const run = async (line: string) => {
    const parsed = parseLine(line);
    assert.ok(parsed.kind === "command");
    const context = { chat: fake.chat, downloads: true, groups: COMMAND_GROUPS, quit: () => {} };
    await Promise.race([runCommand(parsed.row, parsed.argument, context), Promise.resolve()]);
  };
  return { ...fake, session, run };
}

function meaning(request: Request | undefined): string {
  if (request?.kind === "moderate") {
    return `${request.what} ${MEMBERS[request.whom]} ${request.seconds} ${request.text}`.trim();
  }
  if (request?.kind === "direct") return `direct ${MEMBERS[request.to]} ${request.text}`;
  return request?.kind === "join" ? `join ${request.title}` : JSON.stringify(request);
}

const CASES: readonly (readonly [line: string, means: string])[] = [
  ["/kick bob", "kick bob 0"],
  ["/kick bob bye", "kick bob bye 0"],
  ["/kick bob bye bye", "kick bob bye 0 bye"],
  ['/kick "bob" bye', "kick bob 0 bye"],
  ['/kick "bob bye" bye', "kick bob bye 0 bye"],
  ["/kick jane  doe  too loud", "kick jane doe 0 too loud"],
  ["/kick jane do it", "kick jane 0 do it"],
  ["/kick @eve", "kick Eve 0"],
  ["/kick eve", "kick Eve 0"],
  ["/mute jane doe 10m", "mute jane doe 600"],
  ['/ban "jane doe" 1h spam spam', "ban jane doe 3600 spam spam"],
  ['/unmute "jane doe"', "unmute jane doe 0"],
  ["/msg jane doe", "direct jane doe"],
  ["/msg jane doe hello", "direct jane doe hello"],
  ['/msg "jane doe" hello', "direct jane doe hello"],
  ["/msg @bob hello", "direct bob hello"],
  ["/join #ops", "join ops"],
  ["/join #Ops Team", "join ops team"],
  ['/join "ops team"', "join ops team"],
];

for (const [line, means] of CASES) {
  Deno.test(`${line} means: ${means}`, async () => {
    const { run, session, chat } = await story();
    await run(line).catch(() => {});
    assert.equal(meaning(session.sent.at(-1)), means);
    chat.end();
  });
}

Deno.test("the user's own rooms are meant with # and quotes too", async () => {
  const { run, chat } = await story();
  for (
    const [line, title] of [["/switch #dev", "dev"], ['/switch "lobby"', "lobby"], [
      "/switch 2",
      "dev",
    ]] as const
  ) {
    await run(line);
    assert.equal(chat.rooms.current?.title, title, line);
  }
  chat.end();
});

Deno.test("names of several words are quoted in lists, and nobody is found by half a name", async () => {
  const { run, console, chat } = await story();
  await run("/names");
  assert.equal(
    console.printed.at(-1),
    '- In "lobby": "nobody yet", bob, "bob bye", jane, "jane doe", Eve',
  );
  await run('/whois "jane doe"');
  assert.match(console.printed.at(-1) ?? "", /^- "jane doe": here/);
  await run('/ignore "jane doe"');
  assert.match(console.printed.at(-1) ?? "", /^- "jane doe" is ignored/);
  await run("/ignore");
  assert.equal(console.printed.at(-1), '- You ignore "jane doe".');
  await assert.rejects(run("/kick bo bye"), { message: /Cannot find "bo"/ });
  chat.end();
});
