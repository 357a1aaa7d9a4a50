import assert from "node:assert/strict";
import * as clientLimits from "../../../client/base/limits.ts";
import * as serverLimits from "../../../server/config/limits.ts";
import * as sharedLimits from "../../../shared/base/limits.ts";
import { encodeJson, V1_PAYLOAD_MAX_BYTES } from "../../../shared/channel/envelope_v1.ts";
import { RECORD_MAX_CONTENT } from "../../../shared/channel/record_cipher.ts";

const limits = { ...sharedLimits, ...serverLimits, ...clientLimits };

Deno.test("every limit is a positive whole number, or a row of such", () => {
  for (const [name, value] of Object.entries(limits)) {
    const numbers = typeof value === "number" ? [value] : Object.values(value);
    for (const number of numbers) assert.ok(Number.isSafeInteger(number) && number > 0, name);
  }
});

Deno.test("what the wire format and DESIGN fix has not moved", () => {
  assert.equal(limits.FRAME_MAX_BYTES, 65_536);
  assert.equal(limits.FILE_CHUNK_BYTES, 32_768);
  assert.equal(limits.MESSAGE_MAX_BYTES, 4_096);
  assert.equal(limits.FILE_MAX_BYTES, 10_485_760);
  assert.deepEqual([limits.RATE_LIMIT_MESSAGES, limits.RATE_LIMIT_SECONDS], [12, 5]);
  assert.deepEqual([limits.HEARTBEAT_INTERVAL_S, limits.HEARTBEAT_TIMEOUT_MS], [15, 45_000]);
  assert.deepEqual([limits.NAME_MAX_CHARACTERS, limits.NAME_MAX_BYTES], [32, 64]);
  assert.deepEqual([limits.RECONNECT_MIN_MS, limits.RECONNECT_MAX_MS], [1_000, 30_000]);
  assert.deepEqual([limits.REKEY_RECORDS, limits.REKEY_MS], [2 ** 20, 600_000]);
  assert.deepEqual(limits.BUFFER_SIZE, { default: 200, min: 10, max: 1_000 });
});

Deno.test("the largest message fits a v1 frame, even when JSON writes every byte as six", () => {
  const payload = encodeJson({
    type: "chat",
    sender: "\u{10ffff}".repeat(limits.NAME_MAX_BYTES / 4),
    message: "\x01".repeat(limits.MESSAGE_MAX_BYTES_CEILING),
    client_id: Number.MAX_SAFE_INTEGER,
    room: "\u{10ffff}".repeat(limits.NAME_MAX_BYTES / 4),
    timestamp: "2026-11-23T18:00:00.123456Z",
    sequence: Number.MAX_SAFE_INTEGER,
  });
  assert.ok(payload.length <= V1_PAYLOAD_MAX_BYTES, `${payload.length} of ${V1_PAYLOAD_MAX_BYTES}`);
});

Deno.test("a whole file chunk fits a v1 frame and a v2 record", () => {
  const payload = encodeJson({
    type: "file_chunk",
    file_id: "x".repeat(128),
    chunk_index: Number.MAX_SAFE_INTEGER,
    chunk_data: "A".repeat(Math.ceil(limits.FILE_CHUNK_BYTES / 3) * 4),
    is_final: false,
    sender: "x".repeat(limits.NAME_MAX_BYTES),
    client_id: Number.MAX_SAFE_INTEGER,
    room: "x".repeat(limits.NAME_MAX_BYTES),
    timestamp: "2026-11-23T18:00:00.123456Z",
  });
  assert.ok(payload.length <= V1_PAYLOAD_MAX_BYTES, `${payload.length} of ${V1_PAYLOAD_MAX_BYTES}`);
  assert.ok(limits.FILE_CHUNK_BYTES < RECORD_MAX_CONTENT);
});

Deno.test("defaults lie within their ceilings, and one client within the whole server", () => {
  const pairs = [
    ["MESSAGE_MAX_BYTES", "MESSAGE_MAX_BYTES_CEILING"],
    ["FILE_MAX_BYTES", "FILE_MAX_BYTES_CEILING"],
    ["FILE_MAX_BYTES", "FILE_HELD_MAX_BYTES"],
    ["CONNECTIONS_PER_ADDRESS_MAX", "CONNECTIONS_MAX"],
    ["OUTBOX_WRITE_BYTES", "OUTBOX_MAX_BYTES"],
    ["OUTBOX_BULK_WRITE_BYTES", "OUTBOX_WRITE_BYTES"],
    ["READ_BUFFER_IDLE_BYTES", "READ_BUFFER_FIRST_BYTES"],
    ["READ_BUFFER_FIRST_BYTES", "READ_BUFFER_BUSY_BYTES"],
    ["HANDSHAKE_MAX_BYTES", "FRAME_MAX_BYTES"],
    ["RECORD_MAX_BYTES", "FRAME_MAX_BYTES"],
    ["HELLO_MAX_BYTES", "BODY_MAX_BYTES"],
  ] as const;
  for (const [small, large] of pairs) {
    assert.ok(limits[small] <= limits[large], `${small} ${large}`);
  }
  // A whole file must fit an outbox, which counts bodies before they are sealed.
  assert.ok(limits.FILE_MAX_BYTES * 4 / 3 <= limits.OUTBOX_BULK_MAX_BYTES);
  assert.ok(limits.PUSHED_FILES.waitingBytes * 4 <= limits.PUSHED_FILES.mostBytes);
  assert.ok(limits.OUTBOX_MAX_BYTES + limits.OUTBOX_BULK_MAX_BYTES <= limits.OUTBOX_BUDGET.most);
  // What one member says fits into the part of an outbox that nobody can take away.
  assert.ok(limits.MESSAGE_MAX_BYTES_CEILING <= limits.OUTBOX_BUDGET.reserve);
});
