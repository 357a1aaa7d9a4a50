// The two JSON messages of the v2 handshake, read strictly and written in one way. What is agreed on here
// is described in docs/PROTOCOL.md §5; no key is used in this file.

import { encodeBase64 } from "../base/base64.ts";
import type { AeadName } from "../crypto/aead.ts";
import { IDENTITY_KEY_BYTES, SIGNATURE_BYTES } from "../crypto/identity.ts";
import { KEM_CIPHERTEXT_BYTES, KEM_PUBLIC_KEY_BYTES } from "../crypto/kem.ts";
import { X25519_BYTES } from "../crypto/x25519.ts";
import {
  describeVersions,
  HandshakeError,
  isRefusalReason,
  OUR_VERSIONS,
  REFUSAL_REASONS,
  type RefusalReason,
  ServerBusyError,
  ServerStoppingError,
  type VersionRange,
} from "./handshake_error.ts";
import * as read from "./handshake_fields.ts";

/** The client's first message. */
export interface ClientHello {
  readonly versions: VersionRange;
  /** The client's record ciphers that we know, the preferred one first. */
  readonly aeads: readonly AeadName[];
  readonly x25519: Uint8Array;
  readonly mlkem768: Uint8Array;
  readonly rsaPem: string;
}

/** What the server's signature covers besides the client's frame. */
export interface ServerShare {
  readonly version: number;
  readonly aead: AeadName;
  readonly x25519: Uint8Array;
  readonly mlkem768: Uint8Array;
  readonly identity: Uint8Array;
  readonly encryptedKey: Uint8Array;
}

/** The server's answer. */
export interface ServerHello extends ServerShare {
  readonly signature: Uint8Array;
}

function toBytes(message: Readonly<Record<string, unknown>>): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message));
}

/** The JSON bytes of the client's first message. */
export function encodeClientHello(hello: ClientHello): Uint8Array {
  return toBytes({
    type: "handshake",
    public_key: hello.rsaPem,
    v2: {
      versions: hello.versions,
      aeads: hello.aeads,
      x25519: encodeBase64(hello.x25519),
      mlkem768: encodeBase64(hello.mlkem768),
    },
  });
}

/** The JSON bytes of the server's answer. */
export function encodeServerHello(hello: ServerHello): Uint8Array {
  return toBytes({
    type: "handshake_ok",
    encrypted_key: encodeBase64(hello.encryptedKey),
    v2: {
      version: hello.version,
      aead: hello.aead,
      x25519: encodeBase64(hello.x25519),
      mlkem768: encodeBase64(hello.mlkem768),
      identity: encodeBase64(hello.identity),
      signature: encodeBase64(hello.signature),
    },
  });
}

/** The JSON bytes of a refusal, which a v1 client understands too. */
export function encodeRefusal(
  reason: RefusalReason,
  versions: VersionRange = OUR_VERSIONS,
): Uint8Array {
  return toBytes({ type: "handshake_error", reason, v2: { versions } });
}

/** The same for a client that is to come back after `pauseMs`. */
export function encodeBusy(pauseMs: number): Uint8Array {
  const v2 = { versions: OUR_VERSIONS, pause: pauseMs };
  return toBytes({ type: "handshake_error", reason: "server_busy", v2 });
}

/** Whether a first message asks for session v2. Only then it goes to ServerHandshake. */
export function offersV2(message: unknown): boolean {
  return read.isObject(message) && message["type"] === "handshake" && Object.hasOwn(message, "v2");
}

/** Reads the client's message. Throws HandshakeError. */
export function decodeClientHello(payload: Uint8Array): ClientHello {
  const message = read.decodeObject(payload);
  if (message["type"] !== "handshake") throw read.frameError('its "type" must be "handshake"');
  if (!Object.hasOwn(message, "v2")) {
    throw new HandshakeError("no-v2", "Cannot open a v2 session: the client does not ask for one");
  }
  const v2 = read.objectField(message, "v2");
  const versions = read.versionsField(v2);
  // Before the other fields: those of another version may look different.
  if (!haveCommonVersion(versions)) throw versionError("client", versions);
  return {
    versions,
    aeads: read.aeadsField(v2),
    x25519: read.bytesField(v2, "x25519", X25519_BYTES),
    mlkem768: read.bytesField(v2, "mlkem768", KEM_PUBLIC_KEY_BYTES),
    rsaPem: read.textField(message, "public_key"),
  };
}

/** Reads the server's answer. Throws HandshakeError, also for a refusal and for a server without v2. */
export function decodeServerHello(payload: Uint8Array): ServerHello {
  const message = read.decodeObject(payload);
  const type = message["type"];
  if (type !== "handshake_ok" && type !== "handshake_error") {
    throw read.frameError('its "type" must be "handshake_ok" or "handshake_error"');
  }
  if (!Object.hasOwn(message, "v2")) throw noV2Error();
  const v2 = read.objectField(message, "v2");
  if (type === "handshake_error") {
    const versions = read.versionsField(v2);
    if (message["reason"] === "server_busy") throw new ServerBusyError(read.pauseField(v2));
    throw refusalError(versions, message["reason"]);
  }
  const version = read.versionField(v2);
  if (!haveCommonVersion([version, version])) throw versionError("server", [version, version]);
  return {
    version,
    aead: read.aeadField(v2),
    x25519: read.bytesField(v2, "x25519", X25519_BYTES),
    mlkem768: read.bytesField(v2, "mlkem768", KEM_CIPHERTEXT_BYTES),
    identity: read.bytesField(v2, "identity", IDENTITY_KEY_BYTES),
    signature: read.bytesField(v2, "signature", SIGNATURE_BYTES),
    encryptedKey: read.wrappedKeyField(message),
  };
}

function haveCommonVersion([min, max]: VersionRange): boolean {
  return min <= OUR_VERSIONS[1] && max >= OUR_VERSIONS[0];
}

/** The highest version that both sides speak; the ranges must meet. */
export function commonVersion([, max]: VersionRange): number {
  return Math.min(max, OUR_VERSIONS[1]);
}

/** The error of one side about a peer with which it has no version in common. */
export function versionError(
  peer: "client" | "server",
  theirs: VersionRange,
  own: VersionRange = OUR_VERSIONS,
): HandshakeError {
  const us = peer === "client" ? "server" : "client";
  return new HandshakeError(
    "version",
    `Cannot open a session: ${peer} speaks ${describeVersions(theirs)}, ` +
      `this ${us} ${describeVersions(own)}`,
    { hint: theirs[0] > own[1] ? `update the ${us}` : `update the ${peer}` },
  );
}

function noV2Error(): HandshakeError {
  return new HandshakeError(
    "no-v2",
    "Cannot open a protected session: the server answered without session v2, " +
      "so it is an old one or someone in between removed it",
    { hint: "only if you know that this server is old: --legacy, without forward secrecy" },
  );
}

function refusalError(theirs: VersionRange, reason: unknown): HandshakeError {
  if (!haveCommonVersion(theirs)) return versionError("server", theirs);
  const words = isRefusalReason(reason) ? REFUSAL_REASONS[reason] : "it gave no known reason";
  const ErrorOfReason = reason === "server_stopping" ? ServerStoppingError : HandshakeError;
  return new ErrorOfReason("refused", `Cannot open a session: the server refused, ${words}`);
}
