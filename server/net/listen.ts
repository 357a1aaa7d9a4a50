// Starts to listen: picks the implementation for this runtime. Only this room opens sockets for clients.

import { listenError } from "./listen_error.ts";
import type { Listener, ListenOptions } from "./listener.ts";
import { DenoListener, openTls } from "./deno_listener.ts";
import { NodeTlsListener } from "./node_tls_listener.ts";

/** Starts to listen. Throws ConfigError where the address, or certificate and key, cannot be used. */
export async function listen(options: ListenOptions): Promise<Listener> {
  try {
    if (options.tls === undefined) return new DenoListener(options);
    // Refuses at start what would fail at the first client.
    const listener = openTls({ ...options, ...(HAS_NODE_TLS ? { port: 0 } : {}) }, options.tls);
    if (!HAS_NODE_TLS) return new DenoListener(options, listener);
    listener.close();
    return await NodeTlsListener.open(options, options.tls);
  } catch (cause) {
    throw listenError(options, cause);
  }
}

// 2.4, on which executables can be built as well, has no server side of TLS over a node:net socket.
const [MAJOR = 0, MINOR = 0] = Deno.version.deno.split(".").map(Number);
const HAS_NODE_TLS = MAJOR > 2 || (MAJOR === 2 && MINOR >= 9);
