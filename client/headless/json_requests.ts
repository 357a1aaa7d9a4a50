// Requests to `cmdchat-client --json`, one object per line: docs/JSON.md. Each has one key for the action, optionally a
// `room` to do it in, and optionally an `id` that comes back with the result.

import * as z from "zod";
import { closest } from "../../shared/text/closest.ts";
import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";

const number = z.int().min(1).max(999_999);
const line = z.string().min(1).max(4_096).regex(/^[^\r\n]*$/, "it must be one line");

/** The actions: the schema of the value, the line that does it in a chat, and whether it is done in a room. */
const ACTIONS = {
  say: {
    schema: z.string().min(1).describe(
      "Sends this text to the room; a leading slash is no command.",
    ),
    line: (text: string) => text.startsWith("/") ? `/${text}` : text,
    inRoom: true,
  },
  nick: { schema: line.describe("Changes the name."), line: (name: string) => `/nick ${name}` },
  join: {
    schema: line.describe("Joins a room, or goes to it."),
    line: (room: string) => `/join ${room}`,
  },
  send: {
    schema: line.describe(
      "Offers the file of this path to the room; @NAME in front of it: to that member alone.",
    ),
    line: (path: string) => `/send ${path}`,
    inRoom: true,
  },
  accept: { schema: number.describe("Accepts offer n."), line: (n: number) => `/accept ${n}` },
  reject: { schema: number.describe("Rejects offer n."), line: (n: number) => `/reject ${n}` },
  cancel: { schema: number.describe("Stops transfer n."), line: (n: number) => `/cancel ${n}` },
  invite: {
    schema: line.describe(
      "Prints a link in a note; the value is the argument of /invite, such as `2h once`.",
    ),
    line: (text: string) => `/invite ${text}`,
    inRoom: true,
  },
  quit: { schema: z.literal(true).describe("Leaves."), line: () => "/quit" },
  command: {
    schema: line.regex(/^\/[^/]/, "it must be a slash and a command")
      .describe("Any slash command, as a person types it."),
    line: (text: string) => text,
    inRoom: true,
  },
} as const;

type Action = keyof typeof ACTIONS;

const ID = z.union([z.string().max(200), z.int()])
  .describe("Returned with the result.").optional();

const ROOM = z.string().min(1).max(256)
  .describe("The name of one of the rooms; default: the current one.").optional();

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

/** A parsed request: the line that does it, as in a chat. */
export interface JsonRequest {
  readonly id: string | number | undefined;
  /** The room to do it in; undefined = the current one. */
  readonly room: string | undefined;
  readonly line: string;
}

/** The id of a line if it is valid, for the result of a line that cannot be parsed. */
export function idOf(text: string): string | number | undefined {
  try {
    const id = ID.safeParse((JSON.parse(text) as { id?: unknown } | null)?.id);
    return id.success ? id.data : undefined;
  } catch {
    return undefined;
  }
}

/** Parses one line. Throws UsageError. */
export function parseRequest(text: string): JsonRequest {
  const value = objectOf(text);
  const names = Object.keys(value).filter((key) => key !== "id" && key !== "room");
  const [name] = names;
  const allowed = `one of ${Object.keys(ACTIONS).join(", ")}`;
  if (name === undefined || names.length > 1) {
    throw new UsageError(
      `Cannot use the line: it must be an object with ${allowed}, and optionally an id and a room`,
    );
  }
  if (!Object.hasOwn(ACTIONS, name)) {
    const meant = closest(name, Object.keys(ACTIONS));
    throw new UsageError(`Cannot use ${quote(name)}: it must be ${allowed}`, {
      ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }),
    });
  }
  if (!ID.safeParse(value["id"]).success) {
    throw new UsageError(
      "Cannot use the id: it must be an integer or a text of at most 200 characters",
    );
  }
  const action = ACTIONS[name as Action];
  const { schema, line } = action;
  if (value["room"] !== undefined && !("inRoom" in action)) {
    throw new UsageError(`Cannot use "room" with ${quote(name)}: this action has no room`);
  }
  if (!ROOM.safeParse(value["room"]).success) {
    throw new UsageError('Cannot use "room": it must be the name of one of your rooms');
  }
  const parsed = (schema as z.ZodType).safeParse(value[name]);
  if (!parsed.success) {
    const why = parsed.error.issues[0]?.message ?? "it is not valid";
    throw new UsageError(`Cannot use ${quote(name)}: ${why}`);
  }
  // The value has just passed the schema of the row, so the row's line takes it.
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
  throw new UsageError("Cannot use the line: it must be a JSON object");
}
