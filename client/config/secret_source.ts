// Where a secret comes from: one rule for the history's passphrase and the token. docs/OPERATIONS.md lists the options.

import { ConfigError, UsageError } from "../../shared/base/errors.ts";
import { readSecretBytes, readSecretText, type SecretText } from "../../shared/text/secret_text.ts";
import { quotePath } from "../files/file_access.ts";
import { readTrustedFile } from "../files/trusted_file.ts";

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
  const set = environment?.value && fromVariable(environment.variable, environment.value);
  if (set) return set;
  if (file?.path !== undefined) return await readSecretFile(name, file.option, file.path);
  if (places.setting !== undefined) return refuseEmpty(places.setting, name, "the settings file");
  const answer = await ask?.(`${capitalised(name)}: `, { hidden: true });
  return answer === undefined ? undefined : refuseEmpty(answer, name, "the prompt");
}

async function readSecretFile(name: string, option: string, path: string): Promise<string> {
  const trouble = `Cannot read the ${name} from ${quotePath(path)}`;
  const max = MAX_SECRET_FILE_BYTES;
  const { bytes } = await readTrustedFile({ path, trouble, max, isSecret: true });
  return refuseEmpty(
    firstLine(readSecretBytes(bytes), trouble),
    name,
    `the first line of ${option}`,
  );
}

/** The secret in a variable: one line, without what surrounds it. Throws ConfigError that does not repeat it. */
function fromVariable(variable: string, value: string): string | undefined {
  return firstLine(readSecretText(value), `Cannot use ${variable}`) || undefined;
}

function firstLine(read: SecretText, trouble: string): string {
  if ("fault" in read) throw new ConfigError(`${trouble}: ${read.fault}`);
  return read.lines[0]?.text ?? "";
}

function refuseEmpty(secret: string, name: string, origin: string): string {
  if (secret !== "") return secret;
  throw new UsageError(`Cannot use the ${name} of ${origin}: it is empty`);
}

function betterPlaces({ environment, file, ask }: SecretPlaces): string {
  const places = [environment?.variable, file?.option, ask && "the prompt (leave the option out)"];
  return places.filter((place) => place !== undefined).join(", ");
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
