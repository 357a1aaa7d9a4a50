// Reads the version and the key type of a DER certificate (RFC 5280). The runtime's own reader gives a misleading
// error, or crashes, for a certificate that it cannot serve; so the type is checked here first.

/** The parts of a certificate that decide whether a server can use it. */
export interface CertificateKind {
  /** The version; clients accept only 3 today. */
  readonly version: number;
  /** Its public key in words, such as `RSA with 2048 bits`. */
  readonly key: string;
  /** Whether the runtime can serve such a key. */
  readonly isServed: boolean;
  /** Its SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
}

const TAG = { integer: 0x02, oid: 0x06, sequence: 0x30, version: 0xa0 } as const;
const RSA_BITS = { min: 2_048, max: 8_192 } as const;

/** Key algorithms by their object identifiers in hex (RFC 3279, 5480, 8410, 4055). */
const ALGORITHMS: Readonly<Record<string, string>> = {
  "2a864886f70d010101": "RSA",
  "2a864886f70d01010a": "RSA-PSS",
  "2a8648ce3d0201": "EC",
  "2b6570": "Ed25519",
  "2b6571": "Ed448",
};

const CURVES: Readonly<Record<string, { readonly name: string; readonly isServed: boolean }>> = {
  "2a8648ce3d030107": { name: "P-256", isServed: true },
  "2b81040022": { name: "P-384", isServed: true },
  "2b81040023": { name: "P-521", isServed: true },
  "2b8104000a": { name: "secp256k1", isServed: false },
};

/** Reads version and key. Throws RangeError where the bytes are not a certificate. */
export function certificateKind(der: Uint8Array): CertificateKind {
  const tbs = children(children(read(der, 0).content)[0]?.content ?? new Uint8Array());
  const version = tbs[0]?.tag === TAG.version ? 3 : 1;
  // Serial, signature, issuer, validity and subject come before the key.
  const { bytes: spki = new Uint8Array(), content } = tbs[version === 3 ? 6 : 5] ?? NOTHING;
  const info = children(content);
  const [algorithm, parameter] = children(info[0]?.content ?? new Uint8Array());
  const bits = info[1]?.content ?? new Uint8Array();
  return { version, spki, ...keyKind(hexOf(algorithm), hexOf(parameter), bits) };
}

function keyKind(
  algorithm: string,
  parameter: string,
  bitString: Uint8Array,
): Pick<CertificateKind, "key" | "isServed"> {
  const name = ALGORITHMS[algorithm];
  if (name === "RSA") {
    const bits = rsaBits(bitString);
    const isServed = bits >= RSA_BITS.min && bits <= RSA_BITS.max;
    return { key: `RSA with ${bits} bits`, isServed };
  }
  if (name === "EC") {
    const curve = CURVES[parameter];
    return {
      key: `EC on ${curve?.name ?? "an unknown curve"}`,
      isServed: curve?.isServed ?? false,
    };
  }
  return { key: name ?? "an unknown algorithm", isServed: name === "Ed25519" };
}

/** Bits of the modulus, the first element of the sequence in the bit string. */
function rsaBits(bitString: Uint8Array): number {
  const [modulus] = children(read(bitString, 1).content);
  const bytes = modulus?.content ?? new Uint8Array();
  const first = bytes.findIndex((byte) => byte !== 0);
  if (first < 0) return 0;
  return (bytes.length - first) * 8 - Math.clz32(bytes[first] ?? 0) + 24;
}

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** The whole element with its header. */
  readonly bytes: Uint8Array;
  readonly end: number;
}

const NOTHING = { bytes: undefined, content: new Uint8Array() };

/** One element of DER (X.690) at `at`. */
function read(bytes: Uint8Array, at: number): Element {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined) throw new RangeError("DER ends too early");
  const count = first < 0x80 ? 0 : first & 0x7f;
  let length = first < 0x80 ? first : 0;
  if (count > 4) throw new RangeError("a DER element is too long");
  for (let n = 0; n < count; n++) length = length * 256 + (bytes[at + 2 + n] ?? 0);
  const start = at + 2 + count;
  if (start + length > bytes.length) throw new RangeError("DER ends too early");
  const end = start + length;
  return { tag, content: bytes.subarray(start, end), bytes: bytes.subarray(at, end), end };
}

function children(bytes: Uint8Array): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; at = elements.at(-1)?.end ?? Infinity) {
    elements.push(read(bytes, at));
  }
  return elements;
}

function hexOf(element: Element | undefined): string {
  if (element?.tag !== TAG.oid) return "";
  return Array.from(element.content, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
