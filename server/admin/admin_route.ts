// The page over which the operator acts on a running server. Whoever gets in here reads names and ends sessions, so
// everything about a request must fit: from this machine, with the token, and not by a web page.

import { isLoopback } from "../config/admin_address.ts";
import { CmdchatError } from "../../shared/base/errors.ts";
import type { AdminAnswer } from "./admin_actions.ts";
import { type AdminRequest, checkAdminRequest } from "./admin_commands.ts";
import type { TokenGate } from "./token_gate.ts";
import { ADMIN_REQUEST_MAX_BYTES } from "./paths.ts";

/** What the page needs. */
export interface AdminRouteView {
  /** Undefined = there is no token, and with it no such page. */
  readonly gate: TokenGate | undefined;
  readonly answer: (ask: AdminRequest) => Promise<AdminAnswer>;
}

/** A request, and who sent it. */
export interface PeerRequest {
  readonly request: Request;
  /** Address of the other end. */
  readonly peer: string;
}

/** What is wrong with a request, or what came of it. */
export type AdminReply =
  | { readonly status: 200; readonly answer: AdminAnswer }
  | { readonly status: number; readonly why: string };

/** The token that a request carries; undefined where it has none. */
export function bearerToken(request: Request): string | undefined {
  return /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
}

/** Whether a Host header is an address and not a name, which its owner may point at this machine (DNS rebinding). */
export function isPlainAddress(hostname: string): boolean {
  return hostname === "localhost" || /^(?:[\d.]+|\[[0-9a-f:.]+\])$/.test(hostname);
}

/** The body of a request; undefined where it is longer than `most` bytes, of which no more are read. */
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

/** Answers a request for the page; undefined where there is no such page for it. */
export async function adminReply(
  { request, peer }: PeerRequest,
  { gate, answer }: AdminRouteView,
): Promise<AdminReply | undefined> {
  if (gate === undefined || !isLoopback(plainPeer(peer))) return undefined;
  const wrong = unfit(request);
  if (wrong !== undefined) return wrong;
  const token = bearerToken(request);
  const checked = token === undefined ? "wrong" : await gate.check(token);
  if (checked === "busy") return { status: 429, why: "Too many at once" };
  if (checked === "wrong") return { status: 401, why: "A token is needed" };
  const body = await readUpTo(request, ADMIN_REQUEST_MAX_BYTES);
  if (body === undefined) {
    return { status: 413, why: `At most ${ADMIN_REQUEST_MAX_BYTES} bytes are read` };
  }
  const ask = checkAdminRequest(parsed(body));
  if (ask === undefined) return { status: 400, why: "That is no question of this version" };
  try {
    return { status: 200, answer: await answer(ask) };
  } catch (error) {
    if (error instanceof CmdchatError) return { status: 409, why: error.message };
    throw error;
  }
}

// A browser says where a page came from, and asks before it sends JSON; nothing here allows it.
function unfit(request: Request): AdminReply | undefined {
  const { headers, method, url } = request;
  if (!isPlainAddress(new URL(url).hostname)) return { status: 421, why: "Ask by address" };
  if (method !== "POST") return { status: 405, why: "POST it" };
  if (headers.has("origin") || headers.has("sec-fetch-site")) {
    return { status: 403, why: "Not for web pages" };
  }
  if (headers.get("content-type") !== "application/json") {
    return { status: 415, why: "application/json is wanted" };
  }
  return undefined;
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    // Not JSON, or not UTF-8: no question either way.
    return undefined;
  }
}

// A listener for IPv6 shows IPv4 peers in their mapped form.
function plainPeer(peer: string): string {
  return peer.replace(/^::ffff:/i, "");
}
