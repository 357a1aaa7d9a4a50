// Who the server is: read from a file of the operator's, or made at start and gone at the end.

import {
  generateIdentity,
  identityFromText,
  identityToText,
  type ServerIdentity,
} from "../shared/crypto/identity.ts";
import { ConfigError } from "../shared/errors.ts";
import { fileReason } from "./tls_files.ts";

/** The identity in the file, or a fresh one where none is named. Throws ConfigError. */
export async function openIdentity(path: string | undefined): Promise<ServerIdentity> {
  if (path === undefined) return await generateIdentity();
  const trouble = `Cannot use --identity-file ${JSON.stringify(path)}`;
  let text: string;
  try {
    refuseOpenToAll(Deno.statSync(path), path);
    text = Deno.readTextFileSync(path);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(`${trouble}: ${fileReason(cause)}`, { cause });
  }
  return await identityFromText(text);
}

/** A fresh identity as the text that `openIdentity` reads. */
export async function newIdentityText(): Promise<string> {
  return await identityToText(await generateIdentity());
}

// Others' read and write bits; a group's are left alone, since service managers hand secrets to a group.
function refuseOpenToAll(info: Deno.FileInfo, path: string): void {
  if (info.mode === null || Deno.build.os === "windows" || (info.mode & 0o006) === 0) return;
  throw new ConfigError(
    `Cannot use --identity-file ${
      JSON.stringify(path)
    }: every user of this machine may read or change it`,
    { hint: `chmod 600 ${JSON.stringify(path)}` },
  );
}
