// `send`, `recv`, `send-file` and `recv-file` as a script uses them: processes, pipes, exit codes.

import assert from "node:assert/strict";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { CLIENT_COMMANDS } from "../../../client/config/program.ts";
import {
  at,
  runClient,
  startClient,
  temporaryHome,
} from "../../helpers/programs/client_process.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { type Ended, Program } from "../../helpers/programs/programs.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import type { FileReceipt } from "../../../shared/messages/messages_v2.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const home = temporaryHome();

function run(args: readonly string[], input = "", env: Record<string, string> = {}) {
  return runClient(home, { args, env }, input);
}

/** A receiver that is in the room: another member has seen it come. */
async function receiver(port: number, ...args: string[]): Promise<Program> {
  await using watcher = await V1Peer.join({ port, name: "watcher" });
  const program = startClient(home, { args: [...args, "--port", String(port), "--name", "taker"] });
  await watcher.system(/taker joined/);
  return program;
}

function ended(program: Program, code: number): Ended {
  return { code, stdout: program.stdout, stderr: program.stderr };
}

Deno.test("send says its words as one message and ends with 0, without a word of its own", async () => {
  await using server = await startServer();
  await using bob = await V1Peer.join({ port: server.port, name: "bob", room: "ops" });
  const sent = await run(["send", ...at(server), "--room", "ops", "backup", "done"]);
  assert.deepEqual(sent, { code: 0, stdout: "", stderr: "" });
  await bob.hears("backup done");
});

Deno.test("send takes all of standard input as one message, slashes, blank lines and all", async () => {
  await using server = await startServer();
  await using bob = await V1Peer.join({ port: server.port, name: "bob" });
  const sent = await run(["send", ...at(server)], "/nick is no command here\n\n  last line\n\n");
  assert.equal(sent.code, 0, sent.stderr);
  await bob.hears("/nick is no command here\n\n  last line");
});

Deno.test("send --lines makes each line a message as it comes, and --json tells of each", async () => {
  await using server = await startServer({ args: ["--rate-limit", "off"] });
  await using bob = await V1Peer.join({ port: server.port, name: "bob" });
  await using client = startClient(home, { args: ["send", "--lines", "--json", ...at(server)] });
  await client.type("one");
  await bob.hears("one");
  await client.prints(/"id":1,"ok":true/);
  const more = Array.from({ length: 200 }, (_, n) => `line ${n}`);
  await client.type(["", ...more].join("\n"));
  for (const line of more) await bob.hears(line);
  await client.endInput();
  assert.equal(await client.end(), 0, client.stderr);
  const results = client.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(results.map(({ id, ok, text }) => [id, ok, text]), [
    [1, true, "one"],
    ...more.map((line, n) => [n + 2, true, line]),
  ]);
});

Deno.test("send --lines outlives the server: what comes in the outage is said to the next one", async () => {
  await using identity = await makeIdentity();
  const same = ["--identity-file", identity.path];
  const server = await startServer({ args: same });
  await using client = startClient(home, { args: ["send", "--lines", "--json", ...at(server)] });
  await client.type("before");
  await client.prints(/"ok":true,"text":"before"/);
  await server.stop("SIGKILL");
  await client.complains(/trying again/);
  await client.type("in the outage\nand more");
  await using again = await startServer({ args: ["--port", String(server.port), ...same] });
  await using bob = await V1Peer.join({ port: again.port, name: "bob" });
  await client.complains(/Connected again/);
  await bob.hears("in the outage", 20_000);
  await bob.hears("and more");
  await client.endInput();
  assert.equal(await client.end(), 0, client.stderr);
});

Deno.test("send ends with 4 where nobody answers, and with 2 or 6 for what cannot be said", async () => {
  await using server = await startServer();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const free = String(listener.addr.port);
  listener.close();
  const cases: readonly (readonly [readonly string[], string, number, RegExp])[] = [
    [["send", "--port", free, "hi"], "", 4, /nothing listens there\nhint: /],
    [["send", ...at(server)], "\n\n", 2, /it is empty/],
    [["send", ...at(server), "--lines", "hi"], "", 2, /standard input/],
    [["send", ...at(server), "--tiemout", "1", "hi"], "", 2, /hint: did you mean --timeout\?/],
    [["send", ...at(server), "x".repeat(4_097)], "", 6, /4097 bytes.*\nhint: --lines/],
    [["send", ...at(server)], "x\n".repeat(20_000), 6, /more than 7168 bytes/],
    [["sned", "hi"], "", 2, /hint: did you mean send\?/],
  ];
  for (const [args, input, code, pattern] of cases) {
    const failed = await run(args, input);
    assert.equal(failed.code, code, `${args}: ${failed.stderr}`);
    assert.match(failed.stderr, pattern);
    assert.equal(failed.stdout, "");
  }
});

Deno.test("send gives up after --timeout where the server takes connections and says nothing", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const sent = await run(["send", "--port", String(silent.addr.port), "--timeout", "1", "hi"]);
  assert.equal(sent.code, 4);
  assert.match(sent.stderr, /^error: Not sent: there was no connection to the server within 1 s\n/);
});

Deno.test("recv prints the texts of others alone and leaves after --count", async () => {
  await using server = await startServer();
  await using program = await receiver(server.port, "recv", "--count", "2");
  await using bob = await V1Peer.join({ port: server.port, name: "bob" });
  await bob.chat("first\nof two lines");
  await bob.chat("\x1b[31mred\x1b[0m");
  const { code, stdout, stderr } = ended(program, await program.end());
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^first\nof two lines\n/);
  assert.ok(!stdout.includes("\x1b"), "an escape sequence reached the output");
  assert.equal(stderr, "");
});

Deno.test("recv --json gives what the json renderer gives, and --from leaves the others out", async () => {
  await using server = await startServer();
  const args = ["recv", "--count", "1", "--from", "BOB", "--json"];
  await using program = await receiver(server.port, ...args);
  await using eve = await V1Peer.join({ port: server.port, name: "eve" });
  await using bob = await V1Peer.join({ port: server.port, name: "bob" });
  await eve.chat("not me");
  await bob.hears("not me");
  await bob.chat("\x1b[31mred");
  assert.equal(await program.end(), 0, program.stderr);
  const { v, kind, sender, text } = JSON.parse(program.stdout);
  assert.deepEqual([v, kind, sender, text], [1, "chat", "bob", "\x1b[31mred"]);
});

Deno.test("recv shows what is said from now on, and with --backlog first what the room shows to newcomers", async () => {
  await using server = await startServer({ args: ["--backlog", "5"] });
  await using bob = await V1Peer.join({ port: server.port, name: "bob" });
  await bob.chat("before");
  await bob.hears("before");
  await using now = await receiver(server.port, "recv", "--count", "1");
  const first = await run(["recv", ...at(server), "--count", "1", "--backlog", "--json"]);
  assert.equal(first.code, 0, first.stderr);
  const { kind, sender, text, backlog } = JSON.parse(first.stdout);
  assert.deepEqual([kind, sender, text, backlog], ["chat", "bob", "before", true]);
  await bob.chat("after");
  assert.equal(await now.end(), 0, now.stderr);
  assert.equal(now.stdout, "after\n");
  const none = [
    "recv",
    ...at(server),
    "--backlog",
    "--from",
    "eve",
    "--count",
    "1",
    "--timeout",
    "2",
  ];
  assert.equal((await run(none)).code, 8);
});

Deno.test("recv ends with 8 where fewer than --count came in time, with 0 where none were asked for", async () => {
  await using server = await startServer();
  const [few, any] = await Promise.all([
    run(["recv", ...at(server), "--count", "1", "--timeout", "1"]),
    run(["recv", ...at(server), "--timeout", "1"]),
  ]);
  assert.deepEqual([few.code, few.stdout], [8, ""]);
  assert.equal(few.stderr, "error: No message came within 1 s\n");
  assert.deepEqual(any, { code: 0, stdout: "", stderr: "" });
});

Deno.test("recv whose reader has left ends quietly with 0", async () => {
  await using server = await startServer();
  const entry = new URL("../../../client/main.ts", import.meta.url).href;
  const client = `"${Deno.execPath()}" run --no-check -A ${entry} recv --port ${server.port}`;
  await using watcher = await V1Peer.join({ port: server.port, name: "watcher" });
  await using shell = new Program("bash", {
    args: ["-c", `${client} --name taker | head -1; echo "codes \${PIPESTATUS[*]}"`],
    env: {
      HOME: home,
      DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
    },
  });
  await watcher.system(/taker joined/);
  await watcher.chat("one");
  await shell.prints(/^one$/m);
  // What nobody reads is noticed when it is written.
  await watcher.chat("two");
  await watcher.chat("three");
  await shell.prints(/^codes 0 0$/m);
  assert.equal(shell.stderr, "");
});

Deno.test("a signal ends recv with the shell's code", async () => {
  await using server = await startServer();
  await using program = await receiver(server.port, "recv");
  program.signal("SIGTERM");
  assert.equal(await program.end(), 143);
});

Deno.test("a signal ends send-file with the shell's code, and it does not blame the connection", async () => {
  await using server = await startServer();
  await Deno.writeTextFile(`${home}/note.txt`, "x");
  await using _taker = await V2Peer.join({ port: server.port, hello: { name: "taker" } });
  await using sender = startClient(home, {
    args: ["send-file", ...at(server, "--name", "giver"), "note.txt"],
  });
  await sender.complains(/waiting until somebody accepts it/);
  sender.signal("SIGTERM");
  assert.equal(await sender.end(), 143);
  assert.match(sender.stderr, /^error: Cannot send "note\.txt": it was stopped$/m);
});

Deno.test("send-file waits for somebody, recv-file saves where it stands, both tell the same digest", async () => {
  await using server = await startServer();
  const folder = await Deno.makeTempDir({ dir: home });
  const bytes = crypto.getRandomValues(new Uint8Array(50_000));
  await Deno.writeFile(`${home}/big.bin`, bytes);
  await Deno.writeTextFile(`${home}/small.txt`, "small\n");
  await using sender = startClient(home, {
    args: ["send-file", ...at(server, "--name", "giver"), "big.bin", "small.txt"],
  });
  await using taker = startClient(home, {
    args: ["recv-file", ...at(server), "--count", "2", "--from", "giver", "--json"],
    cwd: folder,
  });
  assert.equal(await sender.end(), 0, sender.stderr);
  assert.equal(await taker.end(), 0, taker.stderr);
  const saved = taker.stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
    .filter(({ event }) => event === "saved");
  assert.deepEqual(
    // Both are on their way at once: the small one may be through first.
    saved.map(({ sha256, name }) => `${sha256}  ${name}`).sort(),
    sender.stdout.trimEnd().split("\n").sort(),
  );
  assert.deepEqual(await Deno.readFile(`${folder}/big.bin`), bytes);
  assert.equal(await Deno.readTextFile(`${folder}/small.txt`), "small\n");
});

Deno.test("an empty file arrives as one; a client of the old protocol, which takes none, is told", async () => {
  await using server = await startServer();
  await Deno.writeFile(`${home}/nothing.txt`, new Uint8Array());
  const folder = await Deno.makeTempDir({ dir: home });
  for (const args of [["--accept-files", "--download-dir", folder], []]) {
    await using old = await V1Peer.join({ port: server.port, name: "old" });
    await using taker = args.length === 0
      ? startClient(home, { args: ["recv-file", ...at(server, "--name", "taker")], cwd: folder })
      : startClient(home, { args: at(server, "--name", "taker", "--renderer", "json", ...args) });
    await old.system(/taker joined/);
    const sent = await run(["send-file", ...at(server), "--to", "taker", "nothing.txt"]);
    assert.equal(sent.code, 0, sent.stderr);
    assert.match(sent.stdout, /^e3b0c44298fc1c14.* {2}nothing\.txt\n$/);
    assert.match(
      sent.stderr,
      /^nothing\.txt: taker saved it$/m,
      "the other one was not offered it",
    );
    const all = run(["send-file", ...at(server), "nothing.txt"]);
    await old.system(/offers an empty file, which your program cannot take: nothing\.txt/);
    const { stderr } = await all;
    assert.match(stderr, /old could not save it/);
    if (args.length > 0) await taker.endInput();
    assert.equal(await taker.end(), 0, taker.stderr);
  }
  const saved = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  assert.deepEqual(saved, ["nothing (2).txt", "nothing (3).txt", "nothing.txt"]);
  for (const name of saved) assert.equal((await Deno.stat(`${folder}/${name}`)).size, 0);
});

Deno.test("send-file gives up where somebody is there and nobody accepts within its time", async () => {
  await using server = await startServer();
  await Deno.writeTextFile(`${home}/note.txt`, "x");
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  const sending = await run(["send-file", ...at(server), "-t", "2", "note.txt"]);
  assert.equal(sending.code, 8, sending.stderr);
  assert.match(sending.stderr, /^note\.txt: waiting until somebody accepts it$/m);
  assert.match(sending.stderr, /Nobody accepted the file within 2 s/);
  const end = await bob.until("chunk");
  assert.deepEqual([end.data.length, end.last], [0, true], "its receivers hear that it is over");
});

Deno.test("file commands: nobody there is 8, a missing file 3, and so is one that cannot be saved", async () => {
  await using server = await startServer();
  const nobody = await run(["send-file", ...at(server), "-t", "3", "big.bin"]);
  assert.equal(nobody.code, 8, nobody.stderr);
  assert.match(nobody.stderr, /^waiting until somebody joins$/m);
  assert.match(nobody.stderr, /Nobody joined to receive the file within 3 s/);
  await Deno.writeTextFile(`${home}/note.txt`, "x");
  await using taker = await receiver(
    server.port,
    "recv-file",
    "--download-dir",
    `${home}/blocked`,
  );
  await Deno.writeTextFile(`${home}/blocked`, "a file where a folder is wanted");
  const wrong = await run(["send-file", ...at(server), "missing.txt", "note.txt"]);
  assert.equal(wrong.code, 3, wrong.stderr);
  assert.match(wrong.stderr, /missing\.txt": there is no such file/, "before anybody comes");
  const sent = await run(["send-file", ...at(server), "-t", "20", "note.txt"]);
  assert.equal(sent.code, 9, sent.stderr);
  assert.match(sent.stderr, /nobody saved it: .* could not save it/);
  assert.equal(await taker.end(), 3, taker.stderr);
  assert.match(taker.stderr, /the download folder is a file/);
});

/** A member that answers each offer in these words. */
async function answering(port: number, name: string, states: FileReceipt[]): Promise<V2Peer> {
  const peer: V2Peer = await V2Peer.join({
    port,
    hello: { name },
    onEvent: (event) => {
      if (event.kind !== "offer") return;
      const { room, client: to, file } = event;
      void peer.send(
        ...states.map((state) => ({ kind: "receipt" as const, room, to, file, state })),
      );
    },
  });
  return peer;
}

Deno.test("send-file: 0 where somebody saved the file, 9 where nobody did, and it says what each one did", async () => {
  await using server = await startServer();
  await Deno.writeTextFile(`${home}/note.txt`, "x");
  const send = (...more: string[]) =>
    run(["send-file", ...at(server, "--name", "giver"), "-t", "20", ...more, "note.txt"]);
  await using _amy = await answering(server.port, "amy", ["refused"]);
  const refused = await send();
  assert.deepEqual([refused.code, refused.stdout], [9, ""], refused.stderr);
  assert.match(refused.stderr, /^error: .*note\.txt": nobody saved it: amy refused it$/m);
  await using _bob = await answering(server.port, "bob", ["accepted", "failed"]);
  const asJson = await send("--json");
  const last = JSON.parse(asJson.stdout.trimEnd().split("\n").at(-1) ?? "");
  assert.deepEqual([asJson.code, last.event, last.code, last.receivers], [9, "failed", "unsaved", [
    { name: "amy", answer: "refused" },
    { name: "bob", answer: "failed" },
  ]]);
  await using _cy = await answering(server.port, "cy", ["accepted", "saved"]);
  const sent = await send();
  assert.equal(sent.code, 0, sent.stderr);
  assert.match(sent.stdout, /^[0-9a-f]{64} {2}note\.txt$/m);
  const said = /^note\.txt: cy saved it · amy refused it · bob could not save it$/m;
  assert.match(sent.stderr, said);
});

Deno.test("send-file sends a folder, and several paths together; recv-file unpacks them into a new folder", async () => {
  await using server = await startServer();
  const [here, there] = [
    await Deno.makeTempDir({ dir: home }),
    await Deno.makeTempDir({ dir: home }),
  ];
  await Deno.mkdir(`${here}/photos/2025`, { recursive: true });
  const bytes = crypto.getRandomValues(new Uint8Array(40_000));
  await Deno.writeFile(`${here}/photos/2025/a.jpg`, bytes);
  await Deno.writeTextFile(`${here}/photos/list.txt`, "one\n");
  await Deno.symlink("/etc/passwd", `${here}/photos/passwd`);
  await Deno.writeTextFile(`${here}/note.txt`, "x");
  const cases: [string[], string, string][] = [
    [["photos/"], "photos", "photos"],
    [["--as", "trip", "note.txt", "photos"], "trip", "trip/photos"],
    [["photos"], "photos (2)", "photos (2)"],
  ];
  for (const [args, folder, photos] of cases) {
    await using taker = startClient(home, { args: ["recv-file", ...at(server)], cwd: there });
    await using sender = startClient(home, {
      args: ["send-file", ...at(server, "--name", "giver"), ...args],
      cwd: here,
    });
    assert.equal(await sender.end(), 0, sender.stderr);
    assert.equal(await taker.end(), 0, taker.stderr);
    assert.match(sender.stderr, /without a link or special file in it/);
    assert.equal(taker.stdout.trim(), `${there}/${folder}`);
    assert.deepEqual(await Deno.readFile(`${there}/${photos}/2025/a.jpg`), bytes);
    assert.equal(await Deno.readTextFile(`${there}/${photos}/list.txt`), "one\n");
    await assert.rejects(Deno.lstat(`${there}/${photos}/passwd`), Deno.errors.NotFound);
  }
  assert.equal(await Deno.readTextFile(`${there}/trip/note.txt`), "x");
});

Deno.test("send-file --to: one member alone gets it, and is waited for", async () => {
  await using server = await startServer();
  await Deno.writeTextFile(`${home}/note.txt`, "x");
  await using amy = await answering(server.port, "amy", ["accepted", "saved"]);
  const alone = ["send-file", ...at(server, "--name", "giver"), "--to", "Bob", "note.txt"];
  const early = await run([...alone, "-t", "2"]);
  assert.equal(early.code, 8, early.stderr);
  assert.match(early.stderr, /^error: Nobody called Bob joined to receive the file within 2 s/m);
  await using _bob = await answering(server.port, "bob", ["accepted", "saved"]);
  const sent = await run([...alone, "--json", "-t", "20"]);
  assert.equal(sent.code, 0, sent.stderr);
  const last = JSON.parse(sent.stdout.trimEnd().split("\n").at(-1) ?? "");
  assert.deepEqual([last.event, last.to, last.receivers], ["sent", "bob", [
    { name: "bob", answer: "saved" },
  ]]);
  assert.ok(!amy.events.some(({ kind }) => kind === "offer"));
});

Deno.test("send-file - sends what comes on standard input, to its last byte, under the name that it is given", async () => {
  await using server = await startServer();
  const folder = await Deno.makeTempDir({ dir: home });
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  for (const [name, more] of [["stdin", []], ["dump.sql", ["--as", "dump.sql"]]] as const) {
    await using taker = startClient(home, { args: ["recv-file", ...at(server)], cwd: folder });
    await using sender = startClient(home, {
      args: ["send-file", ...at(server, "--name", "giver"), ...more, "-"],
    });
    await sender.typeBytes(bytes);
    await sender.endInput();
    assert.equal(await sender.end(), 0, sender.stderr);
    assert.equal(await taker.end(), 0, taker.stderr);
    assert.match(sender.stdout, new RegExp(`^[0-9a-f]{64}  ${name}\n$`));
    assert.deepEqual(await Deno.readFile(`${folder}/${name}`), bytes);
  }
});

Deno.test("send-file -: nothing, too much, twice, and a name without it are refused with what is wanted", async () => {
  await using server = await startServer({ args: ["--max-file", "1KiB"] });
  await using _bob = await V1Peer.join({ port: server.port, name: "bob" });
  const cases: [string[], string, number, RegExp][] = [
    [["-"], "", 2, /standard input: it is empty$/m],
    // Nobody has to come before that is said.
    [
      ["-", "--room", "empty"],
      "",
      2,
      /it is empty\nhint: the command before the pipe wrote nothing/,
    ],
    [["-"], "x".repeat(1_025), 6, /standard input: it has more than 1024 bytes \(1 KiB\)/],
    [["-", "-"], "", 2, /standard input \(-\) more than once/],
    [["--as", "x/y", "note.txt"], "", 2, /--as "x\/y": it is the name of one folder/],
  ];
  for (const [args, input, code, message] of cases) {
    const refused = await run(["send-file", ...at(server), ...args], input);
    assert.match(refused.stderr, message);
    assert.equal(refused.code, code, refused.stderr);
  }
});

Deno.test("a link before the command says where to go", async () => {
  await using server = await startServer();
  await using bob = await V1Peer.join({ port: server.port, name: "bob", room: "den" });
  const link = `cmdchat://127.0.0.1:${server.port}/den`;
  const sent = await run([link, "send", "hello"]);
  assert.equal(sent.code, 0, sent.stderr);
  await bob.hears("hello");
});

Deno.test("every command has a help that begins with its usage", async () => {
  for (const { name } of CLIENT_COMMANDS) {
    const help = await run([name, "--help"]);
    assert.equal(help.code, 0);
    assert.ok(help.stdout.startsWith(`usage: cmdchat-client ${name}`), help.stdout);
    assert.equal(help.stderr, "");
  }
  const [whole, one] = await Promise.all([run(["help"]), run(["help", "send"])]);
  assert.match(whole.stdout, /^cmdchat-client .*\n\nusage:/);
  assert.match(one.stdout, /^usage: cmdchat-client send/);
});
