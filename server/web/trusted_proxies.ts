// Which peers may name the client behind them, and how X-Forwarded-For is read then.

import { ConfigError, ProtocolError } from "../../shared/base/errors.ts";
import { type HttpHead, listOf } from "../../shared/websocket/http_head.ts";
import { type IpNetwork, isWithin, parseAddress, parseNetwork } from "../limits/ip_network.ts";

// Some proxies add the client's port, and put an IPv6 address into brackets.
const BRACKETED = /^\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?$/;
const IPV4_WITH_PORT = /^([0-9.]+):\d{1,5}$/;

/** Networks of `--trusted-proxy`. */
export class TrustedProxies {
  readonly #networks: readonly IpNetwork[];

  /** Takes addresses and networks as they were typed. Throws ConfigError. */
  constructor(texts: readonly string[]) {
    this.#networks = texts.map(readNetwork);
  }

  /** Whether there are no trusted proxies. */
  get isEmpty(): boolean {
    return this.#networks.length === 0;
  }

  /** Whether the peer at `address` may name the client behind it. */
  trusts(address: string): boolean {
    const parsed = this.isEmpty ? undefined : parseAddress(address);
    return parsed !== undefined && this.#networks.some((network) => isWithin(parsed, network));
  }

  /**
   * The client of a request that came from `peer`: the first hop from the right that is not trusted. Entries to the
   * left of it can be forged. Throws ProtocolError for a hop that is not an address.
   */
  clientOf(peer: string, head: HttpHead): string {
    const hops = listOf(head, "x-forwarded-for");
    let client = peer;
    while (this.trusts(client)) {
      const hop = hops.pop();
      if (hop === undefined) return client;
      client = readHop(hop);
    }
    return client;
  }
}

function readHop(text: string): string {
  const bare = BRACKETED.exec(text)?.[1] ?? IPV4_WITH_PORT.exec(text)?.[1] ?? text;
  const address = bare.includes("%") ? undefined : parseAddress(bare);
  if (address !== undefined) return address.toString();
  throw new ProtocolError("Cannot use X-Forwarded-For: a hop in it is not an address");
}

// A single IPv6 address means only itself here, not its /64 as in a ban.
function readNetwork(text: string): IpNetwork {
  const whole = text.includes(":") && !text.includes("/") ? `${text}/128` : text;
  try {
    return parseNetwork(whole);
  } catch (cause) {
    throw new ConfigError(
      `Cannot use --trusted-proxy ${
        JSON.stringify(text.slice(0, 80))
      }: it must be an address or a ` +
        "network, such as 127.0.0.1 or 10.0.0.0/24, and not all addresses at once",
      { cause },
    );
  }
}
