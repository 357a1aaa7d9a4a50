// A server's identity in a file, as `cmdchat-server keygen` prints it.

import { newIdentityText } from "../../../server/config/identity_file.ts";

/** A file that is gone at the end of its scope. */
export interface IdentityFile extends AsyncDisposable {
  readonly path: string;
}

/** Writes `text` (a new identity where it is left out) into a file of its own. */
export async function makeIdentity(text?: string, mode = 0o600): Promise<IdentityFile> {
  const path = await Deno.makeTempFile({ prefix: "cmdchat-identity-" });
  await Deno.writeTextFile(path, text ?? await newIdentityText());
  await Deno.chmod(path, mode);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}
