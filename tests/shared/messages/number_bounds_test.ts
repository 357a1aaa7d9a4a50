// Every number that a peer gives has a bound, or is one that is only compared, kept or shown: what a peer says must never
// be waited for, dated, counted up to or allocated as it is.

import assert from "node:assert/strict";
import * as z from "zod/mini";
import { SYSTEM_CLOCK } from "../../../client/base/clock.ts";
import { TIMER_MAX_MS } from "../../../shared/base/limits.ts";
import {
  CLIENT_MESSAGES,
  HANDSHAKE,
  HANDSHAKE_ANSWER,
  SERVER_MESSAGES,
} from "../../../shared/messages/messages_v1.ts";
import { EVENTS, REQUESTS } from "../../../shared/messages/messages_v2.ts";

/** Fields whose numbers are ids, places or counts for the eye. */
const ONLY_COMPARED = new Set([
  ..."id room client at sequence reply request to whom maker author session".split(" "),
  ..."epoch seq last question count".split(" "),
  // v1: a number of the server's; what other programs write there and nobody reads.
  ..."client_id timestamp buffer_size".split(" "),
  // Places in rooms of a hello, and numbers of members.
  ..."rooms[][1] list[][0]".split(" "),
  "to[]",
  "ops[]",
  // Of earlier: who said it, and what it answers.
  ..."list[][1] list[][6]".split(" "),
  "invite",
]);

/** The largest number that the checks of a schema let through. */
function largest({ def }: z.ZodMiniType): number {
  const bounds = (def.checks ?? []).map((check) =>
    check._zod.def as { check: string; value?: number }
  )
    .filter(({ check }) => check === "less_than");
  return Math.min(...bounds.map(({ value }) => value ?? Infinity));
}

/** The largest number that may be in each field of a schema, by the field's path. */
function* numbersIn(schema: z.ZodMiniType, path: string): Generator<[path: string, most: number]> {
  const { def } = schema as unknown as { readonly def: Readonly<Record<string, unknown>> };
  const inner = (key: string) => def[key] as z.ZodMiniType;
  switch (def["type"]) {
    case "number":
      return yield [path, largest(schema)];
    case "array":
      return yield* numbersIn(inner("element"), `${path}[]`);
    case "tuple": {
      const items = def["items"] as readonly z.ZodMiniType[];
      for (const [n, item] of items.entries()) yield* numbersIn(item, `${path}[${n}]`);
      return;
    }
    case "object": {
      const shape = Object.entries(def["shape"] as Readonly<Record<string, z.ZodMiniType>>);
      for (const [name, field] of shape) {
        yield* numbersIn(field, path === "" ? name : `${path}.${name}`);
      }
      return;
    }
    case "union":
      for (const option of def["options"] as readonly z.ZodMiniType[]) {
        yield* numbersIn(option, path);
      }
      return;
    case "nullable":
    case "optional":
    case "catch":
      return yield* numbersIn(inner("innerType"), path);
  }
}

const SCHEMAS: readonly (readonly [string, z.ZodMiniType])[] = [
  ...Object.entries({ ...REQUESTS, ...EVENTS }).map(([kind, row]) =>
    [kind, z.object(row as Record<string, z.ZodMiniType>)] as const
  ),
  ...Object.entries({ ...CLIENT_MESSAGES, ...SERVER_MESSAGES }).map(([kind, row]) =>
    [`v1 ${kind}`, row] as const
  ),
  ["v1 handshake", HANDSHAKE],
  ["v1 answer", HANDSHAKE_ANSWER],
];

Deno.test("every number of a peer's is bounded by the codec, or only compared, kept or shown", () => {
  const found = SCHEMAS.flatMap(([kind, schema]) =>
    [...numbersIn(schema, "")].map(([path, most]) => ({ kind, path, most }))
  );
  assert.ok(found.length > 100, `${found.length} numbers were found`);
  const unbounded = found.filter(({ path, most }) =>
    most >= Number.MAX_SAFE_INTEGER && !ONLY_COMPARED.has(path)
  );
  assert.deepEqual(unbounded.map(({ kind, path }) => `${kind}: ${path}`), []);
});

Deno.test("seconds of a peer's fit a timer, as ms", () => {
  const seconds = SCHEMAS.flatMap(([kind, schema]) =>
    [...numbersIn(schema, "")]
      .filter(([path]) => /seconds|hold|interval/i.test(path))
      .map(([path, most]) => ({ kind, path, most }))
  );
  assert.ok(seconds.length >= 6, `${seconds.length} fields`);
  // A ban of 30 days is no timer's.
  const timed = seconds.filter(({ kind }) => kind !== "moderate" && kind !== "moderated");
  for (const { kind, path, most } of timed) {
    assert.ok(most * 1_000 <= TIMER_MAX_MS, `${kind}: ${path}`);
  }
});

Deno.test("a wait longer than a timer can be does not end at once", async () => {
  const done = new AbortController();
  const long = SYSTEM_CLOCK.wait(2 ** 40, done.signal).then(() => "long");
  const short = SYSTEM_CLOCK.wait(20).then(() => "short");
  assert.equal(await Promise.race([long, short]), "short");
  done.abort();
  await long;
});
