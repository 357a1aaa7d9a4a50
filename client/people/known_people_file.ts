// `--known-people FILE`: the people that the user knows on the disk, the way SSH knows hosts. One line a person: date, key,
// name; names have spaces, so they come last. Lines that begin with # are comments. The file is replaced as a whole, under
// a lock, so that two clients may remember somebody at once.

import { dirname } from "node:path";
import { fromHex, toHex } from "#platform/bytes.ts";
import { decodeBase64Url, encodeBase64Url } from "../../shared/base/base64.ts";
import { ConfigError, LimitError } from "../../shared/base/errors.ts";
import { PROOF_BYTES } from "../../shared/crypto/device_key.ts";
import { nameKey, parseName } from "../../shared/text/names.ts";
import { quotePath, syncFolderOf } from "../files/file_access.ts";
import { isFileMissing, readTrustedFile } from "../files/trusted_file.ts";
import { KNOWN_PEOPLE_MAX } from "../base/limits.ts";
import { KnownPeople, type KnownPerson, type PeopleByName } from "./known_people.ts";

const FILE_MAX_BYTES = 262_144;
const KEY_PREFIX = "ed25519:";
const HEAD = "# cmdchat: people whose device keys were compared: date, key, name\n";

/** Where known people are kept. */
export interface PeopleFile {
  readonly path: string;
  /** Whether the folder is made where it is missing, as for the file beside the settings. */
  readonly makesFolder: boolean;
}

/** The people in the file; where there is none, nobody. Throws ConfigError. */
export async function openKnownPeople(file: PeopleFile): Promise<KnownPeople> {
  return new KnownPeople(await readPeople(file.path), {
    path: file.path,
    change: (change) => changeFile({ ...file, change }),
  });
}

async function readPeople(path: string): Promise<PeopleByName> {
  const trouble = `Cannot read the known people in ${quotePath(path)}`;
  const read = { path, trouble, max: FILE_MAX_BYTES, isSecret: false };
  let bytes: Uint8Array;
  try {
    bytes = (await readTrustedFile(read)).bytes;
  } catch (error) {
    if (isFileMissing(error)) return new Map();
    throw error;
  }
  const people = new Map() as PeopleByName;
  for (const [index, line] of new TextDecoder().decode(bytes).split("\n").entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const person = parseLine(line.trim());
    if (person === undefined || people.size >= KNOWN_PEOPLE_MAX) {
      const why = person === undefined
        ? `line ${index + 1} must be a date, a key and a name`
        : `it has more than ${KNOWN_PEOPLE_MAX} people`;
      throw new ConfigError(`${trouble}: ${why}`, { hint: HINT });
    }
    people.set(nameKey(person.name), person);
  }
  return people;
}

const HINT = "remove the wrong lines, then /verify again the people who are missing; " +
  "--known-people FILE uses another file";

function parseLine(line: string): KnownPerson | undefined {
  const [, date, encoded, typed] = /^(\d{4}-\d{2}-\d{2}) ed25519:(\S+) (.+)$/.exec(line) ?? [];
  if (date === undefined || encoded === undefined || typed === undefined) return undefined;
  const key = decodeBase64Url(encoded);
  if (key?.length !== PROOF_BYTES.key) return undefined;
  try {
    return { name: parseName(typed), key: toHex(key), date };
  } catch {
    return undefined; // No name of anybody: this program did not write it.
  }
}

function lineOf({ name, key, date }: KnownPerson): string {
  return `${date} ${KEY_PREFIX}${encodeBase64Url(fromHex(key))} ${name}\n`;
}

interface FileChange extends PeopleFile {
  readonly change: (people: PeopleByName) => void;
}

async function changeFile({ path, makesFolder, change }: FileChange): Promise<PeopleByName> {
  try {
    if (makesFolder) await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // Where a link leads to the file, the link stays.
    const place = await Deno.realPath(path).catch(() => path);
    const lock = await Deno.open(`${place}.lock`, { write: true, create: true, mode: 0o600 });
    try {
      await lock.lock(true);
      const people = await readPeople(path);
      change(people);
      await replace(place, HEAD + [...people.values()].map(lineOf).join(""));
      return people;
    } finally {
      lock.close();
    }
  } catch (cause) {
    if (cause instanceof ConfigError || cause instanceof LimitError) throw cause;
    throw new ConfigError(
      `Cannot change the known people in ${quotePath(path)}: the system refused`,
      { cause, hint: "its folder must exist, and be yours to write to" },
    );
  }
}

/** The whole new file or the whole old one, whenever the machine stops. */
async function replace(place: string, text: string): Promise<void> {
  const draft = `${place}.new`;
  await Deno.remove(draft).catch(() => {});
  try {
    using file = await Deno.open(draft, { write: true, createNew: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  } catch (error) {
    await Deno.remove(draft).catch(() => {});
    throw error;
  }
  await Deno.rename(draft, place);
  await syncFolderOf(place);
}
