// Command lines as people type them: options before and behind the command, and where to go.

import assert from "node:assert/strict";
import { readCall } from "../../../client/config/read_call.ts";
import { UsageError } from "../../../shared/base/errors.ts";

/** Typed words, and the command with its arguments; `-` is the chat. */
const CASES: readonly (readonly [typed: string, means: string])[] = [
  ["", "-"],
  ["send x", "send x"],
  ["--port 6400 send x", "send --port 6400 x"],
  ["--port=6400 send x", "send --port=6400 x"],
  ["--port 6400 --name bob send --lines", "send --port 6400 --name bob --lines"],
  ["--tls send x", "send --tls x"],
  ["--name send recv", "recv --name send"],
  ["--name send", "- --name send"],
  ["send --port 6400 recv", "send --port 6400 recv"],
  ["send -- --port", "send -- --port"],
  ["--port 6400 @work send x", "send --profile work --port 6400 x"],
  ["@work --port 6400", "- --profile work --port 6400"],
  ["chat.example.org", "- --host chat.example.org"],
  ["chat.example.org:6400 --tls", "- --host chat.example.org --port 6400 --tls"],
  ["chatbox:6400 send x", "send --host chatbox --port 6400 x"],
  ["localhost send x", "send --host localhost x"],
  ["192.168.1.5", "- --host 192.168.1.5"],
  ["::1", "- --host ::1"],
  ["[::1]:6400", "- --host ::1 --port 6400"],
  ["[::1]", "- --host ::1"],
  ["cmdchat://h/r --name bob", "- --link cmdchat://h/r --name bob"],
  ["- --name bob", "- --link - --name bob"],
  ["- send x", "send --link - x"],
  ["send -", "send -"],
  ["https://h/#room=r --name bob", "- --link https://h/#room=r --name bob"],
  ["--name bob cmdchat://h/r send x", "send --link cmdchat://h/r --name bob x"],
  ["send chat.example.org", "send chat.example.org"],
  // What is wrong is told by whoever parses it, with its own hint.
  ["--prot 6400 send x", "- --prot 6400 send x"],
  ["--port", "- --port"],
  ["-- send", "- -- send"],
  ["help send", "- help send"],
];

for (const [typed, means] of CASES) {
  Deno.test(`cmdchat-client ${typed} means: ${means}`, () => {
    const { command, args } = readCall(typed.split(" ").filter((word) => word !== ""));
    assert.equal([command?.name ?? "-", ...args].join(" "), means);
  });
}

Deno.test("a word that is neither command nor place is refused, with what it may have been", () => {
  for (const typed of ["snd", "chatbox", "a/b.c", "@", "bob@chat.example.org"]) {
    assert.throws(() => readCall([typed]), UsageError, typed);
    assert.throws(() => readCall(["--port", "1", typed]), UsageError, typed);
  }
  assert.throws(() => readCall(["chatbox"]), { hint: /; --host NAME goes to a server$/ });
});

Deno.test("a link behind a command is neither sent nor repeated: it may hold a secret", () => {
  const link = "cmdchat://h/r#secret=geheim";
  const page = "https://h/#room=r&secret=geheim";
  for (
    const typed of [
      `send ${link}`,
      `send hello ${link}`,
      `send --name bob ${link} hello`,
      `recv ${link}`,
      `recv ${page}`,
      `send-file ${link} x`,
      `recv-file --count 1 ${page}`,
      `doctor ${link}`,
      `@work recv ${link}`,
      `${link} ${link}`,
      `h:1 ${page}`,
      `help ${link}`,
      `@work help ${page}`,
      `recv -- ${link}`,
      `keygen -- --name ${link}`,
    ]
  ) {
    assert.throws(
      () => readCall(typed.split(" ")),
      (error) =>
        error instanceof UsageError &&
        /^Cannot (?:take a link after|use two links)/.test(error.message) &&
        !`${error.message}${error.hint}`.includes("geheim"),
      typed,
    );
  }
  for (const typed of [`send -- ${link}`, `send ${page}`, `send --link ${link} hello`]) {
    assert.equal(readCall(typed.split(" ")).command?.name, "send", typed);
  }
});
