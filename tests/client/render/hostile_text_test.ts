// Every field that a peer or a server controls × every renderer × the corpus, judged by a terminal emulator.
import assert from "node:assert/strict";
import { namedRows } from "../../../client/headless/recv.ts";
import { createJsonRenderer } from "../../../client/render/json.ts";
import { createMinimalRenderer } from "../../../client/render/minimal.ts";
import { createRichRenderer } from "../../../client/render/rich.ts";
import { PresenceFold } from "../../../client/output/presence_fold.ts";
import { reactionSummary } from "../../../client/output/reaction_fold.ts";
import { nameList, shortLabel, type SystemLine } from "../../../client/render/text.ts";
import { painted, type PaintedRenderer } from "../../helpers/fakes/painted_renderer.ts";
import { Style } from "../../../client/terminal/style.ts";
import { textWidth } from "../../../client/terminal/width.ts";
import type { TransferFault, TransferRef } from "../../../client/transfer_base/transfer_event.ts";
import { nameInSentence } from "../../../shared/text/names.ts";
import { safeDownloadName } from "../../../shared/text/download_name.ts";
import { HOSTILE_FILE_NAMES, HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";
import { rowsIn, type WidthTable, witness } from "../../helpers/system/terminal_witness.ts";

const TIME = "2026-01-02T03:04:05.678Z";
const COLUMNS = 80;
// deno-lint-ignore no-control-regex -- what must not be there
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
// deno-lint-ignore no-control-regex -- what must not be there
const CONTROL_BUT_NEWLINE = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;

const RENDERERS: Readonly<Record<string, PaintedRenderer>> = {
  rich: painted(createRichRenderer({ columns: () => COLUMNS }), { style: new Style("none") }),
  "rich in colors": painted(createRichRenderer({ columns: () => COLUMNS }), {
    style: new Style("true"),
  }),
  "rich in a pipe": painted(createRichRenderer({}), { style: new Style("none") }),
  minimal: painted(createMinimalRenderer()),
};

/** Each way in which `text` of a peer or a server reaches a renderer; what belongs to us is harmless. */
const FIELDS: Readonly<
  Record<string, (renderer: PaintedRenderer, text: string) => string | undefined>
> = {
  "a message": (renderer, text) => renderer.chat({ ...chat, text }),
  "a message that names us": (renderer, text) => renderer.chat({ ...chat, text, mention: true }),
  "a sender": (renderer, sender) => renderer.chat({ ...chat, sender }),
  "a sender of a message that names us": (renderer, sender) =>
    renderer.chat({ ...chat, sender, mention: true }),
  "a message about its sender": (renderer, text) =>
    renderer.chat({ ...chat, text, sender: text, action: true }),
  "a message in code": (renderer, text) =>
    renderer.chat({ ...chat, text: `\`\`\`\n${text}\n\`\`\`` }),
  "a message with a link": (renderer, text) =>
    renderer.chat({ ...chat, text: `https://a.example/${text} ${text}` }),
  "a member to whom alone it is said": (renderer, to) => renderer.chat({ ...chat, to }),
  "what a message answers": (renderer, text) =>
    renderer.chat({ ...chat, quote: { sequence: 1, sender: text, text } }),
  "a message elsewhere": (renderer, room) => renderer.chat({ ...chat, room, elsewhere: true }),
  "a server's line elsewhere": (renderer, room) =>
    renderer.system({ ...system, room, elsewhere: true }),
  "a room that one goes to": (renderer, room) => renderer.roomSwitch?.(room),
  "a rule between lines": (renderer, text) => renderer.rule?.(text),
  "a message from before one came": (renderer, text) =>
    renderer.chat({ ...chat, text, sender: text, backlog: true }),
  "a sender whose key was compared": (renderer, text) =>
    renderer.chat({ ...chat, sender: text, verified: true, known: text }),
  "who reacted": (renderer, name) =>
    renderer.system({
      ...system,
      event: "reacted",
      text: reactionSummary(7, [{ emoji: "👍", names: [name, name], own: false }]),
    }),
  "who came and went": (renderer, name) => renderer.system(comingsOf(name)),
  "a chat line's room": (renderer, room) => renderer.chat({ ...chat, room }),
  "a chat line's time": (renderer, time) => renderer.chat({ ...chat, time }),
  "a server's line": (renderer, text) => renderer.system({ ...system, text }),
  "a server's line's room": (renderer, room) => renderer.system({ ...system, room }),
  "a server's line's time": (renderer, time) => renderer.system({ ...system, time }),
  "a member list": (renderer, name) =>
    renderer.system({ ...system, event: "names", names: ["alice", name, name] }),
  "a member list's room": (renderer, room) =>
    renderer.system({ ...system, event: "names", names: ["alice"], room }),
  "a note": (renderer, text) => renderer.note({ level: "info", text, time: TIME }),
  "an error": (renderer, text) => renderer.note({ level: "error", text, hint: text, time: TIME }),
  "a link's end": (renderer, text) =>
    renderer.connection({ state: "lost", text, hint: text, name: text, room: text, time: TIME }),
  "an offered file": (renderer, text) =>
    renderer.file({ kind: "offered", file: fileOf(text, text), accepted: false }, TIME),
  "a folder for us alone": (renderer, text) =>
    renderer.file({
      kind: "offered",
      file: { ...fileOf(text, text), to: text, isFolder: true, leftOut: 2 },
      accepted: false,
    }, TIME),
  "a saved file": (renderer, text) =>
    renderer.file(
      { kind: "saved", file: fileOf(text, text), path: `/home/a/${text}`, sha256: "00" },
      TIME,
    ),
  "a failed file": (renderer, text) =>
    renderer.file({ kind: "failed", file: fileOf(text, text), fault }, TIME),
  "a refused file": (renderer, text) =>
    renderer.file(
      { kind: "refused", sender: text, name: safeDownloadName(text), size: 1, fault },
      TIME,
    ),
};

const chat = {
  sender: "mallory",
  text: "hello",
  room: "lobby",
  time: TIME,
  sequence: 7,
  own: false,
  mention: false,
};
const system = { text: "mallory joined the chat.", room: "lobby", time: TIME, event: "notice" };
const fault: TransferFault = { code: "stalled", reason: "nothing more of it came for 60 seconds" };

function comingsOf(name: string): SystemLine {
  const fold = new PresenceFold();
  for (const event of ["joined", "left", "away", "back"]) {
    fold.add({ ...system, event, name, room: name, text: `${name} ${event}.` });
  }
  return fold.summary as SystemLine;
}

function fileOf(name: string, sender: string): TransferRef {
  return { n: 1, direction: "in", name: safeDownloadName(name), size: 1, sender };
}

/** Without the colors and weights that the rich renderer itself adds. */
function withoutOwnStyle(shown: string): string {
  // deno-lint-ignore no-control-regex -- SGR
  return shown.replace(/\x1b\[[\d;]*m/g, "");
}

for (const [name, renderer] of Object.entries(RENDERERS)) {
  Deno.test(`no field of a peer or a server moves the terminal: ${name}`, async () => {
    for (const [field, show] of Object.entries(FIELDS)) {
      const shown = HOSTILE_TEXTS.map(({ label, text }) => {
        const lines = show(renderer, text) ?? "";
        assert.doesNotMatch(withoutOwnStyle(lines), CONTROL_BUT_NEWLINE, `${field}: ${label}`);
        return lines;
      });
      // All of a field at once, since each terminal costs; the failing one is then looked for alone.
      if ((await witness(shown.join("\n"))).faults.length === 0) continue;
      for (const [index, lines] of shown.entries()) {
        assert.deepEqual(
          (await witness(lines)).faults,
          [],
          `${field}: ${HOSTILE_TEXTS[index]?.label}`,
        );
      }
    }
  });

  Deno.test(`a member's text cannot begin a line that looks like another's: ${name}`, () => {
    const forged = "hi\n* carol left\r\n12:00:00 * you are banned\u2028- error: x\x0b<server> y";
    const [first, ...further] = withoutOwnStyle(renderer.chat({ ...chat, text: forged })).split(
      "\n",
    );
    assert.match(first ?? "", /<mallory> hi$/);
    assert.equal(further.length, 4);
    for (const line of further) assert.match(line, /^ {4}\S/);
  });

  Deno.test(`a sender's name cannot look like a line of the server's or close its brackets: ${name}`, () => {
    for (const sender of ["a> hi <server", "\n* server", "* x", "", " ", "\u200b"]) {
      const line = withoutOwnStyle(renderer.chat({ ...chat, sender }));
      assert.match(line, /^(?:\d\d:\d\d:\d\d #7 )?<[^<>\n]+> hello$/, JSON.stringify(sender));
    }
  });

  Deno.test(`a server's line never looks like a member's: ${name}`, () => {
    const line = withoutOwnStyle(renderer.system({ ...system, text: "x\n<alice> hi" }));
    for (const row of line.split("\n")) assert.doesNotMatch(row, /^(?:[\d:]+ #\d+ )?</);
  });
}

/** What a row of ours begins with: a time, a mark, a bracket, a word of ours, or the indent. */
const ROW_STARTS = {
  rich: /^(?:[\d:-]{8} (?:#7(?: [[<]|$)|[*!-](?: |$)|<|\[)| {4}|— |── )/,
  minimal: /^(?:<|[*-](?: |$)|\[| {4}|error:|hint:)/,
} as const;

for (const columns of [20, 40, 80]) {
  for (const name of ["rich", "minimal"] as const) {
    Deno.test(`no row of ${columns} cells begins with what a peer or a server controls: ${name}`, async () => {
      const options = { columns: () => columns };
      const renderer = name === "rich"
        ? painted(createRichRenderer(options))
        : painted(createMinimalRenderer(options));
      for (const [field, show] of Object.entries(FIELDS)) {
        for (const unicode of ["6", "11"] as readonly WidthTable[]) {
          const shown = HOSTILE_TEXTS.map(({ text }) => show(renderer, text) ?? "").join("\n");
          for (const { text, isWrapped } of await rowsIn(shown, { columns, unicode })) {
            assert.ok(!isWrapped, `${field}: the terminal wrapped ${JSON.stringify(text)}`);
            if (text.trim() === "") continue;
            assert.match(text.replaceAll("\u200e", ""), ROW_STARTS[name], field);
          }
        }
      }
    });
  }
}

Deno.test("recv --names begins every row with the sender, and in a pipe every line", async () => {
  for (const { label, text } of HOSTILE_TEXTS) {
    for (const columns of [20, 40, 80, undefined]) {
      const shown = namedRows({ sender: "mallory", text }, columns);
      for (const line of shown.split("\n")) assert.match(line, /^\u200e?<mallory>(?: |$)/, label);
      if (columns === undefined) continue;
      for (const unicode of ["6", "11"] as readonly WidthTable[]) {
        const rows = await rowsIn(shown, { columns, unicode });
        assert.ok(rows.every(({ isWrapped }) => !isWrapped), label);
      }
    }
    const named = namedRows({ sender: text, text: "hi" }, 30);
    for (const row of named.split("\n")) assert.match(row, /^(?:\u200e?<| {4})/, label);
  }
  // A name of as many cells as marks: what is left of a row is counted from the cells that it can take.
  const sender = "a\u1ab0\u1ab1\u1ab2\u1ab3".repeat(3);
  for (const columns of [30, 40, 80]) {
    const shown = namedRows({ sender, text: "<alice> I agree ".repeat(9) }, columns);
    const rows = await rowsIn(shown, { columns, unicode: "6" });
    assert.ok(rows.every(({ isWrapped }) => !isWrapped), `${columns} columns`);
  }
  assert.equal(
    namedRows({ sender: "alice", text: "hi\n<bob> no" }, undefined),
    "<alice> hi\n<alice> <bob> no",
  );
});

Deno.test("a name of several words is quoted wherever it is in a sentence or a list", () => {
  const name = "alice left. carol joined";
  assert.equal(nameInSentence(name), `"${name}"`);
  assert.equal(nameInSentence("Zo\u00eb_2-x"), "Zo\u00eb_2-x");
  assert.equal(nameInSentence('a" b'), `"a' b"`);
  assert.equal(nameList(["bob", name]), `bob, "${name}"`);
  const fold = new PresenceFold();
  for (const who of [name, "bob"]) fold.add({ ...system, event: "left", name: who });
  assert.equal(fold.summary?.text, `2 left ("${name}", bob).`);
});

Deno.test("rows with right-to-left letters keep their marks at the left", () => {
  const hebrew = "\u05d0\u05d1\u05d2";
  for (const renderer of [RENDERERS["rich"], RENDERERS["minimal"]] as PaintedRenderer[]) {
    for (
      const shown of [
        renderer.chat({ ...chat, sender: hebrew, text: `${hebrew}\n${hebrew}` }),
        renderer.system({ ...system, text: `${hebrew} left.` }),
      ]
    ) {
      for (const row of shown.split("\n")) assert.match(row, /^\u200e/, JSON.stringify(shown));
    }
    // A name must not move behind the text that its sender wrote.
    assert.ok(renderer.chat({ ...chat, sender: hebrew, text: hebrew }).includes(">\u200e "));
    // "a to b" must not read as "b to a".
    const direct = renderer.chat({ ...chat, sender: hebrew, to: hebrew });
    assert.ok(direct.includes(`${hebrew}\u200e → \u200e${hebrew}`));
    assert.ok(!renderer.chat(chat).includes("\u200e"));
  }
});

Deno.test("the JSON renderer keeps one valid line a message, with every character of it", async () => {
  const renderer = painted(createJsonRenderer());
  for (const [field, show] of Object.entries(FIELDS)) {
    for (const { label, text } of HOSTILE_TEXTS) {
      const line = show(renderer, text);
      if (line === undefined) continue;
      assert.doesNotMatch(line, /[\n\r\u2028\u2029]/, `${field}: ${label}`);
      assert.doesNotMatch(line, CONTROL, `${field}: ${label}`);
      assert.equal(JSON.parse(line).v, 1);
    }
    const all = HOSTILE_TEXTS.map(({ text }) => show(renderer, text) ?? "").join("\n");
    assert.deepEqual((await witness(all)).faults, [], field);
  }
  for (const { text } of HOSTILE_TEXTS) {
    const { kind, text: said, sender } = JSON.parse(renderer.chat({ ...chat, text, sender: text }));
    assert.deepEqual({ kind, said, sender }, { kind: "chat", said: text, sender: text });
  }
});

Deno.test("hostile file names are shown as what they are saved as", async () => {
  for (const [name, renderer] of Object.entries(RENDERERS)) {
    const shown = HOSTILE_FILE_NAMES.map(({ text }) =>
      renderer.file({ kind: "offered", file: fileOf(text, "mallory"), accepted: false }, TIME)
    );
    assert.deepEqual((await witness(shown.join("\n"))).faults, [], name);
  }
});

Deno.test("a name in the status line is one short safe word without the line's separator", async () => {
  assert.equal(shortLabel("lobby"), "lobby");
  assert.equal(shortLabel("x".repeat(17)), "x".repeat(17));
  assert.equal(shortLabel("x".repeat(18)), `${"x".repeat(16)}…`);
  assert.equal(shortLabel("lobby · sealed"), "lobby • sealed");
  for (const { label, text } of HOSTILE_TEXTS) {
    const shown = shortLabel(text);
    assert.ok(textWidth(shown) >= 1 && textWidth(shown) <= 17, label);
    assert.doesNotMatch(shown, CONTROL, label);
    assert.deepEqual((await witness(shown)).faults, [], label);
  }
});
