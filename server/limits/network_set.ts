// A set of many networks, such as an operator's list. The cost of a look-up grows with the number of prefix lengths.

import { ConfigError, UsageError } from "../../shared/base/errors.ts";
import { readTrustedFile } from "../config/secret_file.ts";
import { type IpAddress, type IpNetwork, networkText, parseNetwork } from "./ip_network.ts";

/** An immutable set of networks. */
export class NetworkSet {
  readonly #networks = new Map<string, IpNetwork>();
  /** First bytes of the networks, by address family and prefix length. */
  readonly #byLength = new Map<string, Map<number, Set<string>>>();

  constructor(networks: Iterable<IpNetwork> = []) {
    for (const network of networks) this.#add(network);
  }

  /** Number of networks. */
  get size(): number {
    return this.#networks.size;
  }

  /** Whether this very network is one of them. */
  has(network: IpNetwork): boolean {
    return this.#networks.has(networkText(network));
  }

  /** Whether `address` is in one of them. */
  covers(address: IpAddress): boolean {
    const lengths = this.#byLength.get(address.kind());
    if (lengths === undefined) return false;
    const bytes = address.toByteArray();
    return lengths.entries().some(([length, known]) => known.has(firstBits(bytes, length)));
  }

  #add(network: IpNetwork): void {
    const { address, prefix } = network;
    this.#networks.set(networkText(network), network);
    const lengths = this.#byLength.get(address.kind()) ?? new Map<number, Set<string>>();
    this.#byLength.set(address.kind(), lengths);
    const known = lengths.get(prefix) ?? new Set();
    lengths.set(prefix, known.add(firstBits(address.toByteArray(), prefix)));
  }
}

/** The addresses and networks in a file, one a line; a line that begins with # is a comment. Throws ConfigError. */
export function readBansFile(path: string): NetworkSet {
  const bytes = readTrustedFile({ option: "--bans-file", path }, false);
  const lines = new TextDecoder().decode(bytes).split(/\r\n|\n|\r/);
  return new NetworkSet(lines.flatMap((line, n) => networkOfLine(line.trim(), n + 1, path) ?? []));
}

function networkOfLine(text: string, line: number, path: string): IpNetwork | undefined {
  if (text === "" || text.startsWith("#")) return undefined;
  try {
    return parseNetwork(text);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new ConfigError(
      `Cannot use --bans-file ${JSON.stringify(path)}: line ${line} is not an address or a network`,
      { cause, hint: "such as 192.0.2.1, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/48" },
    );
  }
}

function firstBits(bytes: readonly number[], length: number): string {
  const whole = bytes.slice(0, length >> 3);
  const rest = length & 7;
  if (rest > 0) whole.push((bytes[length >> 3] ?? 0) >> (8 - rest));
  return whole.join();
}
