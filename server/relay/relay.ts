// The relay: who is connected, and what all connections share.

import type { Logger } from "@logtape/logtape";
import type { ServerIdentity } from "../../shared/crypto/identity.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { departedMessage, roomBanMessage } from "../cluster/cluster_messages.ts";
import { OUTBOX_BUDGET, UNDECIDED_MAX_BYTES } from "../config/limits.ts";
import {
  HANDSHAKE_WORKER,
  HANDSHAKES_AT_ONCE,
  JOIN_RATE,
  TLS_HANDSHAKES_AT_ONCE,
} from "../config/limits.ts";
import type { AccessToken } from "../config/access_tokens.ts";
import type { ServerConfig } from "../config/server_options.ts";
import type { EventWriterEvents } from "../delivery/event_writer.ts";
import type { ConnectionSlot } from "../limits/connection_slots.ts";
import { FairBudget, FirmBudget } from "../limits/fair_budget.ts";
import { DepartedMembers } from "../limits/departed_members.ts";
import { HandshakeQueue } from "../limits/handshake_queue.ts";
import { sourceOf } from "../limits/ip_network.ts";
import type { NetworkSet } from "../limits/network_set.ts";
import { RoomBans } from "../limits/room_bans.ts";
import { roomBounds } from "../limits/room_quota.ts";
import { SourceRate } from "../limits/source_rate.ts";
import { MemoryBus } from "../room/memory_bus.ts";
import { SYSTEM_CLOCK } from "../sealed/room_contract.ts";
import { SealedRooms } from "../sealed/sealed_rooms.ts";
import { HeldSessions } from "../session/held_sessions.ts";
import type { Session } from "../session/session.ts";
import type { SessionHost, SessionRef } from "../session/session_host.ts";
import type { Counters } from "../telemetry/counters.ts";
import { type Gauges, Metrics } from "../telemetry/metrics.ts";
import { RepeatLog } from "../telemetry/repeat_log.ts";
import type { Census } from "../telemetry/prometheus_page.ts";
import { Access } from "./access.ts";
import { drain } from "./drain.ts";
import { Handshakes } from "./handshakes.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { InviteDesk } from "./inviting.ts";
import { RoomRegistry } from "./room_registry.ts";

/** The text for a client whose network is banned. */
export const BANNED = "You were banned by the server's admin.";

/** The text for a client whose token the server no longer has. */
export const TOKEN_REVOKED = "Your token is no longer valid here.";

// A client that comes in costs so many times what its handshake does, with its connection and with its room.
const COMING_IN_SHARE = 2.5;

/** What a relay is made of. */
export interface RelayOptions {
  readonly log: Logger;
  readonly identity: ServerIdentity;
  readonly cluster?: Cluster | undefined;
  /** Of the relay before this one in the same process; its counters go on. */
  readonly metrics?: Metrics | undefined;
}

/** What all connections of one server share. */
export class Relay implements SessionHost {
  config: ServerConfig;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly budget = new FairBudget(OUTBOX_BUDGET);
  readonly undecided = new FirmBudget(UNDECIDED_MAX_BYTES);
  readonly handshakes: Handshakes;
  /** Where handshakes wait for their turn. */
  readonly handshakeQueue = new HandshakeQueue(() =>
    this.handshakes.isHelped ? HANDSHAKE_WORKER.atOnce : HANDSHAKES_AT_ONCE
  );
  /** Where TLS handshakes wait for theirs: they are computed on the thread that serves members. */
  readonly tlsQueue = new HandshakeQueue(() => TLS_HANDSHAKES_AT_ONCE, { rests: true });
  readonly access: Access;
  readonly rooms: RoomRegistry;
  readonly roomBans: RoomBans;
  readonly departed: DepartedMembers;
  joinRate: SourceRate | undefined;
  readonly sealed: SealedRooms;
  readonly inviting: InviteDesk;
  readonly held: HeldSessions;
  /** What the writers of its sessions report to. */
  readonly writerEvents: EventWriterEvents;
  readonly cluster: Cluster | undefined;
  /** How many client numbers were given. */
  issued = 0;
  readonly #refusals: RepeatLog;
  readonly #firstClient: number;
  readonly #sessions = new Map<number, Session>();
  #handingOver = false;

  constructor(
    config: ServerConfig,
    { log, identity, cluster, metrics = new Metrics() }: RelayOptions,
  ) {
    this.metrics = metrics;
    const bus = cluster?.bus ?? new MemoryBus();
    this.config = config;
    this.log = log;
    this.cluster = cluster;
    this.handshakes = new Handshakes(identity, {
      waiting: () => this.handshakeQueue.waiting,
      onRehearsed: (ms) => this.handshakeQueue.expectPace(COMING_IN_SHARE * ms),
    });
    this.#refusals = new RepeatLog({
      report: (address, count, why) => log.info("handshake refused", { address, why, count }),
    });
    this.access = new Access(config, { counters: this.counters, log, cluster });
    this.rooms = new RoomRegistry(config, bus);
    this.sealed = new SealedRooms({
      clock: SYSTEM_CLOCK,
      counters: this.counters,
      ...roomBounds(config),
      graceMs: config.hold * 1_000,
      entrances: () => this.joinRate,
    });
    const tellsApart = config["max-per-address"] !== undefined;
    this.joinRate = tellsApart ? new SourceRate(JOIN_RATE) : undefined;
    this.departed = new DepartedMembers({
      tellsApart,
      onChanged: (title, key, burden) => cluster?.sendAll(departedMessage(title, key, burden)),
    });
    this.roomBans = new RoomBans((title, ban) => cluster?.sendAll(roomBanMessage(title, ban)));
    this.inviting = new InviteDesk({
      access: this.access,
      counters: this.counters,
      log,
      isAllowed: () => this.config.invites,
      advertised: () => this.config.advertise,
    });
    this.held = new HeldSessions(this);
    this.writerEvents = writerEvents(this);
    this.#firstClient = bus.firstClient;
    this.cluster?.sealed.watch(this.sealed);
  }

  get counters(): Counters {
    return this.metrics.counters;
  }

  /** Whether clients reach it over TLS. */
  get tls(): boolean {
    return this.config.certfile !== undefined;
  }

  get stopping(): boolean {
    return this.access.closed;
  }

  /** True once `beginHandOver` was called: sessions are kept for the next process, whatever becomes of connections. */
  get handingOver(): boolean {
    return this.#handingOver;
  }

  /** Number of clients whose connection is up. */
  get connected(): number {
    return this.#sessions.size - this.held.size;
  }

  /** Numbers for the metrics line. */
  get gauges(): Gauges {
    return {
      connections: this.access.connections,
      members: this.#sessions.size,
      held: this.held.size,
      rooms: this.rooms.size,
      sealedRooms: this.sealed.size,
      sealedBytes: this.sealed.bytes,
      outboxBytes: this.budget.used,
    };
  }

  /** Sessions by kind; it looks at each one, so it is for those who ask and not for every message. */
  get census(): Census {
    const members = { v1: 0, v2: 0, away: 0 };
    for (const { writer, isV1 } of this.#sessions.values()) {
      members[writer === undefined ? "away" : isV1 ? "v1" : "v2"]++;
    }
    return { members, rooms: { open: this.rooms.size, sealed: this.sealed.size } };
  }

  /** All sessions, held ones included. */
  get sessions(): Session[] {
    return [...this.#sessions.values()];
  }

  session(id: number): Session | undefined {
    return this.#sessions.get(id);
  }

  tokenName(session: SessionRef): string | undefined {
    return this.access.tokenName(session);
  }

  nextClientId(): number {
    return this.#firstClient + this.issued++;
  }

  keepSlot(address: string): ConnectionSlot {
    return this.access.keepSlot(address);
  }

  tellUndelivered({ room, client, to, toName, request }: EventOf<"direct">): void {
    this.#sessions.get(client)?.tellSurely({
      kind: "undelivered",
      room,
      client: to,
      name: toName,
      time: Date.now(),
      request,
    });
  }

  /** Takes a session in once its handshake is done. */
  enter(session: Session): void {
    this.#sessions.set(session.id, session);
    this.cluster?.opened(session);
  }

  expire({ id }: SessionRef): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    this.held.forget(session);
    this.cluster?.ended(session);
    session.end();
  }

  /** Ends a session against its client's will, who is told why. */
  expel(session: Session, why: string): void {
    void session.expel(why);
    this.held.noteExpelled(session);
    this.expire(session);
  }

  /** Uses other tokens from now on, and ends the sessions of those that are revoked; returns how many. */
  useTokens(tokens: readonly AccessToken[]): number {
    this.access.useTokens(tokens);
    const revoked = this.sessions.filter((session) => this.access.isRevoked(session));
    for (const session of revoked) this.expel(session, TOKEN_REVOKED);
    return revoked.length;
  }

  /** Refuses these networks from now on, and ends the sessions that come from them; returns how many. */
  useBans(networks: NetworkSet): number {
    this.access.bans.fromFile = networks;
    const now = Date.now();
    const banned = this.sessions.filter(({ address }) => this.access.bans.covers(address, now));
    for (const session of banned) this.expel(session, BANNED);
    return banned.length;
  }

  /** Uses the limits of `config` from now on; sessions that exist stay, whatever the limits are. */
  useLimits(config: ServerConfig): void {
    this.config = config;
    this.access.useLimits(config);
    this.rooms.useBounds(roomBounds(config));
    this.sealed.useBounds(roomBounds(config));
    const tellsApart = config["max-per-address"] !== undefined;
    this.departed.tellsApart = tellsApart;
    if (tellsApart !== (this.joinRate !== undefined)) {
      this.joinRate = tellsApart ? new SourceRate(JOIN_RATE) : undefined;
    }
    for (const session of this.#sessions.values()) session.useRate(config["rate-limit"]);
  }

  /** Lets a session go to another server; nobody here is told. */
  giveUp(session: Session): void {
    this.#sessions.delete(session.id);
    this.held.forget(session);
    session.giveUp();
  }

  /** Logs that a handshake of `address` was refused: its first at once, the others as one line a minute. */
  noteRefusal(address: string, why: string): void {
    this.#refusals.note(sourceOf(address), why);
  }

  /** Tells every client something that concerns no room. */
  tellAll(text: string): void {
    for (const session of this.#sessions.values()) session.tell({ kind: "notice", room: 0, text });
  }

  /** Sends pings and metrics lines until `signal` aborts. */
  run(signal: AbortSignal): void {
    const { held, counters, log, metrics } = this;
    metrics.watchLag(signal);
    // Clients come back to an identity that outlasts the process, or to the sessions of the one before.
    const expectsCrowd = this.config["identity-file"] !== undefined || held.size > 0;
    this.handshakes.run(signal, { expectsCrowd });
    const forgetOld = (now: number) => {
      this.rooms.forgetOld(now);
      this.sealed.forgetOld();
    };
    startHeartbeat({ sessions: this.#sessions, held, forgetOld, counters, log }, signal);
    const every = this.config["metrics-interval"];
    if (every === 0) return;
    const timer = setInterval(() => log.info(metrics.line(this.gauges)), every * 1_000);
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  }

  /** From now on no connections are taken, and sessions whose connection ends are kept for the next process. */
  beginHandOver(): void {
    this.access.close();
    this.#handingOver = true;
  }

  /** Tells everyone, lets outboxes drain for STOP_DRAIN_MS at most, and closes all connections. */
  async stop(): Promise<void> {
    this.access.close();
    this.cluster?.bye();
    await drain(this.sessions, { why: "The server is stopping.", retry: true });
    for (const session of this.#sessions.values()) session.close();
    this.sealed.close();
    this.access.invites.close();
  }
}

function writerEvents({ counters, metrics: { delivery }, budget, log }: Relay): EventWriterEvents {
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
