// What the words of a message are: code, links, and the rest. Only looks; every character stays as it is.

/** A stretch of a line, from `start` up to `end` (UTF-16 units). */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
  readonly kind: "code" | "link" | "answered";
}

/** A line of a message. */
export interface MessageLine {
  readonly text: string;
  /** True for code: it is cut where the row ends, and its blanks stay. */
  readonly asTyped: boolean;
  /** In order, without overlaps. */
  readonly spans: readonly TextSpan[];
}

const FENCE = /^ {0,3}```[\w+#.-]{0,32} *$/;
const FENCE_END = /^ {0,3}``` *$/;
const INLINE_CODE = /(?<!`)(`{1,3})(?!`).+?(?<!`)\1(?!`)/g;
// What follows must be a gap: a link must not end where a character begins that looks like part of it.
const LINK = /(?<=^|[\s(<"'[])https?:\/\/[!-~]+(?=\s|$)/gi;
const NOT_OF_LINK = /[.,;:!?'"`*_~>\]]+$/;

/** The safe lines of a message, told apart. */
export function parseMessage(lines: readonly string[]): MessageLine[] {
  const parsed: MessageLine[] = [];
  for (let at = 0; at < lines.length;) {
    const end = FENCE.test(lines[at] as string)
      ? lines.findIndex((line, index) => index > at && FENCE_END.test(line))
      : -1;
    const next = end < 0 ? at + 1 : end + 1;
    const isCode = end >= 0;
    parsed.push(...lines.slice(at, next).map((text) => isCode ? codeLine(text) : proseLine(text)));
    at = next;
  }
  return parsed;
}

/** The first line with what the message answers before it. */
export function withAnswered(answered: string, line: MessageLine): MessageLine {
  if (answered === "") return line;
  const by = answered.length;
  const moved = line.spans.map((span) => ({ ...span, start: span.start + by, end: span.end + by }));
  return {
    ...{ text: answered + line.text, asTyped: line.asTyped },
    spans: [{ start: 0, end: by, kind: "answered" }, ...moved],
  };
}

function codeLine(text: string): MessageLine {
  return { text, asTyped: true, spans: [{ start: 0, end: text.length, kind: "code" }] };
}

function proseLine(text: string): MessageLine {
  const code = [...text.matchAll(INLINE_CODE)].map(({ index, 0: found }): TextSpan => ({
    ...{ start: index, end: index + found.length, kind: "code" },
  }));
  const links = [...text.matchAll(LINK)].map(({ index, 0: found }): TextSpan => ({
    ...{ start: index, end: index + linkLength(found), kind: "link" },
  }));
  const apart = links.filter((link) =>
    !code.some(({ start, end }) => start < link.end && link.start < end)
  );
  const spans = [...code, ...apart].sort((a, b) => a.start - b.start);
  return { text, asTyped: false, spans };
}

/** Without the punctuation and the closing brackets that belong to the sentence. */
function linkLength(found: string): number {
  let link = found.replace(NOT_OF_LINK, "");
  while (link.endsWith(")") && link.split(")").length > link.split("(").length) {
    link = link.slice(0, -1).replace(NOT_OF_LINK, "");
  }
  return link.length;
}
