// The connection to NATS, for as long as the server runs: waited for at the start, watched, probed, and replaced where
// the library gives it up. Only this room knows the library.

import { JetStreamApiError, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import {
  AuthorizationError,
  PermissionViolationError,
  type Status,
  type Subscription,
} from "@nats-io/transport-node";
import { ConfigError } from "../../shared/base/errors.ts";
import type { BackplaneStatus, Running, Subject } from "../cluster/backplane.ts";
import { connectionOptions, type NatsOptions } from "./nats_options.ts";
import {
  connectNats,
  isPassing,
  type LiveNats,
  pause,
  PAYLOAD_MIN_BYTES,
  reasonOf,
  setUpError,
} from "./nats_set_up.ts";
import { findStream, type LogStream, measured } from "./nats_stream.ts";

const RETRY_MS = 1_000;
const PROBE_MS = 2_000;
// One late answer is the election of a leader, or a machine under load.
const PROBES_FAILED = 2;
// Longer than an election takes (4 to 9 s): a node that is cut off from the others, or that has lost their interest by
// a reload of its configuration, keeps its clients and answers nothing.
const ELSEWHERE_MS = 15_000;
// Between two renewals: first this, then twice as long each time.
const RENEW_MS = { least: 5_000, most: 300_000 } as const;
const STREAM_NOT_FOUND = 10_059;

/** Why an operation was refused, as it is counted and logged. */
export type NatsRefusal = "authorization" | "permission" | "too_large" | "full";

/** What happens to the connection. */
export interface NatsEvents {
  /** NATS can be used, or not any more and why. Told of changes only. */
  onState(isUp: boolean, reason: string): void;
  /** NATS still cannot be used, for another reason than before. */
  onTrouble(reason: string): void;
  /** Messages may have been lost: the connection is another, or was away. */
  onReconnected(): void;
  /** The stream is another one. */
  onNewStream(): void;
  /** NATS refused something. */
  onRefused(kind: NatsRefusal, reason: string): void;
  /** NATS is waited for at the start; told at each attempt. */
  onWaiting(reason: string): void;
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
  #live: LiveNats;
  #stream: LogStream;
  #isConnected = true;
  #probesFailed = 0;
  #isProbing = false;
  /** When JetStream answered last, or the connection was made; monotonic ms. */
  #answeredAt = performance.now();
  #isUp = true;
  #reason = "";
  #replacing: Promise<void> | undefined;
  #mending: Promise<void> | undefined;
  /** The next renewal is not before `at`; `asked`: when one was asked for last. Monotonic ms. */
  #renewal = { asked: -Infinity, at: -Infinity, pause: 0 };
  #isRenewing = false;
  #isClosed = false;
  readonly #refused: Record<NatsRefusal, number> = {
    authorization: 0,
    permission: 0,
    too_large: 0,
    full: 0,
  };
  /** Connections since the first one. */
  reconnects = 0;

  private constructor(
    { live, stream }: { readonly live: LiveNats; readonly stream: LogStream },
    options: NatsOptions,
    events: NatsEvents,
  ) {
    this.#live = live;
    this.#stream = stream;
    this.#options = options;
    this.#events = events;
    void this.#watch(live);
    this.#timer = setInterval(() => {
      this.#goElsewhere();
      void this.measure();
    }, PROBE_MS);
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
        return new NatsClient(await connectNats(options), options, events);
      } catch (error) {
        if (!isPassing(error)) throw setUpError(error);
        events.onWaiting(reasonOf(error));
        await pause(RETRY_MS);
      }
    }
  }

  /** Whether NATS answers, and what was refused. */
  get status(): BackplaneStatus {
    const { reconnects } = this;
    return { isUp: this.#isUp, reason: this.#reason, reconnects, refused: this.#refused };
  }

  /** Counts and reports an operation that NATS refused. */
  refuse(kind: NatsRefusal, reason: string): void {
    this.#refused[kind]++;
    this.#events.onRefused(kind, reason);
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
      this.refuse("too_large", `a message of ${body.length} bytes`);
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

  /**
   * Goes over to another connection, at another node where there is one. To be called for as long as expected messages
   * do not come: when a node of nats-server 2.9 reloads its configuration, it can forget the subscriptions of other
   * nodes' clients, those for answers to their requests too. A new connection subscribes again.
   */
  renew(): void {
    const now = performance.now();
    const isAgain = now - this.#renewal.asked < RENEW_MS.least;
    const { at, pause } = isAgain ? this.#renewal : { at: now, pause: RENEW_MS.least };
    this.#renewal = { asked: now, at, pause };
    if (!this.#isConnected || this.#isBusy || this.#isRenewing || now < at) return;
    this.#renewal = { asked: now, at: now + pause, pause: Math.min(2 * pause, RENEW_MS.most) };
    this.#isRenewing = true;
    void this.#goOver().finally(() => this.#isRenewing = false);
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

  async #watch(live: LiveNats): Promise<void> {
    for await (const status of live.connection.status()) {
      // A connection that is being replaced has nothing to say any more.
      if (live === this.#live && this.#replacing === undefined) this.#take(status);
    }
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
        this.#answeredAt = performance.now();
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
      this.refuse("permission", reason);
    } else if (error instanceof AuthorizationError || /authenti|authoriz/i.test(reason)) {
      this.refuse("authorization", reason);
      this.#isConnected = false;
      this.#judge(reason);
    }
  }

  /** Tells whether NATS can be used, where that changed. */
  #judge(reason: string): void {
    const isUp = this.#isConnected && this.#probesFailed < PROBES_FAILED;
    const isOther = reason !== "" && reason !== this.#reason;
    this.#reason = isUp ? "" : reason || this.#reason;
    if (this.#isClosed) return;
    if (isUp === this.#isUp) {
      if (!isUp && isOther) this.#events.onTrouble(reason);
      return;
    }
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
      this.#answeredAt = performance.now();
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

  /** Leaves a node that takes connections and has not answered for long, for another one. */
  #goElsewhere(): void {
    // Not asked is not unanswered: this process may have been stopped itself.
    if (!this.#isConnected || this.#isClosed || this.#probesFailed < PROBES_FAILED) return;
    if (performance.now() - this.#answeredAt < ELSEWHERE_MS) return;
    void this.#replace("JetStream does not answer", this.#live.connection.getServer());
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
  #replace(reason: string, avoided?: string): Promise<void> {
    return this.#replacing ??= this.#connectAgain(reason, avoided).finally(() =>
      this.#replacing = undefined
    );
  }

  async #connectAgain(reason: string, avoided: string | undefined): Promise<void> {
    const before = this.#live;
    let last = avoided;
    this.#isConnected = false;
    this.#judge(reason);
    await pause(RETRY_MS);
    while (!this.#isClosed) {
      try {
        // A server that takes the connection and then does not answer is tried last next time.
        const tried = (server: string) => void (last = server);
        const { live, stream } = await connectNats(this.#options, last, tried);
        if (this.#isClosed) return await live.connection.close();
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

  /** Whether the connection is closed, or being replaced because it is of no use any more. */
  get #isBusy(): boolean {
    return this.#isClosed || this.#replacing !== undefined;
  }

  /** As #connectAgain(), but once, and while the present connection goes on and is watched: nobody notices. */
  async #goOver(): Promise<void> {
    const before = this.#live;
    try {
      const { live, stream } = await connectNats(this.#options, before.connection.getServer());
      // The one that there was has come to its end meanwhile.
      if (this.#isBusy || this.#live !== before) return await live.connection.close();
      this.#live = live;
      this.#adopt(live, stream);
    } catch {
      // The one that there is stays; where it does not work either, that is seen by itself.
      return;
    }
    // What was said over it just before leaves first. A node that does not answer is not waited for.
    await Promise.race([before.connection.flush().catch(() => {}), pause(RETRY_MS)]);
    await before.connection.close();
  }

  #adopt(live: LiveNats, stream: LogStream): void {
    const isOther = stream.name !== this.#stream.name;
    this.#stream = stream;
    this.#isConnected = true;
    this.#probesFailed = 0;
    this.#isProbing = false;
    this.#answeredAt = performance.now();
    this.reconnects++;
    void this.#watch(live);
    for (const subscribed of this.#subscribed) {
      subscribed.subscription?.unsubscribe();
      this.#open(subscribed);
    }
    if (isOther) this.#events.onNewStream();
    this.#judge("");
    this.#events.onReconnected();
  }
}

// The library lets go of a socket whose connection was refused before its last error has come.
function keepReset(event: ErrorEvent): void {
  if (/\bE(?:CONNRESET|PIPE)\b/.test(String(event.error))) event.preventDefault();
}
