// Commands for the maker of a room. The server decides whether the user may use them.

import type { AnyClientId } from "../base/local_ids.ts";
import { UsageError } from "../../shared/base/errors.ts";
import type { Moderation } from "../../shared/messages/messages_v2.ts";
import { parseDuration } from "../../shared/text/duration.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { nameKey } from "../../shared/text/names.ts";
import { listedName } from "../render/text.ts";
import type { Chat } from "../chat/chat.ts";
import type { RequestOutcome } from "../session/request_ledger.ts";
import type { CommandRow } from "./command.ts";
import { longestName, splitName } from "./targets.ts";

/** Rows of the commands for the maker of a room. */
export const MODERATION_COMMANDS: readonly CommandRow[] = [
  {
    name: "kick",
    argument: "NAME [REASON]",
    needs: "new protocol",
    help: "remove somebody from the room you made",
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
    help:
      "remove somebody and keep them out, for 30m, 2h or 1d, or for ever; alone: whom you banned",
    completes: "name",
    async run({ chat }, argument) {
      if (argument === "") return chat.output.answer(banList(chat));
      const { person, rest } = splitName(chat, argument);
      const { seconds, text } = splitTime(rest);
      const { room } = chat;
      const outcome = await decide(chat, "ban", { whom: person.client, seconds, text });
      if (outcome === "confirmed") room.banned.set(person.name, person.client);
      return outcome;
    },
  },
  {
    name: "unban",
    argument: "NAME",
    needs: "new protocol",
    help: "lift the ban of somebody whom you banned",
    completes: "banned",
    async run({ chat }, argument) {
      const { banned } = chat.room;
      const match = longestName(
        argument,
        (name) => [...banned].find(([known]) => nameKey(known) === nameKey(name)),
      );
      if (match === undefined) {
        throw new UsageError(`Cannot lift a ban: you did not ban ${quote(argument)} here`, {
          hint: banList(chat),
        });
      }
      const [name, whom] = match.found;
      const outcome = await decide(chat, "unban", { whom });
      if (outcome === "confirmed") banned.delete(name);
      return outcome;
    },
  },
  {
    name: "mute",
    argument: "NAME [TIME]",
    needs: "new protocol",
    help: "mute somebody in the room you made",
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
      decide(chat, "unmute", { whom: splitName(chat, argument).person.client }),
  },
  {
    name: "lock",
    needs: "new protocol",
    help: "lock the room you made: nobody else can join",
    run: ({ chat }) => decide(chat, "lock", { whom: 0 }),
  },
  {
    name: "unlock",
    needs: "new protocol",
    help: "unlock the room: people can join again",
    run: ({ chat }) => decide(chat, "unlock", { whom: 0 }),
  },
  {
    name: "slow",
    argument: "TIME|off",
    needs: "new protocol",
    help: "set the least pause between two messages of one member, such as 10s",
    run: ({ chat }, argument) =>
      decide(chat, "slow", { whom: 0, seconds: argument === "off" ? 0 : parseDuration(argument) }),
  },
];

/** Whom the user banned in this room, as far as this client knows. */
function banList({ room }: Chat): string {
  if (room.isSealed) throw new UsageError(...NO_BANS);
  const names = [...room.banned.keys()].map(listedName).join(", ");
  return names === ""
    ? `You have banned nobody in ${quote(room.title)}.`
    : `You banned ${names} in ${quote(room.title)}; /unban NAME lifts a ban.`;
}

interface Decision {
  readonly whom: AnyClientId;
  readonly seconds?: number;
  readonly text?: string;
}

type Refusal = readonly [message: string, options: { readonly hint: string }];

const NO_BANS: Refusal = [
  "Cannot ban in a sealed room: whoever has its link can join again with another key",
  { hint: "/kick NAME, then /lock, or /rekey for a new link" },
];
const NO_SILENCE: Refusal = [
  "Cannot do that in a sealed room: the server does not know who sends which message",
  { hint: "/ignore NAME hides their messages from you; /kick NAME removes them" },
];
/** Decisions that no server can enforce in a sealed room. */
const SEALED_REFUSALS: Readonly<Record<Moderation, Refusal | undefined>> = {
  kick: undefined,
  lock: undefined,
  unlock: undefined,
  ban: NO_BANS,
  unban: NO_BANS,
  mute: NO_SILENCE,
  unmute: NO_SILENCE,
  slow: NO_SILENCE,
};

function decide(
  chat: Chat,
  what: Moderation,
  { whom, seconds = 0, text = "" }: Decision,
): Promise<RequestOutcome> {
  const refusal = chat.room.isSealed ? SEALED_REFUSALS[what] : undefined;
  if (refusal !== undefined) throw new UsageError(...refusal);
  return chat.requests.add({ kind: "moderate", what, whom, seconds, text }, chat.room);
}

// `30m because`: the first word is a duration if it looks like one.
function splitTime(rest: string): { readonly seconds: number; readonly text: string } {
  const [first = "", ...others] = rest.split(" ");
  if (!/^\d+[smhd]$/.test(first)) return { seconds: 0, text: rest };
  return { seconds: parseDuration(first), text: others.join(" ") };
}
