// deno-lint-ignore-file no-console
// Builds the executables: both programs for this system, with --target for another, or with --all for every target.
// What a program may do is fixed here and becomes part of its file; nobody can widen it later.

import { MANAGER_SOCKET, OWN_SOCKETS } from "../../server/telemetry/systemd_notify.ts";
import { buildArgument } from "../../shared/base/version.ts";
import { bundle, BundleError, type BundleSource } from "./bundle.ts";
import { PageBuildError, writePage } from "./page.ts";
import { V8_ARGUMENT } from "./v8_flags.ts";

/** One program: where it starts and all it may ever do. */
export interface Program extends BundleSource {
  readonly permissions: readonly string[];
  /** Builds what it includes, where that is no source. */
  readonly prepare?: () => Promise<unknown>;
}

/**
 * The relay. No run, no ffi, and nothing to write but two sockets of the service manager's, which it gives up where
 * there is none: that nothing reaches a disk is held by the runtime (docs/adr/0014).
 */
export const SERVER: Program = {
  name: "cmdchat-server",
  entry: "server/main.ts",
  permissions: [
    "--allow-net",
    "--allow-env=CMDCHAT_*,NO_COLOR,NOTIFY_SOCKET,RUNTIME_DIRECTORY,WATCHDOG_PID,WATCHDOG_USEC",
    "--allow-read",
    // Whose files it may trust: its own user's and root's. The addresses are for the links of `host`, which gives the
    // permission up once it has read them; every other command does so at its start.
    "--allow-sys=uid,networkInterfaces",
    `--allow-write=${[MANAGER_SOCKET, ...OWN_SOCKETS].join(",")}`,
    "--deny-import",
  ],
  workers: ["server/relay/handshake_worker.ts"],
  include: ["dist/page.html"],
  prepare: writePage,
};

/** Through which proxy all programs of the user go. */
const PROXY_VARIABLES = "ALL_PROXY,all_proxy,HTTPS_PROXY,https_proxy,NO_PROXY,no_proxy";

/** What tells which terminal it is, and how it treats colours and long rows. */
const TERMINAL_VARIABLES =
  "NO_COLOR,FORCE_COLOR,TERM,COLORTERM,COLORFGBG,TERM_PROGRAM,XTERM_VERSION,STY,TMUX";

/** The client. It writes received files and the history, and gives that up when neither is in use. */
export const CLIENT: Program = {
  name: "cmdchat-client",
  entry: "client/main.ts",
  permissions: [
    "--allow-net",
    `--allow-env=CMDCHAT_*,${TERMINAL_VARIABLES},HOME,USERPROFILE,XDG_CONFIG_HOME,${PROXY_VARIABLES}`,
    "--allow-read",
    "--allow-write",
    "--allow-sys=uid",
    "--deny-import",
  ],
  workers: ["client/sealed_engine/worker.ts"],
};

/** Every target that `deno compile` knows. */
export const TARGETS: readonly string[] = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

/** Options of one build. */
export interface CompileOptions {
  /** Path of the executable to write. */
  readonly output: string;
  /** One of TARGETS; this system when absent. */
  readonly target?: string;
  /** Further variables for the build, over this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

const ROOT = new URL("../..", import.meta.url);
const START_UPS = 5;

/** Builds one executable with the CLI in DENO_COMPILE, or this one. Throws with a hint when it cannot. */
export async function compile(program: Program, options: CompileOptions): Promise<void> {
  await program.prepare?.();
  await using bundled = await bundle(program);
  const { entry, others } = bundled;
  const target = options.target === undefined ? [] : ["--target", options.target];
  const build = await builtFrom();
  const environment: Record<string, string> = {
    ...Deno.env.toObject(),
    ...options.environment,
    NO_COLOR: "1",
  };
  const { success, stderr } = await new Deno.Command(
    environment["DENO_COMPILE"] ?? Deno.execPath(),
    {
      // Types were checked with the rest of the tree, by a newer compiler than the one that may build.
      args: [
        "compile",
        "--no-check",
        "--no-prompt",
        // With the packages of deno.json and its lock, all of them would be in the file, and be set up at each start.
        "--no-config",
        "--no-lock",
        ...await unstableArguments(),
        // The code cache would be a file in the temporary folder, written by the runtime itself.
        "--no-code-cache",
        ...program.permissions,
        V8_ARGUMENT,
        ...target,
        ...others.flatMap((path) => ["--include", path]),
        "--output",
        options.output,
        entry,
        ...(build === undefined ? [] : [buildArgument(build)]),
      ],
      cwd: ROOT,
      env: environment,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    },
  ).output();
  if (!success) throw new CompileError(options.output, new TextDecoder().decode(stderr));
}

/** What deno.json unlocks of the runtime. */
async function unstableArguments(): Promise<string[]> {
  const { unstable } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  return (unstable as string[]).map((name) => `--unstable-${name}`);
}

/**
 * Commit and its day, such as `1a2b3c4d5e6f 2026-01-31`, with `+changes` where the tree differs from it; not the
 * time of the build, so that building again gives the same. CMDCHAT_BUILT_FROM says it where there is no git.
 */
export async function builtFrom(): Promise<string | undefined> {
  const given = Deno.env.get("CMDCHAT_BUILT_FROM");
  if (given) return given;
  const commit = await git("log", "-1", "--abbrev=12", "--format=%h %cs");
  if (commit === undefined) return undefined;
  const changes = await git("status", "--porcelain", "--untracked-files=no");
  return changes === "" ? commit : commit.replace(" ", "+changes ");
}

async function git(...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args,
      cwd: ROOT,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A build that failed; `hint` says what may help. */
export class CompileError extends Error {
  override readonly name = "CompileError";
  readonly hint: string;

  constructor(output: string, report: string) {
    const download = /error sending request|Setting up base binary|dns error/.test(report);
    super(
      download
        ? `Cannot build "${output}": the runtime that goes into it could not be downloaded`
        : `Cannot build "${output}":\n${report.trim()}`,
    );
    this.hint = download
      ? "check the network, or set DENORT_BIN to the path of a denort of the same version as deno " +
        "(and DENO_COMPILE to that deno)"
      : "`deno task check` shows whether the sources are sound";
  }
}

/** What an executable needs from call to end of `--version`: the median of a few, in milliseconds. */
export async function startUpTime(path: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < START_UPS; i++) {
    const start = performance.now();
    const { success } = await new Deno.Command(path, { args: ["--version"], stdin: "null" })
      .output();
    if (!success) throw new Error(`Cannot time "${path}": --version failed`);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[START_UPS >> 1] ?? NaN;
}

/** One line with the size of an executable and, when it runs here, its start-up time. */
export async function describe(path: string, runsHere: boolean): Promise<string> {
  const { size } = await Deno.stat(path);
  const start = runsHere ? `, ${(await startUpTime(path)).toFixed(0)} ms to start` : "";
  return `${path}: ${(size / 2 ** 20).toFixed(1)} MiB${start}`;
}

/** Into dist/, for this system or for `target`. */
async function compileOne(target: string | undefined): Promise<void> {
  const suffix = (target ?? Deno.build.os).includes("windows") ? ".exe" : "";
  for (const program of [SERVER, CLIENT]) {
    const output = `dist/${program.name}${suffix}`;
    await compile(program, target === undefined ? { output } : { output, target });
    console.log(await describe(output, target === undefined));
  }
  if (suffix !== "") await writeWindowsCompletions("dist");
}

/** Completions for PowerShell beside the executables for Windows. */
async function writeWindowsCompletions(folder: string): Promise<void> {
  const { windowsCompletionFiles } = await import("./completion_files.ts");
  for (const [name, text] of Object.entries(windowsCompletionFiles())) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
}

async function compileForAll(): Promise<void> {
  for (const target of TARGETS) {
    for (const program of [SERVER, CLIENT]) {
      const suffix = target.includes("windows") ? ".exe" : "";
      const output = `dist/${target}/${program.name}${suffix}`;
      await compile(program, { output, target });
      console.log(await describe(output, false));
    }
    if (target.includes("windows")) await writeWindowsCompletions(`dist/${target}`);
  }
}

async function main(args: readonly string[]): Promise<number> {
  Deno.chdir(ROOT);
  try {
    const [option, target] = args;
    await (option === "--all"
      ? compileForAll()
      : compileOne(option === "--target" ? target : undefined));
    return 0;
  } catch (error) {
    if (error instanceof PageBuildError || error instanceof BundleError) {
      console.error(`error: ${error.message}`);
    } else if (!(error instanceof CompileError)) throw error;
    else console.error(`error: ${error.message}\nhint: ${error.hint}`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
