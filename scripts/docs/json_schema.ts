// docs/cmdchat.schema.json: every object that `--json` prints or reads, as JSON Schema. `deno task tables` writes it;
// tests hold what the programs really print against it.

import { z } from "zod";
import { HISTORY_ENTRY_SCHEMA } from "../../client/history/history_entry.ts";
import { HISTORY_JSON_VERSION } from "../../client/headless/show_history.ts";
import { REQUEST_SCHEMA } from "../../client/headless/json_requests.ts";
import { JSON_VERSION } from "../../client/render/json.ts";

/** Where it stands. */
export const SCHEMA_PATH = "docs/cmdchat.schema.json";

const time = z.string().describe("ISO 8601 in UTC");
const name = z.string().describe("As the server sent it: data, not to be trusted");
const count = z.int().nonnegative();

/** A field may be added without another version, so objects are open. */
function object<K extends string, S extends z.ZodRawShape>(kind: K, about: string, shape: S) {
  return z.looseObject({ v: z.literal(JSON_VERSION), kind: z.literal(kind), time, ...shape })
    .describe(about);
}

const FILE_EVENTS = [
  "offered",
  "accepted",
  "rejected",
  "sending",
  "progress",
  "saved",
  "sent",
  "failed",
  "refused",
  "waiting",
  "resumed",
  "answered",
] as const;

const ANSWERS = ["open", "accepted", "refused", "saved", "failed", "left", "fetched"] as const;
const verified = z.boolean().optional()
  .describe("Whether we have compared the key of the other one");
const known = name.optional()
  .describe("The name under which we remember the device key of the other one");

const again = z.literal(true).optional()
  .describe("It was shown before: /last, /search or /unread repeats it");

const OBJECTS = [
  object("chat", "Somebody said something", {
    room: name,
    sender: name,
    text: z.string(),
    sequence: count.describe("Place in its room, from 1; 0 where the server does not tell"),
    own: z.boolean(),
    mention: z.boolean().describe("Whether it names us"),
    action: z.boolean().optional().describe("Whether it was said with /me"),
    quote: z.looseObject({ sequence: count, sender: name.optional(), text: z.string().optional() })
      .optional().describe("What it answers"),
    verified,
    backlog: z.boolean().optional().describe("Whether it was said before we came in"),
    known,
    again,
  }),
  object("direct", "Somebody said something to one person alone", {
    room: name.describe("A room that both are in"),
    sender: name,
    to: name,
    text: z.string(),
    own: z.boolean(),
    sealed: z.boolean().describe("Whether the server cannot read it"),
    verified,
    known,
    again,
  }),
  object("system", "The server says something", {
    room: name,
    event: z.string().describe("joined, left, renamed, away, back, names, refused, known, …"),
    text: z.string(),
    name: name.optional(),
    previous: name.optional(),
    names: z.array(name).optional(),
    sequence: count.optional().describe("Which message was changed, taken back or pinned"),
    said: z.string().nullable().optional().describe("What it says now"),
    emoji: z.string().max(64).optional().describe("What somebody put under that message"),
    on: z.boolean().optional().describe("False: took back"),
    what: z.string().optional().describe("moderated: kick, ban, mute, lock, op, deop, …"),
    whom: name.optional().describe("moderated: about whom"),
    maker: name.optional().describe("rules: who made the room, where it is here"),
    ops: z.array(name).optional().describe("rules: whom it made ops"),
    again,
  }),
  object("file", "A turn of a file transfer", {
    event: z.enum(FILE_EVENTS),
    n: z.int().positive().optional().describe("What accept, reject and cancel take"),
    direction: z.enum(["in", "out"]).optional(),
    name: z.string(),
    size: count,
    folder: z.literal(true).optional().describe("It is a folder, sent as a tar archive"),
    left_out: count.optional().describe("Links and special files of the folder that are not sent"),
    sender: name.optional(),
    to: name.optional().describe("The only member who is offered it"),
    accepted: z.boolean().optional(),
    done: count.optional(),
    for: z.enum(["connection", "sender", "receiver"]).optional(),
    path: z.string().optional(),
    receiver: name.optional().describe("Who said what became of a file that was sent"),
    answer: z.enum(ANSWERS).optional(),
    receivers: z.array(z.object({ name, answer: z.enum(ANSWERS) })).optional().describe(
      "What became of it at each receiver; empty where the server cannot tell",
    ),
    sha256: z.string().regex(/^[0-9a-f]{64}$/).optional(),
    code: z.string().optional(),
    reason: z.string().optional(),
    again,
  }),
  object("connection", "The connection came or went", {
    state: z.enum(["connected", "lost"]),
    text: z.string(),
    hint: z.string().optional(),
    name: name.optional(),
    room: name.optional(),
  }),
  object("note", "The client has something to say", {
    level: z.enum(["info", "warning", "danger", "error"]),
    text: z.string(),
    hint: z.string().optional(),
  }),
  object("result", "What became of a request, or of a message of `send --json`", {
    id: z.union([z.string(), z.int()]).optional(),
    ok: z.boolean(),
    text: z.string().optional().describe("What send said"),
    code: z.int().optional().describe("The exit code of such a fault"),
    error: z.string().optional(),
    hint: z.string().optional(),
  }),
  object("check", "A line of doctor", {
    check: z.string().describe("What was looked at, such as terminal or certificate"),
    state: z.enum(["ok", "warn", "fail", "skip"]),
    text: z.string(),
    hint: z.string().optional().describe("What to do"),
  }),
] as const;

const HISTORY_LINE = HISTORY_ENTRY_SCHEMA.extend({ v: z.literal(HISTORY_JSON_VERSION) })
  .describe("One line of history --json");

/** The whole schema; at its top is what is printed, and `$defs.request` is what is read. */
export function jsonSchema(): string {
  const printed = z.toJSONSchema(z.discriminatedUnion("kind", OBJECTS));
  const [request, history] = [REQUEST_SCHEMA, HISTORY_LINE].map((schema) => {
    const { $schema: _, ...rest } = z.toJSONSchema(schema) as Record<string, unknown>;
    return rest;
  });
  const schema = {
    $schema: printed.$schema,
    title: "cmdchat-client --json",
    description: `One object per line, version ${JSON_VERSION}. See JSON.md.`,
    ...printed,
    $defs: { request, history },
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
