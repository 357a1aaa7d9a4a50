import { type SystemFile, type SystemProgram, whyMissing } from "./system_needs.ts";

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
  return skipIf(condition ? undefined : reason);
}

/** The same by the reason itself: Deno.test where there is none. */
export function skipIf(reason: string | undefined): NamedTest {
  // Itself: reports name the file that calls it, which tests/run.ts runs again.
  if (reason === undefined) return Deno.test;
  return (name, fn) => Deno.test({ name: `${name} [skipped: ${reason}]`, ignore: true, fn });
}

/** The same by what a test uses of the system: programs and files of SYSTEM_NEEDS. */
export function skipWithout(...needed: readonly (SystemProgram | SystemFile)[]): NamedTest {
  return skipIf(whyMissing(...needed));
}

/** The same where a test also looks into /proc, which tells of processes on Linux alone. */
export function skipWithoutProc(...needed: readonly (SystemProgram | SystemFile)[]): NamedTest {
  return skipIf(Deno.build.os === "linux" ? whyMissing(...needed) : "needs /proc");
}
