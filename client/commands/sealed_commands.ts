// Commands for sealed rooms.

import { ConnectionError, UsageError } from "../../shared/base/errors.ts";
import { ROOM_SECRET_BYTES } from "../../shared/text/invite_link.ts";
import { parseTypedRoom } from "../../shared/text/names.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { Chat } from "../chat/chat.ts";
import type { SealStatus } from "../sealed_engine/engine_protocol.ts";
import { RefusalError } from "../session/refusal.ts";
import { refusalReason, type RequestOutcome } from "../session/request_ledger.ts";
import type { SealedRoom } from "../sealed/sealed_room.ts";
import type { CommandRow } from "./command.ts";
import { inviteTo, tellLink } from "./invite_commands.ts";
import { typedName } from "./targets.ts";

const DEFAULT_TITLE = "sealed";

/** Rows of the commands for sealed rooms. */
export const SEALED_COMMANDS: readonly CommandRow[] = [
  {
    name: "seal",
    argument: "[ROOM]",
    needs: "new protocol",
    help: "create a sealed room, which the server cannot read, and print its link",
    run({ chat }, argument) {
      const title = parseTypedRoom(argument === "" ? DEFAULT_TITLE : argument);
      return make(chat, {
        title,
        tell: () => "Everybody who has this link can join: give it to nobody else.",
      });
    },
  },
  {
    name: "code",
    needs: "nothing",
    help: "show the code of the sealed room: if it differs between screens, somebody is in between",
    run({ chat }) {
      const { code, people } = statusOf(chat);
      const count = people.length === 1 ? "1 member" : `${people.length} members`;
      chat.output.answer(
        `Code of ${quote(chat.room.title)} now, ${count}: ${code}`,
      );
    },
  },
  {
    name: "rekey",
    argument: "[follow [NAME]]",
    needs: "new protocol",
    help:
      "create a new link for this sealed room and tell its members; follow: use the new link of another member",
    run({ chat }, argument) {
      const room = sealedRoom(chat);
      const [verb, name] = /^(\S*)\s*([^]*)$/.exec(argument)?.slice(1) ?? [];
      if (verb === "follow") return follow(chat, room, typedName(name ?? ""));
      if (argument !== "") {
        throw new UsageError("Cannot do that: the forms are /rekey and /rekey follow [NAME]");
      }
      return rekey(chat, room);
    },
  },
];

interface NewRoom {
  readonly title: string;
  /** Passes the secret on, and gives the note below the link. Throws where it was not passed on. */
  readonly tell: (secret: Uint8Array) => string | Promise<string>;
}

/** Only who is in the room can tell its members. Throws UsageError, or what became of telling them. */
async function rekey(chat: Chat, room: SealedRoom): Promise<RequestOutcome> {
  requireInside(room);
  // In a pipe the command may come before the way into the room is through.
  const entered = await room.entered;
  if (entered !== "confirmed") return entered;
  requireInside(room);
  return await make(chat, {
    title: room.state.linkTitle,
    tell: (secret) => moved(chat, room, secret),
  });
}

function requireInside({ state, status, hasStopped }: SealedRoom): void {
  if (status?.phase !== "out" && !hasStopped) return;
  throw new UsageError(
    `Cannot make a new link for ${quote(state.title)}: you are not in it, so nobody would be told`,
    { hint: "/seal makes another room, whose link you give to the others yourself" },
  );
}

/** Makes a room, and then gives the link away: whoever followed it sooner could be there first, and be the maker. */
async function make(chat: Chat, { title, tell }: NewRoom): Promise<RequestOutcome> {
  const secret = newSecret();
  const { entered } = chat.sealed.open({ secret, title, name: chat.name, isNew: true });
  const link = inviteTo(chat, { secret });
  const outcome = await entered;
  if (outcome !== "confirmed") return outcome;
  const told = tell(secret);
  tellLink(chat, link);
  chat.output.note("info", await told);
  return outcome;
}

/** Tells the members of `room` of another link; gives what became of that. Throws where they were not told. */
async function moved(chat: Chat, room: SealedRoom, secret: Uint8Array): Promise<string> {
  const where = quote(room.state.title);
  const isAlone = room.status?.people.every(({ own }) => own);
  if (room.status?.phase !== "in") {
    chat.output.note("info", `The members of ${where} are told as soon as you are back there.`);
  }
  const outcome = await room.move(secret);
  const sendIt = { hint: "send them the new link yourself" };
  if (outcome === "lost") {
    throw new ConnectionError(
      `Perhaps the members of ${where} were not told of the new link: you are not in that room any more`,
      sendIt,
    );
  }
  if (outcome !== "confirmed") {
    throw new RefusalError(
      `The members of ${where} were not told of the new link: ${refusalReason(outcome)}`,
      sendIt,
    );
  }
  if (isAlone) return `Nobody else was in ${where}: there was nobody to tell.`;
  return `The members of ${where} were told. Leave that room once they are here.`;
}

function follow(chat: Chat, room: SealedRoom, name: string): void {
  chat.sealed.open({
    secret: room.newLinks.find(name).secret,
    title: room.state.linkTitle,
    name: room.status?.name ?? chat.name,
    isNew: false,
  });
}

function newSecret(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(ROOM_SECRET_BYTES));
}

function sealedRoom(chat: Chat): SealedRoom {
  const room = chat.sealed.of(chat.room);
  if (room !== undefined) return room;
  throw new UsageError(
    `Cannot do that: ${quote(chat.room.title)} is not sealed; the server can read it`,
    { hint: "/seal creates a sealed room" },
  );
}

function statusOf(chat: Chat): SealStatus {
  const { status } = sealedRoom(chat);
  // An old code would differ from that of the others, as if somebody were in between.
  if (status?.phase === "in" && status.code !== "") return status;
  throw new UsageError(`Cannot show the code: you are not in ${quote(chat.room.title)} now`);
}
