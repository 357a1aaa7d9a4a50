// Files that hold secrets: read only where not every user of the machine may read them too.

import { ConfigError } from "../../shared/base/errors.ts";
import { fileReason } from "./tls_files.ts";

/** The text of the file that `option` names. Throws ConfigError where it cannot be read, or everybody could. */
export function readSecretFile(option: string, path: string): string {
  try {
    const info = Deno.statSync(path);
    if (info.isFile) refuseOpenToAll(info, { option, path });
    return Deno.readTextFileSync(path);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(`Cannot use ${option} ${JSON.stringify(path)}: ${fileReason(cause)}`, {
      cause,
    });
  }
}

// Others' read and write bits; a group's are left alone, since service managers hand secrets to a group.
function refuseOpenToAll(
  info: Deno.FileInfo,
  { option, path }: { readonly option: string; readonly path: string },
): void {
  if (info.mode === null || Deno.build.os === "windows" || (info.mode & 0o006) === 0) return;
  throw new ConfigError(
    `Cannot use ${option} ${
      JSON.stringify(path)
    }: every user of this machine may read or change it`,
    { hint: `chmod 600 ${JSON.stringify(path)}` },
  );
}
