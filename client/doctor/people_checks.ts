// What doctor looks at where the user wants to be known again: the device key, and the people they know.

import { quotePath } from "../files/file_access.ts";
import { readDeviceKey } from "../people/device_key_file.ts";
import { openKnownPeople } from "../people/known_people_file.ts";
import { keyDigits } from "../people/key_rows.ts";
import { toHex } from "#platform/bytes.ts";
import { type Check, failed, ok } from "./check.ts";

/** Both files, as far as they are in use; a passphrase is not asked for. */
export async function checkPeople(
  { device, known }: { readonly device: string | undefined; readonly known: string | undefined },
): Promise<Check[]> {
  return [
    ...(device === undefined ? [] : [await attempt("device key", () => aboutKey(device))]),
    ...(known === undefined ? [] : [await attempt("known people", () => aboutPeople(known))]),
  ];
}

async function attempt(name: string, look: () => Promise<string>): Promise<Check> {
  try {
    return ok(name, await look());
  } catch (error) {
    return failed(name, error);
  }
}

async function aboutKey(path: string): Promise<string> {
  const stored = await readDeviceKey(path);
  const what = stored.kind === "open"
    ? `no passphrase, ${keyDigits(toHex(stored.key.publicKey))}`
    : "under a passphrase";
  return `${quotePath(path)}: ${what}`;
}

async function aboutPeople(path: string): Promise<string> {
  const { all } = await openKnownPeople({ path, makesFolder: false });
  return `${quotePath(path)}: ${all.length === 1 ? "1 person" : `${all.length} people`}`;
}
