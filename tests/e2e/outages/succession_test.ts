// deno-lint-ignore-file no-console
// One process goes on in the place of another, under load: the client's own code sees that nothing was lost.

import type { RequestOutcome } from "../../../client/session/request_ledger.ts";
import assert from "node:assert/strict";
import { parseFingerprint } from "../../../shared/crypto/fingerprint.ts";
import { EXPECTED_BACK_MS } from "../../../server/config/limits.ts";
import { FILE_CHUNK_BYTES } from "../../../shared/base/limits.ts";
import { openRecordedChat, type RecordedChat } from "../../helpers/fakes/recorded_chat.ts";
import { newAttachKey, SealedPeer } from "../../helpers/peers/sealed_peer.ts";
import { textOf } from "../../helpers/peers/sealed_room.ts";
import {
  type RunningServer,
  runServer,
  startServer,
} from "../../helpers/programs/server_process.ts";
import { startOwnTimer } from "../../helpers/system/own_time.ts";
import { V1Peer, within } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const CLIENTS = 30;
const RESTARTS = 3;
// Each says something this often, at a moment of its own.
const TALK_EVERY_MS = 250;
const OPEN = ["--rate-limit", "off", "--max-per-address", "off"];
const TOKEN = { CMDCHAT_ADMIN_TOKEN: "for-the-admin-alone" };

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Ports that every process of one server uses in turn. */
interface Place {
  readonly port: number;
  readonly pages: string;
}

function newPlace(): Place {
  return { port: freePort(), pages: `127.0.0.1:${freePort()}` };
}

function startAt(
  { port, pages }: Place,
  env: Record<string, string> = TOKEN,
): Promise<RunningServer> {
  const where = ["--port", String(port), "--admin-listen", pages, "--take-over", pages];
  return startServer({ args: [...where, ...OPEN], env });
}

async function fingerprintOf(server: RunningServer): Promise<string> {
  return (await server.printed(/^fingerprint (\S+)/m))[1] as string;
}

/** How many came back to a process later than EXPECTED_BACK_MS after it took over, as its log has it. */
function lateComers(log: string): number {
  const at = (line: string) => Date.parse(line.split(" ")[0] ?? "");
  const lines = log.split("\n");
  const began = at(lines.find((line) => line.includes("took over")) ?? "");
  assert.ok(began > 0, log);
  return lines.filter((line) =>
    line.includes("client joined") && at(line) - began >= EXPECTED_BACK_MS
  )
    .length;
}

/** Waits for so long as 20 s in which this process ran. */
async function until(isSo: () => boolean, what: string): Promise<void> {
  let isLate = false;
  const patience = startOwnTimer(20_000, () => isLate = true);
  try {
    while (!isSo()) {
      assert.ok(!isLate, `never: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } finally {
    patience.stop();
  }
}

/** Says one thing after another until `signal`, at random moments; gives what was said and what became of each. */
async function talk(
  { chat }: RecordedChat,
  name: string,
  signal: AbortSignal,
): Promise<[string, RequestOutcome][]> {
  const said: Promise<[string, RequestOutcome]>[] = [];
  for (let n = 1; !signal.aborted; n++) {
    const text = `${name}.${n}`;
    said.push(chat.say(text).then((outcome) => [text, outcome]));
    const [share = 0] = crypto.getRandomValues(new Uint32Array(1));
    await new Promise((resolve) => setTimeout(resolve, TALK_EVERY_MS * (0.5 + share / 2 ** 32)));
  }
  return await Promise.all(said);
}

Deno.test(`${CLIENTS} clients talk while their server is replaced ${RESTARTS} times: every message arrives once, in one order, and nobody seems to leave`, async () => {
  const place = newPlace();
  let server = await startAt(place);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => server[Symbol.asyncDispose]());
  const fingerprint = await fingerprintOf(server);
  const expected = parseFingerprint(fingerprint);
  const chats: RecordedChat[] = [];
  for (let n = 0; n < CLIENTS; n++) {
    const chat = await openRecordedChat({ port: place.port, name: `client${n}`, expected });
    chats.push(stack.use(chat));
  }
  const last = `client${CLIENTS - 1} joined.`;
  const sawAll = ({ shown }: RecordedChat) => shown.some(({ text }) => text === last);
  await until(() => chats.slice(0, -1).every(sawAll), "everyone saw everyone come");
  const quiet = chats.map(({ shown }) => shown.length);
  const ending = new AbortController();
  const talking = chats.map((chat, n) => talk(chat, `client${n}`, ending.signal));
  const gaps: number[] = [];
  let late = 0;
  for (let n = 0; n < RESTARTS; n++) {
    const began = performance.now();
    const next = await startAt(place);
    const ended = await server.ended();
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /handing over: no new connections, telling clients/);
    assert.equal(await fingerprintOf(next), fingerprint);
    server = next;
    await until(() => next.log.split("client joined").length > CLIENTS, "everyone is back");
    gaps.push(performance.now() - began);
    late += lateComers(next.log);
    await new Promise((resolve) => setTimeout(resolve, TALK_EVERY_MS * 2));
  }
  ending.abort();
  const said = (await within(Promise.all(talking), "all messages to be answered", 20_000)).flat();
  assert.deepEqual(said.filter(([, outcome]) => outcome !== "confirmed"), []);
  assert.ok(said.length > CLIENTS * RESTARTS, `${said.length} messages`);

  const heard = ({ shown }: RecordedChat, n: number) =>
    shown.slice(quiet[n]).filter(({ kind }) => kind === "chat");
  const hasAll = (chat: RecordedChat, n: number) => heard(chat, n).length >= said.length;
  await until(() => chats.every(hasAll), "everyone heard all");
  const first = heard(chats[0] as RecordedChat, 0);
  const order = first.map(({ text }) => text);
  assert.deepEqual(order.toSorted(), said.map(([text]) => text).toSorted());
  assert.deepEqual(first.map(({ sequence }) => sequence), order.map((_, n) => n + 1));
  // Who is not back after EXPECTED_BACK_MS is away, and that is told: of nobody else, on however slow a machine.
  const seen = late === 0 ? /joined|left|lost the connection|is back/ : /joined|left/;
  for (const [n, chat] of chats.entries()) {
    assert.deepEqual(heard(chat, n).map(({ text }) => text), order, `client${n}`);
    const noise = chat.shown.slice(quiet[n]).filter(({ kind }) => kind !== "chat");
    assert.deepEqual(noise.filter(({ text }) => seen.test(text)), []);
    const away = noise.filter(({ text }) => /lost the connection/.test(text));
    assert.ok(away.length <= late, `${late} were late, and of ${away.length} it is told`);
  }
  console.log(
    `${said.length} messages; replaced, and all back, within ${
      Math.max(...gaps).toFixed(0)
    } ms at most`,
  );
});

Deno.test("names, topic, places, direct messages and who is away go along; v1 clients leave; who stays away is away", async () => {
  const place = newPlace();
  await using old = await startAt(place);
  const { port } = place;
  await using ann = await V2Peer.join({ port, hello: { name: "ann" } });
  await using bob = await V2Peer.join({ port, hello: { name: "bob" } });
  await using _lost = await V2Peer.join({ port, hello: { name: "lost" } });
  await using v1 = await V1Peer.join({ port, name: "v1" });
  await ann.until("joined", ({ name }) => name === "v1");
  const room = ann.room();
  await ann.send({ kind: "topic", id: ann.nextId(), room, text: "what it is about" });
  await bob.until("topic");
  await ann.say("before");
  const { at } = await bob.until("chat");
  bob.cut();
  await ann.until("away", ({ name }) => name === "bob");
  await ann.say("while bob is away");
  await ann.send({ kind: "direct", id: ann.nextId(), to: bob.welcome.client, text: "psst" });
  await ann.until("direct");

  await using next = await startAt(place);
  assert.equal((await old.ended()).code, 0);
  assert.equal((await ann.until("closing")).retry, true);
  await v1.system(/^The server will be back in a moment/);
  await next.logged(/took over held=3 rooms=1/);

  const again = (peer: V2Peer, name: string, seen: number) => {
    const { session, secret } = peer.welcome;
    const rooms: [string, number][] = [["lobby", seen]];
    return V2Peer.join({ port, hello: { name, session, secret, rooms } });
  };
  await using bob2 = await again(bob, "bob", at);
  assert.deepEqual([bob2.welcome.resumed, bob2.welcome.client], [true, bob.welcome.client]);
  assert.equal(bob2.entered().topic, "what it is about");
  await bob2.until("chat", ({ text }) => text === "while bob is away");
  assert.equal((await bob2.until("direct")).text, "psst");
  await bob2.until("left", ({ name }) => name === "v1");
  const { list } = await bob2.until("members");
  assert.deepEqual(list.map(([, name]) => name), ["ann", "bob", "lost"]);
  await using newcomer = await V2Peer.join({ port, hello: { name: "ann" } });
  assert.equal(newcomer.entered().name, "ann-2");
  await bob2.until("away", ({ name }) => name === "lost");
});

Deno.test("a file goes on over the next process: its receiver asks there for what it has not got", async () => {
  const place = newPlace();
  await using old = await startAt(place);
  const { port } = place;
  await using ann = await V2Peer.join({ port, hello: { name: "ann" } });
  await using bob = await V2Peer.join({ port, hello: { name: "bob" } });
  const pieces = [new Uint8Array(FILE_CHUNK_BYTES).fill(7), new Uint8Array([1, 2, 3])];
  const to = ann.welcome.client;
  const pull = (peer: V2Peer, index: number) =>
    peer.send({ kind: "pull", room: peer.room(), to, file: "f", index, count: 1 });
  const answer = async (peer: V2Peer) => {
    const { client, index } = await peer.until("pull");
    const data = pieces[index] as Uint8Array;
    await peer.send({ kind: "part", to: [client], file: "f", index, data });
  };
  await ann.send({
    kind: "offer",
    id: ann.nextId(),
    room: ann.room(),
    file: "f",
    filename: "a.bin",
    size: FILE_CHUNK_BYTES + 3,
    chunks: 2,
    hash: new Uint8Array(32),
    to: 0,
    folder: false,
  });
  await bob.until("offer");
  await pull(bob, 0);
  await answer(ann);
  assert.deepEqual((await bob.until("chunk")).data, pieces[0]);

  await using next = await startAt(place);
  assert.equal((await old.ended()).code, 0);
  await next.logged(/took over/);
  const again = ({ welcome: { session, secret } }: V2Peer, name: string) =>
    V2Peer.join({ port, hello: { name, session, secret, rooms: [["lobby", 0]] } });
  await using ann2 = await again(ann, "ann");
  await using bob2 = await again(bob, "bob");
  await pull(bob2, 1);
  await answer(ann2);
  assert.deepEqual((await bob2.until("chunk")).data, pieces[1]);
});

Deno.test("a sealed room goes along: its order, who is in it, and what one of them has not heard yet", async () => {
  const place = newPlace();
  await using old = await startAt(place);
  const { port } = place;
  const key = await newAttachKey();
  await using alice = await SealedPeer.connect({ port }, key);
  await alice.attach();
  await alice.create();
  await using bob = await SealedPeer.connect({ port }, key);
  await bob.attach();
  await bob.enter(0, [alice]);
  bob.peer.cut();
  await alice.peer.until("sealed_gone");
  await alice.app(1, "while bob is away");

  await using _next = await startAt(place);
  assert.equal((await old.ended()).code, 0);
  const again = (former: SealedPeer) => {
    const { session, secret } = former.peer.welcome;
    return SealedPeer.connect({ port, hello: { session, secret } }, key, former);
  };
  await using bob2 = await again(bob);
  const back = await bob2.attach({ member: true, epoch: 1, seq: 1 });
  assert.ok(back.kind === "sealed_attached", back.kind);
  assert.deepEqual([back.missing, back.epoch, back.seq, back.members.length], ["nothing", 1, 2, 2]);
  const missed = await bob2.peer.until("sealed_frame");
  assert.equal(textOf(missed.body), "while bob is away");
  await using alice2 = await again(alice);
  assert.equal((await alice2.attach({ member: true, epoch: 1, seq: 2 })).kind, "sealed_attached");
  await alice2.app(1, "after it");
  const { seq } = await bob2.peer.until("sealed_frame", ({ body }) => textOf(body) === "after it");
  assert.equal(seq, 3);
});

Deno.test("nobody takes over without the token, and a server without one gives nothing", async () => {
  const [guarded, open] = [newPlace(), newPlace()];
  await using server = await startAt(guarded);
  const ask = async (pages: string, body: Uint8Array<ArrayBuffer>) => {
    const response = await fetch(`http://${pages}/hand-over`, { method: "POST", body });
    return [response.status, await response.text()];
  };
  for (const length of [0, 1_000_000]) {
    const answer = await ask(guarded.pages, new Uint8Array(length));
    assert.deepEqual(answer, [401, "The admin token is required\n"]);
  }
  const stale = await ask(guarded.pages, new Uint8Array(96));
  assert.deepEqual(stale, [410, "The challenge is too old\n"]);
  await using plain = await startServer({ args: ["--admin-listen", open.pages] });
  assert.equal((await ask(open.pages, new Uint8Array(64)))[0], 409);
  const start = (pages: string, env: Record<string, string>) =>
    runServer({ args: ["--take-over", pages], env });
  const wrong = await start(guarded.pages, { CMDCHAT_ADMIN_TOKEN: "wrong" });
  assert.deepEqual([wrong.code, wrong.stdout], [3, ""]);
  assert.match(
    wrong.stderr,
    /^error: Cannot take over from the server at .*: it does not accept this token\nhint:/,
  );
  assert.match((await start(guarded.pages, {})).stderr, /it requires the admin token/);
  assert.match((await start("192.0.2.1:1", TOKEN)).stderr, /an address of this machine/);
  for (const { port } of [server, plain]) {
    await using _peer = await V2Peer.join({ port });
  }
});

Deno.test("with --take-over and nobody there, a server starts as ever", async () => {
  await using server = await startAt(newPlace());
  await using _peer = await V2Peer.join({ port: server.port });
  const { code, stderr } = await server.stop();
  assert.equal(code, 0);
  assert.ok(!stderr.includes("took over"), stderr);
});

/** A server of another version: its hand-over has another name. */
async function startOther(place: Place, folder: string): Promise<RunningServer> {
  const changed = "server/relay/hand_over_state.ts";
  const args = ["-r", "server", "shared", "deno.json", "deno.lock", folder];
  await new Deno.Command("cp", { args }).output();
  const text = await Deno.readTextFile(`${folder}/${changed}`);
  const renamed = text.replace(/"cmdchat hand-over \w+"/, '"cmdchat hand-over another"');
  assert.notEqual(renamed, text);
  await Deno.writeTextFile(`${folder}/${changed}`, renamed);
  const { port, pages } = place;
  const where = ["--port", String(port), "--admin-listen", pages, "--take-over", pages];
  return await startServer({ args: [...where, ...OPEN], env: TOKEN, cwd: folder });
}

Deno.test("a server whose hand-over is of another version is not taken over: it serves on, and loses no member", async () => {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-other-" });
  try {
    for (const isOlder of [true, false]) {
      const place = newPlace();
      await using running = isOlder ? await startOther(place, folder) : await startAt(place);
      const expected = parseFingerprint(await fingerprintOf(running));
      await using recorded = await openRecordedChat({ port: place.port, name: "ann", expected });
      const { chat } = recorded;
      assert.equal(await chat.say("before"), "confirmed");
      const next = isOlder ? startAt(place) : startOther(place, folder);
      await assert.rejects(
        next,
        /error: Cannot take over: the running server hands over in another format\nhint: it keeps serving/,
      );
      // The other format is known before anybody is told to come back.
      assert.equal(await chat.say("meanwhile"), "confirmed");
      assert.doesNotMatch(running.log, /handing over/);
      // What the service manager's keeper would lose with the old process, it does not take.
      if (isOlder) {
        const keeping = await runServer({
          command: {
            path: Deno.execPath(),
            args: [
              "run",
              "--no-check",
              "-A",
              "server/main.ts",
              "keep",
              "--admin-listen",
              place.pages,
            ],
          },
          bare: true,
          env: TOKEN,
        });
        assert.equal(keeping.code, 3, keeping.stderr);
        assert.match(keeping.stderr, /hands over in another format/);
        assert.equal(await chat.say("after the keeper"), "confirmed");
      }
      // She is who she was, each time.
      assert.doesNotMatch(running.log, /client joined client=[^1]/);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** How long a member waits for an answer at most while it says one thing after another, until `ended` resolves. */
async function longestWait(
  { chat }: RecordedChat,
  name: string,
  ended: Promise<unknown>,
): Promise<number> {
  let isOver = false;
  void ended.then(() => isOver = true);
  let longest = 0;
  for (let n = 1; !isOver; n++) {
    const began = performance.now();
    assert.equal(await chat.say(`${name}.${n}`), "confirmed");
    longest = Math.max(longest, performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return longest;
}

// It took 10 to 16 s before the server knew of it.
const BLINK_MS = 3_000;

Deno.test("a new server that finds its port taken, or its identity unusable, asks for nothing: nobody notices", async () => {
  const place = newPlace();
  await using running = await startAt(place);
  const expected = parseFingerprint(await fingerprintOf(running));
  await using ann = await openRecordedChat({ port: place.port, name: "ann", expected });
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const take = ["--admin-listen", place.pages, "--take-over", place.pages];
  const busy = ["--port", String((other.addr as Deno.NetAddr).port)];
  const foreign = ["--port", String(place.port), "--host", "192.0.2.1"];
  const broken = ["--port", String(place.port), "--identity-file", "deno.json"];
  for (
    const [args, why] of [
      [busy, /another program already uses this port/],
      [foreign, /this machine has no such address/],
      [broken, /identity/],
    ] as const
  ) {
    const next = runServer({ args: [...args, ...take, ...OPEN], env: TOKEN });
    const waited = await longestWait(ann, "ann", next);
    const { code, stderr } = await next;
    assert.equal(code, 3, stderr);
    assert.match(stderr, why);
    console.log(`${why}: ann waited ${waited.toFixed(0)} ms at most`);
    assert.ok(waited < BLINK_MS, `${waited} ms`);
  }
  assert.doesNotMatch(running.log, /handing over|no process took over/);
});

Deno.test("a new server that dies while it takes over is not waited for: members go on in a blink", async () => {
  const place = newPlace();
  await using running = await startAt(place);
  const expected = parseFingerprint(await fingerprintOf(running));
  await using ann = await openRecordedChat({ port: place.port, name: "ann", expected });
  await using bob = await openRecordedChat({ port: place.port, name: "bob", expected });
  // It has the state, and does not come to the end of what follows.
  const taking = `
    import { requestHandOver } from "./server/commands/take_over.ts";
    const address = { hostname: "127.0.0.1", port: ${place.pages.split(":")[1]} };
    const taken = await requestHandOver({ address, token: Deno.env.get("CMDCHAT_ADMIN_TOKEN") });
    console.log(taken?.bytes.length);
    setInterval(() => {}, 1_000);`;
  const waits: Promise<number>[] = [];
  for (let round = 1; round <= 3; round++) {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", taking],
      cwd: new URL("../../..", import.meta.url),
      env: TOKEN,
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const dying = (async () => {
      const reader = child.stdout.getReader();
      assert.ok(!(await reader.read()).done, "it has the state");
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
      const isAgain = () => running.log.split("serving again").length > round;
      await until(isAgain, "it serves again");
    })();
    const each = [ann, bob].map((chat, n) => longestWait(chat, `${n}.${round}`, dying));
    await dying;
    waits.push(...each);
  }
  const longest = Math.max(...await Promise.all(waits));
  console.log(`waited ${longest.toFixed(0)} ms at most`);
  assert.ok(longest < BLINK_MS, `${longest} ms`);
  assert.doesNotMatch(running.log, /client joined client=[^12]\b/);
  // The next one takes over as ever.
  await using next = await startAt(place);
  assert.equal((await running.ended()).code, 0);
  assert.equal(await ann.chat.say("to the next"), "confirmed");
  await next.logged(/took over held=2/);
});
