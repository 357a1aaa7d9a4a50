/** A test as Deno.test(name, fn) takes it. */
export type NamedTest = (
  name: string,
  fn: (context: Deno.TestContext) => void | Promise<void>,
) => void;

/**
 * Gives Deno.test, or, when the condition does not hold, a function that registers the test as skipped
 * with the reason at the end of its name, where tests/run.ts finds and prints it.
 */
export function skipUnless(condition: boolean, reason: string): NamedTest {
  // Itself: reports name the file that calls it, which tests/run.ts runs again.
  if (condition) return Deno.test;
  return (name, fn) => Deno.test({ name: `${name} [skipped: ${reason}]`, ignore: true, fn });
}

/** Whether a program of that name stands in a folder of PATH. */
export function hasProgram(name: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").filter(Boolean).some((folder) => {
    try {
      return Deno.statSync(`${folder}/${name}`).isFile;
    } catch {
      return false;
    }
  });
}
