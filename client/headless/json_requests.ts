// What a program writes to `cmdchat-client --json`, one object a line: docs/JSON.md. Each has one key that says what
// to do, perhaps a `room` in which to do it, and perhaps an `id` that comes back with the result.

import { z } from "zod";
import { closest } from "../../shared/cli/command_line.ts";
import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";

const number = z.int().min(1).max(999_999);
const line = z.string().min(1).max(4_096).regex(/^[^\r\n]*$/, "one line is wanted");

/** What can be asked for: how its value looks, the line that does it in a chat, and whether it is done in a room. */
const ACTIONS = {
  say: {
    schema: z.string().min(1).describe("Says this text in the room; a slash is a slash."),
    line: (text: string) => text.startsWith("/") ? `/${text}` : text,
    inRoom: true,
  },
  nick: { schema: line.describe("Takes another name."), line: (name: string) => `/nick ${name}` },
  join: { schema: line.describe("Goes to a room."), line: (room: string) => `/join ${room}` },
  send: {
    schema: line.describe("Offers the file of this path to the room."),
    line: (path: string) => `/send ${path}`,
    inRoom: true,
  },
  accept: { schema: number.describe("Takes offer n."), line: (n: number) => `/accept ${n}` },
  reject: { schema: number.describe("Refuses offer n."), line: (n: number) => `/reject ${n}` },
  cancel: { schema: number.describe("Stops transfer n."), line: (n: number) => `/cancel ${n}` },
  quit: { schema: z.literal(true).describe("Leaves."), line: () => "/quit" },
  command: {
    schema: line.regex(/^\/[^/]/, "a slash and a command are wanted")
      .describe("Any other slash command, as a person types it."),
    line: (text: string) => text,
    inRoom: true,
  },
} as const;

type Action = keyof typeof ACTIONS;

const ID = z.union([z.string().max(200), z.int()])
  .describe("Comes back with the result.").optional();

const ROOM = z.string().min(1).max(256)
  .describe("The name of one of our rooms; the current one where it is left out.").optional();

/** The schema of one line. */
export const REQUEST_SCHEMA: z.ZodType = z.union(
  Object.entries(ACTIONS).map(([name, action]) =>
    z.strictObject({
      id: ID,
      ...("inRoom" in action ? { room: ROOM } : {}),
      [name]: action.schema,
    })
  ),
).describe("One line of standard input");

/** A request that was understood: the line that does it, as in a chat. */
export interface JsonRequest {
  readonly id: string | number | undefined;
  /** The room in which it is done; undefined = the current one. */
  readonly room: string | undefined;
  readonly line: string;
}

/** The id of a line, as far as it has one that fits; for the result of a line that was not understood. */
export function idOf(text: string): string | number | undefined {
  try {
    const id = ID.safeParse((JSON.parse(text) as { id?: unknown } | null)?.id);
    return id.success ? id.data : undefined;
  } catch {
    return undefined;
  }
}

/** Reads one line. Throws UsageError that says what is wanted. */
export function parseRequest(text: string): JsonRequest {
  const value = objectOf(text);
  const names = Object.keys(value).filter((key) => key !== "id" && key !== "room");
  const [name] = names;
  const wanted = `one of ${Object.keys(ACTIONS).join(", ")}`;
  if (name === undefined || names.length > 1) {
    throw new UsageError(
      `Cannot use the line: an object with ${wanted} is wanted, and perhaps an id and a room`,
    );
  }
  if (!Object.hasOwn(ACTIONS, name)) {
    const meant = closest(name, Object.keys(ACTIONS));
    throw new UsageError(`Cannot use ${quote(name)}: ${wanted} is wanted`, {
      ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }),
    });
  }
  if (!ID.safeParse(value["id"]).success) {
    throw new UsageError("Cannot use the id: a whole number or a text of at most 200 is wanted");
  }
  const action = ACTIONS[name as Action];
  const { schema, line } = action;
  if (value["room"] !== undefined && !("inRoom" in action)) {
    throw new UsageError(`Cannot use "room" with ${quote(name)}: it is not done in a room`);
  }
  if (!ROOM.safeParse(value["room"]).success) {
    throw new UsageError('Cannot use "room": the name of one of your rooms is wanted');
  }
  const parsed = (schema as z.ZodType).safeParse(value[name]);
  if (!parsed.success) {
    const why = parsed.error.issues[0]?.message ?? "it does not fit";
    throw new UsageError(`Cannot use ${quote(name)}: ${why}`);
  }
  // The schema of the row has just been held against the value that its line takes.
  const lineOf = line as (value: unknown) => string;
  return {
    id: value["id"] as JsonRequest["id"],
    room: value["room"] as JsonRequest["room"],
    line: lineOf(parsed.data),
  };
}

function objectOf(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError("Cannot use the line: it is not JSON", {
      cause,
      hint: 'a line looks like  {"say":"hello"}',
    });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new UsageError("Cannot use the line: a JSON object is wanted");
}
