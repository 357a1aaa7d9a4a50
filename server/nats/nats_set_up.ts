// One attempt to connect to NATS: the stream is found or made, and what the server needs is used once.

import {
  jetstream,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
} from "@nats-io/jetstream";
import { connect, type NatsConnection, PermissionViolationError } from "@nats-io/transport-node";
import { CmdchatError, ConfigError } from "../../shared/base/errors.ts";
import { quote, sanitizeLine } from "../../shared/base/sanitize.ts";
import { connectionOptions, type NatsOptions } from "./nats_options.ts";
import { findStream, type LogStream } from "./nats_stream.ts";

/** How long NATS has for one answer, ms. */
export const REQUEST_MS = 2_000;
/** Bodies of sealed rooms have 256 KiB; entries of open rooms as much, beside the room's state. */
export const PAYLOAD_MIN_BYTES = 512 * 1_024;
const RETRY_MS = 250;
// A NATS cluster that has just started elects its leader first.
const SET_UP_MS = 10_000;
const REASON_MAX = 200;

/** The library's objects over one connection. */
export interface LiveNats {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly client: JetStreamClient;
}

/**
 * Connects once, finds or makes the stream, and uses each right once. `avoided` is tried after all others; `onConnected`
 * is told which address took the connection. Throws what the library throws, or ConfigError.
 */
export async function connectNats(
  options: NatsOptions,
  avoided?: string,
  onConnected?: (server: string) => void,
): Promise<{ readonly live: LiveNats; readonly stream: LogStream }> {
  const connection = await connect(connectionOptions(options, avoided));
  onConnected?.(connection.getServer());
  try {
    return await patiently(() => setUp(connection, options));
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function setUp(connection: NatsConnection, options: NatsOptions) {
  const payload = connection.info?.max_payload ?? 0;
  if (payload < PAYLOAD_MIN_BYTES) {
    throw new ConfigError(
      `Cannot use NATS: its max_payload is ${payload} bytes, at least ${PAYLOAD_MIN_BYTES} are needed`,
      { hint: "set max_payload: 1MB in the configuration of nats-server" },
    );
  }
  return await refusingDenied(connection, async () => {
    const manager = await jetstreamManager(connection, { timeout: REQUEST_MS });
    const stream = await findStream(manager, options);
    const client = jetstream(connection, { timeout: REQUEST_MS });
    await useAllRights({ connection, manager, client }, stream);
    return { live: { connection, manager, client }, stream };
  });
}

// A right that is missing shows itself later and in silence: a subscription that receives nothing, an entry that is
// never stored. So each is used once, with no effect: the log is empty, and no stream has the expected name.
async function useAllRights({ connection, manager, client }: LiveNats, stream: LogStream) {
  const random = crypto.randomUUID().replaceAll("-", "");
  const [live, log] = [`cmdchat.live.${random}`, `cmdchat.room.${random}`];
  const subscriptions = ["cmdchat.messages", live, log].map((subject) =>
    connection.subscribe(subject, { callback() {} })
  );
  connection.publish(live, new Uint8Array());
  await connection.flush();
  for (const subscription of subscriptions) subscription.unsubscribe();
  await manager.streams.purge(stream.name, { filter: log });
  try {
    const expect = { streamName: "cmdchat_none" };
    await client.publish(log, new Uint8Array(), { expect, timeout: REQUEST_MS, retries: 0 });
  } catch (error) {
    // What the stream itself refuses was permitted.
    if (!(error instanceof JetStreamApiError)) throw error;
  }
}

/** Runs `use`. Throws ConfigError with the first right that the user lacked meanwhile. */
async function refusingDenied<T>(connection: NatsConnection, use: () => Promise<T>): Promise<T> {
  const denied: PermissionViolationError[] = [];
  const statuses = connection.status();
  void (async () => {
    for await (const status of statuses) {
      if (status.type !== "error") continue;
      if (status.error instanceof PermissionViolationError) denied.push(status.error);
    }
  })();
  let result: T | undefined;
  let fault: unknown;
  try {
    result = await use();
  } catch (error) {
    fault = error;
  }
  // NATS answers in order, and the loop above runs in a turn of its own.
  if (!connection.isClosed()) await connection.flush().catch(() => {});
  await pause(0);
  (statuses as { stop?: () => void }).stop?.();
  const [first] = denied;
  if (first !== undefined) throw deniedError(first);
  if (fault !== undefined) throw fault;
  return result as T;
}

function deniedError({ operation, subject }: PermissionViolationError): ConfigError {
  const what = operation === "publish" ? "publish to" : "subscribe to";
  return new ConfigError(`Cannot use NATS: its user may not ${what} ${quote(subject)}`, {
    hint:
      "it needs to publish to cmdchat.> and $JS.API.>, and to subscribe to cmdchat.> and _INBOX.>",
  });
}

async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + SET_UP_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof CmdchatError || performance.now() > end) throw error;
      await pause(RETRY_MS);
    }
  }
}

/** Whether waiting may help: NATS is not there, or refuses a login that somebody may be changing. */
export function isPassing(error: unknown): boolean {
  if (error instanceof CmdchatError || isAboutTls(error) || isOwnFault(error)) return false;
  const text = `${error} ${error instanceof Error ? error.cause : ""}`;
  return !/jetstream not enabled/i.test(text);
}

function isOwnFault(error: unknown): boolean {
  return error instanceof TypeError || error instanceof ReferenceError ||
    error instanceof RangeError;
}

function isAboutTls(error: unknown): boolean {
  return error instanceof Error &&
    (/does not support 'tls'|certificate|\btls\b/i.test(error.message) || isAboutTls(error.cause));
}

/** The error with which a start ends, for one that waiting does not heal. */
export function setUpError(error: unknown): unknown {
  if (error instanceof CmdchatError || isOwnFault(error)) return error;
  if (isAboutTls(error)) {
    return new ConfigError(`Cannot use NATS: ${reasonOf(error)}`, {
      cause: error,
      hint: "tls:// needs a nats-server with TLS, and --nats-ca if its certificate is your own",
    });
  }
  return new ConfigError(`Cannot use NATS: ${reasonOf(error)}`, {
    cause: error,
    hint: "JetStream must be on (nats-server -js) and allow 256 MB in memory",
  });
}

/** What NATS or the library said, as one line without credentials. */
export function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const [line = ""] = text.split("\n");
  return sanitizeLine(line.replaceAll(/\/\/[^@/\s]*@/g, "//")).toLowerCase().slice(0, REASON_MAX) ||
    "no answer";
}

/** Resolves after `ms`. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
