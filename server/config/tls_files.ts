// Certificate and key for TLS, checked at start so that a mistake is one clear error and not a port without service.

import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { ConfigError } from "../../shared/base/errors.ts";
import { type CertificateKind, certificateKind } from "./certificate_key.ts";
import { type NamedFile, readTrustedFile } from "./secret_file.ts";

/** PEM texts that belong together. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** The same after the checks, with facts for the log. */
export interface CheckedTls extends TlsFiles {
  /** When the certificate expires, ms since 1970. */
  readonly expiresAt: number;
  /** Whether the file lacks the certificate of the issuing authority. */
  readonly lacksIssuer: boolean;
}

/** Reads and checks both files at the time `now` (ms). Throws ConfigError with the file and the fault. */
export function readTlsFiles(certfile: string, keyfile: string, now: number): CheckedTls {
  const cert = readPem({
    option: "--certfile",
    path: certfile,
    wanted: /-----BEGIN CERTIFICATE-----/,
    what: "a certificate",
  });
  const key = readPem({
    option: "--keyfile",
    path: keyfile,
    wanted: /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/,
    what: "a private key",
    isSecret: true,
  });
  const chain = blocksOf(cert, "CERTIFICATE");
  const [first = cert] = chain;
  const certificate = parse("--certfile", certfile, () => new X509Certificate(first));
  const der = derOf(first);
  refuseLocked(keyfile, key);
  checkDates(certificate, certfile, now);
  const { spki } = checkKind(der, certfile);
  // Other blocks, such as EC PARAMETERS, and text between blocks are not passed to the TLS library.
  const own = blocksOf(key, "(?:[A-Z]+ )?PRIVATE KEY")[0] ?? key;
  checkPair(spki, { certfile, keyfile, key: own });
  return {
    cert: chain.join("\n"),
    key: own,
    expiresAt: new Date(certificate.validTo).getTime(),
    lacksIssuer: chain.length === 1 && isIssuedByAuthority(certificate, der),
  };
}

// id-ad-caIssuers, 1.3.6.1.5.5.7.48.2, as DER writes it.
const CA_ISSUERS_OID = Buffer.from("06082b06010505073002", "hex");

function blocksOf(pem: string, label: string): string[] {
  return pem.match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----\\n?`, "g")) ??
    [];
}

/** Certificates of public authorities tell where their issuer's certificate is (RFC 5280 §4.2.2.1). */
function isIssuedByAuthority({ issuer, subject }: X509Certificate, der: Buffer): boolean {
  return issuer !== subject && der.includes(CA_ISSUERS_OID);
}

/** The DER of a PEM block; the runtime's X509Certificate may not offer it. */
function derOf(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
}

function checkKind(der: Uint8Array, certfile: string): CertificateKind {
  const trouble = `Cannot use --certfile ${JSON.stringify(certfile)}`;
  const kind = parse("--certfile", certfile, () => certificateKind(der));
  const { version, key, isServed } = kind;
  if (version !== 3) {
    throw new ConfigError(`${trouble}: it is an X.509 version ${version} certificate`, {
      hint: "clients take version 3 only: make it again with extensions, such as subjectAltName",
    });
  }
  if (isServed) return kind;
  throw new ConfigError(`${trouble}: this server cannot use its key (${key})`, {
    hint: "use a key of EC (P-256, P-384, P-521), Ed25519, or RSA with 2048 to 8192 bits",
  });
}

/** A PEM file, and what it must hold. */
export interface PemFile extends NamedFile {
  readonly wanted: RegExp;
  /** The content in words, such as `a certificate`. */
  readonly what: string;
  readonly isSecret?: boolean;
}

/** The text of a PEM file without a byte order mark. Throws ConfigError that names option, file and fault. */
export function readPem({ option, path, wanted, what, isSecret = false }: PemFile): string {
  // The decoder removes a byte order mark.
  const text = new TextDecoder().decode(readTrustedFile({ option, path }, isSecret));
  if (wanted.test(text)) return text;
  throw new ConfigError(
    `Cannot use ${option} ${JSON.stringify(path)}: it does not hold ${what} in PEM`,
  );
}

// Both formats of a key under a passphrase: PKCS #8, and OpenSSL's older one.
const LOCKED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

function refuseLocked(keyfile: string, key: string): void {
  if (!LOCKED.test(key)) return;
  throw new ConfigError(
    `Cannot use --keyfile ${JSON.stringify(keyfile)}: it is protected by a passphrase`,
    {
      hint: `nobody can type it when a server starts: openssl pkey -in ${
        JSON.stringify(keyfile)
      } -out plain.pem, readable by its user only`,
    },
  );
}

function parse<T>(option: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new ConfigError(`Cannot use ${option} ${JSON.stringify(path)}: its PEM text is damaged`, {
      cause,
    });
  }
}

function checkDates(certificate: X509Certificate, certfile: string, now: number): void {
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  const trouble = `Cannot use --certfile ${JSON.stringify(certfile)}`;
  if (now > to.getTime()) {
    throw new ConfigError(`${trouble}: it expired on ${to.toISOString().slice(0, 10)}`);
  }
  if (now < from.getTime()) {
    throw new ConfigError(
      `${trouble}: it is valid only from ${from.toISOString().slice(0, 10)} on`,
      {
        hint: "is this machine's clock right?",
      },
    );
  }
}

function checkPair(
  spki: Uint8Array,
  files: { certfile: string; keyfile: string; key: string },
): void {
  const own = parse(
    "--keyfile",
    files.keyfile,
    () => createPublicKey(createPrivateKey(files.key)),
  );
  if (!own.export({ type: "spki", format: "der" }).equals(spki)) {
    throw new ConfigError(
      `Cannot use --keyfile ${JSON.stringify(files.keyfile)}: it is not the key of ` +
        `--certfile ${JSON.stringify(files.certfile)}`,
    );
  }
}
