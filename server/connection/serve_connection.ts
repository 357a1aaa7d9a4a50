// One connection from its first byte to its last: handshake, then the read loop.

import { CmdchatError, ProtocolError } from "../../shared/base/errors.ts";
import { decodeJson, encodeJson } from "../../shared/channel/envelope_v1.ts";
import { encodeFrame } from "../../shared/channel/frame.ts";
import { refusalReasonFor } from "../../shared/channel/handshake_error.ts";
import { encodeRefusal, offersV2 } from "../../shared/channel/handshake_messages.ts";
import { HANDSHAKE_DEADLINE_MS } from "../config/limits.ts";
import type { ConnectionSlot } from "../limits/connection_slots.ts";
import { type Connection, ConnectionLost } from "../net/connection.ts";
import type { Ending } from "../net/listener.ts";
import { type Relay, TOKEN_REVOKED } from "../relay/relay.ts";
import type { HandshakeResult } from "../telemetry/metrics.ts";
import type { Door } from "../web/door.ts";
import { type PageAnswer, sendPage } from "../web/page_answer.ts";
import { WebRefusal } from "../web/web_refusal.ts";
import { requireRunningForV2 } from "./admission.ts";
import { foreignProtocolAnswer, isUnnamedProxy } from "./foreign_protocol.ts";
import { Deadline } from "./deadline.ts";
import { FrameSource } from "./frame_source.ts";
import type { Login } from "./login.ts";
import { loginV1 } from "./login_v1.ts";
import { loginV2 } from "./login_v2.ts";
import { Refusal } from "./refusal.ts";
import { logFault, readSession } from "./session_reader.ts";

/** A connection without a session; its carrier takes its place once that is known. */
interface Opened {
  connection: Connection;
  source: FrameSource;
  readonly slot: ConnectionSlot;
  /** Undefined = every connection carries raw frames. */
  readonly door: Door | undefined;
  /** Of a browser that asked for the page. */
  page: PageAnswer | undefined;
}

const UNCOUNTED: ConnectionSlot = { forHeld: false, settle() {}, release() {} };
const encoder = new TextEncoder();

/** How a connection is served. */
export interface Serving {
  /** Left out, it counts for no cap. */
  readonly slot?: ConnectionSlot;
  /** Left out, every connection carries raw frames. */
  readonly door?: Door;
  readonly ending: Ending;
}

/** Serves one connection until it tells `ending`. What a peer does is no fault. */
export function serveConnection(
  relay: Relay,
  accepted: Connection,
  { slot = UNCOUNTED, door, ending }: Serving,
): void {
  const opened: Opened = {
    connection: accepted,
    source: new FrameSource(accepted, relay.counters),
    slot,
    door,
    page: undefined,
  };
  open(relay, opened, ending).catch((error) => ending.fail(error));
}

async function open(relay: Relay, opened: Opened, ending: Ending): Promise<void> {
  const login = await loginInTime(relay, opened);
  if (login === undefined) {
    if (opened.page !== undefined) await sendPage(opened.connection, opened.page);
    return ending.end();
  }
  const { connection, source } = opened;
  const { session, resumed } = login;
  const { id: client, isV1 } = session;
  const { address } = connection;
  // It may have been banned during its handshake.
  if (relay.access.bans.covers(address, Date.now())) relay.expel(session, "You are banned here.");
  // And its token may have been revoked.
  if (relay.access.isRevoked(session)) relay.expel(session, TOKEN_REVOKED);
  relay.metrics.handshake(resumed ? "resumed" : isV1 ? "v1" : "v2");
  relay.log.info("client joined", { client, address, old: isV1 });
  readSession({ relay, connection, source, login, ending });
}

async function loginInTime(relay: Relay, opened: Opened): Promise<Login | undefined> {
  const { connection } = opened;
  const deadline = new Deadline(connection, connection.since + HANDSHAKE_DEADLINE_MS);
  try {
    const login = await logIn(relay, opened);
    if (login === undefined) {
      relay.metrics.handshake(
        deadline.isOver ? "timeout" : opened.page === undefined ? "gone" : "page",
      );
    }
    return login;
  } catch (error) {
    relay.metrics.handshake(deadline.isOver ? "timeout" : failure(error, opened.source, relay.tls));
    await refuse(relay, { ...opened, error });
    return undefined;
  } finally {
    deadline.cancel();
  }
}

function failure(error: unknown, source: FrameSource, tls: boolean): HandshakeResult {
  if (error instanceof WebRefusal) return "refused";
  if (error instanceof Refusal) return error.reason === "unauthorized" ? "unauthorized" : "refused";
  if (foreignProtocolAnswer(source.header, tls) !== undefined) return "foreign";
  if (error instanceof CmdchatError) return "refused";
  return error instanceof ConnectionLost ? "gone" : "fault";
}

async function logIn(relay: Relay, opened: Opened): Promise<Login | undefined> {
  const { connection: accepted, slot, door } = opened;
  const entered = await door?.enter(accepted, slot);
  if (door !== undefined && entered === undefined) return undefined;
  if (entered?.kind === "page") {
    opened.page = entered.answer;
    return undefined;
  }
  if (entered !== undefined && entered.connection !== accepted) {
    opened.connection = entered.connection;
    opened.source = new FrameSource(entered.connection, relay.counters);
  }
  const { connection, source } = opened;
  const first = await source.one(entered?.first);
  if (first === undefined) return undefined;
  const message = decodeJson(first);
  requireRunningForV2(relay);
  if (offersV2(message)) return await loginV2(relay, { connection, source, slot, first });
  if (slot.forHeld) throw new Refusal("server_full");
  if (entered?.isWebSocket) throw new ProtocolError("Cannot speak v1 over WebSocket");
  return await loginV1(relay, connection, message);
}

interface Failed {
  readonly connection: Connection;
  readonly source: FrameSource;
  readonly slot: ConnectionSlot;
  readonly error: unknown;
}

async function refuse(relay: Relay, { connection, source, slot, error }: Failed): Promise<void> {
  const answer = answerTo(relay, source, error);
  if (answer === undefined) return logFault(relay, error);
  const told = error instanceof WebRefusal ? error.address : undefined;
  const why = isFull(error) && slot.why !== undefined ? `${answer.why}: ${slot.why}` : answer.why;
  relay.noteRefusal(told ?? connection.address, why);
  try {
    await connection.write(answer.bytes);
  } catch {
    // The peer is gone already: the answer was a courtesy.
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Refusal && error.reason === "server_full";
}

interface Answer {
  readonly why: string;
  readonly bytes: Uint8Array;
}

const UNNAMED_PROXY =
  "a proxy's header comes first, and --trusted-proxy does not name this address";

function answerTo(relay: Relay, source: FrameSource, error: unknown): Answer | undefined {
  if (error instanceof WebRefusal) return { why: error.message, bytes: error.bytes };
  if (error instanceof Refusal) {
    const { reason } = error;
    const bytes = error.bytes ?? encodeFrame(encodeJson({ type: "handshake_error", reason }));
    return { why: reason, bytes };
  }
  const foreign = foreignProtocolAnswer(source.header, relay.tls);
  if (foreign !== undefined) {
    return { why: "another protocol than cmdchat's", bytes: encoder.encode(foreign) };
  }
  if (!(error instanceof CmdchatError)) return undefined;
  // A v1 client reads the reason, a v2 client the versions as well.
  const why = isUnnamedProxy(source.header) ? UNNAMED_PROXY : error.message;
  return { why, bytes: encodeFrame(encodeRefusal(refusalReasonFor(error))) };
}
