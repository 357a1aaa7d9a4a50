// Invite links: the command that prints them, and following one.

import { UsageError } from "../../shared/base/errors.ts";
import {
  formatLink,
  formatWebLink,
  type InviteLink,
  parseLink,
} from "../../shared/text/invite_link.ts";
import { parseRoom } from "../../shared/text/names.ts";
import type { Chat } from "../chat/chat.ts";
import type { RequestOutcome } from "../session/request_ledger.ts";
import type { CommandRow } from "./command.ts";

const WORDS = ["qr", "token"];
/** Cells beside a code: the indent of an answer's rows, and the last column, which stays empty. */
const CODE_MARGIN = 5;

/** Rows of the commands for invite links. */
export const INVITE_COMMANDS: readonly CommandRow[] = [
  {
    name: "invite",
    argument: "[qr] [token]",
    needs: "connection",
    help: "print a link to this room; qr: also as a QR code, token: with your token in it",
    async run({ chat }, argument) {
      const words = argument.split(/\s+/).filter((word) => word !== "");
      const wrong = words.find((word) => !WORDS.includes(word));
      if (wrong !== undefined) {
        throw new UsageError("Cannot create the link: the form is /invite [qr] [token]");
      }
      const withToken = words.includes("token");
      const link = inviteTo(chat, { secret: chat.sealed.of(chat.room)?.secret, withToken });
      const { columns } = chat.output;
      const code = words.includes("qr") ? await qrCode(link.web ?? link.terminal) : undefined;
      const missing = code === undefined ? undefined : tooNarrowFor(code, columns);
      tellLink(chat, link, missing === undefined ? code : undefined);
      if (missing !== undefined) chat.output.note("info", missing);
    },
  },
];

/** What a link to the current room has beside the server's address. */
export interface InviteLinkOptions {
  /** The secret of a sealed room. */
  readonly secret?: Uint8Array | undefined;
  readonly withToken?: boolean;
}

/** The texts of one link: for the terminal client, and for browsers where the server has a page. */
export interface InviteTexts {
  readonly terminal: string;
  readonly web: string | undefined;
}

/** The link to the current room as text. Throws UsageError. */
export function inviteTo(chat: Chat, invitation: InviteLinkOptions): InviteTexts {
  const link = linkTo(chat, invitation);
  const web = chat.address.hasPage ? formatWebLink(link) : undefined;
  return { terminal: formatLink(link), web };
}

/** Prints a link, with a note if it only works on this machine. */
export function tellLink(chat: Chat, { terminal, web }: InviteTexts, code?: string): void {
  const lines = [
    ...(web === undefined ? [] : [web]),
    terminal,
    ...(code === undefined ? [] : [code]),
  ];
  chat.output.answer(lines.join("\n"), { isCopyable: true });
  if (!/^cmdchat:\/\/(127\.|localhost|\[::1\])/.test(terminal)) return;
  chat.output.note(
    "info",
    "This link works only on this machine; connect by the server's address to invite others.",
  );
}

function linkTo(chat: Chat, { secret, withToken = false }: InviteLinkOptions): InviteLink {
  const { fingerprint } = chat;
  if (fingerprint === undefined) {
    throw new UsageError("Cannot create a link: a server of the old protocol has no fingerprint");
  }
  const { host, port, tls, webSocket, token } = chat.address;
  if (withToken && token === undefined) {
    throw new UsageError("Cannot put a token into the link: you connected without one");
  }
  return {
    host,
    port,
    tls,
    room: chat.room.linkTitle,
    fingerprint,
    ...(webSocket ? { wss: true } : {}),
    ...(secret === undefined ? {} : { secret }),
    ...(withToken && token !== undefined ? { token } : {}),
  };
}

async function qrCode(text: string): Promise<string> {
  const { renderUnicodeCompact } = await import("uqr");
  return renderUnicodeCompact(text, { border: 2 });
}

/** What is said where the rows of a code would be wrapped, which nobody can scan; undefined where it fits. */
function tooNarrowFor(code: string, columns: number | undefined): string | undefined {
  const needed = code.indexOf("\n") + CODE_MARGIN;
  return columns === undefined || needed <= columns
    ? undefined
    : `The QR code needs ${needed} columns, and this terminal has ${columns}.`;
}

/** Whether a typed room is a link. */
export function isLink(text: string): boolean {
  return /^(?:cmdchat|https?):/i.test(text);
}

/** Joins the room of a link to the connected server. Throws UsageError, which repeats nothing of the link. */
export function joinByLink(chat: Chat, text: string): Promise<RequestOutcome> {
  const { host, port, room, fingerprint, secret } = parseLink(text);
  const { address } = chat;
  if (host !== address.host || port !== address.port) {
    throw new UsageError("Cannot follow the link: it leads to another server", {
      hint: "start another client with it",
    });
  }
  if (fingerprint !== undefined && fingerprint !== chat.fingerprint) {
    throw new UsageError("Cannot follow the link: it expects another server at this address", {
      hint: "somebody may be in between; ask for a new link",
    });
  }
  const title = parseRoom(room);
  if (secret === undefined) return chat.join(title);
  chat.sealed.open({ secret, title, name: chat.name, isNew: false });
  return Promise.resolve("confirmed");
}
