// The connection to NATS, for as long as the server runs: waited for at the start, watched, probed, and replaced where
// the library gives it up. Only this room knows the library.

import { jetstream, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import { JetStreamApiError, jetstreamManager } from "@nats-io/jetstream";
import {
  AuthorizationError,
  connect,
  type NatsConnection,
  PermissionViolationError,
  type Status,
  type Subscription,
} from "@nats-io/transport-node";
import { CmdchatError, ConfigError } from "../../shared/base/errors.ts";
import { quote, sanitizeLine } from "../../shared/base/sanitize.ts";
import type { Running, Subject } from "./backplane.ts";
import { connectionOptions, type NatsOptions } from "./nats_options.ts";
import { findStream, type LogStream, measured } from "./nats_stream.ts";

/** How long NATS has for one answer, ms. */
export const REQUEST_MS = 2_000;
const RETRY_MS = 1_000;
const PROBE_MS = 2_000;
// One late answer is the election of a leader, or a machine under load.
const PROBES_FAILED = 2;
// A NATS cluster that has just started elects its leader first.
const SET_UP_MS = 10_000;
const STREAM_NOT_FOUND = 10_059;
// Bodies of sealed rooms have 256 KiB; entries of open rooms as much, beside the room's state.
const PAYLOAD_MIN_BYTES = 512 * 1_024;
const REASON_MAX = 200;

/** Why an operation was refused, as it is counted and logged. */
export type NatsRefusal = "authorization" | "permission" | "too_large" | "full";

/** What happens to the connection. */
export interface NatsEvents {
  /** NATS can be used, or not any more and why. Told of changes only. */
  onState(isUp: boolean, reason: string): void;
  /** Messages may have been lost: the connection is another, or was away. */
  onReconnected(): void;
  /** The stream is another one. */
  onNewStream(): void;
  /** NATS refused something. */
  onRefused(kind: NatsRefusal, reason: string): void;
  /** NATS is waited for at the start; told at each attempt. */
  onWaiting(reason: string): void;
}

/** The library's objects over one connection. */
interface Live {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly client: JetStreamClient;
}

interface Subscribed {
  readonly subject: Subject;
  readonly onBody: (body: Uint8Array) => void;
  subscription: Subscription | undefined;
}

/** NATS, as long as the server runs. */
export class NatsClient {
  readonly #options: NatsOptions;
  readonly #events: NatsEvents;
  readonly #subscribed = new Set<Subscribed>();
  readonly #timer: ReturnType<typeof setInterval>;
  #live: Live;
  #stream: LogStream;
  #isConnected = true;
  #probesFailed = 0;
  #isProbing = false;
  #isUp = true;
  #reason = "";
  #replacing: Promise<void> | undefined;
  #mending: Promise<void> | undefined;
  #isClosed = false;
  /** Connections since the first one. */
  reconnects = 0;

  private constructor(
    { live, stream }: { readonly live: Live; readonly stream: LogStream },
    options: NatsOptions,
    events: NatsEvents,
  ) {
    this.#live = live;
    this.#stream = stream;
    this.#options = options;
    this.#events = events;
    void this.#watch(live);
    this.#timer = setInterval(() => void this.measure(), PROBE_MS);
  }

  /**
   * Connects, and finds or makes the stream. Waits while NATS is not there or refuses the login; throws ConfigError
   * for what waiting does not change.
   */
  static async open(options: NatsOptions, events: NatsEvents): Promise<NatsClient> {
    connectionOptions(options);
    globalThis.addEventListener("error", keepReset);
    for (;;) {
      try {
        return new NatsClient(await connectOnce(options), options, events);
      } catch (error) {
        if (!isPassing(error)) throw setUpError(error);
        events.onWaiting(reasonOf(error));
        await pause(RETRY_MS);
      }
    }
  }

  /** Whether NATS answers, as far as is known. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** The stream of the logs. */
  get stream(): LogStream {
    return this.#stream;
  }

  /** Streams and their messages. */
  get manager(): JetStreamManager {
    return this.#live.manager;
  }

  /** Publishing into the stream. */
  get client(): JetStreamClient {
    return this.#live.client;
  }

  /** Most bytes of one message. */
  get maxPayload(): number {
    return this.#live.connection.info?.max_payload ?? PAYLOAD_MIN_BYTES;
  }

  /** Sends a message that nobody stores; false if NATS does not take it. */
  publish(subject: Subject, body: Uint8Array): boolean {
    const { connection } = this.#live;
    if (connection.isClosed()) return false;
    if (body.length > this.maxPayload) {
      this.#events.onRefused("too_large", `a message of ${body.length} bytes`);
      return false;
    }
    connection.publish(subject, body);
    return true;
  }

  /** Receives messages, over this connection and every later one. */
  subscribe(subject: Subject, onBody: (body: Uint8Array) => void): Running {
    const subscribed: Subscribed = { subject, onBody, subscription: undefined };
    this.#subscribed.add(subscribed);
    this.#open(subscribed);
    return {
      close: () => {
        this.#subscribed.delete(subscribed);
        subscribed.subscription?.unsubscribe();
      },
    };
  }

  /** Finds the stream that there is by now, after an operation failed. */
  mend(): Promise<void> {
    return this.#mending ??= this.#findStream().finally(() => this.#mending = undefined);
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#live.connection.close();
  }

  #open(subscribed: Subscribed): void {
    const { connection } = this.#live;
    if (connection.isClosed()) return;
    subscribed.subscription = connection.subscribe(subscribed.subject, {
      callback: (error, message) => {
        if (error === null) subscribed.onBody(message.data);
        // The library has dropped the subscription: without a new one this server is deaf.
        else if (this.#subscribed.has(subscribed)) void this.#replace(reasonOf(error));
      },
    });
  }

  async #watch(live: Live): Promise<void> {
    for await (const status of live.connection.status()) this.#take(status);
    if (live === this.#live) await this.#replace("the connection was closed");
  }

  #take(status: Status): void {
    switch (status.type) {
      case "error":
        return this.#takeError(status.error);
      case "disconnect":
        this.#isConnected = false;
        return this.#judge(this.#reason || "no connection");
      case "reconnect":
        if (this.#isConnected) return;
        this.#isConnected = true;
        this.#probesFailed = 0;
        this.reconnects++;
        return void this.mend().then(() => {
          this.#judge("");
          this.#events.onReconnected();
        });
    }
  }

  #takeError(error: Error): void {
    const reason = reasonOf(error);
    if (error instanceof PermissionViolationError) {
      this.#events.onRefused("permission", reason);
    } else if (error instanceof AuthorizationError || /authenti|authoriz/i.test(reason)) {
      this.#events.onRefused("authorization", reason);
      this.#isConnected = false;
      this.#judge(reason);
    }
  }

  /** Tells whether NATS can be used, where that changed. */
  #judge(reason: string): void {
    const isUp = this.#isConnected && this.#probesFailed < PROBES_FAILED;
    this.#reason = isUp ? "" : reason;
    if (isUp === this.#isUp || this.#isClosed) return;
    this.#isUp = isUp;
    this.#events.onState(isUp, reason);
  }

  /** Looks how full the stream is, and whether NATS answers. */
  async measure(): Promise<void> {
    if (!this.#isConnected || this.#isProbing || this.#isClosed) return;
    this.#isProbing = true;
    const { manager } = this.#live;
    const { name } = this.#stream;
    try {
      const info = await manager.streams.info(name);
      if (name === this.#stream.name) this.#stream = measured(info);
      this.#probesFailed = 0;
      this.#judge("");
    } catch (error) {
      if (this.#isClosed) return;
      this.#probesFailed++;
      this.#judge(`JetStream: ${reasonOf(error)}`);
      if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) await this.mend();
    } finally {
      this.#isProbing = false;
    }
  }

  // NATS servers that were all restarted have lost what they held in memory, the stream itself as well.
  async #findStream(): Promise<void> {
    if (this.#isClosed) return;
    try {
      const found = await findStream(this.#live.manager, this.#options);
      const isOther = found.name !== this.#stream.name;
      this.#stream = found;
      if (isOther) this.#events.onNewStream();
    } catch (error) {
      // A stream that cannot be used is as bad as none; all else is for the next attempt.
      if (!(error instanceof ConfigError)) return;
      this.#probesFailed = PROBES_FAILED;
      this.#judge(error.message);
    }
  }

  /** Opens another connection, and with it all subscriptions. */
  #replace(reason: string): Promise<void> {
    return this.#replacing ??= this.#connectAgain(reason).finally(() =>
      this.#replacing = undefined
    );
  }

  async #connectAgain(reason: string): Promise<void> {
    const before = this.#live;
    this.#isConnected = false;
    this.#judge(reason);
    await pause(RETRY_MS);
    while (!this.#isClosed) {
      try {
        const { live, stream } = await connectOnce(this.#options);
        this.#live = live;
        await before.connection.close();
        this.#adopt(live, stream);
        return;
      } catch (error) {
        this.#judge(reasonOf(error));
        await pause(RETRY_MS);
      }
    }
  }

  #adopt(live: Live, stream: LogStream): void {
    const isOther = stream.name !== this.#stream.name;
    this.#stream = stream;
    this.#isConnected = true;
    this.#probesFailed = 0;
    this.reconnects++;
    void this.#watch(live);
    for (const subscribed of this.#subscribed) this.#open(subscribed);
    if (isOther) this.#events.onNewStream();
    this.#judge("");
    this.#events.onReconnected();
  }
}

async function connectOnce(
  options: NatsOptions,
): Promise<{ readonly live: Live; readonly stream: LogStream }> {
  const connection = await connect(connectionOptions(options));
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
async function useAllRights({ connection, manager, client }: Live, stream: LogStream) {
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
      await pause(RETRY_MS / 4);
    }
  }
}

/** Whether waiting may help: NATS is not there, or refuses a login that somebody may be changing. */
function isPassing(error: unknown): boolean {
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

function setUpError(error: unknown): unknown {
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

// The library lets go of a socket whose connection was refused before its last error has come.
function keepReset(event: ErrorEvent): void {
  if (/\bE(?:CONNRESET|PIPE)\b/.test(String(event.error))) event.preventDefault();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
