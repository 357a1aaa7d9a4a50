// Tables of messages as strict CBOR (RFC 8949 §4.2): a message is the array [row's number, field, …]. There is one way
// to write each message, and nothing else is read.

import * as z from "zod/mini";
import { concatBytes } from "../base/bytes.ts";
import { LimitError, ProtocolError } from "../base/errors.ts";
import { BODY_MAX_BYTES } from "../base/limits.ts";
import { readItems } from "./cbor_reader.ts";
import { writeItems, writeItemsAround } from "./cbor_writer.ts";

interface Row {
  readonly number: number;
  readonly kind: string;
  readonly fields: readonly string[];
  readonly schema: z.ZodMiniType;
  /** Bytes of the largest body of this kind. */
  readonly maxBytes: number;
  /** The place in the array of the field whose bytes are passed by reference; undefined where there is none. */
  readonly bulkAt: number | undefined;
}

/** A table as tableOf() made it. */
export interface Table {
  readonly byKind: ReadonlyMap<string, Row>;
  readonly byNumber: readonly Row[];
}

/** Rows of a table: each kind's fields in their order. */
export type Rows = Readonly<Record<string, Readonly<Record<string, z.ZodMiniType>>>>;

/** The messages of a table as types: the row's kind and its fields. */
export type MessageIn<R extends Rows> = {
  [K in keyof R & string]: { readonly kind: K } & { readonly [F in keyof R[K]]: z.output<R[K][F]> };
}[keyof R & string];

/** What a table needs besides its rows. */
export interface TableOptions {
  /** Bytes of the largest body of a kind. */
  readonly maxBytes?: (kind: string) => number;
  /**
   * By kind a field of many bytes: these are not copied when a message is written, or when one is read that has its buffer
   * for itself, so that what is read is a part of its body. For parts of files, most of whose cost copies would be.
   */
  readonly bulk?: Readonly<Record<string, string>>;
}

/** The codec of a table of messages: a row's number and its fields, in the order of the rows; sizes by kind. */
export function tableOf(
  rows: Rows,
  { maxBytes = () => BODY_MAX_BYTES, bulk = {} }: TableOptions = {},
): Table {
  const byNumber = Object.entries(rows).map(([kind, shape], number) => {
    const fields = Object.keys(shape);
    const bulkAt = fields.indexOf(bulk[kind] ?? "") + 1;
    return {
      number,
      kind,
      fields,
      schema: z.tuple([z.literal(number), ...(Object.values(shape) as z.ZodMiniType[])]),
      maxBytes: maxBytes(kind),
      bulkAt: bulkAt > 0 ? bulkAt : undefined,
    };
  });
  return { byNumber, byKind: new Map(byNumber.map((row) => [row.kind, row])) };
}

/** The body of a message of that table. */
export function encodeBy(table: Table, message: { readonly kind: string }): Uint8Array {
  return concatBytes(encodePartsBy(table, message));
}

/** The same in parts, to be put together: many bytes of a message are one of them, and not copied. */
export function encodePartsBy(
  table: Table,
  message: { readonly kind: string },
): readonly Uint8Array[] {
  const row = table.byKind.get(message.kind) as Row;
  // An index over the fields: a copy of the message would cost as much as writing it.
  const fields = message as unknown as Readonly<Record<string, unknown>>;
  const values: unknown[] = [row.number];
  for (const field of row.fields) values.push(fields[field]);
  const { bulkAt } = row;
  return bulkAt === undefined ? [writeItems(values)] : writeItemsAround(values, bulkAt);
}

/** Bytes that the body which begins with `start` may have, by its kind; 0 where that is none of the table. */
export function maxBytesBy(table: Table, start: Uint8Array): number {
  return rowOf(table, start)?.maxBytes ?? 0;
}

/** A message of that table. Throws ProtocolError or LimitError with one clear reason. */
export function decodeBy(table: Table, body: Uint8Array): { readonly kind: string } {
  // Before anything is decoded: what costs much to decode must be worth it.
  const claimed = rowOf(table, body);
  if (claimed !== undefined && body.length > claimed.maxBytes) {
    throw new LimitError(
      `Cannot read the peer's ${claimed.kind}: it has ${body.length} bytes, at most ` +
        `${claimed.maxBytes} are allowed`,
    );
  }
  const values = readItems(body, isAlone(body) ? claimed?.bulkAt : undefined);
  const [number] = values;
  const row = Number.isInteger(number) ? table.byNumber[number as number] : undefined;
  if (row === undefined) {
    throw new ProtocolError(
      "Cannot read the peer's message: its kind is not part of this protocol",
    );
  }
  const checked = row.schema.safeParse(values);
  if (!checked.success) {
    const place = Number(checked.error.issues[0]?.path[0]) - 1;
    const field = row.fields[place] ?? "number of fields";
    throw new ProtocolError(
      `Cannot read the peer's ${row.kind}: the ${field} is not as the protocol says`,
    );
  }
  const message: { readonly kind: string; [field: string]: unknown } = { kind: row.kind };
  row.fields.forEach((field, i) => message[field] = values[i + 1]);
  return message;
}

/** What stands before a message in its record: the flags, and the prefix of its length. */
const BEFORE_MESSAGE_BYTES = 5;

/** Whether no other message is in the buffer of this one. */
function isAlone({ buffer, length }: Uint8Array): boolean {
  return buffer.byteLength - length <= BEFORE_MESSAGE_BYTES;
}

// The head of an array (RFC 8949 §3.1, major type 4) and the number behind it, each in one byte or two.
function rowOf({ byNumber }: Table, body: Uint8Array): Row | undefined {
  const at = body[0] === 0x98 ? 2 : 1;
  const number = body[at] === 0x18 ? body[at + 1] : body[at];
  return byNumber[number ?? -1];
}
