// The input line in the scripts of the world, in terminals with old and with new width tables: every letter stays to be
// seen, and the cursor is where the next one goes.
import assert from "node:assert/strict";
import { PICTURE_TEXTS, SCRIPT_TEXTS } from "../../helpers/fakes/script_texts.ts";
import { learnWidths } from "../../../client/terminal/width.ts";
import { EmulatedTty, openPrompt } from "./terminal_harness.ts";

/** Scripts for a terminal; the oldest tables take a Burmese sign for a letter that Unicode has joined since. */
function textsFor(modernWidths: boolean): (readonly [string, string])[] {
  return Object.entries(SCRIPT_TEXTS).filter(([script]) => modernWidths || script !== "Burmese");
}

for (const modernWidths of [true, false]) {
  Deno.test(`no letter is drawn over another, with ${modernWidths ? "new" : "old"} widths`, async () => {
    for (const [script, text] of textsFor(modernWidths)) {
      await using chat = await openPrompt({ columns: 60, rows: 6, modernWidths });
      for (const letter of text) await chat.type(letter);
      await chat.type("x");
      const row = chat.tty.screen[0] ?? "";
      const shown = row.replace(/^alice> /, "").replaceAll(" ", "");
      assert.equal(shown, `${text}x`.replaceAll(" ", ""), script);
      // The cursor is right behind the last letter.
      const { column } = chat.tty.cursor;
      const line = chat.tty.terminal.buffer.active.getLine(0);
      assert.equal(line?.getCell(column - 1)?.getChars(), "x", script);
      // Taken back letter by letter, nothing is left behind.
      for (let n = 0; n <= text.length; n++) await chat.type("\x7f");
      assert.deepEqual(chat.tty.screen, ["alice>"], script);
    }
  });
}

Deno.test("no letter of a name is lost in the prompt and the status line", async () => {
  for (const modernWidths of [true, false]) {
    for (const [script, text] of textsFor(modernWidths)) {
      await using chat = await openPrompt({ columns: 60, rows: 6, modernWidths });
      chat.prompt.setPrompt(`${text}> `);
      chat.prompt.setStatus(`${text} x`);
      await chat.settle();
      const [prompt = "", status = ""] = chat.tty.screen.map((row) =>
        row.replaceAll(/[ \u200e]/g, "")
      );
      assert.equal(prompt, `${text.replaceAll(" ", "")}>`, script);
      assert.equal(status, `${text.replaceAll(" ", "")}x`, script);
    }
  }
});

/** How far a terminal itself moves its cursor for a text. */
async function ownColumns(text: string, modernWidths: boolean): Promise<number> {
  const tty = new EmulatedTty({ columns: 60, rows: 6, modernWidths });
  tty.write(text);
  await tty.flush();
  const { column } = tty.cursor;
  tty.terminal.dispose();
  return column;
}

for (const modernWidths of [true, false]) {
  Deno.test(`asked for its widths, a terminal with ${modernWidths ? "new" : "old"} ones has each letter in its own cells`, async () => {
    const options = { columns: 60, rows: 6, modernWidths, answers: true, asksWidths: true };
    try {
      await using chat = await openPrompt(options);
      for (const [script, text] of [...textsFor(modernWidths), ...Object.entries(PICTURE_TEXTS)]) {
        await chat.type(text);
        const before = "alice> ".length;
        const own = before + await ownColumns(text, modernWidths);
        assert.equal(chat.tty.cursor.column, own, script);
        const line = chat.tty.terminal.buffer.active.getLine(0);
        const cells = Array.from({ length: own - before }, (_, n) => line?.getCell(before + n));
        assert.equal(cells.map((cell) => cell?.getChars()).join(""), text, script);
        await chat.type("\x15");
        assert.deepEqual(chat.tty.screen, ["alice>"], script);
      }
    } finally {
      learnWidths({});
    }
  });
}
