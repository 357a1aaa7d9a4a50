// The operator's pages over HTTP: a request in, a response out. server/admin/http_server.ts has the socket.

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
  /** Whether new clients are taken. */
  readonly ready: () => boolean;
  /** The text of /metrics. */
  readonly metrics: () => string;
  /** Where the next process gets everything; undefined where there is nothing to be had. */
  readonly handOver: HandOverAuth | undefined;
}

interface Page {
  /** Health and readiness tell nothing that connecting would not; what counts people asks for the token. */
  readonly guarded: boolean;
  readonly answer: (view: AdminView) => Response;
}

const PAGES: Readonly<Record<string, Page>> = {
  "/health": { guarded: false, answer: () => plain(200, "ok") },
  "/ready": {
    guarded: false,
    answer: ({ ready }) => ready() ? plain(200, "ready") : plain(503, "takes no new clients"),
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
    return plain(421, "Ask by address, such as http://127.0.0.1, or set a token");
  }
  if (pathname === HAND_OVER_PATH) return await handOver(request, view);
  if (pathname === ADMIN_PATH) {
    const reply = await operator({ request, peer }, view);
    if (reply !== undefined) return reply;
  }
  const page = Object.hasOwn(PAGES, pathname) ? PAGES[pathname] : undefined;
  if (page === undefined) return plain(404, `There are ${Object.keys(PAGES).join(", ")}`);
  if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "GET it");
  if (page.guarded && view.gate !== undefined) {
    const refusal = await refuse(request, view);
    if (refusal !== undefined) return refusal;
  }
  return page.answer(view);
}

async function operator(from: PeerRequest, view: AdminView): Promise<Response | undefined> {
  const reply = await adminReply(from, view);
  if (reply === undefined) return undefined;
  if ("why" in reply) return plain(reply.status, reply.why);
  return Response.json(reply.answer, { headers: HEADERS });
}

// Everybody's sessions and the server's identity: GET gives a challenge, POST with its answer gives everything.
async function handOver(request: Request, { handOver: desk }: AdminView): Promise<Response> {
  if (desk === undefined) return plain(409, "There is nothing to hand over");
  if (request.method === "GET") return binary(desk.challenge());
  if (request.method !== "POST") return plain(405, "POST it");
  const ask = await readUpTo(request, HAND_OVER_REQUEST_BYTES);
  const given = ask === undefined ? "unauthorized" : await desk.give(ask);
  if (given === "unauthorized") return plain(401, "A token is needed");
  if (given === "busy") return plain(429, "Too many at once");
  return given === "nothing" ? plain(409, "There is nothing to hand over") : binary(given);
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
  return plain(401, "A token is needed", { "www-authenticate": "Bearer" });
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8", ...headers },
  });
}
