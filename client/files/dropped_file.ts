// A file that was dropped onto the terminal arrives as a pasted path, quoted in the terminal's own way.

import { pathCandidates } from "./typed_path.ts";

const LONGEST = 4_096;
// A path from the root or from home, quoted or not, or a file's URL: what no sentence begins with.
const LOOKS_DROPPED = /^\s*["']?(?:\/|~\/|file:\/\/|[a-z]:\\|\\\\)/i;

/** The line that offers the file, where the pasted text is the path of one, and what to say about it. */
export function droppedFile(
  text: string,
  home: string | undefined,
): { readonly text: string; readonly hint: string } | undefined {
  if (text.length > LONGEST || text.includes("\n") || !LOOKS_DROPPED.test(text)) return undefined;
  const windows = Deno.build.os === "windows";
  if (!pathCandidates(text, { home, windows }).some(isFile)) return undefined;
  return {
    text: `/send ${text.trim()}`,
    hint: "Enter offers this file to the room; Ctrl-_ makes it the pasted text again",
  };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    // Not there, or not ours to see: then it is text.
    return false;
  }
}
