// Which pages may open a WebSocket connection. A browser sends the page's origin; a terminal client sends none.

import { ConfigError } from "../../shared/base/errors.ts";
import { WebRefusal } from "./web_refusal.ts";

/** The origin of a page that was opened as a file, and of any sandboxed frame. */
const OPAQUE = "null";

/** The fields of a request that decide. */
export interface FromPage {
  readonly origin: string | undefined;
  readonly host: string | undefined;
}

/** Origins of `--web`. */
export class Origins {
  readonly #hasTokens: () => boolean;
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;

  /** Takes origins as they were typed; `hasTokens`: whether a client needs a token now. Throws ConfigError. */
  constructor(origins: readonly string[], { hasTokens }: { readonly hasTokens: () => boolean }) {
    this.#hasTokens = hasTokens;
    const urls = origins.filter((text) => text !== OPAQUE).map(readOrigin);
    this.#origins = new Set(origins);
    this.#hosts = new Set(urls.map(({ host }) => host));
    if (!this.#origins.has(OPAQUE)) return;
    if (urls.length === 0) throw nullFault("it does not say where browsers reach this server");
    // Any page can put a page into a sandboxed frame: only a token keeps it out.
    if (!hasTokens()) {
      throw nullFault("any page can have this origin, and the server has no tokens");
    }
  }

  /** Throws WebRefusal for a page that may not connect. */
  check({ origin, host }: FromPage): void {
    if (origin === undefined) return;
    if (!this.#allows(origin)) {
      throw new WebRefusal(403, "This server takes no connections from this page's origin.");
    }
    if (host === undefined || !this.#hosts.has(withoutDefaultPort(host, origin))) throw badHost();
  }

  /** Throws WebRefusal for a host name that is not one of this server's. */
  checkHost(host: string): void {
    const names = ["http:", "https:"].map((scheme) => withoutDefaultPort(host, scheme));
    if (!names.some((name) => this.#hosts.has(name))) throw badHost();
  }

  // Tokens can be removed while the server runs (SIGHUP).
  #allows(origin: string): boolean {
    return this.#origins.has(origin) && (origin !== OPAQUE || this.#hasTokens());
  }
}

function readOrigin(text: string): URL {
  const url = URL.parse(text);
  const isPage = url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
  if (isPage && !text.includes("*")) return url;
  throw new ConfigError(
    `Cannot use --web ${
      JSON.stringify(text.slice(0, 80))
    }: it must be an origin as browsers send it, ` +
      "such as https://chat.example.org",
    {
      hint: "without a slash at its end, in lower case, and without the port if it is 443 or 80",
    },
  );
}

// A foreign name that points here must not make this server part of a foreign page (DNS rebinding).
function badHost(): WebRefusal {
  return new WebRefusal(403, "This server is not known under the name that was asked for.");
}

// A proxy may add the port that the scheme implies.
function withoutDefaultPort(host: string, origin: string): string {
  const port = origin.startsWith("http:") ? ":80" : ":443";
  const lower = host.toLowerCase();
  return lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
}

function nullFault(why: string): ConfigError {
  return new ConfigError(`Cannot use --web null: ${why}`, {
    hint: "name the server's own origin as well, and set CMDCHAT_TOKENS or --tokens-file",
  });
}
