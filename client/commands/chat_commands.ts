// Commands for messages in a room, and for the user's name and state.

import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { parseName } from "../../shared/text/names.ts";
import { reactionKey } from "../../shared/text/reaction.ts";
import { REACTIONS_MAX } from "../base/limits.ts";
import type { Chat } from "../chat/chat.ts";
import { outcomeOfAll } from "../session/request_ledger.ts";
import type { CommandRow } from "./command.ts";
import { NUMBER_HINT } from "./targets.ts";
import { parseEmoji } from "../editing/emoji.ts";

/** Rows of the commands for messages and the user's name and state. */
export const CHAT_COMMANDS: readonly CommandRow[] = [
  {
    name: "nick",
    argument: "NAME",
    needs: "connection",
    help: "change your name, in all your rooms; in a sealed room, only there",
    async run({ chat }, argument) {
      const name = parseName(argument);
      const isSame = name === chat.name;
      // Whoever waits for another name to be free stops waiting.
      const outcome = await chat.rename(name);
      if (isSame && outcome === "confirmed") {
        chat.output.answer(`Your name is ${quote(name)} already.`);
      }
      return outcome;
    },
  },
  {
    name: "me",
    argument: "TEXT",
    needs: "new protocol",
    help: "send an action: /me waves",
    run: ({ chat }, argument) => chat.say(argument, { action: true }),
  },
  {
    name: "quote",
    argument: "N TEXT",
    needs: "new protocol",
    help: "answer message N of this room",
    run({ chat }, argument) {
      const [, number, text] = /^#?(\d{1,15})\s+(\S[\s\S]*)$/.exec(argument) ?? [];
      if (number === undefined || text === undefined) {
        throw new UsageError("Cannot quote: the form is /quote N TEXT", {
          hint: NUMBER_HINT,
        });
      }
      if (chat.room.said.find(Number(number)) === undefined) {
        throw new UsageError(
          `Cannot quote #${number}: this client has no such message of this room`,
          { hint: NUMBER_HINT },
        );
      }
      return chat.say(text, { reply: Number(number) });
    },
  },
  {
    name: "edit",
    argument: "[#N] TEXT",
    needs: "new protocol",
    help: "change the text of your last message here, or of your message N; Tab: the old text",
    completes: "own message",
    run({ chat }, argument) {
      const { sequence, rest } = splitNumber(argument);
      if (sequence !== undefined && rest === "") {
        throw new UsageError(
          `Cannot change #${sequence} to nothing: the form is /edit [#N] TEXT`,
          { hint: `/delete #${sequence} deletes it` },
        );
      }
      if (sequence === undefined) refuseBareNumber(chat, argument);
      return chat.talk.revise(rest, sequence);
    },
  },
  {
    name: "delete",
    argument: "[#N]",
    needs: "new protocol",
    help: "delete your last message here, or your message N; others may have read it",
    completes: "own message",
    run({ chat }, argument) {
      const [, number] = /^#?(\d{1,15})$/.exec(argument) ?? [];
      if (argument !== "" && number === undefined) {
        throw new UsageError(`Cannot delete ${quote(argument)}: the form is /delete [#N]`, {
          hint: NUMBER_HINT,
        });
      }
      return chat.talk.revise(null, number === undefined ? undefined : Number(number));
    },
  },
  {
    name: "react",
    argument: "[#N] EMOJI",
    needs: "new protocol",
    help: "put an emoji under message N, by default the newest of somebody else; again takes " +
      "it back: /react :+1:",
    completes: "emoji",
    run({ chat }, argument) {
      const { sequence, word } = splitReaction(chat, argument);
      const emoji = parseEmoji(word);
      const { on } = checkRoom(chat, sequence, emoji);
      return chat.talk.react(sequence, emoji, on);
    },
  },
  {
    name: "unreact",
    argument: "[#N] [EMOJI]",
    needs: "new protocol",
    help: "take your emoji back from message N, by default the last that has one of yours",
    completes: "emoji",
    async run({ chat }, argument) {
      const [match, number, word = ""] = /^(?:#?(\d{1,15})(?:\s+|$))?(\S*)$/.exec(argument) ?? [];
      if (match === undefined) {
        throw new UsageError(
          "Cannot take a reaction back: the form is /unreact [#N] [EMOJI]",
          { hint: NUMBER_HINT },
        );
      }
      const sequence = number === undefined ? chat.room.reactions.lastOwn : Number(number);
      const key = word === "" ? undefined : reactionKey(parseEmoji(word));
      const own = sequence === undefined
        ? []
        : chat.room.reactions.of(sequence).filter((reaction) =>
          reaction.own && (key === undefined || reactionKey(reaction.emoji) === key)
        );
      if (sequence === undefined || own.length === 0) {
        const where = number === undefined ? "any message here" : `#${number}`;
        throw new UsageError(`Cannot take a reaction back: you have none under ${where}`, {
          hint: "the form is /unreact [#N] [EMOJI]",
        });
      }
      const asked = own.map(({ emoji }) => chat.talk.react(sequence, emoji, false));
      return outcomeOfAll(await Promise.all(asked));
    },
  },
  {
    name: "away",
    argument: "[TEXT]",
    needs: "new protocol",
    help: "set an away text for your rooms; alone: you are back",
    run({ chat }, argument) {
      if (argument === "" && chat.talk.status === null) {
        return chat.output.answer("You are not away; /away TEXT sets it.");
      }
      const { isSealed } = chat.room;
      if (chat.rooms.plain.length === 0) {
        throw new UsageError(
          "Cannot set an away text: you are only in sealed rooms, and the server would read it",
        );
      }
      // Whoever writes in a sealed room means its members, and the text goes to the server and the plain rooms.
      if (argument !== "" && isSealed) {
        throw new UsageError(
          "Cannot set an away text in a sealed room: the server would read it",
          { hint: "/switch to a plain room, and set it there" },
        );
      }
      return chat.talk.setStatus(argument === "" ? null : argument);
    },
  },
];

/** Splits `#N REST`; without the sign there is no number. */
function splitNumber(argument: string): { readonly sequence?: number; readonly rest: string } {
  const [, number, rest = ""] = /^#(\d{1,15})(?:\s+([\s\S]*))?$/.exec(argument) ?? [];
  return number === undefined ? { rest: argument } : { sequence: Number(number), rest };
}

/** `/edit 3 text` may mean message 3, or a text that begins with a number: the user says which. */
function refuseBareNumber(chat: Chat, argument: string): void {
  const [, number, text] = /^(\d{1,15})\s+(\S[\s\S]*)$/.exec(argument) ?? [];
  const { lastOwn } = chat.room.said;
  if (number === undefined || text === undefined || lastOwn === undefined) return;
  throw new UsageError(`Cannot tell which message you mean by ${quote(`${number} …`)}`, {
    hint: `/edit #${number} TEXT changes message ${number}; ` +
      `/edit #${lastOwn} ${number} TEXT changes your last message`,
  });
}

/** Splits `[#N] EMOJI`. */
function splitReaction(
  chat: Chat,
  argument: string,
): { readonly sequence: number; readonly word: string } {
  const [, number, word] = /^(?:#?(\d{1,15})\s+)?(\S+)$/.exec(argument) ?? [];
  if (word === undefined || /^#?\d+$/.test(word)) {
    throw new UsageError(`Cannot react with ${quote(argument)}: the form is /react [#N] EMOJI`, {
      hint: `${NUMBER_HINT}; /react #12 :+1: reacts to #12`,
    });
  }
  if (number === undefined) {
    const newest = chat.room.said.lastOfOthers;
    if (newest !== undefined) return { sequence: newest.sequence, word };
    throw new UsageError("Cannot react: nobody else has said anything here yet");
  }
  if (chat.room.said.find(Number(number)) === undefined) {
    throw new UsageError(
      `Cannot react to #${number}: this client has no such message of this room`,
      { hint: NUMBER_HINT },
    );
  }
  return { sequence: Number(number), word };
}

/** Whether the emoji is to be put or taken back. Throws UsageError where there is no room for it. */
function checkRoom(chat: Chat, sequence: number, emoji: string): { readonly on: boolean } {
  const reactions = chat.room.reactions.of(sequence);
  const same = reactions.find((known) => reactionKey(known.emoji) === reactionKey(emoji));
  if (same?.own) return { on: false };
  const { member, kinds } = REACTIONS_MAX;
  if (reactions.filter(({ own }) => own).length >= member) {
    throw new UsageError(
      `Cannot react to #${sequence}: ${member} of your reactions are there, the maximum`,
      { hint: `/unreact #${sequence} takes them back` },
    );
  }
  if (same === undefined && reactions.length >= kinds) {
    throw new UsageError(
      `Cannot react to #${sequence} with another emoji: ${kinds} are there, the maximum`,
    );
  }
  return { on: true };
}
