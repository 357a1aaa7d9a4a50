// The admin pages' own HTTP socket, separate from the relay's port.

import { ConfigError } from "../../shared/base/errors.ts";
import { addressText, type AdminAddress } from "../config/admin_address.ts";
import { type AdminView, answerRoute } from "./routes.ts";
import { listenError } from "../net/listen_error.ts";

/** The running HTTP server of the admin pages. */
export interface AdminListener {
  /** Address and port that the pages have. */
  readonly address: string;
  /** Accepts no more requests; resolves when all earlier ones are answered. */
  finish(): Promise<void>;
}

/** Serves the pages at `address`. Throws ConfigError when it cannot listen there. */
export function serveAdmin(
  address: AdminAddress,
  view: AdminView,
  onFault: (error: unknown) => void,
): AdminListener {
  try {
    const server = Deno.serve({
      ...address,
      onListen: () => {},
      onError(error) {
        onFault(error);
        return new Response("Internal error\n", { status: 500 });
      },
    }, (request, { remoteAddr }) => answerRoute({ request, peer: remoteAddr.hostname }, view));
    // The pages alone must not keep the process alive.
    server.unref();
    return { address: addressText(server.addr), finish: () => server.shutdown() };
  } catch (cause) {
    throw listenError({ host: address.hostname, port: address.port, tls: undefined }, cause);
  }
}

const PORT_POLL_MS = 20;

/**
 * What `open` returns as soon as the previous process has left the port. Throws the ConfigError of `open` when that
 * takes more than `patienceMs`.
 */
export async function whenFree(
  open: () => AdminListener,
  patienceMs: number,
): Promise<AdminListener> {
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      return open();
    } catch (error) {
      if (!(error instanceof ConfigError) || performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, PORT_POLL_MS));
    }
  }
}
