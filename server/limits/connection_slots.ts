// Slots for connections: the caps in all and per source, and which connections may come beyond them.

import { mayTakeSlot } from "./fair_budget.ts";
import { SITE_SHARE, siteOf, sourceKind, sourceOf } from "./ip_network.ts";

/** What can be closed. */
export interface Closable {
  close(): void;
}

/** A slot, taken by a connection or by a session that is held. */
export interface ConnectionSlot {
  /** True where all slots are taken: the connection may stay only if it resumes a held session, which has a slot. */
  readonly forHeld: boolean;
  /** Why it is so, for the log; undefined where it is not. */
  readonly why?: string | undefined;
  /** Tells what to close where a connection for a held session has to make room for one with a better claim. */
  isOf?(connection: Closable): void;
  /** Called when the connection has resumed a held session, which gave its own slot back. */
  settle(): void;
  /** Gives the slot back; idempotent. */
  release(): void;
}

/** How many slots there are. */
export interface SlotLimits {
  readonly most: number;
  /** Most for one source, and a part of those for its site; undefined = all of them, as behind a proxy. */
  readonly perSource: number | undefined;
}

/** How a connection may come beyond the caps. */
interface Beyond {
  readonly heldOnly?: string | undefined;
  readonly ownOnly?: boolean;
}

/** `last`: the reserve for sites that have one slot or none. */
type Cap = "all" | "last" | "source" | "site";

interface Count {
  taken: number;
  held: number;
}

/**
 * What a connection beyond the caps counts as until it has resumed a session: `own` where its source has a held session
 * for it, `unnamed` where its proxy has yet to say who it is and no other place is left, `common` otherwise.
 */
type Guest = "own" | "common" | "unnamed";

// No address is empty.
const UNKNOWN_SOURCE = "";
const NOTHING: Readonly<Count> = { taken: 0, held: 0 };

// A proxy names its clients within milliseconds. Each one takes a file descriptor beside those that the caps leave.
const UNNAMED_MOST = 16;

/** Counts connections, in all and by source. */
export class ConnectionSlots {
  #limits: SlotLimits;
  readonly #counts = new Counts();
  readonly #guests = new Guests();

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** Changes the limits; connections that are here stay. */
  useLimits(limits: SlotLimits): void {
    this.#limits = limits;
  }

  /** Slots that are taken now. */
  get taken(): number {
    return this.#counts.all.taken;
  }

  /**
   * A slot for a connection from `address`; undefined where none is free. `heldOnly`, which says why, acts as if the caps
   * were reached; `ownOnly` also demands that the held session is of the same source.
   */
  admit(
    address: string,
    { heldOnly, ownOnly = false }: Beyond = {},
  ): ConnectionSlot | undefined {
    const why = heldOnly ?? this.capFor(address);
    if (why === undefined) return this.#take(address);
    const here = this.#counts.of(address);
    const { all } = this.#counts;
    // Never more than there are held sessions: any more are disconnected before anything is read from them.
    const isFull = this.#guests.size >= all.held;
    if (this.#guests.ownOf(sourceOf(address)) < here.held) {
      // Strangers must not keep out who comes back to where it was. As no source has more such places than it has held
      // sessions, one that is full has common guests.
      if (isFull) this.#guests.cutOldest();
      return this.#take(address, { guest: "own", why });
    }
    const { perSource = Infinity } = this.#limits;
    if (isFull || ownOnly || here.taken >= perSource) return undefined;
    return this.#take(address, { guest: "common", why });
  }

  /** The same for a connection whose proxy has not yet named the client: only the total cap counts. */
  admitUnknown(heldOnly?: string): ConnectionSlot | undefined {
    const { all } = this.#counts;
    const { most } = this.#limits;
    const why = heldOnly ?? (all.taken < most ? undefined : allTaken(most));
    if (why === undefined) return this.#take(UNKNOWN_SOURCE);
    if (this.#guests.size < all.held) return this.#take(UNKNOWN_SOURCE, { guest: "common", why });
    if (this.#guests.unnamed >= Math.min(UNNAMED_MOST, all.held)) return undefined;
    return this.#take(UNKNOWN_SOURCE, { guest: "unnamed", why });
  }

  /** A slot outside the caps, for a session whose own connection still counts and is about to end. */
  hold(address: string): ConnectionSlot {
    return this.#take(address, { held: 1 });
  }

  /** Which cap keeps one more connection of `address` out, with its value, for the log; undefined where none does. */
  capFor(address: string): string | undefined {
    const { most, perSource = Infinity } = this.#limits;
    switch (this.#capReached(address)) {
      case undefined:
        return undefined;
      case "all":
        return allTaken(most);
      case "last":
        return `the last of ${most} connections (--max-connections) are for networks with fewer`;
      case "source":
        return `${perSource} connections from its ${sourceKind(address)} (--max-per-address)`;
      case "site":
        return `${perSource * SITE_SHARE} connections from its IPv6 /48 ` +
          `(${SITE_SHARE} times --max-per-address)`;
    }
  }

  #capReached(address: string): Cap | undefined {
    const { most, perSource } = this.#limits;
    const used = this.#counts.all.taken;
    // Where one source may take all slots, none are reserved for others.
    if (perSource === undefined) return used < most ? undefined : "all";
    if (this.#counts.of(address).taken >= perSource) return "source";
    const { taken: held } = this.#counts.ofSite(address);
    if (held >= perSource * SITE_SHARE) return "site";
    if (mayTakeSlot({ most, used, held })) return undefined;
    return used < most ? "last" : "all";
  }

  #take(address: string, { held = 0, guest, why }: Kind = {}): ConnectionSlot {
    return new Slot({ counts: this.#counts, guests: this.#guests, address, held, guest, why });
  }
}

function allTaken(most: number): string {
  return `all ${most} connections are taken (--max-connections)`;
}

/** What is taken now, in all, by source and by site. */
class Counts {
  readonly all: Count = { ...NOTHING };
  readonly #sources = new Map<string, Count>();

  /** What the source of `address` has. */
  of(address: string): Readonly<Count> {
    return this.#sources.get(sourceOf(address)) ?? NOTHING;
  }

  /** What the site of `address` has. */
  ofSite(address: string): Readonly<Count> {
    return this.#sources.get(siteOf(address)) ?? NOTHING;
  }

  /** Counts what `address` takes more, or less. */
  add(address: string, { taken, held }: Readonly<Count>): void {
    const counted = (count: Count) => {
      count.taken += taken;
      count.held += held;
      return count;
    };
    counted(this.all);
    const [source, site] = [sourceOf(address), siteOf(address)];
    for (const name of source === site ? [source] : [source, site]) {
      const here = counted(this.#sources.get(name) ?? { ...NOTHING });
      if (here.taken === 0) this.#sources.delete(name);
      else this.#sources.set(name, here);
    }
  }
}

/** Connections beyond the caps that have not yet resumed a session. */
class Guests {
  /** By source, and never more of one than it has held sessions. */
  readonly #own = new Map<string, Set<Slot>>();
  /** The oldest one is first. */
  readonly #common = new Set<Slot>();
  #ownSize = 0;
  unnamed = 0;

  /** How many there are, without those that are unnamed. */
  get size(): number {
    return this.#ownSize + this.#common.size;
  }

  /** How many use the places of held sessions of their own source. */
  ownOf(source: string): number {
    return this.#own.get(source)?.size ?? 0;
  }

  add(slot: Slot, kind: Guest): void {
    if (kind === "unnamed") this.unnamed++;
    else if (kind === "common") this.#common.add(slot);
    else {
      const own = this.#own.get(slot.source) ?? new Set();
      this.#own.set(slot.source, own.add(slot));
      this.#ownSize++;
    }
  }

  delete(slot: Slot, kind: Guest): void {
    if (kind === "unnamed") this.unnamed--;
    else if (!this.#common.delete(slot)) {
      const own = this.#own.get(slot.source);
      if (!own?.delete(slot)) return;
      this.#ownSize--;
      if (own.size === 0) this.#own.delete(slot.source);
    }
  }

  /** Has those above `held` of a source, of which a session is held no longer, use common places. */
  keepOwn(source: string, held: number): void {
    const own = this.#own.get(source);
    if (own === undefined || own.size <= held) return;
    const [slot] = own;
    if (slot === undefined) return;
    this.delete(slot, "own");
    this.add(slot, "common");
  }

  /** Disconnects the one that uses a common place for longest: who has a session to resume needs a moment. */
  cutOldest(): void {
    const [oldest] = this.#common;
    oldest?.cut();
  }
}

/** What a slot is for, besides an ordinary connection. */
interface Kind {
  readonly held?: number;
  readonly guest?: Guest | undefined;
  readonly why?: string | undefined;
}

interface SlotOptions extends Kind {
  readonly counts: Counts;
  readonly guests: Guests;
  readonly address: string;
  readonly held: number;
}

// A class and not closures: each connection has one for as long as it lasts.
class Slot implements ConnectionSlot {
  readonly why: string | undefined;
  readonly #counts: Counts;
  readonly #guests: Guests;
  readonly #address: string;
  readonly #held: number;
  #guest: Guest | undefined;
  #connection: Closable | undefined;
  #isTaken = true;

  constructor({ counts, guests, address, held, guest, why }: SlotOptions) {
    this.why = why;
    this.#counts = counts;
    this.#guests = guests;
    this.#address = address;
    this.#held = held;
    this.#guest = guest;
    counts.add(address, { taken: 1, held });
    if (guest !== undefined) guests.add(this, guest);
  }

  get forHeld(): boolean {
    return this.why !== undefined;
  }

  get source(): string {
    return sourceOf(this.#address);
  }

  isOf(connection: Closable): void {
    if (this.#guest !== undefined) this.#connection = connection;
  }

  /** Its place is another's from now on; the connection counts until it has ended. */
  cut(): void {
    const connection = this.#connection;
    this.settle();
    connection?.close();
  }

  settle(): void {
    if (this.#guest === undefined) return;
    this.#guests.delete(this, this.#guest);
    this.#guest = undefined;
    this.#connection = undefined;
  }

  release(): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    this.settle();
    this.#counts.add(this.#address, { taken: -1, held: -this.#held });
    if (this.#held > 0) this.#guests.keepOwn(this.source, this.#counts.of(this.#address).held);
  }
}
