import assert from "node:assert/strict";
import { createJsonRenderer } from "../../../client/render/json.ts";
import { createMinimalRenderer } from "../../../client/render/minimal.ts";
import { createRichRenderer, nameNumber } from "../../../client/render/rich.ts";
import {
  type ChatLine,
  clockTime,
  nameList,
  safeName,
  type SystemLine,
} from "../../../client/render/text.ts";
import { wrapLines } from "../../../client/render/wrap.ts";
import { barText, transferText } from "../../../client/render/transfer_text.ts";
import { textWidth } from "../../../client/terminal/width.ts";
import { painted, type PaintedRenderer } from "../../helpers/fakes/painted_renderer.ts";
import { Style } from "../../../client/terminal/style.ts";
import type { TransferEvent } from "../../../client/transfer_base/transfer_event.ts";
import { HOSTILE_FILE_NAMES, HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";
import { witness } from "../../helpers/system/terminal_witness.ts";
import { safeDownloadName } from "../../../shared/text/download_name.ts";

const TIME = "2026-11-23T18:00:00.123456Z";
const CLOCK = clockTime(TIME);
const RENDERERS: Readonly<Record<string, PaintedRenderer>> = {
  "rich": painted(createRichRenderer({ columns: () => 80 }), { style: new Style("true") }),
  "rich without colors": painted(createRichRenderer({ columns: () => 80 }), {
    style: new Style("none"),
  }),
  "rich in a pipe": painted(createRichRenderer({}), { style: new Style("none") }),
  "minimal": painted(createMinimalRenderer()),
  "json": painted(createJsonRenderer()),
};
const plain = painted(createRichRenderer({ columns: () => 40 }), { style: new Style("none") });

function chatLine(fields: Partial<ChatLine> = {}): ChatLine {
  return {
    sender: "bob",
    text: "hi",
    room: "lobby",
    time: TIME,
    sequence: 12,
    own: false,
    mention: false,
    ...fields,
  };
}

function systemLine(fields: Partial<SystemLine> = {}): SystemLine {
  return { text: "bob joined", room: "lobby", time: TIME, event: "notice", ...fields };
}

/** One hostile text in every field that a peer or the server controls. */
function everywhere(renderer: PaintedRenderer, text: string): string[] {
  const file = {
    n: 1,
    direction: "in" as const,
    name: safeDownloadName(text),
    size: 5,
    sender: text,
  };
  const fault = { code: "stalled" as const, reason: "no chunk came" };
  const events: TransferEvent[] = [
    { kind: "offered", file, accepted: false },
    { kind: "accepted", file },
    { kind: "rejected", file },
    { kind: "saved", file, path: `/home/alice/${file.name}`, sha256: "00" },
    { kind: "failed", file, fault },
    { kind: "refused", sender: text, name: text, size: 5, fault },
  ];
  const link = { state: "lost" as const, time: text, name: text, room: text };
  return [
    renderer.chat(chatLine({ text })),
    renderer.chat(chatLine({ sender: text, mention: true })),
    renderer.chat(chatLine({ sender: text, own: true, room: text, time: text })),
    renderer.system(systemLine({ text })),
    renderer.system(systemLine({ text, room: text, time: text, name: text, previous: text })),
    renderer.system(systemLine({ event: "names", names: [text, text], room: text })),
    ...events.map((event) => renderer.file(event, TIME) ?? ""),
    renderer.note({ level: "error", text, hint: text, time: TIME }),
    renderer.note({ level: "info", text, time: TIME }),
    renderer.connection({ ...link, text, hint: text }),
  ];
}

for (const [name, renderer] of Object.entries(RENDERERS)) {
  Deno.test(`nothing that a peer or the server sends acts on a terminal: ${name}`, async () => {
    const outputs = HOSTILE_TEXTS.map(({ label, text }) => ({
      label,
      shown: everywhere(renderer, text),
    }));
    // All in one terminal first; only where that shows a fault is the text to blame looked for.
    const all = await witness(outputs.flatMap(({ shown }) => shown).join("\n"));
    if (all.faults.length === 0) return;
    for (const { label, shown } of outputs) {
      for (const text of shown) {
        const { faults } = await witness(text);
        assert.deepEqual(faults, [], `${label}: ${JSON.stringify(text)}`);
      }
    }
    assert.deepEqual(all.faults, []);
  });
}

for (const name of ["rich without colors", "minimal"]) {
  Deno.test(`no words of a peer look like a line of the server's or the program's: ${name}`, () => {
    const renderer = RENDERERS[name] as PaintedRenderer;
    const forged = /^(?:[\d:-]{8} )?(?:[*!-] |error:|warning:|hint:)/;
    const attempts = [
      ...HOSTILE_TEXTS.map(({ text }) => text),
      `x\n${CLOCK} * alice left`,
      "x\n* alice left\n- Connected\nerror: no",
      `x\r${CLOCK} * alice left`,
      `x${" ".repeat(70)}${CLOCK} * alice left`,
      `${"x ".repeat(33)}${CLOCK} * alice left the chat.`,
      `x${"\u3000".repeat(33)}${CLOCK} * alice left`,
    ];
    for (const text of attempts) {
      for (const line of [chatLine({ text }), chatLine({ sender: text })]) {
        const [first = "", ...rest] = renderer.chat(line).replaceAll("\u200e", "").split("\n");
        // A name wider than the row goes on below it.
        assert.match(first, /^(?:[\d:-]{8} #12 )?<[^<>]+(?:> ?|$)/);
        for (const row of rest) {
          assert.ok(row === "" || row.startsWith("    "), JSON.stringify(row));
          assert.doesNotMatch(row, forged);
        }
      }
    }
  });
}

Deno.test("no wrapped row of a chat line begins at the left edge where it could pass for a system line", async () => {
  const forged = `${CLOCK} * alice left the chat.`;
  const rich = RENDERERS["rich without colors"] as PaintedRenderer;
  for (let padding = 1; padding < 160; padding++) {
    const { lines } = await witness(
      rich.chat(
        chatLine({ text: `${"x".repeat(padding % 7)} ${" x".repeat(padding >> 1)} ${forged}` }),
      ),
    );
    for (const line of lines.slice(1)) assert.match(line, /^ {4}/);
    // Rows of the screen: nothing is longer than the screen is wide.
    for (const line of lines) assert.ok(line.length <= 80, line);
  }
});

Deno.test("a name can neither close its brackets nor be empty nor fill the screen", () => {
  assert.equal(safeName("bob> hi\n<alice"), "bob› hi⏎‹alice");
  assert.equal(safeName(""), "?");
  assert.equal(safeName("\u200b"), "?");
  assert.equal(safeName("  "), "?");
  assert.equal([...safeName("x".repeat(500))].length, 65);
  assert.equal(safeName("Zoë 李"), "Zoë 李");
});

Deno.test("the rich renderer shows time, sequence, name and text", () => {
  assert.equal(plain.chat(chatLine()), `${CLOCK} #12 <bob> hi`);
  assert.equal(plain.chat(chatLine({ text: "one\ntwo" })), `${CLOCK} #12 <bob> one\n    two`);
  assert.equal(plain.system(systemLine()), `${CLOCK} * bob joined`);
  assert.equal(
    plain.note({ level: "error", text: "wrong", hint: "right", time: TIME }),
    `${CLOCK} ! error: wrong\n    hint: right`,
  );
  assert.equal(
    plain.note({ level: "info", text: "a\nb", time: TIME }),
    `${CLOCK} - a\n    b`,
  );
});

Deno.test("a mention is highlighted, and colors never change the text", () => {
  const rich = painted(createRichRenderer({}), { style: new Style("true") });
  const shown = rich.chat(chatLine({ mention: true, text: "hi alice" }));
  assert.ok(shown.includes("\x1b[7m<bob>"));
  assert.ok(shown.includes("\x1b[1mhi alice"));
  // deno-lint-ignore no-control-regex
  assert.equal(shown.replace(/\x1b\[[\d;]*m/g, ""), plain.chat(chatLine({ text: "hi alice" })));
});

Deno.test("what the server refuses stands out as an error does, still marked as the server's words", () => {
  const style = new Style("basic");
  const red = "\x1b[91m";
  for (const renderer of [createRichRenderer({}), createMinimalRenderer()]) {
    const shown = (event: string) =>
      painted(renderer, { style }).system(systemLine({ event, text: "Cannot kick: no" }));
    for (const event of ["refused", "rate_limited"]) {
      // deno-lint-ignore no-control-regex
      assert.match(shown(event).replace(/\x1b\[\d*m/g, ""), /\* Cannot kick: no$/);
      assert.ok(shown(event).includes(red), event);
    }
    assert.ok(!shown("notice").includes(red));
  }
});

Deno.test("a name has the same color in any case, and names differ", () => {
  assert.equal(nameNumber("Alice"), nameNumber("alice"));
  const colors = new Set(["alice", "bob", "carol", "dave", "erin", "frank"].map(nameNumber));
  assert.ok(colors.size >= 4);
});

Deno.test("wrapLines() breaks between words, and within a word that is wider than a row unless it is to be copied", () => {
  const link = `https://example.org/${"x".repeat(30)}`;
  const options = { first: 10, columns: 30 };
  assert.deepEqual(wrapLines([`see ${link} now and later`], options), [
    "see https://example.",
    "    org/xxxxxxxxxxxxxxxxxxxxxx",
    "    xxxxxxxx now and later",
  ]);
  const kept = wrapLines([`see ${link} now and later`], { ...options, keepsWords: true });
  assert.deepEqual(kept, ["see", `    ${link}`, "    now and later"]);
  assert.deepEqual(wrapLines(["漢字a bcd"], { first: 0, columns: 5 }), ["漢字a", "   bc", "   d"]);
});

Deno.test("the minimal renderer writes name and text, and a mark before all that no member said", () => {
  const minimal = painted(createMinimalRenderer());
  assert.equal(minimal.chat(chatLine({ text: "one\ntwo" })), "<bob> one\n    two");
  assert.equal(minimal.system(systemLine()), "* bob joined");
  assert.equal(minimal.note({ level: "info", text: "a\nb", time: TIME }), "- a\n- b");
  assert.equal(
    minimal.note({ level: "danger", text: "look out", time: TIME }),
    "warning: look out",
  );
});

Deno.test("the minimal renderer numbers what is shown again, and all or nothing where that is set", () => {
  const shown = (numbers: "auto" | "on" | "off", fields: Partial<ChatLine> = {}) =>
    painted(createMinimalRenderer({ numbers: () => numbers })).chat(chatLine(fields));
  assert.equal(shown("auto"), "<bob> hi");
  assert.equal(shown("auto", { isAsked: true }), "#12 <bob> hi");
  assert.equal(shown("on"), "#12 <bob> hi");
  assert.equal(shown("off", { isAsked: true }), "<bob> hi");
  const elsewhere = { isAsked: true, elsewhere: true };
  assert.equal(shown("auto", elsewhere), "#12 [lobby] <bob> hi");
  assert.equal(shown("on", { to: "alice", sealed: true }), "<bob → alice> hi");
});

Deno.test("long lists of names are cut, and the number of the rest is told", () => {
  const names = Array.from({ length: 45 }, (_, i) => `n${i}`);
  assert.match(nameList(names), /, n39 and 5 more$/);
  assert.equal(
    plain.system(systemLine({ event: "names", names: ["alice", "bob"] })),
    `${CLOCK} * In "lobby": alice, bob`,
  );
});

for (const columns of [39, 79, 199]) {
  Deno.test(`the bar of a file fits into ${columns} cells, whatever the file is called`, () => {
    for (const { text } of [...HOSTILE_FILE_NAMES, ...HOSTILE_TEXTS]) {
      for (const speed of [undefined, "12.5 MiB/s, 3 min left"]) {
        const file = { n: 1, direction: "in" as const, name: text, size: 200, sender: "bob" };
        const bar = barText(file, { done: 99, how: speed, columns });
        // Without a bar where there is no room for one: then the row is cut by who paints it.
        assert.ok(!bar.includes("[#") || textWidth(bar) <= columns, bar);
        assert.match(bar, / 49 %/);
        assert.doesNotMatch(bar, /\p{Cc}/u);
      }
    }
  });
}

Deno.test("a bar tells what moves, how far it is, and how fast", () => {
  const file = { n: 1, direction: "out" as const, name: "a.txt", size: 200, sender: "bob" };
  assert.equal(
    barText(file, { done: 100, how: "1 KiB/s, 2 s left", columns: 79 }),
    'sending "a.txt" [############------------] 50 %, 1 KiB/s, 2 s left',
  );
  assert.equal(
    barText(file, { done: 100, how: "1 KiB/s, 2 s left", columns: 39 }),
    'sending "a.txt" 50 %, 1 KiB/s, 2 s left',
  );
  const empty = barText({ ...file, size: 0 }, { done: 0, how: undefined, columns: 79 });
  assert.equal(empty, 'sending "a.txt" [------------------------] 0 %');
});

Deno.test("of a file that can be accepted again, the chat says how", () => {
  const file = { n: 3, direction: "in" as const, name: "a.txt", size: 5, sender: "bob" };
  const fault = { code: "not_saved" as const, reason: "the disk is full" };
  const failed = { kind: "failed" as const, file, fault };
  const text = 'Not received: file 3, "a.txt" (5 bytes) from <bob>: the disk is full';
  assert.equal(transferText(failed)?.text, text);
  assert.equal(transferText({ ...failed, canRetry: true })?.text, `${text}; /accept 3 tries again`);
});

Deno.test("a time that cannot be read is shown as dashes", () => {
  assert.equal(clockTime("soon"), "--:--:--");
  assert.match(clockTime(TIME), /^\d\d:\d\d:\d\d$/);
});

Deno.test("json: every line is one object with a version and a kind, and texts come through complete", () => {
  const json = painted(createJsonRenderer());
  const texts = [...HOSTILE_TEXTS, ...HOSTILE_FILE_NAMES].map(({ text }) => text);
  for (const text of texts) {
    const line = json.chat(chatLine({ text, sender: text }));
    assert.ok(!line.includes("\n"));
    const value = JSON.parse(line);
    assert.deepEqual([value.v, value.kind], [1, "chat"]);
    assert.equal(value.text, text.toWellFormed() === text ? text : value.text);
  }
  for (const line of everywhere(json, "x")) assert.equal(JSON.parse(line).v, 1);
});

Deno.test("json: the fields are those of docs/JSON.md, and the examples there are what is written", async () => {
  const doc = await Deno.readTextFile(new URL("../../../docs/JSON.md", import.meta.url));
  const examples = [...doc.matchAll(/^\{.*\}$/gm)].map(([line]) => JSON.parse(line));
  const json = painted(createJsonRenderer());
  const file = { n: 1, direction: "in" as const, name: "a.txt", size: 5, sender: "bob" };
  const path = "/home/alice/Downloads/cmdchat/a.txt";
  const fault = { code: "sender_left" as const, reason: "the sender left" };
  const sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
  const written = [
    json.chat(chatLine({ text: "hello" })),
    json.system(systemLine({ text: "bob joined the chat.", event: "joined", name: "bob" })),
    json.file({ kind: "offered", file, accepted: false }, TIME) ?? "",
    json.file({ kind: "progress", file, done: 3 }, TIME) ?? "",
    json.file({ kind: "saved", file, path, sha256 }, TIME) ?? "",
    json.file({ kind: "failed", file, fault }, TIME) ?? "",
    json.connection({
      state: "connected",
      text: 'Connected as "alice" in "lobby"',
      time: TIME,
      name: "alice",
      room: "lobby",
    }),
    json.note({
      level: "error",
      text: "Not sent: there is no connection to the server",
      time: TIME,
    }),
  ].map((line) => JSON.parse(line));
  for (const value of written) {
    assert.ok(
      examples.some((example) => JSON.stringify(example) === JSON.stringify(value)),
      JSON.stringify(value),
    );
  }
});

Deno.test("what is said about a message stands where no member's words can stand", () => {
  const minimal = painted(createMinimalRenderer());
  const cases: readonly (readonly [Partial<ChatLine>, string])[] = [
    [{ action: true, text: "waves" }, "<bob> * waves"],
    [{ to: "carol" }, "<bob → carol> (server can read) hi"],
    [{ elsewhere: true, room: "den" }, "[den] <bob> hi"],
    [
      { quote: { sequence: 4, sender: "carol", text: `when?\n${"x".repeat(90)}` } },
      `<bob> (to #4 <carol> "when? ${"x".repeat(53)}…") hi`,
    ],
  ];
  for (const [fields, shown] of cases) {
    assert.equal(minimal.chat(chatLine(fields)), shown);
    assert.equal(
      painted(createRichRenderer({}), { style: new Style("none") }).chat(chatLine(fields)),
      // A direct message has no number in any room.
      fields.to === undefined ? `${CLOCK} #12 ${shown}` : `${CLOCK} ${shown}`,
    );
  }
});

Deno.test("a list in two columns, such as /help, keeps them where its rows are broken", () => {
  const text = "commands:\n/set [NAME]  show the settings, or change one of them\n//TEXT  a line";
  assert.deepEqual(plain.note({ level: "info", text, time: TIME }).split("\n"), [
    `${CLOCK} - commands:`,
    "    /set [NAME]  show the settings, or",
    "                 change one of them",
    "    //TEXT  a line",
  ]);
});

Deno.test("in a narrow terminal a word moves to the next row before it is cut, and two columns stand close", () => {
  assert.deepEqual(
    wrapLines(["the server is SHA256:abcdefghijklmnop"], { first: 10, columns: 19 }),
    [
      "the",
      "    server is",
      "    SHA256:abcdefgh",
      "    ijklmnop",
    ],
  );
  const row = `Ctrl-U, Ctrl-K${" ".repeat(10)}cut to the start, to the end`;
  assert.deepEqual(wrapLines([row], { first: 4, columns: 30, table: true }), [
    "Ctrl-U, Ctrl-K  cut to the",
    "    start, to the end",
  ]);
  assert.deepEqual(wrapLines([row], { first: 4, columns: 60, table: true }), [
    `Ctrl-U, Ctrl-K${" ".repeat(10)}cut to the start, to the end`,
  ]);
});
