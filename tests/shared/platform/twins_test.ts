// The twins of each seam do the same: every case goes through both, and what one makes the other takes.
import assert from "node:assert/strict";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import * as denoAead from "../../../shared/platform/deno/aead.ts";
import * as denoBytes from "../../../shared/platform/deno/bytes.ts";
import * as denoCurves from "../../../shared/platform/deno/curves.ts";
import * as denoHash from "../../../shared/platform/deno/hash.ts";
import * as denoOnDemand from "../../../shared/platform/deno/on_demand.ts";
import * as denoWorker from "../../../shared/platform/deno/worker.ts";
import * as webAead from "../../../shared/platform/web/aead.ts";
import * as webBytes from "../../../shared/platform/web/bytes.ts";
import * as webCurves from "../../../shared/platform/web/curves.ts";
import * as webHash from "../../../shared/platform/web/hash.ts";
import * as webOnDemand from "../../../shared/platform/web/on_demand.ts";
import * as webWorker from "../../../shared/platform/web/worker.ts";
import { randomBytes } from "../../../shared/crypto/random_bytes.ts";
import { readSources } from "../../helpers/repo/sources.ts";

const LENGTHS = [0, 1, 2, 3, 15, 16, 17, 63, 64, 65, 1_000, 65_536];

// The types hold the twins to one form.
const _aead: typeof denoAead = webAead;
const _bytes: typeof denoBytes = webBytes;
const _curves: typeof denoCurves = webCurves;
const _hash: typeof denoHash = webHash;
const _onDemand: typeof denoOnDemand = webOnDemand;
const _worker: typeof denoWorker = webWorker;

Deno.test("every seam has two twins, and the web's exports what Deno's does", async () => {
  const sources = await readSources("shared/platform");
  const names = (side: string) =>
    new Map(
      sources.filter(({ path }) => path.startsWith(`shared/platform/${side}/`))
        .map(({ path, exports }) => [path.slice(path.lastIndexOf("/") + 1), exports]),
    );
  const [deno, web] = [names("deno"), names("web")];
  assert.deepEqual([...web.keys()], [...deno.keys()]);
  for (const [file, exports] of deno) {
    assert.deepEqual(exports.filter((name) => !web.get(file)?.includes(name)), [], file);
  }
});

Deno.test("worker: a page that has not said where its script is starts none", () => {
  assert.throws(() => webWorker.startWorker(() => new URL("data:,")), TypeError);
});

Deno.test("bytes: both write and read the same texts, and refuse the same", () => {
  for (const length of LENGTHS) {
    const bytes = randomBytes(Math.min(length, 65_536));
    assert.equal(webBytes.toHex(bytes), denoBytes.toHex(bytes));
    assert.deepEqual(webBytes.fromHex(denoBytes.toHex(bytes)), new Uint8Array(bytes));
    for (const alphabet of ["base64", "base64url"] as const) {
      const text = denoBytes.toBase64(bytes, alphabet);
      assert.equal(webBytes.toBase64(bytes, alphabet), text);
      assert.deepEqual(webBytes.fromBase64(text, alphabet), new Uint8Array(bytes));
    }
    for (const { equalBytes, equalSecrets } of [denoBytes, webBytes]) {
      const other = bytes.slice();
      assert.ok(equalBytes(bytes, other) && equalSecrets(bytes, other));
      assert.ok(!equalBytes(bytes, new Uint8Array([...bytes, 0])));
      assert.ok(!equalSecrets(bytes, new Uint8Array([...bytes, 0])));
      if (length === 0) continue;
      other[length - 1] = (other[length - 1] ?? 0) ^ 1;
      assert.ok(!equalBytes(bytes, other) && !equalSecrets(bytes, other));
    }
  }
  // Strict reading: what does not come back as the same text is no base64, in both.
  for (
    const text of ["A", "AA", "AAA", "AB==", "AA=A", "A===", "AA==\n", " AAAA", "Ä", "AA-_", "AA+/"]
  ) {
    for (const alphabet of ["base64", "base64url"] as const) {
      const strict = ({ fromBase64, toBase64 }: typeof denoBytes) => {
        const bytes = fromBase64(text, alphabet);
        return bytes !== undefined && toBase64(bytes, alphabet) === text;
      };
      assert.equal(strict(webBytes), strict(denoBytes), `${alphabet} ${JSON.stringify(text)}`);
    }
  }
});

Deno.test("hash: equal digests, whole and in parts", () => {
  for (const length of LENGTHS) {
    const bytes = randomBytes(length);
    assert.deepEqual(webHash.sha256(bytes), denoHash.sha256(bytes));
    const [web, deno] = [webHash.createSha256(), denoHash.createSha256()];
    for (let at = 0; at < length; at += 977) {
      web.update(bytes.subarray(at, at + 977));
      deno.update(bytes.subarray(at, at + 977));
    }
    assert.deepEqual(web.digest(), deno.digest());
  }
});

Deno.test("hash: a text has the digest of its UTF-8", () => {
  for (const text of ["", "hello", "grüße 👍", "half of a pair \ud83d", "x".repeat(5_000)]) {
    const digest = denoBytes.toHex(denoHash.sha256(new TextEncoder().encode(text)));
    assert.equal(denoHash.sha256Hex(text), digest);
    assert.equal(webHash.sha256Hex(text), digest);
  }
});

for (const name of ["chacha20-poly1305", "aes-256-gcm", "aes-128-gcm"] as const) {
  Deno.test(`aead: what one seals the other opens, and neither opens what was changed: ${name}`, () => {
    for (const length of LENGTHS) {
      const context = {
        key: randomBytes(name === "aes-128-gcm" ? 16 : 32),
        nonce: randomBytes(12),
        associatedData: randomBytes(5),
      };
      const plaintext = randomBytes(length);
      const [web, deno] = [new Uint8Array(length + 16), new Uint8Array(length + 16)];
      webAead.sealAead(name, context, { plaintext, out: web });
      denoAead.sealAead(name, context, { plaintext, out: deno });
      assert.deepEqual(web, deno);
      for (const { openAead, hasAead } of [denoAead, webAead]) {
        assert.ok(hasAead(name));
        assert.deepEqual(new Uint8Array(openAead(name, context, web)), plaintext);
        const changed = web.slice();
        changed[length] = (changed[length] ?? 0) ^ 1;
        assert.throws(() => openAead(name, context, changed));
        const other = { ...context, associatedData: new Uint8Array(5) };
        assert.throws(() => openAead(name, other, web));
      }
    }
  });
}

Deno.test("curves: equal keys, secrets and signatures, and what is no key is refused by both", () => {
  for (let round = 0; round < 5; round++) {
    const [seed, peer, message] = [randomBytes(32), randomBytes(32), randomBytes(100)];
    const pairs = [denoCurves, webCurves].map((curves) => {
      const publicKey = curves.ed25519PublicKey(seed);
      const signature = curves.ed25519Sign(seed, message);
      const share = curves.x25519PublicKey(peer);
      return { publicKey, signature, share, secret: curves.x25519Secret(seed, share) };
    });
    assert.deepEqual(pairs[0], pairs[1]);
    const { publicKey, signature } = pairs[0] as (typeof pairs)[number];
    for (const { ed25519Verify } of [denoCurves, webCurves]) {
      assert.ok(ed25519Verify(publicKey, message, signature));
      assert.ok(!ed25519Verify(publicKey, randomBytes(100), signature));
      const changed = signature.slice();
      changed[40] = (changed[40] ?? 0) ^ 1;
      assert.ok(!ed25519Verify(publicKey, message, changed));
    }
  }
  for (const curves of [denoCurves, webCurves]) {
    for (const length of [0, 31, 33]) {
      assert.throws(() => curves.x25519Secret(randomBytes(32), randomBytes(length)));
      assert.throws(() => curves.ed25519PublicKey(randomBytes(length)));
    }
    const low = new Uint8Array(32);
    const secret = refusedOr(() => curves.x25519Secret(randomBytes(32), low));
    assert.ok(secret === undefined || secret.every((byte) => byte === 0));
  }
});

Deno.test("curves: both judge the same of signatures at the edge of what RFC 8032 says", () => {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const [seed, message] = [randomBytes(32), randomBytes(10)];
  const publicKey = denoCurves.ed25519PublicKey(seed);
  const signature = denoCurves.ed25519Sign(seed, message);
  // s + L is the same number modulo L: to accept it would make two signatures of one.
  const malleable = signature.slice();
  let sum = littleEndian(signature.subarray(32)) + order;
  for (let at = 32; at < 64; at++, sum >>= 8n) malleable[at] = Number(sum & 255n);
  const identity = new Uint8Array(32);
  identity[0] = 1;
  const forged = new Uint8Array(64);
  forged[0] = 1;
  const cases = [
    [publicKey, malleable],
    [publicKey, signature.subarray(0, 63)],
    [new Uint8Array(32).fill(255), signature],
    [publicKey, new Uint8Array(64)],
  ] as const;
  for (const [key, signed] of cases) {
    for (const { ed25519Verify } of [denoCurves, webCurves]) {
      assert.ok(!(refusedOr(() => ed25519Verify(key, message, signed)) ?? false));
    }
  }
  assert.equal(
    refusedOr(() => webCurves.ed25519Verify(identity, message, forged)) ?? false,
    refusedOr(() => denoCurves.ed25519Verify(identity, message, forged)) ?? false,
  );
});

Deno.test("curves: both judge the same of keys with a part of small order, whose owner can sign", () => {
  const { Point } = ed25519;
  const order = Point.Fn.ORDER;
  // A point of order 8 (RFC 7748 has its Montgomery form).
  const torsion = Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
  const scalar = littleEndian(randomBytes(32)) % order;
  const nonce = littleEndian(randomBytes(32)) % order;
  const mixed = Point.BASE.multiply(scalar).add(torsion);
  const judged = new Set<boolean>();
  for (const start of [Point.BASE.multiply(nonce), Point.BASE.multiply(nonce).add(torsion)]) {
    for (let round = 0; round < 24; round++) {
      const message = Uint8Array.of(round);
      const [r, key] = [start.toBytes(), mixed.toBytes()];
      const h = littleEndian(sha512(new Uint8Array([...r, ...key, ...message]))) % order;
      let s = (nonce + h * scalar) % order;
      const signature = new Uint8Array(64);
      signature.set(r);
      for (let at = 32; at < 64; at++, s >>= 8n) signature[at] = Number(s & 255n);
      const verdicts = [denoCurves, webCurves]
        .map(({ ed25519Verify }) =>
          refusedOr(() => ed25519Verify(key, message, signature)) ?? false
        );
      assert.equal(verdicts[1], verdicts[0], `round ${round}`);
      judged.add(verdicts[0] as boolean);
    }
  }
  assert.deepEqual([...judged].sort(), [false, true]);
});

function refusedOr<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum << 8n | BigInt(byte), 0n);
}

Deno.test("curves: who signs many messages signs as who signs one, also when its seed is gone", () => {
  const seed = randomBytes(32);
  const [first, second] = [randomBytes(10), randomBytes(200)];
  const expected = [first, second].map((message) => denoCurves.ed25519Sign(seed, message));
  for (const { ed25519Signer } of [denoCurves, webCurves]) {
    const given = seed.slice();
    const sign = ed25519Signer(given);
    given.fill(0);
    assert.deepEqual([first, second].map(sign), expected);
  }
});

Deno.test("curves: an answer to a share is a fresh key each time, and both sides have its secret", () => {
  const privateKey = randomBytes(32);
  const share = denoCurves.x25519PublicKey(privateKey);
  const answers = [denoCurves, webCurves, denoCurves].map(({ x25519Answer }) =>
    x25519Answer(share)
  );
  for (const { publicKey, secret } of answers) {
    assert.deepEqual(denoCurves.x25519Secret(privateKey, publicKey), secret);
  }
  assert.equal(new Set(answers.map(({ publicKey }) => denoBytes.toHex(publicKey))).size, 3);
});
