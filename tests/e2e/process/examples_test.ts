// The programs of examples/ as they are: real clients, a real server, and a real IRC server.

import assert from "node:assert/strict";
import { answer } from "../../../examples/bot.ts";
import { report } from "../../../examples/build_notifier.ts";
import { ircLines, saidOnIrc } from "../../../examples/irc_bridge.ts";
import { linesOf } from "../../../examples/json_client.ts";
import { readVariable } from "../../../shared/cli/environment.ts";
import { Program } from "../../helpers/programs/programs.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { freePort } from "../../helpers/web/reverse_proxies.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";

const ROOT = new URL("../../..", import.meta.url).pathname;
const CLIENT = `${Deno.execPath()} run --no-check --quiet -A ${ROOT}client/main.ts`;

function start(example: string, ...args: readonly string[]): Program {
  return new Program(Deno.execPath(), {
    args: ["run", "--no-check", "-A", `${ROOT}examples/${example}.ts`, ...args],
    env: { HOME: readVariable("HOME") ?? "", CMDCHAT_CLIENT: CLIENT, NO_COLOR: "1" },
  });
}

Deno.test("an example has at most 80 lines, and imports nothing of the product", async () => {
  for await (const { name } of Deno.readDir(`${ROOT}examples`)) {
    if (!name.endsWith(".ts")) continue;
    const text = await Deno.readTextFile(`${ROOT}examples/${name}`);
    assert.ok(text.split("\n").length <= 81, `${name} has ${text.split("\n").length} lines`);
    for (const [, from] of text.matchAll(/from "([^"]+)"/g)) assert.equal(from, "./json_client.ts");
  }
});

Deno.test("the bot rolls what is asked for, and no more dice than it has", () => {
  const three = () => 3;
  assert.equal(answer("al", "dice: 2d6", three), "al rolls 2d6: 3 + 3 = 6");
  assert.equal(answer("al", "dice, d20 please", three), "al rolls 1d20: 3");
  assert.equal(answer("al", "dice: 999d6", three), "I have 20 dice");
  for (const text of ["dice: hello", "dice: 2d1", "dice: 0x6d"]) {
    assert.match(answer("al", text, three), /^say how many dice/);
  }
});

Deno.test("what went wrong is told with its last rows, which cannot end the block of code", () => {
  const ok = { command: "make", code: 0, seconds: 1.25, output: "much" };
  assert.equal(report(ok), "make: passed in 1.3 s");
  const output = Array.from({ length: 9 }, (_, n) => `row ${n} \`\`\``).join("\n");
  const failed = report({ ...ok, code: 2, output });
  assert.match(
    failed,
    /^make: FAILED with 2 after 1\.3 s\n```\nrow 4 \'\'\'\n[^`]*row 8 \'\'\'\n```$/,
  );
  assert.equal(report({ ...ok, code: 1, output: "" }), "make: FAILED with 1 after 1.3 s");
});

Deno.test("no text becomes a command of IRC, or a longer line than it takes", () => {
  assert.deepEqual(ircLines("hi\nQUIT :bye\r\nx\0y"), ["hi", "QUIT :bye", "x y"]);
  const rows = ircLines("é".repeat(400));
  assert.equal(rows.join(""), "é".repeat(400));
  for (const row of rows) assert.ok(new TextEncoder().encode(row).length <= 350);
  assert.deepEqual(saidOnIrc(":al!u@h PRIVMSG #Dev :a :b", "#dev"), { who: "al", text: "a :b" });
  for (const line of [":al!u@h PRIVMSG irc :psst", ":h NOTICE #dev :x", "PING :x"]) {
    assert.equal(saidOnIrc(line, "#dev"), undefined, line);
  }
});

Deno.test("the bot answers who speaks to it, and the notifier tells how a command went", async () => {
  await using server = await startServer();
  const at = ["--port", String(server.port)];
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using _bot = start("bot", "--name", "dice", ...at);
  await alice.until("joined", ({ name }) => name === "dice");
  await alice.say("dice is here");
  await alice.say("dice: 2d6");
  await alice.until("chat", ({ name, text }) => name === "dice" && /^alice rolls 2d6: /.test(text));
  assert.equal(alice.texts.filter((text) => /^(?:say|alice rolls)/.test(text)).length, 1);

  const passed = start("build_notifier", "--name", "ci", ...at, "--", "true");
  assert.equal(await passed.end(), 0, passed.stderr);
  await alice.until("chat", ({ text }) => /^true: passed in /.test(text));
  const failed = start(
    "build_notifier",
    "--name",
    "ci",
    ...at,
    "--",
    "sh",
    "-c",
    "echo no; exit 3",
  );
  assert.equal(await failed.end(), 3, failed.stderr);
  await alice.until("chat", ({ text }) => /FAILED with 3 after .* s\n```\nno\n```$/.test(text));
  const untold = start("build_notifier", "--port", "1", "--", "true");
  assert.equal(await untold.end(), 100);
  assert.match(untold.stderr, /^error: Nobody was told/m);
  const wrong = start("build_notifier", ...at);
  assert.equal(await wrong.end(), 2);
});

skipWithout("ngircd")(
  "the bridge carries lines of a real IRC server and a room to each other",
  async () => {
    const port = freePort();
    const config = await Deno.makeTempFile({ suffix: ".conf" });
    await Deno.writeTextFile(
      config,
      `[Global]\nName = irc.example\nInfo = test\nPorts = ${port}\nListen = 127.0.0.1\n` +
        "[Options]\nPAM = no\nIdent = no\nDNS = no\n",
    );
    await using ngircd = new Program("ngircd", { args: ["-n", "-f", config] });
    await using server = await startServer();
    await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
    await using person = await ircPerson(port, "erin");
    const where = [`127.0.0.1:${port}`, "#dev", "bridge"];
    await using bridge = start(
      "irc_bridge",
      ...where,
      "--port",
      String(server.port),
      "--name",
      "irc",
    );
    await alice.until("joined", ({ name }) => name === "irc");
    await person.sees(/^:bridge!\S+ JOIN :?#dev/);
    await alice.say("hello\nQUIT :forged");
    await person.sees(/^:bridge!\S+ PRIVMSG #dev :<alice> hello$/);
    await person.sees(/^:bridge!\S+ PRIVMSG #dev :<alice> QUIT :forged$/);
    await person.send("PRIVMSG #dev :hi \x02there");
    await alice.until("chat", ({ name, text }) => name === "irc" && text === "<erin> hi there");
    // Its own lines do not come back.
    assert.equal(alice.texts.filter((text) => text.includes("alice>")).length, 0);
    ngircd.signal("SIGTERM");
    assert.equal(await bridge.end(), 1);
    await Deno.remove(config);
  },
);

interface IrcPerson extends AsyncDisposable {
  send(line: string): Promise<void>;
  sees(pattern: RegExp): Promise<void>;
}

/** Somebody in #dev, as soon as the server listens. */
async function ircPerson(port: number, nick: string): Promise<IrcPerson> {
  const connection = await listening(port);
  const writer = connection.writable.getWriter();
  const send = (line: string) => writer.write(new TextEncoder().encode(`${line}\r\n`));
  const seen: string[] = [];
  let wake = () => {};
  const reading = (async () => {
    for await (const line of linesOf(connection.readable)) {
      seen.push(line);
      wake();
    }
  })().catch(() => {});
  const sees = async (pattern: RegExp) => {
    const deadline = performance.now() + 20_000;
    while (!seen.some((line) => pattern.test(line))) {
      if (performance.now() > deadline) throw new Error(`no ${pattern} in\n${seen.join("\n")}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        wake = () => (clearTimeout(timer), resolve());
      });
    }
  };
  await send(`NICK ${nick}`);
  await send(`USER ${nick} 0 * :person`);
  await sees(/ 001 /);
  await send("JOIN #dev");
  await sees(/ JOIN :?#dev/);
  return {
    send,
    sees,
    async [Symbol.asyncDispose]() {
      await writer.close().catch(() => {});
      await reading;
    },
  };
}

async function listening(port: number): Promise<Deno.TcpConn> {
  for (let left = 100;; left--) {
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port });
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
