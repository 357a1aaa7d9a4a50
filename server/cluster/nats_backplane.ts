// The backplane over NATS JetStream: a stream in the servers' memory, one subject a log. The only file that knows NATS.
//
// A publish that the stream refuses still reaches plain subscribers, so logs are read from the stream only.

import {
  DiscardPolicy,
  jetstream,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  type MsgRequest,
  StorageType,
  type StoredMsg,
} from "@nats-io/jetstream";
import {
  type Authenticator,
  connect,
  type NatsConnection,
  nkeyAuthenticator,
  type NodeConnectionOptions,
  type Subscription,
} from "@nats-io/transport-node";
import { ConfigError } from "../../shared/base/errors.ts";
import {
  type Backplane,
  ClusterLost,
  type LogSink,
  type Running,
  type Subject,
} from "./backplane.ts";

// A stream that was lost and made again must not be taken for the old one, whose places it repeats: each has a
// name of its own, which every append expects. NATS lets only one stream have the subjects.
const STREAM_PREFIX = "CMDCHAT_";
const LOGS = ["cmdchat.room.*", "cmdchat.sealed.*", "cmdchat.session.*"];
const SUBJECTS_OVERLAP = 10_065;
const WRONG_LAST_SEQUENCE = 10_071;
/** Entries that a log keeps: a room's memory for those who come back is at most as long. */
const LOG_ENTRIES = 512;
const STREAM_MAX_BYTES = 256 * 1_024 * 1_024;
const REQUEST_MS = 2_000;
const PAUSE_MS = 250;
const SET_UP_MS = 10_000;
const LOOK_MS = 2_000;
const NANOS_PER_MS = 1_000_000;

/** How to reach NATS. */
export interface NatsOptions {
  /** One or more addresses, separated by commas. */
  readonly servers: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
  /** Seed of an nkey, which begins with SU. */
  readonly nkey: string | undefined;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
  /** Copies of each log in a NATS cluster, 1 to 5. */
  readonly replicas: number;
  /** Told when the connection is lost and when it is back. */
  readonly onState: (up: boolean) => void;
}

/** Connects, and makes the stream where it is not there. Throws ConfigError where that cannot be. */
export async function openNats(options: NatsOptions): Promise<Backplane> {
  let connection: NatsConnection;
  globalThis.addEventListener("error", keepReset);
  try {
    connection = await connect(connectionOptions(options));
  } catch (cause) {
    throw new ConfigError(`Cannot reach NATS: ${reasonOf(cause)}`, {
      cause,
      hint: "is nats-server running there, with JetStream (-js), and do the credentials fit?",
    });
  } finally {
    setTimeout(() => globalThis.removeEventListener("error", keepReset), REQUEST_MS);
  }
  try {
    const { manager, stream } = await patiently(() => setUp(connection, options.replicas));
    return new NatsBackplane({ connection, manager, stream, options });
  } catch (cause) {
    await connection.close();
    throw new ConfigError(`Cannot use NATS: ${reasonOf(cause)}`, {
      cause,
      hint: "JetStream must be on (nats-server -js) and allow 256 MB in memory",
    });
  }
}

async function setUp(
  connection: NatsConnection,
  replicas: number,
): Promise<Pick<Parts, "manager" | "stream">> {
  const manager = await jetstreamManager(connection, { timeout: REQUEST_MS });
  return { manager, stream: await findStream(manager, replicas) };
}

// A NATS cluster that has just started elects its leader first.
async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + SET_UP_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

// The library lets go of a socket whose connection was refused before its last error has come.
function keepReset(event: ErrorEvent): void {
  if (/\bE(?:CONNRESET|PIPE)\b/.test(String(event.error))) event.preventDefault();
}

function connectionOptions(options: NatsOptions): NodeConnectionOptions {
  const { servers, user, password: pass, token, nkey, tls } = options;
  const authenticator: Authenticator | undefined = nkey === undefined
    ? undefined
    : nkeyAuthenticator(new TextEncoder().encode(nkey));
  return {
    servers: servers.split(",").map((server) => server.trim()),
    name: "cmdchat-server",
    maxReconnectAttempts: -1,
    reconnectTimeWait: PAUSE_MS,
    pingInterval: 2_000,
    maxPingOut: 2,
    timeout: 5_000,
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(token === undefined ? {} : { token }),
    ...(authenticator === undefined ? {} : { authenticator }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** The name of the stream that has the logs' subjects; made where there is none. */
async function findStream(manager: JetStreamManager, replicas: number): Promise<string> {
  for await (const { config } of manager.streams.list(LOGS[0])) return config.name;
  const name = STREAM_PREFIX + crypto.randomUUID().replaceAll("-", "");
  try {
    await manager.streams.add({
      name,
      subjects: LOGS,
      num_replicas: replicas,
      storage: StorageType.Memory,
      discard: DiscardPolicy.Old,
      max_msgs_per_subject: LOG_ENTRIES,
      max_bytes: STREAM_MAX_BYTES,
      // Compare-and-set tells repeats; the window of message ids is not used.
      duplicate_window: 1_000 * NANOS_PER_MS,
    });
    return name;
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== SUBJECTS_OVERLAP) throw error;
    return await findStream(manager, replicas); // Another server was first.
  }
}

function reasonOf(cause: unknown): string {
  // Of NATS's own words only the first line, and no address with credentials in it.
  const text = cause instanceof Error ? cause.message : String(cause);
  return (text.split("\n")[0] ?? "").replaceAll(/\/\/[^@/\s]*@/g, "//").toLowerCase();
}

interface Parts {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly stream: string;
  readonly options: NatsOptions;
}

class NatsBackplane implements Backplane {
  readonly #parts: Parts;
  readonly #client: JetStreamClient;
  readonly #followers = new Set<Follower>();
  #stream: string;
  #mending: Promise<void> | undefined;
  readonly #timer: ReturnType<typeof setInterval>;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#stream = parts.stream;
    this.#client = jetstream(parts.connection, { timeout: REQUEST_MS });
    void this.#watch();
    this.#timer = setInterval(() => {
      for (const follower of this.#followers) follower.lookSometimes(performance.now());
    }, LOOK_MS / 4);
  }

  async append(subject: Subject, body: Uint8Array, last: number): Promise<number | undefined> {
    try {
      const expect = { lastSubjectSequence: last, streamName: this.#stream };
      const options = { expect, timeout: REQUEST_MS };
      return (await this.#client.publish(subject, body, options)).seq;
    } catch (cause) {
      if (cause instanceof JetStreamApiError && cause.code === WRONG_LAST_SEQUENCE) {
        return undefined;
      }
      await this.#mend();
      throw lost(cause);
    }
  }

  async last(subject: Subject): Promise<number> {
    try {
      const query = { last_by_subj: subject };
      return (await readMessage(this.#parts.manager, this.#stream, query))?.seq ?? 0;
    } catch (cause) {
      await this.#mend();
      throw lost(cause);
    }
  }

  follow(subject: Subject, sink: LogSink): Running {
    const follower = new Follower(this.#parts, {
      subject,
      sink,
      stream: () => this.#stream,
      mend: () => this.#mend(),
    });
    this.#followers.add(follower);
    follower.look();
    return {
      close: () => {
        this.#followers.delete(follower);
        follower.close();
      },
    };
  }

  async trim(subject: Subject, upTo: number): Promise<void> {
    try {
      await this.#parts.manager.streams.purge(this.#stream, { filter: subject, seq: upTo + 1 });
    } catch (cause) {
      throw lost(cause);
    }
  }

  publish(subject: Subject, body: Uint8Array): void {
    if (!this.#parts.connection.isClosed()) this.#parts.connection.publish(subject, body);
  }

  subscribe(subject: Subject, onBody: (body: Uint8Array) => void): Running {
    const subscription = this.#parts.connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) onBody(message.data);
      },
    });
    return { close: () => subscription.unsubscribe() };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const follower of this.#followers) follower.close();
    await this.#parts.connection.close();
  }

  // NATS servers that were all restarted have lost what they held in memory, the stream itself as well.
  #mend(): Promise<void> {
    return this.#mending ??= this.#findStream().finally(() => this.#mending = undefined);
  }

  async #findStream(): Promise<void> {
    if (this.#closed) return;
    const { manager, options } = this.#parts;
    const found = await findStream(manager, options.replicas).catch(() => this.#stream);
    if (found === this.#stream) return;
    this.#stream = found;
    for (const follower of this.#followers) follower.reset();
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#parts.connection.status()) {
      if (type !== "disconnect" && type !== "reconnect") continue;
      this.#parts.options.onState(type === "reconnect");
      if (type === "reconnect") { for (const follower of this.#followers) follower.look(); }
    }
  }
}

interface FollowerOptions {
  readonly subject: Subject;
  readonly sink: LogSink;
  readonly stream: () => string;
  /** Finds the stream that there is by now, and resets followers where it is another. */
  readonly mend: () => Promise<void>;
}

/**
 * Reads a log message by message. What reaches plain subscribers is only the sign to look: the stream may have
 * refused it. No consumer stands in between: those of NATS are lost with their node, and their ordered form was
 * seen to wait for ever after that.
 */
class Follower {
  readonly #parts: Parts;
  readonly #options: FollowerOptions;
  readonly #wake: Subscription;
  #next = 1;
  #woken = true;
  #reading = false;
  #looked = 0;
  #closed = false;

  constructor(parts: Parts, options: FollowerOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#wake = parts.connection.subscribe(options.subject, { callback: () => this.look() });
  }

  /** Reads what there is to be read. */
  look(): void {
    this.#woken = true;
    if (!this.#reading) void this.#read();
  }

  /** Looks again where nothing was a sign for a while: signs get lost with connections. */
  lookSometimes(now: number): void {
    if (now - this.#looked >= LOOK_MS) this.look();
  }

  /** The stream is another: its places begin anew. */
  reset(): void {
    this.#next = 1;
    this.#options.sink.reset();
    this.look();
  }

  close(): void {
    this.#closed = true;
    this.#wake.unsubscribe();
  }

  async #read(): Promise<void> {
    this.#reading = true;
    while (this.#woken && !this.#closed) {
      this.#woken = false;
      this.#looked = performance.now();
      try {
        while (await this.#readOne());
      } catch {
        // The stream, its leader or the connection is not there now: lookSometimes() comes back to it. Who only
        // listens has nothing else that tells of another stream.
        await this.#options.mend();
      }
    }
    this.#reading = false;
  }

  async #readOne(): Promise<boolean> {
    const { subject, sink, stream } = this.#options;
    const name = stream();
    const query = { seq: this.#next, next_by_subj: subject };
    const message = await readMessage(this.#parts.manager, name, query);
    if (message === undefined || this.#closed) return false;
    if (stream() !== name) return true;
    this.#next = message.seq + 1;
    sink.entry(message.seq, message.data);
    return true;
  }
}

type Query = { readonly seq: number; readonly next_by_subj: Subject } | {
  readonly last_by_subj: Subject;
};

async function readMessage(
  manager: JetStreamManager,
  stream: string,
  query: Query,
): Promise<StoredMsg | undefined> {
  // The library's type lacks next_by_subj, which nats-server takes since 2.9.
  return await manager.streams.getMessage(stream, query as MsgRequest) ?? undefined;
}

function lost(cause: unknown): ClusterLost {
  return new ClusterLost("The other servers cannot be reached", { cause });
}
