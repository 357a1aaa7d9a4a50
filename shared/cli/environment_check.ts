// Variables of the environment that look like a program's and are not: misspelled ones, and those of the other program.

import { ConfigError } from "../base/errors.ts";
import { closest } from "../text/closest.ts";

/** What a program reads, and what it may see of its environment. */
export interface EnvironmentView {
  /** Variables that the program reads. */
  readonly own: readonly string[];
  /** Variables that only the other program reads. */
  readonly others: { readonly reader: string; readonly names: readonly string[] };
  readonly env: (name: string) => string | undefined;
  /** Names of all variables; undefined where the program may ask for names of its own only. */
  readonly all: readonly string[] | undefined;
}

/** A variable that is set and has no effect. */
export interface StrayVariable {
  readonly variable: string;
  /** A sentence without a full stop. */
  readonly why: string;
  /** The variable of this program that was probably meant. */
  readonly meant: string | undefined;
}

const PREFIX = "CMDCHAT_";
/** Variables that builds, packages and tests of this project read. */
const ELSEWHERE = new Set([
  "CMDCHAT_BUILT_FROM",
  "CMDCHAT_PUBLISH",
  "CMDCHAT_RELEASE_CACHE",
  "CMDCHAT_WRITE_SCREENS",
]);

/** Variables of this prefix that are set, are not empty, and that the program does not read. */
export function strayVariables({ own, others, env, all }: EnvironmentView): StrayVariable[] {
  const known = new Set(own);
  const candidates = all?.filter((name) => name.startsWith(PREFIX)) ??
    [...others.names, ...own.flatMap(slipsOf)];
  return [...new Set(candidates)]
    .filter((name) => !known.has(name) && !ELSEWHERE.has(name) && isSet(name, env))
    .map((name) =>
      others.names.includes(name) ? ofOther(name, own, others.reader) : misspelled(name, own)
    )
    .sort((a, b) => a.variable < b.variable ? -1 : 1);
}

/** Whether it has a value, be it one that is no text: what is not read cannot be at fault. */
function isSet(name: string, env: EnvironmentView["env"]): boolean {
  try {
    return Boolean(env(name));
  } catch (error) {
    if (error instanceof ConfigError) return true;
    throw error;
  }
}

function ofOther(variable: string, own: readonly string[], reader: string): StrayVariable {
  const singular = (name: string) => name.replaceAll(/S(?=_|$)/g, "");
  const meant = own.find((name) => singular(name) === singular(variable));
  const instead = meant === undefined ? "" : `; ${meant} is read here`;
  return { variable, meant, why: `only the ${reader} reads it${instead}` };
}

function misspelled(variable: string, own: readonly string[]): StrayVariable {
  const bare = (name: string) => name.slice(PREFIX.length);
  const found = closest(bare(variable), own.map(bare));
  const meant = found === undefined ? undefined : PREFIX + found;
  const instead = meant === undefined ? "" : `; did you mean ${meant}?`;
  return { variable, meant, why: `there is no such variable${instead}` };
}

/** What a name becomes by a slip of the hand: a letter or underscore lost, doubled or swapped, an S too many. */
function slipsOf(name: string): string[] {
  const slips = [`${name}S`];
  for (let at = PREFIX.length; at < name.length; at++) {
    const [before, letter, after] = [name.slice(0, at), name.charAt(at), name.slice(at + 1)];
    slips.push(before + after, before + letter + letter + after);
    slips.push(before + after.charAt(0) + letter + after.slice(1));
  }
  return slips;
}
