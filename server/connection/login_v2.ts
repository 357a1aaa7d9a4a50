// The login of a v2 client: key agreement, then name, rooms and token inside the session.

import { smallCopy } from "../../shared/base/bytes.ts";
import { CmdchatError, ProtocolError } from "../../shared/base/errors.ts";
import { BODY_MAX_BYTES } from "../../shared/base/limits.ts";
import { encodeFrame } from "../../shared/channel/frame.ts";
import type { ServerSession } from "../../shared/channel/handshake.ts";
import { encodeBusy } from "../../shared/channel/handshake_messages.ts";
import { BatchReader, frameBody, packBatches } from "../../shared/channel/record_batch.ts";
import { RecordCipher } from "../../shared/channel/record_cipher.ts";
import { decodeRequest, encodeEvent, requestMaxBytes } from "../../shared/messages/codec_v2.ts";
import type { RequestOf } from "../../shared/messages/messages_v2.ts";
import { HELLO_MAX_BYTES } from "../config/limits.ts";
import type { EventWriter } from "../delivery/event_writer.ts";
import { turnTime } from "../delivery/turn_time.ts";
import { dispatchRequest } from "../handlers/dispatch.ts";
import type { ConnectionSlot } from "../limits/connection_slots.ts";
import type { Connection } from "../net/connection.ts";
import type { Returning } from "../relay/access.ts";
import type { Relay } from "../relay/relay.ts";
import type { Session } from "../session/session.ts";
import type { FrameSource } from "./frame_source.ts";
import type { Login } from "./login.ts";
import { newSession, resumeHeld, resumeRemote, type SecureChannel } from "./open_session.ts";
import { checkToken, inTurn, requireRunning, requireRunningForV2 } from "./admission.ts";
import { Refusal } from "./refusal.ts";

/** A connection whose first message asks for v2. */
export interface PendingLogin {
  readonly connection: Connection;
  readonly source: FrameSource;
  readonly first: Uint8Array;
  readonly slot: ConnectionSlot;
}

const NOTHING = new Uint8Array();

/** Answers a first message with `v2`. Throws Refusal or HandshakeError. */
export async function loginV2(relay: Relay, pending: PendingLogin): Promise<Login> {
  const { connection, source, first, slot } = pending;
  const pause = relay.handshakeQueue.pauseFor(connection.address);
  if (pause !== undefined) {
    relay.held.toldToWait(connection.address, pause, performance.now());
    throw new Refusal("server_busy", encodeFrame(encodeBusy(pause)));
  }
  const { answer, keys } = await inTurn(
    relay,
    connection,
    () => {
      requireRunningForV2(relay);
      return relay.handshakes.receive(first);
    },
  );
  await connection.write(encodeFrame(answer));
  const record = await firstRecord(source, keys);
  const cipher = new RecordCipher(keys, { role: "server", now: turnTime });
  const batches = new BatchReader(HELLO_MAX_BYTES, requestMaxBytes);
  try {
    const hello = openHello(batches.push(cipher.open(record)));
    checkToken(relay, hello.token, {
      address: connection.address,
      returning: returning(relay, hello),
    });
    const channel = { connection, cipher, challenge: smallCopy(keys.challenge) };
    requireRunning(relay);
    const held = resumeHeld(relay, channel, hello);
    if (held !== undefined) slot.settle();
    else if (slot.forHeld) throw new Refusal("server_full");
    const resumed = held ?? await resumeRemote(relay, channel, hello);
    const session = resumed ?? await newSession(relay, channel, hello);
    relay.access.noteToken(session, hello.token);
    batches.maxBytes = BODY_MAX_BYTES;
    return new LoginV2(relay, { session, channel, batches, resumed: resumed !== undefined });
  } catch (error) {
    throw sealedRefusal(error, cipher);
  }
}

/**
 * The client's first record. Where it sends none, its keys are wiped, and no work was done for records: it was a
 * handshake for nothing, and counts as one that was refused. Throws Refusal.
 */
async function firstRecord(source: FrameSource, keys: ServerSession["keys"]): Promise<Uint8Array> {
  let record: Uint8Array | undefined;
  try {
    record = await source.one();
    if (record === undefined) throw new Refusal("expected_handshake", NOTHING);
  } catch (error) {
    throw unsealedRefusal(error);
  } finally {
    if (record === undefined) {
      for (const secret of [keys.clientSecret, keys.serverSecret, keys.challenge]) secret.fill(0);
    }
  }
  return record;
}

function returning(
  { held, cluster }: Relay,
  { session: id, secret }: RequestOf<"hello">,
): Returning | undefined {
  if (id === null || secret === null) return undefined;
  const session = held.find(id, secret);
  if (session !== undefined) return { session };
  const guest = cluster?.guestPass(id, secret);
  return guest && { guest };
}

function openHello([body, ...more]: readonly Uint8Array[]): RequestOf<"hello"> {
  const request = body === undefined ? undefined : decodeRequest(body);
  if (request?.kind === "hello" && more.length === 0) return request;
  throw new ProtocolError("Cannot take the first message: it must be a hello, alone");
}

function sealedRefusal(error: unknown, cipher: RecordCipher): unknown {
  if (!(error instanceof Refusal)) {
    cipher.close();
    return unsealedRefusal(error);
  }
  const body = frameBody(encodeEvent({ kind: "refused", reason: error.reason }));
  const record = cipher.seal(packBatches([body])[0] ?? []);
  cipher.close();
  return new Refusal(error.reason, record);
}

// The keys did not fit or the rules were broken: nothing can be told safely.
function unsealedRefusal(error: unknown): unknown {
  return error instanceof CmdchatError ? new Refusal("expected_handshake", NOTHING) : error;
}

interface LoginParts {
  readonly session: Session;
  readonly channel: SecureChannel;
  readonly batches: BatchReader;
  readonly resumed: boolean;
}

class LoginV2 implements Login {
  readonly session: Session;
  readonly resumed: boolean;
  readonly #relay: Relay;
  readonly #writer: EventWriter | undefined;
  readonly #cipher: RecordCipher;
  readonly #batches: BatchReader;

  constructor(relay: Relay, { session, channel, batches, resumed }: LoginParts) {
    this.#relay = relay;
    this.session = session;
    this.resumed = resumed;
    this.#writer = session.writer;
    this.#cipher = channel.cipher;
    this.#batches = batches;
  }

  *receive(frame: Uint8Array): Generator<void, boolean> {
    const { counters } = this.#relay;
    const bodies = this.#batches.push(this.#cipher.open(frame));
    // To open it, and to move on to another key, is work as well.
    if (bodies.length === 0) {
      this.session.requestBudget.begin(0);
      this.session.requestBudget.spend();
    }
    let isFirst = true;
    for (const body of bodies) {
      if (!isFirst) yield;
      isFirst = false;
      counters.messagesIn++;
      this.session.received++;
      const request = decodeRequest(body);
      if (request.kind === "bye") return true;
      if (request.kind !== "ping" && request.kind !== "pong") this.session.actedAt = turnTime();
      // A connection that was replaced cannot speak for its session any more.
      if (this.session.writer === this.#writer) {
        this.session.confirmTicket();
        this.session.requestBudget.begin(body.length);
        if (request.kind === "moving") this.#depart();
        else dispatchRequest(this.session, request);
      }
    }
    return false;
  }

  /** The rest of what it is told is written, and what it still sends is ignored. */
  #depart(): void {
    if (this.#relay.held.hold(this.session, performance.now())) this.session.depart();
  }

  end(forGood: boolean): void {
    this.#writer?.close();
    this.#cipher.close();
    const { session } = this;
    // Another connection has the session, or another server.
    if (session.writer !== this.#writer) return;
    if (this.#relay.handingOver && !forGood) return;
    session.leaveSealedRooms(forGood);
    const isHeld = !forGood && this.#relay.held.hold(session, performance.now());
    if (isHeld) session.loseConnection();
    else this.#relay.expire(session);
  }
}
