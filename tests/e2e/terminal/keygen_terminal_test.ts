// `cmdchat-client keygen` in a real terminal: how it asks for a passphrase, and what it says.

import assert from "node:assert/strict";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { clientCommand, startTmux } from "../../helpers/system/tmux.ts";

const test = skipWithout("tmux");

test("keygen in a terminal: Ctrl-C gives up at both questions, and no line breaks within a word", async () => {
  const home = await Deno.makeTempDir();
  await using tmux = await startTmux();
  const start = () =>
    tmux.open({ command: clientCommand("keygen", `${home}/key`), columns: 80, rows: 24 });
  for (const typed of ["", "secret\r"]) {
    const pane = await start();
    await pane.shows(/Passphrase \(Enter: none\):/);
    if (typed !== "") {
      await pane.type(typed);
      await pane.shows(/The same again:/);
    }
    await pane.press("C-c");
    assert.equal(await pane.exit(), 2);
    assert.match((await pane.lines()).join("\n"), /No key was made: you gave up/);
    assert.equal(pane.settingsAfter, pane.settingsBefore);
  }
  const pane = await start();
  await pane.shows(/Passphrase \(Enter: none\):/);
  await pane.type("one\rother\r");
  await pane.shows(/The passphrases differ\. Type them again:/);
  await pane.type("secret\rsecret\r");
  assert.equal(await pane.exit(), 0);
  const lines = await pane.lines();
  const about = lines.slice(lines.findIndex((line) => line.startsWith("People who know these")));
  assert.match(about.join(" "), /your people \/verify you again\.$/);
  assert.ok(about.every((line) => line.length > 50 && line.length < 80), about.join("\n"));
  await Deno.remove(home, { recursive: true });
});
