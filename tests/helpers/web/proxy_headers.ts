// Headers with which a proxy says whom it brings.

import { concatBytes } from "../../../shared/base/bytes.ts";

/** What stands in a header of version 2. */
export interface ProxyV2 {
  /** 0x21 = PROXY unless told. */
  readonly command?: number;
  /** That of TCP over the address unless told. */
  readonly family?: number;
  /** 4 or 16 bytes. */
  readonly address?: readonly number[];
  /** Bytes behind the addresses. */
  readonly extra?: number;
}

/** A header of the PROXY protocol, version 2. */
export function proxyV2({ command = 0x21, family, address = [], extra = 0 }: ProxyV2): Uint8Array {
  const body = address.length === 0
    ? []
    : [...address, ...address.map(() => 1), 0x30, 0x39, 0x01, 0xbb];
  const length = body.length + extra;
  return concatBytes([
    Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10),
    Uint8Array.of(
      command,
      family ?? (address.length === 4 ? 0x11 : 0x21),
      length >> 8,
      length & 0xff,
    ),
    Uint8Array.from(body),
    new Uint8Array(extra),
  ]);
}
