// Commands for the maker of a room and its ops. The server decides whether the user may use them.

import type { AnyClientId } from "../base/local_ids.ts";
import { BACKLOG_MAX_LINES, TOPIC_MAX_BYTES } from "../../shared/base/limits.ts";
import { backlogRule } from "../../shared/messages/moderation_text.ts";
import { UsageError } from "../../shared/base/errors.ts";
import type { Moderation } from "../../shared/messages/messages_v2.ts";
import { durationText, parseDuration } from "../../shared/text/duration.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { checkBytes } from "../../shared/base/text_bytes.ts";
import type { KnownBan } from "../rooms/bans.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import { listedName, safeLine } from "../render/text.ts";
import type { Chat } from "../chat/chat.ts";
import type { RequestOutcome } from "../session/request_ledger.ts";
import type { CommandRow } from "./command.ts";
import { longestName, NUMBER_HINT, splitName } from "./targets.ts";

const ROWS: readonly CommandRow[] = [
  {
    name: "kick",
    argument: "NAME [REASON]",
    needs: "new protocol",
    help: "remove somebody from a room you moderate",
    completes: "name",
    run({ chat }, argument) {
      const { person, rest } = splitName(chat, argument);
      return decide(chat, "kick", { whom: person.client, text: rest });
    },
  },
  {
    name: "ban",
    argument: "[NAME [TIME] [REASON]]",
    needs: "new protocol",
    help: "remove somebody and keep them out, for 30m, 2h or 1d, or forever; alone: as /bans",
    completes: "name",
    async run({ chat }, argument) {
      if (argument === "") return await listBans(chat);
      const { person, rest } = splitName(chat, argument);
      const { seconds, text } = splitTime(rest);
      return await decide(chat, "ban", { whom: person.client, seconds, text });
    },
  },
  {
    name: "bans",
    needs: "new protocol",
    help: "list who is banned from this room, until when, and by whom",
    run: ({ chat }) => listBans(chat),
  },
  {
    name: "unban",
    argument: "NAME",
    needs: "new protocol",
    help: "lift the ban of somebody",
    completes: "banned",
    async run({ chat }, argument) {
      const { room } = chat;
      // Others may have banned somebody before we came.
      const outcome = await chat.requests.add({ kind: "bans" }, room);
      if (outcome !== "confirmed") return outcome;
      const match = longestName(argument, (name) => room.bans.of(name));
      // What follows a name is another name, perhaps of somebody who stays banned.
      if (match === undefined || match.rest !== "") {
        throw new UsageError(`Cannot lift a ban: ${quote(argument)} is not banned here`, {
          hint: "/bans lists who is",
        });
      }
      return await chat.requests.add(
        { kind: "moderate", what: "unban", whom: match.found.client, seconds: 0, text: "" },
        room,
      );
    },
  },
  {
    name: "mute",
    argument: "NAME [TIME] [REASON]",
    needs: "new protocol",
    help: "mute somebody in a room you moderate, for 30m, 2h or 1d, or until /unmute",
    completes: "name",
    run({ chat }, argument) {
      const { person, rest } = splitName(chat, argument);
      return decide(chat, "mute", { whom: person.client, ...splitTime(rest) });
    },
  },
  {
    name: "unmute",
    argument: "NAME",
    needs: "new protocol",
    help: "let a muted member speak again",
    completes: "name",
    run: ({ chat }, argument) =>
      decide(chat, "unmute", { whom: wholeName(chat, "unmute", argument) }),
  },
  {
    name: "lock",
    needs: "new protocol",
    help: "lock a room you moderate: nobody else can join",
    run: ({ chat }) => lock(chat, true),
  },
  {
    name: "unlock",
    needs: "new protocol",
    help: "unlock the room: people can join again",
    run: ({ chat }) => lock(chat, false),
  },
  {
    name: "slow",
    argument: "TIME|off",
    needs: "new protocol",
    help: "set the shortest pause between two messages of one member, such as 10s",
    run: ({ chat }, argument) =>
      decide(chat, "slow", {
        whom: 0,
        seconds: argument === "off" || argument === "0" ? 0 : parseDuration(argument),
      }),
  },
  {
    name: "op",
    argument: "NAME",
    needs: "new protocol",
    help: "let somebody else moderate the room you made, even after you leave",
    completes: "name",
    run: ({ chat }, argument) => decide(chat, "op", { whom: wholeName(chat, "op", argument) }),
  },
  {
    name: "deop",
    argument: "NAME",
    needs: "new protocol",
    help: "take the rights of an op away, or give up your own",
    completes: "name",
    run: ({ chat }, argument) => decide(chat, "deop", { whom: wholeName(chat, "deop", argument) }),
  },
  {
    name: "pin",
    argument: "[#N|-]",
    needs: "new protocol",
    help: "show the pinned message; #N: pin message N for all, newcomers too; -: remove it",
    completes: "message",
    run: ({ chat }, argument) => pin(chat, argument),
  },
  {
    name: "backlog",
    argument: "[N|off]",
    needs: "new protocol",
    help: "show newcomers the last N lines of those said from now on; alone: show the setting",
    run: ({ chat }, argument) => setBacklog(chat, argument),
  },
  {
    name: "unpin",
    needs: "new protocol",
    help: "remove the pinned message",
    run: ({ chat }) => unpin(chat),
  },
];

/** Rows of the commands for the maker of a room and its ops: what a sealed room does not have is said before all else. */
export const MODERATION_COMMANDS: readonly CommandRow[] = ROWS.map((row) => ({
  ...row,
  run(context, argument) {
    const refusal = context.chat.room.isSealed ? SEALED_REFUSALS[row.name] : undefined;
    if (refusal !== undefined) throw new UsageError(...refusal);
    return row.run(context, argument);
  },
}));

/** What is so already is asked of nobody. */
function lock(chat: Chat, locked: boolean): void | Promise<RequestOutcome> {
  const { room } = chat;
  // The lock of a plain room ends with the last who could end it, and no event says so.
  const isModerated = room.maker !== 0 || room.ops.size > 0;
  const now = chat.sealed.of(room)?.status?.locked ?? (room.isLocked && isModerated);
  if (now !== locked) return decide(chat, locked ? "lock" : "unlock", { whom: 0 });
  const how = locked ? "locked already: nobody else can join" : "not locked: people can join";
  chat.output.answer(`${quote(room.title)} is ${how}.`);
}

async function setBacklog(chat: Chat, argument: string): Promise<unknown> {
  const { room } = chat;
  if (argument === "") {
    return chat.output.answer(
      room.backlog === 0
        ? `The backlog of ${
          quote(room.title)
        } is off: newcomers read nothing of what was said before.`
        : backlogRule(room.backlog),
    );
  }
  const lines = argument === "off" ? 0 : /^\d{1,4}$/.test(argument) ? Number(argument) : -1;
  if (lines < 0 || lines > BACKLOG_MAX_LINES) {
    throw new UsageError(
      `Cannot set the backlog to ${quote(argument)}: it is 1 to ${BACKLOG_MAX_LINES} lines, or off`,
    );
  }
  return await chat.requests.add({ kind: "backlog", lines }, room);
}

/** The member that `argument` names, which says nothing else: a reason would be lost. */
function wholeName(chat: Chat, command: string, argument: string): AnyClientId {
  const { person, rest } = splitName(chat, argument);
  if (rest === "") return person.client;
  throw new UsageError(
    `Cannot use /${command} with ${quote(rest)} after the name: the form is /${command} NAME`,
  );
}

function pin(chat: Chat, argument: string): void | Promise<unknown> {
  const { room } = chat;
  if (argument === "") return chat.output.answer(pinnedNow(room));
  if (argument === "-") return unpin(chat);
  const [, number] = /^#?(\d{1,15})$/.exec(argument) ?? [];
  if (number === undefined) {
    throw new UsageError(`Cannot pin ${quote(argument)}: the form is /pin #N`, {
      hint: `${NUMBER_HINT}; /pin - removes the pin`,
    });
  }
  const sequence = Number(number);
  const message = room.said.find(sequence);
  if (message === undefined) {
    throw new UsageError(`Cannot pin #${sequence}: this client has no such message of this room`, {
      hint: NUMBER_HINT,
    });
  }
  const { sender: authorName, text } = message;
  return chat.requests.add({ kind: "pin", sequence, authorName, text }, room);
}

function unpin({ room, requests }: Chat): Promise<unknown> {
  if (room.pin === undefined) {
    throw new UsageError("Cannot remove the pin: nothing is pinned in this room");
  }
  return requests.add({ kind: "pin", sequence: 0, authorName: "", text: "" }, room);
}

function pinnedNow({ title, pin }: JoinedRoom): string {
  return pin === undefined
    ? `Nothing is pinned in ${quote(title)}.`
    : `Pinned, ${pin.sequence === 0 ? "a message" : `#${pin.sequence}`} of ${
      listedName(pin.author)
    }: ${safeLine(pin.text)}`;
}

async function listBans(chat: Chat): Promise<unknown> {
  const { room } = chat;
  const outcome = await chat.requests.add({ kind: "bans" }, room);
  if (outcome === "confirmed") chat.output.answer(banList(room, Date.parse(chat.utc())));
  return outcome;
}

function banList({ title, bans }: JoinedRoom, now: number): string {
  if (bans.all.length === 0) return `Nobody is banned from ${quote(title)}.`;
  const lines = bans.all.slice(-BANS_SHOWN_MAX).map((ban) => `  ${banLine(ban, now)}`);
  const rest = bans.all.length - lines.length;
  return [
    `banned from ${quote(title)}; /unban NAME lifts a ban:`,
    ...(rest > 0 ? [`  … and ${rest} before these`] : []),
    ...lines,
  ].join("\n");
}

// A screen or two; a room can have a thousand.
const BANS_SHOWN_MAX = 50;

function banLine({ name, until, by }: KnownBan, now: number): string {
  const seconds = Math.max(1, Math.ceil((until - now) / 1_000));
  const how = until === 0 ? "for good" : `for another ${durationText(seconds)}`;
  return `${listedName(name)} ${how}, by ${listedName(by)}`;
}

interface Decision {
  readonly whom: AnyClientId;
  readonly seconds?: number;
  readonly text?: string;
}

type Refusal = readonly [message: string, options: { readonly hint: string }];

const NO_BANS: Refusal = [
  "Cannot ban in a sealed room: anybody who has its link can join again with another key",
  { hint: "/kick NAME, then /lock, or /rekey for a new link" },
];
const NO_SILENCE: Refusal = [
  "Cannot do that in a sealed room: the server does not know who sends which message",
  { hint: "/ignore NAME hides their messages from you; /kick NAME removes them" },
];
const NO_BACKLOG: Refusal = [
  "Cannot keep lines of a sealed room for newcomers: only its members can read them",
  { hint: "/pin #N shows one message to newcomers" },
];
/** Commands of which no server can enforce anything in a sealed room, by name. */
const SEALED_REFUSALS: Readonly<Record<string, Refusal>> = {
  ban: NO_BANS,
  bans: NO_BANS,
  unban: NO_BANS,
  mute: NO_SILENCE,
  unmute: NO_SILENCE,
  slow: NO_SILENCE,
  backlog: NO_BACKLOG,
};

function decide(
  chat: Chat,
  what: Moderation,
  { whom, seconds = 0, text = "" }: Decision,
): Promise<RequestOutcome> {
  checkBytes(text, TOPIC_MAX_BYTES, `${what} for that reason`);
  return chat.requests.add({ kind: "moderate", what, whom, seconds, text }, chat.room);
}

/** `30m because`. Throws UsageError for a first word that may mean a time: as a reason, it would be for good. */
function splitTime(rest: string): { readonly seconds: number; readonly text: string } {
  const [, first = "", text = ""] = /^(\S*)\s*([^]*)$/.exec(rest) ?? [];
  return /^[-+.]?\d/.test(first)
    ? { seconds: parseDuration(first), text }
    : { seconds: 0, text: rest };
}
