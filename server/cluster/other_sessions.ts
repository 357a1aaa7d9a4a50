// Sessions of the other servers: who may take one up here, where each client is at home, and who is on its way.

import { encodeBase64 } from "../../shared/base/base64.ts";
import { sha256 } from "../../shared/crypto/hkdf.ts";
import { type Slot, slotOf } from "./client_numbers.ts";
import {
  type ClusterHost,
  type GuestPass,
  isOneOf,
  type SharedSession,
} from "./cluster_contract.ts";
import {
  type ClusterMessage,
  type ClusterMessageOf,
  OPEN_MAX,
  type Unsettled,
  unsettledMessage,
} from "./cluster_messages.ts";

/** A session of another server. */
export interface OtherSession {
  readonly digests: readonly Uint8Array[];
  readonly client: number;
  readonly slot: Slot;
  /** The invite with which its client came in; undefined = none. */
  guest?: GuestPass;
  /** What its server said about its requests before it gave the session up. */
  unsettled: Unsettled;
}

const SETTLED: Unsettled = { open: [], declined: [] };

/** All sessions of the other servers, as these reported them. */
export class OtherSessions {
  readonly #byTicket = new Map<string, OtherSession>();
  readonly #homes = new Map<number, Slot>();

  /** Server `slot` has this session. */
  note(slot: Slot, { ticket, digests, client }: ClusterMessageOf<"session">): void {
    this.#byTicket.set(encodeBase64(ticket), { digests, client, slot, unsettled: SETTLED });
    this.#homes.set(client, slot);
  }

  /** Its client came by an invite. */
  noteGuest(slot: Slot, { kind: _, ticket, ...guest }: ClusterMessageOf<"guest">): void {
    const known = this.#byTicket.get(encodeBase64(ticket));
    if (known?.slot === slot) known.guest = guest;
  }

  /** What became of its requests. */
  noteUnsettled(slot: Slot, { ticket, open, declined }: ClusterMessageOf<"unsettled">): void {
    const known = this.#byTicket.get(encodeBase64(ticket));
    if (known?.slot === slot) known.unsettled = { open, declined };
  }

  /** The session of `ticket`; undefined where there is none, or the secret is not its. */
  find(ticket: Uint8Array, secret: Uint8Array): OtherSession | undefined {
    const known = this.#byTicket.get(encodeBase64(ticket));
    return known !== undefined && isOneOf(known.digests, sha256(secret)) ? known : undefined;
  }

  /** It is this server's from now on. */
  isOurs({ id, ticket }: SharedSession): void {
    this.#homes.delete(id);
    if (ticket !== undefined) this.#byTicket.delete(encodeBase64(ticket.id));
  }

  /** Server `slot` says that its session is over. */
  end(slot: Slot, ticket: Uint8Array): void {
    const known = this.#byTicket.get(encodeBase64(ticket));
    if (known?.slot !== slot) return;
    this.#byTicket.delete(encodeBase64(ticket));
    this.#homes.delete(known.client);
  }

  /** Server `slot` is gone with all its sessions. */
  forget(slot: Slot): void {
    for (const [ticket, known] of this.#byTicket) {
      if (known.slot !== slot) continue;
      this.#byTicket.delete(ticket);
      this.#homes.delete(known.client);
    }
  }

  /** The server that has a client. */
  homeOf(client: number): Slot {
    return this.#homes.get(client) ?? slotOf(client);
  }
}

/** Gives a session up to the server that asks for it by `take`. */
export async function giveSession(
  host: ClusterHost | undefined,
  { question, ticket, digest }: ClusterMessageOf<"take">,
  send: (message: ClusterMessage) => void,
): Promise<void> {
  const given = await host?.giveUp(ticket, digest);
  if (given === undefined) return;
  if (given === "kept") return send({ kind: "kept", question });
  const { request, mail, unsettled } = given;
  // With a part of the list, the other server would call requests done that nobody did: better it knows of none.
  const isTold = unsettled.open.length <= OPEN_MAX;
  if (isTold) send(unsettledMessage(ticket, unsettled));
  send({
    kind: "given",
    question,
    request: isTold ? request : null,
    mail: mail.map(([...one]) => one),
  });
}

/** Clients that are on their way from another server to this one: direct messages to one wait until it is here. */
export class Arrivals {
  readonly #expected = new Map<number, Promise<void>>();

  /** A client is expected until the returned function is called. */
  expect(client: number): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#expected.set(client, promise);
    return () => {
      if (this.#expected.get(client) === promise) this.#expected.delete(client);
      resolve();
    };
  }

  /** Resolves when a client is here, or is not coming; undefined where it is not expected. */
  of(client: number): Promise<void> | undefined {
    return this.#expected.get(client);
  }

  /** Delivers what another server has for a client, once that is here if it is expected; answers where it is here. */
  deliver(
    message: ClusterMessageOf<"direct">,
    host: ClusterHost | undefined,
    answer: (message: ClusterMessage) => void,
  ): void {
    const { question, to } = message;
    const deliver = () => {
      if (host?.direct(message)) answer({ kind: "directed", question });
    };
    const arrived = this.of(to);
    if (arrived === undefined) deliver();
    else void arrived.then(deliver);
  }
}

/** What the servers that were there before this one have not told it yet. */
export class Introductions {
  readonly #begun = new Set<Slot>();
  #onEnd: () => void = () => {};

  /** Another server is there, and nothing is known of it yet. */
  begin(slot: Slot): void {
    this.#begun.add(slot);
  }

  /** It has told all, or is gone. */
  end(slot: Slot): void {
    if (this.#begun.delete(slot) && this.#begun.size === 0) this.#onEnd();
  }

  /** Resolves once those have told all that answer a hello within `hello` ms; after `most` ms in any case. */
  over({ hello, most }: { readonly hello: number; readonly most: number }): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(late);
        this.#onEnd = () => {};
        resolve();
      };
      const late = setTimeout(end, most);
      setTimeout(() => {
        if (this.#begun.size === 0) end();
        else this.#onEnd = end;
      }, hello);
    });
  }
}
