// The input line in a real terminal (tmux), in the scripts of the world: the cursor stands where the terminal itself would
// have it behind the same text.

import assert from "node:assert/strict";
import { PICTURE_TEXTS, SCRIPT_TEXTS } from "../../helpers/fakes/script_texts.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { clientCommand, startTmux } from "../../helpers/system/tmux.ts";

const PROMPT = "alice@lobby> ";

skipWithout("tmux")(
  "the cursor is where the terminal has it, in every script and behind pictures",
  async () => {
    await using server = await startServer();
    await using tmux = await startTmux();
    const command = clientCommand("--port", String(server.port), "--name", "alice");
    const [pane, plain] = await Promise.all([
      tmux.open({ command }),
      // What is typed here is shown by the terminal alone.
      tmux.open({ command: ["sh", "-c", "stty -icanon; exec cat > /dev/null"] }),
    ]);
    await pane.shows(/- Connected as/);
    for (const [script, text] of Object.entries({ ...SCRIPT_TEXTS, ...PICTURE_TEXTS })) {
      await Promise.all([pane.type(text), plain.type(text)]);
      await plain.until(async () => (await plain.cursor()).column > 0, { what: script });
      const own = PROMPT.length + (await plain.cursor()).column;
      await pane.until(async () => (await pane.cursor()).column === own, {
        what: `${script} at ${own}`,
      });
      const row = (await pane.screen()).findLast((row) => row.startsWith(PROMPT)) ?? "";
      assert.equal(row.slice(PROMPT.length).trimEnd(), text, script);
      await Promise.all([pane.press("C-u"), plain.press("Enter")]);
      await plain.until(async () => (await plain.cursor()).column === 0, { what: "an empty row" });
      await pane.until(async () => (await pane.cursor()).column === PROMPT.length, {
        what: "no text",
      });
    }
  },
);
