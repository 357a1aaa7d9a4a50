// The user's device key and the people they know, where they asked for that; nothing is read or written otherwise.

import { ConfigError, CryptoError } from "../../shared/base/errors.ts";
import type { DeviceKey } from "../../shared/crypto/device_key.ts";
import { readVariable } from "../../shared/cli/environment.ts";
import { printError } from "../base/exit.ts";
import type { ClientConfig } from "../config/read_options.ts";
import { readKeyPassphrase } from "../config/read_secrets.ts";
import { besideSettings } from "../config/settings_file.ts";
import { type OwnPeople, strangers } from "../people/own_people.ts";
import type { UserSide } from "./open_console.ts";

type PeopleConfig = Pick<
  ClientConfig,
  "device-key" | "device-key-passphrase-file" | "known-people"
>;

const TRIES = 3;
const UNPROTECTED =
  "--device-key-passphrase-file has no effect: the device key has no passphrase, " +
  "and anybody who can read its file has it";

/** Reads both files, and asks for the key's passphrase where it has one. Throws ConfigError, UsageError or CryptoError. */
export async function openPeople(
  config: PeopleConfig,
  side: Pick<UserSide, "console" | "canAsk" | "isPerson">,
): Promise<OwnPeople> {
  const { "device-key": keyPath, "known-people": knownPath } = config;
  if (keyPath === undefined && knownPath === undefined) return strangers();
  const device = keyPath === undefined ? undefined : await openKey(keyPath, config, side);
  const path = knownPath ?? besideSettings("known_people", readVariable);
  if (path === undefined) return { ...strangers(), device };
  const { openKnownPeople } = await import("../people/known_people_file.ts");
  return { device, known: await openKnownPeople({ path, makesFolder: knownPath === undefined }) };
}

async function openKey(
  path: string,
  config: PeopleConfig,
  { console, canAsk, isPerson }: Pick<UserSide, "console" | "canAsk" | "isPerson">,
): Promise<DeviceKey> {
  const { openDeviceKey, readDeviceKey } = await import("../people/device_key_file.ts");
  const stored = await readDeviceKey(path);
  const notice = (text: string) => isPerson ? console.print(text) : printError(text);
  if (stored.kind === "open") {
    if (config["device-key-passphrase-file"] !== undefined) notice(`warning: ${UNPROTECTED}`);
    return stored.key;
  }
  const ask = canAsk ? console.ask.bind(console) : undefined;
  for (let left = TRIES;; left--) {
    let isTyped = false;
    const passphrase = await readKeyPassphrase(config, {
      env: readVariable,
      warn: (text) => notice(`warning: ${text}`),
      ...(ask === undefined ? {} : {
        ask: (question, options) => {
          isTyped = true;
          return ask(question, options);
        },
      }),
    });
    if (passphrase === undefined) {
      throw new ConfigError("Cannot use the device key: no passphrase was given", {
        hint: "CMDCHAT_DEVICE_KEY_PASSPHRASE or --device-key-passphrase-file FILE",
      });
    }
    try {
      return await openDeviceKey(stored.bytes, passphrase);
    } catch (error) {
      if (!(error instanceof CryptoError) || !isTyped || left === 1) throw error;
      notice("That is not the passphrase of the device key.");
    }
  }
}
