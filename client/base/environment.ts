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

/** Names of all variables; undefined where the program may read its own alone. */
export function variableNames(): string[] | undefined {
  const isAllowed = Deno.permissions.querySync({ name: "env" }).state === "granted";
  return isAllowed ? Object.keys(Deno.env.toObject()) : undefined;
}
