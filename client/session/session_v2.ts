// A v2 session: key agreement, records, and name, rooms and token only inside. docs/PROTOCOL.md, part 2.

import type { RsaKeyPair } from "../../shared/crypto/rsa.ts";
import { ConnectionError, ProtocolError } from "../../shared/base/errors.ts";
import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import { encodeFrame } from "../../shared/channel/frame.ts";
import { ClientHandshake } from "../../shared/channel/handshake.ts";
import { ServerStoppingError } from "../../shared/channel/handshake_error.ts";
import { HEARTBEAT_INTERVAL_S, HEARTBEAT_TIMEOUT_MS } from "../../shared/base/limits.ts";
import type { Event, EventOf, Request } from "../../shared/messages/messages_v2.ts";
import { BatchReader, frameParts, packBatches } from "../../shared/channel/record_batch.ts";
import { RecordCipher } from "../../shared/channel/record_cipher.ts";
import { decodeEvent, encodeRequestParts } from "../../shared/messages/codec_v2.ts";
import { type Clock, SYSTEM_CLOCK } from "../base/clock.ts";
import { requirePlain } from "../base/local_ids.ts";
import type { Connection } from "../net/endpoint.ts";
import { closedBeforeAnswer, readFrames, ReadingPace } from "./frame_stream.ts";
import { sayFarewell } from "./farewell.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Introduction, Session, Welcome } from "./session.ts";
import { BusyError, refusalError } from "./refusal.ts";

/** What a v2 session is opened with. */
export interface SessionV2Request {
  readonly keyPair: RsaKeyPair;
  /** Whether the connection is TLS: decides what a foreign answer means. */
  readonly tls: boolean;
  /** The server to be reached; any other ends the attempt before name or token are sent. */
  readonly expected: Fingerprint | undefined;
  /** What may be said to the server of this fingerprint; throws to end the attempt before anything is said. */
  readonly introduce: (server: Fingerprint) => Promise<Introduction>;
  readonly clock?: Clock;
  /**
   * Gives the attempt up; a server that knows our name by then gets a goodbye as well, so that it does not hold the
   * session.
   */
  readonly signal?: AbortSignal;
  /** How long an answer may be due where another server could take over; undefined = there is none. */
  readonly answerMs?: number | undefined;
  /** Takes where other servers are, as this one tells it; returns `answerMs` from now on, or undefined to leave it. */
  readonly onServers?: ((list: ServerList, server: Fingerprint) => number | undefined) | undefined;
}

type ServerList = EventOf<"servers">["list"];

interface Parts {
  readonly connection: Connection;
  readonly frames: AsyncIterator<Uint8Array>;
  readonly pace: ReadingPace;
  readonly cipher: RecordCipher;
  readonly batches: BatchReader;
  readonly clock: Clock;
  readonly answerMs: number | undefined;
  readonly onServers: SessionV2Request["onServers"];
}

/** A v2 session. */
export class SessionV2 implements Session {
  readonly welcome: Welcome;
  onSilence: () => void = () => {};
  readonly #parts: Parts;
  readonly #early: readonly Event[];
  readonly #heartbeat: Heartbeat;
  #askedAt: number | undefined;
  #roundTripMs: number | undefined;
  readonly #watching = new AbortController();
  #silent = false;
  #closed = false;
  #leaving: Promise<void> | undefined;

  private constructor(parts: Parts, welcome: Welcome, early: readonly Event[]) {
    this.#parts = parts;
    this.welcome = welcome;
    this.#early = early;
    this.#heartbeat = new Heartbeat({
      clock: parts.clock,
      patienceMs: HEARTBEAT_TIMEOUT_MS,
      answerMs: parts.answerMs,
      ask: () => this.#ask(),
      onDead: () => {
        this.#silent = true;
        this.#end();
      },
      onSilence: () => this.onSilence(),
    });
  }

  /**
   * Agrees on keys, checks who the server is, and says hello. Throws HandshakeError (a server without v2 too),
   * IdentityError, CryptoError, what the server refused, or ConnectionError. The caller closes the connection.
   */
  static async open(connection: Connection, request: SessionV2Request): Promise<SessionV2> {
    const introduced = await introduceSelf(connection, request);
    const { parts, introduction, about } = introduced;
    const [first, ...early] = await answerToHello(introduced, request.signal);
    if (first?.kind === "refused") throw refusalError(first.reason, introduction);
    if (first?.kind !== "welcome") {
      throw new ProtocolError("Cannot join the server: it did not answer the hello");
    }
    if (first.resumed && introduction.ticket === undefined) {
      throw new ProtocolError(
        "Cannot join the server: it resumed a session that was not asked for",
      );
    }
    return new SessionV2(parts, { ...welcomeOf(first, about.fingerprint), ...about }, early);
  }

  async send(request: Request): Promise<void> {
    if (this.#closed || this.#leaving !== undefined) {
      throw new ConnectionError("Cannot send: the session is over");
    }
    if ("id" in request || "ask" in request || request.kind === "ping") this.#heartbeat.expect();
    await this.#write(request);
  }

  async *events(): AsyncGenerator<Event, void> {
    const { signal } = this.#watching;
    void this.#heartbeat.watch(signal);
    void this.#measure(signal);
    try {
      for (const event of this.#early) if (!this.#takes(event)) yield event;
      yield* this.#read();
      await this.#leaving;
      this.close();
      if (this.#silent) throw new ConnectionError("The server does not answer any more");
    } catch (error) {
      this.close();
      throw error;
    } finally {
      // A caller that stops iterating may still want to leave.
      this.#watching.abort();
    }
  }

  leave(): Promise<void> {
    return this.#leaving ??= this.#leave();
  }

  close(): void {
    if (this.#leaving === undefined) this.#end();
  }

  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  get silentMs(): number | undefined {
    return this.#heartbeat.silentMs;
  }

  nudge(): void {
    this.#heartbeat.nudge();
  }

  wake(): void {
    this.#heartbeat.wake();
  }

  async #leave(): Promise<void> {
    if (this.#closed) return;
    this.#watching.abort();
    const { connection, frames, clock } = this.#parts;
    await sayFarewell({
      connection,
      frames,
      clock,
      say: () => this.#write({ kind: "bye" }),
      isSilent: this.silentMs !== undefined,
    });
    this.#end();
  }

  #end(): void {
    this.#closed = true;
    this.#watching.abort();
    this.#parts.connection.close();
    this.#parts.cipher.close();
  }

  // The last net: nothing of a sealed room may ever go to the server as it is.
  #write(request: Request): Promise<void> {
    const { connection, cipher, pace } = this.#parts;
    return pace.write(connection, seal(cipher, requirePlain(request)));
  }

  /** Asks now and then how long the way is. */
  async #measure(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#ask();
      await this.#parts.clock.wait(HEARTBEAT_INTERVAL_S * 1_000, signal);
    }
  }

  #ask(): void {
    this.#askedAt = this.#parts.clock.now();
    this.send({ kind: "ping" }).catch(() => this.close());
  }

  #takePong(): void {
    if (this.#askedAt === undefined) return;
    this.#roundTripMs = this.#parts.clock.now() - this.#askedAt;
    this.#askedAt = undefined;
  }

  /** Whether an event is for the session itself. */
  #takes(event: Event): boolean {
    if (event.kind !== "servers") return false;
    const { fingerprint } = this.welcome;
    const ms = fingerprint && this.#parts.onServers?.(event.list, fingerprint);
    if (ms !== undefined) this.#heartbeat.answerMs = ms;
    return true;
  }

  async *#read(): AsyncGenerator<Event, void> {
    const { frames, pace, cipher, batches } = this.#parts;
    for (let next = await pace.next(frames); !next.done; next = await pace.next(frames)) {
      // What still came before we closed is nobody's any more, and the keys are wiped.
      if (this.#leaving !== undefined || this.#closed) return;
      this.#heartbeat.heard();
      for (const body of batches.push(cipher.open(next.value))) {
        if (pace.isDue) await pace.turn();
        const event = decodeEvent(body);
        if (event.kind === "pong") this.#takePong();
        if (event.kind === "ping") pace.answer(() => this.send({ kind: "pong" }));
        else if (!this.#takes(event)) yield event;
      }
    }
  }
}

interface Introduced {
  readonly parts: Parts;
  readonly introduction: Introduction;
  readonly about: { readonly fingerprint: Fingerprint; readonly challenge: Uint8Array };
}

/** Agrees on keys, and says hello to who is expected. An abort closes the connection. */
async function introduceSelf(
  connection: Connection,
  request: SessionV2Request,
): Promise<Introduced> {
  const { keyPair: rsa, expected, tls, clock = SYSTEM_CLOCK, answerMs, signal } = request;
  const close = () => connection.close();
  signal?.addEventListener("abort", close);
  try {
    signal?.throwIfAborted();
    const handshake = await ClientHandshake.start({ rsa, expected });
    await connection.write(encodeFrame(handshake.firstMessage));
    const frames = readFrames(connection, tls);
    const { value: answer } = await frames.next();
    if (answer === undefined) throw closedBeforeAnswer(tls);
    const { keys, fingerprint } = await agreedBy(handshake, answer);
    const introduction = await request.introduce(fingerprint);
    const cipher = new RecordCipher(keys, { role: "client", now: () => clock.now() });
    const { onServers } = request;
    const batches = new BatchReader();
    const pace = new ReadingPace(clock);
    const parts = { connection, frames, pace, cipher, batches, clock, answerMs, onServers };
    await connection.write(seal(cipher, helloOf(introduction)));
    const { challenge } = keys;
    return { parts, introduction, about: { fingerprint, challenge } };
  } finally {
    signal?.removeEventListener("abort", close);
  }
}

/**
 * Takes the server's answer. Throws as ClientHandshake.receive() does, and BusyError where the server is about to end:
 * another one takes its place, or is elsewhere. As nobody has proved who says so, the next attempt is no sooner for it.
 */
async function agreedBy(
  handshake: ClientHandshake,
  answer: Uint8Array,
): ReturnType<ClientHandshake["receive"]> {
  try {
    return await handshake.receive(answer);
  } catch (error) {
    if (!(error instanceof ServerStoppingError)) throw error;
    throw new BusyError("Cannot join the server: it is stopping", { cause: error });
  }
}

/**
 * Waits for the answer to hello. When `signal` aborts, the session may be open at the server already: it is told goodbye,
 * lest the name be held for somebody who never came. A held session that was to be taken up again stays held.
 */
async function answerToHello(
  { parts, introduction }: Introduced,
  signal: AbortSignal | undefined,
): Promise<Event[]> {
  const { connection, frames, cipher, clock } = parts;
  const gone = Promise.withResolvers<never>();
  const giveUp = async () => {
    const say = () => connection.write(seal(cipher, { kind: "bye" }));
    if (introduction.ticket === undefined) {
      await sayFarewell({ connection, frames, clock, say, isSilent: false });
    } else connection.close();
    gone.reject(signal?.reason);
  };
  const answer = firstEvents(parts);
  signal?.addEventListener("abort", giveUp);
  try {
    if (signal?.aborted) await giveUp();
    const events = await Promise.race([answer, gone.promise]);
    return signal?.aborted ? await gone.promise : events;
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}

function seal(cipher: RecordCipher, request: Request): Uint8Array {
  return cipher.sealAll(packBatches([frameParts(encodeRequestParts(request))]));
}

function helloOf({ name, rooms, token, ticket }: Introduction): Request {
  const { session = null, secret = null } = ticket ?? {};
  const wanted = rooms.map(([title, at]): [string, number] => [title, at]);
  return { kind: "hello", name, token: token ?? null, session, secret, rooms: wanted };
}

async function firstEvents({ frames, pace, cipher, batches }: Parts): Promise<Event[]> {
  for (;;) {
    const { value: record } = await pace.next(frames);
    if (record === undefined) {
      // A connection that was cut just now looks like a server that could not open the hello: trying again costs nothing.
      throw new ConnectionError("Cannot join the server: the session ended before its answer", {
        hint: "try again; if it happens again, someone in between may be changing what is sent",
      });
    }
    const events = batches.push(cipher.open(record)).map(decodeEvent);
    if (events.length > 0) return events;
  }
}

function welcomeOf(event: EventOf<"welcome">, fingerprint: Fingerprint): Welcome {
  const { client, rooms, session, secret, resumed } = event;
  const { rateMessages: messages, rateSeconds: seconds } = event;
  return {
    client,
    rooms,
    isV1: false,
    resumed,
    fingerprint,
    ticket: { server: fingerprint, session, secret },
    hasPage: event.page,
    messageMax: event.messageLimit,
    fileMax: event.fileLimit,
    holdSeconds: event.hold,
    rate: messages > 0 && seconds > 0 ? { messages, seconds } : undefined,
  };
}
