// What a peer or a server can put into rooms, topics, away texts and direct messages, against all that shows them.
import assert from "node:assert/strict";
import { COMMAND_GROUPS, parseLine, runCommand } from "../../../client/commands/dispatcher.ts";
import {
  enteredOf,
  eventOf,
  FakeSession,
  LOBBY,
  startChat,
} from "../../helpers/fakes/chat_fakes.ts";
import { HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";

const DEV = 4;
// deno-lint-ignore no-control-regex -- what must not be there
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

async function shownOf(text: string): Promise<string[]> {
  const session = new FakeSession({}, {}, { room: DEV, title: text, topic: text, name: text });
  const { chat, console } = await startChat([session]);
  const about = { client: 8, name: text };
  const run = async (line: string) => {
    const parsed = parseLine(line);
    assert.ok(parsed.kind === "command");
    const context = { chat, downloads: true, groups: COMMAND_GROUPS, quit: () => {} };
    await runCommand(parsed.row, parsed.argument, context);
  };
  chat.output.settings.set("typing", "on");
  await session.deliver(
    { kind: "members", room: LOBBY, list: [[8, text, "here", 0, text]], more: false },
    eventOf("topic", { ...about, text }),
    eventOf("status", { ...about, text }),
    eventOf("revised", { ...about, request: 0, sequence: 1, text }),
    eventOf("revised", { ...about, room: DEV, request: 0, sequence: 1, text }),
    eventOf("direct", { ...about, to: 7, toName: text, request: 0, text: "psst" }),
    eventOf("undelivered", { ...about, request: 0 }),
    { kind: "notice", room: DEV, text },
    { kind: "typing", room: LOBBY, client: 8, name: text },
    eventOf("chat", { ...about, room: DEV, request: 0, sequence: 2, text: "hi" }),
  );
  for (const line of ["/names", "/rooms", "/topic"]) await run(line);
  await run("/switch 2");
  await session.deliver(enteredOf({ room: 5, title: text, name: text, topic: text, id: 1 }));
  await run("/topic");
  return [...console.printed, console.status, console.prompt];
}

Deno.test("no room, topic, away text or direct message moves the terminal or begins a row of its own", async () => {
  const honest = await shownOf("harmless");
  for (const { label, text } of HOSTILE_TEXTS) {
    const shown = await shownOf(text);
    for (const line of shown) {
      assert.doesNotMatch(line.replaceAll("\n", ""), CONTROL, `${label}: ${JSON.stringify(line)}`);
    }
    const rows = (lines: readonly string[]) => lines.map((line) => line.split("\n").length);
    assert.deepEqual(rows(shown), rows(honest), `${label}: ${JSON.stringify(shown)}`);
  }
});
