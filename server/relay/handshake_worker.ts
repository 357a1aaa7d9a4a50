// Computes handshakes beside the thread that serves members, while many wait. It is started without any right: no network,
// no file, no environment.

import { ClientHandshake, ServerHandshake } from "../../shared/channel/handshake.ts";
import { identityFromText } from "../../shared/crypto/identity.ts";
import { generateRsaKeyPair } from "../../shared/crypto/rsa.ts";
import { HANDSHAKES_AT_ONCE } from "../config/limits.ts";
import {
  type AnsweredBatch,
  type AnsweredHandshake,
  type AskedBatch,
  type AskedHandshake,
  packAnswered,
  unpackAsked,
} from "./handshake_batch.ts";

/**
 * Messages to the worker: first the identity, as identityToText() writes it, and whether there is time to rehearse;
 * then clients' first messages.
 */
export type ToHandshakeWorker =
  | { readonly identity: string; readonly rehearses: boolean }
  | AskedBatch;

/**
 * Messages from the worker: once, that it is ready and, if it has rehearsed, the ms that a handshake takes; then a
 * session for each message, or none for one that is refused.
 */
export type FromHandshakeWorker =
  | { readonly ready: true; readonly tookMs: number | undefined }
  | AnsweredBatch;

const scope = self as unknown as {
  onmessage: (message: MessageEvent<ToHandshakeWorker>) => void;
  postMessage(message: FromHandshakeWorker): void;
};

let handshakes: ServerHandshake | undefined;
let waiting: AskedHandshake[] = [];
let isComputing = false;

async function compute({ id, first }: AskedHandshake): Promise<AnsweredHandshake> {
  return { id, session: await handshakes?.receive(first).catch(() => undefined) };
}

/** Some at a time: while their answers are on their way, the others are computed. */
async function computeAll(): Promise<void> {
  if (isComputing) return;
  isComputing = true;
  while (waiting.length > 0) {
    const some = waiting.slice(0, HANDSHAKES_AT_ONCE);
    waiting = waiting.slice(some.length);
    const batch = packAnswered(await Promise.all(some.map(compute)));
    scope.postMessage(batch);
    // What was posted is a copy.
    batch.bytes.fill(0);
  }
  isComputing = false;
}

// A server to which all clients may be about to come back rehearses: the first handshakes of a thread take several times as
// long as others, and how fast the machine is today nobody knows before.

// Thirty-two take the first milliseconds off, and as many again tell what is left.
const ROUNDS = 2;
const HANDSHAKES = 32;

/** Computes handshakes with a client of its own, of which no session comes; the ms that one takes in the end. */
async function rehearse(handshakes: ServerHandshake): Promise<number> {
  const { firstMessage } = await ClientHandshake.start({ rsa: await generateRsaKeyPair() });
  let took = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const since = performance.now();
    for (let n = 0; n < HANDSHAKES; n++) await handshakes.receive(firstMessage);
    took = (performance.now() - since) / HANDSHAKES;
  }
  return took;
}

scope.onmessage = async ({ data }) => {
  if ("identity" in data) {
    handshakes = new ServerHandshake(await identityFromText(data.identity));
    const tookMs = data.rehearses ? await rehearse(handshakes) : undefined;
    return scope.postMessage({ ready: true, tookMs });
  }
  waiting.push(...unpackAsked(data));
  await computeAll();
};
