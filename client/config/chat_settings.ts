// What a user may set for their own eyes while the chat runs: one table. /set, Tab and docs/CLIENT.md derive from it.

import { UsageError } from "../../shared/base/errors.ts";
import { closest } from "../../shared/text/closest.ts";
import { quote } from "../../shared/base/sanitize.ts";

/** One setting. */
export interface SettingRow {
  readonly help: string;
  readonly fallback: string;
  /** All that it may be; absent where it is a number or free. */
  readonly values?: readonly string[];
  /** Some of what it may be, where it may be a file as well. */
  readonly known?: readonly string[];
  /** The largest number that it may be, from 0; absent where it is none. */
  readonly max?: number;
  /** Form of a value that is neither, as /help shows it. */
  readonly form?: string;
}

const SWITCH = ["on", "off"] as const;

/** Every setting. */
export const SETTINGS = {
  theme: {
    form: "auto, dark, light, mono or FILE",
    known: ["auto", "dark", "light", "mono"],
    fallback: "auto",
    help: "colors; auto asks the terminal for its background",
  },
  time: {
    values: ["seconds", "minutes", "off"],
    fallback: "seconds",
    help: "how much of the time is shown before a line",
  },
  numbers: {
    values: ["auto", "on", "off"],
    fallback: "auto",
    help: "whether a message has its number before it; auto: with --plain only if you see it again",
  },
  joins: {
    values: ["folded", "all", "off"],
    fallback: "folded",
    help: "who joins and leaves: counted together, one line each, or not at all",
  },
  reactions: {
    values: ["folded", "all", "off"],
    fallback: "folded",
    help: "reactions to messages: counted together, one line each, or not at all",
  },
  others: {
    values: ["show", "count"],
    fallback: "show",
    help: "what is said in your other rooms: shown with its room, or counted until you go there",
  },
  links: {
    values: SWITCH,
    fallback: "on",
    help: "whether the terminal may make web addresses clickable (OSC 8)",
  },
  markup: {
    values: SWITCH,
    fallback: "off",
    help: "whether words between stars are bold, and words between underscores italic",
  },
  fold: {
    max: 1_000,
    fallback: "20",
    help: "rows of a message before the rest waits for /more; 0 shows all",
  },
  bell: {
    values: ["off", "mention", "all"],
    fallback: "mention",
    help: "when the terminal's bell rings",
  },
  notice: {
    values: ["off", "osc9", "osc777"],
    fallback: "off",
    help: "a notice on the desktop when the bell would ring, in the form your terminal takes",
  },
  title: {
    values: SWITCH,
    fallback: "off",
    help: "whether the window's title names your room and counts what is unread, as in (2!) den",
  },
  highlight: {
    form: "WORD, WORD …",
    fallback: "",
    help: "words that count as a mention, besides your name",
  },
  typing: {
    values: SWITCH,
    fallback: "off",
    help: "whether others see that you are typing, and you see who is",
  },
  keys: {
    values: ["emacs", "vi"],
    fallback: "emacs",
    help: "which editor's keys the input line has",
  },
  paste: {
    max: 1_000,
    fallback: "5",
    help: "how many lines of a paste are sent without asking; 0 never asks",
  },
} as const satisfies Readonly<Record<string, SettingRow>>;

/** Name of a setting. */
export type SettingName = keyof typeof SETTINGS;

/** What a setting may be. */
export type SettingValue<N extends SettingName> = typeof SETTINGS[N] extends
  { readonly values: readonly (infer V)[] } ? V : string;

/** Names in the order of the table. */
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** `NAME=VALUE` of each value that has a word, as --set takes it. */
export function settingChoices(): readonly string[] {
  return Object.entries<SettingRow>(SETTINGS).flatMap(([name, { values, known }]) =>
    (values ?? known ?? []).map((value) => `${name}=${value}`)
  );
}

/** The form of a setting's value, as it is shown. */
export function formOf(name: SettingName): string {
  const row: SettingRow = SETTINGS[name];
  return row.form ?? row.values?.join(", ") ?? `0 to ${row.max}`;
}

/** One user's settings; in memory only. */
export class ChatSettings {
  /** Those that are of use here, in the order of the table. */
  readonly names: readonly SettingName[];
  readonly #values = new Map<SettingName, string>();
  readonly #listeners = new Map<SettingName, ((value: string) => void)[]>();

  /** `without`: those of a terminal, where there is none. */
  constructor(without: readonly SettingName[] = []) {
    this.names = SETTING_NAMES.filter((name) => !without.includes(name));
  }

  /** The setting of this name, if it is of use here. Throws UsageError. */
  named(typed: string): SettingName {
    const name = parseSettingName(typed);
    if (this.names.includes(name)) return name;
    throw new UsageError(`Cannot set ${name} here: it is for terminals`, {
      hint: "/set lists all",
    });
  }

  /** What it is. */
  get<N extends SettingName>(name: N): SettingValue<N> {
    return (this.#values.get(name) ?? SETTINGS[name].fallback) as SettingValue<N>;
  }

  /** What it is, as a number. */
  count(name: "fold" | "paste"): number {
    return Number(this.get(name));
  }

  /** Sets it to what was typed. Throws UsageError; what a listener throws leaves it as it was. */
  set(name: SettingName, typed: string): void {
    const value = parseSetting(name, typed);
    for (const listener of this.#listeners.get(name) ?? []) listener(value);
    this.#values.set(name, value);
  }

  /** Sets several, from `name=value;name=value`. Throws UsageError. */
  setAll(list: string): void {
    for (const part of list.split(";").map((part) => part.trim()).filter(Boolean)) {
      const [, name = "", value = ""] = /^([^=]*?)\s*=\s*(.*)$/s.exec(part) ?? [, part];
      this.set(this.named(name), value);
    }
  }

  /** Calls `listener` with every new value, before it counts; what it throws refuses the value. */
  onChange(name: SettingName, listener: (value: string) => void): void {
    this.#listeners.set(name, [...this.#listeners.get(name) ?? [], listener]);
  }
}

/** The setting of this name. Throws UsageError. */
export function parseSettingName(typed: string): SettingName {
  const name = SETTING_NAMES.find((known) => known === typed.toLowerCase());
  if (name !== undefined) return name;
  const meant = closest(typed.toLowerCase(), SETTING_NAMES);
  throw new UsageError(`Cannot set ${quote(typed)}: there is no such setting`, {
    hint: meant === undefined ? "/set lists all" : `did you mean ${meant}?`,
  });
}

function parseSetting(name: SettingName, typed: string): string {
  const row: SettingRow = SETTINGS[name];
  const isFree = row.values === undefined && row.max === undefined;
  if (isFree) return typed;
  const value = typed.toLowerCase();
  const fits = row.values?.includes(value) ??
    (/^\d{1,6}$/.test(value) && Number(value) <= (row.max ?? 0));
  if (fits) return row.max === undefined ? value : String(Number(value));
  throw new UsageError(`Cannot set ${name} to ${quote(typed)}: expected ${formOf(name)}`);
}
