// What those who moderate a sealed room decide, as the chat shows it.

import type { AnyClientId } from "../base/local_ids.ts";
import { nameInSentence } from "../../shared/text/names.ts";
import { pinText } from "../../shared/text/pin_text.ts";
import type { ChatContext } from "../events/chat_context.ts";
import { show } from "../events/show_event.ts";
import type { RoomEvent } from "../events/room_handlers.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import { listedName } from "../render/text.ts";
import type { SealedPerson } from "../sealed_engine/people.ts";
import type { SealedRoomEvent, SealStatus } from "../sealed_engine/engine_protocol.ts";

/** An event without its room and its place there. */
export type WithoutPlace<E> = E extends unknown ? Omit<E, "room" | "at"> : never;

/** What it needs from the room. */
export interface DecidingRoom {
  readonly status: () => SealStatus | undefined;
  /** What names the client to which the engine gave this number. */
  readonly clientOf: (client: number) => AnyClientId;
  readonly about: (event: { readonly client: number; readonly name: string }) => {
    readonly client: AnyClientId;
    readonly name: string;
    readonly time: number;
  };
  /** A request of the user's was carried out. */
  readonly answered: (request: number) => void;
  readonly pass: (event: WithoutPlace<RoomEvent>) => void;
  /** We are not in the room any more. */
  readonly onOut: () => void;
}

const MAKER = "You made this room: /kick, /lock, /op and /pin are yours, until you leave it.";

/** Shows decisions in one room. */
export class SealedDecisions {
  readonly #chat: ChatContext;
  readonly #state: JoinedRoom;
  readonly #room: DecidingRoom;

  constructor(chat: ChatContext, state: JoinedRoom, room: DecidingRoom) {
    this.#chat = chat;
    this.#state = state;
    this.#room = room;
  }

  /** What holds in the room, to the user who came in. */
  rules({ people, maker, ops, locked }: SealStatus): void {
    const nameOf = (number: number) => people.find(({ client }) => client === number)?.name;
    const opNames = ops.flatMap((op) => nameOf(op) ?? []);
    const parts = [
      ...(people.some(({ own, client }) => own && client === maker) ? [MAKER] : []),
      ...(opNames.length > 0 ? [`Ops: ${opNames.map(nameInSentence).join(", ")}.`] : []),
      ...(locked ? ["The room is locked: nobody else can join."] : []),
    ];
    if (parts.length === 0) return;
    const who = { maker: nameOf(maker), ops: opNames };
    const text = parts.join(" ");
    show(this.#chat, { event: "rules", text, time: undefined, ...who }, this.#state);
  }

  /** Something was pinned, or the pin removed. */
  pinned(event: Extract<SealedRoomEvent, { kind: "pinned" }>): void {
    const { name, time, pin, request, told } = event;
    if (request > 0) this.#room.answered(request);
    // A client that heard the pinned text knows it; otherwise it is the claim of the member who tells it.
    const said = pin === null ? undefined : this.#state.said.find(pin.sequence);
    const { sequence = 0 } = said ?? {};
    if (!told && (pin === null || said !== undefined)) {
      const shown = { authorName: said?.sender ?? "", text: pinText(said?.text ?? "") };
      const about = { ...this.#room.about(event), time, request: 0, author: 0 };
      return this.#room.pass({ kind: "pinned", ...about, sequence, ...shown });
    }
    const before = this.#state.pin;
    const author = said?.sender ?? pin?.authorName ?? "";
    const text = said === undefined ? pin?.text ?? "" : pinText(said.text);
    this.#state.pin = pin === null ? undefined : { sequence, author, text };
    if (pin === null && before === undefined) return;
    const number = said === undefined ? "a message" : `#${sequence}`;
    const words = pin === null
      ? "Nothing is pinned any more."
      : `Pinned, as ${nameInSentence(name)} says, ${number} of ${nameInSentence(author)}: ${text}`;
    const what = pin === null ? {} : { said: text, ...(said && { sequence }) };
    show(this.#chat, { event: "pinned", text: words, name, time, ...what }, this.#state);
  }

  /** Somebody who moderates the room has decided something. */
  moderated(event: Extract<SealedRoomEvent, { kind: "moderated" }>): void {
    const { what, whom, whomName, reason: text } = event;
    const isOwn = ({ own, client }: SealedPerson) => own && client === event.client;
    const about = { request: 0, what, whom: this.#room.clientOf(whom), whomName, seconds: 0, text };
    const isKicked = what === "kick" &&
      this.#room.status()?.people.some((person) => person.own && person.client === whom);
    this.#room.pass({ kind: "moderated", ...this.#room.about(event), ...about });
    if (isKicked) return this.#room.onOut();
    if (what !== "kick" || !this.#room.status()?.people.some(isOwn)) return;
    this.#chat.output.note(
      "info",
      `${listedName(whomName)} still has the link, and can join under another name.`,
      "/lock keeps out everybody who is not in; /rekey makes a new link for those who are",
    );
  }
}
