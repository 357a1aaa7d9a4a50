// Messages of one kind without end, each another one, and what somebody who gets them keeps of that.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type * as z from "zod/mini";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

// Messages of each kind in a part that is measured. Of most kinds nothing at all is kept, and the first part shows it: a
// table that grows by one entry each is made larger in its second half.
const PART = Number(Deno.env.get("ENDLESS") ?? 4_000);

// More than the largest bound in entries that a client or a server has: of what grew in the first part.
const FULL = PART + 9_000;

// Whatever is kept of each message is more than this: an entry of a map has some 50 bytes.
const KEPT_OF_EACH = 20;
const PARTS_MAX = 4;

const BYTES = [16, 32, 64, 8, 0, 1, 284];

type Def = Readonly<Record<string, unknown>>;

/** A value that fits `schema`, another one for each `n`. */
export function valueOf(schema: z.ZodMiniType, field: string, n: number): unknown {
  const { def } = schema as unknown as { readonly def: Def };
  const inner = (key: string, name = field) => valueOf(def[key] as z.ZodMiniType, name, n);
  switch (def["type"]) {
    case "number": {
      const { minimum = 0, maximum: most = Number.MAX_SAFE_INTEGER } = boundsOf(schema);
      const least = Math.max(0, minimum);
      return least + (n + 1) % (most - least + 1);
    }
    case "string": {
      if (field === "chunk_data") return "AQIDBAU=";
      if (field === "emoji") return emojiOf(n);
      const { minimum = 0, maximum = 100 } = boundsOf(schema);
      return `${field}-${n} `.repeat(8).slice(0, Math.min(100, maximum)).padEnd(minimum, "x");
    }
    case "boolean":
      return n % 2 === 0;
    case "literal":
      return (def["values"] as unknown[])[0];
    case "enum": {
      const values = Object.values(def["entries"] as Def);
      return values[n % values.length];
    }
    case "array":
      return [inner("element")];
    case "tuple":
      return (def["items"] as z.ZodMiniType[]).map((item, at) => valueOf(item, `${field}${at}`, n));
    case "object":
      return filled(def["shape"] as Readonly<Record<string, z.ZodMiniType>>, n);
    case "union":
      return valueOf((def["options"] as z.ZodMiniType[])[0] as z.ZodMiniType, field, n);
    case "nullable":
    case "optional":
    case "catch":
      return inner("innerType");
    default:
      return bytesOf(schema, n);
  }
}

/** One of 4,096 reactions: two pictures that are joined. */
function emojiOf(n: number): string {
  return String.fromCodePoint(0x1f600 + n % 64, 0x200d, 0x1f400 + (n >> 6) % 64);
}

function boundsOf(
  schema: z.ZodMiniType,
): { readonly minimum?: number; readonly maximum?: number } {
  return schema._zod.bag;
}

/** A value for each field of a row. */
export function filled(
  row: Readonly<Record<string, z.ZodMiniType>>,
  n: number,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, schema]) => [name, valueOf(schema, name, n)]),
  );
}

function bytesOf(schema: z.ZodMiniType, n: number): Uint8Array {
  for (const length of BYTES) {
    const bytes = new Uint8Array(length);
    if (length >= 4) new DataView(bytes.buffer).setUint32(0, n);
    if (schema.safeParse(bytes).success) return bytes;
  }
  throw new Error("no length of bytes fits");
}

/** Bytes that are kept of each of many messages, at the least in any part of them. */
export async function keptOfEach(
  send: (n: number) => unknown,
  settle: () => void | Promise<void> = () => {},
): Promise<number> {
  let n = 0;
  const usedAfter = async (count: number) => {
    for (; n < count; n++) {
      await send(n);
      if (n % 1_000 === 0) await settle();
    }
    await settle();
    collectGarbage();
    const { heapUsed, external } = Deno.memoryUsage();
    return heapUsed + external;
  };
  const keptOf = (part: number, before: number, after: number) =>
    Math.max(0, after - before) / part;
  const [half, whole] = [await usedAfter(PART / 2), await usedAfter(PART)];
  let least = keptOf(PART / 2, half, whole);
  if (isNothing(least)) return least;
  let before = await usedAfter(FULL);
  // What grows once and no more, as a map that is rehashed, shows in one part and not in the next; what grows without end
  // shows in all of them.
  for (let parts = 0; parts < PARTS_MAX && !isNothing(least); parts++) {
    const after = await usedAfter(n + PART);
    least = Math.min(least, keptOf(PART, before, after));
    before = after;
  }
  return least;
}

/** Whether that is nothing, as far as can be measured. */
export function isNothing(kept: number): boolean {
  return kept < KEPT_OF_EACH;
}
