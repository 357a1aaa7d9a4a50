// What several test files of one run need built, and one of them builds.

/** Where the tests of one run keep what they built, for each other; see tests/run.ts. */
const SHARED = Deno.env.get("BUILT_FOR_TESTS");
const POLL_MS = 100;

/**
 * The path of what `build` makes at the path that it gets: made once in a run of all tests. Where the tests do not share
 * what they build there is none, and the caller builds for itself.
 */
export async function builtOnce(
  name: string,
  build: (path: string) => Promise<void>,
): Promise<string | undefined> {
  if (SHARED === undefined) return undefined;
  const kept = `${SHARED}/${name}`;
  const folder = `${kept}.building`;
  while (!await exists(kept)) {
    // Whoever makes the folder builds, and removes it; the others wait.
    if (!await makeFolder(folder)) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      continue;
    }
    try {
      if (await exists(kept)) continue;
      await build(`${folder}/${name}`);
      await Deno.rename(`${folder}/${name}`, kept);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  return kept;
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

/** False where it is there already. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    await Deno.mkdir(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}
