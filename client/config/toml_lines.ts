// In which line of a TOML file a key stands: the parser's values do not know. For error messages only.

const HEADER = /^\s*\[\[?\s*(.+?)\s*\]\]?\s*(?:#.*)?$/;
const ASSIGNMENT = /^\s*((?:"[^"]*"|'[^']*'|[\w.-]|\s)+?)\s*=/;

/** Line from 1 of the first `key =`, or of a header `[key…`, in a section (undefined = the top); undefined where it is written in another way. */
export function lineOf(text: string, key: string, section: string | undefined): number | undefined {
  const wanted = section === undefined ? key : `${section}.${key}`;
  let current: string | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const header = HEADER.exec(line)?.[1];
    if (header !== undefined) current = plain(header);
    const assigned = ASSIGNMENT.exec(line)?.[1];
    const name = header !== undefined
      ? plain(header)
      : assigned === undefined
      ? undefined
      : current === undefined
      ? plain(assigned)
      : `${current}.${plain(assigned)}`;
    if (name === wanted || name?.startsWith(`${wanted}.`)) return index + 1;
  }
  return undefined;
}

/** A dotted key without quotes and blanks. */
function plain(key: string): string {
  return key.split(".").map((part) => part.trim().replace(/^(["'])(.*)\1$/, "$2")).join(".");
}
