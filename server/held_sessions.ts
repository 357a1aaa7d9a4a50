// Members whose link was lost, each waiting a while for its client to come back.

import { timingSafeEqual } from "node:crypto";
import { encodeBase64 } from "../shared/base64.ts";
import type { Member } from "./member.ts";
import type { Relay } from "./relay.ts";

interface Held {
  readonly member: Member;
  /** Monotonic ms at which the wait is over. */
  readonly until: number;
  readonly release: () => void;
}

/** Sessions that can be taken up again: those that are held, and those whose old link has not been noticed dead. */
export class HeldSessions {
  readonly #relay: Relay;
  readonly #known = new Map<string, Member>();
  readonly #held = new Map<number, Held>();

  constructor(relay: Relay) {
    this.#relay = relay;
  }

  /** Members that wait now. */
  get size(): number {
    return this.#held.size;
  }

  /** Notes who may come back, and with which ticket. */
  know(member: Member): void {
    if (member.ticket !== undefined) this.#known.set(encodeBase64(member.ticket.id), member);
  }

  /** The member of a ticket; undefined where there is none, or the secret is another's (compared in constant time). */
  find(id: Uint8Array, secret: Uint8Array): Member | undefined {
    const member = this.#known.get(encodeBase64(id));
    if (member?.ticket === undefined || !timingSafeEqual(member.ticket.secret, secret)) return;
    return member;
  }

  /** Holds a member whose link was lost. False where that is not wanted or a cap is reached. */
  hold(member: Member, now: number): boolean {
    const { config } = this.#relay;
    if (member.ticket === undefined || config.hold === 0 || this.#relay.stopping) return false;
    // A held session counts as a connection: dropping links must not get around the caps.
    const place = this.#relay.admit(member.address);
    if (place === undefined) return false;
    this.#held.set(member.id, {
      ...{ member, until: now + config.hold * 1_000 },
      release: place.release,
    });
    return true;
  }

  /** Ends the wait of a member that is back. */
  release(member: Member): void {
    this.#held.get(member.id)?.release();
    this.#held.delete(member.id);
  }

  /** Forgets a member that is gone for good. */
  forget(member: Member): void {
    this.release(member);
    if (member.ticket !== undefined) this.#known.delete(encodeBase64(member.ticket.id));
  }

  /** Lets those go whose time is over at `now`. */
  sweep(now: number): void {
    for (const { member, until } of this.#held.values()) {
      if (now >= until) this.#relay.exit(member);
    }
  }
}
