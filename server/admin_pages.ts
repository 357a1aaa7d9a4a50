// The operator's pages over HTTP: a request in, a response out. server/admin_listener.ts has the socket.

import { timingSafeEqual } from "node:crypto";
import { METRICS_TYPE } from "./metrics_page.ts";
import { tokenDigest } from "./tokens.ts";

/** What the pages show. */
export interface AdminView {
  /** Whether new clients are taken. */
  readonly ready: () => boolean;
  /** The text of /metrics. */
  readonly metrics: () => string;
  /** Digest of the token that guards /metrics; undefined = none. */
  readonly tokenDigest: Uint8Array | undefined;
  /** Ends all links and gives everything to the next process; undefined where that is not possible here. */
  readonly handOver: (() => Promise<Uint8Array<ArrayBuffer>>) | undefined;
}

/** The page that the next process asks. */
export const HAND_OVER_PAGE = "/hand-over";

interface Page {
  /** Health and readiness tell nothing that connecting would not; what counts people asks for the token. */
  readonly guarded: boolean;
  readonly answer: (view: AdminView) => Response;
}

const PAGES: Readonly<Record<string, Page>> = {
  "/health": { guarded: false, answer: () => plain(200, "ok") },
  "/ready": {
    guarded: false,
    answer: ({ ready }) => ready() ? plain(200, "ready") : plain(503, "stopping"),
  },
  "/metrics": {
    guarded: true,
    answer: ({ metrics }) =>
      new Response(metrics(), { headers: { ...HEADERS, "content-type": METRICS_TYPE } }),
  },
};

const HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;

/** Answers one request. */
export function adminPage(request: Request, view: AdminView): Response | Promise<Response> {
  const { pathname, hostname } = new URL(request.url);
  // A web page whose name its owner points at 127.0.0.1 must not read what is meant for this machine.
  if (view.tokenDigest === undefined && !isPlainAddress(hostname)) {
    return plain(421, "Ask by address, such as http://127.0.0.1, or set a token");
  }
  if (pathname === HAND_OVER_PAGE) return handOver(request, view);
  const page = Object.hasOwn(PAGES, pathname) ? PAGES[pathname] : undefined;
  if (page === undefined) return plain(404, `There are ${Object.keys(PAGES).join(", ")}`);
  if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "GET it");
  if (page.guarded && !isAllowed(request, view)) {
    return plain(401, "A token is needed", { "www-authenticate": "Bearer" });
  }
  return page.answer(view);
}

// Everybody's sessions and the server's identity: for nobody without the token, and not without there being one.
async function handOver(request: Request, view: AdminView): Promise<Response> {
  if (view.tokenDigest === undefined || !isAllowed(request, view)) {
    return plain(401, "A token is needed", { "www-authenticate": "Bearer" });
  }
  if (request.method !== "POST") return plain(405, "POST it");
  if (view.handOver === undefined || !view.ready()) {
    return plain(409, "There is nothing to hand over");
  }
  return new Response(await view.handOver(), {
    headers: { ...HEADERS, "content-type": "application/cbor" },
  });
}

function isPlainAddress(hostname: string): boolean {
  return hostname === "localhost" || /^(?:[\d.]+|\[[0-9a-f:.]+\])$/.test(hostname);
}

function isAllowed(request: Request, { tokenDigest: known }: AdminView): boolean {
  if (known === undefined) return true;
  const given = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  return timingSafeEqual(known, tokenDigest(given ?? ""));
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8", ...headers },
  });
}
