// Files and variables that hold secrets or decide whom the server trusts. The rules for trusting a file and reading a
// secret are those of both programs (shared/base/file_trust.ts, shared/text/secret_text.ts).

import { resolve } from "node:path";
import { ConfigError } from "../../shared/base/errors.ts";
import {
  type FileFacts,
  folderFault,
  foldersOf,
  trustFault,
} from "../../shared/base/file_trust.ts";
import {
  readSecretBytes,
  readSecretText,
  type SecretLine,
  type SecretText,
} from "../../shared/text/secret_text.ts";

/** Longest file that the server reads at start. */
const FILE_MAX_BYTES = 1_048_576;

/** A file, and the option that names it. */
export interface NamedFile {
  readonly option: string;
  readonly path: string;
}

/** The bytes of a file. Throws ConfigError where it cannot be read, is too long or is not trusted. */
export function readTrustedFile(named: NamedFile, isSecret: boolean): Uint8Array {
  const trouble = troubleWith(named);
  try {
    refuseNamedPipe(named);
    using file = Deno.openSync(named.path, { read: true });
    refuseUntrusted(named, file.statSync(), isSecret);
    return readBounded(file, trouble);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(`${trouble}: ${reasonOf(cause)}`, { cause });
  }
}

/** The text of a secret file, unchanged. Throws ConfigError. */
export function readSecretFile(option: string, path: string): string {
  const named = { option, path };
  const bytes = readTrustedFile(named, true);
  const read = readSecretBytes(bytes);
  if ("fault" in read) throw new ConfigError(`${troubleWith(named)}: ${read.fault}`);
  return new TextDecoder().decode(bytes);
}

/** The lines of a secret file that are not empty. Throws ConfigError. */
export function readSecretLines(option: string, path: string): readonly SecretLine[] {
  const named = { option, path };
  return linesOf(readSecretBytes(readTrustedFile(named, true)), troubleWith(named));
}

/** The lines of a variable that are not empty. Throws ConfigError that does not repeat it. */
export function secretVariableLines(variable: string, text: string): readonly SecretLine[] {
  return linesOf(readSecretText(text), `Cannot use ${variable}`);
}

/** A variable that holds one secret; undefined where it is not set or blank. Throws ConfigError. */
export function readSecretVariable(
  env: (name: string) => string | undefined,
  variable: string,
): string | undefined {
  const [secret, surplus] = secretVariableLines(variable, env(variable) ?? "");
  if (surplus === undefined) return secret?.text;
  throw new ConfigError(`Cannot use ${variable}: it has several lines, and must have one`);
}

function linesOf(read: SecretText, trouble: string): readonly SecretLine[] {
  if ("fault" in read) throw new ConfigError(`${trouble}: ${read.fault}`);
  return read.lines;
}

/** How an error about this file begins. */
export function troubleWith({ option, path }: NamedFile): string {
  return `Cannot use ${option} ${JSON.stringify(path)}`;
}

// Opening one waits until somebody writes into it: the start would hang in silence, and at SIGHUP the whole server. What
// the shell's <(command) makes has its writer, and is in a folder of this process's own.
function refuseNamedPipe(named: NamedFile): void {
  if (/^\/(dev|proc)\//.test(named.path) || !Deno.statSync(named.path).isFifo) return;
  throw new ConfigError(`${troubleWith(named)}: it is a pipe, which may never be written`, {
    hint: "name a file",
  });
}

function refuseUntrusted(named: NamedFile, file: FileFacts, isSecret: boolean): void {
  const at = Deno.lstatSync(named.path);
  const link = at.isSymlink ? at : undefined;
  const fault = trustFault({ file, link, uid: ownUid(), isSecret });
  if (fault === undefined) return file.isFile ? refuseFolders(named) : undefined;
  const { why, command } = fault;
  throw new ConfigError(
    `${troubleWith(named)}: ${why}`,
    command === undefined ? {} : { hint: `${command} ${JSON.stringify(named.path)}` },
  );
}

/** Checks both the path as given and the path with all symbolic links resolved. */
function refuseFolders(named: NamedFile): void {
  const uid = ownUid();
  const ways = [resolve(named.path), Deno.realPathSync(named.path)];
  for (const folder of new Set(ways.flatMap(foldersOf))) {
    const fault = folderFault(Deno.statSync(folder), uid);
    if (fault === undefined) continue;
    const { why, command } = fault;
    throw new ConfigError(
      `${troubleWith(named)}: ${why}`,
      { hint: `${command ?? "ls -ld"} ${JSON.stringify(folder)}` },
    );
  }
}

/** The user of this process; undefined on Windows and without the permission to ask. */
function ownUid(): number | undefined {
  if (Deno.permissions.querySync({ name: "sys", kind: "uid" }).state !== "granted") {
    return undefined;
  }
  return Deno.uid() ?? undefined;
}

function readBounded(file: Deno.FsFile, trouble: string): Uint8Array {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk = new Uint8Array(65_536);
    const count = file.readSync(chunk);
    if (count === null) break;
    length += count;
    if (length > FILE_MAX_BYTES) {
      throw new ConfigError(`${trouble}: it has more than ${FILE_MAX_BYTES} bytes`);
    }
    chunks.push(chunk.subarray(0, count));
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function reasonOf(cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) return "there is no such file";
  if (cause instanceof Deno.errors.PermissionDenied) return "this user may not read it";
  if (cause instanceof Deno.errors.NotCapable) return "this user may not read it";
  if (cause instanceof Deno.errors.IsADirectory) return "it is a folder, not a file";
  return "it cannot be read";
}
