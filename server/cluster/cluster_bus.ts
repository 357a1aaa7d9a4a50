// The bus of a server in a cluster: rooms are logs that all servers share.

import type { ClientId } from "../../shared/messages/ids.ts";
import { decode, encode } from "cborg";
import type { Event } from "../../shared/messages/messages_v2.ts";
import { decodeEvent, encodeEvent } from "../../shared/messages/codec_v2.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";
import type {
  Audience,
  Bus,
  Channel,
  ChannelOptions,
  PassingEvent,
  PlacedEvent,
  Position,
  PublishOptions,
} from "../room/bus.ts";
import { type MissedEvents, RecentEvents } from "../room/recent_events.ts";
import { Backlog } from "../room/backlog.ts";
import { RoomView } from "../room/room_view.ts";
import type { Backplane, EntryRefusal, Running, Subject } from "./backplane.ts";
import { clientsOf, type Slot } from "./client_numbers.ts";
import type { ClusterKey } from "./cluster_key.ts";
import { type LogMachine, SharedLog } from "./shared_log.ts";

// NATS takes 1 MB by default; the state of a room with thousands of members must fit beside the events.
const ENTRY_MAX_BYTES = 256 * 1_024;
// How much the state may grow until it is written again: 64 entries later, each with a name and a line.
const STATE_GROWTH_BYTES = 64 * 1_024;
// After a log was lost, positions continue far above all earlier ones: no new event may pass for an old one.
const PLACES_AFTER_LOSS = 1_000_000;

/** What the rooms of a server have in common. */
export interface ClusterBusOptions {
  readonly backplane: Backplane;
  readonly key: ClusterKey;
  /** This server's number in the cluster. */
  readonly slot: Slot;
  /** The server that has a client now. */
  readonly homeOf: (client: ClientId) => Slot;
  readonly onFault: (error: unknown) => void;
  /** Whether a room whose log is empty has members on another server all the same; there are none unless told. */
  readonly hasMembersElsewhere?: ((title: string) => Promise<boolean>) | undefined;
  /** Told of each room with members whose log is gone from the backplane; it is put back. */
  readonly onRoomLost?: (() => void) | undefined;
}

/** Opens rooms that may also be open on other servers. */
export class ClusterBus implements Bus {
  readonly firstClient: number;
  readonly #options: ClusterBusOptions;
  readonly #channels = new Set<ClusterChannel>();

  constructor(options: ClusterBusOptions) {
    this.#options = options;
    this.firstClient = clientsOf(options.slot);
  }

  open(options: ChannelOptions): Channel {
    const channel = new ClusterChannel(this.#options, {
      ...options,
      onClosed: () => this.#channels.delete(channel),
    });
    this.#channels.add(channel);
    return channel;
  }

  /** Whether a room has members, as this server knows it; its log is put back if it is gone. */
  putBack(title: string): boolean {
    for (const channel of this.#channels) if (channel.putBack(title)) return true;
    return false;
  }

  /** Keeps all logs within their share of the backplane. */
  fit(): void {
    for (const channel of this.#channels) channel.fit();
  }

  /** A server is silent: its clients count as disconnected. */
  serverLost(slot: Slot): void {
    for (const channel of this.#channels) channel.serverLost(slot);
  }

  /** A silent server's clients had time to reconnect elsewhere; the others have left. */
  serverGone(slot: Slot): void {
    for (const channel of this.#channels) channel.serverGone(slot);
  }
}

/** An event that waits for its position. */
interface Proposal {
  readonly event: PlacedEvent;
  readonly settle: (at: number | undefined) => void;
  readonly onRefused: ((why: string) => void) | undefined;
}

const REFUSALS: Readonly<Record<EntryRefusal, string>> = {
  too_large: "it is larger than the servers can pass on",
  full: "the servers have no room for it now; try again later",
  forbidden: "the servers cannot store it now",
};
const TAKEN_FOR_GONE = "you are not in that room any more";
const ROOM_FULL = "it has as many members as the servers can keep";

type Kind = PlacedEvent["kind"];

// They decide nothing about others, so many share an entry: a server may die with thousands of members. None must be given
// up: others would see a member that is gone, or gone a member that is not.
const PASSINGS: ReadonlySet<Kind> = new Set<Kind>(["left", "away", "back"]);

const PRESENCE: ReadonlySet<Kind> = new Set<Kind>(["joined", "away", "back", "status"]);

/**
 * Waiting events that a client's next event makes pointless: while NATS does not answer, a client that comes and goes,
 * or loses its connection and is back, leaves at most one event of each kind.
 */
const OUTDATED: Readonly<Partial<Record<Kind, ReadonlySet<Kind>>>> = {
  away: new Set<Kind>(["away", "back"]),
  back: new Set<Kind>(["away", "back"]),
  status: new Set<Kind>(["status"]),
  left: PRESENCE,
};

interface ClusterChannelOptions extends ChannelOptions {
  readonly onClosed: () => void;
}

class ClusterChannel implements Channel, LogMachine<Proposal> {
  readonly ready: Promise<void>;
  readonly view: RoomView;
  readonly #cluster: ClusterBusOptions;
  readonly #options: ClusterChannelOptions;
  readonly #memory: RecentEvents;
  readonly #log: SharedLog<Proposal>;
  readonly #live: Subject;
  readonly #subscription: Running;
  /** What is neither settled nor refused, by client, in order. */
  readonly #waiting = new Map<ClientId, Set<Proposal>>();
  #broken = false;
  /** Bytes of the state when it was written or read last. */
  #stateBytes = 0;

  constructor(cluster: ClusterBusOptions, options: ClusterChannelOptions) {
    const { backplane, key, onFault } = cluster;
    this.#cluster = cluster;
    this.#options = options;
    this.#memory = new RecentEvents(options.memoryMs, options.memory);
    this.view = new RoomView(new Backlog(options.backlog, options.memory));
    const subject = key.subject("room", options.title);
    this.#live = key.subject("live", options.title);
    this.#log = new SharedLog({
      backplane,
      subject,
      machine: this,
      wait: afterMs,
      onFault,
      isElsewhere: async () => await cluster.hasMembersElsewhere?.(options.title) ?? false,
      ...key.of(subject),
    });
    this.#subscription = backplane.subscribe(this.#live, (sealed) => this.#receive(sealed));
    this.ready = this.#log.caughtUp();
  }

  get at(): number {
    return this.view.at;
  }

  get empty(): boolean {
    return this.view.occupants.length === 0;
  }

  publish(event: PlacedEvent, { onRefused, isFirst }: PublishOptions = {}): Position {
    if (this.#withdrawOutdated(event)) return 0;
    return new Promise((placed) => {
      const settle = (at: number | undefined) => {
        this.#forget(proposal);
        placed(at);
      };
      const proposal: Proposal = { event, settle, onRefused };
      const waiting = this.#waiting.get(event.client);
      if (waiting === undefined) this.#waiting.set(event.client, new Set([proposal]));
      else waiting.add(proposal);
      this.#log.propose(proposal, { isFirst: isFirst === true });
    });
  }

  pass(event: PassingEvent, audience?: Audience): void {
    const { backplane, key, slot } = this.#cluster;
    this.#options.deliver(new EncodedEvent(event, this.#options.title), audience);
    const { only = 0, account } = audience !== undefined && "only" in audience ? audience : {};
    const asking = account === undefined ? null : [account.source, account.sharers];
    const body = encodeEvent({ ...event, room: 0 });
    backplane.publish(this.#live, key.seal(this.#live, encode([slot, body, only, asking])));
  }

  missed(seen: number): MissedEvents {
    this.forgetOld(performance.now());
    return this.#memory.since(Math.min(seen, this.at), this.at);
  }

  forgetOld(now: number): void {
    this.#memory.forget(now);
  }

  close(): void {
    this.#memory.close();
    this.view.backlog.close();
    this.#subscription.close();
    this.#log.finish().then(this.#options.onClosed, this.#cluster.onFault);
  }

  fit(): void {
    this.#log.fit();
  }

  putBack(title: string): boolean {
    if (title !== this.#options.title || this.empty) return false;
    this.#log.look();
    return true;
  }

  serverLost(slot: Slot): void {
    for (const { client, name, state } of this.#clientsOn(slot)) {
      const about = { room: 0, client, name, time: Date.now() };
      // A v1 client cannot resume.
      if (state === "here") void this.publish({ kind: "away", ...about });
      else if (state === "old") void this.publish({ kind: "left", ...about });
    }
  }

  serverGone(slot: Slot): void {
    for (const { client, name, state } of this.#clientsOn(slot)) {
      const about = { room: 0, client, name, time: Date.now() };
      if (state === "away") void this.publish({ kind: "left", ...about });
    }
  }

  write(
    proposals: readonly Proposal[],
    whole: boolean,
  ): { readonly taken: number; readonly body: Uint8Array | undefined } {
    if (proposals.length === 0) return { taken: 0, body: encode([this.#encodeState(), []]) };
    const possible = proposals.findIndex(({ event }) => this.#settled(event) !== undefined);
    if (possible !== 0) {
      const taken = possible === -1 ? proposals.length : possible;
      for (const proposal of proposals.slice(0, taken)) this.#turnDown(proposal);
      return { taken, body: undefined };
    }
    const bodies: Uint8Array[] = [];
    const changed = new Set<ClientId>();
    let bytes = 0;
    for (const { event: { kind, client }, event } of proposals) {
      const settled = changed.has(client) ? undefined : this.#settled(event);
      const isLast = kind !== "chat" && !PASSINGS.has(kind);
      if (settled === undefined || isLast && changed.size > 0) break;
      const body = encodeEvent(placeless(settled));
      bodies.push(body);
      bytes += body.length;
      // An event that changes the members decides what may follow: that is for the next entry.
      if (bytes > ENTRY_MAX_BYTES || isLast) break;
      if (kind !== "chat") changed.add(client);
    }
    return { taken: bodies.length, body: encode([whole ? this.#encodeState() : null, bodies]) };
  }

  refuse(own: readonly Proposal[], refusal: EntryRefusal): readonly Proposal[] {
    const lasting = own.filter(({ event }) => PASSINGS.has(event.kind));
    for (const proposal of own) {
      if (!PASSINGS.has(proposal.event.kind)) refuseOne(proposal, REFUSALS[refusal]);
    }
    return lasting;
  }

  apply({ body }: { readonly body: Uint8Array }, own: readonly Proposal[]): void {
    const [state, bodies] = decode(body) as [Uint8Array | null, Uint8Array[]];
    // A server that is up to date learns nothing new.
    if (state !== null) {
      this.view.adopt(state);
      this.#stateBytes = state.length;
    }
    if (this.#broken) this.#options.onBreak();
    this.#broken = false;
    bodies.forEach((body, n) => {
      this.#happen(decodeEvent(body) as PlacedEvent);
      own[n]?.settle(this.view.at);
    });
  }

  skipped(): void {
    this.#broken = true;
  }

  lost(): void {
    if (!this.empty) this.#cluster.onRoomLost?.();
    this.#broken = true;
    this.view.at += PLACES_AFTER_LOSS;
  }

  /** Whether the event itself is pointless as well: a client leaves, and nobody was told that it came. */
  #withdrawOutdated({ kind, client }: PlacedEvent): boolean {
    const outdated = OUTDATED[kind];
    if (outdated === undefined) return false;
    for (const earlier of [...this.#waiting.get(client) ?? []].reverse()) {
      const { event, settle } = earlier;
      // What it said there in between is not taken back.
      if (!PRESENCE.has(event.kind)) break;
      if (!outdated.has(event.kind)) continue;
      if (!this.#log.withdraw(earlier)) break;
      settle(event.kind === "joined" ? undefined : 0);
      if (event.kind === "joined") return this.#isAboutToBeOut(client);
    }
    return false;
  }

  #isAboutToBeOut(client: ClientId): boolean {
    const last = [...this.#waiting.get(client) ?? []].pop();
    return last?.event.kind === "left" || last === undefined && this.view.of(client) === undefined;
  }

  #forget(proposal: Proposal): void {
    const { client } = proposal.event;
    const waiting = this.#waiting.get(client);
    waiting?.delete(proposal);
    if (waiting?.size === 0) this.#waiting.delete(client);
  }

  #encodeState(): Uint8Array {
    const state = this.view.encode();
    this.#stateBytes = state.length;
    return state;
  }

  // The state must fit into an entry beside the events.
  get #isFull(): boolean {
    const { entryBytes } = this.#cluster.backplane.limits;
    return this.#stateBytes > entryBytes - ENTRY_MAX_BYTES - STATE_GROWTH_BYTES;
  }

  #settled(event: PlacedEvent): PlacedEvent | undefined {
    if (event.kind === "joined" && this.#isFull) return undefined;
    return this.view.settle(event);
  }

  /** Ends a proposal that cannot happen: its sender gets an answer, unless it happened before. */
  #turnDown(proposal: Proposal): void {
    const { event, settle } = proposal;
    const isHere = this.view.of(event.client) !== undefined;
    if (event.kind === "joined" && !isHere) refuseOne(proposal, ROOM_FULL);
    else if (event.kind !== "joined" && !isHere) refuseOne(proposal, TAKEN_FOR_GONE);
    else settle(0);
  }

  #happen(event: PlacedEvent): void {
    const { room, title, deliver } = this.#options;
    const at = ++this.view.at;
    const sequence = event.kind === "chat" ? { sequence: ++this.view.sequence } : {};
    this.view.apply(event);
    const broadcast = new EncodedEvent({ ...event, room, at, ...sequence } as Event, title);
    this.#memory.add(broadcast, at, performance.now());
    deliver(broadcast);
  }

  #receive(sealed: Uint8Array): void {
    const { key, slot: ours } = this.#cluster;
    const opened = key.open(this.#live, sealed);
    if (opened === undefined) return;
    const [slot, body, only, asking] = decode(opened) as [
      Slot,
      Uint8Array,
      number,
      readonly [source: string, sharers: number] | null,
    ];
    if (slot === ours) return;
    const { room, title, deliver } = this.#options;
    const broadcast = new EncodedEvent({ ...decodeEvent(body), room } as Event, title);
    const [source, sharers] = asking ?? [];
    const account = source === undefined ? undefined : { source, sharers: sharers ?? 1 };
    deliver(broadcast, only > 0 ? { only, account } : undefined);
  }

  #clientsOn(slot: Slot) {
    return this.view.occupants.filter(({ client }) => this.#cluster.homeOf(client) === slot);
  }
}

function refuseOne({ settle, onRefused }: Proposal, why: string): void {
  onRefused?.(why);
  settle(undefined);
}

// The body as it is sealed and sent: each server adds its own number of the room, and the position.
function placeless(event: PlacedEvent): Event {
  const blank = { room: 0, at: 0, ...(event.kind === "chat" ? { sequence: 0 } : {}) };
  return { ...event, ...blank } as Event;
}

/** Resolves after `ms`. */
export function afterMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
