// Routes of the admin pages: an HTTP request in, a response out. server/admin/http_server.ts has the socket.

import { HAND_OVER_REQUEST_BYTES, type HandOverAuth } from "./hand_over_auth.ts";
import { METRICS_TYPE } from "../telemetry/prometheus_page.ts";
import {
  adminReply,
  type AdminRouteView,
  bearerToken,
  isPlainAddress,
  type PeerRequest,
  readUpTo,
} from "./admin_route.ts";
import { ADMIN_PATH, HAND_OVER_PATH } from "./paths.ts";

/** What the pages show. */
export interface AdminView extends AdminRouteView {
  /** Whether the server accepts new clients. */
  readonly ready: () => boolean;
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

/** Answers one request. */
export async function answerRoute(
  { request, peer }: PeerRequest,
  view: AdminView,
): Promise<Response> {
  const { pathname, hostname } = new URL(request.url);
  // A web page whose name its owner points at 127.0.0.1 must not read what is meant for this machine.
  if (view.gate === undefined && !isPlainAddress(hostname)) {
    return plain(421, "Use an IP address in the URL, such as http://127.0.0.1, or set a token");
  }
  if (pathname === HAND_OVER_PATH) return await handOver(request, view);
  if (pathname === ADMIN_PATH) {
    const reply = await adminCommand({ request, peer }, view);
    if (reply !== undefined) return reply;
  }
  const page = Object.hasOwn(PAGES, pathname) ? PAGES[pathname] : undefined;
  if (page === undefined) return plain(404, `Not found. Pages: ${Object.keys(PAGES).join(", ")}`);
  if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "Use GET");
  if (page.guarded && view.gate !== undefined) {
    const refusal = await refuse(request, view);
    if (refusal !== undefined) return refusal;
  }
  return page.answer(view);
}

async function adminCommand(from: PeerRequest, view: AdminView): Promise<Response | undefined> {
  const reply = await adminReply(from, view);
  if (reply === undefined) return undefined;
  if ("why" in reply) return plain(reply.status, reply.why);
  return Response.json(reply.answer, { headers: HEADERS });
}

// Hands over all sessions and the server's identity: GET returns a challenge, POST with the answer returns the state.
async function handOver(request: Request, { handOver: desk }: AdminView): Promise<Response> {
  if (desk === undefined) return plain(409, "This server has nothing to hand over");
  if (request.method === "GET") return binary(desk.challenge());
  if (request.method !== "POST") return plain(405, "Use POST");
  const ask = await readUpTo(request, HAND_OVER_REQUEST_BYTES);
  const given = ask === undefined ? "unauthorized" : await desk.give(ask);
  if (given === "unauthorized") return plain(401, "The admin token is required");
  if (given === "busy") return plain(429, "Too many at once");
  return given === "nothing" ? plain(409, "This server has nothing to hand over") : binary(given);
}

function binary(body: Uint8Array<ArrayBuffer>): Response {
  return new Response(body, {
    headers: { ...HEADERS, "content-type": "application/octet-stream" },
  });
}

async function refuse(request: Request, { gate }: AdminView): Promise<Response | undefined> {
  const token = bearerToken(request);
  const checked = token === undefined ? "wrong" : await gate?.check(token) ?? "wrong";
  if (checked === "right") return undefined;
  if (checked === "busy") return plain(429, "Too many at once");
  return plain(401, "The admin token is required", { "www-authenticate": "Bearer" });
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8", ...headers },
  });
}
