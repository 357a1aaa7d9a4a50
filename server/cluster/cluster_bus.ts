// The bus of a server that is one of several: rooms are logs that all of them share.

import { decode, encode } from "cborg";
import { decodeEvent, encodeEvent } from "../../shared/wire_v2.ts";
import { Broadcast } from "../broadcast.ts";
import type { Bus, Channel, ChannelOptions, PassingEvent, Place, PlacedEvent } from "../bus.ts";
import { type Missed, RoomMemory } from "../room_memory.ts";
import type { Backplane, Running, Subject } from "./backplane.ts";
import type { ClusterKey } from "./cluster_key.ts";
import { RoomState } from "./room_state.ts";
import { type LogMachine, SharedLog } from "./shared_log.ts";

// NATS takes 1 MB; the state of a room with thousands of members has to fit beside the events.
const ENTRY_MAX_BYTES = 256 * 1_024;
// After the bus lost a log, places go on from here: no client may take new events for ones that it has.
const PLACES_AFTER_LOSS = 1_000_000;

/** What the rooms of a cluster have in common. */
export interface ClusterBusOptions {
  readonly backplane: Backplane;
  readonly key: ClusterKey;
  readonly onFault: (error: unknown) => void;
}

/** Opens rooms that other servers may have as well. */
export class ClusterBus implements Bus {
  readonly #options: ClusterBusOptions;

  constructor(options: ClusterBusOptions) {
    this.#options = options;
  }

  open(options: ChannelOptions): Channel {
    return new ClusterChannel(this.#options, options);
  }
}

/** An event that wants a place. */
interface Proposal {
  readonly event: PlacedEvent;
  readonly settle: (at: number) => void;
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

class ClusterChannel implements Channel, LogMachine<Proposal> {
  readonly ready: Promise<void>;
  readonly #cluster: ClusterBusOptions;
  readonly #options: ChannelOptions;
  readonly #state = new RoomState();
  readonly #memory: RoomMemory;
  readonly #log: SharedLog<Proposal>;
  readonly #live: Subject;
  readonly #hearing: Running;
  #known = false;

  constructor(cluster: ClusterBusOptions, options: ChannelOptions) {
    const { backplane, key, onFault } = cluster;
    this.#cluster = cluster;
    this.#options = options;
    this.#memory = new RoomMemory(options.memoryMs);
    const subject = key.subject("room", options.title);
    this.#live = key.subject("live", options.title);
    this.#log = new SharedLog({
      ...{ backplane, subject, machine: this, wait, onFault },
      seal: (body) => key.seal(subject, body),
      open: (sealed) => key.open(subject, sealed),
    });
    this.#hearing = backplane.hear(this.#live, (sealed) => this.#hear(sealed));
    this.ready = this.#log.caughtUp().then(() => {
      this.#known = true;
    });
  }

  get at(): number {
    return this.#state.at;
  }

  publish(event: PlacedEvent): Place {
    return new Promise((settle) => this.#log.propose({ event, settle }));
  }

  pass(event: PassingEvent, except?: number): void {
    const { backplane, key } = this.#cluster;
    this.#options.deliver(new Broadcast(event, this.#options.title), except);
    const body = encodeEvent({ ...event, room: 0 });
    backplane.say(this.#live, key.seal(this.#live, encode([backplane.slot, body])));
  }

  missed(seen: number): Missed {
    this.#memory.forget(performance.now());
    return this.#memory.since(Math.min(seen, this.at), this.at);
  }

  close(): void {
    this.#log.close();
    this.#hearing.close();
  }

  write(
    proposals: readonly Proposal[],
    whole: boolean,
  ): { readonly taken: number; readonly body: Uint8Array | undefined } {
    const bodies: Uint8Array[] = [];
    let [taken, bytes] = [0, 0];
    for (const { event, settle } of proposals) {
      const settled = this.#state.settle(event);
      // What cannot happen any more stands between others that can: its turn is the next entry.
      if (settled === undefined && bodies.length > 0) break;
      taken++;
      if (settled === undefined) {
        settle(0);
        continue;
      }
      const body = encodeEvent({ ...settled, room: 0, at: 0, ...sequenceless(settled) });
      bodies.push(body);
      bytes += body.length;
      if (bytes > ENTRY_MAX_BYTES || !isTalk(event)) break;
    }
    if (bodies.length === 0) return { taken, body: undefined };
    return { taken, body: encode([whole ? this.#state.encode() : null, bodies]) };
  }

  apply(entry: { readonly body: Uint8Array; readonly whole: boolean }, own: readonly Proposal[]): void {
    const [state, bodies] = decode(entry.body) as [Uint8Array | null, Uint8Array[]];
    if (state !== null) this.#adopt(state);
    bodies.forEach((body, n) => {
      this.#happen(decodeEvent(body) as PlacedEvent & { room: number });
      own.at(n - bodies.length)?.settle(this.#state.at);
    });
  }

  // Where we have it all already, the state says nothing new; every entry that holds it is checked all the same.
  #adopt(bytes: Uint8Array): void {
    const before = this.#state.at;
    this.#state.adopt(bytes);
    if (this.#known && before > 0 && this.#state.at !== before) this.#options.onLoss?.();
  }

  #happen(event: PlacedEvent & { room: number }): void {
    const at = ++this.#state.at;
    const sequence = event.kind === "chat" ? { sequence: ++this.#state.sequence } : {};
    this.#state.apply(event);
    const { room, title, deliver } = this.#options;
    const broadcast = new Broadcast({ ...event, room, at, ...sequence } as Broadcast["event"], title);
    this.#memory.add(broadcast, at, performance.now());
    deliver(broadcast);
  }

  #hear(sealed: Uint8Array): void {
    const opened = this.#cluster.key.open(this.#live, sealed);
    if (opened === undefined) return;
    const [slot, body] = decode(opened) as [number, Uint8Array];
    if (slot === this.#cluster.backplane.slot) return;
    const event = { ...decodeEvent(body), room: this.#options.room } as Broadcast["event"];
    this.#options.deliver(new Broadcast(event, this.#options.title));
  }
}
