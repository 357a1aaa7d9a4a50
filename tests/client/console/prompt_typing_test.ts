// Long pastes, dropped files, emoji, the user's editor, and the keys that readline's users know.
import assert from "node:assert/strict";
import { droppedFile } from "../../../client/files/dropped_file.ts";
import { emojiByName, findEmoji } from "../../../client/editing/emoji.ts";
import { editText } from "../../../client/console/external_editor.ts";
import { textWidth } from "../../../client/terminal/width.ts";
import { openPrompt, type PromptContext } from "./terminal_harness.ts";

const paste = (text: string) => `\x1b[200~${text}\x1b[201~`;
const SEVEN = Array.from({ length: 7 }, (_, n) => `line ${n}`).join("\r");

/** What stands in the input line, and where the cursor is: `he|llo`. */
function typed({ tty }: PromptContext): string {
  const row = tty.screen[0] ?? "";
  const { column } = tty.cursor;
  const text = row.padEnd(column);
  return `${text.slice(7, column)}|${text.slice(column)}`;
}

const KEYS: readonly (readonly [string, string, string])[] = [
  ["Ctrl-A", "\x01", "|one two three"],
  ["Ctrl-A Ctrl-E", "\x01\x05", "one two three|"],
  ["Home and End", "\x1b[H\x1b[F", "one two three|"],
  ["Ctrl-B", "\x02\x02", "one two thr|ee"],
  ["Ctrl-F", "\x01\x06", "o|ne two three"],
  ["Alt-B", "\x1bb", "one two |three"],
  ["Alt-F", "\x01\x1bf", "one| two three"],
  ["Alt-D", "\x01\x1bd", "| two three"],
  ["Alt-Backspace", "\x1b\x7f", "one two |"],
  ["Ctrl-W", "\x17", "one two |"],
  ["Ctrl-U", "\x1bb\x15", "|three"],
  ["Ctrl-K", "\x1bb\x0b", "one two |"],
  ["Ctrl-K Ctrl-Y", "\x1bb\x0b\x01\x19", "three|one two"],
  ["Ctrl-W Ctrl-W Ctrl-Y", "\x17\x17\x19", "one two three|"],
  ["the kill ring", "\x17\x01\x0b\x19\x1by", "three|"],
  ["Ctrl-T", "\x14", "one two three|"],
  ["Ctrl-D", "\x01\x04", "|ne two three"],
  ["Alt-U", "\x01\x1bu", "ONE| two three"],
  ["Alt-C", "\x01\x1bc", "One| two three"],
  ["Alt-U Alt-L", "\x01\x1bu\x01\x1bl", "one| two three"],
  ["Ctrl-_", "\x17\x1f", "one two three|"],
  ["Ctrl-X Ctrl-U", "\x17\x18\x15", "one two three|"],
];

for (const [name, keys, wanted] of KEYS) {
  Deno.test(`${name} does what it does in a shell`, async () => {
    await using chat = await openPrompt({ columns: 80, rows: 6 });
    await chat.type(`one two three${keys}`);
    assert.equal(typed(chat), wanted);
  });
}

Deno.test("a paste of more than a few lines asks once, and then Enter sends it", async () => {
  await using chat = await openPrompt({ columns: 80, rows: 24 });
  await chat.type(paste(SEVEN));
  await chat.type("\r");
  assert.deepEqual(chat.events, []);
  assert.equal(
    chat.tty.screen.at(-1),
    "this is one message of 7 lines, 48 bytes: Enter sends it, Ctrl-C drops it",
  );
  await chat.type("\r");
  assert.deepEqual(chat.events, [{ kind: "line", text: SEVEN.replaceAll("\r", "\n") }]);
});

Deno.test("a long paste that is dropped asks nothing of the next message; /set paste decides what is long", async () => {
  let lines = 5;
  await using chat = await openPrompt({ columns: 80, rows: 24, pasteLines: () => lines });
  await chat.type(`${paste(SEVEN)}\x03hello\r`);
  assert.deepEqual(chat.events, [{ kind: "line", text: "hello" }]);
  lines = 0;
  await chat.type(`${paste(SEVEN)}\r`);
  assert.equal(chat.events.length, 2);
});

Deno.test("a file that is dropped onto the terminal is offered, however its path is quoted", async () => {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-drop-" });
  const path = `${folder}/a film's.bin`;
  await Deno.writeTextFile(path, "x");
  const forms = [
    path,
    `'${path.replace("'", "'\\''")}'`,
    `"${path}"`,
    path.replaceAll(/[ ']/g, "\\$&"),
    `${path} `,
    `file://${encodeURI(path).replace("'", "%27")}`,
    "~/a film's.bin",
  ];
  for (const form of forms) {
    await using chat = await openPrompt({
      columns: 200,
      rows: 24,
      pasted: (text: string) => droppedFile(text, folder),
    });
    await chat.type(paste(form));
    assert.equal(chat.tty.screen[0], `alice> /send ${form.trim()}`);
    assert.match(chat.tty.screen[1] ?? "", /^Enter offers this file/);
    await chat.type("\x1f");
    assert.equal(chat.tty.screen[0], `alice> ${form}`.trimEnd(), "Ctrl-_ makes it text again");
  }
  const two = `'${path.replace("'", "'\\''")}' ${folder}/b`;
  await Deno.writeTextFile(`${folder}/b`, "b");
  assert.deepEqual(droppedFile(two, folder), {
    text: `/send ${two}`,
    hint: "Enter offers these 2 files to the room; Ctrl-_ makes it the pasted text again",
  });
  for (
    const text of [
      `${two} more`,
      `${folder}`,
      `${path}x`,
      "a film's.bin",
      "hello /etc",
      `${path}\n${path}`,
    ]
  ) {
    assert.equal(droppedFile(text, folder), undefined, text);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("emoji are found by the beginning of their names, and are one cell pair each", () => {
  assert.ok(emojiByName().size > 350, `${emojiByName().size} names`);
  for (const [name, emoji] of emojiByName()) {
    assert.match(name, /^[a-z0-9_+-]+$/);
    assert.match(emoji, /^\p{RGI_Emoji}$/v, name);
    assert.ok(textWidth(emoji) >= 1 && textWidth(emoji) <= 2, name);
  }
  assert.deepEqual(findEmoji("well :tad")?.names, ["tada"]);
  assert.equal(findEmoji("well :tad")?.start, 5);
  assert.deepEqual(findEmoji(":x:")?.names, ["x"]);
  for (const text of ["12:30", "http://x", "a:smile", ":", ": smile"]) {
    assert.equal(findEmoji(text), undefined, text);
  }
});

Deno.test("Ctrl-X Ctrl-E lends the terminal to an editor and takes back what was written", async () => {
  const { promise: written, resolve: write } = Promise.withResolvers<string>();
  let given = "";
  await using chat = await openPrompt({
    columns: 40,
    rows: 8,
    edit: (text) => (given = text, written),
  });
  chat.prompt.setStatus("lobby");
  await chat.type("draft\x18\x05");
  assert.ok(chat.tty.lent);
  assert.equal(given, "draft");
  chat.prompt.print("bob: meanwhile");
  await chat.settle();
  assert.deepEqual(chat.tty.screen, [], "nothing is painted over the editor");
  write("draft\nand more");
  await chat.settle();
  assert.ok(!chat.tty.lent);
  assert.deepEqual(chat.tty.screen, ["bob: meanwhile", "alice> draft", "and more", "lobby"]);
  await chat.type("\r");
  assert.deepEqual(chat.events, [{ kind: "line", text: "draft\nand more" }]);
});

Deno.test("an editor that cannot be had is said in one line, and the text stays", async () => {
  await using chat = await openPrompt({
    columns: 80,
    rows: 8,
    edit: () => Promise.reject(new Error("it may not start programs")),
  });
  await chat.type("draft\x18\x05");
  // A dead program may have left anything behind: the terminal is set right, and the prompt is drawn at its end.
  const shown = chat.tty.screen.filter((row) => row !== "");
  assert.deepEqual(shown, ["alice> draft", "no editor: it may not start programs"]);
});

const posix = { ignore: Deno.build.os === "windows" };

Deno.test(
  "the editor's file is for its user alone, and gone afterwards with what lay beside it",
  posix,
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "cmdchat-edit-" });
    const script = `${folder}/editor`;
    const seen = `${folder}/seen`;
    await Deno.writeTextFile(
      script,
      `#!/bin/sh
stat -c '%a' "$2" "$(dirname "$2")" > "${seen}"
echo "$1" >> "${seen}"
cat "$2" >> "${seen}"
touch "$(dirname "$2")/.message.md.swp"
printf 'new\\033[31m text\\n' > "$2"
`,
      { mode: 0o700 },
    );
    const env = (name: string) =>
      ({ EDITOR: `${script} --wait`, XDG_RUNTIME_DIR: folder } as Record<string, string>)[name];
    assert.equal(await editText("secret", env), "new[31m text");
    assert.equal(await Deno.readTextFile(seen), "600\n700\n--wait\nsecret");
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assert.deepEqual(left, ["editor", "seen"]);

    await Deno.writeTextFile(script, "#!/bin/sh\nexit 3\n", { mode: 0o700 });
    await assert.rejects(editText("secret", env), /exited with code 3/);
    assert.equal([...Deno.readDirSync(folder)].length, 2);
    await assert.rejects(
      editText("x", (name) => name === "EDITOR" ? `${folder}/none` : undefined),
      /cannot be started/,
    );
    await Deno.remove(folder, { recursive: true });
  },
);

Deno.test("a client without the right to start programs says so", {
  permissions: { run: false, read: true, write: true },
}, async () => {
  await assert.rejects(editText("x", () => "vim"), /may not start programs.*--allow-run=vim/);
});

Deno.test("what is asked about a paste that is higher than the screen can be read whole", async () => {
  await using chat = await openPrompt({ columns: 80, rows: 12 });
  chat.prompt.setStatus("lobby");
  await chat.type(`${paste(Array.from({ length: 30 }, (_, n) => `${n}`).join("\r"))}`);
  assert.equal(chat.tty.screen.at(-1), "[rows 25-30 of 30] lobby");
  await chat.type("\r");
  assert.match(chat.tty.screen.at(-1) ?? "", /^this is one message of 30 lines.*drops it$/);
});
