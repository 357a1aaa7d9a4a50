// Whether the process can open another file or socket.

/** False when no file descriptor is left: accepting then fails, and Deno's node:net listener never accepts again. */
export function fileHandlesLeft(): boolean {
  try {
    // The cheapest file to open; where it does not exist, the answer is always true.
    Deno.readFileSync("/dev/null");
    return true;
  } catch (error) {
    // Deno has no error class for EMFILE and ENFILE.
    return !/\(os error 2[34]\)/.test(String(error));
  }
}
