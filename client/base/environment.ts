// The variables of the environment.

/** An environment variable; undefined where the program may not read it. */
export function readVariable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    // The executable may read only what it was compiled for; whoever asks for more does without.
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}
