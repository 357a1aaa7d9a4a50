// Texts of a help in a terminal: lines that end between words, in one column or in two.

// Characters of a line of a help: what every terminal shows.
const HELP_COLUMNS = 80;
/** A narrower second column would be mostly ends of lines. */
const SECOND_MIN = 28;
const INDENT = "  ";

/** Text in lines of at most `width` characters, broken at blanks. */
export function wrapText(text: string, width: number = HELP_COLUMNS): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

/** Lines in two columns, the second one aligned; below the first where that leaves too little. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  const room = HELP_COLUMNS - INDENT.length - width;
  const isBelow = room < SECOND_MIN;
  const start = INDENT + " ".repeat(isBelow ? 8 : width);
  return rows.flatMap(([left, right]) => {
    const [first = "", ...others] = wrapText(right, HELP_COLUMNS - start.length);
    const head = isBelow ? [INDENT + left, start + first] : [INDENT + left.padEnd(width) + first];
    return [...head, ...others.map((line) => start + line)];
  }).map((line) => line.trimEnd()).filter((line) => line !== "").join("\n");
}
