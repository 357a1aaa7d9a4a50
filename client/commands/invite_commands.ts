// Invite links: the command that prints them, and following one.

import { loadQrText } from "#platform/on_demand.ts";
import { INVITE_MAX_S, INVITE_USES_MAX } from "../../shared/base/limits.ts";
import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import {
  formatLink,
  formatWebLink,
  type InviteLink,
  parseLink,
} from "../../shared/text/invite_link.ts";
import { parseRoom } from "../../shared/text/names.ts";
import type { ChatAddress } from "../chat/chat_options.ts";
import type { Chat } from "../chat/chat.ts";
import type { RequestOutcome } from "../session/request_ledger.ts";
import { durationText, parseDuration } from "../../shared/text/duration.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { listedName } from "../render/text.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import type { CommandRow } from "./command.ts";

/** How long an invite is open where nothing is said. */
const USUAL_SECONDS = 86_400;
/** Cells beside a code: the indent of an answer's rows, and the last column, which stays empty. */
const CODE_MARGIN = 5;

/** Rows of the commands for invite links. */
export const INVITE_COMMANDS: readonly CommandRow[] = [
  {
    name: "invite",
    argument: "[qr] [token] [TIME] [once|N]",
    needs: "connection",
    help:
      "print a link to this room; qr: a QR code; token: with your token; 2h, once, 5: with one that ends",
    run({ chat }, argument) {
      const words = wordsOf(argument);
      return words[0] === "revoke" ? revoke(chat, words) : invite(chat, parseInvitation(words));
    },
  },
  {
    name: "invites",
    argument: "[revoke N]",
    needs: "new protocol",
    help: "list your open invites; revoke N: end invite N, as /invite revoke N does",
    run({ chat }, argument) {
      const words = wordsOf(argument);
      if (words.length === 0) return listInvites(chat);
      if (words[0] === "revoke") return revoke(chat, words);
      throw new UsageError("Cannot list invites: the form is /invites or /invites revoke N");
    },
  },
];

function wordsOf(argument: string): string[] {
  return argument.split(/\s+/).filter((word) => word !== "");
}

const FORM =
  "the form is /invite [qr] [token], /invite TIME, once or a number, or /invite revoke N";

/** What was typed behind /invite. */
interface Invitation {
  readonly qr: boolean;
  readonly withToken: boolean;
  /** Of a token that the server makes for it; undefined = none is made. */
  readonly ends: InviteEnd | undefined;
}

interface InviteEnd {
  readonly seconds: number;
  /** People that it may let in; 0 = any number. */
  readonly uses: number;
}

function parseInvitation(words: readonly string[]): Invitation {
  const given = new Map<"qr" | "token" | "seconds" | "uses", number>();
  for (const word of words) {
    const [key, value] = wordOf(word);
    if (given.has(key)) throw new UsageError(`Cannot create the link: ${FORM}`);
    given.set(key, value);
  }
  const [seconds, uses] = [given.get("seconds"), given.get("uses")];
  const isMinted = seconds !== undefined || uses !== undefined;
  if (isMinted && given.has("token")) {
    throw new UsageError("Cannot put two tokens into the link: yours, and one that ends");
  }
  const ends = isMinted ? { seconds: seconds ?? USUAL_SECONDS, uses: uses ?? 0 } : undefined;
  return { qr: given.has("qr"), withToken: given.has("token"), ends };
}

function wordOf(word: string): readonly ["qr" | "token" | "seconds" | "uses", number] {
  if (word === "qr" || word === "token") return [word, 1];
  if (word === "once") return ["uses", 1];
  if (/^\d{1,7}[smhd]$/.test(word)) {
    const seconds = parseDuration(word);
    if (seconds <= INVITE_MAX_S) return ["seconds", seconds];
    throw new UsageError(
      `Cannot make an invite for ${durationText(seconds)}: ${durationText(INVITE_MAX_S)} at most`,
    );
  }
  const uses = /^\d{1,7}$/.test(word) ? Number(word) : undefined;
  if (uses === undefined) throw new UsageError(`Cannot create the link: ${FORM}`);
  if (uses >= 1 && uses <= INVITE_USES_MAX) return ["uses", uses];
  throw new UsageError(
    `Cannot make an invite for ${uses} people: 1 to ${INVITE_USES_MAX} are allowed`,
  );
}

async function invite(chat: Chat, { qr, withToken, ends }: Invitation): Promise<RequestOutcome> {
  const secret = secretToGive(chat);
  const { room } = chat;
  // What is wrong with the link is told before a token is made for it.
  inviteTo(chat, { secret, withToken });
  const minted = ends === undefined ? undefined : await mint(chat, room, ends);
  if (minted === "lost" || minted === "confirmed") return minted;
  if (minted !== undefined && "why" in minted) {
    chat.output.note("info", "/invite alone prints a link that does not end.");
    return minted;
  }
  const link = inviteTo(chat, { room, secret, withToken, minted });
  const { columns } = chat.output;
  const code = qr ? await qrCode(link.web ?? link.terminal) : undefined;
  const missing = code === undefined ? undefined : tooNarrowFor(code, columns);
  tellLink(chat, link, missing === undefined ? code : undefined);
  if (minted !== undefined && ends !== undefined) {
    chat.output.note("info", `Invite ${minted.invite} ${rightsText(ends)}; /invites lists yours.`);
  }
  if (missing !== undefined) chat.output.note("info", missing);
  return "confirmed";
}

/** Has the server make a token; what became of that where there is none. Throws UsageError. */
async function mint(
  chat: Chat,
  room: JoinedRoom,
  ends: InviteEnd,
): Promise<EventOf<"invited"> | RequestOutcome> {
  // The server learns of a sealed room neither its name nor that the invite is for it.
  const title = room.isSealed ? "" : room.title;
  const draft = { kind: "invite", title, ...ends } as const;
  const outcome = await chat.requests.add(draft);
  const answer = chat.requests.answerTo(draft);
  if (answer?.kind === "invited") return answer;
  if (outcome !== "confirmed") return outcome;
  throw new UsageError("Cannot print the invite: its link was lost with the connection", {
    hint: "/invites lists it and /invite revoke N ends it; make another one",
  });
}

function rightsText({ seconds, uses }: InviteEnd): string {
  return `${usesText(uses)} within ${durationText(seconds)}`;
}

function usesText(uses: number): string {
  if (uses === 0) return "lets anybody in";
  return uses === 1 ? "lets one person in" : `lets ${uses} people in`;
}

async function revoke(chat: Chat, words: readonly string[]): Promise<RequestOutcome> {
  const [, typed = ""] = words;
  const number = /^[1-9]\d{0,14}$/.test(typed) ? Number(typed) : undefined;
  if (number === undefined || words.length > 2) {
    throw new UsageError("Cannot end an invite: the form is /invite revoke N", {
      hint: "/invites lists the numbers",
    });
  }
  requireV2(chat);
  const outcome = await chat.requests.add({ kind: "uninvite", invite: number });
  if (outcome === "confirmed") {
    chat.output.answer(
      `Invite ${number} lets nobody in any more. People who used it stay; /kick removes them.`,
    );
  }
  return outcome;
}

async function listInvites(chat: Chat): Promise<RequestOutcome> {
  const draft = { kind: "invites" } as const;
  const outcome = await chat.requests.add(draft);
  const answer = chat.requests.answerTo(draft);
  if (answer?.kind === "invites") chat.output.answer(invitesText(answer, Date.parse(chat.utc())));
  return outcome;
}

function invitesText({ list }: EventOf<"invites">, now: number): string {
  if (list.length === 0) return "No invite is open; /invite 2h once makes one.";
  const lines = list.map(([number, maker, room, uses, until]) => {
    const left = durationText(Math.max(1, Math.ceil((until - now) / 1_000)));
    const where = room === "" ? "a sealed room" : listedName(room);
    return `${number}: to ${where}, by ${listedName(maker)}, ${usesText(uses)}, open for ${left}`;
  });
  return [...lines, "/invite revoke N ends one."].join("\n");
}

function requireV2({ isV1 }: Chat): void {
  if (isV1) throw new UsageError("Cannot make an invite that ends: the old protocol has none");
}

/** What a link to the current room has besides the server's address. */
export interface InviteLinkOptions {
  /** The secret of a sealed room. */
  readonly secret?: Uint8Array | undefined;
  readonly withToken?: boolean;
  /** The token that the server made for it, and where it says that others reach it. */
  readonly minted?: Pick<EventOf<"invited">, "token" | "place"> | undefined;
  /** The room that it leads to; the current one unless told. */
  readonly room?: JoinedRoom;
}

/** The texts of one link: for the terminal client, and for browsers where the server has a page. */
export interface InviteTexts {
  readonly terminal: string;
  readonly web: string | undefined;
}

/** The secret for a link to the current room; undefined where it is not sealed. Throws UsageError before its maker is in. */
export function secretToGive(chat: Chat): Uint8Array | undefined {
  const sealed = chat.sealed.of(chat.room);
  if (sealed?.isBeingMade !== true) return sealed?.secret;
  throw new UsageError(`Cannot create the link: you are not in ${quote(chat.room.title)} yet`, {
    hint: "it is printed as soon as you are: somebody who followed it sooner would be the maker",
  });
}

/** The link to the current room as text. Throws UsageError. */
export function inviteTo(chat: Chat, invitation: InviteLinkOptions): InviteTexts {
  const link = linkTo(chat, invitation);
  const web = leadsToPage(chat, link) ? formatWebLink(link) : undefined;
  return { terminal: formatLink(link), web };
}

/**
 * Whether the link may be one to a page: where the user came by one, or the server says over TLS that it has one. To
 * that page it gives no secret of a sealed room: the server sends its script.
 */
function leadsToPage(chat: Chat, { tls, secret }: InviteLink): boolean {
  if (chat.address.hasPage) return true;
  return tls && secret === undefined && (chat.requireSession().welcome.hasPage ?? false);
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

function linkTo(
  chat: Chat,
  { room = chat.room, secret, withToken = false, minted }: InviteLinkOptions,
): InviteLink {
  const { fingerprint } = chat;
  if (fingerprint === undefined) {
    throw new UsageError("Cannot create a link: a server of the old protocol has no fingerprint");
  }
  const { tls, webSocket, token } = chat.address;
  const { host, port } = placeFor(chat, minted?.place ?? null);
  if (withToken && token === undefined) {
    throw new UsageError("Cannot put a token into the link: you connected without one");
  }
  return {
    host,
    port,
    tls,
    room: room.linkTitle,
    fingerprint,
    ...(webSocket ? { wss: true } : {}),
    ...(secret === undefined ? {} : { secret }),
    ...(minted !== undefined
      ? { token: minted.token }
      : withToken && token !== undefined
      ? { token }
      : {}),
  };
}

/** Where the link leads: to where we came, unless that is this machine alone and the server knows better. */
function placeFor(
  { address }: Chat,
  place: EventOf<"invited">["place"],
): Pick<ChatAddress, "host" | "port"> {
  if (place === null || !/^(?:127\.|localhost$|::1$)/.test(address.host)) return address;
  const [host, port] = place;
  return { host, port };
}

async function qrCode(text: string): Promise<string> {
  const render = await loadQrText();
  return render(text, { border: 2 });
}

/** What is said where the rows of a code would be wrapped, which nobody can scan; undefined where it fits. */
function tooNarrowFor(code: string, columns: number | undefined): string | undefined {
  const needed = code.indexOf("\n") + CODE_MARGIN;
  return columns === undefined || needed <= columns
    ? undefined
    : `The QR code needs ${needed} columns, and this terminal has ${columns}.`;
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
