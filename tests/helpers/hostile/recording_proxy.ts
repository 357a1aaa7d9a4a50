// Somebody on the network between clients and a server: passes everything on, and keeps it.

/** A TCP proxy to a port of this machine. */
export class RecordingProxy implements AsyncDisposable {
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #target: number;
  readonly #conns: Deno.Conn[] = [];
  readonly #chunks: Uint8Array[] = [];
  readonly #passing: Promise<unknown>[] = [];

  constructor(target: number) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#passing.push(this.#accept());
  }

  /** All bytes of both directions, in the order in which they came. */
  get recorded(): Uint8Array {
    const whole = new Uint8Array(this.#chunks.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) close(conn);
    await Promise.all(this.#passing);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
      this.#conns.push(client, server);
      this.#passing.push(this.#pass(client, server), this.#pass(server, client));
    }
  }

  async #pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
        const chunk = buffer.slice(0, n);
        this.#chunks.push(chunk);
        for (let at = 0; at < n;) at += await to.write(chunk.subarray(at));
      }
    } catch {
      // One side is gone; the other is told by closing.
    }
    close(from);
    close(to);
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
