// What --tls, --ca-file and --tls-insecure mean for a connection.

import { ConfigError } from "../../shared/base/errors.ts";
import type { ClientConfig } from "../config/read_options.ts";
import type { TlsSettings } from "./endpoint.ts";
import { quotePath } from "../files/file_access.ts";
import { readTrustedFile } from "../files/trusted_file.ts";

const PEM_CERTIFICATE =
  /-----BEGIN CERTIFICATE-----\s+[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----/g;
const FILE_MAX_BYTES = 4_194_304;

/** Whom TLS trusts; undefined where TLS was not asked for. Throws ConfigError for a file that cannot be used. */
export async function readTlsSettings(
  config: Pick<ClientConfig, "tls" | "ca-file" | "tls-insecure">,
): Promise<TlsSettings | undefined> {
  const { tls, "ca-file": path, "tls-insecure": insecure } = config;
  if (path !== undefined) return { caCerts: await readCertificates(path), insecure };
  return tls || insecure ? { caCerts: [], insecure } : undefined;
}

async function readCertificates(path: string): Promise<string[]> {
  const trouble = `Cannot read the certificates in ${quotePath(path)}`;
  const read = { path, trouble, max: FILE_MAX_BYTES, isSecret: false };
  const text = new TextDecoder().decode((await readTrustedFile(read)).bytes);
  const found = text.match(PEM_CERTIFICATE);
  if (found !== null) return found;
  throw new ConfigError(`${trouble}: it holds no certificate in PEM`, {
    hint: "the file begins with -----BEGIN CERTIFICATE-----; a key does not belong here",
  });
}
