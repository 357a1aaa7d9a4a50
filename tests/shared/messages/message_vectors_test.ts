import assert from "node:assert/strict";
import { EVENTS, REQUESTS } from "../../../shared/messages/messages_v2.ts";
import {
  decodeEvent,
  decodeRequest,
  encodeEvent,
  encodeRequest,
} from "../../../shared/messages/codec_v2.ts";
import { fromHex, readVectors, toHex } from "../../helpers/peers/v2_vectors.ts";

interface MessageVector {
  readonly kind: string;
  readonly array: readonly unknown[];
  readonly body: string;
}

const vectors = await readVectors<Record<"requests" | "events", readonly MessageVector[]>>(
  "v2_messages.json",
);

/** A value as the vectors write it. */
function json(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: toHex(value) };
  return Array.isArray(value) ? value.map(json) : value;
}

const DIRECTIONS = [
  { what: "requests", rows: REQUESTS, read: decodeRequest, write: encodeRequest },
  { what: "events", rows: EVENTS, read: decodeEvent, write: encodeEvent },
] as const;

for (const { what, rows, read, write } of DIRECTIONS) {
  Deno.test(`the vectors have one of all ${what}, which are read and written as they say`, () => {
    assert.deepEqual(vectors[what].map(({ kind }) => kind), Object.keys(rows));
    vectors[what].forEach(({ kind, array, body }, number) => {
      const message = read(fromHex(body));
      const { kind: is, ...fields } = message;
      assert.deepEqual([is, [number, ...Object.values(fields).map(json)]], [kind, array]);
      assert.equal(toHex(write(message as never)), body, kind);
    });
  });
}
