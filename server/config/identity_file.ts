// The server's identity: from the operator's file, or generated at start and gone at the end.

import {
  generateIdentity,
  identityFromText,
  identityToText,
  type ServerIdentity,
} from "../../shared/crypto/identity.ts";
import { readSecretFile, troubleWith } from "./secret_file.ts";

/** The identity in the file; without a file, that of the process before, or a new one. Throws ConfigError. */
export async function openIdentity(
  path: string | undefined,
  inherited?: string,
): Promise<ServerIdentity> {
  if (path === undefined && inherited !== undefined) return await identityFromText(inherited);
  if (path === undefined) return await generateIdentity();
  const option = "--identity-file";
  return await identityFromText(readSecretFile(option, path), troubleWith({ option, path }));
}

/** A new identity as the text that `openIdentity` reads. */
export async function newIdentityText(): Promise<string> {
  return await identityToText(await generateIdentity());
}
