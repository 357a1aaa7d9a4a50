// Vectors of record contents (docs/PROTOCOL.md §6.4): messages, whole and in pieces.

import { Buffer } from "node:buffer";

const PIECE = 65_511;
const MORE = 0x8000_0000;

// Long runs of one byte are written as [byte, times], so that the file stays small.
type Part = string | readonly [byte: number, times: number];

function prefix(length: number, more = false): string {
  return (more ? MORE + length : length).toString(16).padStart(8, "0");
}

const hex = (text: string) => Buffer.from(text).toString("hex");

/** All vectors of batches, as a JSON value. */
export function makeBatchVectors(): Record<string, unknown> {
  const piece: readonly [number, number] = [0x61, PIECE];
  const good: Array<{ name: string; contents: Part[][]; bodies: Part[][] }> = [
    { name: "an empty record", contents: [[]], bodies: [] },
    { name: "one message", contents: [[prefix(5) + hex("hello")]], bodies: [[hex("hello")]] },
    {
      name: "three messages in one record",
      contents: [[prefix(1) + hex("a") + prefix(2) + hex("bc") + prefix(1) + hex("d")]],
      bodies: [[hex("a")], [hex("bc")], [hex("d")]],
    },
    {
      name: "the largest message of one record",
      contents: [[prefix(PIECE), piece]],
      bodies: [[piece]],
    },
    {
      name: "a message one byte larger, and one behind it",
      contents: [[prefix(PIECE, true), piece], [prefix(1) + hex("b") + prefix(1) + hex("c")]],
      bodies: [[piece, hex("b")], [hex("c")]],
    },
    {
      name: "a message of two full pieces",
      contents: [[prefix(PIECE, true), piece], [prefix(PIECE), piece]],
      bodies: [[piece, piece]],
    },
  ];
  const bad: Array<{ name: string; failure: string; max_bytes?: number; contents: Part[][] }> = [
    { name: "half a prefix", failure: "format", contents: [["000000"]] },
    {
      name: "half a prefix behind a message",
      failure: "format",
      contents: [[prefix(1) + hex("a") + "0000"]],
    },
    { name: "a message of no bytes", failure: "format", contents: [[prefix(0)]] },
    {
      name: "a message longer than its record",
      failure: "format",
      contents: [[prefix(6) + hex("hello")]],
    },
    { name: "a length of 2^31 - 1", failure: "format", contents: [["7fffffff" + hex("hello")]] },
    {
      name: "a first piece that is short",
      failure: "format",
      contents: [[prefix(5, true) + hex("hello")]],
    },
    {
      name: "a second piece that is short and not the last",
      failure: "format",
      contents: [[prefix(PIECE, true), piece], [prefix(5, true) + hex("hello")]],
    },
    {
      name: "a last piece of no bytes",
      failure: "format",
      contents: [[prefix(PIECE, true), piece], [prefix(0)]],
    },
    { name: "a first piece of no bytes", failure: "format", contents: [[prefix(0, true)]] },
    {
      name: "a message above the limit",
      failure: "limit",
      max_bytes: 4,
      contents: [[prefix(5) + hex("hello")]],
    },
    {
      name: "a first piece that fills the limit",
      failure: "limit",
      max_bytes: PIECE,
      contents: [[prefix(PIECE, true), piece]],
    },
    {
      name: "pieces above the limit together",
      failure: "limit",
      max_bytes: PIECE + 1,
      contents: [[prefix(PIECE, true), piece], [prefix(2) + hex("bc")]],
    },
  ];
  return {
    about:
      "Contents of records (docs/PROTOCOL.md §6.4), made by scripts/generate/make_v2_vectors.ts. " +
      "A byte string is a list of hex texts and of [byte, times].",
    good,
    bad,
  };
}
