// The settings file: options that somebody does not want to type every day, and profiles of servers. It is read and
// never written. docs/CLIENT.md describes it; ADR 15 has the format.

import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { closest } from "../../shared/text/closest.ts";
import { type OptionTable, type Setting } from "../../shared/cli/command_line.ts";
import { ConfigError, UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { CLIENT_OPTIONS } from "./client_options.ts";
import { COMMON_OPTIONS } from "./connection_options.ts";
import { quotePath, quoteWhole } from "../files/file_access.ts";
import { isFileMissing, readTrustedFile } from "../files/trusted_file.ts";
import { ChatSettings as ChatSettings, parseSettingName, SETTING_NAMES } from "./chat_settings.ts";
import { lineOf } from "./toml_lines.ts";

const BELOW_SET = "it belongs below [set]";
const FILE_MAX_BYTES = 1_048_576;
/** The table whose tables are profiles. */
const PROFILES = "server";
/** Tables of the user's habits: commands and keys of their own, each with an example of a line. */
const ALIASES = "alias";
const KEYS = "keys";
const HABITS = { [ALIASES]: 'hi = "/me waves"', [KEYS]: '"ctrl-o" = "/names"' } as const;
/** The option that may be a table of what /set sets. */
const CHAT_SETTINGS = "set";

/** What a file of settings says. */
export interface SettingsFile {
  readonly path: string;
  /** Names of its profiles. */
  readonly profiles: readonly string[];
  /** `[alias]`: names of commands of the user's own, without the slash, and what they stand for. */
  readonly aliases: ReadonlyMap<string, Setting>;
  /** `[keys]`: keys of the user's own, and what each does. */
  readonly keys: ReadonlyMap<string, Setting>;
  /** The chosen profile's value of an option, or the general one. */
  readonly find: (option: string) => Setting | undefined;
}

/** Where the settings are looked for. */
export interface SettingsInput {
  readonly args: readonly string[];
  readonly env: (name: string) => string | undefined;
}

/** A table of values; `name` is undefined at the top of the file. */
interface Section {
  readonly name: string | undefined;
  readonly values: ReadonlyMap<string, Setting>;
}

/** Options that may stand in the file: all that are no switch of a single call. */
const SETTABLE: OptionTable = Object.fromEntries(
  Object.entries<OptionTable[string]>(CLIENT_OPTIONS)
    .filter(([name, row]) => !(name in COMMON_OPTIONS) && (row.env ?? row.secret) !== undefined),
);

/**
 * Reads the file of --config, CMDCHAT_CONFIG, or the usual place; undefined where there is none. Throws ConfigError
 * that names file and line, and UsageError for a profile that is not there.
 */
export async function openSettings(input: SettingsInput): Promise<SettingsFile | undefined> {
  const asked = askedFor(input);
  const path = asked.config ?? defaultSettingsPath(input.env);
  const file = path === undefined
    ? undefined
    : await readSettingsFile(path, asked.config !== undefined);
  if (path === undefined || file === undefined) {
    if (asked.profile !== undefined) throw unknownProfile(asked.profile, [], path);
    return undefined;
  }
  const { parse, TomlError } = await import("smol-toml");
  let document: Record<string, unknown>;
  try {
    document = parse(file.text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Its first line says what is wrong; the others repeat the file, which may hold secrets.
    const [what = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw new ConfigError(`Cannot read line ${error.line} of ${quotePath(path)}: ${what}`, {
      cause: error,
      hint: 'a line looks like  name = "alice"  with quotes around texts',
    });
  }
  const reader = new SettingsReader(path, file.text);
  const general = reader.section(document, undefined);
  const profiles = reader.profiles(document[PROFILES]);
  const aliases = reader.habits(ALIASES, document[ALIASES]);
  const keys = reader.habits(KEYS, document[KEYS]);
  refuseShownSecrets(path, file.mode, [general, ...profiles]);
  return settingsOf({ path, general, profiles, aliases, keys, asked });
}

/** `$XDG_CONFIG_HOME/cmdchat/config.toml`, or below ~/.config; undefined where there is no home. */
export function defaultSettingsPath(env: SettingsInput["env"]): string | undefined {
  const home = env("HOME") ?? env("USERPROFILE");
  const xdg = env("XDG_CONFIG_HOME");
  // The specification has relative paths ignored.
  const folder = xdg?.startsWith("/")
    ? xdg
    : home === undefined
    ? undefined
    : join(home, ".config");
  return folder === undefined ? undefined : join(folder, "cmdchat", "config.toml");
}

/** The servers that were remembered with `/remember`, beside the settings; undefined where there is no home. */
export function defaultKnownServersPath(env: SettingsInput["env"]): string | undefined {
  return besideSettings("known_servers", env);
}

/** A file beside the settings: the device key, the people it knows; undefined where there is no home. */
export function besideSettings(
  name: "known_servers" | "known_people" | "device_key",
  env: SettingsInput["env"],
): string | undefined {
  const settings = defaultSettingsPath(env);
  return settings === undefined ? undefined : join(dirname(settings), name);
}

interface Asked {
  readonly config: string | undefined;
  readonly profile: string | undefined;
}

function askedFor({ args, env }: SettingsInput): Asked {
  const options = { config: { type: "string" }, profile: { type: "string" } } as const;
  const { values } = parseArgs({ args: [...args], options, strict: false });
  const one = (name: "config" | "profile", variable: string) => {
    const typed = values[name];
    // An option without its value is for parseCommandLine() to refuse.
    return typeof typed === "string" ? typed : env(variable) || undefined;
  };
  return { config: one("config", "CMDCHAT_CONFIG"), profile: one("profile", "CMDCHAT_PROFILE") };
}

interface SettingsText {
  readonly text: string;
  readonly mode: number | null;
}

/** The text of the file; undefined where there is none and nobody asked for it. Throws ConfigError. */
async function readSettingsFile(path: string, isAsked: boolean): Promise<SettingsText | undefined> {
  const trouble = `Cannot read the settings in ${quotePath(path)}`;
  try {
    const max = FILE_MAX_BYTES;
    const { bytes, mode } = await readTrustedFile({ path, trouble, max, isSecret: false });
    return { text: new TextDecoder().decode(bytes), mode };
  } catch (error) {
    if (isFileMissing(error) && !isAsked) return undefined;
    throw error;
  }
}

/** Turns tables of the file into sections, and says where something is wrong. */
class SettingsReader {
  readonly #path: string;
  readonly #text: string;

  constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  section(table: Record<string, unknown>, name: string | undefined): Section {
    const values = new Map<string, Setting>();
    for (const [key, value] of Object.entries(table)) {
      if (name === undefined && (key === PROFILES || Object.hasOwn(HABITS, key))) continue;
      if (!Object.hasOwn(SETTABLE, key)) throw this.#unknown(key, name);
      values.set(key, {
        text: this.#textOf(key, value, name),
        place: this.#place(key, name),
        chosen: name !== undefined,
      });
    }
    return { name, values };
  }

  habits(kind: keyof typeof HABITS, table: unknown): ReadonlyMap<string, Setting> {
    if (table === undefined) return new Map();
    const wanted = `expected [${kind}] and lines such as  ${HABITS[kind]}`;
    if (!isTable(table)) {
      const place = this.#place(kind, undefined);
      // `/set keys vi` has the name of the table of keys.
      const isSet = kind === "keys" && typeof table === "string";
      throw new ConfigError(`Cannot use ${kind} in ${place}: ${isSet ? BELOW_SET : wanted}`);
    }
    return new Map(
      Object.entries(table).map(([name, text]) => {
        const place = this.#place(name, kind, "");
        if (typeof text === "string" && text.trim() !== "") {
          return [name, { text: text.trim(), place, chosen: false }] as const;
        }
        throw new ConfigError(`Cannot use ${quote(name)} in ${place}: ${wanted}`);
      }),
    );
  }

  profiles(table: unknown): Section[] {
    if (table === undefined) return [];
    const wanted = `expected [${PROFILES}.NAME] and its settings below`;
    if (!isTable(table)) {
      throw new ConfigError(
        `Cannot use ${PROFILES} in ${this.#place(PROFILES, undefined)}: ${wanted}`,
      );
    }
    return Object.entries(table).map(([name, values]) => {
      if (isTable(values)) return this.section(values, name);
      throw new ConfigError(
        `Cannot use ${quote(name)} in ${this.#place(name, PROFILES, "")}: ${wanted}`,
      );
    });
  }

  #place(key: string, name: string | undefined, prefix = `${PROFILES}.`): string {
    const section = name === undefined ? undefined : `${prefix}${name}`;
    const line = lineOf(this.#text, key, section);
    return line === undefined ? quotePath(this.#path) : `line ${line} of ${quotePath(this.#path)}`;
  }

  #textOf(key: string, value: unknown, name: string | undefined): string {
    if (key === CHAT_SETTINGS && isTable(value)) return this.#chatSettings(value, name);
    if (typeof value === "string") return value;
    if (typeof value === "boolean" || typeof value === "number" || typeof value === "bigint") {
      return String(value);
    }
    throw new ConfigError(
      `Cannot use ${key} in ${
        this.#place(key, name)
      }: expected a text in quotes, a number, true or false`,
    );
  }

  /** `[set]`: what /set sets, as --set takes it. */
  #chatSettings(table: Record<string, unknown>, name: string | undefined): string {
    const section = name === undefined ? CHAT_SETTINGS : `${PROFILES}.${name}.${CHAT_SETTINGS}`;
    const trial = new ChatSettings();
    return Object.entries(table).map(([key, value]) => {
      const place = this.#place(key, section, "");
      const text = typeof value === "boolean" ? (value ? "on" : "off") : String(value);
      if (typeof value === "object" || text.includes(";")) {
        throw new ConfigError(`Cannot use ${quote(key)} in ${place}: expected one value`);
      }
      try {
        trial.set(parseSettingName(key), text);
      } catch (cause) {
        if (!(cause instanceof UsageError)) throw cause;
        const meant = closest(key, SETTING_NAMES);
        throw new ConfigError(`${cause.message}, in ${place}`, {
          cause,
          ...(meant === undefined || meant === key ? {} : { hint: `did you mean ${meant}?` }),
        });
      }
      return `${key}=${text}`;
    }).join(";");
  }

  #unknown(key: string, name: string | undefined): ConfigError {
    const isOption = Object.hasOwn(CLIENT_OPTIONS, key);
    const words = [
      ...Object.keys(SETTABLE),
      ...(name === undefined ? [PROFILES, ...Object.keys(HABITS)] : []),
    ];
    const meant = closest(key, words);
    const isSet = SETTING_NAMES.some((setting) => setting === key);
    const why = isOption
      ? "it belongs on the command line only"
      : isSet
      ? BELOW_SET
      : "there is no such setting";
    const hint = meant === PROFILES ? `did you mean [${PROFILES}.NAME]?` : `did you mean ${meant}?`;
    return new ConfigError(
      `Cannot use ${quote(key)} in ${this.#place(key, name)}: ${why}`,
      isOption || isSet || meant === undefined ? {} : { hint },
    );
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Date);
}

function refuseShownSecrets(path: string, mode: number | null, sections: readonly Section[]): void {
  if (mode === null || (mode & 0o077) === 0) return;
  const trouble = `Cannot use the settings in ${quotePath(path)}`;
  const secret = sections.flatMap(({ values }) => [...values]).find(isSecret);
  if (secret === undefined) return;
  const [key, { place }] = secret;
  throw new ConfigError(`${trouble}: others may read the ${key} in ${place}`, {
    hint: `chmod 600 ${quoteWhole(path)}`,
  });
}

function isSecret([key, { text }]: readonly [string, Setting]): boolean {
  if (key === "link") return /[#&](?:token|secret)=/i.test(text);
  if (key === "proxy") return text.includes("@");
  return SETTABLE[key]?.secret === true;
}

interface SettingsParts {
  readonly path: string;
  readonly general: Section;
  readonly profiles: readonly Section[];
  readonly aliases: SettingsFile["aliases"];
  readonly keys: SettingsFile["keys"];
  readonly asked: Asked;
}

function settingsOf(
  { path, general, profiles, aliases, keys, asked }: SettingsParts,
): SettingsFile {
  const names = profiles.map(({ name }) => name ?? "");
  const profile = profiles.find(({ name }) => name === asked.profile);
  if (asked.profile !== undefined && profile === undefined) {
    throw unknownProfile(asked.profile, names, path);
  }
  return {
    path,
    profiles: names,
    aliases,
    keys,
    find: (option) => profile?.values.get(option) ?? general.values.get(option),
  };
}

function unknownProfile(
  name: string,
  names: readonly string[],
  path: string | undefined,
): UsageError {
  const meant = closest(name, names);
  const where = path === undefined ? "" : ` in ${quotePath(path)}`;
  return new UsageError(
    `Cannot use the profile ${quote(name)}: there is no [server.NAME] of this name${where}`,
    {
      hint: meant !== undefined
        ? `did you mean @${meant}?`
        : names.length > 0
        ? `there are: ${names.map((known) => `@${known}`).join(", ")}`
        : 'a profile is a line [server.work] with settings such as  host = "chat.example.org"  below it',
    },
  );
}
