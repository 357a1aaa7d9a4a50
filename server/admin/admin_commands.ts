// What the operator may ask of a running server: one row a command. Command line, checks and help derive from it.

import * as z from "zod";
import { UsageError } from "../../shared/base/errors.ts";
import { MODERATION_MAX_S } from "../../shared/base/limits.ts";
import { OPERATOR_NOTICE_MAX_BYTES } from "../config/limits.ts";
import { parseDuration } from "../../shared/text/duration.ts";
import { quote } from "../../shared/base/sanitize.ts";

const LABEL_MAX = 256;
const label = z.string().min(1).max(LABEL_MAX);
const session = z.int().min(1);
const names = z.boolean();

/** What each command carries; all of it is checked again by the server. */
const ASKS = {
  sessions: { names },
  rooms: { names },
  kick: { session },
  ban: { whom: z.union([session, label]), seconds: z.int().min(0).max(MODERATION_MAX_S) },
  unban: { network: label },
  bans: {},
  notice: { text: z.string().min(1).max(OPERATOR_NOTICE_MAX_BYTES) },
  close: { room: label },
  drain: { on: z.boolean() },
} as const;

type Rows = typeof ASKS;
/** Name of a command. */
export type AdminCommand = keyof Rows;
/** Any question. */
export type AdminRequest = {
  [K in AdminCommand]:
    & { readonly command: K }
    & {
      readonly [F in keyof Rows[K]]: Rows[K][F] extends z.ZodType ? z.output<Rows[K][F]> : never;
    };
}[AdminCommand];
/** One kind of question. */
export type AdminRequestOf<K extends AdminCommand> = Extract<AdminRequest, { command: K }>;

/** Names of all commands. */
export const ADMIN_COMMANDS = Object.keys(ASKS) as readonly AdminCommand[];

interface Typed {
  readonly words: readonly string[];
  readonly names: boolean;
}

interface CommandRow {
  /** Form of what follows, such as `SESSION`. */
  readonly argument: string;
  readonly summary: string;
  /** Least and most words. */
  readonly count: readonly [number, number];
  /** Throws UsageError. */
  readonly read: (typed: Typed) => Record<string, unknown>;
}

/** How each command is typed. */
export const ADMIN_TABLE: Readonly<Record<AdminCommand, CommandRow>> = {
  sessions: {
    ...{ argument: "", count: [0, 0], read: ({ names }) => ({ names }) },
    summary:
      "who is connected: number, protocol, rooms, since when, from where; --names: under which names",
  },
  rooms: {
    ...{ argument: "", count: [0, 0], read: ({ names }) => ({ names }) },
    summary: "which rooms there are: label, members; --names: what open ones are called",
  },
  kick: {
    ...{ argument: "SESSION", count: [1, 1] },
    read: ({ words: [word = ""] }) => ({ session: sessionNumber(word) }),
    summary: "end a session; its client does not come again by itself, its user may",
  },
  ban: {
    ...{ argument: "ADDRESS|SESSION [TIME]", count: [1, 2] },
    read: ({ words: [whom = "", time] }) => ({
      whom: /^\d+$/.test(whom) ? sessionNumber(whom) : whom,
      seconds: time === undefined ? 0 : parseDuration(time),
    }),
    summary: "keep an address out of the server, for good or for 10m, 2h, 7d, and end its sessions",
  },
  unban: {
    ...{ argument: "ADDRESS", count: [1, 1] },
    read: ({ words: [network] }) => ({ network }),
    summary: "let an address in again",
  },
  bans: {
    ...{ argument: "", count: [0, 0], read: () => ({}) },
    summary: "who is kept out, and until when",
  },
  notice: {
    ...{ argument: "TEXT", count: [1, Infinity] },
    read: ({ words }) => ({ text: noticeText(words.join(" ")) }),
    summary: "tell everybody something, in the server's name",
  },
  close: {
    ...{ argument: "ROOM", count: [1, 1], read: ({ words: [room] }) => ({ room }) },
    summary: "put everybody out of a room: its name, or open:N or sealed:N as rooms shows it",
  },
  drain: {
    ...{ argument: "[off]", count: [0, 1] },
    read: ({ words: [word] }) => ({ on: word === undefined || wordOff(word) }),
    summary: "take no new clients, and keep those who are here; off: take them again",
  },
};

/** What somebody typed, as the question that it is. Throws UsageError. */
export function readAdminRequest(
  [word = "", ...words]: readonly string[],
  { names }: Pick<Typed, "names">,
): AdminRequest {
  const command = ADMIN_COMMANDS.find((name) => name === word);
  if (command === undefined) {
    const what = word === "" ? "a command is wanted" : `${quote(word)} is none`;
    throw new UsageError(`Cannot ask the server: ${what}`, {
      hint: `one of ${ADMIN_COMMANDS.join(", ")}`,
    });
  }
  const { argument, count: [least, most], read } = ADMIN_TABLE[command];
  if (words.length < least || words.length > most) {
    throw new UsageError(`Cannot do ${command}: ${argument || "nothing"} is wanted behind it`, {
      hint: `cmdchat-server admin ${command} ${argument}`.trimEnd(),
    });
  }
  const ask = checkAdminRequest({ command, ...read({ words, names }) });
  if (ask !== undefined) return ask;
  throw new UsageError(`Cannot do ${command}: ${argument} is longer or larger than allowed`);
}

/** A question as it came over the wire; undefined where it is none. */
export function checkAdminRequest(value: unknown): AdminRequest | undefined {
  if (typeof value !== "object" || value === null || !("command" in value)) return undefined;
  const command = ADMIN_COMMANDS.find((name) => name === value.command);
  if (command === undefined) return undefined;
  const checked = z.strictObject({ command: z.literal(command), ...ASKS[command] }).safeParse(
    value,
  );
  return checked.success ? checked.data as unknown as AdminRequest : undefined;
}

function sessionNumber(text: string): number {
  const number = Number(text);
  if (/^\d{1,16}$/.test(text) && number > 0 && Number.isSafeInteger(number)) return number;
  throw new UsageError(
    `Cannot use ${quote(text)} as a session: a number that sessions shows is wanted`,
  );
}

function noticeText(text: string): string {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= OPERATOR_NOTICE_MAX_BYTES && text.trim().length > 0) return text;
  throw new UsageError(
    `Cannot send the notice: it has ${bytes} bytes, 1 to ${OPERATOR_NOTICE_MAX_BYTES} are allowed`,
  );
}

function wordOff(word: string): false {
  if (word === "off") return false;
  throw new UsageError(`Cannot use ${quote(word)}: off, or nothing, is wanted`);
}
