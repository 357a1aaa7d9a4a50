// Every text of the programs that a person may read, as one list: tests/texts.txt, which tests hold to the code, so that
// a new text is reviewed like code. `deno task tables` writes it. Run by itself, this prints the list.
//
// It reads sources as text: strings that hold at least two words count, a value in a template is written `…`, and parts
// that are joined with `+` are one text.

/** Where the list is. */
export const TEXTS_PATH = "tests/texts.txt";

const FOLDERS = ["client", "server", "shared"];
/** Files whose strings are for programs: styles, scripts of shells, drawings, labels of keys, a list of words. */
const FOR_PROGRAMS = new Set([
  "client/mls/cipher_suite.ts",
  "client/mls/envelope.ts",
  "client/mls/word_list.ts",
  "client/page/icons.ts",
  "server/web/page_policy.ts",
  "shared/channel/key_schedule.ts",
  "shared/cli/bash_completion.ts",
  "shared/cli/completion_data.ts",
  "shared/cli/fish_completion.ts",
  "shared/cli/powershell_completion.ts",
  "shared/cli/zsh_completion.ts",
  "shared/messages/attach_proof.ts",
  "shared/messages/roster_digest.ts",
]);
/** What only a program reads: labels of keys, heads of HTTP, PEM, drawings, lines of the metrics page. */
const NO_PROSE =
  /^cmdchat (?:sealed|cluster|hand-over)|HTTP\/1\.1|-----BEGIN|<svg|<circle|^# (?:HELP|TYPE)/;

/** A string of a source file, and what stands before it. */
export interface Literal {
  readonly text: string;
  /** The code before it, back to the line's beginning or the literal before. */
  readonly before: string;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\n": "" };
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};~+*%<>-]|\b(?:return|of|in|case|typeof))\s*$/;

/** The strings of a TypeScript source, joined where `+` joins them. */
export function literalsOf(code: string): Literal[] {
  const found: { text: string; before: string }[] = [];
  let at = 0;
  let gap = "";
  const quoted = (end: string): string => {
    let text = "";
    for (at++; at < code.length && code[at] !== end; at++) {
      if (code[at] === "\\") {
        const escaped = code[++at] ?? "";
        if (escaped === "u" || escaped === "x") text += "·";
        else text += ESCAPES[escaped] ?? escaped;
      } else if (end === "`" && code.startsWith("${", at)) {
        text += "…";
        skipValue();
      } else text += code[at];
    }
    at++;
    return text;
  };
  // A value in a template may hold strings of its own: they are found as well.
  const skipValue = () => {
    let depth = 0;
    for (at += 2; at < code.length; at++) {
      const char = code[at] ?? "";
      if (char === "{") depth++;
      else if (char === "}" && depth-- === 0) return;
      else if (char === '"' || char === "'" || char === "`") {
        found.push({ text: quoted(char), before: "${" });
        at--;
      }
    }
  };
  while (at < code.length) {
    const char = code[at] ?? "";
    if (code.startsWith("//", at)) {
      at = endOf(code, "\n", at);
    } else if (code.startsWith("/*", at)) {
      at = endOf(code, "*/", at) + 2;
    } else if (char === '"' || char === "'" || char === "`") {
      const before = gap;
      const text = quoted(char);
      const last = found.at(-1);
      if (last !== undefined && /^\s*\+\s*$/.test(before)) last.text += text;
      else found.push({ text, before });
      gap = "";
    } else if (char === "/" && BEFORE_REGEX.test(gap.slice(-20))) {
      at = endOfRegex(code, at);
      gap = "/";
    } else {
      gap += char;
      at++;
    }
  }
  return found;
}

function endOf(code: string, what: string, from: number): number {
  const end = code.indexOf(what, from);
  return end < 0 ? code.length : end;
}

function endOfRegex(code: string, from: number): number {
  let inClass = false;
  for (let at = from + 1; at < code.length; at++) {
    if (code[at] === "\\") at++;
    else if (code[at] === "[") inClass = true;
    else if (code[at] === "]") inClass = false;
    else if (code[at] === "/" && !inClass) return at + 1;
  }
  return code.length;
}

/** Whether a string is for people: two words of it stand beside each other. */
function isForPeople({ text, before }: Literal): boolean {
  return /[\p{L}…)"',:;.\d] [\p{L}…("'/\d-]/u.test(text) && /\p{L}{2}/u.test(text) &&
    !/\b(?:from|import)\s*\(?$/.test(before.trimEnd()) && !NO_PROSE.test(text);
}

/** The texts of each source file that has any. */
export async function userTexts(): Promise<ReadonlyMap<string, readonly string[]>> {
  const all = new Map<string, string[]>();
  for (const folder of FOLDERS) {
    for (const path of await sourcesBelow(folder)) {
      if (FOR_PROGRAMS.has(path)) continue;
      const literals = literalsOf(await Deno.readTextFile(path)).filter(isForPeople);
      const texts = literals.map(({ text }) => text.replaceAll(/\s*\n\s*/g, "⏎").trim());
      if (texts.length > 0) all.set(path, [...new Set(texts)]);
    }
  }
  return all;
}

async function sourcesBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await sourcesBelow(path));
    else if (entry.name.endsWith(".ts")) found.push(path);
  }
  return found.sort();
}

/** The list as it is committed: a line for each text, below its file. */
export async function listOfTexts(): Promise<string> {
  const parts = [...await userTexts()].map(([path, texts]) =>
    `${path}\n${texts.map((text) => `  ${text}\n`).join("")}`
  );
  return parts.join("\n");
}

if (import.meta.main) {
  Deno.chdir(new URL("../..", import.meta.url));
  // deno-lint-ignore no-console
  console.log(await listOfTexts());
}
