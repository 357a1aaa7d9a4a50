// Somebody between clients and a server, on TCP: joins each connection that comes to one of its own, and is told what to
// do with both.

import { closeQuietly, isGone } from "../peers/conn_ends.ts";

/** Listens in a server's place, and ends all that it joined when it is disposed of. */
export abstract class Between implements AsyncDisposable {
  /** Port of the server. */
  target: number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  readonly #serving: Promise<void>;

  constructor(target: number) {
    this.target = target;
    this.#serving = this.#serve();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Cuts all connections that stand. */
  cutAll(): void {
    for (const conn of this.#conns) closeQuietly(conn);
    this.#conns.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cutAll();
    await this.#serving;
  }

  /** Passes on what it likes between a client and the server; resolves when both are closed. */
  protected abstract between(near: Deno.Conn, far: Deno.Conn): Promise<void>;

  async #serve(): Promise<void> {
    const running: Promise<void>[] = [];
    try {
      for await (const near of this.#listener) running.push(this.#join(near));
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    await Promise.all(running);
  }

  async #join(near: Deno.Conn): Promise<void> {
    this.#conns.add(near);
    let far: Deno.Conn;
    try {
      far = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
    } catch {
      return closeQuietly(near);
    }
    this.#conns.add(far);
    await this.between(near, far);
    this.#conns.delete(near);
    this.#conns.delete(far);
  }
}
