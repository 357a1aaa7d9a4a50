// An RSA key that its holder opens in a tenth of the usual time. A client's part of a handshake costs 2 ms, nearly all of
// it RSA: with a usual key the clients of a load, and not the server, would be what is measured. The server sees a key
// like any other. It is of many small primes and therefore worth nothing: for loads alone.

import { sha256 } from "../../../shared/crypto/hkdf.ts";

const HASH_BYTES = 32;
const EXPONENT = 65_537n;
const KEY_BITS = 2_048;
const LARGEST = 2 ** 26;
// Every prime of the key is one more than a divisor of this product, so that the private exponent is below it.
const FACTORS = [2, 2, 2, 2, 3, 3, 5, 7, 11, 13, 17, 19, 23, 29];

/** A public key, and what opens what was wrapped to it. */
export interface CheapRsa {
  /** SPKI. */
  readonly pem: string;
  /** The message in `wrapped`, RSA-OAEP with SHA-256 and no label. */
  open(wrapped: Uint8Array): Uint8Array;
}

/** Makes the key, the same each time. */
export function makeCheapRsa(): CheapRsa {
  const order = FACTORS.reduce((product, factor) => product * BigInt(factor), 1n);
  const modulus = makeModulus();
  const exponent = inverse(EXPONENT, order);
  return {
    pem: pemOf(modulus),
    open: (wrapped) => decodeOaep(toBytes(power(toBigInt(wrapped), exponent, modulus))),
  };
}

function makeModulus(): bigint {
  let modulus = 1n;
  for (const prime of primes()) {
    const next = modulus * BigInt(prime);
    const { length } = next.toString(2);
    if (length > KEY_BITS) continue;
    modulus = next;
    if (length === KEY_BITS) return modulus;
  }
  throw new Error("no product of the primes has the size of the key");
}

/** Larger ones first. */
function primes(): number[] {
  let divisors = [1];
  for (const factor of FACTORS) {
    divisors = [...new Set([...divisors, ...divisors.map((divisor) => divisor * factor)])];
  }
  return divisors.map((divisor) => divisor + 1)
    .filter((n) => n > 2 && n < LARGEST && isPrime(n))
    .sort((a, b) => b - a);
}

function isPrime(n: number): boolean {
  if (n % 2 === 0) return false;
  for (let divisor = 3; divisor * divisor <= n; divisor += 2) if (n % divisor === 0) return false;
  return true;
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value, modulus, 1n, 0n];
  while (b !== 0n) [a, b, x, y] = [b, a % b, y, x - a / b * y];
  return (x % modulus + modulus) % modulus;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = result * square % modulus;
    square = square * square % modulus;
  }
  return result;
}

function decodeOaep(encoded: Uint8Array): Uint8Array {
  const block = encoded.slice(1 + HASH_BYTES);
  const seed = encoded.slice(1, 1 + HASH_BYTES);
  mask(seed, block);
  mask(block, seed);
  return block.slice(block.indexOf(1, HASH_BYTES) + 1);
}

function mask(bytes: Uint8Array, seed: Uint8Array): void {
  for (let at = 0; at < bytes.length; at++) {
    const counter = at / HASH_BYTES;
    const block = at % HASH_BYTES === 0 ? sha256(seed, Uint8Array.of(0, 0, 0, counter)) : undefined;
    block?.slice(0, bytes.length - at).forEach((byte, i) => bytes[at + i] = bytes[at + i]! ^ byte);
  }
}

function pemOf(modulus: bigint): string {
  const head = "30820122300d06092a864886f70d01010105000382010f003082010a0282010100";
  const der = fromHex(`${head}${modulus.toString(16)}0203010001`);
  return `-----BEGIN PUBLIC KEY-----\n${
    btoa(String.fromCharCode(...der))
  }\n-----END PUBLIC KEY-----\n`;
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytes.toHex()}`);
}

function toBytes(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(KEY_BITS / 4, "0"));
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.fromHex(text);
}
