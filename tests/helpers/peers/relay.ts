// A relay without a process and links without sockets: what a test of one part of the server needs around it.

import { ROOM_MEMORY_BUDGET } from "../../../server/config/limits.ts";
import { type BudgetAccount, FairBudget } from "../../../server/limits/fair_budget.ts";
import { getLogger } from "@logtape/logtape";
import { serveConnection, type Serving } from "../../../server/connection/serve_connection.ts";
import { readConfig, type ServerConfig } from "../../../server/config/server_options.ts";
import { type Connection, ConnectionLost } from "../../../server/net/connection.ts";
import { EventQueue } from "../../../client/console/event_queue.ts";
import type { EncodedBurst } from "../../../server/delivery/burst.ts";
import type { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import { dispatchRequest } from "../../../server/handlers/dispatch.ts";
import type { EventWriter } from "../../../server/delivery/event_writer.ts";
import { Relay } from "../../../server/relay/relay.ts";
import { Session } from "../../../server/session/session.ts";
import { generateIdentity } from "../../../shared/crypto/identity.ts";
import type { Event, EventOf, Request } from "../../../shared/messages/messages_v2.ts";

/** The configuration of a server that is started with these options and variables. */
export function configOf(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): ServerConfig {
  return readConfig({ args, env: (name) => env[name] });
}

/** A relay that logs nothing and listens nowhere. */
export async function makeRelay(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Relay> {
  const identity = await generateIdentity();
  return new Relay(configOf(args, env), { log: getLogger("test"), identity });
}

/** Serves `link`; resolves at its end, and rejects with a fault. */
export function servedToEnd(
  relay: Relay,
  link: Connection,
  serving: Omit<Serving, "ending"> = {},
): Promise<void> {
  return new Promise((end, fail) =>
    serveConnection(relay, link, { ...serving, ending: { end, fail } })
  );
}

/** A link whose peer is the test: reads give `incoming` piece by piece, then the end. */
export class FakeLink implements Connection {
  readonly address = "192.0.2.1";
  readonly since = performance.now();
  readonly written: Uint8Array[] = [];
  closed = false;
  readonly #incoming: Uint8Array[];

  constructor(incoming: readonly Uint8Array[] = []) {
    this.#incoming = [...incoming];
  }

  read(): Promise<Uint8Array | null> {
    return Promise.resolve(this.#incoming.shift() ?? null);
  }

  write(bytes: Uint8Array): Promise<void> {
    this.written.push(bytes.slice());
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
  }
}

/** A link whose peer is the test while it stands: bytes arrive when the test says so, and so does the end. */
export class LiveLink implements Connection {
  readonly address = "192.0.2.1";
  readonly since: number;
  readonly written: Uint8Array[] = [];
  closed = false;
  readonly #incoming = new EventQueue<Uint8Array>();
  readonly #chunks: AsyncIterator<Uint8Array>;
  #wake: () => void = () => {};

  constructor(since = performance.now()) {
    this.since = since;
    this.#chunks = this.#incoming[Symbol.asyncIterator]();
  }

  async read(): Promise<Uint8Array | null> {
    const { value, done } = await this.#chunks.next();
    return done ? null : value;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.closed) return Promise.reject(new ConnectionLost("closed"));
    this.written.push(bytes.slice());
    this.#wake();
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
    this.ends();
  }

  /** The peer sends this. */
  arrives(bytes: Uint8Array): void {
    this.#incoming.push(bytes);
  }

  /** The peer is gone. */
  ends(): void {
    this.#incoming.close();
  }

  /** Resolves once so much was written. */
  async wrote(count: number): Promise<void> {
    while (this.written.length < count) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}

/** A link that remembers what was delivered through it. */
export class RecordingPort implements EventWriter {
  readonly events: Event[] = [];
  readonly bulkDrops = 0;
  readonly waiting = 0;
  closed = false;

  deliver(broadcast: EncodedEvent | EncodedBurst): boolean {
    const events = "events" in broadcast ? broadcast.events : [broadcast];
    if (!this.closed) this.events.push(...events.map(({ event }) => event));
    return true;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
  }
}

/** A client that is in its rooms, over a link that remembers. */
export interface Seated {
  readonly session: Session;
  port: RecordingPort;
  /** Numbers and handles a request. */
  ask(request: Unnumbered): void;
  /** Number of a room that it is in. */
  room(title?: string): number;
  /** The events of a kind that came, and are forgotten. */
  take<K extends Event["kind"]>(kind: K): EventOf<K>[];
}

type Unnumbered = Request extends infer R ? R extends unknown ? Omit<R, "id"> : never : never;

/** Who comes in. */
export interface SeatOptions {
  readonly name?: string;
  readonly rooms?: readonly string[];
  readonly old?: boolean;
  readonly address?: string;
}

let tickets = 0;

/** Lets a client into a relay as the handshakes do. */
export function seat(relay: Relay, options: SeatOptions = {}): Seated {
  const { name = "alice", rooms = ["lobby"], old = false, address = "192.0.2.1" } = options;
  const id = new Uint8Array(16).fill(++tickets);
  const ticket = old ? undefined : { id, secret: new Uint8Array(32).fill(tickets) };
  const session = new Session(relay, { name, isV1: old, address, ticket });
  const seated: Seated = {
    session,
    port: new RecordingPort(),
    ask(request) {
      dispatchRequest(session, { id: session.requests.last + 1, ...request } as Request);
    },
    room(title = "lobby") {
      const found = session.memberships.find(({ room }) => room.title === title);
      if (found === undefined) throw new Error(`${name} is not in ${title}`);
      return found.room.id;
    },
    take<K extends Event["kind"]>(kind: K) {
      const taken = seated.port.events.filter((event) => event.kind === kind);
      const left = seated.port.events.filter((event) => event.kind !== kind);
      seated.port.events.splice(0, Infinity, ...left);
      return taken as EventOf<K>[];
    },
  };
  relay.enter(session);
  relay.held.know(session);
  session.takeConnection(seated.port);
  for (const title of rooms) session.enter(relay.rooms.open(title, address)).announce(0);
  return seated;
}

/** A budget for what one room remembers, which is never used up. */
export function memoryAccount(): BudgetAccount {
  return { budget: new FairBudget(ROOM_MEMORY_BUDGET), source: "192.0.2.1" };
}
