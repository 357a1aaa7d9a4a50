// A file that was dropped onto the terminal arrives as a pasted path, quoted in the terminal's own way.

import { pathCandidates, pathWords } from "./typed_path.ts";

const LONGEST = 4_096;
/** More cannot be on their way at once. */
const DROPPED_MAX = 4;
// A path from the root or from home, quoted or not, or a file's URL: what no sentence begins with.
const LOOKS_DROPPED = /^\s*["']?(?:\/|~\/|file:\/\/|[a-z]:\\|\\\\)/i;

/** The line that offers the files, where the pasted text is the path of one or several, and what to say about it. */
export function droppedFile(
  text: string,
  home: string | undefined,
): { readonly text: string; readonly hint: string } | undefined {
  if (text.length > LONGEST || text.includes("\n") || !LOOKS_DROPPED.test(text)) return undefined;
  const windows = Deno.build.os === "windows";
  const isPath = (typed: string) => pathCandidates(typed, { home, windows }).some(isFile);
  const count = isPath(text) ? 1 : filesIn(pathWords(text, windows), isPath);
  if (count === 0) return undefined;
  const what = count === 1 ? "this file" : `these ${count} files`;
  return {
    text: `/send ${text.trim()}`,
    hint: `Enter offers ${what} to the room; Ctrl-_ makes it the pasted text again`,
  };
}

/** How many files these words are; 0 where one of them is none. */
function filesIn(words: readonly string[], isPath: (word: string) => boolean): number {
  return words.length <= DROPPED_MAX && words.every(isPath) ? words.length : 0;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    // Not there, or not ours to see: then it is text.
    return false;
  }
}
