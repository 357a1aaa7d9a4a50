import assert from "node:assert/strict";
import { FirstBytes } from "../../../server/web/first_bytes.ts";
import { takeProxyHeader } from "../../../server/web/proxy_protocol.ts";
import { ProtocolError } from "../../../shared/base/errors.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { FakeLink } from "../../helpers/peers/relay.ts";
import { proxyV2 } from "../../helpers/web/proxy_headers.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The address in a header that comes in these pieces, and what is left behind it. */
async function taken(...pieces: Uint8Array[]): Promise<[string | undefined, string] | undefined> {
  const first = new FirstBytes(new FakeLink(pieces));
  const header = await takeProxyHeader(first);
  while (await first.has(first.bytes.length + 1));
  return header === undefined ? undefined : [header.address, decoder.decode(first.bytes)];
}

const inBytes = (bytes: Uint8Array) => Array.from(bytes, (byte) => Uint8Array.of(byte));

Deno.test("PROXY v1 and v2 give the client's address and leave what follows, one byte at a time too", async () => {
  const cases: [Uint8Array, string | undefined][] = [
    [encoder.encode("PROXY TCP4 192.0.2.7 192.0.2.9 56324 443\r\n"), "192.0.2.7"],
    [encoder.encode("PROXY TCP6 2001:db8::7 2001:db8::9 56324 443\r\n"), "2001:db8::7"],
    [encoder.encode("PROXY UNKNOWN\r\n"), undefined],
    [encoder.encode("PROXY UNKNOWN ffff:f::f ffff::f 65535 65535\r\n"), undefined],
    [proxyV2({ address: [192, 0, 2, 7] }), "192.0.2.7"],
    [proxyV2({ address: [192, 0, 2, 7], extra: 1_000 }), "192.0.2.7"],
    [
      proxyV2({ address: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7] }),
      "2001:db8::7",
    ],
    [proxyV2({ command: 0x20, family: 0, extra: 20 }), undefined],
    [proxyV2({ family: 0, extra: 0 }), undefined],
  ];
  for (const [header, address] of cases) {
    const sent = concatBytes([header, encoder.encode("then")]);
    assert.deepEqual(await taken(sent), [address, "then"]);
    assert.deepEqual(await taken(...inBytes(sent)), [address, "then"]);
  }
});

Deno.test("what begins like no PROXY header is left as it is", async () => {
  for (const text of ["GET / HTTP/1.1", "PROX", "POST", "\0\0\0\x05", "\r\n\r\nx", ""]) {
    assert.equal(await taken(encoder.encode(text)), undefined);
  }
});

Deno.test("a broken PROXY header is refused", async () => {
  const good = proxyV2({ address: [192, 0, 2, 7] });
  const bad = [
    ...[
      "PROXY TCP4 192.0.2.7 192.0.2.9 56324\r\n",
      "PROXY TCP4 192.0.2.7 192.0.2.9 56324 99999\r\n",
      "PROXY TCP4 2001:db8::7 192.0.2.9 1 2\r\n",
      "PROXY TCP6 192.0.2.7 192.0.2.9 1 2\r\n",
      "PROXY TCP4 192.0.2.777 192.0.2.9 1 2\r\n",
      "PROXY TCP4 192.0.2.7 192.0.2.9 1 2\n",
      "PROXY UDP4 192.0.2.7 192.0.2.9 1 2\r\n",
      "PROXY  TCP4 192.0.2.7 192.0.2.9 1 2\r\n",
      `PROXY UNKNOWN ${"x".repeat(100)}\r\n`,
      "PROXY TCP4 192.0.2.7",
    ].map((text) => encoder.encode(text)),
    proxyV2({ command: 0x22, address: [192, 0, 2, 7] }),
    proxyV2({ command: 0x11, address: [192, 0, 2, 7] }),
    proxyV2({ family: 0x12, address: [192, 0, 2, 7] }),
    proxyV2({ family: 0x31, address: [192, 0, 2, 7] }),
    proxyV2({ family: 0x21, address: [192, 0, 2, 7] }),
    proxyV2({ address: [192, 0, 2, 7], extra: 4_100 }),
    ...[13, 16, 27].map((length) => good.subarray(0, length)),
  ];
  for (const header of bad) {
    await assert.rejects(taken(header), ProtocolError, decoder.decode(header));
  }
});
