// What a server and members choose in pins, backlogs, bans, ops and reactions is harmless wherever a chat shows it: in
// lines, in the status line and the prompt, in the title of the window, and in the answers to commands.

import assert from "node:assert/strict";
import { readTerminal } from "../../../client/app/terminal_input.ts";
import { SYSTEM_CLOCK } from "../../../client/base/clock.ts";
import { Output } from "../../../client/output/output.ts";
import { createMinimalRenderer } from "../../../client/render/minimal.ts";
import { plainText } from "../../../client/render/shown.ts";
import { sanitizeText } from "../../../shared/base/sanitize.ts";
import {
  eventOf,
  FakeConsole,
  FakeSession,
  LOBBY,
  startChat,
} from "../../helpers/fakes/chat_fakes.ts";
import { HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";

async function shownOf(text: string): Promise<string[]> {
  const [session, console, titles] = [new FakeSession(), new FakeConsole(), [] as string[]];
  const output = new Output({
    renderer: createMinimalRenderer(),
    print: (shown) => console.print(plainText(shown)),
    diagnose: (shown) => console.print(plainText(shown)),
    history: undefined,
    bufferSize: 100,
    clock: SYSTEM_CLOCK,
    screen: {
      setLive: (lines) => console.setLive(lines.map(plainText)),
      alert: () => {},
      columns: () => 80,
      title: (title) => titles.push(title ?? ""),
    },
  });
  const { chat } = await startChat([session], { console, output });
  output.settings.set("title", "on");
  void readTerminal({ chat, downloads: false, clock: SYSTEM_CLOCK });
  const pin = { sequence: 3, author: 8, authorName: text, text };
  const who = { client: 8, name: text, request: 0 };
  const all: string[] = [];
  const note = () => all.push(...console.printed, ...console.live, console.status, console.prompt);
  await session.deliver(
    eventOf("entered", { room: 5, title: text, name: text }),
    eventOf("members", {
      room: LOBBY,
      list: [[8, text, "here", 0, text], [9, "bob", "here", 0, null]],
      more: false,
    }),
    eventOf("rules", { maker: 8, ops: [8, 9], locked: true, slow: 3, ...pin, backlog: 5 }),
    eventOf("earlier", { list: [[1, 8, text, 0, text, true, 0], [2, 9, text, 0, text, false, 1]] }),
    eventOf("chat", { ...who, sequence: 3, text: "hello" }),
    eventOf("reacted", { ...who, sequence: 3, emoji: "👍", on: true }),
  );
  note();
  await session.deliver(
    eventOf("pinned", { ...who, ...pin }),
    eventOf("backlog", { ...who, lines: 3 }),
    eventOf("moderated", { ...who, what: "op", whom: 9, whomName: text, seconds: 0, text }),
    eventOf("bans", { list: [[4, text, 0, text]], more: false }),
  );
  await console.enter("/pin", "/names", "/whois bob", "/rooms", "/bans", "/backlog");
  await session.deliver({ kind: "done", id: 1 });
  chat.switchTo(chat.rooms.byTitle(text) ?? chat.room);
  note();
  assert.match(console.printed.join("\n"), /banned from "lobby"/);
  chat.end();
  return [...all, ...titles];
}

Deno.test("no text of a peer or a server reaches the terminal as it is, wherever a chat shows it", async () => {
  for (const { label, text } of HOSTILE_TEXTS) {
    for (const shown of await shownOf(text)) {
      // The renderer itself puts these marks behind names in right-to-left letters.
      const peers = shown.replaceAll("\u200e", "");
      assert.equal(sanitizeText(peers), peers, label);
      // deno-lint-ignore no-control-regex -- what must not be there
      assert.doesNotMatch(shown, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/, label);
    }
  }
});
