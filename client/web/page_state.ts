// What the page shows beside the lines, made from the chat as it is now.

import { nameInSentence } from "../../shared/text/names.ts";
import { isSealedId, memberNumber } from "../base/local_ids.ts";
import type { Chat } from "../chat/chat.ts";
import { privacyOf, type PrivacyText, typingText } from "../output/status_line.ts";
import { nameNumber } from "../render/rich.ts";
import { safeLine, safeName } from "../render/text.ts";
import { WAITING_TEXTS } from "../render/transfer_text.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import { pairCode } from "../sealed_engine/people.ts";
import type { PagePerson, PageRoom, PageStatus, PageTransfer, PageView } from "./page_view.ts";

// The view makes elements of each; a server can name ten thousand.
const PEOPLE_SHOWN_MAX = 500;

const LEVELS: Readonly<Record<PrivacyText["level"], PageStatus["privacyLevel"]>> = {
  plain: "open",
  good: "sealed",
  warning: "warning",
  error: "danger",
};

/** Tells the view all of it. */
export function showState(chat: Chat, view: PageView): void {
  const { current } = chat.rooms;
  view.setRooms(chat.rooms.all.map((room) => roomOf(room, room === current)));
  view.setPeople(current === undefined ? [] : peopleOf(chat, current));
  view.setStatus(statusOf(chat));
  view.setTransfers(transfersOf(chat));
}

function roomOf(room: JoinedRoom, current: boolean): PageRoom {
  const { title, topic, isSealed: sealed, unread, mentions } = room;
  return {
    title,
    label: safeName(title),
    topic: safeLine(topic),
    current,
    sealed,
    unread,
    mentions,
  };
}

function peopleOf(chat: Chat, room: JoinedRoom): PagePerson[] {
  const sealed = room.seal?.people ?? [];
  const own = sealed.find((person) => person.own);
  return room.roster.people.slice(0, PEOPLE_SHOWN_MAX).map((person) => {
    const { name, client, state, status, key = "unknown", known } = person;
    const { id } = room;
    const number = id !== undefined && isSealedId(id) ? memberNumber(id, client) : undefined;
    const member = sealed.find((one) => one.client === number);
    const isOwn = member?.own ?? (client === chat.clientId && client !== 0);
    return {
      name: safeName(name),
      typed: nameInSentence(safeName(name)),
      own: isOwn,
      color: nameNumber(name),
      here: state === "here",
      rank: room.rankOf(client),
      ...(status === null ? {} : { note: safeLine(status) }),
      ...(isOwn || (key === "unknown" && !room.isSealed) ? {} : { key }),
      ...(isOwn || known === undefined || known === name ? {} : { knownAs: safeName(known) }),
      ...(member === undefined || own === undefined ? {} : {
        code: pairCode(own, member).map(({ digits }) => digits).join("\n"),
      }),
    };
  });
}

function statusOf(chat: Chat): PageStatus {
  const { current } = chat.rooms;
  const { connected, connection } = chat;
  const privacy = current === undefined ? undefined : privacyOf(current);
  const waiting = chat.sealed.waiting;
  const [unsent, overdue] = [
    chat.requests.unsent + waiting.unsent,
    chat.requests.overdue + waiting.overdue,
  ];
  const typing = chat.typing.in(current?.id);
  const delay = connected ? chat.requireSession().roundTripMs : undefined;
  const proof = connection.isProven ? "" : ", server not proven (/trust)";
  return {
    room: current?.title,
    name: safeName(chat.name),
    connected,
    connection: connection.text + (delay === undefined ? "" : ` ${Math.round(delay)} ms`) + proof,
    privacy: privacy?.forms[0] ?? "",
    privacyLevel: privacy === undefined ? "open" : LEVELS[privacy.level],
    roomCode: current?.seal?.code || undefined,
    waiting: [
      ...(unsent > 0 ? [`${unsent} unsent`] : []),
      ...(overdue > 0 ? [`${overdue} unconfirmed`] : []),
    ],
    typing: typing.length === 0 ? "" : typingText(typing),
  };
}

function transfersOf(chat: Chat): PageTransfer[] {
  return chat.transfers.list().map((file) => ({
    n: file.n,
    direction: file.direction,
    name: file.name,
    size: file.size,
    done: file.done,
    sender: file.sender === undefined ? undefined : safeName(file.sender),
    room: file.room === undefined ? undefined : safeName(file.room),
    state: file.state,
    waiting: file.waitingFor === undefined ? undefined : WAITING_TEXTS[file.waitingFor],
  }));
}
