// The socket of the operator's pages: HTTP, apart from the relay's own port.

import { ConfigError } from "../../shared/base/errors.ts";
import { addressText, type AdminAddress } from "../config/admin_address.ts";
import { type AdminView, answerRoute } from "./routes.ts";
import { listenError } from "../net/listen_error.ts";

/** The operator's pages while they are served. */
export interface AdminListener {
  /** Where they really are. */
  readonly address: string;
  /** Takes no more requests; resolves when those that came are answered. */
  finish(): Promise<void>;
}

/** Serves the pages at `address`. Throws ConfigError where that is not possible. */
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
        return new Response("The server made a mistake\n", { status: 500 });
      },
    }, (request, { remoteAddr }) => answerRoute({ request, peer: remoteAddr.hostname }, view));
    // It serves beside the relay, and must not keep the process alive.
    server.unref();
    return { address: addressText(server.addr), finish: () => server.shutdown() };
  } catch (cause) {
    throw listenError({ host: address.hostname, port: address.port, tls: undefined }, cause);
  }
}

// A process that handed over needs some ms to end; then its port is free.
const PORT_FREE_MS = 5_000;
const PORT_POLL_MS = 20;

/** The same where the process before this one may still have the port for a moment. */
export async function serveWhenFree(
  ...options: Parameters<typeof serveAdmin>
): Promise<AdminListener> {
  const late = performance.now() + PORT_FREE_MS;
  for (;;) {
    try {
      return serveAdmin(...options);
    } catch (error) {
      if (!(error instanceof ConfigError) || performance.now() > late) throw error;
      await new Promise((resolve) => setTimeout(resolve, PORT_POLL_MS));
    }
  }
}
