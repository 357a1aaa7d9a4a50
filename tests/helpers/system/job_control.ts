// Ctrl-Z and `fg` as a person uses them: a shell with job control in tmux, and a client in it.

import assert from "node:assert/strict";
import { type Tmux, TYPING_PAUSE_MS } from "./tmux.ts";

/** A client that a shell starts. */
export interface StoppableClient {
  readonly command: readonly string[];
  /** Whether the draft stands behind a prompt that is painted. */
  readonly plain?: boolean;
}

/** Stops the client in the middle of a line, works in the shell, goes on, and sends the line. Throws what went wrong. */
export async function stopAndGoOn(
  tmux: Tmux,
  { command, plain = false }: StoppableClient,
): Promise<void> {
  const shell = await tmux.open({ command: ["bash", "--norc", "-i"], env: { PS1: "$ " } });
  const prompt = plain ? /^half a th$/m : /@lobby> half a th$/m;
  await shell.enter("b=$(stty -a)");
  await shell.enter(command.join(" "));
  await shell.shows(/- Connected as/);
  await shell.type("half a th");
  await shell.shows(prompt);
  await shell.press("C-z");
  // Where the runtime does not let the program stop itself, the key has to be pressed once more.
  const [told] = await shell.shows(/Stopped {3,}|once more to suspend/);
  if (!told.startsWith("Stopped")) await shell.press("C-z");
  await shell.shows(/Stopped {3,}/);
  await shell.enter('[ "$b" = "$(stty -a)" ] && echo $((40+2))');
  await shell.shows(/^42$/m);
  await shell.enter("fg");
  const isBack = async () => {
    const rows = (await shell.lines()).join("\n").split(/^\$ fg$/m);
    return rows.length > 1 && prompt.test(rows.at(-1) ?? "");
  };
  await shell.until(isBack, { what: "the draft" });
  await shell.type("ought");
  await shell.press("Enter");
  await shell.shows(/<anonymous> half a thought/);
  await new Promise((rest) => setTimeout(rest, TYPING_PAUSE_MS));
  await shell.enter("/quit");
  await shell.until(async () => /^\$ ?$/.test((await shell.lines()).at(-1) ?? ""), {
    what: "the shell",
  });
  await shell.enter('[ "$b" = "$(stty -a)" ] && exit 7');
  assert.equal(await shell.exit(), 7);
}
