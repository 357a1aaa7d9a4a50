// Answers of a server with one fault each (docs/PROTOCOL.md §5.2).

import { Buffer } from "node:buffer";
import {
  base64,
  type Change,
  drop,
  faulty,
  type FaultyMessage,
  flipped,
  type Json,
  LOW_ORDER_SHARES,
  type Material,
  put,
  resized,
  utf8,
} from "./v2_material.ts";
import { fixedBytes } from "./v2_reference.ts";

/** Every one must be refused by a client with the class of failure that it names. */
export function makeBadAnswers(m: Material): FaultyMessage[] {
  const { clientShare, serverShare, cipherText, identity, attacker, rsaSecret } = m;
  const { first, onlyGcm, firstMessage, inputs, signed, wrap } = m;
  const otherFirst = utf8({ ...firstMessage(), note: "changed on the way" });
  const bad = (name: string, failure: string, change: Change | Json) =>
    badAnswer(m, { name, failure, change });
  return [
    bad("no JSON", "frame", () => utf8(signed()).subarray(0, -1)),
    bad("another type", "frame", (message) => void (message["type"] = "handshake")),
    bad(
      "above 8,192 bytes",
      "limit",
      (message) => void (message["pad"] = "x".repeat(8192)),
    ),
    bad("a v1 server's answer", "no-v2", {
      type: "handshake_ok",
      client_id: 1,
      room: "lobby",
      encrypted_key: base64(wrap(rsaSecret)),
    }),
    bad("a v1 server's refusal", "no-v2", {
      type: "handshake_error",
      reason: "unauthorized",
    }),
    bad("v2 stripped", "no-v2", (message) => ({ ...message, v2: undefined })),
    bad("v2 is null", "field", (message) => ({ ...message, v2: null })),
    bad("refused for its versions", "version", {
      type: "handshake_error",
      reason: "unsupported_version",
      v2: { versions: [3, 4] },
    }),
    bad("refused for a known reason", "refused", {
      type: "handshake_error",
      reason: "server_stopping",
      v2: { versions: [2, 2] },
    }),
    bad("refused for an unknown reason", "refused", {
      type: "handshake_error",
      reason: "\u001b[2Jhello",
      v2: { versions: [2, 2] },
    }),
    bad("refused without versions", "field", {
      type: "handshake_error",
      reason: "server_stopping",
      v2: {},
    }),
    bad("a version that was not offered", "version", signed({ version: 3 })),
    bad("version as text", "field", put("version", "2")),
    bad("an unknown cipher", "field", signed({ aead: "rot13" })),
    {
      ...bad(
        "a cipher that was not offered",
        "field",
        signed({ aead: "chacha20-poly1305" }, identity, onlyGcm),
      ),
      first_message: onlyGcm.toString(),
    },
    bad(
      "X25519 share of 31 bytes",
      "field",
      put("x25519", resized(serverShare.publicKey, -1)),
    ),
    bad(
      "ML-KEM ciphertext of 1,087 bytes",
      "field",
      put("mlkem768", resized(cipherText, -1)),
    ),
    bad(
      "ML-KEM ciphertext of 1,089 bytes",
      "field",
      put("mlkem768", resized(cipherText, 1)),
    ),
    bad("identity of 31 bytes", "field", put("identity", resized(identity.publicKey, -1))),
    bad("signature of 63 bytes", "field", put("signature", base64(Buffer.alloc(63)))),
    bad("signature of 65 bytes", "field", put("signature", base64(Buffer.alloc(65)))),
    ...["version", "aead", "x25519", "mlkem768", "identity", "signature"].map((name) =>
      bad(`no ${name}`, "field", drop(name))
    ),
    bad("no wrapped secret", "field", (message) => void delete message["encrypted_key"]),
    bad(
      "wrapped secret of 255 bytes",
      "field",
      (message) => void (message["encrypted_key"] = resized(wrap(rsaSecret), -1)),
    ),
    bad(
      "another server's identity",
      "pin",
      signed({ identity: attacker.publicKey }, attacker),
    ),
    bad("signed by another key", "auth", signed({}, attacker)),
    bad(
      "signature with one bit changed",
      "auth",
      (message) =>
        put("signature", base64(flipped(Buffer.from(String(message.v2["signature"]), "base64"))))(
          message,
        ),
    ),
    bad("X25519 share replaced", "auth", put("x25519", base64(clientShare.publicKey))),
    bad("ML-KEM ciphertext replaced", "auth", put("mlkem768", base64(flipped(cipherText)))),
    bad(
      "wrapped secret replaced",
      "auth",
      (message) => void (message["encrypted_key"] = base64(wrap(fixedBytes("attacker")))),
    ),
    bad("cipher replaced", "auth", put("aead", "chacha20-poly1305")),
    bad(
      "the client's message changed on the way",
      "auth",
      signed({}, identity, otherFirst),
    ),
    bad(
      "the client's message with other white space",
      "auth",
      signed({}, identity, Buffer.concat([first, Buffer.from(" ")])),
    ),
    ...LOW_ORDER_SHARES.map((share, at) =>
      bad(
        `signed X25519 share of low order, ${at + 1}`,
        "auth",
        signed({ x25519: Buffer.from(share, "hex") }),
      )
    ),
    bad(
      "secret wrapped for another RSA key",
      "auth",
      signed({ encrypted_key: wrap(rsaSecret, inputs.other_rsa_spki_pem) }),
    ),
    bad(
      "wrapped secret has 31 bytes",
      "auth",
      signed({ encrypted_key: wrap(rsaSecret.subarray(1)) }),
    ),
    bad(
      "wrapped secret has 33 bytes",
      "auth",
      signed({ encrypted_key: wrap(Buffer.concat([rsaSecret, Buffer.alloc(1)])) }),
    ),
  ];
}

function badAnswer(
  { signed }: Material,
  { name, failure, change }: { name: string; failure: string; change: Change | Json },
): FaultyMessage {
  if (typeof change !== "function") return faulty(name, failure, change);
  const message = signed();
  return faulty(name, failure, change(message) ?? message);
}

/** These are accepted, and must give other keys than the server's, so that no record opens. */
export function makeDivergingAnswers(m: Material): FaultyMessage[] {
  const { signed, cipherText } = m;
  const bad = (name: string, failure: string, change: Change | Json) =>
    badAnswer(m, { name, failure, change });
  return [
    bad(
      "white space behind the JSON",
      "keys",
      () => Buffer.concat([utf8(signed()), Buffer.from(" ")]),
    ),
    bad("a field more", "keys", (message) => void (message["note"] = "added on the way")),
    bad(
      "a signed ciphertext for another ML-KEM key",
      "keys",
      signed({ mlkem768: flipped(cipherText) }),
    ),
  ];
}
