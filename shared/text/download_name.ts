// The one function that decides what a received file is called, whatever its sender called it.
import { FILE_NAME_MAX_BYTES } from "../base/limits.ts";
import { sanitizeLine } from "../base/sanitize.ts";

const FALLBACK = "file";

const SEPARATORS = /[/\\]+/;
// Reserved on Windows (learn.microsoft.com, "Naming Files, Paths, and Namespaces"; `:` opens a
// stream). The rest are slashes that some code page turns into the real one.
const RESERVED = /[<>:"|?*/\\\u2044\u2215\u2216\u29f5\u29f8\u29f9]/;
// Joiners and the emoji form stay where sanitizeLine() finds that they shape what is seen.
const INVISIBLE = /(?!\p{Cs}|[\u200c\u200d\ufe0f])[\p{DI}\p{Cf}\p{Noncharacter_Code_Point}]/gu;
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufffd]/gu;
const BLANKS = /\p{Zs}+/gu;
const NOT_ASCII = /\P{ASCII}/gu;
// A dot hides, a dash is an option, a tilde is somebody's home. Beside the dot stand its lookalikes.
const LEADING = /^[ .\u2024\ufe52\uff0e~-]+/;
const TRAILING = new Set(" .\u2024\ufe52\uff0e");
const MEANINGLESS = /^[_ .~-]*$/;
// A longer "extension" is part of the name.
const EXTENSION = /(?:\.tar)?\.[\p{L}\p{N}][\p{L}\p{N}_+-]{0,15}$/iu;
// Windows opens a device for these, whatever the extension.
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$|clock\$) *(?:\.|$)/i;
// Windows' file manager reads settings from these, or acts on them as soon as it lists the folder.
const FOLDER_SETTINGS = /^(?:desktop\.ini|autorun\.inf)$/i;
const ACTS_WHEN_LISTED = /\.(?:lnk|scf|url|library-ms|searchconnector-ms)$/i;

const encoder = new TextEncoder();

/** One harmless path component on Linux, macOS and Windows, of at most 200 bytes. Idempotent. */
export function safeDownloadName(raw: string): string {
  const name = shorten(defuse(shorten(clean(lastComponent(raw)))));
  return MEANINGLESS.test(name) ? FALLBACK : name;
}

/** `report.txt`, 2 -> `report (2).txt`, within the limit; `name` must come from `safeDownloadName`. */
export function numberedName(name: string, n: number): string {
  return shorten(name, ` (${n})`);
}

function lastComponent(path: string): string {
  return path.split(SEPARATORS).findLast((component) => component !== "") ?? "";
}

function clean(component: string): string {
  const text = component.replace(INVISIBLE, "").replace(UNPRINTABLE, "_").normalize("NFC")
    .replace(NOT_ASCII, (c) => RESERVED.test(c.normalize("NFKC")) ? "_" : c)
    .replace(new RegExp(RESERVED, "g"), "_").replace(BLANKS, " ");
  return withoutTrailing(settled(text)).replace(LEADING, "_");
}

/** Sanitized and composed: a joiner that is taken out may bring together what is one letter then. */
function settled(text: string): string {
  const next = sanitizeLine(text).normalize("NFC");
  return next === text ? next : settled(next);
}

// The names keep their look, but not their meaning.
function defuse(name: string): string {
  const hasMeaning = DEVICE.test(name.normalize("NFKC")) || FOLDER_SETTINGS.test(name);
  const inert = hasMeaning ? `_${name}` : name;
  return ACTS_WHEN_LISTED.test(inert) ? `${inert}.download` : inert;
}

/** Puts `infix` before the extension and takes from the end of the stem what is too much. */
function shorten(name: string, infix = ""): string {
  const [stem, extension] = splitExtension(name);
  const bytes = FILE_NAME_MAX_BYTES - byteLength(infix + extension);
  const short = byteLength(stem) <= bytes ? stem : cut(stem, bytes);
  return withoutTrailing(short) + infix + extension;
}

/** A loop, since /[ .]+$/ takes quadratic time for a name full of dots. */
function withoutTrailing(name: string): string {
  let end = name.length;
  while (end > 0 && TRAILING.has(name[end - 1] as string)) end--;
  return name.slice(0, end);
}

function splitExtension(name: string): [stem: string, extension: string] {
  const extension = EXTENSION.exec(name)?.[0] ?? "";
  return extension.length === name.length
    ? [name, ""]
    : [name.slice(0, name.length - extension.length), extension];
}

function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** The longest start of `text` of at most `bytes` bytes, in characters as a reader sees them. */
function cut(text: string, bytes: number): string {
  const start = text.slice(0, bytes + 1);
  const graphemes = Array.from(new Intl.Segmenter().segment(start), ({ segment }) => segment);
  const whole = longestStart(graphemes, bytes);
  // Some scripts allow one "character" without end.
  return byteLength(whole) > bytes / 2 ? whole : longestStart([...start], bytes);
}

function longestStart(parts: readonly string[], bytes: number): string {
  let start = "";
  let left = bytes;
  for (const part of parts) {
    left -= byteLength(part);
    if (left < 0) break;
    start += part;
  }
  return start;
}
