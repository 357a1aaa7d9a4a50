// Commands that bring others in.

import { UsageError } from "../../shared/base/errors.ts";
import { formatLink, type InviteLink, parseLink } from "../../shared/text/invite_link.ts";
import { parseRoom } from "../../shared/text/names.ts";
import type { Chat } from "../chat/chat.ts";
import type { RequestOutcome } from "../session/request_ledger.ts";
import type { CommandRow } from "./command.ts";

const WORDS = ["qr", "token"];

/** Rows of the commands about invitations. */
export const INVITE_COMMANDS: readonly CommandRow[] = [
  {
    name: "invite",
    argument: "[qr] [token]",
    needs: "connection",
    help: "print a link to this room; as a QR code too, or with your token in it",
    async run({ chat }, argument) {
      const words = argument.split(/\s+/).filter((word) => word !== "");
      const wrong = words.find((word) => !WORDS.includes(word));
      if (wrong !== undefined) throw new UsageError("Cannot make this link: /invite [qr] [token]");
      const secret = chat.sealed.of(chat.room)?.secret;
      const link = inviteTo(chat, { secret, withToken: words.includes("token") });
      tellLink(chat, link, words.includes("qr") ? await qrCode(link) : undefined);
    },
  },
];

/** What a link to the current room has beside its address. */
export interface InviteLinkOptions {
  /** Of a sealed room. */
  readonly secret?: Uint8Array | undefined;
  readonly withToken?: boolean;
}

/** The link to the current room as text. Throws UsageError. */
export function inviteTo(chat: Chat, invitation: InviteLinkOptions): string {
  return formatLink(linkTo(chat, invitation));
}

/** Prints a link, and says where it leads to nobody else. */
export function tellLink(chat: Chat, link: string, code?: string): void {
  chat.output.answer(code === undefined ? link : `${link}\n${code}`);
  if (!/^cmdchat:\/\/(127\.|localhost|\[::1\])/.test(link)) return;
  chat.output.note(
    "info",
    "This link leads to this machine only; join by its address to invite others.",
  );
}

function linkTo(chat: Chat, { secret, withToken = false }: InviteLinkOptions): InviteLink {
  const { fingerprint } = chat;
  if (fingerprint === undefined) {
    throw new UsageError("Cannot make a link: a server of the old protocol cannot be recognised");
  }
  const { host, port, tls, token } = chat.address;
  if (withToken && token === undefined) {
    throw new UsageError("Cannot put a token into the link: you joined without one");
  }
  return {
    ...{ host, port, tls, room: chat.room.title, fingerprint },
    ...(secret === undefined ? {} : { secret }),
    ...(withToken && token !== undefined ? { token } : {}),
  };
}

async function qrCode(text: string): Promise<string> {
  const { renderUnicodeCompact } = await import("uqr");
  return renderUnicodeCompact(text, { border: 2 });
}

/** Whether somebody typed a link where a room is wanted. */
export function isLink(text: string): boolean {
  return /^cmdchat:/i.test(text);
}

/** Comes into the room of a link to the server that we are at. Throws UsageError, which repeats nothing of the link. */
export function joinByLink(chat: Chat, text: string): Promise<RequestOutcome> {
  const { host, port, room, fingerprint, secret } = parseLink(text);
  const { address } = chat;
  if (host !== address.host || port !== address.port) {
    throw new UsageError("Cannot follow the link: it leads to another server than this one", {
      hint: "start another client with it",
    });
  }
  if (fingerprint !== undefined && fingerprint !== chat.fingerprint) {
    throw new UsageError("Cannot follow the link: it expects another server at this address", {
      hint: "someone may stand in between; ask for a fresh link",
    });
  }
  const title = parseRoom(room);
  if (secret === undefined) return chat.join(title);
  chat.sealed.open({ secret, title, name: chat.name, isNew: false });
  return Promise.resolve("confirmed");
}
