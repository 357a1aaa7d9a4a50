// Scripts in a sealed room: the link with its secret comes from the environment or the settings file.

import assert from "node:assert/strict";
import { encodeBase64Url } from "../../../shared/base/base64.ts";
import { runClient, startClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { SealedMember } from "../../helpers/peers/sealed_member.ts";
import type { Program } from "../../helpers/programs/programs.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const home = temporaryHome();

Deno.test("send and recv work in a sealed room, whose words the relay's plain room never sees", async () => {
  await using server = await startServer();
  const secret = encodeBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  const link = `cmdchat://127.0.0.1:${server.port}/den#secret=${secret}`;
  await Deno.mkdir(`${home}/.config/cmdchat`, { recursive: true });
  await Deno.writeTextFile(
    `${home}/.config/cmdchat/config.toml`,
    `[server.den]\nlink = "${link}"\n`,
    { mode: 0o600 },
  );
  await using plain = await V2Peer.join({ port: server.port, rooms: ["den"] });
  await using taker = startClient(home, {
    // Each program has a key of its own: the second one of al's is another than the first one's.
    args: ["recv", "--count=2", "--timeout=20", "--names", "--name=taker", "--allow-changed-keys"],
    env: { CMDCHAT_LINK: link },
  });
  // It says so when it has made the room and waits in it.
  await taker.complains(/den: nobody else is here/);
  const sent = await runClient(home, { args: ["@den", "send", "--name", "al", "hello", "there"] });
  assert.deepEqual([sent.code, sent.stdout], [0, ""], sent.stderr);
  const lines = await runClient(
    home,
    { args: ["@den", "send", "--lines", "--name", "al"] },
    "one more",
  );
  assert.equal(lines.code, 0, lines.stderr);
  assert.equal(await taker.end(), 0, taker.stderr);
  assert.equal(taker.stdout, "<al> hello there\n<al> one more\n");
  assert.ok(!`${taker.stderr}${sent.stderr}${lines.stderr}`.includes(secret));
  assert.deepEqual(plain.texts, []);
});

Deno.test("an empty file arrives as one in a sealed room", async () => {
  await using server = await startServer();
  const secret = encodeBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  const env = { CMDCHAT_LINK: `cmdchat://127.0.0.1:${server.port}/den#secret=${secret}` };
  await Deno.writeFile(`${home}/nothing.txt`, new Uint8Array());
  const folder = await Deno.makeTempDir({ dir: home });
  await using taker = startClient(home, {
    args: ["recv-file", "--timeout=30", "--name=taker"],
    env,
    cwd: folder,
  });
  await taker.complains(/den: nobody else is here/);
  const sent = await runClient(home, { args: ["send-file", "--name=al", "nothing.txt"], env });
  assert.equal(sent.code, 0, sent.stderr);
  assert.match(sent.stderr, /^nothing\.txt: taker saved it$/m);
  assert.equal(await taker.end(), 0, taker.stderr);
  assert.equal((await Deno.stat(`${folder}/nothing.txt`)).size, 0);
});

/** A room with a program, alice and a bob; and how another bob comes there in his place. */
async function roomWithBob(server: RunningServer, stack: AsyncDisposableStack) {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const alice = stack.use(await SealedMember.join(server, secret, "alice"));
  const bob = await SealedMember.join(server, secret, "bob");
  const link = `cmdchat://127.0.0.1:${server.port}/den#secret=${encodeBase64Url(secret)}`;
  let count = 0;
  const start = (...args: string[]) => {
    const name = ["--name", `al${++count}`];
    return stack.use(startClient(home, { args: [...args, ...name], env: { CMDCHAT_LINK: link } }));
  };
  const isIn = (who: string) =>
    alice.until(() => alice.status.people.some(({ name }) => name === who), `${who} to be in`);
  const replaceBob = async () => {
    await bob.leave();
    await alice.until(() => alice.status.people.every(({ name }) => name !== "bob"), "bob's end");
    await bob[Symbol.asyncDispose]();
    return stack.use(await SealedMember.join(server, secret, "bob"));
  };
  return { alice, start, isIn, replaceBob };
}

/** Ends with one error that names bob's key and the way on, and the code of keys that do not fit. */
async function assertStopped(program: Program): Promise<void> {
  assert.equal(await program.end(), 7, program.stderr);
  // A busy machine may be late with the server's first words.
  const warned = program.stderr.match(/^(error|warning):(?!.*took the connection)/gm);
  assert.equal(warned?.length, 1, program.stderr);
  assert.deepEqual(program.stderr.trimEnd().split("\n").slice(-2), [
    'error: Stopped in the sealed room "den": bob came back with another key: somebody else may be using the name',
    "hint: nothing more was sent; --allow-changed-keys continues all the same",
  ]);
}

Deno.test("a program stops with one error where a name in its sealed room has another key", async () => {
  await using server = await startServer({ args: ["--rate-limit", "off"] });
  await using stack = new AsyncDisposableStack();
  const { alice, start, isIn, replaceBob } = await roomWithBob(server, stack);
  const programs = [
    start("send", "--lines"),
    start("recv"),
    start("recv-file"),
    start("--json"),
    start("--renderer", "minimal"),
  ];
  const [send, , , json] = programs as [Program, Program, Program, Program];
  for (const name of ["al1", "al2", "al3", "al4", "al5"]) await isIn(name);
  await send.type("to those I know");
  await json.type('{"id":1,"say":"to them as well"}');
  await alice.until(() => alice.texts.length === 2, "both lines");
  await replaceBob();
  for (const program of programs) await assertStopped(program);
  assert.match(json.stdout, /"kind":"result".*"id":1,"ok":true/);
  assert.equal(alice.texts.length, 2);
});

Deno.test("with --allow-changed-keys a program goes on past another key, warns once, and holds nothing", async () => {
  await using server = await startServer({ args: ["--rate-limit", "off"] });
  await using stack = new AsyncDisposableStack();
  const { start, isIn, replaceBob } = await roomWithBob(server, stack);
  const send = start("send", "--lines", "--allow-changed-keys");
  await isIn("al1");
  const other = await replaceBob();
  await send.complains(/warning: den: bob has come back with ANOTHER KEY/);
  await send.type("at once");
  await send.endInput();
  assert.equal(await send.end(), 0, send.stderr);
  await other.until(() => other.texts.includes("al1: at once"), "the line");
  assert.equal(send.stderr.match(/ANOTHER KEY/g)?.length, 1);
});

Deno.test("a program in front of a locked sealed room ends at once and says so", async () => {
  await using server = await startServer();
  await using stack = new AsyncDisposableStack();
  const { alice, start } = await roomWithBob(server, stack);
  alice.ask({ kind: "lock", request: 1, locked: true });
  await alice.until(() => alice.status.locked, "the lock");
  for (const args of [["send", "hello", "--timeout", "0"], ["recv"], ["--json"]]) {
    const program = start(...args);
    assert.equal(await program.end(), 9, program.stderr);
    assert.match(program.stderr, /^error: Cannot join the sealed room "den": .*locked"?$/m);
    assert.equal(program.stderr.match(/error:|warning:/g)?.length, 1, program.stderr);
  }
});
