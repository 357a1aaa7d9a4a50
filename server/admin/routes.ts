// Routes of the admin pages: an HTTP request in, a response out. server/admin/http_server.ts has the socket.

import {
  HAND_OVER_REQUEST_BYTES,
  type HandOverAuth,
  type HandOverNotice,
  type HandOverRefusal,
} from "./hand_over_auth.ts";
import { METRICS_TYPE } from "../telemetry/prometheus_page.ts";
import {
  adminReply,
  type AdminRouteView,
  bearerToken,
  isPlainAddress,
  type PeerRequest,
  readUpTo,
} from "./admin_route.ts";
import type { TokenGate } from "./token_gate.ts";
import {
  ADMIN_PATH,
  HAND_OVER_FINISH_PATH,
  HAND_OVER_FORMAT_FIELD,
  HAND_OVER_HOLD_PATH,
  HAND_OVER_PATH,
  HAND_OVER_PORT_FIELD,
} from "./paths.ts";

/** What the pages show. */
export interface AdminView extends AdminRouteView {
  /** Whether the server accepts new clients. */
  readonly ready: () => boolean;
  /** Opens /metrics; undefined = it is open to all. */
  readonly metricsGate: TokenGate | undefined;
  /** The text of /metrics. */
  readonly metrics: () => string;
  /** Hands the server's state to the next process; undefined if this server cannot hand over. */
  readonly handOver: HandOverAuth | undefined;
}

interface Page {
  /** Whether the page needs the token. Health and readiness reveal no more than connecting does. */
  readonly guarded: boolean;
  readonly answer: (view: AdminView) => Response;
}

const PAGES: Readonly<Record<string, Page>> = {
  "/health": { guarded: false, answer: () => plain(200, "ok") },
  "/ready": {
    guarded: false,
    answer: ({ ready }) =>
      ready() ? plain(200, "ready") : plain(503, "not ready: the server accepts no new clients"),
  },
  "/metrics": {
    guarded: true,
    answer: ({ metrics }) =>
      new Response(metrics(), { headers: { ...HEADERS, "content-type": METRICS_TYPE } }),
  },
};

const HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;

const ASK_FOR_TOKEN = { "www-authenticate": "Bearer" } as const;

/** Answers one request. */
export async function answerRoute(
  from: PeerRequest,
  view: AdminView,
): Promise<Response> {
  const { request } = from;
  const { pathname, hostname } = new URL(request.url);
  // A web page whose name its owner points at 127.0.0.1 must not read what is meant for this machine.
  if (view.metricsGate === undefined && !isPlainAddress(hostname)) {
    return plain(421, "Use an IP address in the URL, such as http://127.0.0.1, or set a token");
  }
  if (pathname === HAND_OVER_PATH) return await giveState(from, view);
  if (pathname === HAND_OVER_HOLD_PATH) return await settleHandOver(from, view, "hold");
  if (pathname === HAND_OVER_FINISH_PATH) return await settleHandOver(from, view, "finish");
  if (pathname === ADMIN_PATH) {
    const reply = await adminCommand(from, view);
    if (reply !== undefined) return reply;
  }
  const page = Object.hasOwn(PAGES, pathname) ? PAGES[pathname] : undefined;
  if (page === undefined) return plain(404, `Not found. Pages: ${Object.keys(PAGES).join(", ")}`);
  if (request.method !== "GET" && request.method !== "HEAD") return useMethod("GET, HEAD");
  if (page.guarded && view.metricsGate !== undefined) {
    const refusal = await refuse(from, view);
    if (refusal !== undefined) return refusal;
  }
  return page.answer(view);
}

async function adminCommand(from: PeerRequest, view: AdminView): Promise<Response | undefined> {
  const reply = await adminReply(from, view);
  if (reply === undefined) return undefined;
  if ("why" in reply) {
    if (reply.status === 405) return useMethod("POST");
    return plain(reply.status, reply.why, reply.status === 401 ? ASK_FOR_TOKEN : {});
  }
  return Response.json(reply.answer, { headers: HEADERS });
}

// Hands over all sessions and the server's identity: GET returns a challenge, POST with the answer returns the state.
async function giveState(
  { request, peer }: PeerRequest,
  { handOver }: AdminView,
): Promise<Response> {
  if (handOver === undefined) return refusalOf("nothing");
  if (request.method === "GET") return binary(handOver.challenge(), noticeFields(handOver.notice));
  if (request.method !== "POST") return useMethod("GET, POST");
  const body = await readUpTo(request, HAND_OVER_REQUEST_BYTES);
  const given = body === undefined ? "unauthorized" : await handOver.give(body, peer);
  return given instanceof Uint8Array ? binary(given) : refusalOf(given);
}

// What a receiver tells of itself: that it is there, for as long as it is, or that it serves.
async function settleHandOver(
  { request, peer, gone }: PeerRequest,
  { handOver }: AdminView,
  what: "hold" | "finish",
): Promise<Response> {
  if (handOver === undefined) return refusalOf("nothing");
  if (request.method !== "POST") return useMethod("POST");
  const body = await readUpTo(request, HAND_OVER_REQUEST_BYTES);
  if (body === undefined) return refusalOf("unauthorized");
  const refusal = what === "hold"
    ? await handOver.hold(body, { peer, gone })
    : await handOver.finish(body, peer);
  return refusal === undefined ? plain(200, "finished") : refusalOf(refusal);
}

function noticeFields({ format, port }: HandOverNotice): Record<string, string> {
  return {
    [HAND_OVER_FORMAT_FIELD]: format,
    ...(port === undefined ? {} : { [HAND_OVER_PORT_FIELD]: String(port) }),
  };
}

function refusalOf(refusal: HandOverRefusal): Response {
  switch (refusal) {
    case "unauthorized":
      return plain(401, "The admin token is required");
    case "stale":
      return plain(410, "The challenge is too old");
    case "nothing":
      return plain(409, "This server has nothing to hand over");
  }
}

function binary(body: Uint8Array<ArrayBuffer>, fields: Record<string, string> = {}): Response {
  return new Response(body, {
    headers: { ...HEADERS, ...fields, "content-type": "application/octet-stream" },
  });
}

async function refuse(
  { request, peer }: PeerRequest,
  { metricsGate }: AdminView,
): Promise<Response | undefined> {
  const token = bearerToken(request);
  if (token !== undefined && await metricsGate?.check(token, peer)) return undefined;
  return plain(401, "The token of these pages is required", ASK_FOR_TOKEN);
}

/** RFC 9110 §15.5.6: a refusal of a method names those that there are. */
function useMethod(allowed: string): Response {
  return plain(405, `Use ${allowed.replaceAll(", ", " or ")}`, { allow: allowed });
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8", ...headers },
  });
}
