// A path as a person gives it: typed, pasted from a shell, or dropped onto the terminal, which quotes it in its own way.

import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where a path was typed. */
export interface TypedPathOptions {
  /** For `~/`; undefined where unknown. */
  readonly home?: string | undefined;
  /** Backslashes separate folders instead of escaping a character. */
  readonly windows: boolean;
}

/** What `typed` may mean, the most literal first, without repeats; none where it is blank. */
export function pathCandidates(typed: string, options: TypedPathOptions): readonly string[] {
  const trimmed = typed.trim();
  if (trimmed === "") return [];
  const unquoted = unquote(trimmed, options.windows);
  const fromUrl = pathOfUrl(unquoted, options.windows);
  // A quoted ~ stands for itself in a shell, but nobody who drops a file into a chat means that.
  const candidates = [trimmed, unquoted, ...(fromUrl === undefined ? [] : [fromUrl])];
  return [...new Set(candidates.map((path) => expandHome(path, options.home)))].filter(Boolean);
}

/** The words of `typed` as a shell splits it, each with its quotes; so terminals paste several files that are dropped. */
export function pathWords(typed: string, windows: boolean): readonly string[] {
  const words: string[] = [];
  let word = "";
  let quote: string | undefined;
  for (let i = 0; i < typed.length; i++) {
    const c = typed[i]!;
    if (quote === undefined && /\s/.test(c)) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    word += c;
    if (c === "\\" && !windows && quote !== "'" && i + 1 < typed.length) word += typed[++i]!;
    else if (c === quote) quote = undefined;
    else if (quote === undefined && (c === '"' || (c === "'" && !windows))) quote = c;
  }
  return word === "" ? words : [...words, word];
}

/** Takes away the quotes and backslashes of a POSIX shell; blanks stay as they are. */
function unquote(text: string, windows: boolean): string {
  let out = "";
  let quote: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === "\\" && !windows && quote !== "'" && i + 1 < text.length) {
      const next = text[++i]!;
      out += quote === undefined || /["\\$`]/.test(next) ? next : c + next;
    } else if (c === quote) quote = undefined;
    else if (quote === undefined && (c === '"' || (c === "'" && !windows))) quote = c;
    else out += c;
  }
  return out;
}

function pathOfUrl(text: string, windows: boolean): string | undefined {
  if (!/^file:\/\//i.test(text)) return undefined;
  try {
    return fileURLToPath(text, { windows });
  } catch (error) {
    // A host, an encoded slash: then it is no path of this machine.
    if (error instanceof TypeError || error instanceof URIError) return undefined;
    throw error;
  }
}

function expandHome(path: string, home: string | undefined): string {
  if (home === undefined || !/^~(?:[/\\]|$)/.test(path)) return path;
  return join(home, path.slice(1));
}
