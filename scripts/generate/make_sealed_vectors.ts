// Makes tests/vectors/sealed.json: deno run -A scripts/generate/make_sealed_vectors.ts
// Keys, envelope, credential, code and file chunks of sealed rooms, and what device keys sign, a second time, from
// docs/PROTOCOL.md §8.9 and §11 with node:crypto alone. The same bytes come out each time; tests/client/mls/vectors_test.ts holds that.

import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  sign,
} from "node:crypto";

const ED25519_PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const PATH = new URL("../../tests/vectors/sealed.json", import.meta.url);

function sha256(...parts: Uint8Array[]): Buffer {
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}

function text(value: string): Buffer {
  return Buffer.from(value, "utf8");
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function fixed(label: string): Buffer {
  return sha256(text(`cmdchat sealed vectors: ${label}`));
}

function derive(secret: Buffer, label: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, text("cmdchat sealed keys v1"), text(label), 32));
}

function signer(seed: Buffer) {
  const key = createPrivateKey({
    key: Buffer.concat([ED25519_PKCS8, seed]),
    format: "der",
    type: "pkcs8",
  });
  const { x } = createPublicKey(key as unknown as string).export({ format: "jwk" });
  return { key, publicKey: Buffer.from(x ?? "", "base64url") };
}

function gcm(key: Buffer, nonce: Buffer, associated: Buffer, plaintext: Buffer): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(associated);
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([sealed, cipher.getAuthTag()]);
}

function keysOf(secret: Buffer) {
  const attach = signer(derive(secret, "attach"));
  return {
    rid: sha256(text("cmdchat sealed room v1"), attach.publicKey).subarray(0, 16),
    envelope: derive(secret, "envelope"),
    admission: derive(secret, "admission"),
    attach,
  };
}

type Keys = ReturnType<typeof keysOf>;

const KINDS = ["group-info", "commit", "app", "direct"];

function envelope(keys: Keys, kind: string, size: number) {
  const content = Buffer.concat([fixed("content"), Buffer.alloc(1 << 16)]).subarray(0, size);
  const nonce = fixed(`nonce ${kind} ${size}`).subarray(0, 12);
  let padded = 256;
  while (padded < 4 + size) padded *= 2;
  const plaintext = Buffer.alloc(padded);
  plaintext.writeUInt32BE(size);
  content.copy(plaintext, 4);
  const associated = Buffer.concat([keys.rid, Buffer.from([KINDS.indexOf(kind) + 1])]);
  const sealed = Buffer.concat([nonce, gcm(keys.envelope, nonce, associated, plaintext)]);
  // The long ones by their hash: the file stays one that a person can look at.
  const body = sealed.length <= 512 ? { envelope: hex(sealed) } : { sha256: hex(sha256(sealed)) };
  return { kind, content: size, nonce: hex(nonce), bytes: sealed.length, ...body };
}

function credential(keys: Keys, name: string) {
  const handle = fixed(`handle ${name}`).subarray(0, 16);
  const { publicKey } = signer(fixed(`signature ${name}`));
  const mac = createHmac("sha256", keys.admission)
    .update(
      Buffer.concat([text("cmdchat sealed leaf v1"), keys.rid, handle, text(name), publicKey]),
    )
    .digest().subarray(0, 16);
  const identity = Buffer.concat([Buffer.from([1]), handle, mac, text(name)]);
  return { name, handle: hex(handle), signatureKey: hex(publicKey), identity: hex(identity) };
}

/** One of version 2, which shows a device key, and what that key signs. */
function deviceCredential(keys: Keys, name: string) {
  const handle = fixed(`handle ${name}`).subarray(0, 16);
  const { publicKey } = signer(fixed(`signature ${name}`));
  const seed = fixed(`device ${name}`);
  const device = signer(seed);
  const statement = Buffer.concat([text("cmdchat device leaf v1"), keys.rid, handle, publicKey]);
  const proof = Buffer.concat([device.publicKey, sign(null, statement, device.key)]);
  const label = text("cmdchat sealed leaf v2");
  const mac = createHmac("sha256", keys.admission)
    .update(Buffer.concat([label, keys.rid, handle, proof, text(name), publicKey]))
    .digest().subarray(0, 16);
  const identity = Buffer.concat([Buffer.from([2]), handle, mac, proof, text(name)]);
  return {
    name,
    handle: hex(handle),
    signatureKey: hex(publicKey),
    deviceSeed: hex(seed),
    deviceKey: hex(device.publicKey),
    statement: hex(statement),
    identity: hex(identity),
  };
}

/** What a device key signs of a session in a plain room. */
function roomProof(prover: number, asker: number, room: string, name: string) {
  const seed = fixed("device alice");
  const { key, publicKey } = signer(seed);
  const [server, nonce] = [fixed("server"), fixed("nonce of a question")];
  const numbers = Buffer.alloc(16);
  numbers.writeBigUInt64BE(BigInt(prover));
  numbers.writeBigUInt64BE(BigInt(asker), 8);
  const texts = [room, name].flatMap((value) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(text(value).length);
    return [length, text(value)];
  });
  const label = text("cmdchat device room v1");
  const statement = Buffer.concat([label, server, numbers, nonce, ...texts]);
  return {
    deviceSeed: hex(seed),
    deviceKey: hex(publicKey),
    server: hex(server),
    prover,
    asker,
    nonce: hex(nonce),
    room,
    name,
    statement: hex(statement),
    signature: hex(sign(null, statement, key)),
  };
}

function digits(hash: Buffer): string {
  return [0, 5, 10, 15, 20, 25]
    .map((at) => String(hash.readUIntBE(at, 5) % 100_000).padStart(5, "0")).join(" ");
}

function proof(keys: Keys) {
  const handleSeed = fixed("handle seed");
  const handleKeys = signer(handleSeed);
  const handle = sha256(text("cmdchat sealed handle v1"), handleKeys.publicKey).subarray(0, 16);
  const challenge = fixed("challenge");
  const message = (label: string) => Buffer.concat([text(label), keys.rid, handle, challenge]);
  return {
    handleSeed: hex(handleSeed),
    handleKey: hex(handleKeys.publicKey),
    handle: hex(handle),
    challenge: hex(challenge),
    proof: hex(sign(null, message("cmdchat sealed attach v1"), keys.attach.key)),
    handleProof: hex(sign(null, message("cmdchat sealed seat v1"), handleKeys.key)),
  };
}

function roster(count: number, locked: boolean) {
  const members = Array.from({ length: count }, (_, n) => fixed(`member ${n}`).subarray(0, 16));
  const sorted = members.toSorted(Buffer.compare);
  const input = [text("cmdchat sealed roster v1"), Buffer.from([locked ? 1 : 0]), ...sorted];
  return { members: members.map(hex), locked, digest: hex(sha256(...input)) };
}

function file(size: number) {
  const key = fixed("file key");
  const content = Buffer.alloc(size, 0x5a);
  // Padmé: at most 12 % more, and few sizes to tell apart.
  const exponent = Math.floor(Math.log2(Math.max(size, 2)));
  const step = 2 ** Math.max(0, exponent - Math.floor(Math.log2(exponent)) - 1);
  const padded = Buffer.concat([content, Buffer.alloc(Math.ceil(size / step) * step - size)]);
  const count = Math.max(1, Math.ceil(padded.length / 32_768));
  const chunks = Array.from({ length: count }, (_, index) => {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(index, 7);
    nonce[11] = index === count - 1 ? 1 : 0;
    const part = padded.subarray(index * 32_768, (index + 1) * 32_768);
    return hex(sha256(gcm(key, nonce, text("cmdchat sealed file v1"), part)));
  });
  return { size, padded: padded.length, key: hex(key), chunks };
}

/** What bob signs when he asks alice for a file: RFC 9420 §5.1.2, whose lengths of less than 64 take one byte, others two. */
function pull({ rid }: { readonly rid: Buffer }) {
  const { key, publicKey } = signer(fixed("signature bob"));
  const [from, to, id] = ["handle bob", "handle alice", "file id"].map((label) =>
    fixed(label).subarray(0, 16)
  ) as [Buffer, Buffer, Buffer];
  const label = text("MLS 1.0 cmdchat sealed pull v1");
  const content = Buffer.concat([rid, from, to, id]);
  const lengths = [Buffer.from([label.length]), Buffer.from([0x40, content.length])] as const;
  const signed = Buffer.concat([lengths[0], label, lengths[1], content]);
  return {
    signatureKey: hex(publicKey),
    from: hex(from),
    to: hex(to),
    id: hex(id),
    signed: hex(signed),
    signature: hex(sign(null, signed, key)),
  };
}

/** The text of tests/vectors/sealed.json. */
export function makeSealedVectors(): string {
  const secret = fixed("secret");
  const keys = keysOf(secret);
  const authenticator = fixed("authenticator");
  const { publicKey } = signer(fixed("signature alice"));
  const vectors = {
    secret: hex(secret),
    keys: {
      rid: hex(keys.rid),
      envelope: hex(keys.envelope),
      admission: hex(keys.admission),
      attach: hex(keys.attach.publicKey),
    },
    attach: proof(keys),
    rosters: [roster(1, false), roster(5, false), roster(5, true)],
    envelopes: [
      ...KINDS.map((kind) => envelope(keys, kind, 100)),
      ...[0, 252, 253, 508, 509, 60_000].map((size) => envelope(keys, "app", size)),
    ],
    credentials: ["alice", "Ágnes", "名前"].map((name) => credential(keys, name.normalize("NFKC"))),
    deviceCredentials: ["alice", "名前"].map((name) => deviceCredential(keys, name)),
    roomProofs: [
      roomProof(7, 9, "den", "bob"),
      roomProof(Number.MAX_SAFE_INTEGER, 0x1_0000_0001, "Höhle", "名".repeat(21)),
    ],
    code: {
      authenticator: hex(authenticator),
      digits: digits(sha256(text("cmdchat sealed code v1"), authenticator)),
    },
    fingerprint: {
      signatureKey: hex(publicKey),
      digits: digits(sha256(text("cmdchat sealed fingerprint v1"), publicKey)),
    },
    deviceFingerprint: {
      deviceKey: hex(publicKey),
      digits: digits(sha256(text("cmdchat device fingerprint v1"), publicKey)),
    },
    pull: pull(keys),
    files: [0, 1, 32_767, 32_768, 32_769, 200_000, 1_000_000].map(file),
  };
  return `${JSON.stringify(vectors, null, 1)}\n`;
}

if (import.meta.main) await Deno.writeTextFile(PATH, makeSealedVectors());
