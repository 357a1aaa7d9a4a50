import assert from "node:assert/strict";
import { createRichRenderer } from "../../../client/render/rich.ts";
import { parseMessage } from "../../../client/render/spans.ts";
import { painted } from "../../helpers/fakes/painted_renderer.ts";
import { type ColorDepth, Style } from "../../../client/terminal/style.ts";
import { textWidth } from "../../../client/terminal/width.ts";
import { HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";
import { sanitizeText } from "../../../shared/base/sanitize.ts";

const LINE = {
  sender: "bob",
  room: "lobby",
  time: "",
  sequence: 1,
  own: false,
  mention: false,
};

// deno-lint-ignore no-control-regex -- OSC 8
const HYPERLINK = /\x1b\]8;;([^\x1b]+)\x1b\\(.*?)\x1b\]8;;\x1b\\/g;

/** Spans of one line as `kind:text`. */
function spansOf(text: string): string[] {
  return parseMessage([text]).flatMap(({ spans, text }) =>
    spans.map(({ kind, start, end }) => `${kind}:${text.slice(start, end)}`)
  );
}

Deno.test("web addresses are links, without what belongs to the sentence", () => {
  assert.deepEqual(spansOf("see https://a.example/x?y=1#z."), ["link:https://a.example/x?y=1#z"]);
  assert.deepEqual(spansOf("(https://a.example/x_(y)), and"), ["link:https://a.example/x_(y)"]);
  assert.deepEqual(spansOf("<http://a.example> HTTPS://B.EXAMPLE"), [
    "link:http://a.example",
    "link:HTTPS://B.EXAMPLE",
  ]);
  for (const text of ["ahttps://x.example", "javascript:alert(1)", "file:///etc", "https://"]) {
    assert.deepEqual(spansOf(text), [], text);
  }
});

Deno.test("an address that begins with a user's name is no link: that could look like another host", () => {
  for (const text of ["https://bank.example@evil.example/", "https://a:b@evil.example?x#y"]) {
    assert.deepEqual(spansOf(text), [], text);
  }
  for (const text of ["https://a.example/@eve", "https://a.example?x@y", "https://a.example#@"]) {
    assert.deepEqual(spansOf(text), [`link:${text}`], text);
  }
});

Deno.test("an address with a character that is not ASCII is no link: half of it would lead elsewhere", () => {
  for (const text of ["https://exämple.org", "https://a.example/ä", "https://а.example"]) {
    assert.deepEqual(spansOf(text), [], text);
  }
});

Deno.test("code between backticks and fences is code, and what looks like a link in it is not one", () => {
  assert.deepEqual(spansOf("run `ls -l`, or ``a`b``"), ["code:`ls -l`", "code:``a`b``"]);
  assert.deepEqual(spansOf("`curl https://a.example`"), ["code:`curl https://a.example`"]);
  const lines = parseMessage(["look:", "```sh", "  a   b", "https://a.example", "```", "done"]);
  assert.deepEqual(lines.map(({ asTyped }) => asTyped), [false, true, true, true, true, false]);
  assert.deepEqual(parseMessage(["```", "never ended"]).map(({ asTyped }) => asTyped), [
    false,
    false,
  ]);
});

Deno.test("code keeps its blanks and is cut where the row ends; other text is broken between words", () => {
  const rich = painted(createRichRenderer({ columns: () => 24, numbers: () => false }));
  const code = "if (x)    {  y  =  1;  }";
  assert.deepEqual(rich.chat({ ...LINE, text: `\`\`\`\n${code}\n\`\`\`` }).split("\n"), [
    "--:--:-- <bob> ```",
    "    if (x)    {  y  =  1",
    "    ;  }",
    "    ```",
  ]);
});

/** A message of blocks, as a terminal with that style shows it; escape sequences as «…». */
function blocksOf(text: string, columns: number, depth: ColorDepth): string[] {
  const renderer = createRichRenderer({
    columns: () => columns,
    numbers: () => false,
    blocks: true,
  });
  return painted(renderer, { style: new Style(depth) }).chat({ ...LINE, text })
    // deno-lint-ignore no-control-regex -- SGR
    .replaceAll(/\x1b\[([\d;]*)m/g, (_, looks) => looks === "0" ? "»" : `«${looks}:`)
    .split("\n");
}

Deno.test("a block of code has a bar at its left, which is a blank, and its language in place of its fences", () => {
  const text = "look:\n```ts\nconst a  = 1;\n\n  b();\n```\ndone";
  assert.deepEqual(blocksOf(text, 40, "weights"), [
    "«2:--:--:-- »«1:<bob>» look:",
    "   «2;7: »«2:ts»",
    "   «2;7: »const a  = 1;",
    "   «2;7: »",
    "   «2;7: »  b();",
    "    done",
  ]);
  assert.deepEqual(blocksOf("```\none\n```", 40, "weights"), [
    "«2:--:--:-- »«1:<bob>»",
    "   «2;7: »one",
  ]);
});

Deno.test("in narrow terminals every row of a block has its bar, and none is wider than the terminal", () => {
  for (const columns of [1, 2, 3, 5, 12, 20, 40]) {
    const rows = blocksOf(`\`\`\`diff\n+${"wide 漢字 ".repeat(9)}\n\`\`\``, columns, "weights");
    const code = rows.slice(rows.findIndex((row) => row.includes("+")));
    for (const row of code) assert.match(row, /«2;7: »/, `${columns}: ${row}`);
    for (const row of columns < 12 ? [] : rows) {
      const shown = row.replaceAll(/«[\d;]*:|»/g, "");
      assert.ok(textWidth(shown) <= columns, `${columns}: ${shown}`);
    }
  }
});

Deno.test("a diff shows what came, what went and where; other code with signs does not", () => {
  const kinds = (text: string) =>
    parseMessage(text.split("\n")).flatMap(({ spans }) => spans.map(({ kind }) => kind));
  assert.deepEqual(
    kinds("```diff\n@@ -1 +1 @@\n-a\n+b\n c\n```"),
    ["fence", "hunk", "removed", "added", "code", "fence"],
  );
  assert.deepEqual(kinds("```\n-a\n+b\n```"), ["fence", "code", "code", "fence"]);
  assert.deepEqual(kinds("+ no fence"), []);
});

Deno.test("no row of a peer can have the bar, whatever the peer writes", () => {
  for (const { label, text } of HOSTILE_TEXTS) {
    for (const row of blocksOf(text, 40, "true")) {
      assert.ok(!/^ {3}«[\d;]*7: »/.test(row) || /```/.test(text), label);
    }
  }
});

Deno.test("*bold* and _italic_ are words between marks, and neither sums, names with lines nor lists", () => {
  const marked = (text: string) =>
    parseMessage([text], { markup: true }).flatMap(({ spans, text }) =>
      spans.map(({ kind, start, end }) => `${kind}:${text.slice(start, end)}`)
    );
  assert.deepEqual(marked("*bold* and _it is_, (*so*)."), [
    "strong:*bold*",
    "emphasis:_it is_",
    "strong:*so*",
  ]);
  for (
    const text of [
      "2*3*4",
      "snake_case_name",
      "__init__",
      "* a list *",
      "** **",
      "*",
      "_",
      "* * *",
      "*a`b*`",
      "a*b* *c",
      "**double**",
    ]
  ) {
    assert.deepEqual(marked(text).filter((span) => !span.startsWith("code")), [], text);
  }
  assert.deepEqual(marked("*a *b* `*c*` https://a.example/_x_ _see https://a.example_"), [
    "strong:*b*",
    "code:`*c*`",
    "link:https://a.example/_x",
    "link:https://a.example",
  ]);
  assert.deepEqual(spansOf("*bold*"), [], "only where the user wants it");
});

Deno.test("a link leads exactly where its text says, and only where the user wants links", () => {
  let wanted = true;
  const rich = painted(createRichRenderer({ columns: () => 80 }), {
    style: new Style("true"),
    links: () => wanted,
  });
  const texts = [
    "https://a.example/x y",
    "(http://b.example),",
    ...HOSTILE_TEXTS.map(({ text }) => `${text} https://evil.example/${text}`),
  ];
  let links = 0;
  for (const text of texts) {
    const shown = rich.chat({ ...LINE, text });
    for (const [, target, label] of shown.matchAll(HYPERLINK)) {
      links++;
      // deno-lint-ignore no-control-regex -- SGR
      assert.equal(label?.replaceAll(/\x1b\[[\d;]*m/g, ""), target);
      assert.match(target ?? "", /^https?:\/\/[!-~]+$/);
    }
    wanted = false;
    assert.ok(!rich.chat({ ...LINE, text }).includes("\x1b]8"));
    wanted = true;
  }
  assert.ok(links > 10, `${links} links`);
});

Deno.test("whatever a message is, its looks change no character of it", () => {
  const rich = painted(createRichRenderer({ markup: () => true }), {
    style: new Style("true"),
    links: () => true,
  });
  for (const { label, text } of HOSTILE_TEXTS) {
    for (
      const given of [
        text,
        `\`\`\`\n${text}\n\`\`\``,
        `\`${text}\``,
        `*${text}*`,
        `https://a.example/${text}`,
      ]
    ) {
      const shown = rich.chat({ ...LINE, text: given })
        // deno-lint-ignore no-control-regex -- SGR and OSC 8
        .replaceAll(/\x1b\[[\d;]*m|\x1b\]8;;[^\x1b]*\x1b\\|\u200e/g, "");
      const plain = sanitizeText(given).split("\n").join("\n    ");
      assert.equal(shown, `--:--:-- #1 <bob> ${plain}`, label);
    }
  }
});
