import assert from "node:assert/strict";
import fc from "fast-check";
import { LimitError, ProtocolError } from "../../../shared/base/errors.ts";
import {
  fieldOf,
  HTTP_HEAD_MAX_BYTES,
  HttpHeadReader,
  listHas,
  listOf,
} from "../../../shared/websocket/http_head.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function headOf(text: string) {
  const read = new HttpHeadReader().push(encoder.encode(text));
  if (read === undefined) throw new Error("the head is not whole");
  return read;
}

Deno.test("a head is read however it is cut, and what follows is given back", () => {
  const text = "GET / HTTP/1.1\r\nHost: h\r\nX-A:  b \r\n\r\nrest";
  fc.assert(fc.property(fc.array(fc.nat(text.length)), (cuts) => {
    const at = [0, ...cuts, text.length].sort((a, b) => a - b);
    const reader = new HttpHeadReader();
    let rest: string | undefined;
    for (let n = 1; n < at.length; n++) {
      const piece = text.slice(at[n - 1], at[n]);
      if (rest !== undefined) {
        rest += piece;
        continue;
      }
      const read = reader.push(encoder.encode(piece));
      if (read === undefined) continue;
      assert.equal(read.head.startLine, "GET / HTTP/1.1");
      assert.deepEqual(read.head.fields, new Map([["host", ["h"]], ["x-a", ["b"]]]));
      rest = decoder.decode(read.rest);
    }
    assert.equal(rest, "rest");
  }));
});

Deno.test("a head of more than 8 KiB is refused as soon as that much came", () => {
  const reader = new HttpHeadReader();
  const piece = encoder.encode("GET / HTTP/1.1\r\nX: " + "x".repeat(HTTP_HEAD_MAX_BYTES - 20));
  assert.equal(reader.push(piece), undefined);
  assert.throws(() => reader.push(encoder.encode("xx")), LimitError);
  const most = "GET / HTTP/1.1\r\nX: \r\n\r\n";
  const fits = most.replace("X: ", `X: ${"x".repeat(HTTP_HEAD_MAX_BYTES - most.length)}`);
  assert.equal(headOf(fits).rest.length, 0);
});

Deno.test("a head with control characters, bare line ends, folded or nameless lines is refused", () => {
  const bad = [
    "GET / HTTP/1.1\nHost: h\n\n",
    "GET / HTTP/1.1\r\nHost: h\r\n\n",
    "GET / HTTP/1.1\r\nHost: h\rx\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
    "GET / HTTP/1.1\r\n: h\r\n\r\n",
    "GET / HTTP/1.1\r\nnothing\r\n\r\n",
    `GET / HTTP/1.1\r\n${"A: b\r\n".repeat(101)}\r\n`,
  ];
  for (const text of bad) {
    assert.throws(() => headOf(text), ProtocolError, JSON.stringify(text.slice(0, 60)));
  }
});

Deno.test("a field that must be single is refused twice, and a list is joined over its lines", () => {
  const { head } = headOf("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\nX: 1, 2\r\nx: 3,,\r\n\r\n");
  assert.throws(() => fieldOf(head, "host"), ProtocolError);
  assert.deepEqual(listOf(head, "x"), ["1", "2", "3"]);
  assert.equal(fieldOf(head, "origin"), undefined);
  const { head: upgrade } = headOf("GET / HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\n\r\n");
  assert.ok(listHas(upgrade, "connection", "upgrade"));
  assert.ok(!listHas(upgrade, "connection", "close"));
});

Deno.test("blanks around a value go, those within stay and cost no time", () => {
  const within = `a${" ".repeat(8_000)}b`;
  const text = `GET / HTTP/1.1\r\nX: \t ${within}\t \r\nY: \t \r\n\r\n`;
  const started = performance.now();
  for (let n = 0; n < 20; n++) {
    const { head } = headOf(text);
    assert.deepEqual([fieldOf(head, "x"), fieldOf(head, "y")], [within, ""]);
  }
  // A pattern that looked for the last blanks from each of them took seconds for these.
  assert.ok(performance.now() - started < 1_000);
});
