// Certificate and key for TLS, checked at start so that a mistake is one clear error and not a dead port.

import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { ConfigError } from "../../shared/base/errors.ts";
import { type NamedFile, readTrustedFile } from "./secret_file.ts";

/** PEM texts that belong together. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** Reads and checks both files at the time `now` (ms). Throws ConfigError that names the file and the fault. */
export function readTlsFiles(certfile: string, keyfile: string, now: number): TlsFiles {
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
  const certificate = parse("--certfile", certfile, () => new X509Certificate(cert));
  refuseLocked(keyfile, key);
  checkDates(certificate, certfile, now);
  checkPair(certificate, { certfile, keyfile, key });
  return { cert, key };
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
  // A byte order mark is not part of the text, and the decoder cuts it.
  const text = new TextDecoder().decode(readTrustedFile({ option, path }, isSecret));
  if (wanted.test(text)) return text;
  throw new ConfigError(
    `Cannot use ${option} ${JSON.stringify(path)}: it does not hold ${what} in PEM`,
  );
}

// Both ways to write a key under a passphrase: PKCS #8, and OpenSSL's older one.
const LOCKED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

function refuseLocked(keyfile: string, key: string): void {
  if (!LOCKED.test(key)) return;
  throw new ConfigError(
    `Cannot use --keyfile ${JSON.stringify(keyfile)}: it is under a passphrase`,
    {
      hint: `a server starts without anybody to ask: openssl pkey -in ${
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
  certificate: X509Certificate,
  files: { certfile: string; keyfile: string; key: string },
): void {
  const own = parse(
    "--keyfile",
    files.keyfile,
    () => createPublicKey(createPrivateKey(files.key)),
  );
  const theirs = certificate.publicKey;
  const spki = { type: "spki", format: "der" } as const;
  if (!own.export(spki).equals(theirs.export(spki))) {
    throw new ConfigError(
      `Cannot use --keyfile ${JSON.stringify(files.keyfile)}: it is not the key of ` +
        `--certfile ${JSON.stringify(files.certfile)}`,
    );
  }
}
