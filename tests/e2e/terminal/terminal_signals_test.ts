// Shares the machine: runs beside another file of whole programs.

// Signals in every state of a client: the terminal is given back, whoever has it and whatever is asked.

import assert from "node:assert/strict";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { clientCommand, type Pane, startTmux } from "../../helpers/system/tmux.ts";

const test = skipWithout("tmux");

const CODES = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const;
const SIGNALS = Object.entries(CODES) as [keyof typeof CODES, number][];

async function assertLeft(pane: Pane, code: number): Promise<void> {
  assert.equal(await pane.exit(), code, (await pane.screen()).join("\n"));
  assert.equal(pane.settingsAfter, pane.settingsBefore);
}

test("each signal ends a chat in a terminal with its code and gives the terminal back", async () => {
  await using server = await startServer({ args: ["--max-per-address", "off"] });
  await using tmux = await startTmux();
  const command = clientCommand("--port", String(server.port));
  const panes = await Promise.all(SIGNALS.map(() => tmux.open({ command })));
  for (const [index, [signal, code]] of SIGNALS.entries()) {
    const pane = panes[index] as Pane;
    await pane.shows(/- Connected as/);
    pane.signal(signal);
    await assertLeft(pane, code);
  }
});

test("each signal ends a client at once that asks for a passphrase, and typed text is shown again", async () => {
  await using server = await startServer({ args: ["--max-per-address", "off"] });
  await using tmux = await startTmux();
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-signals-" });
  const chat = ["--port", String(server.port), "--history-file"];
  for (const plain of [["--plain"], []]) {
    for (const [signal, code] of SIGNALS) {
      const path = `${folder}/${signal}${plain.length}.history`;
      const pane = await tmux.open({ command: clientCommand(...plain, ...chat, path) });
      await pane.shows(/History passphrase:/);
      pane.signal(signal);
      await assertLeft(pane, code);
    }
  }
  await Deno.remove(folder, { recursive: true });
});

test("a new history passphrase is asked for twice, a known one once", async () => {
  await using server = await startServer({ args: ["--max-per-address", "off"] });
  await using tmux = await startTmux();
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-twice-" });
  for (const plain of [["--plain"], []]) {
    const path = `${folder}/${plain.length}.history`;
    const command = clientCommand(...plain, "--port", String(server.port), "--history-file", path);
    const first = await tmux.open({ command });
    await first.shows(/History passphrase:/);
    await first.enter("opne sesame");
    await first.shows(/The same again:/);
    await first.enter("open sesame");
    await first.shows(/The two are not equal/);
    await first.enter("open sesame");
    await first.shows(/The same again:/);
    await first.enter("open sesame");
    await first.shows(/- Connected as/);
    await first.enter("/quit");
    await assertLeft(first, 0);
    const second = await tmux.open({ command });
    await second.shows(/History passphrase:/);
    await second.enter("open sesame");
    await second.shows(/- Connected as/);
    assert.doesNotMatch((await second.lines()).join("\n"), /The same again:/);
    await second.enter("/quit");
    await assertLeft(second, 0);
  }
  await Deno.remove(folder, { recursive: true });
});

test("Ctrl-Z stops the client, fg brings prompt, draft and keys back", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const shell = await tmux.open({ command: ["bash", "--norc", "-i"], env: { PS1: "$ " } });
  await shell.enter(clientCommand("--port", String(server.port)).join(" "));
  await shell.shows(/- Connected as/);
  await shell.type("half a th");
  await shell.shows(/@lobby> half a th/);
  await shell.press("C-z");
  await shell.shows(/Stopped/);
  await shell.enter("echo $((40+2))");
  await shell.shows(/^42$/m);
  await shell.enter("fg");
  await shell.until(
    async () =>
      /> half a th$/.test((await shell.lines()).findLast((row) => /@lobby>/.test(row)) ?? ""),
    { what: "the prompt" },
  );
  await shell.type("ought");
  await shell.press("Enter");
  await shell.shows(/<anonymous> half a thought/);
  await shell.enter("/quit");
  await shell.until(async () => /^\$ ?$/.test((await shell.lines()).at(-1) ?? ""), {
    what: "the shell",
  });
  await shell.enter("exit 7");
  assert.equal(await shell.exit(), 7);
});
