// People whom the user knows, in plain rooms: their device keys are asked for, and an alarm stops what is being said
// there, as one in a sealed room does.

import { nameInSentence } from "../../shared/text/names.ts";
import type { AnyClientId } from "../base/local_ids.ts";
import type { Clock } from "../base/clock.ts";
import type { ChatContext } from "../events/chat_context.ts";
import { show } from "../events/show_event.ts";
import type { OwnPeople } from "../people/own_people.ts";
import { type ProofSession, RoomProofs } from "../people/room_proofs.ts";
import { listedName, VERIFIED_MARK } from "../render/text.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import type { RosterEntry } from "../rooms/roster.ts";
import { alarmFault, type AlarmManner, alarmText } from "../sealed/alarm.ts";
import type { SealedRooms } from "../sealed/sealed_rooms.ts";
import type { Session } from "../session/session.ts";
import type { AlarmCause } from "../sealed_engine/people.ts";
import type { RequestDraft, RequestLedgerOptions, RequestRoom } from "../session/request_ledger.ts";

/** What it works with. */
export interface PlainPeopleOptions {
  readonly chat: ChatContext & { readonly sealed: SealedRooms };
  readonly clock: Clock;
  readonly people: OwnPeople;
  readonly alarms: AlarmManner;
  readonly session: () => Session | undefined;
  readonly signal: AbortSignal;
}

/**
 * A person who is writing needs so long to see an alarm; somebody who comes again and again must not stop the talk with
 * alarms.
 */
const HOLD_MS = 3_000;
const HOLD_AGAIN_MS = 60_000;

/** What others read. */
const SPEAKING: readonly RequestDraft["kind"][] = ["chat", "revise", "direct", "topic", "offer"];

/** The people of one chat's plain rooms. */
export class PlainPeople {
  readonly proofs: RoomProofs;
  readonly #options: PlainPeopleOptions;
  /** Until when nothing is said in a room, and because of whom. */
  readonly #held = new Map<JoinedRoom, { readonly until: number; readonly name: string }>();

  constructor(options: PlainPeopleOptions) {
    const { chat, clock, people, signal } = options;
    this.#options = options;
    people.known.onChange = () => {
      chat.sealed.peopleChanged();
      this.proofs.peopleChanged(chat.rooms.plain);
      chat.refreshStatus();
    };
    this.proofs = new RoomProofs({
      clock,
      people,
      session: () => this.#session(),
      signal,
      alarm: (room, person, cause) => this.#alarm(room, person, cause),
      proven: (room, person) => this.#proven(room, person),
      onChange: () => chat.refreshStatus(),
    });
  }

  /** The proofs between members; none on v1, where the server has no identity. */
  #session(): ProofSession | undefined {
    const session = this.#options.session();
    const { client, fingerprint: server } = session?.welcome ?? {};
    if (session === undefined || client === undefined || server === undefined) return undefined;
    return { client, server, send: (it) => void session.send(it).catch(() => session.close()) };
  }

  /** What the ledger of requests asks before one leaves, and tells when it did not. */
  get gate(): Required<Pick<RequestLedgerOptions, "hold" | "onHeld">> {
    return {
      hold: (draft, room) => this.#hold(draft, room),
      onHeld: (why, room) => this.#refused(why, room),
    };
  }

  /** Shows why a request was not sent. */
  #refused(text: string, about: RequestRoom | undefined): void {
    const { chat } = this.#options;
    const room = chat.rooms.all.find((each) => each === about);
    show(chat, { event: "refused", text, time: undefined }, room);
  }

  /** For what a request has to wait that others read, or why it is not sent; undefined: it is. */
  #hold(draft: RequestDraft, about: RequestRoom | undefined): Promise<void> | string | undefined {
    const { alarms, chat } = this.#options;
    if (alarms === "pass" || !SPEAKING.includes(draft.kind)) return undefined;
    const to = draft.kind === "direct" ? draft.to : undefined;
    const rooms = chat.rooms.plain.filter((room) =>
      to === undefined ? room === about : personIn(room, to) !== undefined
    );
    for (const room of rooms) {
      const why = to === undefined ? this.#whyHeld(room) : whySuspect(room, to);
      const held = this.proofs.pending(room) ?? why;
      if (held !== undefined) return held;
    }
    return undefined;
  }

  #whyHeld(room: JoinedRoom): string | undefined {
    const held = this.#held.get(room);
    if (held === undefined || this.#options.clock.now() >= held.until) return undefined;
    return `Not sent: ${
      nameInSentence(held.name)
    } may be somebody else, as you were told just now. Send it again if you still want to.`;
  }

  #alarm(room: JoinedRoom, { name }: RosterEntry, cause: AlarmCause): void {
    const { chat, alarms, people } = this.#options;
    const alarm = { name, cause, date: people.known.byName(name)?.date };
    if (alarms === "stop") return chat.end(alarmFault(room, alarm));
    chat.output.note("danger", `${room.title}: ${alarmText(alarm, alarms)}`);
    if (alarms === "hold") this.#stop(room, name);
  }

  /** What was written before the alarm could be read is not sent. */
  #stop(room: JoinedRoom, name: string): void {
    const { clock, chat, signal } = this.#options;
    const now = clock.now();
    if (now < (this.#held.get(room)?.until ?? -Infinity) + HOLD_AGAIN_MS) return;
    this.#held.set(room, { until: now + HOLD_MS, name });
    room.isStopped = true;
    void clock.wait(HOLD_MS, signal).then(() => {
      room.isStopped = false;
      if (!signal.aborted) chat.refreshStatus();
    });
  }

  #proven(room: JoinedRoom, { name, known }: RosterEntry): void {
    const { chat, people } = this.#options;
    const person = people.known.byName(known ?? name);
    if (person === undefined) return;
    const who = known === undefined || known === name
      ? listedName(name)
      : `${listedName(name)}, whom you know as ${listedName(known)},`;
    const text = `${who} ${VERIFIED_MARK} has the device key that you verified on ${person.date}.`;
    show(chat, { event: "known", text, name, time: undefined }, room);
  }
}

function personIn({ roster }: JoinedRoom, client: AnyClientId): RosterEntry | undefined {
  return roster.people.find((person) => person.client === client);
}

function whySuspect(room: JoinedRoom, client: AnyClientId): string | undefined {
  const person = personIn(room, client);
  if (person?.key !== "questioned") return undefined;
  const name = nameInSentence(person.name);
  return `Not sent: ${name} may be somebody else. Look first: /verify ${name}`;
}
