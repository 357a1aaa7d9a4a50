// What several test files of one run need built, and one of them builds.

/** Where the tests of one run keep what they built, for each other; see tests/run.ts. */
const SHARED = Deno.env.get("BUILT_FOR_TESTS");

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
  // Whoever builds has the lock, and has it no longer however it ends; the others wait.
  using lock = await Deno.open(`${kept}.lock`, { create: true, write: true });
  await lock.lock(true);
  if (!await exists(kept)) {
    await Deno.mkdir(folder, { recursive: true });
    await build(`${folder}/${name}`);
    await Deno.rename(`${folder}/${name}`, kept);
  }
  return kept;
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}
