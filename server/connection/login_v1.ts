// A v1 client comes in: handshake in JSON, a key under its RSA key, then envelopes.

import { encodeBase64 } from "../../shared/base/base64.ts";
import { publicKeyFromPem, wrapKey } from "../../shared/crypto/rsa.ts";
import { CmdchatError } from "../../shared/base/errors.ts";
import { encodeFrame } from "../../shared/channel/frame.ts";
import { HEARTBEAT_INTERVAL_S } from "../../shared/base/limits.ts";
import {
  checkClientMessage,
  HANDSHAKE,
  type Handshake,
} from "../../shared/messages/messages_v1.ts";
import {
  encodeJson,
  EnvelopeV1,
  V1_KEY_BYTES,
  V1_NONCE_BYTES,
} from "../../shared/channel/envelope_v1.ts";
import { checkName, checkRoom } from "./admission.ts";
import type { Login } from "./login.ts";
import { dispatchRequest } from "../handlers/dispatch.ts";
import type { Connection } from "../net/connection.ts";
import { type Membership, tellTakenName } from "../session/membership.ts";
import { exclusion } from "../session/room_access.ts";
import { openWriterV1 } from "../delivery/event_writer.ts";
import { Refusal } from "./refusal.ts";
import type { Relay } from "../relay/relay.ts";
import { Session } from "../session/session.ts";
import { fromV1 } from "../delivery/v1_translation.ts";

/** Answers a first message without `v2`. Throws Refusal. */
export async function loginV1(relay: Relay, link: Connection, message: unknown): Promise<Login> {
  const handshake = parseHandshake(message);
  if (!relay.isAuthorized(handshake.token)) throw new Refusal("unauthorized");
  const key = crypto.getRandomValues(new Uint8Array(V1_KEY_BYTES));
  const wrapped = await wrapFor(handshake.public_key, key);
  const name = checkName(handshake.name ?? "anonymous");
  const room = checkRoom(relay, { wanted: handshake.room ?? "lobby", address: link.address });
  if (room.ready !== undefined) await room.ready;
  if (exclusion(room, { id: 0, address: link.address, relay }, Date.now()) !== undefined) {
    relay.tidy(room);
    throw new Refusal("excluded");
  }
  const session = new Session(relay, { name, old: true, ticket: undefined, address: link.address });
  // The name is taken from here on; the room's events reach the client only behind the answer.
  const membership = session.enter(room);
  relay.enter(session);
  try {
    await link.write(encodeFrame(encodeJson(answerTo(handshake, membership, wrapped))));
  } catch (error) {
    relay.exit(session);
    throw error;
  }
  const wire = new EnvelopeV1(key);
  const { id: client } = session;
  session.takeLink(openWriterV1({ link, client, events: relay.portEvents }, wire));
  membership.announce(0);
  tellTakenName(membership, name);
  return welcomed(relay, session, wire);
}

function welcomed(relay: Relay, session: Session, wire: EnvelopeV1): Login {
  const { counters } = relay.metrics;
  return {
    session,
    resumed: false,
    receive(frame) {
      counters.messagesIn++;
      const message = checkClientMessage(wire.open(frame));
      const room = session.memberships[0]?.room.id ?? 0;
      const request = fromV1(message, { id: session.lastRequest + 1, room });
      if (request === undefined) {
        counters.notesDropped++;
        session.pace?.spend();
      } else dispatchRequest(session, request);
      return false;
    },
    end() {
      session.port?.close();
      relay.exit(session);
      wire.destroy();
    },
  };
}

function parseHandshake(message: unknown): Handshake {
  const parsed = HANDSHAKE.safeParse(message);
  if (parsed.success) return parsed.data;
  const isHandshake = typeof message === "object" && message !== null && "type" in message &&
    message.type === "handshake";
  const keyIsThere = isHandshake && "public_key" in message &&
    typeof message.public_key === "string";
  throw new Refusal(isHandshake && !keyIsThere ? "missing_public_key" : "expected_handshake");
}

async function wrapFor(pem: string, key: Uint8Array): Promise<Uint8Array> {
  try {
    return await wrapKey(await publicKeyFromPem(pem), key);
  } catch (error) {
    if (error instanceof CmdchatError) throw new Refusal("invalid_public_key");
    throw error;
  }
}

function answerTo(handshake: Handshake, member: Membership, wrapped: Uint8Array): unknown {
  const { config } = member.session.relay;
  return {
    type: "handshake_ok",
    client_id: member.id,
    room: member.room.title,
    renderer: handshake.renderer ?? "rich",
    buffer_size: handshake.buffer_size ?? 200,
    heartbeat_interval: HEARTBEAT_INTERVAL_S,
    nonce_size: V1_NONCE_BYTES,
    encrypted_key: encodeBase64(wrapped),
    name: member.name,
    limits: {
      message: config["max-message"],
      file: config["max-file"],
      rate: config["rate-limit"] ?? null,
    },
  };
}
