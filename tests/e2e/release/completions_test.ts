// The shells' completions as people have them: the real shells in a real terminal, the script sourced, Tab pressed.

import assert from "node:assert/strict";
import { CLIENT_PROGRAM } from "../../../client/config/program.ts";
import { SERVER_PROGRAM } from "../../../server/commands/program.ts";
import { completionScript } from "../../../shared/cli/completion_script.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { type Pane, startTmux } from "../../helpers/system/tmux.ts";

/** How each shell is started without anybody's settings, and reads a script. */
const STARTS = {
  bash: { command: ["bash", "--norc", "--noprofile", "-i"], before: "" },
  zsh: { command: ["zsh", "-f", "-i"], before: "autoload -U compinit; compinit -u -D; " },
  fish: {
    command: ["fish", "--no-config", "--private"],
    before: "set -g fish_autosuggestion_enabled 0; ",
  },
} as const;
// PowerShell is not in Debian: tests/shared/cli/completion_script_test.ts holds its script by the text.
const SHELLS = Object.keys(STARTS) as (keyof typeof STARTS)[];

const SETTINGS = '[server.work]\nhost = "h"\n\n[server.home]\nhost = "h"\n';

interface Place extends AsyncDisposable {
  readonly path: string;
}

/** A home with settings, and files and folders to complete. */
async function makePlace(): Promise<Place> {
  const path = await Deno.makeTempDir({ prefix: "cmdchat-complete-" });
  await Deno.mkdir(`${path}/.config/cmdchat`, { recursive: true });
  await Deno.writeTextFile(`${path}/.config/cmdchat/config.toml`, SETTINGS);
  await Deno.mkdir(`${path}/download folder`);
  await Deno.writeTextFile(`${path}/download.txt`, "");
  await Deno.writeTextFile(`${path}/evening.history`, "");
  await Deno.writeTextFile(`${path}/file:alone`, "");
  for (const shell of SHELLS) {
    const scripts = [CLIENT_PROGRAM, SERVER_PROGRAM].map((program) =>
      completionScript(program, {}, { args: [shell], env: () => undefined })
    );
    await Deno.writeTextFile(`${path}/completions.${shell}`, scripts.join("\n"));
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

const MARK = "Q9";

/** What stands behind the prompt when Tab was pressed behind `line`; a mark shows that the shell is through. */
async function completed(pane: Pane, line: string): Promise<string> {
  await pane.type(line);
  await pane.press("Tab");
  await pane.type(MARK);
  await pane.until(async () => (await lastRow(pane)).endsWith(MARK), {
    what: `${MARK} at the end`,
  });
  const text = await lastRow(pane);
  await pane.press("C-c");
  const isNew = async () => !(await lastRow(pane)).includes(MARK);
  await pane.until(isNew, { what: "a new prompt" });
  return text.slice(text.indexOf("cmdchat"), -MARK.length).trimEnd();
}

async function lastRow(pane: Pane): Promise<string> {
  return ((await pane.screen()).at(-1) ?? "").trimEnd();
}

const CASES: readonly (readonly [typed: string, wanted: string | RegExp])[] = [
  ["cmdchat-client send-", "cmdchat-client send-file"],
  ["cmdchat-client hist", "cmdchat-client history"],
  ["cmdchat-client @w", "cmdchat-client @work"],
  ["cmdchat-client @home recv-", "cmdchat-client @home recv-file"],
  ["cmdchat-client cmdchat://h/r send-", "cmdchat-client cmdchat://h/r send-file"],
  ["cmdchat-client @work send --line", "cmdchat-client @work send --lines"],
  ["cmdchat-client history --sea", /^cmdchat-client history --search=?$/],
  ["cmdchat-client recv --cou", /^cmdchat-client recv --count=?$/],
  ["cmdchat-client --finger", /^cmdchat-client --fingerprint=?$/],
  ["cmdchat-client --renderer mi", "cmdchat-client --renderer minimal"],
  ["cmdchat-client history eve", "cmdchat-client history evening.history"],
  ["cmdchat-client send-file eve", "cmdchat-client send-file evening.history"],
  // A folder is wanted: the file that begins the same is no answer.
  ["cmdchat-client recv-file --download-dir down", /--download-dir download\\ folder\/?$/],
  ["cmdchat-client history --output=eve", /^cmdchat-client history --output=evening.history$/],
  ["cmdchat-client completions fi", "cmdchat-client completions fish"],
  // What a command does not take is not offered.
  ["cmdchat-client send --renderer m", "cmdchat-client send --renderer m"],
  ["cmdchat-client --set theme=li", "cmdchat-client --set theme=light"],
  ["cmdchat-server key", "cmdchat-server keygen"],
  ["cmdchat-server --log-level CRIT", "cmdchat-server --log-level CRITICAL"],
  ["cmdchat-server --certfile eve", "cmdchat-server --certfile evening.history"],
];

/** What only the script for bash has to do by itself: bash takes words apart at = and : too. */
const BASH_CASES: typeof CASES = [
  ["cmdchat-client --config=eve", "cmdchat-client --config=evening.history"],
  ["cmdchat-client --config=", "cmdchat-client --config="],
  ["cmdchat-client --set=others=c", "cmdchat-client --set=others=count"],
  ["cmdchat-client --renderer=mi", "cmdchat-client --renderer=minimal"],
  ["cmdchat-client send-file file:al", "cmdchat-client send-file file:alone"],
  ["cmdchat-client --config=file:al", "cmdchat-client --config=file:alone"],
  ["cmdchat-client --config file:al", "cmdchat-client --config file:alone"],
  ["cmdchat-client recv-file --download-dir=down", /--download-dir=download\\ folder\/?$/],
  ["cmdchat-client --port 6400 send-", "cmdchat-client --port 6400 send-file"],
  [
    "cmdchat-client --tls --name=bob @work recv-",
    "cmdchat-client --tls --name=bob @work recv-file",
  ],
  ["cmdchat-client --port 6400 @w", "cmdchat-client --port 6400 @work"],
  ["cmdchat-client h:6400 send --line", "cmdchat-client h:6400 send --lines"],
];

for (const shell of SHELLS) {
  const test = skipWithout(shell, "tmux");
  test(`${shell} completes commands, options, values, files, folders and profiles`, async () => {
    await using place = await makePlace();
    await using tmux = await startTmux();
    const { command, before } = STARTS[shell];
    const env = { HOME: place.path, PS1: "> ", XDG_CONFIG_HOME: "", TERM: "screen" };
    const pane = await tmux.open({ command, env, columns: 160 });
    await pane.enter(`cd ${place.path}; ${before}source completions.${shell}; echo is''ready`);
    await pane.shows(/^isready$/m);
    await pane.press("C-l");
    const wrong: string[] = [];
    const cases = shell === "bash" ? [...CASES, ...BASH_CASES] : CASES;
    for (const [typed, wanted] of cases) {
      const text = await completed(pane, typed);
      const fits = typeof wanted === "string" ? text === wanted : wanted.test(text);
      if (!fits) wrong.push(`${typed} became ${text}, wanted ${wanted}`);
    }
    assert.deepEqual(wrong, []);
  });
}
