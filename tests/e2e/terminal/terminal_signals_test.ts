// Signals in every state of a client: the terminal is given back, whoever has it and whatever is asked.

import assert from "node:assert/strict";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { stopAndGoOn } from "../../helpers/system/job_control.ts";
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
  for (const plain of [["--plain"], []]) {
    const command = clientCommand(...plain, "--port", String(server.port));
    const panes = await Promise.all(SIGNALS.map(() => tmux.open({ command })));
    for (const [index, [signal, code]] of SIGNALS.entries()) {
      const pane = panes[index] as Pane;
      await pane.shows(/- Connected as/);
      pane.signal(signal);
      await assertLeft(pane, code);
    }
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
    await first.shows(/The passphrases differ/);
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

const RIGHTS = {
  "that may start programs": ["-A"],
  "that may signal itself alone": [
    "--allow-net",
    "--allow-env",
    "--allow-read",
    "--allow-write",
    "--allow-sys",
  ],
} as const;

for (const [whose, rights] of Object.entries(RIGHTS)) {
  for (const plain of [false, true]) {
    test(`Ctrl-Z stops a client ${whose}, fg brings draft and keys back${plain ? ", in --plain" : ""}`, async () => {
      await using server = await startServer();
      await using tmux = await startTmux();
      const options = ["--port", String(server.port), ...(plain ? ["--plain"] : [])];
      const command = clientCommand(...options).flatMap((word) => word === "-A" ? rights : [word]);
      await stopAndGoOn(tmux, { command, plain });
    });
  }
}
