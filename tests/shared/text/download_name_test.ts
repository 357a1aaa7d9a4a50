import assert from "node:assert/strict";
import fc from "fast-check";
import { numberedName, safeDownloadName } from "../../../shared/text/download_name.ts";
import { FILE_NAME_MAX_BYTES } from "../../../shared/base/limits.ts";
import { sanitizeLine } from "../../../shared/base/sanitize.ts";
import { codePoint } from "../../helpers/fakes/code_point.ts";
import { HOSTILE_FILE_NAMES, HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";

const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:\.|$)/i;

const claimed = fc.array(
  fc.oneof(
    fc.string({ unit: codePoint, maxLength: 6 }),
    fc.constantFrom(...HOSTILE_FILE_NAMES.map(({ text }) => text)),
    fc.constantFrom(
      "/",
      "\\",
      ".",
      "..",
      " ",
      ":",
      "~",
      "-",
      "CON",
      "nul",
      ".txt",
      ".tar.gz",
      ".lnk",
    ),
    fc.constantFrom("\u200b", "\u202e", "\u0301", "\u0338", "\ufe0f", "\u200d", "\u{1f469}", "\0"),
    fc.constantFrom(
      "x".repeat(190),
      "\u6f22".repeat(70),
      "\u1100\u1161".repeat(40),
      "\u2024",
      "\uff0e",
    ),
  ),
  { maxLength: 6 },
).map((pieces) => pieces.join(""));

function assertHarmless(name: string, claim: string): void {
  const bytes = new TextEncoder().encode(name).length;
  assert.ok(bytes >= 1 && bytes <= FILE_NAME_MAX_BYTES, `${bytes} bytes: ${claim}`);
  assert.doesNotMatch(name, /^[.~ -]|[. ]$/, claim);
  // What some code page or file system may make of it.
  assert.doesNotMatch(name.normalize("NFKC"), /[/\\:*?"<>|]/, claim);
  assert.doesNotMatch(name.normalize("NFKC"), DEVICE, claim);
  // Joiners stay between what they join.
  assert.doesNotMatch(name, /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u, claim);
  assert.equal(sanitizeLine(name), name, claim);
  assert.equal(name.normalize("NFC"), name, claim);
}

Deno.test("safeDownloadName() makes one harmless component of every hostile name", () => {
  for (const { label, text } of [...HOSTILE_FILE_NAMES, ...HOSTILE_TEXTS]) {
    assertHarmless(safeDownloadName(text), label);
    assertHarmless(safeDownloadName(`folder/${text}`), label);
    assertHarmless(safeDownloadName(`${text}.txt`), label);
  }
});

Deno.test("safeDownloadName() makes one harmless component of whatever a sender claims, and keeps it", () => {
  const keeps = (claim: string) => {
    const name = safeDownloadName(claim);
    assertHarmless(name, claim);
    assert.equal(safeDownloadName(name), name);
  };
  // Without the joiner, z and the accent are one letter.
  keeps(".tar.gz\u200d\u0301");
  fc.assert(fc.property(claimed, keeps), { numRuns: 5_000 });
});

Deno.test("safeDownloadName() keeps honest names as they are", () => {
  const honest = [
    "report.pdf",
    "Makefile",
    "archive.tar.gz",
    "r\u00e9sum\u00e9 (final).docx",
    "a b c.txt",
    "\u6f22\u5b57.txt",
    "\u043e\u0442\u0447\u0451\u0442.xlsx",
    "v1.2.3.zip",
    "a_b-c+d.js",
    "100%.png",
  ];
  for (const name of honest) assert.equal(safeDownloadName(name), name);
});

Deno.test("safeDownloadName() takes the last component, from either kind of slash", () => {
  assert.equal(safeDownloadName("../../etc/passwd"), "passwd");
  assert.equal(safeDownloadName("C:\\Users\\x\\notes.txt"), "notes.txt");
  assert.equal(safeDownloadName("folder/"), "folder");
  assert.equal(safeDownloadName("a/.."), "file");
});

Deno.test("safeDownloadName() hides nothing, opens no device, and starts nothing when listed", () => {
  assert.equal(safeDownloadName(".bashrc"), "_bashrc");
  assert.equal(safeDownloadName("-rf"), "_rf");
  assert.equal(safeDownloadName("CON"), "_CON");
  assert.equal(safeDownloadName("com1.log"), "_com1.log");
  assert.equal(safeDownloadName("file.txt:stream"), "file.txt_stream");
  assert.equal(safeDownloadName("invoice.lnk"), "invoice.lnk.download");
  assert.equal(safeDownloadName("desktop.ini"), "_desktop.ini");
});

Deno.test("safeDownloadName() shortens the stem and keeps the extension", () => {
  for (const extension of [".txt", ".tar.gz", ".\u0442\u0435\u043a\u0441\u0442", ".PDF"]) {
    for (const unit of ["a", "\u6f22", "\u{1f600}", "e\u0323\u0302", "\u1100"]) {
      const name = safeDownloadName(unit.repeat(300) + extension);
      assertHarmless(name, name);
      assert.ok(name.endsWith(extension), name);
      assert.ok(new TextEncoder().encode(name).length > FILE_NAME_MAX_BYTES - 24, name);
    }
  }
});

Deno.test("safeDownloadName() shows the extension that a reordering or a far margin would hide", () => {
  assert.equal(safeDownloadName("photo\u202egnp.exe"), "photognp.exe");
  assert.equal(safeDownloadName(`photo.jpg${" ".repeat(100)}.exe`), "photo.jpg.exe");
});

Deno.test("safeDownloadName() costs time in proportion to the name", () => {
  for (const unit of ["/", ".", " ", "a", "\u0301", "\u1100", "CON.", "../"]) {
    const started = performance.now();
    assertHarmless(safeDownloadName(unit.repeat(100_000)), unit);
    assert.ok(performance.now() - started < 2_000, unit);
  }
});

Deno.test("numberedName() puts the number before the extension", () => {
  assert.equal(numberedName("report.txt", 2), "report (2).txt");
  assert.equal(numberedName("archive.tar.gz", 3), "archive (3).tar.gz");
  assert.equal(numberedName("Makefile", 12), "Makefile (12)");
});

Deno.test("numberedName() stays harmless, within the limit, and distinct, whatever the name", () => {
  const numbers = fc.integer({ min: 2, max: 99_999 });
  fc.assert(
    fc.property(claimed, numbers, (claim, n) => {
      const name = safeDownloadName(claim);
      const numbered = numberedName(name, n);
      assertHarmless(numbered, claim);
      assert.notEqual(numbered, name);
      assert.notEqual(numbered, numberedName(name, n + 1));
      assert.match(numbered, new RegExp(` \\(${n}\\)`));
    }),
    { numRuns: 3_000 },
  );
});
