// Where a secret comes from: one rule for the history's passphrase and the token. docs/OPERATIONS.md lists the options.

import { ConfigError, UsageError } from "../../shared/base/errors.ts";
import { quotePath } from "../files/file_access.ts";

/** Asks the user at the terminal; undefined where there is none or the user gave up. */
export type Ask = (question: string, options: { hidden: true }) => Promise<string | undefined>;

/** The places of one secret, in the order in which they count; a place that is undefined is not in use. */
export interface SecretPlaces {
  /** What the secret is, as the user calls it: `history passphrase`, `token`. */
  readonly name: string;
  readonly flag?: { readonly option: string; readonly value: string | undefined };
  readonly environment?: { readonly variable: string; readonly value: string | undefined };
  readonly file?: { readonly option: string; readonly path: string | undefined };
  /** What the settings file says. */
  readonly setting?: string | undefined;
  readonly ask?: Ask;
  /** Told in one sentence why the flag is the worst of these places. */
  readonly warn: (text: string) => void;
}

/** More than any secret that a person keeps in a file; bounds what is read from a device or a pipe. */
const MAX_SECRET_FILE_BYTES = 65_536;

/**
 * The secret from flag, environment variable, file, settings or prompt, the first that is in use; undefined where none is.
 * Throws UsageError for an empty one and ConfigError for a file that cannot be used; neither holds the secret.
 */
export async function readSecret(places: SecretPlaces): Promise<string | undefined> {
  const { name, flag, environment, file, ask, warn } = places;
  if (flag?.value !== undefined) {
    warn(
      `${flag.option} shows the ${name} to everyone who can list this machine's processes; ` +
        `better: ${betterPlaces(places)}`,
    );
    return refuseEmpty(flag.value, name, flag.option);
  }
  // An empty variable counts as unset: that is how compose files and units express "none".
  if (environment?.value) return environment.value;
  if (file?.path !== undefined) return await readSecretFile(name, file.option, file.path);
  if (places.setting !== undefined) return refuseEmpty(places.setting, name, "the settings file");
  const answer = await ask?.(`${capitalised(name)}: `, { hidden: true });
  return answer === undefined ? undefined : refuseEmpty(answer, name, "the prompt");
}

async function readSecretFile(name: string, option: string, path: string): Promise<string> {
  const trouble = `Cannot read the ${name} from ${quotePath(path)}`;
  let text: string;
  try {
    using handle = await Deno.open(path, { read: true });
    const info = await handle.stat();
    if (info.isDirectory) throw new ConfigError(`${trouble}: it is a folder, a file is wanted`);
    refuseOpenToAll(info, trouble, path);
    text = await readFirstLine(handle, trouble);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${trouble}: ${reasonOf(error)}`, { cause: error });
  }
  return refuseEmpty(text, name, `the first line of ${option}`);
}

function refuseOpenToAll(info: Deno.FileInfo, trouble: string, path: string): void {
  // Others' read and write bits. The group's are left alone: Docker, systemd and Kubernetes hand secrets to a group.
  if (info.mode === null || Deno.build.os === "windows" || (info.mode & 0o006) === 0) return;
  throw new ConfigError(`${trouble}: every user of this machine may read or change it`, {
    hint: `chmod 600 ${quotePath(path)}`,
  });
}

async function readFirstLine(handle: Deno.FsFile, trouble: string): Promise<string> {
  const bytes = new Uint8Array(MAX_SECRET_FILE_BYTES);
  let filled = 0;
  while (filled < bytes.length && !bytes.subarray(0, filled).includes(0x0a)) {
    const count = await handle.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  const newline = bytes.subarray(0, filled).indexOf(0x0a);
  if (newline < 0 && filled === bytes.length) {
    throw new ConfigError(
      `${trouble}: its first line has more than ${MAX_SECRET_FILE_BYTES} bytes`,
    );
  }
  const line = bytes.subarray(0, newline < 0 ? filled : newline);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(line).replace(/\r$/, "");
  } catch {
    throw new ConfigError(`${trouble}: its first line is not UTF-8 text`);
  }
}

function refuseEmpty(secret: string, name: string, origin: string): string {
  if (secret !== "") return secret;
  throw new UsageError(`Cannot use the ${name} of ${origin}: it is empty, a text is wanted`);
}

function betterPlaces({ environment, file, ask }: SecretPlaces): string {
  const places = [environment?.variable, file?.option, ask && "the prompt (leave the option out)"];
  return places.filter((place) => place !== undefined).join(", ");
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "no permission to read it";
  if (error instanceof Deno.errors.NotCapable) return "this program was started without that right";
  return "the system refused";
}
