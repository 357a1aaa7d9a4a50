/** The version of both programs, as `--version` prints it. */
export const VERSION = "0.1.0";

// scripts/build/compile.ts puts this first among an executable's arguments, before those of the user.
const BUILD_ARGUMENT = "--built-from=";

/** The argument that tells an executable from which commit it was built, such as `1a2b3c4d5e6f 2026-01-31`. */
export function buildArgument(build: string): string {
  return `${BUILD_ARGUMENT}${build}`;
}

/** Splits what the build put before the user's arguments from these. */
export function takeBuild(
  args: readonly string[],
): { readonly build: string | undefined; readonly args: readonly string[] } {
  const [first, ...rest] = args;
  if (first === undefined || !first.startsWith(BUILD_ARGUMENT)) return { build: undefined, args };
  return { build: first.slice(BUILD_ARGUMENT.length), args: rest };
}

/** What `--version` prints: name, version, and commit with its date where the program was built from one. */
export function versionText(program: string, build: string | undefined): string {
  return `${program} ${VERSION}${build === undefined ? "" : ` (${build})`}`;
}
