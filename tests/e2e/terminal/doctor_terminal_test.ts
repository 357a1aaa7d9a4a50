// `cmdchat-client doctor` in a real terminal: what it asks the terminal, and that it leaves it as it was.

import assert from "node:assert/strict";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { clientCommand, startTmux } from "../../helpers/system/tmux.ts";

const test = skipWithout("tmux");

test("doctor asks the terminal, says what it found, and gives it back as it was", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const args = ["doctor", "--port", String(server.port)];
  const pane = await tmux.open({ command: clientCommand(...args), columns: 120, rows: 40 });
  assert.equal(await pane.exit(), 0);
  const lines = await pane.lines();
  for (const line of ["ok    terminal     120 columns, 40 rows", "ok    characters   UTF-8"]) {
    assert.ok(lines.includes(line), lines.join("\n"));
  }
  assert.ok(lines.every((line) => /^(?:ok|warn|skip) |^ +hint: /.test(line)), lines.join("\n"));
  assert.equal(pane.settingsAfter, pane.settingsBefore);
});
