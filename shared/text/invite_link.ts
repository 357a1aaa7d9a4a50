// Invite links: cmdchat://HOST[:PORT][/ROOM][?tls|?wss][#fp=…&secret=…&token=…], everything to join in one argument. For
// browsers: https://HOST[:PORT]/#room=ROOM[&fp=…&secret=…&token=…], where the server learns not even the room.
// What stands behind # is secret: no error of this file repeats any of it, nor any other part of the link.

import { canonicalHost, hostAndPort, hostOf } from "./host_and_port.ts";
import { decodeBase64Url, encodeBase64Url } from "../base/base64.ts";
import { UsageError } from "../base/errors.ts";
import { bareFingerprint, type Fingerprint, parseFingerprint } from "../crypto/fingerprint.ts";
import { LINK_MAX_CHARACTERS, NAME_MAX_BYTES, TOKEN_MAX_BYTES } from "../base/limits.ts";

/** What an invite link says. */
export interface InviteLink {
  /** As `canonicalHost` writes it. */
  readonly host: string;
  readonly port: number;
  /** As it was written; shared/text/names.ts decides whether it is a name. */
  readonly room: string;
  readonly tls: boolean;
  /** Connect with WebSocket inside TLS. */
  readonly wss?: true;
  /** It leads to a page, so the server has one. */
  readonly hasPage?: true;
  /** The server to expect. */
  readonly fingerprint?: Fingerprint;
  /** Secret of a sealed room, 32 random bytes. */
  readonly secret?: Uint8Array;
  /** The server's token. */
  readonly token?: string;
}

/** Port of a link, or a server, that names none. */
export const DEFAULT_PORT = 5050;
/** Room of a link, or a client, that names none. */
export const DEFAULT_ROOM = "lobby";
/** Bytes of a sealed room's secret. */
export const ROOM_SECRET_BYTES = 32;

/** Whether a typed word is meant as a link, whatever is wrong with it. */
export function isLink(word: string): boolean {
  return /^(?:cmdchat|https?):/i.test(word);
}

/** Whether a typed word is a link that may hold a token or a room's secret: no error repeats it. */
export function isSecretLink(word: string): boolean {
  return isLink(word) && word.includes("#");
}

const SHAPE = /^cmdchat:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(?:#(.*))?$/i;
const WEB_SHAPE = /^(https?):\/\/([^/?#]*)\/?(?:#(.*))?$/i;
const WEB_PORTS = { secure: 443, plain: 80 } as const;
const ADDRESS = /^(?:\[([^[\]]*)\]|([^[\]:]*))(?::(.*))?$/;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const OCTET = /^(?:0|[1-9]\d{0,2})$/;

function fault(place: string, wanted: string): UsageError {
  return new UsageError(`Cannot read the link: ${place} must be ${wanted}`, {
    hint:
      "a link looks like cmdchat://HOST:PORT/ROOM; quote it, since # and & mean something to the shell",
  });
}

/** Reads a link; space around it is dropped. Throws UsageError that names the part at fault, never its text. */
export function parseLink(text: string): InviteLink {
  const trimmed = text.trim();
  if (trimmed.length > LINK_MAX_CHARACTERS) {
    throw fault("the whole", `at most ${LINK_MAX_CHARACTERS} characters`);
  }
  // A link that was broken over two lines must not quietly become another one.
  if (/[\s\p{C}]/u.test(trimmed)) {
    throw fault("the whole", "one word without spaces or line breaks");
  }
  const [, scheme = "", site, parts] = WEB_SHAPE.exec(trimmed) ?? [];
  if (site !== undefined) return parseWebLink(scheme.toLowerCase() === "https", site, parts);
  const [, address, room, query, fragment] = SHAPE.exec(trimmed) ?? [];
  if (address === undefined) throw fault("the beginning", '"cmdchat://"');
  return {
    ...parseAddress(address),
    room: parseRoom(room),
    ...parseQuery(query),
    ...parseFragment(fragment),
  };
}

/** A link to a page leads to the server that the page is from. */
function parseWebLink(secure: boolean, site: string, fragment: string | undefined): InviteLink {
  const [, key, room] = /^(room=([^&]*)&?)/.exec(fragment ?? "") ?? [];
  const rest = fragment?.slice(key?.length ?? 0);
  return {
    ...parseAddress(site, secure ? WEB_PORTS.secure : WEB_PORTS.plain),
    room: parseRoom(room),
    tls: secure,
    ...(secure ? { wss: true } : {}),
    hasPage: true,
    ...parseFragment(rest === "" ? undefined : rest),
  };
}

function parseAddress(address: string, standard = DEFAULT_PORT): { host: string; port: number } {
  const [, ipv6, name, port] = ADDRESS.exec(address) ?? [];
  const host = ipv6 === undefined ? parseName(name ?? "") : parseIpv6(ipv6);
  return { host, port: parsePort(port, standard) };
}

function parsePort(text: string | undefined, standard: number): number {
  if (text === undefined) return standard;
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw fault("the port", "a number from 1 to 65535");
  return port;
}

function parseIpv6(text: string): string {
  // A zone's % is written %25 there (RFC 6874 §2).
  const host = canonicalHost(text.replace(/%25/, "%"));
  const isAddress = host.includes(":") && !host.endsWith("%") &&
    hostOf(`[${host.replace(/%.*$/, "")}]`) !== undefined;
  if (/%(?!25)/.test(text) || !isAddress) {
    throw fault("the address in brackets", "an IPv6 address");
  }
  return host;
}

function parseName(text: string): string {
  // URL turns letters of other scripts into ASCII, but would also read 0x7f.1 as an address.
  const isAscii = /^[\x21-\x7e]*$/.test(text);
  const isWord = /^[\p{L}\p{M}\p{N}_.-]*$/u.test(text);
  const name = (isAscii || !isWord ? text : hostOf(text) ?? "").toLowerCase();
  const labels = name.split(".");
  const isName = labels.every((label) => LABEL.test(label)) && name.length <= 253;
  const isAddress = labels.length === 4 && labels.every((part) => OCTET.test(part) && +part < 256);
  const endsInDigits = /^\d+$/.test(labels.at(-1) ?? "");
  if (!isName || (endsInDigits && !isAddress)) {
    throw fault("the host", "a name, an IPv4 address or an IPv6 address in brackets");
  }
  return name;
}

function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // Not UTF-8, or a % without two digits; the caller names the part.
  }
}

function isPlainText(text: string | undefined, maxBytes: number): text is string {
  if (text === undefined || text === "" || /[\p{C}\p{Zl}\p{Zp}]/u.test(text)) return false;
  return new TextEncoder().encode(text).length <= maxBytes;
}

function parseRoom(text: string | undefined): string {
  if (text === undefined || text === "") return DEFAULT_ROOM;
  const room = text.includes("/") ? undefined : decodePercent(text);
  if (!isPlainText(room, NAME_MAX_BYTES)) {
    throw fault("the room", `one percent-encoded name of at most ${NAME_MAX_BYTES} bytes`);
  }
  return room;
}

function parseQuery(query: string | undefined): Pick<InviteLink, "tls" | "wss"> {
  if (query === undefined) return { tls: false };
  if (query === "tls") return { tls: true };
  if (query === "wss") return { tls: true, wss: true };
  throw fault('the part after "?"', '"tls" or "wss"; secrets stand after "#"');
}

type Secrets = Pick<InviteLink, "fingerprint" | "secret" | "token">;

const FRAGMENT_PARTS: Readonly<Record<string, (value: string) => Secrets>> = {
  fp: (value) => ({ fingerprint: readFingerprint(value) }),
  secret: (value) => ({ secret: readSecret(value) }),
  token: (value) => ({ token: readToken(value) }),
};

function parseFragment(fragment: string | undefined): Secrets {
  let secrets: Secrets = {};
  if (fragment === undefined) return secrets;
  const seen = new Set<string>();
  for (const part of fragment.split("&")) {
    const [, key = "", value = ""] = /^([^=]*)=(.*)$/.exec(part) ?? [];
    const read = Object.hasOwn(FRAGMENT_PARTS, key) ? FRAGMENT_PARTS[key] : undefined;
    if (read === undefined || seen.has(key)) {
      throw fault(
        'the part after "#"',
        '"fp=…", "secret=…" and "token=…", each at most once, joined by "&"',
      );
    }
    seen.add(key);
    secrets = { ...secrets, ...read(value) };
  }
  return secrets;
}

function readFingerprint(value: string): Fingerprint {
  try {
    return parseFingerprint(value);
  } catch {
    throw fault('the fingerprint after "fp="', '43 letters, digits, "-" or "_"');
  }
}

function readSecret(value: string): Uint8Array {
  const bytes = decodeBase64Url(value);
  if (bytes?.length !== ROOM_SECRET_BYTES) {
    throw fault('the secret after "secret="', '43 letters, digits, "-" or "_"');
  }
  return bytes;
}

function readToken(value: string): string {
  const token = decodePercent(value);
  if (!isPlainText(token, TOKEN_MAX_BYTES)) {
    throw fault('the token after "token="', `percent-encoded, at most ${TOKEN_MAX_BYTES} bytes`);
  }
  return token;
}

// encodeURIComponent() leaves these, but a link stands between single quotes on a command line.
function encodePercent(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The link as text: printable ASCII that needs only quotes in a shell. parseLink() gives the same back. */
export function formatLink(link: InviteLink): string {
  const secrets = secretParts(link);
  const query = link.wss ? "?wss" : link.tls ? "?tls" : "";
  const fragment = secrets.length > 0 ? `#${secrets.join("&")}` : "";
  return `cmdchat://${hostAndPort(link.host.replace("%", "%25"), link.port)}/${
    encodePercent(link.room)
  }${query}${fragment}`;
}

/** The link to the page of the server, for browsers; all but the address stands where no server sees it. */
export function formatWebLink(link: InviteLink): string {
  const standard = link.tls ? WEB_PORTS.secure : WEB_PORTS.plain;
  const site = hostAndPort(link.host, link.port);
  const origin = link.port === standard ? site.slice(0, site.lastIndexOf(":")) : site;
  const parts = [`room=${encodePercent(link.room)}`, ...secretParts(link)];
  return `${link.tls ? "https" : "http"}://${origin}/#${parts.join("&")}`;
}

function secretParts(link: InviteLink): string[] {
  const secrets: string[] = [];
  if (link.fingerprint !== undefined) secrets.push(`fp=${bareFingerprint(link.fingerprint)}`);
  if (link.secret !== undefined) secrets.push(`secret=${encodeBase64Url(link.secret)}`);
  if (link.token !== undefined) secrets.push(`token=${encodePercent(link.token)}`);
  return secrets;
}
