import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { mendTlsReading } from "../../../shared/base/node_tls_reading.ts";

Deno.test("mendTlsReading(): a full buffer stops nothing while reading starts, and stops it after", () => {
  const told: boolean[] = [];
  const socket = new Readable({
    highWaterMark: 10,
    read() {
      told.push(this.push(Buffer.alloc(20)));
    },
  });
  mendTlsReading(socket, {});
  socket.read(0);
  assert.deepEqual(told, [true]);
  assert.equal(socket.push(Buffer.alloc(20)), false);
  assert.equal(socket.readableLength, 40);
});

Deno.test("mendTlsReading(): a start that throws counts as over", () => {
  const socket = new Readable({ highWaterMark: 10 });
  socket._read = () => {
    throw new Error("no handle");
  };
  mendTlsReading(socket, {});
  assert.throws(() => socket._read(1), /no handle/);
  assert.equal(socket.push(Buffer.alloc(20)), false);
});

Deno.test("mendTlsReading(): TCP is not read while the buffer is full, and is again once there is room", () => {
  const told: string[] = [];
  const tcp = {
    _handle: {
      readStart: () => told.push("start"),
      readStop: () => told.push("stop"),
    },
  };
  const socket = new Readable({ highWaterMark: 10, read() {} });
  mendTlsReading(socket, tcp);
  socket.read(0);
  assert.equal(socket.push(Buffer.alloc(6)), true);
  assert.equal(socket.push(Buffer.alloc(6)), false);
  assert.equal(socket.push(Buffer.alloc(6)), false, "what TLS had read by then");
  assert.deepEqual(told, ["stop"]);
  while (socket.read() !== null);
  assert.deepEqual(told, ["stop", "start"]);
  assert.equal(socket.push(null), false);
  assert.deepEqual(told, ["stop", "start"], "nothing comes after the end");
});
