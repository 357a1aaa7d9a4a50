// The built page for browsers: one file, the only one that this server serves over HTTP.

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { ConfigError } from "../../shared/base/errors.ts";
import type { ServerConfig } from "../config/server_options.ts";
import { type HttpHead, listOf } from "../../shared/websocket/http_head.ts";
import type { PageAnswer } from "./page_answer.ts";
import { pageFields } from "./page_policy.ts";

// `deno task page` writes it there; the executable contains it under the same path.
const BUILT = new URL("../../dist/page.html", import.meta.url);
const STYLE = /<style>([^]*?)<\/style>/;
const SCRIPT = /<script>([^]*?)<\/script>/;
const encoder = new TextEncoder();

// Hosts for which browsers offer cryptography without TLS.
const LOCAL = /^(?:localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** The part of the configuration that is about the page. */
export type PageConfig = Pick<ServerConfig, "web" | "web-only-socket" | "trusted-proxy">;

/** The page. */
export class Page {
  /** All of it. */
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`, in hex as `sha256sum` prints it. */
  readonly sha256: string;
  readonly #gzip: Uint8Array;
  readonly #fields: string;

  /** `html`: the built file. */
  constructor(html: string) {
    this.bytes = encoder.encode(html);
    this.sha256 = createHash("sha256").update(this.bytes).digest("hex");
    this.#gzip = gzipSync(this.bytes, { level: 9 });
    const [, style = ""] = STYLE.exec(html) ?? [];
    const [, script = ""] = SCRIPT.exec(html) ?? [];
    const fields = pageFields({ script, style });
    this.#fields = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  }

  /** The answer to a GET; to a HEAD, the same without a body. */
  answer(head: HttpHead, method: "GET" | "HEAD"): PageAnswer {
    const zipped = takesGzip(head);
    const body = zipped ? this.#gzip : this.bytes;
    return {
      head: encoder.encode(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n" +
          `Content-Length: ${body.length}\r\nVary: Accept-Encoding\r\n` +
          `${zipped ? "Content-Encoding: gzip\r\n" : ""}${this.#fields}Connection: close\r\n\r\n`,
      ),
      body: method === "GET" ? body : new Uint8Array(0),
    };
  }
}

/** Whether a server with this configuration serves the page. */
export function servesPage(
  { web = [], "web-only-socket": socketOnly }: Pick<ServerConfig, "web" | "web-only-socket">,
): boolean {
  return web.length > 0 && !socketOnly;
}

/** An address of `--web` at which no browser can use the page. */
export interface PageDoubt {
  readonly origin: string;
  readonly why: string;
}

/** The addresses among them that cannot work. `hasTls`: whether the server has a certificate. */
export function pageDoubts(
  { web = [], "trusted-proxy": proxies = [], ...config }: PageConfig,
  hasTls: boolean,
): readonly PageDoubt[] {
  if (!servesPage({ web, ...config })) return [];
  return web.flatMap((origin) => {
    const why = doubtOf(origin, { hasTls, hasProxy: proxies.length > 0 });
    return why === undefined ? [] : [{ origin, why }];
  });
}

function doubtOf(
  origin: string,
  { hasTls, hasProxy }: { readonly hasTls: boolean; readonly hasProxy: boolean },
): string | undefined {
  const { protocol, hostname } = URL.parse(origin) ?? { protocol: "", hostname: "" };
  if (protocol === "https:" && !hasTls && !hasProxy) {
    return "the server has no certificate, and trusts no proxy that has one";
  }
  if (protocol === "http:" && hasTls && !hasProxy) return "the server speaks only TLS";
  if (protocol === "http:" && !LOCAL.test(hostname)) {
    return "browsers encrypt nothing for a page that came over http from another machine";
  }
  return undefined;
}

/** The built page. Throws ConfigError where there is none. */
export function readPage(built = BUILT): Page {
  try {
    return new Page(Deno.readTextFileSync(built));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new ConfigError("Cannot serve the page: it has not been built", {
      cause,
      hint: "deno task page builds it; --web-only-socket serves none",
    });
  }
}

// A client that refuses gzip says `gzip;q=0`; no browser does. It gets the page uncompressed.
function takesGzip(head: HttpHead): boolean {
  return listOf(head, "accept-encoding").some((coding) => coding.toLowerCase() === "gzip");
}
