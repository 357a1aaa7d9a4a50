// A network between clients and a server that kills, stalls and cuts as it is told: one TCP proxy, one fault for
// each connection.

import { closeQuietly, isGone } from "../peers/conn_ends.ts";
import { Between } from "./between.ts";

/** What happens to one connection. Bytes are counted from its first one. */
export interface Fault {
  /** `kill`: both ends are closed; `stall`: all is swallowed, and both ends stay open until `ms` are over. */
  readonly kind: "kill" | "stall";
  /** Which direction decides when. */
  readonly after: "up" | "down";
  readonly bytes: number;
  /** How long a stall lasts before the connection is killed. */
  readonly ms?: number;
}

/** What the network did. */
export interface Damage {
  kills: number;
  stalls: number;
  /** Those of both in the middle of a frame or record. */
  insideRecord: number;
  /** Those of both before the first record in that direction was through. */
  inHandshake: number;
}

/** One of the handshake and one record, hello or welcome: until then a session is not open. */
const OPENING_FRAMES = 2;

/** The proxy. */
export class FaultyNetwork extends Between {
  readonly damage: Damage = { kills: 0, stalls: 0, insideRecord: 0, inHandshake: 0 };
  /** Bytes that went on, from all connections. */
  readonly bytes = { up: 0, down: 0 };
  readonly #next: () => Fault | undefined;
  readonly #strikes = new Set<Strike>();

  /** `next` is asked for the fault of each connection in turn; undefined = none. */
  constructor(target: number, next: () => Fault | undefined = () => undefined) {
    super(target);
    this.#next = next;
  }

  /** Swallows from now on all that comes on connections that stand; they stay open. */
  swallow(): void {
    for (const strike of this.#strikes) strike.swallow();
  }

  protected async between(near: Deno.Conn, far: Deno.Conn): Promise<void> {
    const strike = new Strike(this.#next(), this);
    this.#strikes.add(strike);
    await Promise.all([
      this.#pump(near, far, strike.gate("up")),
      this.#pump(far, near, strike.gate("down")),
      strike.over.then(() => [near, far].forEach(closeQuietly)),
    ]);
    this.#strikes.delete(strike);
  }

  async #pump(from: Deno.Conn, to: Deno.Conn, gate: Gate): Promise<void> {
    const buffer = new Uint8Array(16_384);
    try {
      for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
        const bytes = gate.pass(buffer.subarray(0, n));
        for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
        gate.passed();
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    gate.end();
  }
}

interface Gate {
  /** What of `bytes` goes on. */
  pass(bytes: Uint8Array): Uint8Array;
  /** What passed was written. */
  passed(): void;
  end(): void;
}

/** The fault of one connection, on its way to happen. */
class Strike {
  /** Resolves when the connection is to be closed. */
  readonly over: Promise<void>;
  readonly #fault: Fault | undefined;
  readonly #network: Pick<FaultyNetwork, "damage" | "bytes">;
  readonly #over = Promise.withResolvers<void>();
  readonly #frames = { up: new FrameCounter(), down: new FrameCounter() };
  #struck = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(fault: Fault | undefined, network: Pick<FaultyNetwork, "damage" | "bytes">) {
    this.#fault = fault;
    this.#network = network;
    this.over = this.#over.promise;
  }

  swallow(): void {
    this.#struck = true;
  }

  gate(direction: "up" | "down"): Gate {
    const frames = this.#frames[direction];
    const left = () => {
      const { after, bytes = 0 } = this.#fault ?? {};
      return after === direction ? Math.max(0, bytes - frames.bytes) : Infinity;
    };
    return {
      pass: (bytes) => {
        const part = bytes.subarray(0, this.#struck ? 0 : Math.min(bytes.length, left()));
        frames.add(part);
        this.#network.bytes[direction] += part.length;
        return part;
      },
      passed: () => {
        if (left() === 0) this.#strike(frames);
      },
      end: () => {
        clearTimeout(this.#timer);
        this.#over.resolve();
      },
    };
  }

  #strike(frames: FrameCounter): void {
    if (this.#struck) return;
    this.#struck = true;
    const { kind, ms = 0 } = this.#fault as Fault;
    const { damage } = this.#network;
    if (kind === "kill") damage.kills++;
    else damage.stalls++;
    if (frames.inside) damage.insideRecord++;
    if (frames.frames < OPENING_FRAMES) damage.inHandshake++;
    this.#timer = setTimeout(() => this.#over.resolve(), kind === "kill" ? 0 : ms);
  }
}

/** Follows frames and records, which have one layout, without opening them. */
class FrameCounter {
  bytes = 0;
  frames = 0;
  #header: number[] = [];
  #left = 0;

  /** Whether the last byte was in the middle of one. */
  get inside(): boolean {
    return this.#left > 0 || this.#header.length > 0;
  }

  add(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    for (let at = 0; at < chunk.length;) {
      if (this.#left > 0) {
        const take = Math.min(this.#left, chunk.length - at);
        this.#left -= take;
        at += take;
        if (this.#left === 0) this.frames++;
        continue;
      }
      this.#header.push(chunk[at++] as number);
      if (this.#header.length < 4) continue;
      this.#left = new DataView(Uint8Array.from(this.#header).buffer).getUint32(0);
      this.#header = [];
    }
  }
}
