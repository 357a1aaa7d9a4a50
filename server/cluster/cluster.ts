// One server among several: the other servers, their sessions, and direct messages between them.

import { sha256 } from "../../shared/crypto/hkdf.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import type { Backplane, Running } from "./backplane.ts";
import type { Slot } from "./client_numbers.ts";
import { afterMs, ClusterBus } from "./cluster_bus.ts";
import type { ClusterKey } from "./cluster_key.ts";
import { type ServerPlace, ServerPlaces } from "./server_places.ts";
import type {
  ClusterHost,
  ClusterStatus,
  GuestPass,
  Mismatch,
  RemoteSession,
  SharedSession,
} from "./cluster_contract.ts";
import { Arrivals, giveSession, Introductions, OtherSessions } from "./other_sessions.ts";
import { Questions } from "./questions.ts";
import { ReplayGuard } from "./replay_guard.ts";
import { SealedHomes } from "./sealed_homes.ts";
import { type LogMachine, SharedLog } from "./shared_log.ts";
import {
  type ClusterMessage,
  type ClusterMessageOf,
  decodeClusterMessage,
  encodeClusterMessage,
  type ReceivedMessage,
  type StandingMessage,
} from "./cluster_messages.ts";

const SUBJECT = "cmdchat.messages";
const BEAT_MS = 1_000;
// Five beats: a server under load, or the change of a NATS node, is no death.
const SILENT_MS = 5_000;
// Four connections one after another: then it is the other server that is gone.
const RENEW_MS = 60_000;

/** What a server needs to take part in a cluster. */
export interface ClusterOptions {
  readonly backplane: Backplane;
  readonly key: ClusterKey;
  readonly slot: Slot;
  /** Fingerprint of this server's identity: clients take all servers for one only if it is the same. */
  readonly identity: string;
  /** How long clients of a lost server may resume elsewhere. */
  readonly holdMs: number;
  readonly onFault: (error: unknown) => void;
  /** See ClusterBusOptions. */
  readonly onRoomLost?: () => void;
  /** Told when servers come and go. */
  readonly onServers: (what: "found" | "lost" | "gone", others: number) => void;
  /** Told of a message under another key, and of a server with another identity. */
  readonly onMismatch: (what: Mismatch) => void;
}

/** This server's part in a cluster. */
export class Cluster {
  readonly bus: ClusterBus;
  readonly sealed: SealedHomes;
  /** What the others have yet to tell this server, after `run`. */
  readonly introductions = new Introductions();
  readonly #options: ClusterOptions;
  readonly #fresh = new ReplayGuard();
  readonly #heard = new Map<Slot, number>();
  readonly #lost = new Map<Slot, number>();
  /** Those of the lost that said no goodbye, and until when another connection may help: monotonic ms. */
  readonly #silent = new Map<Slot, number>();
  readonly #sessions = new OtherSessions();
  readonly #identities = new Map<Slot, string>();
  readonly #arrivals = new Arrivals();
  readonly #places = new ServerPlaces();
  readonly #questions: Questions;
  readonly #key: ClusterKey;
  #host: ClusterHost | undefined;
  #subscription: Running | undefined;
  readonly #logs = new Map<string, Pick<SharedLog<unknown>, "fit" | "look">>();
  #foreignMessages = 0;
  #sent = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { backplane, slot, onFault } = options;
    const key = this.#key = options.key.tellingOf(() => this.#noteForeign());
    this.bus = new ClusterBus({
      backplane,
      key,
      slot,
      onFault,
      onRoomLost: options.onRoomLost,
      hasMembersElsewhere: (title) => this.#askForMembers(title),
      homeOf: (client) => this.#sessions.homeOf(client),
    });
    this.#questions = new Questions(slot, (message) => this.#send(message));
    this.sealed = new SealedHomes({ slot, send: (message) => this.#send(message) });
  }

  /** Whether the other servers can be reached, as far as this one knows. */
  get isUp(): boolean {
    return this.#options.backplane.status.isUp;
  }

  /** How the cluster looks from here. */
  get status(): ClusterStatus {
    const { backplane, identity, slot } = this.#options;
    const others = Array.from(this.#heard.keys(), (other) => ({
      server: other,
      hasOurIdentity: this.#identities.get(other) === identity,
    }));
    return {
      ...backplane.status,
      server: slot,
      others,
      foreignMessages: this.#foreignMessages,
      told: this.#places.told,
    };
  }

  /** Where clients reach the other servers, as clients were told last. */
  get otherPlaces(): readonly ServerPlace[] {
    return this.#places.told;
  }

  /** Number of other servers. */
  get others(): number {
    return this.#heard.size;
  }

  /** Opens a log of all servers that is no room's; `name` is the same on all of them. */
  openLog<P>(name: string, machine: LogMachine<P>): SharedLog<P> {
    const { backplane, onFault } = this.#options;
    const subject = this.#key.logSubject(name);
    // No room has such a title.
    const title = `\0${name}`;
    const log = new SharedLog<P>({
      backplane,
      subject,
      machine,
      onFault,
      wait: afterMs,
      isElsewhere: () => this.#askForMembers(title),
      ...this.#key.of(subject),
    });
    this.#logs.set(title, log);
    return log;
  }

  /** Takes part until `signal` aborts. */
  run(host: ClusterHost, signal: AbortSignal): void {
    this.#host = host;
    const { backplane } = this.#options;
    this.#subscription = backplane.subscribe(SUBJECT, (sealed) => this.#receive(sealed));
    this.#send({ kind: "hello" });
    const timer = setInterval(() => this.#beat(performance.now()), BEAT_MS);
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      this.#subscription?.close();
    }, { once: true });
  }

  /** Tells the others that this server stops. */
  bye(): void {
    this.#send({ kind: "bye" });
  }

  /** Tells the others of a session that can be resumed. */
  opened(session: SharedSession): void {
    const { id, ticket } = session;
    if (ticket === undefined) return;
    this.#sessions.isOurs(session);
    const digests = [sha256(ticket.secret), ...ticket.former ?? []];
    this.#send({ kind: "session", ticket: ticket.id, digests, client: id });
    const guest = this.#host?.guestPass(id);
    if (guest !== undefined) this.#send({ kind: "guest", ticket: ticket.id, ...guest });
  }

  /** The invite by which the client of another server's session came; undefined if by none, or for another secret. */
  guestPass(ticket: Uint8Array, secret: Uint8Array): GuestPass | undefined {
    return this.#sessions.find(ticket, secret)?.guest;
  }

  /** Tells the others that a session is over. */
  ended({ ticket }: SharedSession): void {
    if (ticket !== undefined) this.#send({ kind: "ended", ticket: ticket.id });
  }

  /** Takes over a session of another server; undefined if there is none, or the secret does not match. */
  async take(ticket: Uint8Array, secret: Uint8Array): Promise<RemoteSession | undefined> {
    const known = this.#sessions.find(ticket, secret);
    if (known === undefined) return undefined;
    const { client, slot } = known;
    const arrived = this.#arrivals.expect(client);
    const digest = sha256(secret);
    const ask = (question: number) => ({ kind: "take", question, ticket, digest } as const);
    const answer = this.#heard.has(slot) ? await this.#questions.one(ask) : undefined;
    if (answer?.kind === "kept") return arrived(), undefined;
    const { request, mail } = answer?.kind === "given" ? answer : { request: null, mail: [] };
    // Its server may have reported the session again meanwhile.
    const { unsettled, digests } = this.#sessions.find(ticket, secret) ?? known;
    return { client, digests, request: request ?? undefined, mail, unsettled, arrived };
  }

  /** Sends a direct message to the server of its receiver; false if no server took it. */
  async direct(message: EventOf<"direct">, title: string): Promise<boolean> {
    const { client, name, time, to, toName, request, text } = message;
    const about = { title, client, name, time, to, toName, request, text };
    const arrived = this.#arrivals.of(to);
    await arrived;
    const isHere = arrived !== undefined &&
      this.#host?.direct({ kind: "direct", question: 0, ...about });
    if (isHere) return true;
    const ask = (question: number) => ({ kind: "direct", question, ...about } as const);
    return await this.#questions.one(ask) !== undefined;
  }

  /** Whether a room has members on another server, which then looks whether its log is still there. */
  async #askForMembers(title: string): Promise<boolean> {
    const answers = await this.#questions.all(
      (question) => ({ kind: "room_asked", question, title }),
      this.others,
    );
    return answers.some((answer) => answer.kind === "room_known" && answer.hasMembers);
  }

  /** Sends a decision of the admin, or what a member left behind in a room, to all other servers. */
  sendAll(message: StandingMessage): void {
    this.#send(message);
  }

  /** Ends session `client` on another server: its address; undefined if no server has it. */
  async expel(client: number): Promise<string | undefined> {
    const answer = await this.#questions.one((question) => ({ kind: "expel", question, client }));
    return answer?.kind === "expelled" ? answer.address : undefined;
  }

  #beat(now: number): void {
    this.#send({ kind: "alive" });
    this.bus.fit();
    for (const log of this.#logs.values()) log.fit();
    this.#balance(now);
    for (const [slot, at] of this.#heard) if (now - at > SILENT_MS) this.#lose(slot, "silent");
    for (const [slot, at] of this.#lost) if (now - at > this.#options.holdMs) this.#forget(slot);
    for (const [slot, until] of this.#silent) if (now > until) this.#silent.delete(slot);
    if (this.#silent.size > 0) this.#options.backplane.renew();
  }

  /** Tells the others how full this server is, and clients where the others are; passes on what is above its share. */
  #balance(now: number): void {
    const own = this.#host?.load();
    if (own !== undefined) this.#send({ kind: "place", ...own });
    // A server that is cut off does not know what became of the others, and its clients need them most now.
    if (!this.isUp) return this.#places.holdOn(now);
    if (this.#places.renew(own, now)) this.#host?.tellServers(this.#places.told);
    const surplus = own && this.#places.surplus(own, now);
    if (surplus !== undefined) this.#host?.passOn(surplus);
  }

  #lose(slot: Slot, how: "silent" | "bye"): void {
    if (!this.#heard.delete(slot)) return;
    this.#fresh.lose(slot);
    this.introductions.end(slot);
    const now = performance.now();
    this.#lost.set(slot, now);
    if (how === "silent") this.#silent.set(slot, now + Math.max(RENEW_MS, this.#options.holdMs));
    this.#options.onServers("lost", this.others);
    this.bus.serverLost(slot);
    this.sealed.lost(slot);
  }

  #forget(slot: Slot): void {
    this.#lost.delete(slot);
    if (this.others > 0) this.#silent.delete(slot);
    this.#identities.delete(slot);
    this.#sessions.forget(slot);
    this.#options.onServers("gone", this.others);
    this.bus.serverGone(slot);
  }

  #send(message: ClusterMessage): void {
    const { backplane, slot } = this.#options;
    const body = encodeClusterMessage({ slot, number: ++this.#sent, message });
    backplane.publish(SUBJECT, this.#key.seal(SUBJECT, body));
  }

  #noteForeign(): void {
    this.#foreignMessages++;
    this.#options.onMismatch("key");
  }

  #receive(sealed: Uint8Array): void {
    const body = this.#key.open(SUBJECT, sealed);
    const received = body && decodeClusterMessage(body);
    if (received === undefined || received.slot === this.#options.slot) return;
    const { number, message } = received;
    const slot = received.slot as Slot;
    switch (this.#fresh.judge(slot, number)) {
      case "repeat":
        return;
      case "stranger":
        return this.#receiveFromStranger(slot, { number, message });
      case "new":
        this.#heard.set(slot, performance.now());
        return this.#take(slot, message);
    }
  }

  // Its messages may be replayed: they have no effect until it proves that it is alive.
  #receiveFromStranger(
    slot: Slot,
    { number, message }: Pick<ReceivedMessage, "number" | "message">,
  ): void {
    const now = performance.now();
    if (message.kind === "who") this.#introduce(slot, message);
    if (message.kind === "here" && this.#fresh.meet(slot, { sign: message.sign, count: number })) {
      this.#lost.delete(slot);
      this.#heard.set(slot, now);
      this.#silent.delete(slot);
      this.#identities.set(slot, message.identity);
      if (message.identity !== this.#options.identity) this.#options.onMismatch("identity");
      return this.#options.onServers("found", this.others);
    }
    const sign = message.kind === "bye" ? undefined : this.#fresh.ask(slot, now);
    if (sign === undefined) return;
    this.introductions.begin(slot);
    this.#send({ kind: "who", to: slot, sign });
  }

  /** Proves to `slot`, which asked, that this server is alive, and sends all that others must know of it. */
  #introduce(slot: Slot, { to, sign }: ClusterMessageOf<"who">): void {
    if (to !== this.#options.slot || !this.#fresh.mayAnswer(slot, performance.now())) return;
    this.#send({ kind: "here", sign, identity: this.#options.identity });
    for (const session of this.#host?.sessions() ?? []) this.opened(session);
    for (const message of this.#host?.standing() ?? []) this.#send(message);
    this.sealed.introduce();
    this.#send({ kind: "introduced" });
  }

  #take(slot: Slot, message: ClusterMessage): void {
    switch (message.kind) {
      case "alive":
      case "hello":
      case "here":
        return;
      case "who":
        return this.#introduce(slot, message);
      case "introduced":
        return this.introductions.end(slot);
      case "bye":
        this.#places.drop(slot);
        return this.#lose(slot, "bye");
      case "place":
        return this.#places.note(slot, message, performance.now());
      case "session":
        return this.#sessions.note(slot, message);
      case "guest":
        return this.#sessions.noteGuest(slot, message);
      case "ended":
        return this.#sessions.end(slot, message.ticket);
      case "take":
        return void giveSession(this.#host, message, (part) => this.#send(part))
          .catch(this.#options.onFault);
      case "unsettled":
        return this.#sessions.noteUnsettled(slot, message);
      case "direct":
        return this.#arrivals.deliver(message, this.#host, (answer) => this.#send(answer));
      case "sealed_home":
      case "sealed_end":
      case "sealed_ask":
      case "sealed_lost":
      case "sealed_tell":
      case "sealed_again":
        return this.sealed.receive(slot, message);
      case "banned":
      case "unbanned":
      case "barred":
      case "announced":
        return this.#host?.follow(message);
      case "departed":
      case "room_banned":
      case "room_unbanned":
        return this.#host?.followRoom(message);
      case "expel": {
        const address = this.#host?.expel(message.client);
        if (address === undefined) return;
        return this.#send({ kind: "expelled", question: message.question, address });
      }
      case "given":
      case "kept":
      case "directed":
      case "expelled":
      case "room_known":
        return this.#questions.answer(message.question, message);
      case "room_asked": {
        const { question, title } = message;
        const hasMembers = this.#logs.get(title)?.look() ?? this.bus.putBack(title);
        return this.#send({ kind: "room_known", question, hasMembers });
      }
    }
  }
}
