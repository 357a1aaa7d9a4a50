// Starts to listen, with the implementation that fits this runtime.

import { listenError } from "./listen_error.ts";
import type { Listener, ListenOptions } from "./listener.ts";
import { DenoListener, openTls } from "./deno_listener.ts";
import { NodeTlsListener } from "./node_tls_listener.ts";

/** Starts to listen. Throws ConfigError where the address, or the certificate and key, cannot be used. */
export async function listen(options: ListenOptions): Promise<Listener> {
  try {
    if (options.tls === undefined) return new DenoListener(options);
    // node:net takes no address with a zone (fe80::1%eth0).
    if (!HAS_NODE_TLS || options.host.includes("%")) {
      return new DenoListener(options, openTls(options, options.tls));
    }
    // A certificate that cannot be used is refused at the start, not at the first client.
    openTls({ ...options, port: 0 }, options.tls).close();
    return await NodeTlsListener.open(options, options.tls);
  } catch (cause) {
    throw listenError(options, cause);
  }
}

// Executables can also be built on Deno 2.4, which has no server side of TLS over a node:net socket.
const [MAJOR = 0, MINOR = 0] = Deno.version.deno.split(".").map(Number);
const HAS_NODE_TLS = MAJOR > 2 || (MAJOR === 2 && MINOR >= 9);
