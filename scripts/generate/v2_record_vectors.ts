// Vectors of records (docs/PROTOCOL.md §6): the records that a receiver gets, in order, and the result.

import { Buffer } from "node:buffer";
import { fixedBytes, frame, RecordWriter } from "./v2_reference.ts";

const REKEY_RECORDS = 4;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function withBit(record: Buffer, at: number): Buffer {
  const copy = Buffer.from(record);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

/** All vectors of records for both ciphers, as a JSON value. */
export function makeRecordVectors(): Record<string, unknown> {
  return {
    about:
      "Records that a client sends (docs/PROTOCOL.md §6), made by scripts/generate/make_v2_vectors.ts. " +
      "The last of `records` must fail with the class in `failure`, those before it open. Byte strings are hex.",
    client_traffic_secret: hex(fixedBytes("client traffic")),
    server_traffic_secret: hex(fixedBytes("server traffic")),
    rekey_records: REKEY_RECORDS,
    streams: ["aes-256-gcm", "chacha20-poly1305"].map(makeStream),
    faults: ["aes-256-gcm", "chacha20-poly1305"].flatMap(makeFaults),
  };
}

function client(aead: string): RecordWriter {
  return new RecordWriter(aead, fixedBytes("client traffic"));
}

function makeStream(aead: string) {
  const writer = client(aead);
  const contents = ["", "one", "two", "x".repeat(300), "after the key moved on", "last"];
  const records = contents.map((text, at) => hex(writer.seal(Buffer.from(text), at === 3 ? 1 : 0)));
  return { aead, contents: contents.map((text) => hex(Buffer.from(text))), records };
}

function makeFaults(aead: string) {
  const make = () => {
    const writer = client(aead);
    return [..."abc"].map((text) => writer.seal(Buffer.from(text)));
  };
  const [a, b, c] = make() as [Buffer, Buffer, Buffer];
  const server = new RecordWriter(aead, fixedBytes("server traffic"));
  const other = new RecordWriter(aead, fixedBytes("another session"));
  const updated = client(aead);
  const update = updated.seal(Buffer.from("a"), 1);
  const tired = client(aead);
  const tooMany = Array.from({ length: REKEY_RECORDS + 1 }, () => tired.seal(Buffer.from("x")));
  const fault = (name: string, failure: string, records: Buffer[]) => ({
    name,
    aead,
    failure,
    records: records.map(hex),
  });
  return [
    fault("a bit of the ciphertext changed", "auth", [a, withBit(b, 4)]),
    fault("a bit of the tag changed", "auth", [a, withBit(b, -1)]),
    fault("a byte cut off the end", "auth", [a, frame(b.subarray(4, -1))]),
    fault("a byte added to the end", "auth", [
      a,
      frame(Buffer.concat([b.subarray(4), Buffer.alloc(1)])),
    ]),
    fault("a record of another session", "auth", [other.seal(Buffer.from("a"))]),
    fault("the same record again", "order", [a, a]),
    fault("a record left out", "order", [a, c]),
    fault("two records swapped", "order", [b]),
    fault("our own record sent back", "order", [server.seal(Buffer.from("a"))]),
    fault("a record under the old key after the key moved on", "order", [update, b]),
    fault("a record under the next key before it was announced", "order", [
      a,
      updated.seal(Buffer.from("b")),
    ]),
    fault("an unknown flag", "format", [client(aead).seal(Buffer.from("a"), 2)]),
    fault("the known flag and an unknown one", "format", [client(aead).seal(Buffer.from("a"), 3)]),
    fault("only a tag", "format", [frame(Buffer.alloc(16))]),
    fault("no bytes", "format", [frame(Buffer.alloc(0))]),
    fault("more records under one key than allowed", "limit", tooMany),
  ];
}
