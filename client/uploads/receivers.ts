// Who was offered one of our files, and what became of it at each of them.

import { FILE_PULLS } from "../../shared/base/limits.ts";
import type { AnyClientId, WithAnyIds } from "../base/local_ids.ts";
import type { EventOf, MemberState } from "../../shared/messages/messages_v2.ts";
import type { FileAnswer, ReceiverAnswer, TransferFault } from "../transfer_base/transfer_event.ts";

/** A member of the room in which a file is offered. `name` is NOT sanitized. */
export interface OfferedMember {
  readonly client: AnyClientId;
  readonly name: string;
  readonly state: MemberState;
}

type Receipt = Pick<WithAnyIds<EventOf<"receipt">>, "client" | "name" | "state">;

interface Receiver {
  name: string;
  answer: FileAnswer;
  /** It has no connection now, and may come back. */
  isAway: boolean;
  /** A v1 client fetches every file and says nothing. */
  readonly isOld: boolean;
}

const FINAL: ReadonlySet<FileAnswer> = new Set(["refused", "saved", "failed", "left", "fetched"]);

/** Whether nothing more will be heard of a receiver. */
export function isFinal({ answer }: ReceiverAnswer): boolean {
  return FINAL.has(answer);
}

/** The receivers of one file. */
export class Receivers {
  readonly #known = new Map<AnyClientId, Receiver>();

  /** These heard of the offer; members without a connection did not. */
  offeredTo(people: readonly OfferedMember[]): void {
    for (const { client, name, state } of people) {
      if (state === "away" || this.#known.size >= FILE_PULLS.receivers) continue;
      const isOld = state === "old";
      this.#known.set(client, { name, answer: "open", isAway: false, isOld });
    }
  }

  /** A receiver says something; whether that is news. */
  heard({ client, name, state }: Receipt): boolean {
    const known = this.#known.get(client);
    if (known === undefined && this.#known.size >= FILE_PULLS.receivers) return false;
    if (known?.answer === state || (known?.answer === "saved")) return false;
    this.#known.set(client, { name, answer: state, isAway: false, isOld: false });
    return true;
  }

  /** The last chunk went to these: for v1 clients nothing more will be heard. Whether that is news. */
  gotAll(clients: readonly AnyClientId[]): boolean {
    const old = clients.map((client) => this.#known.get(client)).filter((one) => one?.isOld);
    for (const receiver of old) if (receiver !== undefined) receiver.answer = "fetched";
    return old.length > 0;
  }

  /** A member left the room; whether that is news. */
  left(client: AnyClientId): boolean {
    const known = this.#known.get(client);
    if (known === undefined || FINAL.has(known.answer)) return false;
    known.answer = "left";
    return true;
  }

  /** A member lost its connection, or has one again. */
  setAway(client: AnyClientId, isAway: boolean): void {
    const known = this.#known.get(client);
    if (known !== undefined) known.isAway = isAway;
  }

  /** Who is in the room: those who left unheard; whether that is news. */
  peopleAre(people: readonly OfferedMember[]): boolean {
    const states = new Map(people.map(({ client, state }) => [client, state]));
    let isNews = false;
    for (const client of this.#known.keys()) {
      const state = states.get(client);
      this.setAway(client, state === "away");
      if (state === undefined) isNews = this.left(client) || isNews;
    }
    return isNews;
  }

  /** Whether all said what became of it. */
  get areDone(): boolean {
    return this.#known.values().every(({ answer }) => FINAL.has(answer));
  }

  /** Whether somebody has it. */
  get hasIt(): boolean {
    return this.#known.values().some(({ answer }) => answer === "saved" || answer === "fetched");
  }

  /** Whether somebody is getting it, or cannot answer now. */
  get areBusy(): boolean {
    return this.#known.values().some(({ answer, isAway }) =>
      answer === "accepted" || (isAway && !FINAL.has(answer))
    );
  }

  /** What each said, in the order in which they were offered it. */
  get answers(): readonly ReceiverAnswer[] {
    return [...this.#known.values()].map(({ name, answer }) => ({ name, answer }));
  }

  /** Why nobody has it; to be asked when all are done. */
  get fault(): TransferFault {
    const answers = new Set(this.#known.values().map(({ answer }) => answer));
    if (answers.size === 0) return { code: "nobody", reason: "nobody else is in the room" };
    const isRefused = answers.has("refused") && answers.size === 1;
    return { code: isRefused ? "refused" : "unsaved", reason: "nobody saved it" };
  }
}
