// Paths for Tab, as a shell completes them: folders end with a slash, hidden files only where a dot is typed.

const ENTRIES_MAX = 5_000;
const CANDIDATES_MAX = 200;
// What would not survive being typed and shown: control, format and separating characters, but for those that shape
// letters and emoji; and what stands for bytes that are not UTF-8, by which no file can be opened.
const UNSHOWABLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/u;

/** Paths that begin with `typed`; `~/` stands for `home`. Folders that cannot be read give none. */
export function completePath(typed: string, home: string | undefined): string[] {
  const slash = typed.lastIndexOf("/") + 1;
  const [folder, prefix] = [typed.slice(0, slash), typed.slice(slash)];
  const directory = home !== undefined && folder.startsWith("~/")
    ? home + folder.slice(1)
    : folder || ".";
  const names: string[] = [];
  for (const name of list(directory)) {
    // macOS writes é as two characters, keyboards as one: the name is offered as it is on the disk.
    const fits = name.normalize("NFC").startsWith(prefix.normalize("NFC"));
    if (!fits || (name.startsWith(".") && !prefix.startsWith("."))) continue;
    names.push(folder + name);
    if (names.length === CANDIDATES_MAX) break;
  }
  return names.sort();
}

function list(folder: string): string[] {
  const names: string[] = [];
  try {
    for (const entry of Deno.readDirSync(folder)) {
      if (UNSHOWABLE.test(entry.name)) continue;
      names.push(isFolder(folder, entry) ? `${entry.name}/` : entry.name);
      if (names.length === ENTRIES_MAX) break;
    }
  } catch {
    // No such folder, or not ours to read: nothing to offer.
  }
  return names;
}

function isFolder(folder: string, entry: Deno.DirEntry): boolean {
  if (!entry.isSymlink) return entry.isDirectory;
  try {
    return Deno.statSync(`${folder}/${entry.name}`).isDirectory;
  } catch {
    return false;
  }
}
