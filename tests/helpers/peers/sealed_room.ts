// A sealed room of the server with recorders for members, and a clock that tests turn by hand.

import type { Event, EventOf, RequestOf } from "../../../shared/messages/messages_v2.ts";
import type { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import type { SealedClock } from "../../../server/sealed/room_contract.ts";
import { newCounters, type SealedCounters } from "../../../server/telemetry/counters.ts";
import { SealedRoom } from "../../../server/sealed/sealed_room.ts";
import { SealedRooms, type SealedRoomsOptions } from "../../../server/sealed/sealed_rooms.ts";
import type { RingPosition } from "../../../server/sealed/frame_ring.ts";
import {
  handleKey,
  handleOf as handleOfKey,
  type SealedPeer,
  type Seat,
} from "../../../server/sealed/seat.ts";

/** A clock that stands still until it is turned. */
export class HandClock implements SealedClock {
  #now = 1_000;
  #timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  utc(): number {
    return 1_790_000_000_000 + this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => this.#timers = this.#timers.filter((one) => one !== timer);
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Lets `ms` pass; what is due runs in its order. */
  turn(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = until;
  }
}

/** Bytes of a handle that is all `n`. */
export function handleOf(n: number): Uint8Array {
  return new Uint8Array(16).fill(n);
}

/** A body that is recognized again. */
export function bodyOf(text: string, bytes = 284): Uint8Array {
  const body = new Uint8Array(bytes);
  body.set(new TextEncoder().encode(text));
  return body;
}

/** Its text. */
export function textOf(body: Uint8Array): string {
  return new TextDecoder().decode(body).replace(/\0+$/, "");
}

/** Rooms with the clock by which they live. */
export interface OpenRooms {
  readonly clock: HandClock;
  readonly counters: SealedCounters;
  readonly rooms: SealedRooms;
}

/** Rooms of one server. */
export function openRooms(
  options: Partial<Pick<SealedRoomsOptions, "graceMs" | "most" | "share" | "entrances">> = {},
): OpenRooms {
  const clock = new HandClock();
  const counters = newCounters();
  const rooms = new SealedRooms({
    clock,
    counters,
    most: 10,
    share: 10,
    graceMs: 60_000,
    ...options,
  });
  return { clock, counters, rooms };
}

/** Who was asked last whether a commit is sound. */
const judges = new WeakMap<SealedRoom, Recorder>();

/** One connection that keeps what it is told. */
export class Recorder implements SealedPeer {
  /** How often it was told to come again. */
  again = 0;
  readonly events: Event[] = [];
  readonly handle: Uint8Array;
  readonly room: SealedRoom;
  readonly drops: string[] = [];
  seat!: Seat;
  readonly #seen = new Map<Event["kind"], number>();
  #ask = 0;

  constructor(room: SealedRoom, n: number) {
    this.room = room;
    this.handle = handleOf(n);
  }

  /** Attaches as a newcomer, or as one who has the group at `standing`. */
  static attach(room: SealedRoom, n: number, standing?: RingPosition, source?: string): Recorder {
    const recorder = new Recorder(room, n);
    recorder.attach(standing, source);
    return recorder;
  }

  attach(standing?: RingPosition, source: string = handleKey(this.handle)): void {
    this.seat = this.room.attach(this, {
      ask: this.next(),
      handle: this.handle,
      member: standing !== undefined,
      source,
      epoch: standing?.epoch ?? 0,
      seq: standing?.seq ?? 0,
    });
  }

  deliver(broadcast: EncodedEvent): void {
    this.events.push(broadcast.event);
    if (broadcast.event.kind === "sealed_check_please") judges.set(this.room, this);
  }

  comeAgain(): void {
    this.again++;
  }

  dropped(_room: number, why: string): void {
    this.drops.push(why);
  }

  /** The number of the next request. */
  next(): number {
    return ++this.#ask;
  }

  /** All events of a kind. */
  all<K extends Event["kind"]>(kind: K): EventOf<K>[] {
    return this.events.filter((event): event is EventOf<K> => event.kind === kind);
  }

  /** The last event of a kind. */
  last<K extends Event["kind"]>(kind: K): EventOf<K> | undefined {
    return this.all(kind).at(-1);
  }

  /** Whether it was told that since this was asked last. */
  hasNew(kind: Event["kind"]): boolean {
    const { length } = this.all(kind);
    const before = this.#seen.get(kind) ?? 0;
    this.#seen.set(kind, length);
    return length > before;
  }

  /** The kinds of all events, without the prefix, and forgets them. */
  kinds(): string[] {
    return this.events.splice(0).map(({ kind }) => kind.replace("sealed_", ""));
  }

  create(epoch = 0, seq = 0, handles: Uint8Array[] = []): void {
    this.room.create(this.seat, {
      kind: "sealed_create",
      ask: this.next(),
      room: this.room.number,
      epoch,
      seq,
      handles,
    });
  }

  /** Commits, as one who removes these; who else is in the group the room itself says. */
  commit(epoch: number, text = "commit", removed: Uint8Array[] = [], locked?: boolean): void {
    const roster = this.room.state?.roster;
    const members = new Set(roster?.members).add(handleKey(this.handle));
    for (const handle of removed) members.delete(handleKey(handle));
    this.commitAs([...members].map(handleOfKey), epoch, text, locked ?? roster?.locked);
  }

  /** Commits with that list of members. */
  commitAs(members: Uint8Array[], epoch: number, text = "commit", locked = false): void {
    this.room.commit(this.seat, {
      kind: "sealed_commit",
      ask: this.next(),
      room: this.room.number,
      epoch,
      members,
      locked,
      body: bodyOf(text),
    });
  }

  /** Enters the group: `giver` gives the GroupInfo, and whoever is asked finds the commit sound. */
  enter(epoch: number, giver: Recorder, text = "joins"): void {
    this.join();
    giver.give();
    this.commit(epoch, text);
    this.asked?.check(true);
  }

  /** Who was asked last whether the commit of this one is sound. */
  get asked(): Recorder | undefined {
    const judge = judges.get(this.room);
    const { from } = judge?.last("sealed_check_please") ?? {};
    return from !== undefined && handleKey(from) === handleKey(this.handle) ? judge : undefined;
  }

  /** Answers the last question whether a guest's commit is sound. */
  check(ok: boolean): void {
    const { question = 0 } = this.last("sealed_check_please") ?? {};
    const answer = { ask: this.next(), room: this.room.number, question, ok };
    this.room.check(this.seat, { kind: "sealed_check", ...answer });
  }

  app(epoch: number, text: string, bytes?: number): void {
    this.room.app(this.seat, {
      kind: "sealed_app",
      ask: this.next(),
      room: this.room.number,
      epoch,
      body: bodyOf(text, bytes),
    });
  }

  join(fresh = false): void {
    const request = { ask: this.next(), room: this.room.number, fresh };
    this.room.join(this.seat, { kind: "sealed_join", ...request });
  }

  /** Answers the last question for a GroupInfo. */
  give(text = "info"): void {
    const { question, epoch } = this.last("sealed_group_info_please") as EventOf<
      "sealed_group_info_please"
    >;
    this.room.groupInfo(this.seat, {
      kind: "sealed_group_info",
      ask: this.next(),
      room: this.room.number,
      question,
      epoch,
      body: bodyOf(text),
    });
  }

  vote(seq: number, ok: boolean): void {
    this.room.vote(this.seat, {
      kind: "sealed_vote",
      ask: this.next(),
      room: this.room.number,
      seq,
      ok,
    });
  }

  pull(from: Recorder, chunks: number): void {
    const request: RequestOf<"sealed_pull"> = {
      kind: "sealed_pull",
      ask: this.next(),
      room: this.room.number,
      to: from.handle,
      chunks,
      body: bodyOf("please"),
    };
    this.room.pull(this.seat, request);
  }

  chunk(to: Recorder, text: string): boolean {
    const request = {
      ask: this.next(),
      room: this.room.number,
      to: [to.handle],
      body: bodyOf(text),
    };
    return this.room.chunk(this.seat, { kind: "sealed_chunk", ...request });
  }
}

/** A room with its members. */
export interface OpenRoom extends OpenRooms {
  readonly room: SealedRoom;
  readonly members: [Recorder, Recorder, Recorder, Recorder];
}

/** A room with members 1 to `count`, all in epoch `count - 1` with nothing left to hear. */
export function roomOf(
  count: number,
  options: Pick<NonNullable<Parameters<typeof openRooms>[0]>, "graceMs" | "entrances"> = {},
): OpenRoom {
  const parts = openRooms(options);
  const room = parts.rooms.open(new Uint8Array(16).fill(7));
  const members: Recorder[] = [];
  for (let n = 1; n <= count; n++) {
    const member = Recorder.attach(room, n);
    if (n === 1) member.create();
    else {
      member.enter(n - 2, members[n - 2] as Recorder, `join ${n}`);
      for (const other of members) other.vote(n - 1, true);
    }
    members.push(member);
  }
  parts.clock.turn(10_000);
  for (const member of members) member.events.length = 0;
  return { ...parts, room, members: members as [Recorder, Recorder, Recorder, Recorder] };
}
