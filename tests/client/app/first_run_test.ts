// The first minute at a terminal: a name is asked for, three lines say what one needs, nothing is written unasked.

import assert from "node:assert/strict";
import { chooseName } from "../../../client/app/choose_name.ts";
import type { AskOptions } from "../../../client/console/console.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { TerminalClient } from "../../helpers/system/terminal_client.ts";
import { FakeConsole } from "../../helpers/fakes/chat_fakes.ts";

/** A console whose user answers so. */
class AnsweringConsole extends FakeConsole {
  readonly questions: string[] = [];
  readonly #answers: (string | undefined)[];

  constructor(...answers: (string | undefined)[]) {
    super();
    this.#answers = answers;
  }

  override ask(question?: string, _options?: AskOptions): Promise<string | undefined> {
    this.questions.push(question ?? "");
    return Promise.resolve(this.#answers.shift());
  }
}

Deno.test("a name is asked for where a person gave none, until it is one", async () => {
  const person = { isPerson: true, canAsk: true };
  const cases = [
    [["bob"], person, [], "bob", 1],
    [[" jane  doe "], person, [], "jane doe", 1],
    [[""], person, [], "anonymous", 1],
    [["server", "a:b", "bob"], person, [], "bob", 3],
    [[undefined], person, [], { exitCode: 130 }, 1],
    [[], person, [["name", "typed"]], "anonymous", 0],
    [[], person, [["name", "environment"]], "anonymous", 0],
    [[], { isPerson: false, canAsk: false }, [], "anonymous", 0],
    [[], { isPerson: true, canAsk: false }, [], "anonymous", 0],
  ] as const;
  for (const [answers, side, sources, name, asked] of cases) {
    const console = new AnsweringConsole(...answers);
    const config = { name: "anonymous", sources: new Map(sources) };
    assert.deepEqual(await chooseName(config, { console, ...side }), name);
    assert.equal(console.questions.length, asked, JSON.stringify(answers));
    assert.equal(console.printed.length, Math.max(0, asked - 1));
    for (const line of console.printed) assert.match(line, /^error: Cannot use the name/);
  }
});

Deno.test("a command at the question for a name is none: /quit leaves, /help says what to do, others wait", async () => {
  const side = { isPerson: true, canAsk: true };
  const config = { name: "anonymous", sources: new Map() };
  for (const quit of ["/quit", "/exit", " /Q "]) {
    const console = new AnsweringConsole("/help", "/?", "/names", "/nonsense", "//", "a/b", quit);
    assert.deepEqual(await chooseName(config, { console, ...side }), { exitCode: 0 });
    const { printed } = console;
    assert.match(printed[0] ?? "", /Type the name/);
    assert.match(printed[1] ?? "", /\/quit leaves/);
    const hint = "hint: type a name, or Enter alone; /quit leaves";
    assert.deepEqual(printed.slice(4), [
      ...["/names", "/nonsense", "//"].map((typed) =>
        `error: Cannot use "${typed}" yet: choose your name first\n${hint}`
      ),
      'error: Cannot use the name "a/b": the character / cannot be in it; letters, digits, ' +
      'single spaces, "-", "_" and "." can',
    ]);
  }
  const console = new AnsweringConsole("/join cmdchat://h/r#token=hunter2", "bob");
  assert.equal(await chooseName(config, { console, ...side }), "bob");
  assert.doesNotMatch(console.printed.join(), /hunter2/);
});

const test = skipWithout("script");

test("the first run asks for a name, and shows three lines; /remember keeps the server for the next", async () => {
  const home = await Deno.makeTempDir({ prefix: "cmdchat-first-" });
  try {
    await using server = await startServer();
    const args = ["--port", String(server.port)];
    const known = `${home}/cmdchat/known_servers`;
    {
      await using alice = new TerminalClient({ args, env: { XDG_CONFIG_HOME: home } });
      await alice.shows(/^Your name \(Enter: anonymous\):/);
      await alice.type("alice\r");
      await alice.shows(/\/help lists the commands/);
      await alice.shows(/^alice@lobby> ?$/);
      const lines = alice.lines.filter((line) => /^\d\d:\d\d:\d\d /.test(line));
      assert.deepEqual(lines.map((line) => line.slice(9)).sort(), [
        '* In "lobby": alice',
        "- /help lists the commands; Tab completes them.",
        '- Connected as "alice" in "lobby"',
      ]);
      await assert.rejects(Deno.stat(known), Deno.errors.NotFound);
      await alice.type("/remember\r");
      await alice.shows(/is remembered; if its key changes, you are asked/);
      const fingerprint = /SHA256:\S+/.exec(server.banner + server.log)?.[0] ?? "SHA256:";
      assert.ok(
        (await Deno.readTextFile(known)).startsWith(`127.0.0.1:${server.port} ${fingerprint}`),
      );
    }
    // Another server there now: the program asks, in place.
    await server.stop("SIGKILL");
    await using _other = await startServer({ args });
    await using alice = new TerminalClient({
      args: [...args, "--name", "alice"],
      env: { XDG_CONFIG_HOME: home },
    });
    await alice.shows(/has another key now/);
    await alice.type("/trust\r");
    await alice.shows(/Connected as "alice" in "lobby"/);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});
