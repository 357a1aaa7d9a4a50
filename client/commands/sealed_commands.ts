// Commands for sealed rooms.

import { UsageError } from "../../shared/base/errors.ts";
import { ROOM_SECRET_BYTES } from "../../shared/text/invite_link.ts";
import { parseTypedRoom } from "../../shared/text/names.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { Chat } from "../chat/chat.ts";
import type { SealStatus } from "../sealed_engine/engine_protocol.ts";
import type { RequestOutcome } from "../session/request_ledger.ts";
import type { SealedRoom } from "../sealed/sealed_room.ts";
import type { CommandRow } from "./command.ts";
import { inviteTo, tellLink } from "./invite_commands.ts";

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
        told: "Everybody who has this link can join: give it to nobody else.",
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
    argument: "[follow]",
    needs: "new protocol",
    help:
      "create a new link for this sealed room and tell its members; follow: use the new link of another member",
    run({ chat }, argument) {
      const room = sealedRoom(chat);
      if (argument !== "" && argument !== "follow") {
        throw new UsageError("Cannot do that: the forms are /rekey and /rekey follow");
      }
      if (argument === "follow") return follow(chat, room);
      return make(chat, {
        title: room.state.linkTitle,
        told: `The members of ${
          quote(room.state.title)
        } were told. Leave that room once they are here.`,
        tell: (secret) => room.move(secret),
      });
    },
  },
];

interface NewRoom {
  readonly title: string;
  /** The note below the link. */
  readonly told: string;
  /** Passes the secret on. */
  readonly tell?: (secret: Uint8Array) => void;
}

/** Makes a room, and then gives the link away: whoever followed it sooner could be there first, and be the maker. */
async function make(chat: Chat, { title, told, tell }: NewRoom): Promise<RequestOutcome> {
  const secret = newSecret();
  const { entered } = chat.sealed.open({ secret, title, name: chat.name, isNew: true });
  const link = inviteTo(chat, { secret });
  const outcome = await entered;
  if (outcome !== "confirmed") return outcome;
  tell?.(secret);
  tellLink(chat, link);
  chat.output.note("info", told);
  return outcome;
}

function follow(chat: Chat, room: SealedRoom): void {
  if (room.moved === undefined) {
    throw new UsageError("Cannot follow: nobody in this room has created a new link");
  }
  chat.sealed.open({
    secret: room.moved.secret,
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
  if (status !== undefined && status.code !== "") return status;
  throw new UsageError("Cannot show the code: you are not in the group yet");
}
