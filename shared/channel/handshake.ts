// The v2 handshake of both sides without sockets and clocks: bytes in, bytes and keys out.
//
// Rules of this file (docs/PROTOCOL.md §5): one frame each way; the client sends nothing after its first frame
// until it has checked the server's fingerprint (when it expects one), the signature over everything, and both
// shares; each secret is used once and wiped; any failure ends the handshake.

import { type AeadName, supportedAeads } from "../crypto/aead.ts";
import { isSignedBy, type ServerIdentity } from "../crypto/identity.ts";
import { type Encapsulation, type Kem, type KemKeyPair, loadKem } from "../crypto/kem.ts";
import { randomBytes } from "../crypto/random_bytes.ts";
import { publicKeyToPem, type RsaKeyPair, unwrapKey, wrapKey } from "../crypto/rsa.ts";
import { answerX25519, generateX25519, x25519, type X25519Share } from "../crypto/x25519.ts";
import { HASH_BYTES } from "../crypto/hkdf.ts";
import { CryptoError } from "../base/errors.ts";
import { type Fingerprint, fingerprintOf } from "../crypto/fingerprint.ts";
import { HandshakeError, IdentityError, OUR_VERSIONS } from "./handshake_error.ts";
import {
  type ClientHello,
  commonVersion,
  decodeClientHello,
  decodeServerHello,
  encodeClientHello,
  encodeServerHello,
  type ServerHello,
} from "./handshake_messages.ts";
import { encodeFrame } from "./frame.ts";
import {
  deriveSessionKeys,
  type HandshakeKeys,
  type HandshakeSecrets,
  signatureInput,
  transcriptHash,
} from "./key_schedule.ts";

const IN_BETWEEN = "someone may intercept the connection; ask for a fresh link, nothing was sent";

/** The client's keys of one handshake. */
export interface ClientKeys {
  readonly rsa: RsaKeyPair;
  readonly x25519: X25519Share;
  readonly kem: KemKeyPair;
}

/** What a client starts from. */
export interface ClientHandshakeOptions {
  /** Made ahead with generateRsaKeyPair(), which takes long; for one handshake only. */
  readonly rsa: RsaKeyPair;
  /** The server to be reached; any other ends the handshake with IdentityError. */
  readonly expected?: Fingerprint | undefined;
}

/** A finished handshake, seen by the client. */
export interface ClientSession {
  readonly keys: HandshakeKeys;
  readonly fingerprint: Fingerprint;
}

/** A finished handshake, seen by the server: send `answer` as a frame, then speak records. */
export interface ServerSession {
  readonly answer: Uint8Array;
  readonly keys: HandshakeKeys;
}

/** The client's side: send `firstMessage` as a frame, then give the answer to receive(). */
export class ClientHandshake {
  /** JSON payload of the client's first frame. */
  readonly firstMessage: Uint8Array;
  readonly #keys: ClientKeys;
  readonly #aeads: readonly AeadName[];
  readonly #expected: Fingerprint | undefined;
  #done = false;

  private constructor(
    keys: ClientKeys,
    { firstMessage, aeads, expected }: {
      readonly firstMessage: Uint8Array;
      readonly aeads: readonly AeadName[];
      readonly expected: Fingerprint | undefined;
    },
  ) {
    this.#keys = keys;
    this.firstMessage = firstMessage;
    this.#aeads = aeads;
    this.#expected = expected;
  }

  /** Makes the fresh shares and the first message. */
  static async start({ rsa, expected }: ClientHandshakeOptions): Promise<ClientHandshake> {
    const [share, kem, rsaPem] = await Promise.all([
      generateX25519(),
      loadKem().then((kem) => kem.generate()),
      publicKeyToPem(rsa.publicKey),
    ]);
    const aeads = supportedAeads();
    const firstMessage = encodeClientHello({
      versions: OUR_VERSIONS,
      aeads,
      x25519: share.publicKey,
      mlkem768: kem.publicKey,
      rsaPem,
    });
    return new ClientHandshake({ rsa, x25519: share, kem }, { firstMessage, aeads, expected });
  }

  /** A handshake whose first message and keys are given: for known-answer tests only. */
  static unsafeTestOnlyResume(
    keys: ClientKeys,
    firstMessage: Uint8Array,
    expected?: Fingerprint,
  ): ClientHandshake {
    const { aeads } = decodeClientHello(firstMessage);
    return new ClientHandshake(keys, { firstMessage, aeads, expected });
  }

  /**
   * Takes the payload of the server's first frame. Throws HandshakeError, IdentityError when the server is not
   * the expected one, CryptoError when a signature or a share does not fit. May be called once.
   */
  async receive(answer: Uint8Array): Promise<ClientSession> {
    if (this.#done) throw new TypeError("Cannot receive a second answer to one handshake");
    this.#done = true;
    const hello = this.#decode(answer);
    const fingerprint = this.#checkIdentity(hello);
    const clientFrame = encodeFrame(this.firstMessage);
    await checkSignature(hello, clientFrame);
    if (!this.#aeads.includes(hello.aead)) {
      throw new HandshakeError("field", "Cannot use the server's cipher: it was not offered");
    }
    const secrets = await openSecrets(hello, this.#keys);
    const transcript = transcriptHash(clientFrame, encodeFrame(answer));
    return { keys: deriveSessionKeys(hello.aead, { transcript, secrets }), fingerprint };
  }

  #decode(answer: Uint8Array): ServerHello {
    try {
      return decodeServerHello(answer);
    } catch (error) {
      const stripped = error instanceof HandshakeError && error.failure === "no-v2";
      if (!stripped || this.#expected === undefined) throw error;
      // A server with a known fingerprint speaks v2: to suggest --legacy here would help an attacker.
      throw new HandshakeError(
        "no-v2",
        "Cannot trust this server: it answered without session v2, which the expected server speaks",
        { hint: IN_BETWEEN },
      );
    }
  }

  #checkIdentity(hello: ServerHello): Fingerprint {
    const fingerprint = fingerprintOf(hello.identity);
    if (this.#expected !== undefined && fingerprint !== this.#expected) {
      throw new IdentityError(
        `Cannot trust this server: its fingerprint is ${fingerprint}, expected was ${this.#expected}`,
        { seen: fingerprint, hint: IN_BETWEEN },
      );
    }
    return fingerprint;
  }
}

async function checkSignature(hello: ServerHello, clientFrame: Uint8Array): Promise<void> {
  const { identity: publicKey, signature } = hello;
  const signed = await isSignedBy({ publicKey, signature }, signatureInput(clientFrame, hello));
  if (!signed) {
    throw new CryptoError(
      "Cannot trust this server: its signature does not fit this handshake",
      { hint: IN_BETWEEN },
    );
  }
}

async function openSecrets(hello: ServerHello, keys: ClientKeys): Promise<HandshakeSecrets> {
  // One after another: if one failed, a concurrent one would go on with keys that nobody waits for any more.
  const classical = await x25519(keys.x25519, hello.x25519);
  const postQuantum = await keys.kem.decapsulate(hello.mlkem768);
  const wrapped = await unwrapKey(keys.rsa.privateKey, hello.encryptedKey);
  // Fixed lengths are what makes joining the secrets unambiguous.
  if (wrapped.length !== HASH_BYTES) {
    throw new CryptoError("Cannot agree on keys: the wrapped secret must have 32 bytes");
  }
  return { x25519: classical, mlkem768: postQuantum, rsa: wrapped };
}

async function encapsulateByAny(publicKey: Uint8Array): Promise<Encapsulation> {
  return (await loadKem()).encapsulate(publicKey);
}

/** The server's side; one object serves all clients of an identity. */
export class ServerHandshake {
  readonly #identity: ServerIdentity;
  readonly #aeads: readonly AeadName[];
  readonly #encapsulate: Kem["encapsulate"];

  /** `encapsulate`: left out, that of `loadKem()`. */
  constructor(identity: ServerIdentity, encapsulate: Kem["encapsulate"] = encapsulateByAny) {
    this.#identity = identity;
    this.#aeads = supportedAeads();
    this.#encapsulate = encapsulate;
  }

  /**
   * Takes the payload of a client's first frame, for which offersV2() is true. Throws HandshakeError,
   * ProtocolError for the RSA key, LimitError, or CryptoError for a share; answer with
   * encodeRefusal(refusalReasonFor(error)) and close.
   */
  async receive(firstMessage: Uint8Array): Promise<ServerSession> {
    const hello = decodeClientHello(firstMessage);
    const { share, secrets } = await this.#agree(hello);
    const clientFrame = encodeFrame(firstMessage);
    const signature = this.#identity.sign(signatureInput(clientFrame, share));
    const answer = encodeServerHello({ ...share, signature });
    const transcript = transcriptHash(clientFrame, encodeFrame(answer));
    return { answer, keys: deriveSessionKeys(share.aead, { transcript, secrets }) };
  }

  async #agree(hello: ClientHello) {
    const rsa = randomBytes(HASH_BYTES);
    // The cheap refusals come first.
    const encryptedKey = wrapKey(hello.rsaPem, rsa);
    const own = answerX25519(hello.x25519);
    const postQuantum = await this.#encapsulate(hello.mlkem768);
    const share = {
      version: commonVersion(hello.versions),
      aead: this.#choose(hello.aeads),
      x25519: own.publicKey,
      mlkem768: postQuantum.ciphertext,
      identity: this.#identity.publicKey,
      encryptedKey,
    };
    return { share, secrets: { x25519: own.secret, mlkem768: postQuantum.secret, rsa } };
  }

  // Never undefined: both lists hold the mandatory cipher.
  #choose(offered: readonly AeadName[]): AeadName {
    const chosen = offered.find((name) => this.#aeads.includes(name));
    if (chosen === undefined) throw new TypeError("No record cipher in common");
    return chosen;
  }
}
