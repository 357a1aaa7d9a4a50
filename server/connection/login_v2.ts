// A v2 client comes in, or comes back: key agreement, then name, rooms and token inside the session.

import { smallBytes, smallCopy } from "../../shared/base/bytes.ts";
import { CmdchatError, ProtocolError } from "../../shared/base/errors.ts";
import { encodeFrame } from "../../shared/channel/frame.ts";
import {
  BODY_MAX_BYTES,
  SESSION_ID_BYTES,
  SESSION_SECRET_BYTES,
} from "../../shared/base/limits.ts";
import { HELLO_MAX_BYTES } from "../config/limits.ts";
import type { EventOf, RequestOf } from "../../shared/messages/messages_v2.ts";
import { BatchReader, frameBody, packBatches } from "../../shared/channel/record_batch.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { RecordCipher } from "../../shared/channel/record_cipher.ts";
import { decodeRequest, encodeEvent } from "../../shared/messages/codec_v2.ts";
import { checkName, checkRoom } from "./admission.ts";
import { whenPlaced } from "../room/bus.ts";
import type { Login } from "./login.ts";
import type { FrameSource } from "./frame_source.ts";
import { dispatchRequest } from "../handlers/dispatch.ts";
import type { Connection } from "../net/connection.ts";
import { type Membership, tellTakenName } from "../session/membership.ts";
import { type EventWriter, openWriterV2 } from "../delivery/event_writer.ts";
import { exclusion } from "../session/room_access.ts";
import type { ConnectionSlot } from "../limits/connection_slots.ts";
import { Refusal } from "./refusal.ts";
import type { Relay } from "../relay/relay.ts";
import type { Room } from "../room/room.ts";
import { Session, type SessionTicket } from "../session/session.ts";

/** A connection whose first message asks for v2. */
export interface Arrival {
  readonly link: Connection;
  readonly source: FrameSource;
  readonly first: Uint8Array;
  readonly place: ConnectionSlot;
}

/** A session that is sealed, but of nobody yet. */
interface Sealed {
  readonly link: Connection;
  readonly cipher: RecordCipher;
  readonly batches: BatchReader;
  readonly challenge: Uint8Array;
}

const now = () => performance.now();

/** Answers a first message with `v2`. Throws Refusal or HandshakeError. */
export async function loginV2(relay: Relay, arrival: Arrival): Promise<Login> {
  const { link, source, first, place } = arrival;
  const { answer, keys } = await relay.handshakes.receive(first);
  await link.write(encodeFrame(answer));
  const cipher = new RecordCipher(keys, { role: "server", now });
  const challenge = smallCopy(keys.challenge);
  const sealed = { link, cipher, batches: new BatchReader(HELLO_MAX_BYTES), challenge };
  try {
    const hello = await readHello(source, sealed);
    if (!relay.isAuthorized(hello.token)) throw new Refusal("unauthorized");
    const held = comeBack(relay, sealed, hello);
    if (held !== undefined) place.settle();
    else if (place.forHeld) throw new Refusal("server_full");
    const back = held ?? await comeOver(relay, sealed, hello);
    const session = back ?? await comeIn(relay, sealed, hello);
    sealed.batches.maxBytes = BODY_MAX_BYTES;
    return new WelcomedV2(session, sealed, back !== undefined);
  } catch (error) {
    throw sealedRefusal(error, cipher);
  }
}

async function readHello(source: FrameSource, sealed: Sealed): Promise<RequestOf<"hello">> {
  const record = await source.one();
  if (record === undefined) throw new Refusal("expected_handshake");
  const [body, ...more] = sealed.batches.push(sealed.cipher.open(record));
  const request = body === undefined ? undefined : decodeRequest(body);
  if (request?.kind !== "hello" || more.length > 0) {
    throw new ProtocolError("Cannot take the first message: hello is wanted, alone");
  }
  return request;
}

function sealedRefusal(error: unknown, cipher: RecordCipher): unknown {
  if (!(error instanceof Refusal)) {
    cipher.close();
    // The keys did not fit or the rules were broken: there is nothing that could be told safely.
    return error instanceof CmdchatError
      ? new Refusal("expected_handshake", new Uint8Array())
      : error;
  }
  const body = frameBody(encodeEvent({ kind: "refused", reason: error.reason }));
  const record = cipher.seal(packBatches([body])[0] ?? []);
  cipher.close();
  return new Refusal(error.reason, record);
}

async function comeIn(
  relay: Relay,
  sealed: Sealed,
  hello: RequestOf<"hello">,
): Promise<Session> {
  const name = checkName(hello.name);
  const { rooms: wanted, refusals } = openRooms(relay, hello, sealed.link);
  await allReady(wanted);
  const { rooms, excluded } = admitted(relay, sealed.link, wanted);
  const session = new Session(relay, {
    ...{ name, old: false, address: sealed.link.address },
    ticket: {
      id: crypto.getRandomValues(smallBytes(SESSION_ID_BYTES)),
      secret: crypto.getRandomValues(smallBytes(SESSION_SECRET_BYTES)),
    },
  });
  relay.enter(session);
  relay.held.know(session);
  connect(session, sealed);
  session.tell(welcomeFor(session, { rooms: rooms.length, resumed: false }));
  for (const room of rooms) {
    const membership = session.enter(room);
    membership.announce(0);
    tellTakenName(membership, name);
  }
  for (const text of [...refusals, ...excluded]) session.tell({ kind: "notice", room: 0, text });
  return session;
}

/** The rooms of a hello. Throws Refusal where there are none because of the first one's fault. */
function openRooms(
  relay: Relay,
  hello: RequestOf<"hello">,
  { address }: Connection,
): { readonly rooms: readonly Room[]; readonly refusals: readonly string[] } {
  const rooms = new Set<Room>();
  const refusals: string[] = [];
  for (const [title] of hello.rooms) {
    try {
      rooms.add(checkRoom(relay, { wanted: title, address }));
    } catch (error) {
      // Coming back with many rooms, one of which has no place, must not keep anybody from the others.
      if (!(error instanceof Refusal) || hello.rooms.length === 1) throw error;
      refusals.push(`Cannot join ${quote(title)}: ${error.reason.replaceAll("_", " ")}`);
    }
  }
  return { rooms: [...rooms], refusals };
}

/** Those of `wanted` that take a newcomer. Throws Refusal where the only one does not. */
function admitted(
  relay: Relay,
  { address }: Connection,
  wanted: readonly Room[],
): { readonly rooms: readonly Room[]; readonly excluded: readonly string[] } {
  const rooms: Room[] = [];
  const excluded: string[] = [];
  for (const room of wanted) {
    const why = exclusion(room, { id: 0, address, relay }, Date.now());
    if (why === undefined) rooms.push(room);
    else {
      excluded.push(`Cannot join the room ${quote(room.title)}: ${why}`);
      relay.tidy(room);
    }
  }
  if (wanted.length === 1 && rooms.length === 0) throw new Refusal("excluded");
  return { rooms, excluded };
}

// What happened in rooms on other servers comes first.
async function allReady(rooms: readonly Room[]): Promise<void> {
  if (rooms.some(({ ready }) => ready !== undefined)) {
    await Promise.all(rooms.map(({ ready }) => ready));
  }
}

/** Takes up a session that another server had. */
async function comeOver(
  relay: Relay,
  sealed: Sealed,
  hello: RequestOf<"hello">,
): Promise<Session | undefined> {
  const { session: id, secret } = hello;
  if (id === null || secret === null || relay.cluster === undefined) return undefined;
  const taken = await relay.cluster.take(id, secret);
  if (taken === undefined) return undefined;
  const name = checkName(hello.name);
  const { rooms } = openRooms(relay, hello, sealed.link);
  await allReady(rooms);
  const requests = rooms.map(({ view }) => view?.of(taken.client)?.request ?? 0);
  const session = new Session(relay, {
    ...{ name, old: false, address: sealed.link.address, ticket: { id, secret } },
    taken,
  });
  session.lastRequest = Math.max(session.lastRequest, ...requests);
  relay.enter(session);
  relay.held.know(session);
  relay.metrics.counters.sessionsResumed++;
  connect(session, sealed);
  session.tell(welcomeFor(session, { rooms: rooms.length, resumed: true }));
  const seen = new Map(hello.rooms);
  for (const room of rooms) {
    const known = room.view?.of(taken.client)?.name;
    const membership = session.enter(room, known);
    if (known === undefined) membership.announce(0);
    else catchUp(membership, seen.get(room.title) ?? 0);
  }
  announceBack(session.memberships);
  return session;
}

function announceBack(memberships: readonly Membership[]): void {
  for (const member of memberships) {
    const placed = member.room.publish({ kind: "back", ...member.about() });
    whenPlaced(placed, () => member.tellMembers());
  }
}

function comeBack(relay: Relay, sealed: Sealed, hello: RequestOf<"hello">): Session | undefined {
  const { session: id, secret } = hello;
  if (id === null || secret === null) return undefined;
  const session = relay.held.find(id, secret);
  if (session === undefined) {
    // Who begins anew has no ticket, and may.
    if (relay.held.wasExpelled(id, secret)) throw new Refusal("removed");
    return undefined;
  }
  relay.held.release(session);
  relay.metrics.counters.sessionsResumed++;
  const { memberships, expected } = session;
  connect(session, sealed);
  session.tell(welcomeFor(session, { rooms: memberships.length, resumed: true }));
  const seen = new Map(hello.rooms);
  for (const member of memberships) catchUp(member, seen.get(member.room.title) ?? 0);
  session.takeMail();
  if (expected) { for (const member of memberships) member.tellMembers(); }
  else announceBack(memberships);
  return session;
}

/** Tells a session what it missed in one of its rooms since place `at`. */
function catchUp(member: Membership, at: number): void {
  const { events, after, complete } = member.room.missed(at);
  member.tellEntered(0, { at: complete ? at : after, complete });
  for (const broadcast of events) member.deliver(broadcast);
}

type Standing = Pick<EventOf<"welcome">, "rooms" | "resumed">;

function welcomeFor(session: Session, standing: Standing): EventOf<"welcome"> {
  const { config } = session.relay;
  const rate = config["rate-limit"];
  const ticket = session.ticket as SessionTicket;
  return {
    ...{ kind: "welcome", client: session.id, session: ticket.id, secret: ticket.secret },
    ...standing,
    ...{ messageLimit: config["max-message"], fileLimit: config["max-file"], hold: config.hold },
    // 0 = no limit.
    ...{ rateMessages: rate?.messages ?? 0, rateSeconds: rate?.seconds ?? 0 },
  };
}

function connect(session: Session, { link, cipher, challenge }: Sealed): void {
  const { relay, id: client } = session;
  const port = openWriterV2({ link, client, events: relay.portEvents }, cipher);
  session.takeLink(port, challenge);
}

class WelcomedV2 implements Login {
  readonly session: Session;
  readonly resumed: boolean;
  readonly #port: EventWriter | undefined;
  readonly #cipher: RecordCipher;
  readonly #batches: BatchReader;

  constructor(session: Session, { cipher, batches }: Sealed, resumed: boolean) {
    this.session = session;
    this.resumed = resumed;
    this.#port = session.port;
    this.#cipher = cipher;
    this.#batches = batches;
  }

  receive(frame: Uint8Array): boolean {
    const { counters } = this.session.relay.metrics;
    for (const body of this.#batches.push(this.#cipher.open(frame))) {
      counters.messagesIn++;
      const request = decodeRequest(body);
      if (request.kind === "bye") return true;
      // A link that was replaced has nothing more to say for its session.
      if (this.session.port === this.#port) dispatchRequest(this.session, request);
    }
    return false;
  }

  end(forGood: boolean): void {
    this.#port?.close();
    this.#cipher.close();
    const { session } = this;
    const { relay } = session;
    if (session.port !== this.#port) return;
    if (relay.handingOver && !forGood) return;
    session.endSealed(forGood);
    if (!forGood && relay.held.hold(session, performance.now())) session.loseLink();
    else relay.exit(session);
  }
}
