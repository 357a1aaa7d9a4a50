import assert from "node:assert/strict";
import {
  foreignProtocolAnswer,
  isUnnamedProxy,
} from "../../../server/connection/foreign_protocol.ts";
import { FRAME_MAX_BYTES } from "../../../shared/base/limits.ts";

const encoder = new TextEncoder();

function answer(first: string, tls = false): string | undefined {
  return foreignProtocolAnswer(encoder.encode(first).slice(0, 4), tls);
}

Deno.test("a browser gets an HTTP answer that its user can read", () => {
  for (
    const first of [
      "GET / HTTP/1.1",
      "POST /",
      "HEAD /",
      "PUT /",
      "OPTIONS",
      "CONNECT",
      "PRI * HTTP/2",
    ]
  ) {
    const text = answer(first) ?? "";
    assert.match(text, /^HTTP\/1\.1 400 .*\r\n\r\n/s, first);
    assert.match(text, /not a web server\. Join with: cmdchat-client --host HOST --port PORT\r\n$/);
  }
});

Deno.test("an SSH client gets one line, and a TLS client learns that this port has none", () => {
  assert.match(
    answer("SSH-2.0-OpenSSH") ?? "",
    /^This is a cmdchat server, not an SSH server\..*\r\n$/,
  );
  assert.match(
    foreignProtocolAnswer(new Uint8Array([0x16, 3, 1, 2]), false) ?? "",
    /^This cmdchat server speaks no TLS on this port\..*\r\n$/,
  );
});

Deno.test("the advice says --tls where the port has it", () => {
  assert.match(answer("SSH-", true) ?? "", /--port PORT --tls\r\n$/);
});

Deno.test("nothing that begins a frame of ours is taken for another protocol", () => {
  for (let length = 0; length <= FRAME_MAX_BYTES; length += 257) {
    const header = new Uint8Array(4);
    new DataView(header.buffer).setUint32(0, length);
    assert.equal(foreignProtocolAnswer(header, false), undefined);
  }
  for (const first of ["", "G", "get ", "XYZ!", "\0\0\0\0"]) assert.equal(answer(first), undefined);
});

Deno.test("isUnnamedProxy() knows the first bytes of both versions of the PROXY header, and no others", () => {
  for (const first of ["PROXY TCP4", "\r\n\r\n\0\r\nQUIT\n"]) {
    assert.equal(isUnnamedProxy(encoder.encode(first).slice(0, 4)), true, first);
  }
  for (const first of ["PRO", "PRI ", "POST", "\r\n\r", "\0\0\0K", ""]) {
    assert.equal(isUnnamedProxy(encoder.encode(first).slice(0, 4)), false, first);
  }
});
