// Opens the user's editor for a long message (ADR on $EDITOR). It is the only program that the client ever starts, and
// only with the runtime's permission. The text lies in a private folder, in memory if the system offers that, and the
// folder is removed with everything that the editor left in it.

import { CmdchatError, UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { MAX_INPUT_LENGTH } from "../editing/line_editor.ts";
import { DeadProgram } from "../terminal/lent_terminal.ts";
import { cleanPaste } from "../terminal/keys.ts";

const FALLBACK_EDITOR = "vi";

/** Opens the text in the user's editor and resolves with the edited text. Throws UsageError. */
export async function editText(
  text: string,
  getEnv: (name: string) => string | undefined,
): Promise<string> {
  const chosen = getEnv("VISUAL") || getEnv("EDITOR") || FALLBACK_EDITOR;
  const [command = FALLBACK_EDITOR, ...args] = chosen.trim().split(/\s+/);
  await requireRun(command);
  const folder = await makeFolder(getEnv("XDG_RUNTIME_DIR"));
  try {
    const path = `${folder}/message.md`;
    await Deno.writeTextFile(path, text, { mode: 0o600, createNew: true });
    await run(command, [...args, path]);
    const written = cleanPaste(await Deno.readTextFile(path)).replace(/\n$/, "");
    if (written.length <= MAX_INPUT_LENGTH) return written;
    throw new UsageError(
      `the text has ${written.length} characters, at most ${MAX_INPUT_LENGTH} are allowed`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What opening an editor needs and tells. */
export interface ExternalEditingOptions {
  /** Lets the user edit the text while the editor has the terminal. Rejects with an Error that says why not. */
  readonly during: () => Promise<string>;
  readonly edited: (text: string) => void;
  readonly failed: (hint: string) => void;
  readonly ended: () => void;
}

/** At most one editor at a time. */
export class ExternalEditing {
  readonly #options: ExternalEditingOptions;
  #busy: Promise<void> | undefined;

  constructor(options: ExternalEditingOptions) {
    this.#options = options;
  }

  /** Pending while the editor has the terminal. */
  get busy(): Promise<void> | undefined {
    return this.#busy;
  }

  /** Opens the editor unless it is open. */
  open(): void {
    this.#busy ??= this.#run();
  }

  async #run(): Promise<void> {
    const { during, edited, failed, ended } = this.#options;
    try {
      edited(await during());
    } catch (error) {
      failed(`no editor: ${error instanceof Error ? error.message : "it failed"}`);
    } finally {
      this.#busy = undefined;
      ended();
    }
  }
}

async function requireRun(command: string): Promise<void> {
  const { state } = await Deno.permissions.query({ name: "run", command });
  if (state === "granted") return;
  throw new UsageError(
    `this client may not start programs (from source: --allow-run=${command})`,
  );
}

async function makeFolder(runtimeFolder: string | undefined): Promise<string> {
  // The runtime folder is private and in memory; without one the ordinary temporary folder is used.
  for (const dir of runtimeFolder === undefined ? [undefined] : [runtimeFolder, undefined]) {
    try {
      const folder = await Deno.makeTempDir({ prefix: "cmdchat-", ...(dir ? { dir } : {}) });
      if (Deno.build.os !== "windows") await Deno.chmod(folder, 0o700);
      return folder;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) break;
      if (dir === undefined) throw new UsageError("the folder for the text cannot be made");
    }
  }
  throw new UsageError(
    "this client gave up the right to write files; start it without --no-downloads",
  );
}

async function run(command: string, args: readonly string[]): Promise<void> {
  try {
    const { success, code } = await new Deno.Command(command, {
      args: [...args],
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
    if (!success) throw new DeadProgram(`${quote(command)} exited with code ${code}`);
  } catch (error) {
    if (error instanceof CmdchatError) throw error;
    throw new UsageError(
      `${quote(command)} cannot be started; set VISUAL or EDITOR to another one`,
    );
  }
}
