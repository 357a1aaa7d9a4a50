// Whether the process can open anything more.

/** False when no file handle is left: accepting then fails, and Deno's node:net listener stays silent for good. */
export function fileHandlesLeft(): boolean {
  try {
    // The cheapest thing to open; where it does not exist, this asks nothing.
    Deno.readFileSync("/dev/null");
    return true;
  } catch (error) {
    // EMFILE and ENFILE have no class of their own.
    return !/\(os error 2[34]\)/.test(String(error));
  }
}
