// `cmdchat-client keygen [FILE]`: makes the user's device key, and says what it is and what using it means.

import { parseCommandLine } from "../../shared/cli/command_line.ts";
import { ConfigError, UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { generateDeviceKey } from "../../shared/crypto/device_key.ts";
import { StdoutLines } from "../base/stdout_lines.ts";
import { printError } from "../base/exit.ts";
import { KEYGEN_OPTIONS } from "../config/client_options.ts";
import type { LinkInput } from "../config/read_options.ts";
import { readKeyPassphrase } from "../config/read_secrets.ts";
import { besideSettings } from "../config/settings_file.ts";
import { LineConsole } from "../console/line_console.ts";
import { quotePath } from "../files/file_access.ts";
import { deviceKeyText, refuseExisting, writeDeviceKey } from "../people/device_key_file.ts";
import { keyRows } from "../people/key_rows.ts";
import { openLineIo } from "../terminal/tty.ts";

const ABOUT = [
  "People who know these can recognize you: show the key only where you want that.",
  "Used with --device-key, it tells all members of a room that you are the same",
  "person as in your other rooms, yesterday and tomorrow; in a plain room the",
  "server can tell too. Anybody with the file can be you: if it is lost or stolen,",
  "make a new one and have your people /verify you again.",
];

/** Makes the key, and gives the exit code. Throws UsageError or ConfigError. */
export async function runKeygen(input: LinkInput): Promise<number> {
  const { values, positionals: [typed, surplus] } = parseCommandLine(KEYGEN_OPTIONS, input);
  if (surplus !== undefined) {
    throw new UsageError(`Cannot use ${quote(surplus)}: keygen takes one FILE`);
  }
  if (typed === "-") {
    throw new UsageError("Cannot write the device key to standard output: it is a secret", {
      hint: "name a FILE; ./- is one of that name",
    });
  }
  const path = typed ?? besideSettings("device_key", input.env);
  if (path === undefined) {
    throw new ConfigError("Cannot write the device key: there is no home folder", {
      hint: "cmdchat-client keygen FILE says where",
    });
  }
  const makesFolder = typed === undefined;
  await refuseExisting(path);
  const passphrase = await newPassphrase(values, input.env);
  const key = generateDeviceKey();
  await writeDeviceKey(path, await deviceKeyText(key, passphrase), { makesFolder });
  const stdout = new StdoutLines();
  const how = passphrase === undefined
    ? "without a passphrase: anybody who can read the file has it"
    : "protected by your passphrase";
  stdout.print(`Your device key is in ${quotePath(path)}, ${how}.`);
  for (const row of keyRows(key.publicKey)) stdout.print(row);
  for (const row of ABOUT) stdout.print(row);
  await stdout.flush();
  return 0;
}

/** The passphrase of variable or file, or as a person types it twice; undefined: none. */
async function newPassphrase(
  values: { readonly "device-key-passphrase-file": string | undefined },
  env: (name: string) => string | undefined,
): Promise<string | undefined> {
  const sources = { env, warn: (text: string) => printError(`warning: ${text}`) };
  const given = await readKeyPassphrase(values, sources);
  if (given !== undefined) return given;
  const io = openLineIo();
  if (io.setEcho === undefined) return undefined;
  const console = new LineConsole(io);
  try {
    for (;;) {
      const first = await ask(console, "Passphrase (Enter: none):");
      if (first === "") return undefined;
      if (await ask(console, "The same again:") === first) return first;
      printError("The passphrases differ. Type them again:");
    }
  } finally {
    await console.close();
  }
}

async function ask(console: LineConsole, question: string): Promise<string> {
  const answer = await console.ask(question, { hidden: true });
  if (answer === undefined) throw new UsageError("No key was made: you gave up");
  return answer;
}
