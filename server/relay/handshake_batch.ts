// What the thread that serves members and the worker that computes handshakes tell each other: several handshakes in one
// message, and their bytes in one buffer, since a message costs a tenth of a handshake, and each buffer a copy.

import { concatBytes } from "../../shared/base/bytes.ts";
import type { ServerSession } from "../../shared/channel/handshake.ts";
import type { AeadName } from "../../shared/crypto/aead.ts";
import { HASH_BYTES } from "../../shared/crypto/hkdf.ts";

/** A client's first message, with a number that no other handshake has. */
export interface AskedHandshake {
  readonly id: number;
  /** In a buffer of its own: of a part of one, all that is beside it would be posted as well. */
  readonly first: Uint8Array;
}

/** Its session; none where the message is refused. */
export interface AnsweredHandshake {
  readonly id: number;
  readonly session: ServerSession | undefined;
}

/** First messages, one after another in `bytes`. */
export interface AskedBatch {
  readonly asked: readonly { readonly id: number; readonly length: number }[];
  readonly bytes: Uint8Array;
}

/** Sessions, one after another in `bytes`: the answer, then the client's secret, the server's, and the challenge. */
export interface AnsweredBatch {
  readonly answered: readonly {
    readonly id: number;
    /** Undefined where the message is refused. */
    readonly aead: AeadName | undefined;
    /** Bytes of the answer. */
    readonly length: number;
  }[];
  readonly bytes: Uint8Array;
}

/** One message for these handshakes. */
export function packAsked(handshakes: readonly AskedHandshake[]): AskedBatch {
  return {
    asked: handshakes.map(({ id, first: { length } }) => ({ id, length })),
    bytes: concatBytes(handshakes.map(({ first }) => first)),
  };
}

/** What packAsked() made. */
export function unpackAsked({ asked, bytes }: AskedBatch): AskedHandshake[] {
  const parts = new Parts(bytes);
  return asked.map(({ id, length }) => ({ id, first: parts.take(length) }));
}

/** One message for these sessions, which are wiped. Its bytes are to be wiped once they are posted. */
export function packAnswered(handshakes: readonly AnsweredHandshake[]): AnsweredBatch {
  const secrets: Uint8Array[] = [];
  const parts: Uint8Array[] = [];
  const answered = handshakes.map(({ id, session }) => {
    if (session === undefined) return { id, aead: undefined, length: 0 };
    const { answer, keys: { aead, clientSecret, serverSecret, challenge } } = session;
    secrets.push(clientSecret, serverSecret, challenge);
    parts.push(answer, clientSecret, serverSecret, challenge);
    return { id, aead, length: answer.length };
  });
  const bytes = concatBytes(parts);
  for (const secret of secrets) secret.fill(0);
  return { answered, bytes };
}

/** What packAnswered() made; all are parts of its bytes. */
export function unpackAnswered({ answered, bytes }: AnsweredBatch): AnsweredHandshake[] {
  const parts = new Parts(bytes);
  return answered.map(({ id, aead, length }) => {
    if (aead === undefined) return { id, session: undefined };
    const answer = parts.take(length);
    const [clientSecret, serverSecret, challenge] = [
      parts.take(HASH_BYTES),
      parts.take(HASH_BYTES),
      parts.take(HASH_BYTES),
    ];
    return { id, session: { answer, keys: { aead, clientSecret, serverSecret, challenge } } };
  });
}

class Parts {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number): Uint8Array {
    return this.#bytes.subarray(this.#at, this.#at += length);
  }
}
