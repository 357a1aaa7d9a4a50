// The client's own dialer to a server of this machine, without TLS.

import { SYSTEM_CLOCK } from "../../../client/base/clock.ts";
import { Dialer, type DialerOptions } from "../../../client/session/dialer.ts";
import { ServerGate } from "../../../client/session/server_gate.ts";

/** Knows one port, and no address but that of each host unless `more` says so. */
export function dialerTo(port: number, more: Partial<DialerOptions> = {}): Dialer {
  return new Dialer({
    endpoint: { host: "127.0.0.1", port, tls: undefined },
    gate: new ServerGate({
      address: `127.0.0.1:${port}`,
      token: undefined,
      pinned: undefined,
      known: undefined,
      isCertified: false,
      isDirect: true,
      tell: () => {},
    }),
    renderer: "rich",
    bufferSize: 200,
    clock: SYSTEM_CLOCK,
    resolve: (host) => Promise.resolve([host]),
    onInsecure: () => {},
    onV1: undefined,
    ...more,
  });
}
