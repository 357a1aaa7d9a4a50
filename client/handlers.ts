// What the client does with each event of the server: one handler a kind.

import type { Event, EventOf } from "../shared/messages_v2.ts";
import { quote } from "../shared/sanitize.ts";
import type { Chat } from "./chat.ts";

type Handlers = {
  readonly [K in Event["kind"]]: (chat: Chat, event: EventOf<K>) => void;
};

const HANDLERS: Handlers = {
  chat(chat, { client, name: sender, request, sequence, text, time }) {
    const own = client === chat.clientId;
    if (own) chat.requests.answer(request, "confirmed");
    chat.roster.add(sender);
    const mention = !own && chat.isMention(text);
    chat.output.chat({ sender, text, room: chat.room, time: iso(time), sequence, own, mention });
  },

  joined(chat, { client, name, time, old }) {
    chat.roster.add(name, old ? "old" : "here");
    // Ourselves we know of: the line about the connection, or about the room's people, says it.
    if (client === chat.clientId) return chat.settleIn({ name });
    const how = old ? " with an old client: what they say is less protected on its way." : ".";
    show(chat, { event: "joined", text: `${name} joined${how}`, name, time });
  },

  left(chat, { client, name, time }) {
    chat.roster.remove(name);
    chat.transfers.senderLeft(client);
    show(chat, { event: "left", text: `${name} left.`, name, time });
  },

  renamed(chat, { client, name, previous, time }) {
    chat.roster.rename(previous, name);
    if (client === chat.clientId) chat.settleIn({ name });
    const text = `${previous} is now known as ${name}.`;
    show(chat, { event: "renamed", text, name, previous, time });
  },

  away(chat, { client, name, time }) {
    chat.roster.add(name, "away");
    chat.transfers.senderLeft(client);
    show(chat, { event: "away", text: `${name} lost the link.`, name, time });
  },

  back(chat, { client, name, time }) {
    chat.roster.add(name, "here");
    if (client !== chat.clientId) {
      show(chat, { event: "back", text: `${name} is back.`, name, time });
    }
  },

  members(chat, { list }) {
    chat.roster.replace(list.map(([, name, state]) => ({ name, state })));
    // Told once for each room: coming back to the same people is no news.
    if (!chat.takeFirstSight()) return;
    const { names } = chat.roster;
    const text = `In this room: ${names.join(", ")}`;
    show(chat, { event: "names", text, names, time: undefined });
  },

  moved(chat, { id, room, name, at }) {
    chat.settleIn({ room, name });
    chat.seen = at;
    chat.requests.answer(id, "confirmed");
  },

  done(chat, { id }) {
    chat.requests.answer(id, "confirmed");
  },

  declined(chat, { id, why: text }) {
    chat.requests.answer(id, "refused");
    show(chat, { event: "refused", text, time: undefined });
  },

  offer(chat, event) {
    if (event.client === chat.clientId) chat.requests.answer(event.request, "confirmed");
    chat.transfers.handleOffer(event);
  },

  chunk(chat, event) {
    chat.transfers.handleChunk(event);
  },

  notice(chat, { text }) {
    show(chat, { event: "notice", text, time: undefined });
  },

  closing(chat, { why: text, retry }) {
    show(chat, { event: retry ? "stopping" : "notice", text, time: undefined });
  },

  // Sessions take these themselves; later ones mean nothing.
  welcome() {},
  refused() {},
  ping() {},
  pong() {},
};

/** Does what `event` asks for. What was seen already is passed over. */
export function handleEvent(chat: Chat, event: Event): void {
  // v1 has no places: there they are 0.
  if ("at" in event && event.at > 0 && event.kind !== "moved" && event.kind !== "welcome") {
    if (event.at <= chat.seen) return;
    if (event.at > chat.seen + 1) reportGap(chat, event.at - chat.seen - 1);
    chat.seen = event.at;
  }
  // The table's type ties each handler to its event; TypeScript cannot follow the key through the union.
  (HANDLERS[event.kind] as (chat: Chat, event: Event) => void)(chat, event);
}

function reportGap(chat: Chat, count: number): void {
  chat.output.note(
    "warning",
    `The server left out ${count === 1 ? "an event" : `${count} events`} of ${quote(chat.room)}`,
  );
}

interface Shown {
  readonly event: string;
  readonly text: string;
  /** ms since 1970; undefined = now. */
  readonly time: number | undefined;
  readonly name?: string;
  readonly previous?: string;
  readonly names?: readonly string[];
}

function show(chat: Chat, { time, ...line }: Shown): void {
  chat.output.system({
    ...line,
    room: chat.room,
    time: time === undefined ? chat.utc() : iso(time),
  });
}

// A time beyond what a date can hold is the server's mistake, and no reason to fall over.
function iso(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : "";
}
