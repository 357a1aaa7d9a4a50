// One connection from its first byte to its last: handshake, then the read loop.

import { setImmediate } from "node:timers";
import { CmdchatError, CryptoError } from "../../shared/base/errors.ts";
import { encodeFrame } from "../../shared/channel/frame.ts";
import { encodeRefusal, offersV2 } from "../../shared/channel/handshake_messages.ts";
import { refusalReasonFor } from "../../shared/channel/handshake_error.ts";
import { HANDSHAKE_DEADLINE_MS } from "../config/limits.ts";
import { decodeJson, encodeJson } from "../../shared/channel/envelope_v1.ts";
import { foreignProtocolAnswer } from "./foreign_protocol.ts";
import { FrameSource } from "./frame_source.ts";
import { type Connection, ConnectionLost } from "../net/connection.ts";
import { faultText } from "../telemetry/log.ts";
import type { HandshakeResult } from "../telemetry/metrics.ts";
import type { ConnectionSlot } from "../limits/connection_slots.ts";
import { Refusal } from "./refusal.ts";
import type { Relay } from "../relay/relay.ts";
import type { Session } from "../session/session.ts";
import { loginV1 } from "./login_v1.ts";
import { loginV2 } from "./login_v2.ts";
import type { Login } from "./login.ts";

/** A connection of which nothing was read yet. */
interface Opened {
  readonly link: Connection;
  readonly source: FrameSource;
  readonly place: ConnectionSlot;
}

const ANY_PLACE: ConnectionSlot = { forHeld: false, settle() {}, release() {} };
const encoder = new TextEncoder();

/** Serves one connection to its end. Never throws for what a peer does. */
export async function serveConnection(
  relay: Relay,
  link: Connection,
  place: ConnectionSlot = ANY_PLACE,
): Promise<void> {
  const source = new FrameSource(link, relay.metrics.counters);
  const welcomed = await welcomeInTime(relay, { link, source, place });
  if (welcomed === undefined) return;
  const { session } = welcomed;
  // It may have been banned while it was in the middle of its handshake.
  if (relay.bans.covers(link.address, Date.now())) relay.expel(session, "You are banned here.");
  relay.metrics.handshake(welcomed.resumed ? "resumed" : session.old ? "v1" : "v2");
  relay.log.info("client joined", { client: session.id, address: link.address, old: session.old });
  let forGood = false;
  try {
    // The one function that waits here for as long as a session lasts: each further one would cost it 500 bytes.
    for (let chunk = await link.read(); chunk !== null; chunk = await link.read()) {
      session.heardAt = performance.now();
      forGood = await receiveAll(source.push(chunk), welcomed);
      if (forGood) break;
    }
  } catch (error) {
    // A record that does not open is as much the network's fault as a cut link: its client may come back.
    forGood = error instanceof CmdchatError && !(error instanceof CryptoError);
    await dismiss(relay, session, error);
  } finally {
    welcomed.end(forGood);
    relay.log.info("client left", { client: session.id });
  }
}

async function receiveAll(frames: Iterable<Uint8Array>, welcomed: Login): Promise<boolean> {
  for (const frame of frames) {
    if (welcomed.receive(frame)) return true;
    const pause = welcomed.session.pace?.wait(performance.now()) ?? 0;
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  await nextTurn();
  return false;
}

// A read that finds bytes waiting is done at once: a client that never stops sending would keep the loop from
// ever reaching the others.
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function dismiss(relay: Relay, session: Session, error: unknown): Promise<void> {
  if (!(error instanceof CmdchatError)) {
    // A broken link is the network's affair; anything else is a fault of ours and must be seen.
    if (!(error instanceof ConnectionLost)) {
      relay.log.error("unexpected fault", { stack: faultText(error) });
    }
    return;
  }
  relay.metrics.counters.protocolErrors++;
  relay.log.warning("client broke the protocol, closed", {
    client: session.id,
    why: error.message,
  });
  await session.dismiss({ why: error.message, retry: false });
}

async function welcomeInTime(relay: Relay, opened: Opened): Promise<Login | undefined> {
  const { link, source } = opened;
  const used = performance.now() - link.since;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    link.close();
  }, HANDSHAKE_DEADLINE_MS - used);
  try {
    const welcomed = await welcome(relay, opened);
    if (welcomed === undefined) relay.metrics.handshake(late ? "timeout" : "gone");
    return welcomed;
  } catch (error) {
    relay.metrics.handshake(late ? "timeout" : failure(error, source, relay.tls));
    await refuse(relay, { link, source, error });
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function failure(error: unknown, source: FrameSource, tls: boolean): HandshakeResult {
  if (error instanceof Refusal) return error.reason === "unauthorized" ? "unauthorized" : "refused";
  if (foreignProtocolAnswer(source.header, tls) !== undefined) return "foreign";
  if (error instanceof CmdchatError) return "refused";
  return error instanceof ConnectionLost ? "gone" : "fault";
}

async function welcome(
  relay: Relay,
  { link, source, place }: Opened,
): Promise<Login | undefined> {
  const first = await source.one();
  if (first === undefined) return undefined;
  const message = decodeJson(first);
  if (relay.stopping) {
    // With its versions: without them a v2 client must take this for an old server, or one in between.
    throw new Refusal("server_stopping", encodeFrame(encodeRefusal("server_stopping")));
  }
  if (offersV2(message)) return await loginV2(relay, { link, source, place, first });
  if (place.forHeld) throw new Refusal("server_full");
  return await loginV1(relay, link, message);
}

interface Failed {
  readonly link: Connection;
  readonly source: FrameSource;
  readonly error: unknown;
}

async function refuse(relay: Relay, { link, source, error }: Failed): Promise<void> {
  const answer = answerTo(relay, source, error);
  if (answer === undefined) {
    if (!(error instanceof ConnectionLost)) {
      relay.log.error("unexpected fault", { stack: faultText(error) });
    }
    return;
  }
  relay.log.info("handshake refused", { address: link.address, why: answer.why });
  try {
    await link.write(answer.bytes);
  } catch {
    // Gone already: the answer was a courtesy.
  }
}

function answerTo(
  relay: Relay,
  source: FrameSource,
  error: unknown,
): { readonly why: string; readonly bytes: Uint8Array } | undefined {
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
  return { why: error.message, bytes: encodeFrame(encodeRefusal(refusalReasonFor(error))) };
}
