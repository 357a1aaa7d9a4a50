import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Readable } from "node:stream";
import { createSecureContext, TLSSocket } from "node:tls";
import { mendTlsReading } from "../../../shared/base/node_tls_reading.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";

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

/** A socket of TLS that reads out of a handle, and what the handle gave it. */
function tlsOver(reads: "that handle" | "another") {
  const given: unknown[] = [];
  const handle = { onread: (bytes: unknown) => void given.push(bytes) };
  const _nativeTcpHandle = reads === "another" ? {} : handle;
  const socket = Object.assign(new Readable({ read() {} }), { _handle: { _nativeTcpHandle } });
  mendTlsReading(socket, { _handle: handle });
  return { handle, given };
}

Deno.test("mendTlsReading(): what TCP read is given back once TLS has it, where it is large", () => {
  const { handle, given } = tlsOver("that handle");
  const [large, small] = [new ArrayBuffer(65_536), new ArrayBuffer(1_024)];
  for (const bytes of [large, small, undefined]) handle.onread(bytes);
  assert.deepEqual(given, [large, small, undefined]);
  assert.deepEqual([large.detached, small.detached], [true, false]);
});

Deno.test("mendTlsReading(): where it is not known who reads TCP, nothing is given back", () => {
  const { handle } = tlsOver("another");
  const large = new ArrayBuffer(65_536);
  handle.onread(large);
  assert.equal(large.detached, false);
});

Deno.test("mendTlsReading(): over sockets, all that TCP read is given back, and what TLS read of it is what was written", async () => {
  await using certificate = await makeCertificate();
  const { cert, key } = certificate;
  const sent = new Uint8Array(randomBytes(4_194_304));
  const hash = createHash("sha256");
  const buffers: ArrayBuffer[] = [];
  const read = Promise.withResolvers<void>();
  const sockets: Socket[] = [];
  await using server = createServer((tcp) => {
    const socket = new TLSSocket(tcp, {
      isServer: true,
      secureContext: createSecureContext({ cert, key }),
    });
    mendTlsReading(socket, tcp);
    const { _handle: handle } = tcp as unknown as {
      _handle: { onread: (bytes: unknown) => unknown };
    };
    const { onread } = handle;
    handle.onread = function (bytes) {
      if (bytes instanceof ArrayBuffer && bytes.byteLength >= 16_384) buffers.push(bytes);
      onread.call(this, bytes);
    };
    let left = sent.length;
    socket.on("data", (bytes: Uint8Array) => {
      hash.update(bytes);
      left -= bytes.length;
      if (left === 0) read.resolve();
    });
    socket.on("error", read.reject);
    sockets.push(socket, tcp);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const conn = await Deno.connectTls({ hostname: "localhost", port, caCerts: [cert] });
  for (let at = 0; at < sent.length;) at += await conn.write(sent.subarray(at));
  await read.promise;
  assert.equal(hash.digest("hex"), createHash("sha256").update(sent).digest("hex"));
  assert.ok(buffers.length > 10, `${buffers.length} large reads`);
  assert.ok(buffers.every((buffer) => buffer.detached));
  conn.close();
  for (const socket of sockets) socket.destroy();
});
