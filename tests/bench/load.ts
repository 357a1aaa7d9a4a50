// The load of the fan-out rows: sealed beforehand, bytes counted while the clock runs, checked afterwards.

/** 100 members of whom 10 send messages of 100 bytes. */
export interface Load {
  readonly members: number;
  readonly senders: number;
  readonly perSender: number;
  readonly messageBytes: number;
}

/** The load of DESIGN.md section 9. */
export const FAN_OUT: Load = { members: 100, senders: 10, perSender: 300, messageBytes: 100 };

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

/** Lets all members send and receive at once. Returns the seconds from the first write to the last delivery. */
export async function runLoad(members: readonly LoadMember[]): Promise<number> {
  const start = performance.now();
  await Promise.all(members.flatMap((member) => [readAll(member), writePackets(member)]));
  return (performance.now() - start) / 1_000;
}

async function readAll({ conn, counter }: LoadMember): Promise<void> {
  for (;;) {
    const buffer = new Uint8Array(65_536);
    const count = await conn.read(buffer);
    if (count === null) throw new Error("a link ended under load");
    if (counter.take(buffer.subarray(0, count))) return;
  }
}

async function writePackets({ conn, packets }: LoadMember): Promise<void> {
  for (const packet of packets) await writeAll(conn, packet);
}

/** Throws unless `texts` is every message of the load, once, each sender's in its order. */
export function checkComplete(load: Load, texts: readonly string[]): void {
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

/** Writes all of `bytes`. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
