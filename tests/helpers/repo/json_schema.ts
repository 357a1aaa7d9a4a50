// What the programs print, held against the schema in docs/ as it was committed.

import assert from "node:assert/strict";
import { z } from "zod";
import { readText } from "./sources.ts";

type Schema = Parameters<typeof z.fromJSONSchema>[0];

const committed = JSON.parse(await readText("docs/cmdchat.schema.json"));
const printed = z.fromJSONSchema(committed as Schema);
const request = z.fromJSONSchema(committed.$defs.request as Schema);
const history = z.fromJSONSchema(committed.$defs.history as Schema);

/** The objects of the lines. Throws where one is not of the schema. */
export function assertPrinted(text: string): Record<string, unknown>[] {
  return assertLines(text, printed);
}

/** The objects of what `history --json` printed. Throws where one is not of the schema. */
export function assertHistory(text: string): Record<string, unknown>[] {
  return assertLines(text, history);
}

function assertLines(text: string, schema: typeof printed): Record<string, unknown>[] {
  return text.split("\n").filter(Boolean).map((line) => {
    const result = schema.safeParse(JSON.parse(line));
    assert.ok(result.success, `${line}\n${result.error}`);
    return JSON.parse(line);
  });
}

/** Whether the schema takes a line as a request. */
export function isRequest(line: string): boolean {
  return request.safeParse(JSON.parse(line)).success;
}
