// What a chat in the page starts from: the form, the address of the page, and the invite link behind its `#`.

import { UsageError } from "../../shared/base/errors.ts";
import { hostAndPort } from "../../shared/text/host_and_port.ts";
import { DEFAULT_ROOM, type InviteLink, isLink, parseLink } from "../../shared/text/invite_link.ts";

/** The answers of the form before the chat. */
export interface StartForm {
  readonly name: string;
  readonly room: string;
  /** Where the server is: `wss://HOST:PORT` or `ws://HOST:PORT`. */
  readonly server: string;
  readonly token: string;
  /** Whether a link brought the room and the server, which the form shows and does not let be changed. */
  readonly invited: boolean;
  /** Whether the link leads to a sealed room. */
  readonly sealed: boolean;
  /** Whether the page came from the server itself, so that its address is known and no link is needed. */
  readonly served: boolean;
}

/** What a page knows when it starts. */
export interface PageStart {
  readonly form: StartForm;
  /** The link that led here. */
  readonly link: InviteLink | undefined;
}

/** Where a server is. */
export interface WebEndpoint {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

const EMPTY = { name: "", token: "", invited: false, sealed: false } as const;
const PORTS = { secure: 443, plain: 80 } as const;

/**
 * Reads the address of the page. A page from a file takes a whole link behind its `#`, a served one the part that
 * belongs there. Throws UsageError for a link that is none.
 */
export function readStart(page: URL): PageStart {
  const served = isServed(page);
  const form = { ...EMPTY, room: DEFAULT_ROOM, served, server: served ? ownServer(page) : "" };
  const written = linkBehind(page);
  if (written === undefined) return { form, link: undefined };
  const link = parseLink(written);
  return { form: formOf(link, served), link };
}

/** The link behind the `#` of the page's address, whatever is wrong with it; undefined where there is none. */
export function linkBehind(page: URL): string | undefined {
  const fragment = page.hash.slice(1);
  if (fragment === "") return undefined;
  return isServed(page) ? `${page.origin}/#${fragment}` : decodeWhole(fragment);
}

/** The link that was typed in place of a room. Throws UsageError for one that cannot be followed here. */
export function typedLink({ room, server, served }: StartForm): InviteLink | undefined {
  if (!isLink(room)) return undefined;
  const link = parseLink(room);
  // A page that a server sent reaches no other one.
  if (!served || serverUrl(link) === serverUrl(parseServer(server))) return link;
  throw new UsageError("Cannot follow the link: it leads to another server", {
    hint: "open it in the browser, or with cmdchat-client",
  });
}

function isServed({ protocol }: URL): boolean {
  return protocol === "https:" || protocol === "http:";
}

/** The form as a link fills it. */
function formOf(link: InviteLink, served: boolean): StartForm {
  return {
    ...EMPTY,
    room: link.room,
    server: serverUrl(link),
    token: link.token ?? "",
    invited: true,
    sealed: link.secret !== undefined,
    served,
  };
}

/** The server that was typed; a missing scheme means wss. Throws UsageError. */
export function parseServer(typed: string): WebEndpoint {
  const text = /^[a-z]+:\/\//i.test(typed.trim()) ? typed.trim() : `wss://${typed.trim()}`;
  const url = URL.parse(text);
  const isAddress = url !== null && /^wss?:$/.test(url.protocol) && url.hostname !== "" &&
    url.username === "" && url.password === "" && url.pathname === "/" && url.search === "" &&
    url.hash === "";
  if (!isAddress) {
    throw new UsageError("Cannot use that server: its address must look like wss://HOST:PORT");
  }
  const tls = url.protocol === "wss:";
  const port = url.port === "" ? tls ? PORTS.secure : PORTS.plain : Number(url.port);
  return { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port, tls };
}

/** `wss://HOST:PORT` */
export function serverUrl({ host, port, tls }: WebEndpoint): string {
  return `${tls ? "wss" : "ws"}://${hostAndPort(host, port)}`;
}

function ownServer({ protocol, host }: URL): string {
  return `${protocol === "https:" ? "wss" : "ws"}://${host}`;
}

// A browser may have escaped what it keeps of a link within another one.
function decodeWhole(fragment: string): string {
  if (!/^(?:cmdchat|https?)%3A/i.test(fragment)) return fragment;
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment; // It is no link either, and that is what is said.
  }
}
