import assert from "node:assert/strict";
import { createCompleter } from "../../../client/commands/completer.ts";
import { completePath } from "../../../client/files/path_completion.ts";
import type { Event } from "../../../shared/messages/messages_v2.ts";
import { enteredOf, FakeSession, membersOf, startChat } from "../../helpers/fakes/chat_fakes.ts";

async function completer() {
  const session = new FakeSession();
  const { chat } = await startChat([session]);
  const members = membersOf("alice", "bob", "Bert", "Zoë");
  void chat.join("dev");
  await session.deliver(members, enteredOf({ id: 1, room: 4, title: "dev" }));
  await session.deliver({ ...members, room: 4 } as Event);
  const complete = createCompleter(() => chat, {
    paths: (typed) => completePath(typed, undefined),
  });
  return (text: string) => complete(text, text.length);
}

Deno.test("Tab completes commands, with a space where an argument follows", async () => {
  const complete = await completer();
  assert.deepEqual(complete("/ni"), { start: 0, candidates: ["/nick "] });
  assert.deepEqual(complete("/QUI"), { start: 0, candidates: ["/quit"] });
  assert.ok(complete("/").candidates.length > 8);
  assert.deepEqual(complete("/zzz").candidates, []);
});

Deno.test("Tab completes names: with a colon at the start of a message, bare elsewhere", async () => {
  const complete = await completer();
  assert.deepEqual(complete("b"), { start: 0, candidates: ["Bert: ", "bob: "] });
  assert.deepEqual(complete("hey bo"), { start: 4, candidates: ["bob"] });
  assert.deepEqual(complete("hey @zo"), { start: 5, candidates: ["Zoë"] });
  assert.deepEqual(complete("ali").candidates, []);
  assert.deepEqual(complete("hey ").candidates, []);
});

Deno.test("Tab completes a name behind @ or a quote, and a room behind #, with what was typed before it", async () => {
  const complete = await completer();
  assert.deepEqual(complete('/whois "bo'), { start: 7, candidates: ['"bob"'] });
  assert.deepEqual(complete("/msg @zo"), { start: 5, candidates: ["@Zoë"] });
  assert.deepEqual(complete('/kick @"be'), { start: 6, candidates: ['@"Bert"'] });
  assert.deepEqual(complete("/join #lo"), { start: 6, candidates: ["#lobby"] });
  assert.deepEqual(complete('hey "bo'), { start: 5, candidates: ["bob"] });
});

Deno.test("Tab completes rooms that we were in, and commands for /help", async () => {
  const complete = await completer();
  assert.deepEqual(complete("/join l"), { start: 6, candidates: ["lobby"] });
  assert.deepEqual(complete("/join d").candidates, []);
  assert.deepEqual(complete("/help jo"), { start: 6, candidates: ["join"] });
  assert.deepEqual(complete("/accept ").candidates, []);
  assert.deepEqual(complete("/clear x").candidates, []);
  assert.deepEqual(complete("/nonsense x").candidates, []);
});

Deno.test("Tab completes the words that a command's form has in small letters, one after the other", async () => {
  const complete = await completer();
  assert.deepEqual(complete("/invite "), {
    start: 8,
    candidates: ["once", "qr", "token"],
  });
  assert.deepEqual(complete("/invite qr t"), { start: 11, candidates: ["token"] });
  assert.deepEqual(complete("/bell "), { start: 6, candidates: ["all", "mention", "off"] });
  assert.deepEqual(complete("/help k"), { start: 6, candidates: ["keys", "kick"] });
  assert.deepEqual(complete("/topic x").candidates, []);
});

Deno.test("Tab completes whom we banned here", async () => {
  const session = new FakeSession();
  const { chat } = await startChat([session]);
  const complete = createCompleter(() => chat, {
    paths: (typed) => completePath(typed, undefined),
  });
  chat.room.bans.add({ client: 9, name: "mallory", until: 0, by: "alice" });
  assert.deepEqual(complete("/unban ", 7).candidates, ["mallory"]);
  chat.forget(chat.room);
  assert.deepEqual(complete("/unban ", 7).candidates, []);
});

Deno.test("Tab offers nothing before there is a chat", () => {
  assert.deepEqual(createCompleter(() => undefined)("/", 1).candidates, []);
});

Deno.test("Tab completes after /send the member after @, then the path", async () => {
  const complete = await completer();
  assert.deepEqual(complete("/send @b"), { start: 6, candidates: ["@Bert ", "@bob "] });
  assert.deepEqual(complete("/send @bob"), { start: 6, candidates: ["@bob "] });
  assert.deepEqual(complete("/send @bob ./no-such"), { start: 11, candidates: [] });
  assert.ok(complete("/send @bob ").candidates.length > 0);
  assert.equal(complete("/send @bob ").start, 11);
  assert.deepEqual(complete("/send @nobody"), { start: 6, candidates: [] });
});

Deno.test("completePath() completes as a shell does", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/photos`);
    for (const name of ["a b.txt", "alpha", ".hidden", "evil\x1b[2J"]) {
      await Deno.writeTextFile(`${folder}/${name}`, "");
    }
    await Deno.symlink(`${folder}/photos`, `${folder}/link`);
    const at = (typed: string) =>
      completePath(`${folder}/${typed}`, undefined).map((path) => path.slice(folder.length + 1));
    assert.deepEqual(at(""), ["a b.txt", "alpha", "link/", "photos/"]);
    assert.deepEqual(at("a"), ["a b.txt", "alpha"]);
    assert.deepEqual(at(".h"), [".hidden"]);
    assert.deepEqual(at("none/x"), []);
    assert.deepEqual(completePath("~/al", folder), ["~/alpha"]);
    assert.deepEqual(completePath("~/al", undefined), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
