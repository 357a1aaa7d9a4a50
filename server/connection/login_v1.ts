// The login of a v1 client: a handshake in JSON, a key under its RSA key, then envelopes.

import { encodeBase64 } from "../../shared/base/base64.ts";
import { CmdchatError } from "../../shared/base/errors.ts";
import { HEARTBEAT_INTERVAL_S } from "../../shared/base/limits.ts";
import {
  encodeJson,
  EnvelopeV1,
  V1_KEY_BYTES,
  V1_NONCE_BYTES,
} from "../../shared/channel/envelope_v1.ts";
import { encodeFrame } from "../../shared/channel/frame.ts";
import { wrapKey } from "../../shared/crypto/rsa.ts";
import {
  checkClientMessage,
  HANDSHAKE,
  type Handshake,
} from "../../shared/messages/messages_v1.ts";
import { openWriterV1 } from "../delivery/event_writer.ts";
import { fromV1 } from "../delivery/v1_translation.ts";
import { dispatchRequest } from "../handlers/dispatch.ts";
import type { InvitedBy } from "../limits/invites.ts";
import type { Connection } from "../net/connection.ts";
import type { Relay } from "../relay/relay.ts";
import type { Membership } from "../session/membership.ts";
import { excludeFrom } from "../session/room_access.ts";
import { Session } from "../session/session.ts";
import {
  allReady,
  byToken,
  checkName,
  checkRoom,
  checkToken,
  exclusionRefusal,
  inTurn,
  newcomerOf,
  requireRunning,
} from "./admission.ts";
import type { Login } from "./login.ts";
import { Refusal } from "./refusal.ts";

/** Answers a first message without `v2`. Throws Refusal. */
export async function loginV1(
  relay: Relay,
  connection: Connection,
  message: unknown,
): Promise<Login> {
  const { address } = connection;
  const handshake = parseHandshake(message);
  checkToken(relay, handshake.token, { address, returning: undefined });
  const key = crypto.getRandomValues(new Uint8Array(V1_KEY_BYTES));
  const wrapped = await inTurn(
    relay,
    connection,
    () => Promise.resolve(wrapFor(handshake.public_key, key)),
  );
  const name = checkName(handshake.name ?? "anonymous");
  const [session, membership] = await byToken(
    relay,
    handshake.token,
    (invite) => come(relay, { handshake, name, address, invite }),
  );
  try {
    const answer = answerTo(relay, { handshake, membership, wrapped });
    await connection.write(encodeFrame(encodeJson(answer)));
  } catch (error) {
    relay.expire(session);
    throw error;
  }
  const wire = new EnvelopeV1(key);
  const { id: client } = session;
  session.takeConnection(
    openWriterV1({ connection, client, events: relay.writerEvents }, wire),
  );
  membership.announce(0);
  membership.tellTakenName(name);
  return openLogin(relay, session, wire);
}

interface Coming {
  readonly handshake: Handshake;
  readonly name: string;
  readonly address: string;
  readonly invite: InvitedBy | undefined;
}

/** Makes a session, which is in its room. Throws Refusal. */
async function come(
  relay: Relay,
  { handshake, name, address, invite }: Coming,
): Promise<readonly [Session, Membership]> {
  const room = checkRoom(relay, { wanted: handshake.room ?? "lobby", address });
  await allReady(relay, [room]);
  requireRunning(relay);
  const newcomer = newcomerOf(relay, { address, token: handshake.token });
  const excluded = excludeFrom(room, newcomer, Date.now());
  if (excluded !== undefined) {
    relay.rooms.tidy(room);
    throw exclusionRefusal(excluded);
  }
  const session = new Session(relay, { name, isV1: true, ticket: undefined, address });
  relay.access.noteToken(session, handshake.token);
  relay.access.noteInvite(session, invite);
  // The name is taken from here on; the room's events reach the client only behind the answer.
  const membership = session.enter(room);
  relay.enter(session);
  return [session, membership];
}

function openLogin(relay: Relay, session: Session, wire: EnvelopeV1): Login {
  const { counters } = relay;
  return {
    session,
    resumed: false,
    // deno-lint-ignore require-yield -- a frame is one message.
    *receive(frame) {
      counters.messagesIn++;
      session.received++;
      session.requestBudget.begin(frame.length);
      const message = checkClientMessage(wire.open(frame));
      const room = session.memberships[0]?.room.id ?? 0;
      const request = fromV1(message, { id: session.requests.last + 1, room });
      if (request === undefined) {
        counters.notesDropped++;
        session.requestBudget.spend();
      } else dispatchRequest(session, request);
      return false;
    },
    end() {
      session.writer?.close();
      relay.expire(session);
      wire.destroy();
    },
  };
}

function parseHandshake(message: unknown): Handshake {
  const parsed = HANDSHAKE.safeParse(message);
  if (parsed.success) return parsed.data;
  const isHandshake = typeof message === "object" && message !== null && "type" in message &&
    message.type === "handshake";
  const hasKey = isHandshake && "public_key" in message && typeof message.public_key === "string";
  throw new Refusal(isHandshake && !hasKey ? "missing_public_key" : "expected_handshake");
}

function wrapFor(pem: string, key: Uint8Array): Uint8Array {
  try {
    return wrapKey(pem, key);
  } catch (error) {
    if (error instanceof CmdchatError) throw new Refusal("invalid_public_key");
    throw error;
  }
}

interface Accepted {
  readonly handshake: Handshake;
  readonly membership: Membership;
  readonly wrapped: Uint8Array;
}

function answerTo({ config }: Relay, { handshake, membership, wrapped }: Accepted): unknown {
  return {
    type: "handshake_ok",
    client_id: membership.id,
    room: membership.room.title,
    renderer: handshake.renderer ?? "rich",
    buffer_size: handshake.buffer_size ?? 200,
    heartbeat_interval: HEARTBEAT_INTERVAL_S,
    nonce_size: V1_NONCE_BYTES,
    encrypted_key: encodeBase64(wrapped),
    name: membership.name,
    limits: {
      message: config["max-message"],
      file: config["max-file"],
      rate: config["rate-limit"] ?? null,
    },
  };
}
