// The relay: who is connected, which rooms there are, and what all of them share.

import type { Logger } from "@logtape/logtape";
import { timingSafeEqual } from "node:crypto";
import type { ServerIdentity } from "../shared/crypto/identity.ts";
import { LimitError } from "../shared/errors.ts";
import {
  HEARTBEAT_INTERVAL_S,
  HEARTBEAT_SWEEP_MS,
  HEARTBEAT_TIMEOUT_MS,
  STOP_DRAIN_MS,
} from "../shared/limits.ts";
import { ServerHandshake } from "../shared/handshake.ts";
import type { ServerConfig } from "./config.ts";
import { HeldSessions } from "./held_sessions.ts";
import { type Gauges, Metrics } from "./metrics.ts";
import type { Census } from "./metrics_page.ts";
import type { Member } from "./member.ts";
import type { OutboxBudget } from "./outbox.ts";
import type { PortEvents } from "./port.ts";
import { Room } from "./room.ts";
import { tokenDigest } from "./tokens.ts";

// A room remembers longer than a session is held: who comes back in the last second must find all of it.
const MEMORY_HOLDS = 2;

/** What all connections of one server share. */
export class Relay {
  readonly config: ServerConfig;
  readonly log: Logger;
  readonly metrics = new Metrics();
  readonly budget: OutboxBudget = { queuedBytes: 0 };
  readonly handshakes: ServerHandshake;
  readonly held: HeldSessions;
  readonly #members = new Map<number, Member>();
  readonly #rooms = new Map<string, Room>();
  readonly #perAddress = new Map<string, number>();
  #tokenDigests: readonly Uint8Array[];
  #connections = 0;
  #nextId = 1;
  #stopping = false;

  constructor(
    config: ServerConfig,
    options: { readonly log: Logger; readonly identity: ServerIdentity },
  ) {
    this.config = config;
    this.log = options.log;
    this.#tokenDigests = config.tokenDigests;
    this.handshakes = new ServerHandshake(options.identity);
    this.held = new HeldSessions(this);
  }

  /** Whether clients reach it over TLS. */
  get tls(): boolean {
    return this.config.certfile !== undefined;
  }

  /** True once `stop` was called. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Numbers for the metrics line. */
  get gauges(): Gauges {
    return {
      connections: this.#connections,
      members: this.#members.size,
      held: this.held.size,
      rooms: this.#rooms.size,
      outboxBytes: this.budget.queuedBytes,
    };
  }

  /** Who is here, by kind; looks at each member, so for those who ask and not for every message. */
  get census(): Census {
    const members = { v1: 0, v2: 0, away: 0 };
    for (const { port, old } of this.#members.values()) {
      members[port === undefined ? "away" : old ? "v1" : "v2"]++;
    }
    return { members, rooms: { open: this.#rooms.size } };
  }

  /** Lets in, from now on, whoever has one of these tokens, or everyone where there is none. */
  useTokens(digests: readonly Uint8Array[]): void {
    this.#tokenDigests = digests;
  }

  /** Counts a connection in, or returns undefined where a cap is reached. */
  admit(address: string): { readonly release: () => void } | undefined {
    const here = this.#perAddress.get(address) ?? 0;
    const { "max-connections": most, "max-per-address": perAddress } = this.config;
    if (this.#stopping || this.#connections >= most || here >= (perAddress ?? Infinity)) {
      this.metrics.counters.connectionsRefused++;
      return undefined;
    }
    this.metrics.counters.connectionsAccepted++;
    this.#connections++;
    this.#perAddress.set(address, here + 1);
    return { release: () => this.#release(address) };
  }

  /** Whether `token` is one of the server's; all are compared, each in constant time. */
  isAuthorized(token: string | null | undefined): boolean {
    const tokenDigests = this.#tokenDigests;
    if (tokenDigests.length === 0) return true;
    const digest = tokenDigest(token ?? "");
    let found = false;
    for (const known of tokenDigests) found = timingSafeEqual(known, digest) || found;
    return found;
  }

  /** What the port of `member` reports. */
  portEvents(member: { readonly id: number }): PortEvents {
    const { counters, delivery } = this.metrics;
    return {
      budget: this.budget,
      onWritten: (bytes, ms) => {
        counters.bytesOut += bytes;
        delivery.observe(ms / 1_000);
      },
      onSlow: () => {
        counters.slowClosed++;
        this.log.warning("client does not read fast enough, closed", { client: member.id });
      },
    };
  }

  /** A number for a new client, never used again. */
  takeId(): number {
    return this.#nextId++;
  }

  /** The room called `name`, made where it is not there. Throws LimitError at the cap. */
  room(name: string): Room {
    const room = this.#rooms.get(name);
    if (room !== undefined) return room;
    const most = this.config["max-rooms"];
    if (this.#rooms.size >= most) {
      throw new LimitError(`Cannot open another room: at most ${most} are allowed`);
    }
    const made = new Room(name, this.config.hold * 1_000 * MEMORY_HOLDS);
    this.#rooms.set(name, made);
    return made;
  }

  /** Forgets `room` when nobody is in it. */
  tidy(room: Room): void {
    if (room.size === 0) this.#rooms.delete(room.name);
  }

  /** Takes a member in once its handshake is done. */
  enter(member: Member): void {
    this.#members.set(member.id, member);
  }

  /** Lets a member go for good: it leaves its room. */
  exit(member: Member): void {
    this.#members.delete(member.id);
    this.held.forget(member);
    member.leave();
  }

  /** Pings, dead peers and metrics lines until `signal` aborts. */
  run(signal: AbortSignal): void {
    this.metrics.watchLag(signal);
    const timers = [setInterval(() => this.#sweep(performance.now()), HEARTBEAT_SWEEP_MS)];
    const every = this.config["metrics-interval"];
    if (every > 0) {
      timers.push(setInterval(() => this.log.info(this.metrics.line(this.gauges)), every * 1_000));
    }
    signal.addEventListener("abort", () => timers.forEach((timer) => clearInterval(timer)), {
      once: true,
    });
  }

  /** Tells everyone, lets outboxes drain for STOP_DRAIN_MS at most, and closes all. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const closing = { why: "The server is stopping.", retry: true };
    const told = Array.from(this.#members.values(), (member) => member.dismiss(closing));
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, STOP_DRAIN_MS);
    await Promise.race([Promise.allSettled(told), late.promise]);
    clearTimeout(timer);
    for (const member of this.#members.values()) member.close();
  }

  #release(address: string): void {
    this.#connections--;
    const here = (this.#perAddress.get(address) ?? 1) - 1;
    if (here === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, here);
  }

  #sweep(now: number): void {
    this.held.sweep(now);
    for (const member of this.#members.values()) {
      if (member.port === undefined) continue;
      if (now - member.heardAt > HEARTBEAT_TIMEOUT_MS) {
        this.metrics.counters.silentClosed++;
        this.log.info("client is silent, closed", { client: member.id });
        member.close();
      } else if (now - member.pingedAt >= HEARTBEAT_INTERVAL_S * 1_000) {
        member.ping(now);
      }
    }
  }
}
