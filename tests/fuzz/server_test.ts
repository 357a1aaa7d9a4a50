// A real server under input at random, before and inside sessions of both protocols: it never falls, answers or closes
// every socket in time, and gives memory and handles back. FUZZ_CASES=100000 tries more; SEED=… tries the same again.

import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeFrame } from "../../shared/channel/frame.ts";
import { ClientHandshake } from "../../shared/channel/handshake.ts";
import { REQUESTS } from "../../shared/messages/messages_v2.ts";
import { frameBody, packBatches } from "../../shared/channel/record_batch.ts";
import { decodeRequest } from "../../shared/messages/codec_v2.ts";
import {
  casesFor,
  spoiled,
  spoiledJson,
  spoiledMessage,
  spoiledV2,
  V1_REQUESTS,
} from "../helpers/hostile/hostile_input.ts";
import { isGone } from "../helpers/peers/conn_ends.ts";
import { seedOfRun } from "../helpers/fakes/random.ts";
import { type RunningServer, startServer } from "../helpers/programs/server_process.ts";
import { skipWithoutProc } from "../helpers/repo/skip.ts";
import { handshakeOf, RawPeer, V1Peer, within } from "../helpers/peers/v1_peer.ts";
import { upgradeRequest } from "../helpers/web/web_socket_conn.ts";
import { testRsa, V2Peer } from "../helpers/peers/v2_peer.ts";

const MIB = 1_048_576;
// As docs/PROTOCOL.md says it: a longer one in the code must fail here.
const DEADLINE_MS = 10_000;
const SLACK_MS = 4_000;
const WORKERS = 12;
const CROWD = 40;
const OPTIONS = [
  "--max-per-address",
  "off",
  "--rate-limit",
  "off",
  "--hold",
  "1",
  "--web-only-socket",
  // What comes first may be a header of a proxy too.
  "--trusted-proxy",
  "127.0.0.1",
];
const PROXY_HEADER = new TextEncoder().encode("PROXY TCP4 192.0.2.7 192.0.2.9 56324 443\r\n");

const test = skipWithoutProc();
const seed = seedOfRun();

function sample<T>(arbitrary: fc.Arbitrary<T>, share: number): T[] {
  return fc.sample(arbitrary, { numRuns: casesFor(share), seed: seed | 0 });
}

/** Runs `work` for each case, so many at a time; a failure says the seed. */
async function forAll<T>(
  cases: readonly T[],
  atOnce: number,
  work: (some: Iterable<T>) => Promise<void>,
): Promise<void> {
  const left = cases[Symbol.iterator]();
  try {
    await Promise.all(Array.from({ length: atOnce }, () => work(left)));
  } catch (cause) {
    throw new Error(`SEED=${seed} does it again`, { cause });
  }
}

/** The server is as it was, and serves. */
async function unharmed(
  server: RunningServer,
  before: { readonly memory: number; readonly handles: number },
): Promise<void> {
  await using old = await V1Peer.join({ port: server.port, name: "still", room: "after" });
  await using young = await V2Peer.join({ port: server.port, rooms: ["after"] });
  await old.chat("here");
  await young.until("chat", ({ text }) => text === "here");
  assert.doesNotMatch(server.log, /unexpected fault/, `SEED=${seed}`);
  const [most, deadline] = [before.handles + 2, performance.now() + 5_000];
  while (server.handles() > most && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(server.handles() <= most, `handles: ${before.handles}, then ${server.handles()}`);
  // What V8 keeps of its heap after such a load, whatever its length: more cases do not make it more.
  const grown = server.memory() - before.memory;
  assert.ok(grown < 112 * MIB, `memory grew by ${Math.round(grown / MIB)} MiB`);
}

/** Memory and handles after a crowd and some ordinary use: what the runtime takes once for good. */
async function settledState(server: RunningServer) {
  // So many that the worker for handshakes starts now: it has handles of its own, and stays for minutes.
  const { firstMessage } = await ClientHandshake.start({ rsa: await testRsa() });
  await open(server, Array(CROWD).fill(encodeFrame(firstMessage)));
  for (let n = 0; n < 20; n++) {
    await using old = await V1Peer.join({ port: server.port });
    await old.chat("warm");
    await using young = await V2Peer.join({ port: server.port });
    await young.say("up");
  }
  return { memory: server.memory(), handles: server.handles() };
}

/** Opens a socket for each of these first bytes, all at once, and waits until it is answered or closed. */
async function open(server: RunningServer, cases: readonly Uint8Array[]): Promise<void> {
  await forAll(cases, Math.min(cases.length, 1_500), async (some) => {
    for (const bytes of some) {
      await using peer = await RawPeer.connect({ port: server.port });
      await peer.write(bytes).catch((error) => {
        if (!isGone(error)) throw error;
      });
      const answer = peer.conn.read(new Uint8Array(1)).catch((error) => {
        if (!isGone(error)) throw error;
      });
      await within(answer, "an answer or the end", DEADLINE_MS + SLACK_MS);
    }
  });
}

test("whatever a socket begins with, it is answered or closed by the deadline", async () => {
  await using server = await startServer({ args: OPTIONS });
  const { firstMessage } = await ClientHandshake.start({ rsa: await testRsa() });
  const hello = JSON.parse(new TextDecoder().decode(firstMessage));
  const body = fc.oneof(spoiledV2(hello), spoiledJson([await handshakeOf()]))
    .filter(({ length }) => length > 0 && length <= 65_536);
  const framed = body.map(encodeFrame);
  // So many at once as come below, for what the runtime takes once and keeps.
  await open(server, sample(framed, 0.1));
  const before = await settledState(server);
  const cases = sample(
    fc.oneof(
      { weight: 4, arbitrary: framed },
      { weight: 2, arbitrary: spoiled(framed) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }) },
      {
        weight: 2,
        arbitrary: spoiled(fc.constant(upgradeRequest(["X-Forwarded-For: 192.0.2.7"]))),
      },
      { weight: 1, arbitrary: spoiled(fc.constant(PROXY_HEADER)) },
      {
        weight: 1,
        arbitrary: fc.constantFrom("GET / HTTP/1.1\r\n", "SSH-2.0-x\r\n", "\x16\x03\x01").map((
          text,
        ) => new TextEncoder().encode(text)),
      },
    ),
    0.15,
  );
  await open(server, cases);
  await unharmed(server, before);
});

test("whatever a client of the old protocol says, it is answered or its session ends", async () => {
  await using server = await startServer({ args: OPTIONS });
  const before = await settledState(server);
  const cases = sample(
    fc.tuple(spoiledJson(V1_REQUESTS), fc.nat({ max: 9 })).filter(([{ length }]) =>
      length < 49_000
    ),
    0.08,
  );
  let ended = 0;
  await forAll(cases, WORKERS, async (some) => {
    let peer: V1Peer | undefined;
    for (const [bytes, kind] of some) {
      peer ??= await V1Peer.join({ port: server.port });
      try {
        // One in ten comes unsealed.
        await peer.raw.write(
          kind === 0
            ? encodeFrame(bytes.length > 0 ? bytes : new Uint8Array(1))
            : peer.sealBytes(bytes),
        );
        await peer.chat(`marker ${kind}`);
        await Promise.race([
          peer.closed,
          peer.next(({ type, message }) => type === "chat" && message === `marker ${kind}`).catch(
            async (error) => {
              await within(
                peer?.closed ?? Promise.resolve(),
                `an answer to ${new TextDecoder().decode(bytes)}`,
              ).catch(() => {
                throw error;
              });
            },
          ),
        ]);
        if (!await isOpen(peer.closed)) throw new Deno.errors.NotConnected();
      } catch (error) {
        if (!isGone(error)) throw error;
        ended++;
        await peer[Symbol.asyncDispose]();
        peer = undefined;
      }
    }
    await peer?.[Symbol.asyncDispose]();
  });
  assert.ok(ended > 0 && ended < cases.length, `${ended} of ${cases.length} sessions ended`);
  await unharmed(server, before);
});

test("whatever a client of session v2 says, it is answered or its session ends", async () => {
  await using server = await startServer({ args: OPTIONS });
  const before = await settledState(server);
  const cases = sample(spoiledMessage(REQUESTS), 0.12);
  let ended = 0;
  await forAll(cases, WORKERS, async (some) => {
    let peer: V2Peer | undefined;
    let id = 1;
    for (const make of some) {
      if (peer === undefined) {
        peer = await V2Peer.join({ port: server.port });
        id = 1;
      }
      const body = make({ id, room: peer.room() });
      if (body.length === 0) continue;
      if (takesNumber(body, id)) id++;
      const pongs = peer.events.filter(({ kind }) => kind === "pong").length;
      try {
        for (const parts of packBatches([frameBody(body)])) {
          const record = peer.cipher.seal(parts);
          for (let at = 0; at < record.length;) at += await peer.conn.write(record.subarray(at));
        }
        await peer.send({ kind: "ping" });
        const { events } = peer;
        const answered = peer.until(
          "pong",
          () => events.filter(({ kind }) => kind === "pong").length > pongs,
        ).then(() => true, () => false);
        if (!await answered) {
          await within(peer.ended, "an answer, or the end");
          throw new Deno.errors.NotConnected();
        }
      } catch (error) {
        if (!isGone(error)) throw error;
        ended++;
        await peer[Symbol.asyncDispose]();
        peer = undefined;
      }
    }
    await peer?.[Symbol.asyncDispose]();
  });
  assert.ok(ended > 0 && ended < cases.length, `${ended} of ${cases.length} sessions ended`);
  await unharmed(server, before);
});

/** Whether a server takes this for the request with the number `id`. */
function takesNumber(body: Uint8Array, id: number): boolean {
  try {
    const request = decodeRequest(body);
    return "id" in request && request.id === id;
  } catch {
    return false;
  }
}

async function isOpen(closed: Promise<void>): Promise<boolean> {
  return await Promise.race([closed.then(() => false), Promise.resolve(true)]);
}
