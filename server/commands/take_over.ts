// Takes over the state of a running server, or of `keep`: for --take-over, and for `keep` itself.

import { ConfigError, ConnectionError, CryptoError } from "../../shared/base/errors.ts";
import { addressText, isLoopback } from "../config/admin_address.ts";
import { STOP_DRAIN_MS } from "../config/limits.ts";
import {
  CHALLENGE_BYTES,
  type HandOverNotice,
  type HandOverRequest,
  handOverRequest,
} from "../admin/hand_over_auth.ts";
import {
  HAND_OVER_FINISH_PATH,
  HAND_OVER_FORMAT_FIELD,
  HAND_OVER_HOLD_PATH,
  HAND_OVER_PATH,
  HAND_OVER_PORT_FIELD,
} from "../admin/paths.ts";
import type { AdminPeer } from "./admin_client.ts";
import { type AdminPageAnswer, holdRequest, isRefused, request } from "./admin_request.ts";

/** How long a server has to hand its state over; it drains its clients' outboxes first. */
export const GIVE_MS = STOP_DRAIN_MS + 7_000;
const ANSWER_MS = 3_000;
// A server under attack may be slow, or out of file descriptors for a moment.
const PATIENCE_MS = 20_000;
const PAUSE_MS = 250;
const HINT = "both need the same CMDCHAT_ADMIN_TOKEN, and rooms of their own (no --nats)";

/** A state whose giver still holds it. */
export interface TakenState {
  readonly bytes: Uint8Array;
  /**
   * Tells the giver that this process serves in its place, and that it must exit. Throws ConfigError when the giver
   * refuses because it serves again: then this process must not serve.
   */
  finish(): Promise<void>;
}

/** Whose state is taken, and for how long it is tried. */
export interface TakeOverOptions extends Pick<AdminPeer, "address" | "token"> {
  readonly patienceMs?: number;
  /**
   * Told what the server says of itself before it is asked to stop serving; a server of an older version says nothing.
   * What it throws ends the attempt, and no client of the server has noticed.
   */
  readonly check?: (notice: Partial<HandOverNotice>) => Promise<void> | void;
}

/**
 * Takes over the state of the server at `address`, which stops serving and waits for `finish`. Undefined if no server
 * is there. Tries again while the server does not answer; throws ConfigError when it refuses, or does not answer in
 * time.
 */
export async function requestHandOver(
  { address, token, patienceMs = PATIENCE_MS, check = () => {} }: TakeOverOptions,
): Promise<TakenState | undefined> {
  const where = `Cannot take over from the server at ${addressText(address)}`;
  if (token === undefined || !isLoopback(address.hostname)) {
    throw new ConfigError(`${where}: it requires the admin token, and an address of this machine`, {
      hint: "set the same CMDCHAT_ADMIN_TOKEN for both",
    });
  }
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      const taken = await takeState({ address, token, check });
      if (taken === undefined) return undefined;
      if ("bytes" in taken) return taken;
      if (!isPassing(taken.status) || performance.now() > end) throw refused(where, taken.status);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      if (performance.now() > end) {
        throw new ConfigError(`${where}: it does not answer`, { cause: error });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

interface Attempt extends Required<Pick<TakeOverOptions, "address" | "check">> {
  readonly token: string;
}

/** One attempt: the state, or the status of a refusal; undefined if nothing listens there. */
async function takeState(
  { address, token, check }: Attempt,
): Promise<TakenState | Pick<AdminPageAnswer, "status"> | undefined> {
  const where = `Cannot take over from the server at ${addressText(address)}`;
  const at = { address, path: HAND_OVER_PATH };
  const challenge = await orRefused(request({ ...at, method: "GET", ms: ANSWER_MS }));
  if (challenge === undefined) return undefined;
  if (challenge.status !== 200) return challenge;
  if (challenge.body.length !== CHALLENGE_BYTES) {
    throw new ConfigError(`${where}: it is not a cmdchat-server of this version`, { hint: HINT });
  }
  await check(noticeOf(challenge));
  const asked = handOverRequest(token, challenge.body);
  // The server serves again as soon as this connection ends, as with this process.
  const release = holdRequest({ address, path: HAND_OVER_HOLD_PATH, bytes: asked.hold });
  try {
    const answer = await orRefused(
      request({ ...at, method: "POST", ms: GIVE_MS, bytes: asked.body }),
    );
    if (answer?.status === 200) {
      return { bytes: opened(where, asked, answer.body), finish: () => finish(address, asked) };
    }
    release();
    return answer;
  } catch (error) {
    release();
    throw error;
  }
}

function noticeOf({ headers }: AdminPageAnswer): Partial<HandOverNotice> {
  const [format, port] = [headers[HAND_OVER_FORMAT_FIELD], headers[HAND_OVER_PORT_FIELD]];
  return {
    ...(typeof format === "string" ? { format } : {}),
    ...(typeof port === "string" && /^\d{1,5}$/.test(port) ? { port: Number(port) } : {}),
  };
}

function opened(where: string, asked: HandOverRequest, sealed: Uint8Array): Uint8Array {
  try {
    return asked.open(sealed);
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new ConfigError(`${where}: it does not have the admin token`, { cause, hint: HINT });
  }
}

async function finish(address: AdminPeer["address"], asked: HandOverRequest): Promise<void> {
  const where = `Cannot take over from the server at ${addressText(address)}`;
  const end = performance.now() + ANSWER_MS;
  const post = { address, path: HAND_OVER_FINISH_PATH, method: "POST", bytes: asked.finish };
  for (;;) {
    try {
      const answer = await orRefused(request({ ...post, ms: ANSWER_MS }));
      // Nothing listens there any more: the giver has exited, and this is the only copy.
      if (answer === undefined || answer.status === 200) return;
      throw new ConfigError(`${where}: it serves again, since this process took too long`);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      if (performance.now() > end) {
        throw new ConfigError(`${where}: it does not answer`, { cause: error });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

async function orRefused(answer: Promise<AdminPageAnswer>): Promise<AdminPageAnswer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isRefused(error)) return undefined;
    throw error;
  }
}

// A challenge that got too old on a slow machine, a server that is too busy, a fault of the moment.
function isPassing(status: number): boolean {
  return status === 410 || status === 429 || status >= 500;
}

function refused(where: string, status: number): ConfigError {
  const why = status === 401 ? "it does not accept this token" : `it answers ${status}`;
  return new ConfigError(`${where}: ${why}`, { hint: HINT });
}
