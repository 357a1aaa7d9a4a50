// The session of a v2 client that logged in: its held one, one that another server had, or a new one.

import { quote } from "../../shared/base/sanitize.ts";
import type { RecordCipher } from "../../shared/channel/record_cipher.ts";
import type { GuestPass, Mail, RemoteSession } from "../cluster/cluster_contract.ts";
import { decodeEvent } from "../../shared/messages/codec_v2.ts";
import type { EventOf, RequestOf } from "../../shared/messages/messages_v2.ts";
import { openWriterV2 } from "../delivery/event_writer.ts";
import type { InvitedBy } from "../limits/invites.ts";
import type { Connection } from "../net/connection.ts";
import { tellServers } from "../relay/pass_on.ts";
import type { Relay } from "../relay/relay.ts";
import { whenPlaced } from "../room/bus.ts";
import type { Room } from "../room/room.ts";
import type { Membership } from "../session/membership.ts";
import { excludeFrom, type Exclusion, type Newcomer } from "../session/room_access.ts";
import { Session } from "../session/session.ts";
import { servesPage } from "../web/page.ts";
import { newTicket, type SessionTicket, takenOver } from "../session/session_ticket.ts";
import {
  allReady,
  byToken,
  checkName,
  checkRoom,
  exclusionRefusal,
  newcomerOf,
  requireRunning,
} from "./admission.ts";
import { Refusal } from "./refusal.ts";

/** A connection after its key agreement. */
export interface SecureChannel {
  readonly connection: Connection;
  readonly cipher: RecordCipher;
  /** What a member of sealed rooms signs to prove its handle. */
  readonly challenge: Uint8Array;
}

/** Resumes the held session of the ticket in `hello`; undefined where there is none. Throws Refusal. */
export function resumeHeld(
  relay: Relay,
  channel: SecureChannel,
  hello: RequestOf<"hello">,
): Session | undefined {
  const { session: id, secret } = hello;
  if (id === null || secret === null) return undefined;
  const session = relay.held.find(id, secret);
  if (session === undefined) {
    // A client that starts over has no ticket, and may come in.
    if (relay.held.wasExpelled(id, secret)) throw new Refusal("removed");
    return undefined;
  }
  relay.held.release(session);
  relay.counters.sessionsResumed++;
  session.renewTicket(secret);
  const { memberships, expected } = session;
  connect(relay, session, channel);
  session.tell(welcomeFor(relay, session, { rooms: memberships.length, resumed: true }));
  const seen = new Map(hello.rooms);
  for (const member of memberships) catchUp(member, seen.get(member.room.title) ?? 0);
  tellOthers(relay, session);
  session.takeMail();
  session.tellReceipts();
  if (expected) { for (const member of memberships) member.tellMembers(); }
  else announceBack(memberships);
  return session;
}

/** Resumes the session of the ticket in `hello` that another server had; undefined where there is none. */
export async function resumeRemote(
  relay: Relay,
  channel: SecureChannel,
  hello: RequestOf<"hello">,
): Promise<Session | undefined> {
  const { session: id, secret } = hello;
  if (id === null || secret === null || relay.cluster === undefined) return undefined;
  // The other server must not give the session up for one that cannot take it.
  if (!relay.cluster.isUp) throw new Refusal("unavailable");
  const guest = relay.cluster.guestPass(id, secret);
  const taken = await relay.cluster.take(id, secret);
  if (taken === undefined) return undefined;
  const ticket = takenOver(id, secret, taken.digests);
  try {
    return await receive(relay, channel, { hello, taken, ticket, guest });
  } finally {
    taken.arrived();
  }
}

interface Arrival {
  readonly hello: RequestOf<"hello">;
  readonly taken: RemoteSession;
  readonly ticket: SessionTicket;
  readonly guest: GuestPass | undefined;
}

/** Takes in a session that its server has given up. Throws Refusal. */
async function receive(
  relay: Relay,
  channel: SecureChannel,
  { hello, taken, ticket, guest }: Arrival,
): Promise<Session> {
  const { address } = channel.connection;
  const name = checkName(hello.name);
  const { rooms } = openRooms(relay, hello, address);
  await allReady(relay, rooms);
  requireRunning(relay);
  const session = new Session(relay, { name, isV1: false, address, ticket, taken });
  const requests = rooms.map(({ view }) => view.of(taken.client)?.request ?? 0);
  session.requests.last = Math.max(session.requests.last, ...requests);
  relay.access.noteToken(session, hello.token);
  relay.access.noteGuest(session, guest);
  relay.enter(session);
  relay.held.know(session);
  relay.counters.sessionsResumed++;
  connect(relay, session, channel);
  session.tell(welcomeFor(relay, session, { rooms: rooms.length, resumed: true }));
  const seen = new Map(hello.rooms);
  for (const room of rooms) {
    const known = room.nameOf(taken.client);
    const membership = session.enter(room, known);
    if (known === undefined) membership.announce(0);
    else catchUp(membership, seen.get(room.title) ?? 0);
  }
  tellOthers(relay, session);
  for (const mail of taken.mail) bringMail(relay, session, mail);
  announceBack(session.memberships);
  return session;
}

/** Makes a new session, and enters the rooms of `hello`. Throws Refusal. */
export function newSession(
  relay: Relay,
  channel: SecureChannel,
  hello: RequestOf<"hello">,
): Promise<Session> {
  return byToken(relay, hello.token, (invite) => come(relay, channel, { hello, invite }));
}

interface Coming {
  readonly hello: RequestOf<"hello">;
  readonly invite: InvitedBy | undefined;
}

async function come(
  relay: Relay,
  channel: SecureChannel,
  { hello, invite }: Coming,
): Promise<Session> {
  const { address } = channel.connection;
  const name = checkName(hello.name);
  const { rooms: wanted, refusals } = openRooms(relay, hello, address);
  await allReady(relay, wanted);
  requireRunning(relay);
  const newcomer = newcomerOf(relay, { address, token: hello.token });
  const { rooms, excluded } = admitted(relay, wanted, newcomer);
  // From here on nothing fails and nothing waits.
  const session = new Session(relay, {
    name,
    isV1: false,
    address,
    ticket: newTicket(),
  });
  relay.access.noteToken(session, hello.token);
  relay.access.noteInvite(session, invite);
  relay.enter(session);
  relay.held.know(session);
  connect(relay, session, channel);
  session.tell(welcomeFor(relay, session, { rooms: rooms.length, resumed: false }));
  for (const room of rooms) {
    const membership = session.enter(room);
    membership.announce(0);
    membership.tellTakenName(name);
  }
  tellOthers(relay, session);
  for (const text of [...refusals, ...excluded]) session.tell({ kind: "notice", room: 0, text });
  return session;
}

/** The rooms of a hello. Throws Refusal where it names one room alone, and that cannot be opened. */
function openRooms(
  relay: Relay,
  hello: RequestOf<"hello">,
  address: string,
): { readonly rooms: readonly Room[]; readonly refusals: readonly string[] } {
  const rooms = new Set<Room>();
  const refusals: string[] = [];
  for (const [title] of hello.rooms) {
    try {
      rooms.add(checkRoom(relay, { wanted: title, address }));
    } catch (error) {
      // A client that comes back with many rooms must not lose all of them because of one.
      if (!(error instanceof Refusal) || hello.rooms.length === 1) throw error;
      refusals.push(`Cannot join ${quote(title)}: ${error.reason.replaceAll("_", " ")}`);
    }
  }
  return { rooms: [...rooms], refusals };
}

/** Those of `wanted` that take a newcomer. Throws Refusal where the only one does not. */
function admitted(
  relay: Relay,
  wanted: readonly Room[],
  newcomer: Newcomer,
): { readonly rooms: readonly Room[]; readonly excluded: readonly string[] } {
  const rooms: Room[] = [];
  const excluded: string[] = [];
  let last: Exclusion | undefined;
  for (const room of wanted) {
    const exclusion = excludeFrom(room, newcomer, Date.now());
    if (exclusion === undefined) rooms.push(room);
    else {
      last = exclusion;
      excluded.push(`Cannot join the room ${quote(room.title)}: ${exclusion.why}`);
      relay.rooms.tidy(room);
    }
  }
  if (wanted.length === 1 && last !== undefined) throw exclusionRefusal(last);
  return { rooms, excluded };
}

/** Tells a client where it finds the other servers, where there are any. */
function tellOthers({ cluster }: Relay, session: Session): void {
  const { otherPlaces = [] } = cluster ?? {};
  if (otherPlaces.length > 0) tellServers(session, otherPlaces);
}

/** What waited for the client at the server that had it: rooms have other numbers here. */
function bringMail(relay: Relay, session: Session, [title, body]: Mail): void {
  const event = decodeEvent(body);
  if (event.kind !== "direct" && event.kind !== "undelivered") return;
  const member = session.memberships.find(({ room }) => room.title === title);
  if (member !== undefined) session.tell({ ...event, room: member.room.id });
  else if (event.kind === "direct") relay.tellUndelivered(event);
}

function announceBack(memberships: readonly Membership[]): void {
  for (const member of memberships) {
    const placed = member.room.publish({ kind: "back", ...member.about() });
    whenPlaced(placed, () => member.tellMembers());
  }
}

/** Tells a session what it missed in one of its rooms since position `at`. */
function catchUp(member: Membership, at: number): void {
  const { events, after, complete } = member.room.missed(at);
  member.tellEntered(0, { at: complete ? at : after, complete });
  for (const broadcast of events) member.deliver(broadcast);
}

type Standing = Pick<EventOf<"welcome">, "rooms" | "resumed">;

function welcomeFor(
  { config }: Relay,
  session: Session,
  { rooms, resumed }: Standing,
): EventOf<"welcome"> {
  const rate = config["rate-limit"];
  const ticket = session.ticket as SessionTicket;
  return {
    kind: "welcome",
    client: session.id,
    session: ticket.id,
    secret: ticket.secret,
    rooms,
    resumed,
    messageLimit: config["max-message"],
    fileLimit: config["max-file"],
    hold: config.hold,
    // 0 = no limit.
    rateMessages: rate?.messages ?? 0,
    rateSeconds: rate?.seconds ?? 0,
    page: servesPage(config),
  };
}

function connect(
  relay: Relay,
  session: Session,
  { connection, cipher, challenge }: SecureChannel,
): void {
  const options = { connection, client: session.id, events: relay.writerEvents };
  session.takeConnection(openWriterV2(options, cipher), challenge);
}
