// The relay: who is connected, which rooms there are, and what all of them share.

import type { Logger } from "@logtape/logtape";
import { timingSafeEqual } from "node:crypto";
import type { ServerIdentity } from "../../shared/crypto/identity.ts";
import { LimitError } from "../../shared/base/errors.ts";
import {
  HEARTBEAT_INTERVAL_S,
  HEARTBEAT_SWEEP_MS,
  HEARTBEAT_TIMEOUT_MS,
} from "../../shared/base/limits.ts";
import { STOP_DRAIN_MS } from "../config/limits.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { ServerHandshake } from "../../shared/channel/handshake.ts";
import { RoomBans } from "../limits/room_bans.ts";
import { MemoryBus } from "../room/memory_bus.ts";
import type { Bus } from "../room/bus.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { RelayClusterHost } from "../admin/cluster_host.ts";
import type { ServerConfig } from "../config/server_options.ts";
import type { RelaySnapshot } from "./hand_over_state.ts";
import type { RoomSnapshot } from "../room/room_snapshot.ts";
import { HeldSessions } from "../session/held_sessions.ts";
import { type Gauges, Metrics } from "../telemetry/metrics.ts";
import type { Census } from "../telemetry/prometheus_page.ts";
import type { OutboxBudget } from "../delivery/outbox.ts";
import { NetworkBans } from "../limits/network_bans.ts";
import { type ConnectionSlot, ConnectionSlots } from "../limits/connection_slots.ts";
import type { EventWriterEvents } from "../delivery/event_writer.ts";
import { Room, type RoomOptions } from "../room/room.ts";
import { RoomQuota, roomShare } from "../limits/room_quota.ts";
import { SYSTEM_CLOCK } from "../sealed/clock.ts";
import { SealedRooms } from "../sealed/sealed_rooms.ts";
import type { Session } from "../session/session.ts";
import { handOver, takeOver } from "./succession.ts";
import { tokenDigest } from "../config/access_tokens.ts";

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
  readonly addressBans = new RoomBans();
  /** Of the whole server; those of rooms' makers are `addressBans`. */
  readonly bans = new NetworkBans();
  readonly sealed: SealedRooms;
  /** What the ports of its sessions report to. */
  readonly portEvents: EventWriterEvents;
  /** The other servers; undefined where there are none. */
  readonly cluster: Cluster | undefined;
  readonly #sessions = new Map<number, Session>();
  readonly #rooms = new Map<string, Room>();
  readonly #bus: Bus;
  readonly #places: ConnectionSlots;
  readonly #shares: RoomQuota;
  #tokenDigests: readonly Uint8Array[];
  #issued = 0;
  #nextRoom = 1;
  /** Whether no new clients are taken, and who is here stays. */
  draining = false;
  #stopping = false;
  #handingOver = false;

  constructor(
    config: ServerConfig,
    options: {
      readonly log: Logger;
      readonly identity: ServerIdentity;
      readonly cluster?: Cluster | undefined;
    },
  ) {
    this.config = config;
    this.cluster = options.cluster;
    const { "max-connections": most, "max-per-address": perSource } = config;
    this.#places = new ConnectionSlots({ most, perSource });
    this.#shares = new RoomQuota(roomShare(config));
    this.#bus = options.cluster?.bus ?? new MemoryBus();
    this.log = options.log;
    this.#tokenDigests = config.tokenDigests;
    this.portEvents = portEvents(this);
    this.handshakes = new ServerHandshake(options.identity);
    this.held = new HeldSessions(this);
    this.sealed = new SealedRooms({
      ...{ clock: SYSTEM_CLOCK, counters: this.metrics.counters, most: config["max-rooms"] },
      ...{ graceMs: config.hold * 1_000, share: roomShare(config) },
    });
    this.cluster?.sealed.watch(this.sealed);
  }

  /** Whether clients reach it over TLS. */
  get tls(): boolean {
    return this.config.certfile !== undefined;
  }

  /** True once `stop` was called. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** True once `handOver` was called: sessions are kept for the next process, whatever becomes of their links. */
  get handingOver(): boolean {
    return this.#handingOver;
  }

  /** Numbers for the metrics line. */
  get gauges(): Gauges {
    return {
      connections: this.#places.taken,
      members: this.#sessions.size,
      held: this.held.size,
      rooms: this.#rooms.size,
      sealedRooms: this.sealed.size,
      sealedBytes: this.sealed.bytes,
      outboxBytes: this.budget.queuedBytes,
    };
  }

  /** Who is here, by kind; looks at each session, so for those who ask and not for every message. */
  get census(): Census {
    const members = { v1: 0, v2: 0, away: 0 };
    for (const { port, old } of this.#sessions.values()) {
      members[port === undefined ? "away" : old ? "v1" : "v2"]++;
    }
    return { members, rooms: { open: this.#rooms.size, sealed: this.sealed.size } };
  }

  /** Lets in, from now on, whoever has one of these tokens, or everyone where there is none. */
  useTokens(digests: readonly Uint8Array[]): void {
    this.#tokenDigests = digests;
  }

  /** Counts a connection in, or returns undefined where a cap is reached. */
  admit(address: string): ConnectionSlot | undefined {
    const refused = this.#stopping || this.bans.covers(address, Date.now());
    const place = refused ? undefined : this.#places.admit(address, { heldOnly: this.draining });
    if (place === undefined) this.metrics.counters.connectionsRefused++;
    else this.metrics.counters.connectionsAccepted++;
    return place;
  }

  /** Counts a place beside the caps: for a session whose own connection, which they know, is about to end. */
  keepPlace(address: string): ConnectionSlot {
    return this.#places.hold(address);
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

  /** A number for a new client, never used again. */
  takeId(): number {
    return this.#bus.firstClient + this.#issued++;
  }

  /** The room called `title`, made by `address` where it is not there. Throws LimitError at a cap. */
  room(title: string, address?: string): Room {
    const room = this.#rooms.get(title);
    if (room !== undefined) return room;
    const most = this.config["max-rooms"];
    if (this.#rooms.size >= most) {
      throw new LimitError(`Cannot open another room: at most ${most} are allowed`);
    }
    const madeBy = { address, forget: this.#shares.take(address) };
    return this.#makeRoom({ id: this.#nextRoom++, title, madeBy });
  }

  /** Forgets `room` when nobody is in it. */
  tidy(room: Room): void {
    if (room.size > 0 || this.#rooms.get(room.title) !== room) return;
    this.#rooms.delete(room.title);
    room.close();
  }

  /** All open rooms in which somebody of this server is. */
  get rooms(): Room[] {
    return [...this.#rooms.values()];
  }

  /** All sessions, those that are held included. */
  get sessions(): Session[] {
    return [...this.#sessions.values()];
  }

  /** The session of client number `id`; undefined where it is gone. */
  session(id: number): Session | undefined {
    return this.#sessions.get(id);
  }

  /** Tells the sender of a direct message that its receiver left without having it. */
  tellUndelivered({ room, client, to, toName, request }: EventOf<"direct">): void {
    const about = { room, client: to, name: toName, time: Date.now() };
    this.#sessions.get(client)?.tellSurely({ kind: "undelivered", ...about, request });
  }

  /** Takes a session in once its handshake is done. */
  enter(session: Session): void {
    this.#sessions.set(session.id, session);
    this.cluster?.opened(session);
  }

  /** Lets a session go for good: it leaves its rooms. */
  exit(session: Session): void {
    this.#sessions.delete(session.id);
    this.held.forget(session);
    this.cluster?.ended(session);
    session.end();
  }

  /** Ends a session against its client's will, who is told why. */
  expel(session: Session, why: string): void {
    void session.expel(why);
    this.held.noteExpelled(session);
    this.exit(session);
  }

  /** Lets a session go to another server, without a word to anybody here. */
  giveUp(session: Session): void {
    this.#sessions.delete(session.id);
    this.held.forget(session);
    session.giveUp();
  }

  /** Tells every client something that concerns no room. */
  tellAll(text: string): void {
    for (const session of this.#sessions.values()) session.tell({ kind: "notice", room: 0, text });
  }

  /** Pings, dead peers and metrics lines until `signal` aborts. */
  run(signal: AbortSignal): void {
    this.metrics.watchLag(signal);
    this.cluster?.run(new RelayClusterHost(this, this.#sessions), signal);
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
    this.cluster?.bye();
    const closing = { why: "The server is stopping.", retry: true };
    const told = Array.from(this.#sessions.values(), (session) => session.dismiss(closing));
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, STOP_DRAIN_MS);
    await Promise.race([Promise.allSettled(told), late.promise]);
    clearTimeout(timer);
    for (const session of this.#sessions.values()) session.close();
    this.sealed.close();
  }

  /** Ends all links and gives what another process needs to go on; see `letGo`. Throws ConfigError over NATS. */
  async handOver(): Promise<RelaySnapshot> {
    this.#stopping = true;
    this.#handingOver = true;
    const state = await handOver({
      ...{ relay: this, bus: this.#bus, sessions: this.#sessions, rooms: this.#rooms },
    });
    return { ...state, bans: this.bans.snapshot, issued: this.#issued, nextRoom: this.#nextRoom };
  }

  /** Goes on as the process that gave `state`. */
  takeOver(state: RelaySnapshot): void {
    this.#issued = state.issued;
    this.#nextRoom = state.nextRoom;
    this.bans.snapshot = state.bans ?? [];
    if (state.sealed !== undefined) this.sealed.restore(state.sealed);
    const restoreRoom = (known: RoomSnapshot) =>
      this.#makeRoom({
        ...{ id: known.id, title: known.title, known },
        madeBy: { address: known.madeBy, forget: this.#shares.keep(known.madeBy) },
      });
    takeOver({ relay: this, bus: this.#bus }, state, restoreRoom);
  }

  #makeRoom(parts: Pick<RoomOptions, "id" | "title" | "known" | "madeBy">): Room {
    const memoryMs = this.config.hold * 1_000 * MEMORY_HOLDS;
    const room = new Room({ ...parts, bus: this.#bus, memoryMs });
    this.#rooms.set(room.title, room);
    return room;
  }

  #sweep(now: number): void {
    this.held.sweep(now);
    for (const session of this.#sessions.values()) {
      if (session.port === undefined) continue;
      if (now - session.heardAt > HEARTBEAT_TIMEOUT_MS) {
        this.metrics.counters.silentClosed++;
        this.log.info("client is silent, closed", { client: session.id });
        session.close();
      } else if (now - session.pingedAt >= HEARTBEAT_INTERVAL_S * 1_000) {
        session.ping(now);
      }
    }
  }
}

function portEvents({ metrics: { counters, delivery }, budget, log }: Relay): EventWriterEvents {
  return {
    budget,
    onWritten(bytes, ms) {
      counters.bytesOut += bytes;
      delivery.observe(ms / 1_000);
    },
    onSlow(client) {
      counters.slowClosed++;
      log.warning("client does not read fast enough, closed", { client });
    },
  };
}
