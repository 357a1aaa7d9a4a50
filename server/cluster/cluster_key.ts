// Everything that one server sends to the others is sealed under the cluster's key, and subjects reveal nothing about
// rooms: NATS sees neither texts nor names.

import { hkdfSync } from "node:crypto";
import { Buffer } from "node:buffer";
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  aeadOpen,
  aeadSeal,
} from "../../shared/crypto/aead.ts";
import { ConfigError, CryptoError } from "../../shared/base/errors.ts";
import type { Subject } from "./backplane.ts";

/** Bytes of the secret behind CMDCHAT_CLUSTER_KEY. */
export const CLUSTER_SECRET_BYTES = 32;
const SUBJECT_BYTES = 16;
const encoder = new TextEncoder();

/** Decodes the secret from base64url `text`. Throws ConfigError, which does not repeat it. */
export function parseClusterSecret(text: string): Uint8Array {
  const secret = new Uint8Array(Buffer.from(text.trim(), "base64url"));
  if (/^[\w-]+$/.test(text.trim()) && secret.length === CLUSTER_SECRET_BYTES) return secret;
  throw new ConfigError(
    `Cannot use CMDCHAT_CLUSTER_KEY: it must be ${CLUSTER_SECRET_BYTES} bytes in base64url`,
    { hint: "openssl rand -base64 32 | tr '+/' '-_' | tr -d =" },
  );
}

/** What is sealed and opened for one subject. */
export interface Sealing {
  readonly seal: (body: Uint8Array) => Uint8Array;
  readonly open: (sealed: Uint8Array) => Uint8Array | undefined;
}

/** Keys of one cluster. The secret is the same on all its servers. */
export class ClusterKey {
  readonly #secret: Uint8Array;
  readonly #sealing: Uint8Array;
  readonly #onForeign: () => void;

  /** `onForeign`: told of each message that was not sealed under this key for its subject. */
  constructor(secret: Uint8Array, onForeign: () => void = () => {}) {
    this.#secret = secret;
    this.#onForeign = onForeign;
    this.#sealing = derive(secret, "seal", AEAD_KEY_BYTES);
  }

  /** The same key, which tells somebody else. */
  tellingOf(onForeign: () => void): ClusterKey {
    return new ClusterKey(this.#secret, onForeign);
  }

  /** The subject of `kind` for `name`: the same on all servers, and only they can tell the name. */
  subject(kind: "room" | "live" | "sealed" | "session", name: string): Subject {
    const tag = derive(this.#secret, `${kind} subject ${name}`, SUBJECT_BYTES);
    return `cmdchat.${kind}.${Buffer.from(tag).toString("hex")}`;
  }

  /** The subject of a log that is no room's; no room has it, whatever its name. */
  logSubject(name: string): Subject {
    const tag = derive(this.#secret, `log subject ${name}`, SUBJECT_BYTES);
    return `cmdchat.room.${Buffer.from(tag).toString("hex")}`;
  }

  /**
   * Nonce, ciphertext, tag; bound to `subject`. The nonce is random: one key serves for 2^32 messages
   * (NIST SP 800-38D §8.3), 1,000 a second for seven weeks; docs/OPERATIONS.md says when to change it.
   */
  seal(subject: Subject, plaintext: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(AEAD_NONCE_BYTES + plaintext.length + AEAD_TAG_BYTES);
    const nonce = crypto.getRandomValues(sealed.subarray(0, AEAD_NONCE_BYTES));
    const context = { key: this.#sealing, nonce, associatedData: encoder.encode(subject) };
    aeadSeal("aes-256-gcm", context, { plaintext, out: sealed.subarray(AEAD_NONCE_BYTES) });
    return sealed;
  }

  /** Undefined if it was not sealed under this key for this subject. */
  open(subject: Subject, sealed: Uint8Array): Uint8Array | undefined {
    const nonce = sealed.subarray(0, AEAD_NONCE_BYTES);
    const context = { key: this.#sealing, nonce, associatedData: encoder.encode(subject) };
    try {
      return aeadOpen("aes-256-gcm", context, sealed.subarray(AEAD_NONCE_BYTES));
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      this.#onForeign();
      return undefined;
    }
  }

  /** Both, for one subject. */
  of(subject: Subject): Sealing {
    return {
      seal: (body) => this.seal(subject, body),
      open: (sealed) => this.open(subject, sealed),
    };
  }
}

function derive(secret: Uint8Array, label: string, length: number): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "cmdchat cluster v1", label, length));
}
