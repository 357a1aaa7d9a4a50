// Makes shared/text/confusables.ts from UTS #39's confusables.txt, which is part of ICU's source
// (source/data/unidata; in Debian unstable: `apt-get source icu`). No package of npm has the data of
// Unicode 17: the newest there is 13 (unhomoglyph), or a table of its own. Writes to standard output:
//   deno run --allow-read=FILE scripts/generate/make_confusables.ts FILE > shared/text/confusables.ts
//
// Two relations are merged into one table: "looks the same" (UTS #39) and "differs by case only".
// Merging them blindly would make v and n one letter (Greek Ν looks like N, ν like v), so a Greek or
// Cyrillic case pair that would join two ASCII letters is left out of the table and only counts in
// names that show their script by another letter (`SCRIPT_CASE_PAIRS`, `SCRIPT_SHAPES_PACKED`).

// The license asks for its notice in every copy.
const LICENSE = `// SPDX-License-Identifier: Unicode-3.0
//
// COPYRIGHT AND PERMISSION NOTICE
//
// Copyright © 1991-2025 Unicode, Inc.
//
// Permission is hereby granted, free of charge, to any person obtaining a copy of data files and any
// associated documentation (the "Data Files") or software and any associated documentation (the
// "Software") to deal in the Data Files or Software without restriction, including without limitation
// the rights to use, copy, modify, merge, publish, distribute, and/or sell copies of the Data Files or
// Software, and to permit persons to whom the Data Files or Software are furnished to do so, provided
// that either (a) this copyright and permission notice appear with all copies of the Data Files or
// Software, or (b) this copyright and permission notice appear in associated Documentation.
//
// THE DATA FILES AND SOFTWARE ARE PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED,
// INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
// NONINFRINGEMENT OF THIRD PARTY RIGHTS.
//
// IN NO EVENT SHALL THE COPYRIGHT HOLDER OR HOLDERS INCLUDED IN THIS NOTICE BE LIABLE FOR ANY CLAIM,
// OR ANY SPECIAL INDIRECT OR CONSEQUENTIAL DAMAGES, OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF
// USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING
// OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THE DATA FILES OR SOFTWARE.
//
// Except as contained in this notice, the name of a copyright holder shall not be used in advertising
// or otherwise to promote the sale, use or other dealings in these Data Files or Software without
// prior written authorization of the copyright holder.`;

const ASCII = /^[\x20-\x7e]$/;
const NAME_CHARACTER = /^[\p{L}\p{Mn}\p{Mc}\p{Nd}]$/u;
const LETTER = /\p{L}/u;
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/u;
const SCRIPT_WITH_PAIRS = /[\p{Script=Greek}\p{Script=Cyrillic}]/u;
const WEAK_KEY = /^[2-9]$|'/;
// Unicode counts each of these sets as lookalikes; case makes the rest of the class follow.
const MERGED_ASCII: Readonly<Record<string, string>> = { i: "l", "1": "l", "|": "l", "0": "o" };

/** Two characters that differ by case only, and what they look like, as sequences of classes. */
interface CasePair {
  readonly characters: readonly [upper: string, lower: string];
  readonly upper: readonly string[];
  readonly lower: readonly string[];
}

function parsePrototypes(text: string): Map<string, string> {
  const prototypes = new Map<string, string>();
  for (const line of text.split("\n")) {
    const row = /^\uFEFF?([0-9A-F]+) ;\t([0-9A-F ]+?) ;\tMA/.exec(line);
    if (row === null) continue;
    prototypes.set(fromHex(row[1]!), row[2]!.split(" ").map(fromHex).join(""));
  }
  return prototypes;
}

function fromHex(hex: string): string {
  return String.fromCodePoint(Number.parseInt(hex, 16));
}

/** What can stand in a name after NFKD, without what is folded away. */
function nameCharacters(): string[] {
  const characters: string[] = [];
  for (let code = 0x20; code < 0x110000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    if (!NAME_CHARACTER.test(character) || IGNORABLE.test(character)) continue;
    if (character.normalize("NFKD") === character) characters.push(character);
  }
  return characters;
}

// Three steps, since ẞ lowers to ß and only ß rises to SS; must equal `fold` in shared/text/names.ts.
function fold(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase();
}

/** Classes of lookalike characters (union-find), and what a class stands for when it is several. */
class Classes {
  readonly #parents = new Map<string, string>();
  readonly #expansions = new Map<string, readonly string[]>();

  find(node: string): string {
    const parent = this.#parents.get(node);
    return parent === undefined ? node : this.find(parent);
  }

  union(a: string, b: string): void {
    const [first, second] = [this.find(a), this.find(b)];
    if (first === second) return;
    const isFirst = this.#rank(first) <= this.#rank(second);
    const [root, child] = isFirst ? [first, second] : [second, first];
    this.#parents.set(child, root);
  }

  /** Whether the class has a key of its own that must not become another's. */
  isFixed(node: string): boolean {
    const root = this.find(node);
    return ASCII.test(root) || this.#expansions.has(root);
  }

  expand(node: string, into: readonly string[]): void {
    this.#expansions.set(this.find(node), into);
  }

  key(nodes: readonly string[]): string {
    return nodes.map((node) => this.find(node))
      .map((root) => this.#expansions.get(root)?.map((node) => this.find(node)).join("") ?? root)
      .join("").normalize("NFD");
  }

  // The root is what the table prints: fixed keys first, then Greek and Cyrillic, and small letters
  // before capitals, because case folding yields those without a row.
  #rank(node: string): number {
    if (this.isFixed(node)) return 0;
    return (SCRIPT_WITH_PAIRS.test(node) ? 1 : 3) + (fold(node) === node ? 0 : 1);
  }
}

class TableMaker {
  readonly #prototypes: ReadonlyMap<string, string>;
  readonly #characters = nameCharacters();
  readonly #classes = new Classes();
  readonly #overrides = new Map<string, string>();
  readonly #scriptPairs: CasePair[] = [];

  constructor(prototypes: ReadonlyMap<string, string>) {
    this.#prototypes = prototypes;
    this.#classes.expand("m", ["r", "n"]);
    this.#classes.expand("ß", ["s", "s"]);
    const pairs = this.#casePairs();
    const singles = pairs.filter(({ upper, lower }) => upper.length + lower.length === 2);
    for (const pair of singles) this.#joinSingles(pair, singles);
    for (const pair of pairs) if (!singles.includes(pair)) this.#joinSequences(pair);
  }

  /** Source character -> key, without what case folding and the rest of the table give anyway. */
  table(): Map<string, string> {
    const table = new Map<string, string>();
    const byCase = [...this.#characters].sort((a, b) =>
      Number(fold(a) !== a) - Number(fold(b) !== b)
    );
    for (const character of byCase) {
      const derived = [...fold(character)].map((c) => table.get(c) ?? c).join("");
      if (this.#key(character) !== derived) table.set(character, this.#key(character));
    }
    return table;
  }

  /** Keys that are one letter in a Greek or Cyrillic name: what to replace, and by what. */
  scriptPairs(): [string, string][] {
    const parents = new Map<string, string>();
    const root = (key: string): string => parents.has(key) ? root(parents.get(key)!) : key;
    // The capital's key stays where it is ASCII: a name in capitals alone may show no script.
    for (const { upper, lower } of this.#scriptPairs) {
      const [to, from] = [root(this.#classes.key(upper)), root(this.#classes.key(lower))];
      if (to === from) continue;
      if (ASCII.test(to)) parents.set(from, to);
      else parents.set(to, from);
    }
    return [...parents.keys()].map((key): [string, string] => [key, root(key)])
      .sort(([a], [b]) => b.length - a.length);
  }

  /** What shows that a name is Greek or Cyrillic: their letters without a Latin twin, and lookalikes. */
  scriptShapes(): string[] {
    const shape = (c: string) => this.#prototypes.get(c) ?? c;
    const isAscii = (text: string) => [...text].every((c) => ASCII.test(c));
    const letters = this.#characters.filter((c) => SCRIPT_WITH_PAIRS.test(c) && LETTER.test(c));
    const shapes = new Set(letters.map(shape).filter((prototype) => !isAscii(prototype)));
    return this.#characters.filter((c) => shapes.has(shape(c)) && !isAscii(fold(c)));
  }

  #nodes(text: string): string[] {
    return [...text].flatMap((c) => [...(this.#prototypes.get(c) ?? c).normalize("NFKD")])
      .map((c) => ASCII.test(c) ? MERGED_ASCII[c.toLowerCase()] ?? c.toLowerCase() : c);
  }

  #key(character: string): string {
    return this.#overrides.get(character) ??
      this.#classes.key(character === "m" ? ["m"] : this.#nodes(character));
  }

  #casePairs(): CasePair[] {
    return this.#characters.filter((c) => !ASCII.test(c) && fold(c) !== c).map((upper) => ({
      characters: [upper, fold(upper)],
      upper: this.#nodes(upper),
      lower: this.#nodes(fold(upper)),
    }));
  }

  #joinSingles(pair: CasePair, singles: readonly CasePair[]): void {
    const [upper, lower] = [pair.upper[0]!, pair.lower[0]!];
    if (this.#joinsFixedClasses(pair, singles)) this.#leaveOut(pair);
    else this.#classes.union(upper, lower);
  }

  /** Whether `pair` and the case pairs around it reach two classes that have keys of their own. */
  #joinsFixedClasses(pair: CasePair, singles: readonly CasePair[]): boolean {
    const reached = new Set([pair.upper[0]!, pair.lower[0]!]);
    for (const node of reached) {
      if (this.#classes.isFixed(node)) continue;
      for (const { upper, lower } of singles) {
        if (upper[0] === node) reached.add(lower[0]!);
        if (lower[0] === node) reached.add(upper[0]!);
      }
    }
    const fixed = [...reached].filter((node) => this.#classes.isFixed(node));
    return new Set(fixed.map((node) => this.#classes.find(node))).size > 1;
  }

  #joinSequences(pair: CasePair): void {
    if (this.#classes.key(pair.upper) === this.#classes.key(pair.lower)) return;
    if (pair.upper.length === 1 && !this.#classes.isFixed(pair.upper[0]!)) {
      this.#classes.expand(pair.upper[0]!, pair.lower);
    } else if (pair.lower.length === 1 && !this.#classes.isFixed(pair.lower[0]!)) {
      this.#classes.expand(pair.lower[0]!, pair.upper);
    } else {
      this.#leaveOut(pair);
    }
  }

  // What looks like a digit or needs an apostrophe gives way: names are letters before all.
  #leaveOut(pair: CasePair): void {
    const [upper, lower] = [this.#classes.key(pair.upper), this.#classes.key(pair.lower)];
    const [capital, small] = pair.characters;
    const isSingle = pair.upper.length === 1 || pair.lower.length === 1;
    if (WEAK_KEY.test(upper)) this.#overrides.set(capital, lower);
    else if (isSingle && SCRIPT_WITH_PAIRS.test(capital) && !WEAK_KEY.test(lower)) {
      this.#scriptPairs.push(pair);
    } else this.#overrides.set(small, upper);
  }
}

/**
 * Rows `key:sources`: code points in base 36, joined by `+` in keys, as differences in sources; the first source of a row
 * as the difference from the first one of the row before.
 */
function pack(table: ReadonlyMap<string, string>): string {
  const sources = new Map<string, number[]>();
  for (
    const [source, key] of [...table].sort(([a], [b]) => a.codePointAt(0)! - b.codePointAt(0)!)
  ) {
    const row = sources.get(key) ?? [];
    row.push(source.codePointAt(0)!);
    sources.set(key, row);
  }
  let before = 0;
  const rows = [...sources].map(([key, codes]) => {
    const packed = packCodes(codes, before);
    before = codes[0]!;
    return `${codePoints(key).join("+")}:${packed}`;
  });
  return wrap(rows.join(";"));
}

function packCodes(codes: readonly number[], before = 0): string {
  return codes.map((code, index) => (code - (codes[index - 1] ?? before)).toString(36)).join(",");
}

function wrap(packed: string): string {
  return packed.match(/.{1,99}(?:[,;]|$)/g)!.join("\n");
}

function codePoints(text: string): string[] {
  return [...text].map((c) => c.codePointAt(0)!.toString(36));
}

function escape(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, (c) => {
    return `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function moduleText(source: string): string {
  const version = /^# Version: (\S+)/m.exec(source)![1];
  const copyright = /^# (©.*)$/m.exec(source)![1];
  const maker = new TableMaker(parsePrototypes(source));
  const table = maker.table();
  const pairs = maker.scriptPairs().map(([from, to]) => `  [${escape(from)}, ${escape(to)}],`);
  return `// Generated by scripts/generate/make_confusables.ts from confusables.txt, Unicode ${version}; do not edit.
// ${copyright} Modified: only what a name can hold, merged with case folding.
${LICENSE}

/** ${table.size} rows \`key:sources\`; numbers are code points in base 36, sources as differences; decodeTable() in names.ts reads it. */
export const CONFUSABLES_PACKED = \`
${pack(table)}
\`;

/** Characters that show a name to be Greek or Cyrillic: no Latin letter looks like them. */
export const SCRIPT_SHAPES_PACKED = \`
${wrap(packCodes(maker.scriptShapes().map((c) => c.codePointAt(0)!)))}
\`;

/** Keys that are one letter in such names: [what to replace, by what]. */
export const SCRIPT_CASE_PAIRS: readonly (readonly [string, string])[] = [
${pairs.join("\n")}
];
`;
}

const text = moduleText(Deno.readTextFileSync(Deno.args[0]!));
Deno.stdout.writeSync(new TextEncoder().encode(text));
