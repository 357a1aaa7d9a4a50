// Device keys in plain rooms (docs/PROTOCOL.md §8.9): whom the user knows is asked, as soon as they are there, to prove
// the key that the user compared; each answer is signed for this one question. Whoever shows a device key answers those
// who ask. Without either, nothing is asked and nothing answered.
//
// The contract:
// 1. Of each member of that name, one question is open at a time, under one nonce, until it is answered or given up.
// 2. A name that the user knows is an alarm where its answer is another key's, holds not, or does not come.
// 3. `pending()` says for how long nothing should be said in a room: until its list of members has come, and each of them
//    whom the user knows has answered or was waited for.

import { toHex } from "#platform/bytes.ts";
import { decodeBase64Url } from "../../shared/base/base64.ts";
import {
  type DeviceProof,
  isProofOf,
  PROOF_BYTES,
  proveAs,
  roomStatement,
} from "../../shared/crypto/device_key.ts";
import { bareFingerprint, type Fingerprint } from "../../shared/crypto/fingerprint.ts";
import { randomBytes } from "../../shared/crypto/random_bytes.ts";
import type { EventOf, Request, RequestOf } from "../../shared/messages/messages_v2.ts";
import { nameKey } from "../../shared/text/names.ts";
import type { Clock } from "../base/clock.ts";
import { PROOF_ANSWERS, PROOF_ASKED, PROOF_PATIENCE_MS } from "../base/limits.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import type { RosterEntry } from "../rooms/roster.ts";
import type { AlarmCause } from "../sealed_engine/people.ts";
import { RatePacer } from "../session/rate_pacer.ts";
import type { OwnPeople } from "./own_people.ts";

/** Who we are in the session, and where. */
export interface ProofSession {
  readonly client: number;
  readonly server: Fingerprint;
  readonly send: (request: Request) => void;
}

/** What it works with. */
export interface RoomProofsOptions {
  readonly clock: Clock;
  readonly people: OwnPeople;
  /** The open session; undefined without one, and where the server speaks v1. */
  readonly session: () => ProofSession | undefined;
  /** A name that the user knows is perhaps somebody else's. */
  readonly alarm: (room: JoinedRoom, person: RosterEntry, cause: AlarmCause) => void;
  /** Somebody whom the user knows has proven it. */
  readonly proven: (room: JoinedRoom, person: RosterEntry) => void;
  /** What is shown of people has changed. */
  readonly onChange: () => void;
  /** Aborts when the chat is over. */
  readonly signal: AbortSignal;
}

/** What a member has shown: a key in hexadecimal, nothing in time, or what does not hold. */
export type ShownKey = { readonly key: string } | "nothing" | "wrong";

interface Question {
  readonly client: number;
  /** As it was when we asked: a rename may cross the answer. */
  readonly name: string;
  readonly nonce: Uint8Array;
  answer: ShownKey | undefined;
  /** The key that the user was shown, to compare it. */
  compared?: string;
  /** Key of the name under which the user goes on with this one, whatever it shows. */
  acceptedAs: string | undefined;
  /** Key of the name under which the user was told last that it is perhaps somebody else. */
  toldAs: string | undefined;
  readonly answered: PromiseWithResolvers<ShownKey>;
}

/** Proofs of device keys in the plain rooms of one chat. */
export class RoomProofs {
  readonly #options: RoomProofsOptions;
  readonly #questions = new Map<JoinedRoom, Map<number, Question>>();
  /** Rooms whose list of members has not come yet. */
  readonly #arriving = new Set<JoinedRoom>();
  readonly #asks = new RatePacer(PROOF_ASKED);
  readonly #answers = new RatePacer(PROOF_ANSWERS);
  readonly #waiting: (() => void)[] = [];
  #isSending = false;
  /** Counts connections: proofs that were awaited over a lost one are asked for again over the next. */
  #connection = 0;
  #changed = Promise.withResolvers<void>();

  constructor(options: RoomProofsOptions) {
    this.#options = options;
  }

  get #isOn(): boolean {
    return this.#options.people.known.all.length > 0;
  }

  /** The connection is lost. */
  disconnected(): void {
    this.#connection++;
    this.#waiting.length = 0;
  }

  /** The same session is open again: what was not answered is asked again. */
  resumed(): void {
    for (const [room, questions] of this.#questions) {
      for (const question of questions.values()) {
        if (question.answer === undefined) this.#queue(room, question);
      }
    }
  }

  /** Another session: numbers mean others there, and nothing that was asked will be answered. */
  startAnew(): void {
    for (const questions of this.#questions.values()) {
      for (const { answered } of questions.values()) answered.resolve("nothing");
    }
    this.#questions.clear();
    this.#arriving.clear();
    this.#waiting.length = 0;
    this.#tellChange();
  }

  /** This client has entered a room; the list of its members comes next. */
  entered(room: JoinedRoom): void {
    if (!this.#isOn || room.isSealed || this.#options.session() === undefined) return;
    this.#arriving.add(room);
    const { clock, signal } = this.#options;
    void clock.wait(PROOF_PATIENCE_MS, signal).then(() => this.#arrived(room));
  }

  #arrived(room: JoinedRoom): void {
    if (this.#arriving.delete(room)) this.#tellChange();
  }

  /** We are in that room no longer. */
  left(room: JoinedRoom): void {
    this.#questions.delete(room);
    this.#arrived(room);
  }

  /** Who is in the room has changed; `name`: of the only one who is new. Those whom the user knows are asked. */
  met(room: JoinedRoom, name?: string): void {
    if (room.isSealed) return;
    this.#forgetGone(room);
    this.#judgeAgain(room, name);
    const names = name === undefined
      ? this.#options.people.known.all.map((person) => person.name)
      : [name];
    for (const each of names) this.#meet(room, each);
    if (name === undefined) this.#arrived(room);
  }

  #meet(room: JoinedRoom, name: string): void {
    const person = room.roster.find(name);
    const isKnown = this.#options.people.known.byName(name) !== undefined;
    if (person === undefined || !isKnown || person.client === this.#options.session()?.client) {
      return;
    }
    const former = this.#questions.get(room)?.get(person.client as number);
    const isAsked = former !== undefined && (former.answer === undefined || holds(former, person));
    // Whoever lost the connection can be asked when it is back; v1 has no word for it.
    if (isAsked || person.state === "away") return;
    const question = this.#ask(room, person, former);
    if (person.state === "old") this.#answer(room, question, "nothing");
  }

  /** What was answered may be worth something else under another name, or to somebody who knows others now. */
  #judgeAgain(room: JoinedRoom, name: string | undefined): void {
    const questions = [...this.#questions.get(room)?.values() ?? []];
    const client = name === undefined ? undefined : room.roster.find(name)?.client;
    const judged = name === undefined ? questions : questions.filter((it) => it.client === client);
    for (const question of judged) this.#judge(room, question);
    if (judged.length > 0) this.#tellChange();
  }

  #forgetGone(room: JoinedRoom): void {
    const questions = this.#questions.get(room);
    if (questions === undefined) return;
    const here = new Set(room.roster.people.map(({ client }) => client));
    for (const [client, { answered, answer }] of questions) {
      if (here.has(client)) continue;
      questions.delete(client);
      if (answer === undefined) answered.resolve("nothing");
      this.#tellChange();
    }
  }

  /** What a member shows; asked now, unless it has answered. */
  async show(room: JoinedRoom, person: RosterEntry): Promise<ShownKey> {
    const former = this.#questions.get(room)?.get(person.client as number);
    if (former?.answer !== undefined && typeof former.answer === "object") return former.answer;
    const isOpen = former !== undefined && former.answer === undefined;
    return await (isOpen ? former : this.#ask(room, person, former)).answered.promise;
  }

  /** What a member has shown so far. */
  shown(room: JoinedRoom, { client }: RosterEntry): ShownKey | undefined {
    return this.#questions.get(room)?.get(client as number)?.answer;
  }

  /** The user was shown this key of a member, to compare it. */
  compared(room: JoinedRoom, { client }: RosterEntry, key: string): void {
    const question = this.#questions.get(room)?.get(client as number);
    if (question !== undefined) question.compared = key;
  }

  /** Whether the user was shown this key of a member. */
  isCompared(room: JoinedRoom, { client }: RosterEntry, key: string): boolean {
    return this.#questions.get(room)?.get(client as number)?.compared === key;
  }

  /** The user goes on with a member, whatever it shows. */
  accept(room: JoinedRoom, { client, name }: RosterEntry): void {
    const question = this.#questions.get(room)?.get(client as number);
    if (question === undefined) return;
    question.acceptedAs = nameKey(name);
    this.#mark(room, question);
    this.#tellChange();
  }

  /** The user knows others than before. */
  peopleChanged(rooms: readonly JoinedRoom[]): void {
    for (const room of rooms) this.met(room);
  }

  /** Resolves when it may be otherwise; undefined where nobody in that room has to answer first. */
  pending(room: JoinedRoom): Promise<void> | undefined {
    const { known } = this.#options.people;
    const isAwaited = ({ answer, client, name }: Question) =>
      answer === undefined && known.byName(personOf(room, client)?.name ?? name) !== undefined;
    const isOpen = this.#isOn &&
      (this.#arriving.has(room) || this.#questions.get(room)?.values().some(isAwaited));
    return isOpen ? this.#changed.promise : undefined;
  }

  #tellChange(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    for (const room of this.#questions.keys()) {
      room.suspect = room.roster.people.find(({ key }) => key === "questioned")?.name;
    }
    if (!this.#options.signal.aborted) this.#options.onChange();
  }

  #ask(room: JoinedRoom, { client, name }: RosterEntry, former?: Question): Question {
    const questions = this.#questions.get(room) ?? new Map<number, Question>();
    this.#questions.set(room, questions);
    const question: Question = {
      client: client as number,
      name,
      nonce: randomBytes(PROOF_BYTES.nonce),
      answer: undefined,
      acceptedAs: former?.acceptedAs,
      toldAs: former?.toldAs,
      answered: Promise.withResolvers(),
    };
    questions.set(question.client, question);
    this.#queue(room, question);
    return question;
  }

  #queue(room: JoinedRoom, question: Question): void {
    this.#waiting.push(() => this.#send(room, question));
    void this.#sendWaiting();
  }

  /** At the pace that the server allows: what it drops would pass for no answer. */
  async #sendWaiting(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    const { clock, signal } = this.#options;
    for (let send = this.#waiting.shift(); send !== undefined; send = this.#waiting.shift()) {
      const pause = this.#asks.delay(clock.now());
      if (pause > 0) await clock.wait(pause, signal);
      if (signal.aborted) return;
      this.#asks.count(clock.now())(clock.now());
      send();
    }
    this.#isSending = false;
  }

  #send(room: JoinedRoom, question: Question): void {
    if (question.answer !== undefined) return;
    const { clock, signal } = this.#options;
    const { client: to, nonce } = question;
    const connection = this.#connection;
    if (typeof room.id === "number") {
      this.#options.session()?.send({ kind: "ask_proof", room: room.id, to, nonce });
    }
    void clock.wait(PROOF_PATIENCE_MS, signal).then(() => {
      const isOpen = this.#questions.get(room)?.get(to) === question &&
        question.answer === undefined && connection === this.#connection && !signal.aborted;
      if (isOpen) this.#answer(room, question, "nothing");
    });
  }

  /** A member asks for our device key. */
  asked(room: JoinedRoom, { client, nonce }: EventOf<"proof_asked">): void {
    const { clock, people: { device } } = this.#options;
    const session = this.#options.session();
    if (device === undefined || session === undefined || typeof room.id !== "number") return;
    // A member that keeps asking gets no more than these.
    if (this.#answers.delay(clock.now()) > 0) return;
    this.#answers.count(clock.now())(clock.now());
    const statement = roomStatement({
      server: bytesOf(session.server),
      prover: session.client,
      asker: client,
      nonce,
      room: room.title,
      name: room.name,
    });
    const proof = proveAs(device, statement);
    session.send({ kind: "proof", room: room.id, to: client, ...proof } as RequestOf<"proof">);
  }

  /** A member shows a device key. What nobody asked for, or was answered, means nothing. */
  answered(room: JoinedRoom, { client, key, signature }: EventOf<"proof">): void {
    const question = this.#questions.get(room)?.get(client);
    // An answer may come late, and then ends an alarm; a second one changes nothing.
    if (question === undefined || typeof question.answer === "object") return;
    const isSound = this.#isSound(room, question, { key, signature });
    this.#answer(room, question, isSound ? { key: toHex(key) } : "wrong");
  }

  #isSound(room: JoinedRoom, { client, name, nonce }: Question, proof: DeviceProof): boolean {
    const session = this.#options.session();
    if (session === undefined) return false;
    const about = {
      server: bytesOf(session.server),
      prover: client,
      asker: session.client,
      nonce,
      room: room.title,
    };
    const now = personOf(room, client)?.name ?? name;
    return [...new Set([name, now])].some((each) =>
      isProofOf(proof, roomStatement({ ...about, name: each }))
    );
  }

  #answer(room: JoinedRoom, question: Question, answer: ShownKey): void {
    question.answer = answer;
    question.answered.resolve(answer);
    const person = this.#judge(room, question);
    if (person?.key === "verified") this.#options.proven(room, person);
    // It has taken a known name since it was asked.
    if (person !== undefined && !holds(question, person)) this.#meet(room, person.name);
    this.#tellChange();
  }

  /** Marks a member by its answer; one who has a name that the user knows, and not its key, is an alarm. */
  #judge(room: JoinedRoom, question: Question): RosterEntry | undefined {
    this.#mark(room, question);
    const person = personOf(room, question.client);
    if (person?.key !== "questioned" || question.answer === undefined) return person;
    const name = nameKey(person.name);
    if (question.toldAs === name) return person;
    question.toldAs = name;
    const cause = typeof question.answer === "object" ? "other device" : "no device";
    this.#options.alarm(room, person, cause);
    return person;
  }

  /** Writes into the room's list what a member's answer is worth to this user. */
  #mark(room: JoinedRoom, question: Question): void {
    const { client, answer, acceptedAs } = question;
    const person = personOf(room, client);
    const { known } = this.#options.people;
    if (person === undefined || answer === undefined) return;
    const device = typeof answer === "object" ? answer.key : undefined;
    const expected = known.byName(person.name);
    const owner = known.byKey(device);
    const isAccepted = acceptedAs === nameKey(person.name);
    const isOther = expected !== undefined && expected.key !== device && !isAccepted &&
      holds(question, person);
    const key = isOther ? "questioned" : owner === undefined ? "unknown" : "verified";
    room.roster.setKey(person, {
      key,
      ...(device === undefined ? {} : { device }),
      ...(owner === undefined ? {} : { known: owner.name }),
    });
  }
}

function personOf(room: JoinedRoom, client: number): RosterEntry | undefined {
  return room.roster.people.find((person) => person.client === client);
}

/** Whether an answer tells something about a member under its name of now: a key does, silence under another name not. */
function holds({ answer, name }: Question, person: RosterEntry): boolean {
  return typeof answer === "object" || nameKey(name) === nameKey(person.name);
}

function bytesOf(fingerprint: Fingerprint): Uint8Array {
  return decodeBase64Url(bareFingerprint(fingerprint)) as Uint8Array;
}
