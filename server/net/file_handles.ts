// Whether the process can open another file or socket.

// A worker that starts opens some ten; the rest is for NATS, the admin pages, and files that are read again.
const WORKER_HANDLES = 16;
const RESERVED = WORKER_HANDLES + 12;
// Opening one takes 5 to 50 µs, once at a start. A higher limit is not probed.
const PROBED_MOST = 1_100;

let probed: number | undefined;

/** How many files or sockets can be opened, up to `most`. */
export function countFileHandles(most: number): number {
  const opened: Deno.FsFile[] = [];
  try {
    while (opened.length < most) opened.push(Deno.openSync("/dev/null"));
    return most;
  } catch (error) {
    return isWithoutHandles(error) ? opened.length : most;
  } finally {
    for (const file of opened) file.close();
  }
}

/** Whether a worker can start: Deno 2.9 ends the whole process where one finds no file descriptor. */
export function canStartWorker(): boolean {
  return countFileHandles(WORKER_HANDLES) === WORKER_HANDLES;
}

/** Most connections of clients at once: `asked`, or what the system left for them when this was asked first. */
export function connectionsMax(asked: number): number {
  probed ??= countFileHandles(PROBED_MOST);
  return probed === PROBED_MOST ? asked : Math.min(asked, Math.max(probed - RESERVED, 1));
}

/** False when no file descriptor is left: accepting then fails, and Deno's node:net listener never accepts again. */
export function fileHandlesLeft(): boolean {
  try {
    // The cheapest file to open; where it does not exist, the answer is always true.
    Deno.readFileSync("/dev/null");
    return true;
  } catch (error) {
    return !isWithoutHandles(error);
  }
}

// Deno has no error class for EMFILE and ENFILE.
function isWithoutHandles(error: unknown): boolean {
  return /\(os error 2[34]\)/.test(String(error));
}
