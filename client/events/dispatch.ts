// What the client does with each event of the server: one handler a kind. Those of rooms are in room_handlers.ts.

import type { Event, EventOf, SealedEvent } from "../../shared/messages/messages_v2.ts";
import { isSealedEvent } from "../../shared/messages/sealed_kinds.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { WithAnyIds } from "../base/local_ids.ts";
import type { ChatContext } from "./chat_context.ts";
import { iso, sealedMark, show, verifiedMark } from "./show_event.ts";
import { handleRoomEvent, isRoomEvent, type RoomEvent } from "./room_handlers.ts";

type OtherEvent = Exclude<Event, SealedEvent | { readonly kind: RoomEvent["kind"] }>;
type Handlers = {
  readonly [K in OtherEvent["kind"]]: (chat: ChatContext, event: EventOf<K>) => void;
};

const HANDLERS: Handlers = {
  entered(chat, event) {
    const { id, complete, title, topic } = event;
    if (chat.rooms.byTitle(title)?.isSealed) {
      const text = `The server says that you are in a room called ${
        quote(title)
      }, like your sealed one`;
      return chat.output.note("danger", text, "nothing is sent there");
    }
    const room = chat.enter(event);
    if (!complete) {
      const where = quote(title);
      chat.output.note(
        "warning",
        `Some of what happened in ${where} while the connection was down is lost`,
      );
    }
    // Nobody but the user decides where the next line goes.
    if (chat.requests.answer(id, "confirmed") !== undefined) chat.switchTo(room);
    if (topic !== "" && room.isNew) {
      show(chat, { event: "topic", text: `The topic: ${topic}`, time: undefined }, room);
    }
  },

  done(chat, { id }) {
    chat.requests.answer(id, "confirmed");
  },

  declined(chat, { id, why: text }) {
    const asked = chat.requests.answer(id, { why: text });
    if (chat.requests.isUnasked(asked)) return;
    show(chat, { event: "refused", text, time: undefined });
  },

  // Whoever asked reads the answer.
  invited(chat, event) {
    chat.requests.answer(event.request, "confirmed", event);
  },

  invites(chat, event) {
    chat.requests.answer(event.request, "confirmed", event);
  },

  direct: handleDirect,

  undelivered(chat, { name, request }) {
    const text = chat.directs.textOf(request);
    const what = text === undefined ? "your direct message" : quote(text, 200);
    chat.output.note("warning", `Not delivered: ${quote(name)} left before getting ${what}`);
  },

  notice(chat, { room, text }) {
    show(chat, { event: "notice", text, time: undefined }, chat.rooms.byId(room));
  },

  taken(chat, event) {
    chat.transfers.handleTaken(event);
  },

  pull(chat, event) {
    chat.transfers.handlePull(event);
  },

  receipt(chat, event) {
    chat.transfers.handleReceipt(event);
  },

  proof_asked(chat, event) {
    const room = chat.rooms.byId(event.room);
    if (room !== undefined) chat.proofs.asked(room, event);
  },

  proof(chat, event) {
    const room = chat.rooms.byId(event.room);
    if (room !== undefined) chat.proofs.answered(room, event);
  },

  closing(chat, { why: text, retry }) {
    if (retry) chat.reconnectSoon();
    show(chat, { event: retry ? "stopping" : "notice", text, time: undefined });
  },

  move(chat, { host, port }) {
    chat.moveTo({ host, port });
  },

  // Sessions take these themselves; later ones mean nothing.
  welcome() {},
  servers() {},
  refused() {},
  ping() {},

  // How long the way is has been measured.
  pong(chat) {
    chat.refreshStatus();
  },
};

/** Shows a direct message, be it from the server or from a sealed room. */
export function handleDirect(chat: ChatContext, event: WithAnyIds<EventOf<"direct">>): void {
  const { client, name: sender, toName: to, room, request, text, time } = event;
  const own = client === chat.clientId;
  if (own) chat.requests.answer(request, "confirmed");
  chat.directs.note(event, own);
  const where = chat.rooms.byId(room);
  const line = { sender, to, own, text, room: where?.title ?? "", time: iso(time), sequence: 0 };
  const verified = own ? verifiedMark(where, to, event.to) : verifiedMark(where, sender, client);
  chat.output.chat({ ...line, mention: false, ...verified, ...sealedMark(where) });
}

/** Does what `event` asks for. */
export function handleEvent(chat: ChatContext, event: Event): void {
  if (isSealedEvent(event)) return chat.receiveSealed(event);
  if (isRoomEvent(event)) return handleRoomEvent(chat, event);
  // The table's type ties each handler to its event; TypeScript cannot follow the key through the union.
  (HANDLERS[event.kind] as (chat: ChatContext, event: OtherEvent) => void)(chat, event);
}
