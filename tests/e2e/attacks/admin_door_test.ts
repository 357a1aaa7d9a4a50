// Attacks on the admin pages: peers without the token cannot keep the admin out, nor make a restart lose anything.

import assert from "node:assert/strict";
import { sendAdminCommand } from "../../../server/commands/admin_client.ts";
import { requestHandOver } from "../../../server/commands/take_over.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { ADMIN_TOKEN, pagesOf, WITH_TOKEN } from "../../helpers/programs/admin.ts";
import { startServer } from "../../helpers/programs/server_process.ts";

const GUESSERS = 64;
const CHALLENGE_FLOODS = 32;
const COMMANDS = 10;
const ANSWER_MAX_MS = 1_000;

/** Sends request after request until `signal` aborts; counts the answers. */
async function flood(request: () => Promise<Response>, signal: AbortSignal): Promise<number> {
  let answers = 0;
  while (!signal.aborted) {
    try {
      await (await request()).body?.cancel();
      answers++;
    } catch {
      // The attack ends, or the server hands its port over.
    }
  }
  return answers;
}

/** Guesses tokens and proofs, and asks for challenges, all at once. */
function attack(pages: string, signal: AbortSignal): Promise<number[]> {
  const json = { "content-type": "application/json" };
  const guess = (n: number) => () =>
    fetch(`http://${pages}${n % 2 === 0 ? "/admin" : "/hand-over"}`, {
      method: "POST",
      headers: { ...json, authorization: `Bearer guess-${crypto.randomUUID()}` },
      body: n % 2 === 0 ? "{}" : crypto.getRandomValues(new Uint8Array(96)),
      signal,
    });
  const challenge = () => fetch(`http://${pages}/hand-over`, { signal });
  return Promise.all([
    ...Array.from({ length: GUESSERS }, (_, n) => flood(guess(n), signal)),
    ...Array.from({ length: CHALLENGE_FLOODS }, () => flood(challenge, signal)),
  ]);
}

/** A free port below those that the system gives to the connections of the flood. */
function quietPort(): number {
  for (;;) {
    const [random = 0] = crypto.getRandomValues(new Uint16Array(1));
    try {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 20_000 + random % 10_000 });
      return listener.addr.port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

function peerOf(pages: string) {
  const [hostname = "", port] = pages.split(":");
  return { address: { hostname, port: Number(port) }, token: ADMIN_TOKEN };
}

Deno.test("64 guessers and a flood of challenges delay no command of the admin, and no hand-over", async () => {
  const ports = ["--port", String(quietPort()), "--admin-listen", String(quietPort())];
  await using server = await startServer({ args: ports, env: WITH_TOKEN });
  const pages = await pagesOf(server);
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  const ending = new AbortController();
  const attacking = attack(pages, ending.signal);
  try {
    const times: number[] = [];
    for (let n = 0; n < COMMANDS; n++) {
      const start = performance.now();
      const { lines } = await sendAdminCommand(peerOf(pages), {
        command: "sessions",
        names: false,
      });
      times.push(performance.now() - start);
      assert.equal(lines.length, 2);
    }
    assert.ok(Math.max(...times) < ANSWER_MAX_MS, `${times.map(Math.round)} ms`);
    const args = [...ports, "--take-over", pages];
    await using next = await startServer({ args, env: WITH_TOKEN });
    const { code, stderr } = await server.ended();
    assert.equal(code, 0);
    assert.match(next.log, /took over held=1 rooms=1/);
    // One line for the source, and one a minute.
    assert.ok(stderr.split("wrong admin credentials").length <= 3, stderr);
    assert.match(stderr, /wrong admin credentials address="127\.0\.0\.1" guesses=1/);
    assert.ok(!stderr.includes("guess-"));
    const { session, secret } = alice.welcome;
    const hello = { name: "alice", session, secret };
    await using again = await V2Peer.join({ port: next.port, hello });
    assert.equal(again.welcome.resumed, true);
  } finally {
    ending.abort();
  }
  const answers = (await attacking).reduce((sum, count) => sum + count);
  assert.ok(answers > GUESSERS, `the attack ran: ${answers} answers`);
});

Deno.test("a process that takes the state and dies costs nothing: the server serves again", async () => {
  await using server = await startServer({ args: ["--admin-listen", "0"], env: WITH_TOKEN });
  const pages = await pagesOf(server);
  const { port } = server;
  await using alice = await V2Peer.join({ port, hello: { name: "alice" } });
  const lost = await requestHandOver(peerOf(pages));
  assert.ok(lost !== undefined);
  await alice.ended;
  await server.logged(/no process took over; serving again/);
  await server.logged(/took over held=1 rooms=1/);
  const { session, secret } = alice.welcome;
  await using again = await V2Peer.join({ port, hello: { name: "alice", session, secret } });
  assert.equal(again.welcome.resumed, true);
  await assert.rejects(lost.finish(), /it serves again, since this process took too long/);
  await again.say("still here");
  await again.until("chat");
  const taken = await requestHandOver(peerOf(pages));
  await taken?.finish();
  assert.equal((await server.ended()).code, 0);
});
