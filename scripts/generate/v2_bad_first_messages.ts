// First messages of a client with one fault each (docs/PROTOCOL.md §5.1).

import { Buffer } from "node:buffer";
import {
  base64,
  type Change,
  drop,
  faulty,
  type FaultyMessage,
  LOW_ORDER_SHARES,
  type Material,
  put,
  resized,
} from "./v2_material.ts";

/** Every one must be refused by a server with the class of failure that it names. */
export function makeBadFirstMessages(m: Material): FaultyMessage[] {
  const { clientShare, kem, first, firstMessage, inputs } = m;
  const bad = (name: string, failure: string, change: Change) => {
    const message = firstMessage();
    return faulty(name, failure, change(message) ?? message);
  };
  const tooLarge = Buffer.from(kem.publicKey);
  tooLarge.set([0xff, 0x0f, 0]);
  // The last digit before the padding has two bits that stand for nothing: set one.
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const share = base64(clientShare.publicKey);
  const loose = `${share.slice(0, 42)}${digits[digits.indexOf(share[42] ?? "") + 1]}=`;
  return [
    bad("no bytes", "frame", () => Buffer.alloc(0)),
    bad("no JSON", "frame", () => first.subarray(0, -1)),
    bad("bytes behind the JSON", "frame", () => Buffer.concat([first, Buffer.from("x")])),
    bad("a byte order mark", "frame", () => Buffer.concat([Buffer.from("\ufeff"), first])),
    bad("no UTF-8", "frame", () => Buffer.from('{"type":"handshake","x":"\xff"}', "latin1")),
    bad("an array", "frame", () => [firstMessage()]),
    bad("null", "frame", () => Buffer.from("null")),
    bad("another type", "frame", (message) => void (message["type"] = "hello")),
    bad("above 8,192 bytes", "limit", (message) => void (message["pad"] = "x".repeat(8192))),
    bad("v2 stripped", "no-v2", (message) => ({ ...message, v2: undefined })),
    bad("v2 is null", "field", (message) => ({ ...message, v2: null })),
    bad("v2 is an array", "field", (message) => ({ ...message, v2: [] })),
    bad("only newer versions", "version", put("versions", [3, 4])),
    bad("only older versions", "version", put("versions", [1, 1])),
    bad(
      "newer versions with fields unknown today",
      "version",
      (message) => ({ ...message, v2: { versions: [3, 3], share: "" } }),
    ),
    bad("no versions", "field", drop("versions")),
    bad("one version", "field", put("versions", [2])),
    bad("three versions", "field", put("versions", [2, 2, 2])),
    bad("versions upside down", "field", put("versions", [3, 2])),
    bad("versions as text", "field", put("versions", ["2", "2"])),
    bad("a broken version", "field", put("versions", [1.5, 2])),
    bad("version zero", "field", put("versions", [0, 2])),
    bad("version 65536", "field", put("versions", [2, 65_536])),
    bad("no ciphers", "field", drop("aeads")),
    bad("ciphers as a text", "field", put("aeads", "aes-256-gcm")),
    bad("without the mandatory cipher", "field", put("aeads", ["chacha20-poly1305"])),
    bad(
      "nine ciphers",
      "field",
      put("aeads", Array.from({ length: 9 }, () => "aes-256-gcm")),
    ),
    bad("a cipher that is a number", "field", put("aeads", ["aes-256-gcm", 1])),
    bad("no X25519 share", "field", drop("x25519")),
    bad("X25519 share as a number", "field", put("x25519", 5)),
    bad(
      "X25519 share of 31 bytes",
      "field",
      put("x25519", resized(clientShare.publicKey, -1)),
    ),
    bad(
      "X25519 share of 33 bytes",
      "field",
      put("x25519", resized(clientShare.publicKey, 1)),
    ),
    bad("X25519 share with loose base64 bits", "field", put("x25519", loose)),
    bad(
      "X25519 share with a line break",
      "field",
      put("x25519", `${base64(clientShare.publicKey)}\n`),
    ),
    bad(
      "X25519 share without padding",
      "field",
      put("x25519", base64(clientShare.publicKey).slice(0, -1)),
    ),
    ...LOW_ORDER_SHARES.map((share, at) =>
      bad(
        `X25519 share of low order, ${at + 1}`,
        "auth",
        put("x25519", base64(Buffer.from(share, "hex"))),
      )
    ),
    bad("no ML-KEM key", "field", drop("mlkem768")),
    bad("ML-KEM key of 1,183 bytes", "field", put("mlkem768", resized(kem.publicKey, -1))),
    bad("ML-KEM key of 1,185 bytes", "field", put("mlkem768", resized(kem.publicKey, 1))),
    bad("ML-KEM key with a coefficient above q", "auth", put("mlkem768", base64(tooLarge))),
    bad("no RSA key", "field", (message) => ({ ...message, public_key: undefined })),
    bad(
      "RSA key that is no PEM",
      "format",
      (message) => ({ ...message, public_key: "hello" }),
    ),
    bad(
      "RSA key of 1,024 bits",
      "format",
      (message) => ({ ...message, public_key: inputs.rsa_1024_spki_pem }),
    ),
  ];
}
