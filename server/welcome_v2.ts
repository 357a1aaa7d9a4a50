// A v2 client comes in, or comes back: key agreement, then name, room and token inside the session.

import { CmdchatError, ProtocolError } from "../shared/errors.ts";
import { encodeFrame } from "../shared/frame.ts";
import {
  BODY_MAX_BYTES,
  HELLO_MAX_BYTES,
  SESSION_ID_BYTES,
  SESSION_SECRET_BYTES,
} from "../shared/limits.ts";
import type { EventOf, RequestOf } from "../shared/messages_v2.ts";
import { BatchReader, frameBody, packBatches } from "../shared/record_batch.ts";
import { SessionCipher } from "../shared/session_cipher.ts";
import { decodeRequest, encodeEvent } from "../shared/wire_v2.ts";
import { checkEntry } from "./admission.ts";
import type { Welcomed } from "./connection.ts";
import type { FrameSource } from "./frame_source.ts";
import { handle, tellTakenName } from "./handlers.ts";
import type { Link } from "./listener.ts";
import { Member } from "./member.ts";
import { openPortV2 } from "./port.ts";
import { Refusal } from "./refusal.ts";
import type { Relay } from "./relay.ts";

/** A connection whose first message asks for v2. */
export interface Arrival {
  readonly link: Link;
  readonly source: FrameSource;
  readonly first: Uint8Array;
}

/** A session that is sealed, but of nobody yet. */
interface Sealed {
  readonly link: Link;
  readonly cipher: SessionCipher;
  readonly batches: BatchReader;
}

/** Answers a first message with `v2`. Throws Refusal or HandshakeError. */
export async function welcomeV2(relay: Relay, arrival: Arrival): Promise<Welcomed> {
  const { link, source, first } = arrival;
  const { answer, keys } = await relay.handshakes.receive(first);
  await link.write(encodeFrame(answer));
  const cipher = new SessionCipher(keys, { role: "server", now: () => performance.now() });
  const sealed = { link, cipher, batches: new BatchReader(HELLO_MAX_BYTES) };
  try {
    const hello = await readHello(source, sealed);
    if (!relay.isAuthorized(hello.token)) throw new Refusal("unauthorized");
    const back = comeBack(relay, sealed, hello);
    const member = back ?? comeIn(relay, sealed, hello);
    sealed.batches.maxBytes = BODY_MAX_BYTES;
    return { ...welcomed(relay, member, sealed), resumed: back !== undefined };
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

function sealedRefusal(error: unknown, cipher: SessionCipher): unknown {
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

function comeIn(relay: Relay, sealed: Sealed, hello: RequestOf<"hello">): Member {
  const { name, room } = checkEntry(relay, hello);
  const member = new Member(relay, {
    ...{ id: relay.takeId(), name: room.freeName(name), room, old: false },
    address: sealed.link.address,
    ticket: {
      id: crypto.getRandomValues(new Uint8Array(SESSION_ID_BYTES)),
      secret: crypto.getRandomValues(new Uint8Array(SESSION_SECRET_BYTES)),
    },
  });
  relay.enter(member);
  relay.held.know(member);
  member.takeLink(openPortV2(sealed.link, sealed.cipher, relay.portEvents(member)));
  member.tell(welcomeFor(member, { at: room.at, resumed: false, complete: true }));
  member.enter(room);
  tellTakenName(member, name);
  return member;
}

function comeBack(relay: Relay, sealed: Sealed, hello: RequestOf<"hello">): Member | undefined {
  const { session, secret, at } = hello;
  if (session === null || secret === null) return undefined;
  const member = relay.held.find(session, secret);
  if (member === undefined) return undefined;
  relay.held.release(member);
  relay.metrics.counters.sessionsResumed++;
  const missed = member.room.missed(at);
  member.takeLink(openPortV2(sealed.link, sealed.cipher, relay.portEvents(member)));
  const { complete } = missed;
  member.tell(welcomeFor(member, { at: complete ? at : missed.after, resumed: true, complete }));
  for (const broadcast of missed.events) member.deliver(broadcast);
  member.announceBack();
  return member;
}

type Standing = Pick<EventOf<"welcome">, "at" | "resumed" | "complete">;

function welcomeFor(member: Member, standing: Standing): EventOf<"welcome"> {
  const { config } = member.relay;
  const rate = config["rate-limit"];
  const ticket = member.ticket as NonNullable<Member["ticket"]>;
  return {
    ...{ kind: "welcome", client: member.id, name: member.name, room: member.room.name },
    ...{ session: ticket.id, secret: ticket.secret, ...standing },
    ...{ messageLimit: config["max-message"], fileLimit: config["max-file"], hold: config.hold },
    // 0 = no limit.
    ...{ rateMessages: rate?.messages ?? 0, rateSeconds: rate?.seconds ?? 0 },
  };
}

function welcomed(
  relay: Relay,
  member: Member,
  { cipher, batches }: Sealed,
): Omit<Welcomed, "resumed"> {
  const { counters } = relay.metrics;
  const { port } = member;
  return {
    member,
    receive(frame) {
      for (const body of batches.push(cipher.open(frame))) {
        counters.messagesIn++;
        const request = decodeRequest(body);
        if (request.kind === "bye") return true;
        // A link that was replaced has nothing more to say for its member.
        if (member.port === port) handle(member, request);
      }
      return false;
    },
    end(forGood) {
      port?.close();
      cipher.close();
      if (member.port !== port) return;
      if (!forGood && relay.held.hold(member, performance.now())) member.loseLink();
      else relay.exit(member);
    },
  };
}
