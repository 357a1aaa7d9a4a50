// The chat as people have it: the real server, real clients in real terminals (tmux), and what they do all day.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { clientCommand, type Pane, startTmux } from "../../helpers/system/tmux.ts";

const test = skipWithout("tmux");

const FILE_MAX = 10 * 1_024 * 1_024;

/** alice and bob in one room, each in a terminal, and a folder for the test's files. */
interface Scene extends AsyncDisposable {
  readonly server: RunningServer;
  readonly alice: Pane;
  readonly bob: Pane;
  readonly folder: string;
}

async function openScene(...serverArgs: string[]): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-terminal-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const server = stack.use(await startServer({ args: serverArgs }));
  const tmux = stack.use(await startTmux());
  const open = (name: string) =>
    tmux.open({
      command: clientCommand(
        "--port",
        String(server.port),
        "--name",
        name,
        "--download-dir",
        `${folder}/${name}`,
      ),
    });
  const [alice, bob] = [await open("alice"), await open("bob")];
  await Promise.all([
    alice.shows(/bob joined|"lobby":.*bob/),
    bob.shows(/alice joined|"lobby":.*alice/),
  ]);
  const all = stack.move();
  return { server, alice, bob, folder, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

test("two people talk, take other names, change rooms and leave", async () => {
  await using scene = await openScene();
  const { alice, bob } = scene;

  await alice.enter("hello bob");
  await Promise.all([alice, bob].map((pane) => pane.shows(/#1 <alice> hello bob$/m)));
  await bob.enter("hello alice");
  await alice.shows(/#2 <bob> hello alice$/m);

  await alice.enter("/nick bob");
  await alice.shows(/Cannot use the name "bob": somebody in "lobby" has it/);
  await alice.enter("/nick b0b");
  await alice.shows(/Cannot use the name "b0b": somebody in "lobby" has it, or one/);
  await alice.enter("/nick alicia");
  await Promise.all([alice, bob].map((pane) => pane.shows(/\* alice is now known as alicia\.$/m)));
  await alice.shows(/^alicia@lobby>/m);

  await alice.enter("/join den");
  await alice.shows(/\* In "den": alicia$/m);
  await alice.shows(/^alicia@den>$/m);
  assert.match(
    (await alice.screen()).at(-1) ?? "",
    /^2:den · alicia · server can read · connected/,
  );
  await alice.enter("only for the den");
  await alice.shows(/#1 <alicia> only for the den$/m);
  await bob.enter("/join den");
  await alice.shows(/\* bob joined\.$/m);
  await bob.enter("there you are");
  await alice.shows(/#2 <bob> there you are$/m);
  assert.doesNotMatch((await bob.lines()).join("\n"), /only for the den/);

  await alice.enter("/quit");
  assert.equal(await alice.exit(), 0);
  await bob.shows(/\* (?:\[lobby\] )?alicia left\.\n(?:.*\n)*.*\* (?:\[lobby\] )?alicia left\.$/m);
});

test("10 MB are refused once, then accepted, and arrive with the same SHA-256", async () => {
  await using scene = await openScene();
  const { alice, bob, folder } = scene;
  const bytes = new Uint8Array(FILE_MAX);
  for (let at = 0; at < bytes.length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  await Deno.writeFile(`${folder}/a film.bin`, bytes);
  const digest = sha256(bytes);

  await alice.enter(`/send ${folder}/a film.bin`);
  await bob.shows(/<alice> offers file 1, "a film\.bin" \(10 MiB\): \/accept 1 or \/reject 1/);
  await bob.enter("/reject");
  await bob.shows(/Refused file 1/);
  await alice.shows(/nobody\s+saved\s+it:\s+bob\s+refused\s+it/);

  await alice.enter(`/send ${folder}/a film.bin`);
  await bob.shows(/offers file 2/);
  await bob.enter("/accept 2");
  const [, shown] = await bob.shows(/Saved "a film\.bin"[\s\S]*SHA-256\s+([0-9a-f]{64})/);
  assert.equal(shown, digest);
  assert.deepEqual([...Deno.readDirSync(`${folder}/bob`)].map(({ name }) => name), ["a film.bin"]);
  assert.equal(sha256(await Deno.readFile(`${folder}/bob/a film.bin`)), digest);
  await alice.shows(/Sent "a film\.bin" \(10 MiB\)/);
  await alice.enter("you see the file?");
  await bob.shows(/<alice> you see the file\?$/m);
});

test("what cannot be sent is refused with its reason, and nothing of it is offered", async () => {
  await using scene = await openScene();
  const { alice, bob, folder } = scene;
  await Deno.writeFile(`${folder}/large`, new Uint8Array(FILE_MAX + 1));
  const cases: readonly (readonly [string, RegExp])[] = [
    [`${folder}/none`, /Cannot send ".*none":\s+there\s+is\s+no\s+such\s+file/],
    [folder, /Cannot send "cmdchat-\S+":\s+it\s+has\s+\d+\s+bytes,\s+at\s+most/],
    [
      `${folder}/large`,
      /it\s+has\s+10485761\s+bytes,\s+at\s+most\s+10485760\s+\(10\s+MiB\)\s+are\s+allowed/,
    ],
  ];
  for (const [path, pattern] of cases) {
    await alice.enter(`/send ${path}`);
    await alice.shows(pattern);
  }
  await alice.enter("that was all");
  await bob.shows(/<alice> that was all$/m);
  assert.doesNotMatch((await bob.lines()).join("\n"), /offers/);
});

test("the server is killed and started again: both come back, and what was typed is still there", async () => {
  await using identity = await makeIdentity();
  await using scene = await openScene("--identity-file", identity.path);
  const { server, alice, bob } = scene;
  await alice.type("half a sentence");
  await alice.holds("half a sentence");
  await server.stop("SIGKILL");
  await Promise.all([alice, bob].map((pane) => pane.shows(/trying again/)));
  await alice.type(", and a bit");
  await alice.holds("half a sentence, and a bit");
  await bob.enter("typed without a server");
  await bob.shows(/Not yet sent/);

  await using again = await startServer({
    args: ["--port", String(server.port), "--identity-file", identity.path],
  });
  assert.equal(again.port, server.port);
  await Promise.all([alice, bob].map((pane) => pane.shows(/Connected again as/)));
  await alice.holds("half a sentence, and a bit");
  // Who comes back first talks first: alice may have missed it.
  await bob.shows(/#\d+ <bob> typed without a server$/m);
  await alice.press("Enter");
  await bob.shows(/#\d+ <alice> half a sentence, and a bit$/m);
  const copies = (await bob.lines()).filter((line) => /<bob> typed without/.test(line));
  assert.equal(copies.length, 1);
});

test("what was typed for a server that is another now waits for /trust, and the half-typed line stays", async () => {
  await using scene = await openScene();
  const { server, alice, bob } = scene;
  await server.stop("SIGKILL");
  await Promise.all([alice, bob].map((pane) => pane.shows(/trying again/)));
  await bob.enter("typed before");
  await bob.shows(/Not yet sent: ".*" waits until there is a connection/);
  await alice.type("half a th");

  await using _again = await startServer({ args: ["--port", String(server.port)] });
  await Promise.all(
    [alice, bob].map((pane) => pane.shows(/warning: The server has another key now/)),
  );
  await bob.shows(/another server: \/trust or \/quit/);
  await bob.enter("typed meanwhile");
  await bob.shows(/Not yet sent: ".*" waits until you say \/trust/);
  await alice.type("ought");
  await alice.shows(/> half a thought$/m);
  await bob.enter("/trust");
  await bob.shows(/#1 <bob> typed before$/m);
  await bob.shows(/#2 <bob> typed meanwhile$/m);
  // Alice has not said so yet: nothing of hers has left.
  await alice.type("\x15");
  await alice.enter("/trust");
  await alice.shows(/Connected again as "alice"/);
  await alice.enter("back");
  await bob.shows(/#3 <alice> back$/m);
});
