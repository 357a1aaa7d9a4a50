import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { keepTlsEnd } from "../../../shared/base/node_tls_reading.ts";

Deno.test("keepTlsEnd(): a full buffer stops nothing while reading starts, and stops it after", () => {
  const told: boolean[] = [];
  const socket = new Readable({
    highWaterMark: 10,
    read() {
      told.push(this.push(Buffer.alloc(20)));
    },
  });
  keepTlsEnd(socket);
  socket.read(0);
  assert.deepEqual(told, [true]);
  assert.equal(socket.push(Buffer.alloc(20)), false);
  assert.equal(socket.readableLength, 40);
});

Deno.test("keepTlsEnd(): a start that throws counts as over", () => {
  const socket = new Readable({ highWaterMark: 10 });
  socket._read = () => {
    throw new Error("no handle");
  };
  keepTlsEnd(socket);
  assert.throws(() => socket._read(1), /no handle/);
  assert.equal(socket.push(Buffer.alloc(20)), false);
});
