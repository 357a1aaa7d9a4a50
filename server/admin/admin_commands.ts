// Commands that an admin can give to a running server, one row each. Command line, checks and help derive from it.

import * as z from "zod/mini";
import { UsageError } from "../../shared/base/errors.ts";
import { MODERATION_MAX_S } from "../../shared/base/limits.ts";
import { ADMIN_NOTICE_MAX_BYTES } from "../config/limits.ts";
import { parseDuration } from "../../shared/text/duration.ts";
import { quote } from "../../shared/base/sanitize.ts";

const LABEL_MAX = 256;
const label = z.string().check(z.minLength(1), z.maxLength(LABEL_MAX));
const session = z.int().check(z.minimum(1));
const names = z.boolean();

/** Fields of each command; the server checks all of them again. */
const FIELDS = {
  sessions: { names },
  rooms: { names },
  kick: { session },
  ban: {
    whom: z.union([session, label]),
    seconds: z.int().check(z.minimum(0), z.maximum(MODERATION_MAX_S)),
  },
  unban: { network: label },
  bans: {},
  notice: { text: z.string().check(z.minLength(1), z.maxLength(ADMIN_NOTICE_MAX_BYTES)) },
  close: { room: label },
  drain: { on: z.boolean() },
  cluster: {},
} as const;

type Rows = typeof FIELDS;
/** Name of a command. */
export type AdminCommand = keyof Rows;
/** Any command with its fields. */
export type AdminRequest = {
  [K in AdminCommand]:
    & { readonly command: K }
    & {
      readonly [F in keyof Rows[K]]: Rows[K][F] extends z.ZodMiniType ? z.output<Rows[K][F]>
        : never;
    };
}[AdminCommand];
/** A command of one kind. */
export type AdminRequestOf<K extends AdminCommand> = Extract<AdminRequest, { command: K }>;

/** Names of all commands. */
export const ADMIN_COMMANDS = Object.keys(FIELDS) as readonly AdminCommand[];

interface Typed {
  readonly words: readonly string[];
  readonly names: boolean;
}

interface CommandRow {
  /** Form of the arguments, such as `SESSION`. */
  readonly argument: string;
  readonly summary: string;
  /** Fewest and most words. */
  readonly count: readonly [number, number];
  /** Throws UsageError. */
  readonly read: (typed: Typed) => Record<string, unknown>;
}

/** How each command is typed. */
export const ADMIN_TABLE: Readonly<Record<AdminCommand, CommandRow>> = {
  sessions: {
    argument: "",
    count: [0, 0],
    read: ({ names }) => ({ names }),
    summary: "list sessions: number, protocol, rooms, start, address; --names adds their names",
  },
  rooms: {
    argument: "",
    count: [0, 0],
    read: ({ names }) => ({ names }),
    summary: "list rooms: label, members; --names adds the names of open rooms",
  },
  kick: {
    argument: "SESSION",
    count: [1, 1],
    read: ({ words: [word = ""] }) => ({ session: sessionNumber(word) }),
    summary: "end a session; its client does not reconnect on its own, but its user may",
  },
  ban: {
    argument: "ADDRESS|SESSION [TIME]",
    count: [1, 2],
    read: ({ words: [whom = "", time] }) => ({
      whom: /^\d+$/.test(whom) ? sessionNumber(whom) : whom,
      seconds: time === undefined ? 0 : parseDuration(time),
    }),
    summary: "ban an address, permanently or for 10m, 2h, 7d, and end its sessions",
  },
  unban: {
    argument: "ADDRESS",
    count: [1, 1],
    read: ({ words: [network] }) => ({ network }),
    summary: "lift the ban of an address",
  },
  bans: {
    argument: "",
    count: [0, 0],
    read: () => ({}),
    summary: "list bans and when they end",
  },
  notice: {
    argument: "TEXT",
    count: [1, Infinity],
    read: ({ words }) => ({ text: noticeText(words.join(" ")) }),
    summary: "send a notice to everybody, in the server's name",
  },
  close: {
    argument: "ROOM",
    count: [1, 1],
    read: ({ words: [room] }) => ({ room }),
    summary: "remove everybody from a room: its name, or open:N or sealed:N as rooms shows it",
  },
  drain: {
    argument: "[off]",
    count: [0, 1],
    read: ({ words: [word] }) => ({ on: word === undefined || wordOff(word) }),
    summary: "refuse new clients and keep connected ones; off accepts them again",
  },
  cluster: {
    argument: "",
    count: [0, 0],
    read: () => ({}),
    summary: "show NATS, the other servers, and what is wrong with them",
  },
};

/** Reads a typed command. Throws UsageError. */
export function readAdminRequest(
  [word = "", ...words]: readonly string[],
  { names }: Pick<Typed, "names">,
): AdminRequest {
  const command = ADMIN_COMMANDS.find((name) => name === word);
  if (command === undefined) {
    const what = word === "" ? "no command is given" : `${quote(word)} is not a command`;
    throw new UsageError(`Cannot ask the server: ${what}`, {
      hint: `one of ${ADMIN_COMMANDS.join(", ")}`,
    });
  }
  const { argument, count: [least, most], read } = ADMIN_TABLE[command];
  if (words.length < least || words.length > most) {
    throw new UsageError(`Cannot run ${command}: it takes ${argument || "no arguments"}`, {
      hint: `cmdchat-server admin ${command} ${argument}`.trimEnd(),
    });
  }
  const ask = checkAdminRequest({ command, ...read({ words, names }) });
  if (ask !== undefined) return ask;
  throw new UsageError(`Cannot run ${command}: ${argument} is longer or larger than allowed`);
}

/** A command as it came over the wire; undefined if it is not one. */
export function checkAdminRequest(value: unknown): AdminRequest | undefined {
  if (typeof value !== "object" || value === null || !("command" in value)) return undefined;
  const command = ADMIN_COMMANDS.find((name) => name === value.command);
  if (command === undefined) return undefined;
  const checked = z.strictObject({ command: z.literal(command), ...FIELDS[command] }).safeParse(
    value,
  );
  return checked.success ? checked.data as unknown as AdminRequest : undefined;
}

function sessionNumber(text: string): number {
  const number = Number(text);
  if (/^\d{1,16}$/.test(text) && number > 0 && Number.isSafeInteger(number)) return number;
  throw new UsageError(
    `Cannot use ${quote(text)} as a session: it must be a number that sessions shows`,
  );
}

function noticeText(text: string): string {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= ADMIN_NOTICE_MAX_BYTES && text.trim().length > 0) return text;
  throw new UsageError(
    `Cannot send the notice: it has ${bytes} bytes, 1 to ${ADMIN_NOTICE_MAX_BYTES} are allowed`,
  );
}

function wordOff(word: string): false {
  if (word === "off") return false;
  throw new UsageError(`Cannot use ${quote(word)}: drain takes off or nothing`);
}
