// What the client does with what happens in a room: one handler a kind.

import type { AnyClientId, WithAnyIds } from "../base/local_ids.ts";
import type { SequenceNumber } from "../../shared/messages/ids.ts";
import type { Event, EventOf } from "../../shared/messages/messages_v2.ts";
import {
  backlogRule,
  backlogText,
  moderationText,
  pinnedText,
} from "../../shared/messages/moderation_text.ts";
import { OPS_MAX } from "../../shared/base/limits.ts";
import { pinText } from "../../shared/text/pin_text.ts";
import { durationText } from "../../shared/text/duration.ts";
import { nameInSentence } from "../../shared/text/names.ts";
import { isReaction } from "../../shared/text/reaction.ts";
import { quote, quoteMessage } from "../../shared/base/sanitize.ts";
import type { ChatContext } from "./chat_context.ts";
import { iso, sealedMark, show, verifiedMark } from "./show_event.ts";
import { makerNews, NO_PIN, noteRank, opNews, rankNews } from "./rights_news.ts";
import { mentions } from "../output/attention.ts";
import type { Output } from "../output/output.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";

/** Events that happen in a room, plain or sealed. */
export type RoomEvent = RoomEventOf<
  | "chat"
  | "revised"
  | "reacted"
  | "joined"
  | "left"
  | "renamed"
  | "away"
  | "back"
  | "topic"
  | "status"
  | "moderated"
  | "pinned"
  | "rules"
  | "backlog"
  | "earlier"
  | "bans"
  | "typing"
  | "members"
  | "offer"
  | "chunk"
>;

type RoomEventOf<K extends Event["kind"]> = WithAnyIds<EventOf<K>>;

type Handlers = {
  readonly [K in RoomEvent["kind"]]: (
    chat: ChatContext,
    event: RoomEventOf<K>,
    room: JoinedRoom,
  ) => void;
};

const HANDLERS: Handlers = {
  chat(chat, { client, name: sender, request, sequence, text, time, action, reply }, room) {
    const own = client === chat.clientId;
    if (own) chat.requests.answer(request, "confirmed");
    const verified = verifiedMark(room, sender, client);
    // Ourselves we know of; in a sealed room by another number than the server's.
    if (!own) room.roster.add({ name: sender, client });
    const mention = !own && mentions(text, room.name);
    const answered = room.said.find(reply);
    const quote = reply === 0
      ? undefined
      : { sequence: reply, sender: answered?.sender, text: answered?.text };
    room.said.add({ sequence, sender, text, own });
    room.heard.take({ sequence, time });
    if (room.id !== undefined) chat.typing.ends(room.id, sender);
    const elsewhere = room !== chat.rooms.current;
    const marks = { ...sealedMark(room), ...verified };
    const about = { room: room.title, elsewhere, time: iso(time), ...marks };
    const shown = chat.output.chat({
      ...about,
      sender,
      text,
      sequence,
      own,
      mention,
      action,
      quote,
    });
    countUnread(chat, room, shown);
  },

  revised(chat, { client, name, request, sequence, text, time }, room) {
    const own = client === chat.clientId;
    if (own) chat.requests.answer(request, "confirmed");
    // The user who changed a message sees which one it was; others are not shown a deleted text again.
    const before = own ? room.said.find(sequence)?.text : undefined;
    if (text === null) room.reactions.delete(sequence);
    room.said.revise(sequence, name, text);
    const who = nameInSentence(name);
    const was = before === undefined ? "" : quoteMessage(before);
    const what = text === null
      ? `${who} deleted #${sequence}${was && `: ${was}`}.`
      : `${who} changed #${sequence}${was && ` from ${was}`} to: ${text}`;
    const said = text ?? undefined;
    show(chat, { event: "revised", text: what, name, time, sequence, said }, room);
    revisePin(chat, room, { sequence, text });
  },

  reacted(chat, { client, name, request, sequence, emoji, on, time }, room) {
    const own = client === chat.clientId;
    if (own) chat.requests.answer(request, "confirmed");
    // Anything but one emoji comes from a server, or a member of a sealed room, that does not follow the protocol.
    if (!isReaction(emoji) || (!own && chat.output.ignored.has(name))) return;
    if (!room.reactions.take({ sequence, emoji, client, name, own, on })) return;
    const who = nameInSentence(name);
    const text = on
      ? `${who} reacted ${emoji} to #${sequence}${reactedTo(chat, room, sequence)}.`
      : `${who} took ${emoji} back from #${sequence}.`;
    const reactions = room.reactions.of(sequence);
    show(chat, { event: "reacted", text, name, time, sequence, emoji, on, reactions }, room);
  },

  joined(chat, { client, name, time, old }, room) {
    const state = old ? "old" : "here";
    room.roster.add({ name, client, state, since: time, status: null });
    // Ourselves we know of: the line about the connection, or about the room's people, says it.
    if (client === chat.clientId) return chat.nameIn(room, name);
    chat.proofs.met(room, name);
    const how = old ? " with an old client: what they say is less protected on its way." : ".";
    show(chat, { event: "joined", text: `${nameInSentence(name)} joined${how}`, name, time }, room);
    for (const text of makerNews(room)) show(chat, { event: "rules", text, time: undefined }, room);
  },

  left(chat, { client, room: id, name, time }, room) {
    room.roster.remove(name);
    chat.proofs.met(room, name);
    if (client === room.maker) room.maker = 0;
    room.ops = withoutOp(room, client);
    chat.typing.ends(id, name);
    chat.transfers.memberLeft(client, id);
    const isToldBefore = client === room.removed;
    room.removed = undefined;
    const text = `${nameInSentence(name)} left.`;
    show(chat, { event: "left", text, name, time, isToldBefore }, room);
    chat.nameFreed(room, name);
  },

  renamed(chat, { client, name, previous, time }, room) {
    room.roster.rename(previous, name);
    if (client === chat.clientId) chat.nameIn(room, name);
    chat.proofs.met(room, name);
    const text = `${nameInSentence(previous)} is now known as ${nameInSentence(name)}.`;
    show(chat, { event: "renamed", text, name, previous, time }, room);
    if (client !== chat.clientId) chat.nameFreed(room, previous);
  },

  away(chat, { client, room: id, name, time }, room) {
    room.roster.add({ name, client, state: "away" });
    chat.transfers.memberAway(client, id);
    // Missed events include our own, which we know.
    if (client === chat.clientId) return;
    show(
      chat,
      { event: "away", text: `${nameInSentence(name)} lost the connection.`, name, time },
      room,
    );
  },

  back(chat, { client, room: id, name, time }, room) {
    room.roster.add({ name, client, state: "here" });
    chat.proofs.met(room, name);
    chat.transfers.memberBack(client, id);
    if (client === chat.clientId) return;
    show(chat, { event: "back", text: `${nameInSentence(name)} is back.`, name, time }, room);
  },

  topic(chat, { name, text: topic, time }, room) {
    room.topic = topic;
    const who = nameInSentence(name);
    const text = topic === "" ? `${who} cleared the topic.` : `${who} set the topic: ${topic}`;
    show(chat, { event: "topic", text, name, time }, room);
  },

  status(chat, { client, name, text: status, time }, room) {
    room.roster.add({ name, client, status });
    const who = nameInSentence(name);
    const text = status === null ? `${who} is back.` : `${who} is away: ${status}`;
    show(chat, { event: "status", text, name, time }, room);
  },

  typing(chat, { client, name, room }) {
    if (client !== chat.clientId && !chat.output.ignored.has(name)) chat.typing.begins(room, name);
  },

  moderated(chat, event, room) {
    const { client, name, request, what, whom, whomName, time, seconds } = event;
    if (client === chat.clientId) chat.requests.answer(request, "confirmed");
    const person = whomName === "" ? {} : { whom: whomName };
    const about = { event: "moderated", text: moderationText(event), name, time, what, ...person };
    show(chat, about, room);
    if (what === "kick" || what === "ban") room.removed = whom;
    if (what === "lock" || what === "unlock") room.isLocked = what === "lock";
    else if (what === "op") {
      if (room.ops.size < OPS_MAX) room.ops = new Set([...room.ops, whom]);
      if (whom === chat.clientId) {
        show(chat, { event: "rules", text: opNews(room), time: undefined }, room);
      }
    } else if (what === "deop") room.ops = withoutOp(room, whom);
    else if (what === "ban") {
      const until = seconds === 0 ? 0 : time + seconds * 1_000;
      room.bans.add({ client: whom, name: whomName, until, by: name });
    } else if (what === "unban") room.bans.lift(whom);
    noteRank(chat, room);
    chat.refreshStatus();
    if (whom !== chat.clientId || (what !== "kick" && what !== "ban")) return;
    chat.transfers.roomLeft(room);
    chat.forget(room);
  },

  pinned(chat, event, room) {
    const { client, name, request, sequence, authorName: author, text: said, time } = event;
    if (client === chat.clientId) chat.requests.answer(request, "confirmed");
    room.pin = sequence === 0 ? undefined : { sequence, author, text: said };
    const what = sequence === 0 ? {} : { sequence, said };
    show(chat, { event: "pinned", text: pinnedText(event), name, time, ...what }, room);
  },

  backlog(chat, event, room) {
    const { client, name, request, lines, time } = event;
    if (client === chat.clientId) chat.requests.answer(request, "confirmed");
    room.backlog = lines;
    show(chat, { event: "rules", text: backlogText(event), name, time }, room);
  },

  earlier(chat, { list }, room) {
    const elsewhere = room !== chat.rooms.current;
    const lines = list.filter(([sequence, , , time]) => room.heard.take({ sequence, time })).map((
      [sequence, client, sender, time, text, action, reply],
    ) => {
      const own = client === chat.clientId;
      const answered = room.said.find(reply);
      room.said.add({ sequence, sender, text, own });
      const about = { sequence, sender, text, own, action, mention: false, backlog: true };
      const quoted = { sequence: reply, sender: answered?.sender, text: answered?.text };
      const quote = reply === 0 ? undefined : quoted;
      return { ...about, room: room.title, elsewhere, time: iso(time), quote };
    });
    chat.output.earlier(lines);
  },

  bans(_chat, { list, more }, room) {
    room.bans.take(list.map(([client, name, until, by]) => ({ client, name, until, by })), more);
  },

  rules(chat, event, room) {
    const { maker, ops, locked, slow, sequence, authorName: author, text, backlog } = event;
    const isBacklogNews = backlog > 0 && backlog !== room.backlog;
    room.backlog = backlog;
    const isOwn = maker === chat.clientId;
    const wasOp = room.ops.has(chat.clientId ?? 0);
    room.isMakerNews = isOwn && (room.isMakerNews || room.maker !== maker);
    const pin = sequence === 0 ? undefined : { sequence, author, text };
    const isPinNews = pin !== undefined &&
      (pin.sequence !== room.pin?.sequence || text !== room.pin.text);
    const [hadPin, wasLocked] = [room.pin !== undefined, room.isLocked];
    [room.maker, room.ops, room.pin, room.isLocked] = [maker, new Set(ops), pin, locked];
    const names = (clients: readonly AnyClientId[]) =>
      room.roster.people.filter(({ client }) => client !== 0 && clients.includes(client))
        .map(({ name }) => name);
    const opNames = names(ops);
    if (isPinNews) {
      const pinned = `Pinned, #${sequence} of ${nameInSentence(author)}: ${text}`;
      show(chat, { event: "pinned", text: pinned, time: undefined, sequence, said: text }, room);
    } else if (pin === undefined && hadPin) {
      show(chat, { event: "pinned", text: NO_PIN, time: undefined }, room);
    }
    const parts = [
      ...rankNews(chat, room, names),
      ...makerNews(room),
      ...(opNames.length > 0 ? [`Ops: ${opNames.map(nameInSentence).join(", ")}.`] : []),
      ...(ops.includes(chat.clientId ?? 0) && !wasOp ? [opNews(room)] : []),
      ...(locked ? ["The room is locked: nobody else can join."] : []),
      ...(wasLocked && !locked ? ["The room is not locked any more."] : []),
      ...(slow > 0 ? [`The room is slow: ${durationText(slow)} between two messages.`] : []),
    ];
    if (isBacklogNews) parts.push(backlogRule(backlog));
    if (parts.length === 0) return;
    const [makerName] = names([maker]);
    const who = { maker: makerName, ops: opNames };
    show(chat, { event: "rules", text: parts.join(" "), time: undefined, ...who }, room);
  },

  members(chat, { room: id, list, more }, room) {
    const people = list.map(([client, name, state, since, status]) => (
      { client, name, state, since, status }
    ));
    if (!room.takeMembers(people, more)) return;
    chat.transfers.peopleAre(id, room.roster.people);
    chat.proofs.met(room);
    if (!room.takeFirstSight()) return;
    // Told once for each time that we come in: coming back to the same people is no news.
    const { names } = room.roster;
    const text = `In this room: ${names.map(nameInSentence).join(", ")}`;
    show(chat, { event: "names", text, names, time: undefined }, room);
  },

  offer(chat, event) {
    if (event.client === chat.clientId) chat.requests.answer(event.request, "confirmed");
    // Not even with --accept-files: an ignored member leaves nothing on the disk.
    if (chat.output.ignored.has(event.name)) return;
    chat.transfers.handleOffer(event);
  },

  chunk(chat, event) {
    chat.transfers.handleChunk(event);
  },
};

/** What the message says, for those who do not see its number beside it; nothing of somebody whom the user ignores. */
function reactedTo(chat: ChatContext, room: JoinedRoom, sequence: SequenceNumber): string {
  const said = room.said.find(sequence);
  if (said === undefined || (!said.own && chat.output.ignored.has(said.sender))) return "";
  return ` ${quoteMessage(said.text)}`;
}

function withoutOp(room: JoinedRoom, client: AnyClientId): ReadonlySet<AnyClientId> {
  return new Set([...room.ops].filter((op) => op !== client));
}

/** A pin says what its message says now, and goes with it. */
function revisePin(
  chat: ChatContext,
  room: JoinedRoom,
  { sequence, text }: { readonly sequence: number; readonly text: string | null },
): void {
  if (room.pin?.sequence !== sequence) return;
  room.pin = text === null ? undefined : { ...room.pin, text: pinText(text) };
  if (text !== null) return;
  show(chat, { event: "pinned", text: NO_PIN, time: undefined }, room);
}

function countUnread(chat: ChatContext, room: JoinedRoom, shown: ReturnType<Output["chat"]>): void {
  if (room === chat.rooms.current || shown === "hidden") return;
  room.unread++;
  if (shown === "mention") room.mentions++;
  chat.refreshStatus();
}

/** Whether an event happens in a room that it names. */
export function isRoomEvent(event: Event): event is Event & { readonly kind: RoomEvent["kind"] } {
  return Object.hasOwn(HANDLERS, event.kind);
}

/** Handles an event of a room. Events that were seen already are skipped, and so are those of a room that was left. */
export function handleRoomEvent(chat: ChatContext, event: RoomEvent): void {
  const room = chat.rooms.byId(event.room);
  if (room === undefined) return;
  // v1 has no places: there they are 0.
  if ("at" in event && event.at > 0) {
    if (event.at <= room.seen) return;
    if (event.at > room.seen + 1) reportGap(chat, room, event.at - room.seen - 1);
    room.seen = event.at;
  }
  // The table's type ties each handler to its event; TypeScript cannot follow the key through the union.
  (HANDLERS[event.kind] as (chat: ChatContext, event: RoomEvent, room: JoinedRoom) => void)(
    chat,
    event,
    room,
  );
}

function reportGap(chat: ChatContext, room: JoinedRoom, count: number): void {
  chat.output.note(
    "warning",
    `The server left out ${count === 1 ? "an event" : `${count} events`} of ${quote(room.title)}`,
  );
}
