// The load of the fan-out rows: sealed beforehand, bytes counted while the clock runs, checked afterwards.

/** Members of a room, of whom some send messages. */
export interface Load {
  readonly members: number;
  readonly senders: number;
  readonly perSender: number;
  readonly messageBytes: number;
}

/** How much a row measures: all of it, or so little that it only shows that it works. */
export type Size = "full" | "tiny";

/** The load of the fan-out rows. */
export const FAN_OUT: Readonly<Record<Size, Load>> = {
  full: { members: 100, senders: 10, perSender: 1_000, messageBytes: 100 },
  tiny: { members: 5, senders: 2, perSender: 10, messageBytes: 100 },
};

/** Rooms of other sizes; what waits for a member who reads slowly stays within its bound. */
export const FAN_OUT_CURVE: Readonly<Record<Size, readonly Load[]>> = {
  full: [
    { members: 10, senders: 10, perSender: 3_000, messageBytes: 100 },
    { members: 1_000, senders: 10, perSender: 30, messageBytes: 100 },
  ],
  tiny: [{ members: 3, senders: 2, perSender: 10, messageBytes: 100 }],
};

/** What one run of a load took. */
export interface Measurement {
  readonly deliveries: number;
  readonly seconds: number;
  /** CPU time of the server. */
  readonly cpuMs: number;
  /** Bytes. */
  readonly peakMemory: number;
}

/** Deliveries a second. */
export function rateOf({ deliveries, seconds }: Measurement): number {
  return deliveries / seconds;
}

/** CPU time of a delivery in µs. */
export function cpuOf({ deliveries, cpuMs }: Measurement): number {
  return 1e3 * cpuMs / deliveries;
}

/** Messages that arrive: each one at every member. */
export function deliveriesOf({ members, senders, perSender }: Load): number {
  return members * senders * perSender;
}

/** The load in words. */
export function describeLoad(load: Load): string {
  return `${load.members} members, ${load.senders} senders, ${load.messageBytes}-byte messages, ` +
    `${deliveriesOf(load)} deliveries`;
}

/** Text number `index` of `sender`: distinct, printable, of exactly the load's size. */
export function textOf(load: Load, sender: number, index: number): string {
  return `${sender}:${index}:`.padEnd(load.messageBytes, "x");
}

/** Keeps what it reads until it has counted enough. */
export interface Counter {
  readonly chunks: Uint8Array[];
  /** Looks at the next bytes; true when all has come. */
  take(chunk: Uint8Array): boolean;
}

/** Counts bytes. */
export class ByteCounter implements Counter {
  readonly chunks: Uint8Array[] = [];
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  take(chunk: Uint8Array): boolean {
    this.chunks.push(chunk);
    this.#left -= chunk.length;
    return this.#left <= 0;
  }
}

/** Counts frames and the bytes in them, without looking into them. */
export class FrameCounter implements Counter {
  readonly chunks: Uint8Array[] = [];
  readonly #isDone: (frames: number, bytes: number) => boolean;
  #frames = 0;
  #bytes = 0;
  #skip = 0;
  #header = 0;
  #headerBytes = 0;

  /** `isDone` is asked with the whole frames so far, and the bytes in them. */
  constructor(isDone: (frames: number, bytes: number) => boolean) {
    this.#isDone = isDone;
  }

  /** Whole frames so far. */
  get frames(): number {
    return this.#frames;
  }

  take(chunk: Uint8Array): boolean {
    this.chunks.push(chunk);
    for (let at = 0; at < chunk.length;) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        this.#skip -= step;
        at += step;
        if (this.#skip === 0) this.#frames++;
      } else at = this.#readHeader(chunk, at);
    }
    return this.#skip === 0 && this.#isDone(this.#frames, this.#bytes);
  }

  #readHeader(chunk: Uint8Array, at: number): number {
    this.#header = this.#header * 256 + (chunk[at] as number);
    if (++this.#headerBytes === 4) {
      this.#skip = this.#header;
      this.#bytes += this.#header;
      this.#header = 0;
      this.#headerBytes = 0;
    }
    return at + 1;
  }
}

/** One member of the load: its link, what it sends (ready to be written), and when it has all. */
export interface LoadMember {
  readonly conn: Deno.Conn;
  readonly packets: readonly Uint8Array[];
  readonly counter: Counter;
}

// A reader that takes each message as it comes does as many reads as the server does writes, and is the
// bottleneck. So it waits a little after a small read: the system's buffers collect meanwhile.
const READ_BYTES = 65_536;
const SMALL_READ_BYTES = 8_192;
const READS_PER_MS = 20;
const PAUSE_MIN_MS = 3;
// What does not come in this time does not come any more.
const PATIENCE_MS = 120_000;

/** Lets all members send and receive at once. Returns the seconds from the first write to the last delivery. */
export async function runLoad(
  members: readonly LoadMember[],
  pauseMs: number = Math.max(PAUSE_MIN_MS, members.length / READS_PER_MS),
): Promise<number> {
  const start = performance.now();
  const all = members.flatMap((member) => [readAll(member, pauseMs), writePackets(member)]);
  await inTime(Promise.all(all));
  return (performance.now() - start) / 1_000;
}

/** Waits for what arrives of a load. Throws where that takes too long. */
export async function inTime(work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`not all of the load arrived within ${PATIENCE_MS / 1_000} s`));
  }, PATIENCE_MS);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function readAll({ conn, counter }: LoadMember, pauseMs: number): Promise<void> {
  const buffer = new Uint8Array(READ_BYTES);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error("a link ended under load");
    if (counter.take(buffer.slice(0, count))) return;
    if (pauseMs > 0 && count < SMALL_READ_BYTES) await pause(pauseMs);
  }
}

async function writePackets({ conn, packets }: LoadMember): Promise<void> {
  for (const packet of packets) await writeAll(conn, packet);
}

/** Throws unless every member got every message of the load, once, each sender's in its order, all the same. */
export function checkComplete(
  load: Load,
  received: readonly (readonly string[])[],
  { oneOrder = true }: { readonly oneOrder?: boolean } = {},
): void {
  const [first = []] = received;
  checkOne(load, first);
  for (const texts of received) {
    if (!oneOrder) checkOne(load, texts);
    else if (texts.length !== first.length || texts.some((text, i) => text !== first[i])) {
      throw new Error("two members got different messages, or in a different order");
    }
  }
  if (received.length !== load.members) throw new Error("a member is missing");
}

function checkOne(load: Load, texts: readonly string[]): void {
  const next = new Array<number>(load.senders).fill(0);
  for (const text of texts) {
    const [sender, index] = text.split(":", 2).map(Number) as [number, number];
    if (next[sender] !== index || text !== textOf(load, sender, index)) {
      throw new Error(`message ${index} of sender ${sender} came where ${next[sender]} was due`);
    }
    next[sender] = index + 1;
  }
  if (next.some((count) => count !== load.perSender)) throw new Error("messages are missing");
}

/** A TLS connection to a server of this machine whose certificate is `cert`. */
export function connectTls(port: number, cert: string): Promise<Deno.TlsConn> {
  return Deno.connectTls({ hostname: "localhost", port, caCerts: [cert] });
}

/** A connection to a server of this machine, over TLS where there is a certificate. */
export async function connectTo(port: number, cert: string | undefined): Promise<Deno.Conn> {
  if (cert !== undefined) return await connectTls(port, cert);
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  return conn;
}

/** Lets `ms` pass. */
export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Writes all of `bytes`. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** Reads exactly `length` bytes. */
export async function readExactly(conn: Deno.Conn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await conn.read(bytes.subarray(at));
    if (count === null) throw new Error("the link ended too early");
    at += count;
  }
  return bytes;
}

/** Reads one frame and returns its body. */
export async function readFrame(conn: Deno.Conn): Promise<Uint8Array> {
  const header = await readExactly(conn, 4);
  return await readExactly(conn, new DataView(header.buffer).getUint32(0));
}
