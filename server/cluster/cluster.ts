// One server among several: who else is there, which sessions they have, and direct messages between them.

import { timingSafeEqual } from "node:crypto";
import { encodeBase64 } from "../../shared/base/base64.ts";
import { sha256 } from "../../shared/crypto/hkdf.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import type { Backplane, Running } from "./backplane.ts";
import { type Slot, slotOf } from "./client_numbers.ts";
import { ClusterBus } from "./cluster_bus.ts";
import type { ClusterKey } from "./cluster_key.ts";
import { ReplayGuard } from "./replay_guard.ts";
import { SealedHomes } from "./sealed_homes.ts";
import {
  type AdminMessage,
  type ClusterMessage,
  type ClusterMessageOf,
  decodeClusterMessage,
  encodeClusterMessage,
  type ReceivedMessage,
} from "./cluster_messages.ts";

const SUBJECT = "cmdchat.words";
const BEAT_MS = 1_000;
// Five beats: a server under load, or the change of a NATS node, is no death.
const SILENT_MS = 5_000;
const ANSWER_MS = 3_000;

/** What a session of this server is to others. */
export interface SharedSession {
  readonly id: number;
  readonly ticket: { readonly id: Uint8Array; readonly secret: Uint8Array } | undefined;
}

/** What the cluster asks of this server. */
export interface ClusterHost {
  /** All sessions that can be taken up again. */
  sessions(): Iterable<SharedSession>;
  /** Gives up a session whose client went to another server: the number of its last request; undefined = unknown. */
  giveUp(ticket: Uint8Array): number | undefined;
  /** Does what the operator said at another server. */
  follow(word: AdminMessage): void;
  /** What the operator said that a server which comes must know. */
  standing(): Iterable<AdminMessage>;
  /** Ends a session for the operator of another server: its address; undefined where it is not here. */
  expel(client: number): string | undefined;
  /** Delivers a direct message where its receiver is here; false where not. */
  direct(message: ClusterMessageOf<"direct">): boolean;
}

/** Where a session was, for whoever takes it up. */
export interface RemoteSession {
  readonly client: number;
  /** Number of its last request; undefined where its server cannot be asked any more. */
  readonly request: number | undefined;
}

interface Known {
  readonly digest: Uint8Array;
  readonly client: number;
  readonly slot: Slot;
}

/** What a cluster member needs. */
export interface ClusterOptions {
  readonly backplane: Backplane;
  readonly key: ClusterKey;
  readonly slot: Slot;
  /** How long the clients of a lost server may come back elsewhere. */
  readonly holdMs: number;
  readonly onFault: (error: unknown) => void;
  /** Told of servers that come and go. */
  readonly onServers: (what: "found" | "lost" | "gone", others: number) => void;
}

/** This server's part in a cluster. */
export class Cluster {
  readonly bus: ClusterBus;
  readonly sealed: SealedHomes;
  readonly #options: ClusterOptions;
  readonly #fresh = new ReplayGuard();
  readonly #heard = new Map<Slot, number>();
  readonly #lost = new Map<Slot, number>();
  readonly #known = new Map<string, Known>();
  readonly #homes = new Map<number, Slot>();
  readonly #questions = new Map<number, (word: ClusterMessage | undefined) => void>();
  #host: ClusterHost | undefined;
  #hearing: Running | undefined;
  #asked = 0;
  #said = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { backplane, key, slot, onFault } = options;
    this.bus = new ClusterBus({
      ...{ backplane, key, slot, onFault },
      homeOf: (client) => this.#homes.get(client) ?? slotOf(client),
    });
    this.sealed = new SealedHomes({ slot, say: (word) => this.#say(word) });
  }

  /** How many other servers are there. */
  get others(): number {
    return this.#heard.size;
  }

  /** Takes part until `signal` aborts. */
  run(host: ClusterHost, signal: AbortSignal): void {
    this.#host = host;
    this.#hearing = this.#options.backplane.hear(SUBJECT, (sealed) => this.#hear(sealed));
    this.#say({ kind: "hello" });
    const timer = setInterval(() => this.#beat(performance.now()), BEAT_MS);
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      this.#hearing?.close();
    }, { once: true });
  }

  /** Tells the others that this server stops. */
  bye(): void {
    this.#say({ kind: "bye" });
  }

  /** Tells the others of a session that can be taken up again. */
  opened({ id, ticket }: SharedSession): void {
    if (ticket === undefined) return;
    this.#homes.delete(id);
    this.#known.delete(encodeBase64(ticket.id));
    const digest = sha256(ticket.secret);
    this.#say({ kind: "session", ticket: ticket.id, digest, client: id });
  }

  /** Tells the others that a session is over. */
  ended({ ticket }: SharedSession): void {
    if (ticket !== undefined) this.#say({ kind: "ended", ticket: ticket.id });
  }

  /** A session of another server, given up by it; undefined where there is none, or the secret is another's. */
  async take(ticket: Uint8Array, secret: Uint8Array): Promise<RemoteSession | undefined> {
    const known = this.#known.get(encodeBase64(ticket));
    if (known === undefined || !timingSafeEqual(known.digest, sha256(secret))) return undefined;
    const { client, slot } = known;
    if (!this.#heard.has(slot)) return { client, request: undefined };
    const answer = await this.#ask((question) => ({ kind: "take", question, ticket }));
    return { client, request: answer?.kind === "given" ? answer.request : undefined };
  }

  /** Brings a direct message to whichever server has its receiver; false where nobody took it. */
  async direct(message: EventOf<"direct">, title: string): Promise<boolean> {
    const { client, name, time, to, toName, request, text } = message;
    const about = { title, client, name, time, to, toName, request, text };
    const answer = await this.#ask((question) => ({ kind: "direct", question, ...about }));
    return answer !== undefined;
  }

  /** Has all other servers do what the operator said. */
  tell(word: AdminMessage): void {
    this.#say(word);
  }

  /** Has whichever server has session `client` end it: its address; undefined where nobody has it. */
  async expel(client: number): Promise<string | undefined> {
    const answer = await this.#ask((question) => ({ kind: "expel", question, client }));
    return answer?.kind === "expelled" ? answer.address : undefined;
  }

  #beat(now: number): void {
    this.#say({ kind: "alive" });
    for (const [slot, at] of this.#heard) if (now - at > SILENT_MS) this.#lose(slot, now);
    for (const [slot, at] of this.#lost) if (now - at > this.#options.holdMs) this.#forget(slot);
  }

  #lose(slot: Slot, now: number): void {
    if (!this.#heard.delete(slot)) return;
    this.#fresh.lose(slot);
    this.#lost.set(slot, now);
    this.#options.onServers("lost", this.others);
    this.bus.serverLost(slot);
    this.sealed.lost(slot);
  }

  #forget(slot: Slot): void {
    this.#lost.delete(slot);
    for (const [ticket, known] of this.#known) {
      if (known.slot !== slot) continue;
      this.#known.delete(ticket);
      this.#homes.delete(known.client);
    }
    this.#options.onServers("gone", this.others);
    this.bus.serverGone(slot);
  }

  #say(word: ClusterMessage): void {
    const { backplane, key, slot } = this.#options;
    backplane.say(
      SUBJECT,
      key.seal(SUBJECT, encodeClusterMessage({ slot, number: ++this.#said, word })),
    );
  }

  #hear(sealed: Uint8Array): void {
    const body = this.#options.key.open(SUBJECT, sealed);
    const said = body === undefined ? undefined : decodeClusterMessage(body);
    if (said === undefined || said.slot === this.#options.slot) return;
    const { number, word } = said;
    const slot = said.slot as Slot;
    switch (this.#fresh.judge(slot, number)) {
      case "repeat":
        return;
      case "stranger":
        return this.#hearStranger(slot, { number, word });
      case "new":
        this.#heard.set(slot, performance.now());
        return this.#take(slot, word);
    }
  }

  // Its words may be old ones that somebody repeats: none is followed until it shows that it is alive.
  #hearStranger(slot: Slot, { number, word }: Pick<ReceivedMessage, "number" | "word">): void {
    const now = performance.now();
    if (word.kind === "who") this.#introduce(slot, word);
    if (word.kind === "here" && this.#fresh.meet(slot, { sign: word.sign, count: number })) {
      this.#lost.delete(slot);
      this.#heard.set(slot, now);
      return this.#options.onServers("found", this.others);
    }
    const sign = word.kind === "bye" ? undefined : this.#fresh.ask(slot, now);
    if (sign !== undefined) this.#say({ kind: "who", to: slot, sign });
  }

  /** Shows `slot`, which asked for it, that this server is alive, and says all that others must know of it. */
  #introduce(slot: Slot, { to, sign }: ClusterMessageOf<"who">): void {
    if (to !== this.#options.slot || !this.#fresh.mayAnswer(slot, performance.now())) return;
    this.#say({ kind: "here", sign });
    for (const session of this.#host?.sessions() ?? []) this.opened(session);
    for (const word of this.#host?.standing() ?? []) this.#say(word);
    this.sealed.introduce();
  }

  #take(slot: Slot, word: ClusterMessage): void {
    switch (word.kind) {
      case "alive":
      case "hello":
      case "here":
        return;
      case "who":
        return this.#introduce(slot, word);
      case "bye":
        return this.#lose(slot, performance.now());
      case "session":
        this.#known.set(encodeBase64(word.ticket), {
          ...{ digest: word.digest, client: word.client, slot },
        });
        this.#homes.set(word.client, slot);
        return;
      case "ended": {
        const known = this.#known.get(encodeBase64(word.ticket));
        if (known?.slot !== slot) return;
        this.#known.delete(encodeBase64(word.ticket));
        this.#homes.delete(known.client);
        return;
      }
      case "take": {
        const request = this.#host?.giveUp(word.ticket);
        if (request === undefined) return;
        return this.#say({ kind: "given", question: word.question, request });
      }
      case "direct":
        if (this.#host?.direct(word)) this.#say({ kind: "directed", question: word.question });
        return;
      case "sealed_home":
      case "sealed_end":
      case "sealed_ask":
      case "sealed_link":
      case "sealed_tell":
      case "sealed_again":
        return this.sealed.take(slot, word);
      case "banned":
      case "unbanned":
      case "announced":
        return this.#host?.follow(word);
      case "expel": {
        const address = this.#host?.expel(word.client);
        if (address === undefined) return;
        return this.#say({ kind: "expelled", question: word.question, address });
      }
      case "given":
      case "directed":
      case "expelled":
        this.#questions.get(word.question)?.(word);
        return;
    }
  }

  #ask(wordOf: (question: number) => ClusterMessage): Promise<ClusterMessage | undefined> {
    // Numbers of two servers must not meet: each begins with its slot.
    const question = this.#options.slot * 2 ** 25 + (this.#asked++ % 2 ** 25);
    return new Promise((resolve) => {
      const done = (word: ClusterMessage | undefined) => {
        clearTimeout(timer);
        this.#questions.delete(question);
        resolve(word);
      };
      const timer = setTimeout(() => done(undefined), ANSWER_MS);
      this.#questions.set(question, done);
      this.#say(wordOf(question));
    });
  }
}
