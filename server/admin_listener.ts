// The socket of the operator's pages: HTTP, apart from the relay's own port.

import { addressText, type AdminAddress } from "./admin_address.ts";
import { adminPage, type AdminView } from "./admin_pages.ts";
import { listenError } from "./listen_error.ts";

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
    }, (request, { remoteAddr }) => adminPage({ request, peer: remoteAddr.hostname }, view));
    // It serves beside the relay, and must not keep the process alive.
    server.unref();
    return { address: addressText(server.addr), finish: () => server.shutdown() };
  } catch (cause) {
    throw listenError({ host: address.hostname, port: address.port, tls: undefined }, cause);
  }
}
