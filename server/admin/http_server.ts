// The admin pages' own HTTP socket, separate from the relay's port. Not Deno.serve(): it has no deadline for a head and
// no bound on connections, and one accept without a file descriptor ends it for good.

import { ConfigError } from "../../shared/base/errors.ts";
import { addressText, type AdminAddress } from "../config/admin_address.ts";
import type { ConnectionSlot } from "../limits/connection_slots.ts";
import { type Connection, ConnectionLost } from "../net/connection.ts";
import { listen } from "../net/listen.ts";
import { readHttpRequest, writeHttpResponse } from "./http_exchange.ts";
import { type AdminView, answerRoute } from "./routes.ts";

/** How long a request may take to arrive, in ms. */
export const REQUEST_DEADLINE_MS = 5_000;
/** Most connections at once: more than there are wrong guesses whose answer waits (token_gate.ts). */
export const ADMIN_CONNECTIONS_MAX = 128;
/** How long an answer may take: a hand-over drains for seconds and may be large. */
const ANSWER_DEADLINE_MS = 60_000;

/** The running HTTP server of the admin pages. */
export interface AdminListener {
  /** Address and port that the pages have. */
  readonly address: string;
  /** Accepts no more requests; resolves when all earlier ones are answered. */
  finish(): Promise<void>;
}

/** Serves the pages at `address`. Throws ConfigError when it cannot listen there. */
export async function serveAdmin(
  address: AdminAddress,
  view: AdminView,
  onFault: (error: unknown) => void,
): Promise<AdminListener> {
  const { hostname: host, port } = address;
  const listener = await listen({ host, port, tls: undefined });
  const exchanges = new Exchanges(view, onFault);
  void listener.serve({
    admit: () => exchanges.admit(),
    onConnection: (connection, _slot, ending) =>
      void exchanges.serve(connection).then(() => ending.end(), (error) => ending.fail(error)),
    onHandshakeFailed: () => {},
    onFault,
  });
  return {
    address: addressText(listener.address),
    async finish() {
      listener.close();
      await exchanges.finish();
    },
  };
}

const SLOT: ConnectionSlot = { forHeld: false, settle() {}, release() {} };

/**
 * The connections of the pages. The contract:
 * 1. There are at most ADMIN_CONNECTIONS_MAX. One more disconnects the one whose request is overdue longest, and is
 *    refused only where every request has arrived and is being answered.
 * 2. A request that has not arrived after REQUEST_DEADLINE_MS is disconnected.
 */
class Exchanges {
  readonly #view: AdminView;
  readonly #onFault: (error: unknown) => void;
  /** Connections whose request has not arrived, the oldest first. */
  readonly #arriving = new Set<Connection>();
  readonly #answering = new Set<Promise<void>>();

  constructor(view: AdminView, onFault: (error: unknown) => void) {
    this.#view = view;
    this.#onFault = onFault;
  }

  admit(): ConnectionSlot | undefined {
    if (this.#arriving.size + this.#answering.size < ADMIN_CONNECTIONS_MAX) return SLOT;
    const [oldest] = this.#arriving;
    if (oldest === undefined) return undefined;
    this.#arriving.delete(oldest);
    oldest.close();
    return SLOT;
  }

  async serve(connection: Connection): Promise<void> {
    this.#arriving.add(connection);
    const timer = setTimeout(() => connection.close(), REQUEST_DEADLINE_MS);
    let request: Request | Response | undefined;
    try {
      request = await readHttpRequest(connection);
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
    } finally {
      clearTimeout(timer);
    }
    if (!this.#arriving.delete(connection) || request === undefined) return;
    const answered = this.#answer(connection, request);
    this.#answering.add(answered);
    await answered.finally(() => this.#answering.delete(answered));
  }

  async finish(): Promise<void> {
    for (const connection of this.#arriving) connection.close();
    this.#arriving.clear();
    await Promise.all(this.#answering);
  }

  async #answer(connection: Connection, request: Request | Response): Promise<void> {
    const timer = setTimeout(() => connection.close(), ANSWER_DEADLINE_MS);
    try {
      const isHead = request instanceof Request && request.method === "HEAD";
      await writeHttpResponse(connection, await this.#responseTo(connection, request), isHead);
    } catch (error) {
      if (!(error instanceof ConnectionLost)) this.#onFault(error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #responseTo(connection: Connection, request: Request | Response): Promise<Response> {
    if (request instanceof Response) return request;
    try {
      const gone = () => whenGone(connection);
      return await answerRoute({ request, peer: connection.address, gone }, this.#view);
    } catch (error) {
      this.#onFault(error);
      return new Response("Internal error\n", { status: 500 });
    }
  }
}

/** Resolves when the other end has closed the connection; what it still sends is not kept. */
async function whenGone(connection: Connection): Promise<void> {
  try {
    while (await connection.read() !== null);
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
  }
}

const PORT_POLL_MS = 20;

/**
 * What `open` returns as soon as the previous process has left the port. Throws the ConfigError of `open` when that
 * takes more than `patienceMs`.
 */
export async function whenFree(
  open: () => Promise<AdminListener>,
  patienceMs: number,
): Promise<AdminListener> {
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof ConfigError) || performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, PORT_POLL_MS));
    }
  }
}
