// Commands of the user's own: `[alias]` of the settings file. A line that begins with one is the line that it stands for.

import { ConfigError, UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { Setting } from "../../shared/cli/command_line.ts";
import { findSlashCommand } from "./dispatcher.ts";

const NAME = /^[\p{L}\p{N}][\p{L}\p{N}_-]{0,31}$/u;

/** What the user's own commands stand for. */
export class SlashAliases {
  readonly #texts = new Map<string, string>();

  /** Throws ConfigError for a name that a command has, or that none can have. */
  constructor(table: ReadonlyMap<string, Setting> = new Map()) {
    for (const [name, { text, place }] of table) {
      const fault = findSlashCommand(name) !== undefined
        ? `there is a command /${name}`
        : NAME.test(name)
        ? undefined
        : "expected letters and digits, without the slash";
      if (fault !== undefined) {
        throw new ConfigError(`Cannot use the alias ${quote(name)} in ${place}: ${fault}`);
      }
      this.#texts.set(name.toLowerCase(), text);
    }
  }

  /** What each stands for, by its name without the slash. */
  get texts(): ReadonlyMap<string, string> {
    return this.#texts;
  }

  /** Their names, without the slash. */
  get names(): readonly string[] {
    return [...this.#texts.keys()];
  }

  /** The line that is meant; what stands behind an alias comes behind its text. Throws UsageError for one of another. */
  expand(line: string): string {
    const { text, word, rest } = this.#find(line);
    if (text === undefined) return line;
    const other = this.#find(text);
    if (other.text === undefined) return text + rest;
    const self = `Cannot use "/${word}": it stands for "/${other.word}", an alias as well`;
    throw new UsageError(self, {
      hint: "an alias stands for a command or a text; /alias lists them",
    });
  }

  #find(line: string) {
    const [, word = "", rest = ""] = /^\/(\S+)([\s\S]*)$/.exec(line) ?? [];
    return { text: this.#texts.get(word.toLowerCase()), word, rest };
  }
}
