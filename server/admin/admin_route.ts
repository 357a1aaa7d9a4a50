// The HTTP route for admin commands. These commands read names and end sessions, so a request must come from this
// machine, carry the token, and not come from a web page.

import { isLoopback } from "../config/admin_address.ts";
import { CmdchatError } from "../../shared/base/errors.ts";
import type { AdminAnswer } from "./admin_actions.ts";
import { type AdminRequest, checkAdminRequest } from "./admin_commands.ts";
import type { TokenGate } from "./token_gate.ts";
import { ADMIN_REQUEST_MAX_BYTES } from "./paths.ts";

/** What the route needs from the server. */
export interface AdminRouteView {
  /** Undefined = no token is set, so this route does not exist. */
  readonly gate: TokenGate | undefined;
  readonly answer: (ask: AdminRequest) => Promise<AdminAnswer>;
}

/** A request and its sender. */
export interface PeerRequest {
  readonly request: Request;
  /** Address of the other end. */
  readonly peer: string;
  /** Resolves when the other end has closed the connection. */
  readonly gone: () => Promise<void>;
}

/** The answer to a command, or why the request is refused. */
export type AdminReply =
  | { readonly status: 200; readonly answer: AdminAnswer }
  | { readonly status: number; readonly why: string };

/** The bearer token of a request; undefined if it carries none. */
export function bearerToken(request: Request): string | undefined {
  return /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
}

/** Whether a Host header is an address. A name could be pointed at this machine by its owner (DNS rebinding). */
export function isPlainAddress(hostname: string): boolean {
  return hostname === "localhost" || /^(?:[\d.]+|\[[0-9a-f:.]+\])$/.test(hostname);
}

/** The body of a request; undefined above `most` bytes. At most that many are read. */
export async function readUpTo(
  request: Request,
  most: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > most) return undefined;
  const bytes = new Uint8Array(most);
  let size = 0;
  for await (const chunk of request.body ?? []) {
    if (size + chunk.length > most) return undefined;
    bytes.set(chunk, size);
    size += chunk.length;
  }
  return bytes.slice(0, size);
}

/** Answers a request to this route; undefined if the route does not exist for this peer. */
export async function adminReply(
  { request, peer }: PeerRequest,
  { gate, answer }: AdminRouteView,
): Promise<AdminReply | undefined> {
  if (gate === undefined || !isLoopback(plainPeer(peer))) return undefined;
  const wrong = unfit(request);
  if (wrong !== undefined) return wrong;
  const token = bearerToken(request);
  if (token === undefined || !await gate.check(token, peer)) {
    return { status: 401, why: "The admin token is required" };
  }
  const body = await readUpTo(request, ADMIN_REQUEST_MAX_BYTES);
  if (body === undefined) {
    return { status: 413, why: `A command has at most ${ADMIN_REQUEST_MAX_BYTES} bytes` };
  }
  const ask = checkAdminRequest(parsed(body));
  if (ask === undefined) return { status: 400, why: "This version does not know that command" };
  try {
    return { status: 200, answer: await answer(ask) };
  } catch (error) {
    if (error instanceof CmdchatError) return { status: 409, why: error.message };
    throw error;
  }
}

// Browsers send these headers, and ask for permission before they send JSON (CORS); nothing here grants it.
function unfit(request: Request): AdminReply | undefined {
  const { headers, method, url } = request;
  if (!isPlainAddress(new URL(url).hostname)) {
    return { status: 421, why: "Use an IP address in the URL" };
  }
  if (method !== "POST") return { status: 405, why: "Use POST" };
  if (headers.has("origin") || headers.has("sec-fetch-site")) {
    return { status: 403, why: "Web pages may not use this" };
  }
  if (headers.get("content-type") !== "application/json") {
    return { status: 415, why: "The content type must be application/json" };
  }
  return undefined;
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    // Not JSON or not UTF-8: not a command either way.
    return undefined;
  }
}

// A listener for IPv6 shows IPv4 peers in their mapped form.
function plainPeer(peer: string): string {
  return peer.replace(/^::ffff:/i, "");
}
