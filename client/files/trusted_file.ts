// Files that decide whom the client trusts, or hold a secret: settings, known servers, certificates, tokens,
// passphrases. The rule is that of both programs (shared/base/file_trust.ts).

import { resolve } from "node:path";
import { ConfigError } from "../../shared/base/errors.ts";
import { folderFault, foldersOf, trustFault } from "../../shared/base/file_trust.ts";
import { quoteWhole } from "./file_access.ts";

/** Which file, and how its reader begins an error. */
export interface TrustedRead {
  readonly path: string;
  /** Such as `Cannot read the settings in "config.toml"`. */
  readonly trouble: string;
  /** Longest file in bytes; input from a device or a pipe is cut there, too. */
  readonly max: number;
  readonly isSecret: boolean;
}

/** A file that was read. */
export interface TrustedBytes {
  readonly bytes: Uint8Array;
  /** Permission bits; null where they say nothing: a pipe, a device, Windows. */
  readonly mode: number | null;
}

/** Reads the file. Throws ConfigError; isFileMissing() tells whether there is none. */
export async function readTrustedFile(read: TrustedRead): Promise<TrustedBytes> {
  const { path, trouble } = read;
  try {
    using file = await Deno.open(path, { read: true });
    const info = await file.stat();
    await refuseUntrusted(read, info);
    if (info.isFile && info.size > read.max) {
      throw new ConfigError(`${trouble}: it has ${info.size} bytes, at most ${read.max} are read`);
    }
    const hasMode = info.isFile && Deno.build.os !== "windows";
    return { bytes: await readBounded(file, read), mode: hasMode ? info.mode : null };
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(`${trouble}: ${reasonOf(cause)}`, { cause });
  }
}

async function refuseUntrusted(
  { path, trouble, isSecret }: TrustedRead,
  info: Deno.FileInfo,
): Promise<void> {
  const at = await Deno.lstat(path);
  const link = at.isSymlink ? at : undefined;
  const fault = trustFault({ file: info, link, uid: ownUid(), isSecret });
  if (fault === undefined) return info.isFile ? await refuseFolders({ path, trouble }) : undefined;
  throw new ConfigError(
    `${trouble}: ${fault.why}`,
    fault.command === undefined ? {} : { hint: `${fault.command} ${quoteWhole(path)}` },
  );
}

/** Both ways to the file are looked at: that of its path, and that behind all links. */
async function refuseFolders(
  { path, trouble }: Pick<TrustedRead, "path" | "trouble">,
): Promise<void> {
  const uid = ownUid();
  const ways = [resolve(path), await Deno.realPath(path)];
  for (const folder of new Set(ways.flatMap(foldersOf))) {
    const fault = folderFault(await Deno.stat(folder), uid);
    if (fault === undefined) continue;
    const hint = `${fault.command ?? "ls -ld"} ${quoteWhole(folder)}`;
    throw new ConfigError(`${trouble}: ${fault.why}`, { hint });
  }
}

/** The user of this process; undefined where it may not ask, and on Windows. */
function ownUid(): number | undefined {
  if (Deno.permissions.querySync({ name: "sys", kind: "uid" }).state !== "granted") {
    return undefined;
  }
  return Deno.uid() ?? undefined;
}

async function readBounded(file: Deno.FsFile, { trouble, max }: TrustedRead): Promise<Uint8Array> {
  const bytes = new Uint8Array(max + 1);
  let filled = 0;
  while (filled < bytes.length) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  if (filled > max) throw new ConfigError(`${trouble}: it has more than ${max} bytes`);
  return bytes.slice(0, filled);
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Error && "code" in error && error.code === "ENOTDIR") {
    return "there is no such file";
  }
  if (error instanceof Deno.errors.PermissionDenied) return "no permission to read it";
  if (error instanceof Deno.errors.NotCapable) return "this program was started without that right";
  return "the system refused";
}

/** Whether a ConfigError of readTrustedFile() says that there is no such file. */
export function isFileMissing(error: unknown): boolean {
  if (!(error instanceof ConfigError)) return false;
  const { cause } = error;
  return cause instanceof Deno.errors.NotFound ||
    (cause instanceof Error && "code" in cause && cause.code === "ENOTDIR");
}
