// The backplane over NATS JetStream: a stream in the memory of the NATS servers, one subject a log.
//
// A publish that the stream refuses still reaches plain subscribers, so logs are read from the stream only.

import {
  JetStreamApiError,
  type JetStreamManager,
  type MsgRequest,
  type StoredMsg,
} from "@nats-io/jetstream";
import { PermissionViolationError } from "@nats-io/transport-node";
import {
  type Backplane,
  type BackplaneLimits,
  type BackplaneStatus,
  ClusterLost,
  EntryRefused,
  type Following,
  type LogSink,
  type Running,
  type Subject,
} from "../cluster/backplane.ts";
import { NatsClient, type NatsRefusal } from "./nats_connection.ts";
import { reasonOf, REQUEST_MS } from "./nats_set_up.ts";
import type { NatsOptions } from "./nats_options.ts";

const WRONG_LAST_SEQUENCE = 10_071;
// The stream is full, of bytes or of its account's memory.
const FULL: readonly number[] = [10_023, 10_028, 10_047, 10_077];
const LOOK_MS = 2_000;
// Subject, headers of the publish, and the seal around the entry.
const ENTRY_OVERHEAD_BYTES = 1_024;

/** What happens to the backplane; see `NatsEvents`. */
export interface BackplaneEvents {
  onState(isUp: boolean, reason: string): void;
  onTrouble(reason: string): void;
  onReconnected(): void;
  onRefused(kind: NatsRefusal, reason: string): void;
  onWaiting(reason: string): void;
}

/** Connects, and makes the stream if there is none; waits for NATS. Throws ConfigError for what waiting does not heal. */
export async function openNats(
  options: NatsOptions,
  events: BackplaneEvents,
): Promise<NatsBackplane> {
  const followers = new Set<Follower>();
  const nats = await NatsClient.open(options, {
    ...events,
    onReconnected() {
      for (const follower of followers) follower.look();
      events.onReconnected();
    },
    onNewStream() {
      for (const follower of followers) follower.reset();
    },
  });
  return new NatsBackplane(nats, followers);
}

/** Logs and messages over one NATS client. */
export class NatsBackplane implements Backplane {
  readonly #nats: NatsClient;
  readonly #followers: Set<Follower>;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(nats: NatsClient, followers: Set<Follower>) {
    this.#nats = nats;
    this.#followers = followers;
    this.#timer = setInterval(() => {
      for (const follower of this.#followers) follower.lookSometimes(performance.now());
    }, LOOK_MS / 4);
  }

  get status(): BackplaneStatus {
    return this.#nats.status;
  }

  get limits(): BackplaneLimits {
    return {
      entryBytes: this.#nats.maxPayload - ENTRY_OVERHEAD_BYTES,
      logBytes: this.#nats.stream.logBytes,
    };
  }

  async append(subject: Subject, body: Uint8Array, last: number): Promise<number | undefined> {
    if (body.length > this.limits.entryBytes) {
      throw this.#refused("too_large", `an entry of ${body.length} bytes`);
    }
    try {
      const expect = { lastSubjectSequence: last, streamName: this.#nats.stream.name };
      return (await this.#nats.client.publish(subject, body, { expect, timeout: REQUEST_MS })).seq;
    } catch (cause) {
      if (cause instanceof JetStreamApiError) {
        if (cause.code === WRONG_LAST_SEQUENCE) return undefined;
        if (FULL.includes(cause.code)) throw this.#refused("full", reasonOf(cause));
      }
      if (isForbidden(cause)) throw this.#refused("permission", reasonOf(cause));
      await this.#nats.mend();
      throw lost(cause);
    }
  }

  async last(subject: Subject): Promise<number> {
    try {
      const query = { last_by_subj: subject };
      return (await readMessage(this.#nats, query))?.seq ?? 0;
    } catch (cause) {
      await this.#nats.mend();
      throw lost(cause);
    }
  }

  async first(subject: Subject): Promise<number> {
    try {
      return (await readMessage(this.#nats, { seq: 1, next_by_subj: subject }))?.seq ?? 0;
    } catch (cause) {
      await this.#nats.mend();
      throw lost(cause);
    }
  }

  follow(subject: Subject, sink: LogSink): Following {
    const follower = new Follower(this.#nats, { subject, sink });
    this.#followers.add(follower);
    follower.look();
    return {
      restart: () => follower.reset(),
      close: () => {
        this.#followers.delete(follower);
        follower.close();
      },
    };
  }

  async trim(subject: Subject, upTo: number): Promise<void> {
    try {
      const { manager, stream } = this.#nats;
      await manager.streams.purge(stream.name, { filter: subject, seq: upTo + 1 });
    } catch (cause) {
      throw lost(cause);
    }
  }

  publish(subject: Subject, body: Uint8Array): void {
    this.#nats.publish(subject, body);
  }

  subscribe(subject: Subject, onBody: (body: Uint8Array) => void): Running {
    return this.#nats.subscribe(subject, onBody);
  }

  renew(): void {
    this.#nats.renew();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const follower of this.#followers) follower.close();
    await this.#nats.close();
  }

  #refused(kind: "too_large" | "full" | "permission", reason: string): EntryRefused {
    this.#nats.refuse(kind, reason);
    if (kind === "full") void this.#nats.measure();
    return new EntryRefused(kind === "permission" ? "forbidden" : kind);
  }
}

interface FollowerOptions {
  readonly subject: Subject;
  readonly sink: LogSink;
}

/**
 * Reads a log message by message. What reaches plain subscribers is only the sign to look: the stream may have refused
 * it. No consumer is used: those of NATS are lost with their node, and their ordered form was seen to wait forever
 * after that.
 */
class Follower {
  readonly #nats: NatsClient;
  readonly #options: FollowerOptions;
  readonly #wake: Running;
  #next = 1;
  /** How often it was reset: what was asked for before is not of the log that is read now. */
  #resets = 0;
  #woken = true;
  #isReading = false;
  #looked = 0;
  /** No sign is the reason for this look: the log may be gone. */
  #isDoubtful = false;
  #isClosed = false;

  constructor(nats: NatsClient, options: FollowerOptions) {
    this.#nats = nats;
    this.#options = options;
    this.#wake = nats.subscribe(options.subject, () => this.look());
  }

  /** Reads what there is to read. */
  look(): void {
    this.#woken = true;
    if (!this.#isReading) void this.#read();
  }

  /** Looks again where nothing was a sign for a while: signs get lost with connections. */
  lookSometimes(now: number): void {
    if (now - this.#looked < LOOK_MS) return;
    this.#isDoubtful = this.#next > 1;
    this.look();
  }

  /** The stream is another: its positions start over. */
  reset(): void {
    this.#next = 1;
    this.#resets++;
    this.#options.sink.reset();
    this.look();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake.close();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    while (this.#woken && !this.#isClosed) {
      this.#woken = false;
      this.#looked = performance.now();
      const isDoubtful = this.#isDoubtful;
      this.#isDoubtful = false;
      try {
        if (isDoubtful && await this.#isGone()) this.reset();
        while (await this.#readOne());
      } catch {
        // The stream, its leader or the connection is not there now: lookSometimes() comes back to it. A server that
        // only listens has nothing else that tells of another stream.
        await this.#nats.mend();
      }
    }
    this.#isReading = false;
  }

  /** Whether a log that had entries has none: somebody removed them by hand. */
  async #isGone(): Promise<boolean> {
    const resets = this.#resets;
    const last = await readMessage(this.#nats, { last_by_subj: this.#options.subject });
    return last === undefined && !this.#isClosed && this.#resets === resets;
  }

  async #readOne(): Promise<boolean> {
    const { subject, sink } = this.#options;
    const resets = this.#resets;
    const message = await readMessage(this.#nats, { seq: this.#next, next_by_subj: subject });
    if (this.#isClosed) return false;
    if (this.#resets !== resets) return true;
    if (message === undefined) return false;
    this.#next = message.seq + 1;
    sink.entry(message.seq, message.data);
    return true;
  }
}

type Query = { readonly seq: number; readonly next_by_subj: Subject } | {
  readonly last_by_subj: Subject;
};

async function readMessage(
  { manager, stream }: { readonly manager: JetStreamManager; readonly stream: { name: string } },
  query: Query,
): Promise<StoredMsg | undefined> {
  // The library's type lacks next_by_subj, which nats-server takes since 2.9.
  return await manager.streams.getMessage(stream.name, query as MsgRequest) ?? undefined;
}

function isForbidden(cause: unknown): boolean {
  return cause instanceof PermissionViolationError ||
    cause instanceof Error && cause.cause !== undefined && isForbidden(cause.cause);
}

function lost(cause: unknown): ClusterLost {
  return new ClusterLost("The other servers cannot be reached", { cause });
}
