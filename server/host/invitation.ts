// What somebody who hosts reads first: the links, and how to follow them.

import { randomBytes } from "node:crypto";
import { encodeBase64Url } from "../../shared/base/base64.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { VERSION } from "../../shared/base/version.ts";
import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import { formatLink } from "../../shared/text/invite_link.ts";
import type { PublicAddress } from "../config/host_options.ts";
import type { OwnAddresses } from "./own_addresses.ts";

/** What an invitation is made from. */
export interface InvitationParts {
  readonly port: number;
  readonly room: string;
  readonly fingerprint: Fingerprint;
  readonly token: string;
  readonly addresses: OwnAddresses;
  /** What `--name` says. */
  readonly publicAddress: PublicAddress | undefined;
  /** How a client is called there. */
  readonly client: string;
}

// 128 bits: nobody guesses it, and the link stays short enough for a QR code.
const TOKEN_BYTES = 16;

/** A fresh token for those who get the links. */
export function newToken(): string {
  return encodeBase64Url(randomBytes(TOKEN_BYTES));
}

/** The links for others, the likeliest first; empty where only this machine reaches the server. */
export function linksOf(parts: InvitationParts): string[] {
  const { addresses, publicAddress, port } = parts;
  const own = addresses.reachable.map((host) => linkTo(parts, host, port));
  if (publicAddress === undefined) return own;
  return [linkTo(parts, publicAddress.host, publicAddress.port ?? port), ...own];
}

/** The lines that say where the server is; `code`: the first link as a QR code. */
export function invitationText(parts: InvitationParts, code?: string): string {
  const { room, port, client } = parts;
  const links = linksOf(parts);
  const [first] = links;
  const sections = [
    `cmdchat-server ${VERSION} hosts the room ${quote(room)} on port ${port}. Ctrl-C ends it.`,
    ...(first === undefined ? [NO_NETWORK] : [
      "Send one of these links, over a channel that you trust, to all who may come in:",
      ...links,
      ...(parts.addresses.areLinkLocal ? [linkLocalNote(parts)] : []),
      ...(code === undefined ? [] : [code]),
      "As a command (- in place of the link asks for it, out of others' sight):",
      commandFor(client, first),
    ]),
    "You join in another terminal (the first member of a room may /kick there):",
    commandFor(client, linkTo(parts, "127.0.0.1", port)),
  ];
  return `${sections.join("\n\n")}\n`;
}

const NO_NETWORK = "This machine has no network now, so nobody else reaches the server.";

function linkLocalNote({ publicAddress }: InvitationParts): string {
  const which = publicAddress === undefined ? "These" : "The others";
  return `${which} work on the same cable only; after % goes the friend's own interface.`;
}

function linkTo({ room, fingerprint, token }: InvitationParts, host: string, port: number): string {
  return formatLink({ host, port, room, tls: false, fingerprint, token });
}

function commandFor(client: string, link: string): string {
  return `${client} '${link}'`;
}
