// A received archive becomes a new folder, whole or not at all. Its content is a peer's: nothing of it leads outside of
// that folder, nothing that is there is opened or replaced, and there are only folders and files, which belong to their
// owner alone. No name of it hides, acts or looks like another one.

import { join } from "node:path";
import { numberedName, safeDownloadName } from "../../shared/text/download_name.ts";
import { syncFolderOf } from "./file_access.ts";
import { openDownloadFolder, randomPart } from "./save_download.ts";
import {
  FOLDER_DEPTH_MAX,
  FOLDER_ENTRIES_MAX,
  paxSize,
  readPaxRecords,
  readTarBlock,
  TAR_BLOCK_BYTES,
  TAR_PATH_MAX_BYTES,
  type TarEntry,
  TarError,
  tarPadding,
} from "./tar_header.ts";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const READ_BYTES = 262_144;
const NUMBERS_MAX = 1_000;

/** A folder that is being made. */
interface Made {
  readonly path: string;
  /** What the archive calls something in it, and what it is called here. */
  readonly names: Map<string, string>;
  /** Names that are taken, as a file system may compare them. */
  readonly taken: Set<string>;
}

/**
 * Unpacks the archive `part` into a new folder in `root`, under the safe form of a peer's `name`, numbered where that is
 * taken, and returns its path. Throws TarError, or the system's error; then nothing of it is left.
 */
export async function unpackFolder(part: string, root: string, name: string): Promise<string> {
  const folder = await openDownloadFolder(root);
  const temporary = join(folder, `.cmdchat-${randomPart()}.part`);
  await Deno.mkdir(temporary, { mode: FOLDER_MODE });
  try {
    using file = await Deno.open(part, { read: true });
    await new Unpacking(file, temporary).run();
    return await publishFolder(temporary, folder, safeDownloadName(name));
  } catch (error) {
    await Deno.remove(temporary, { recursive: true }).catch(() => undefined);
    throw error;
  }
}

class Unpacking {
  readonly #file: Deno.FsFile;
  readonly #root: Made;
  readonly #folders = new Map<string, Made>();
  readonly #buffer = new Uint8Array(READ_BYTES);
  #start = 0;
  #end = 0;
  #entries = 0;
  /** The first name of all paths. */
  #top: string | undefined;

  constructor(file: Deno.FsFile, root: string) {
    this.#file = file;
    this.#root = madeAt(root);
  }

  async run(): Promise<void> {
    for (let entry = await this.#next(); entry !== undefined; entry = await this.#next()) {
      if (++this.#entries > FOLDER_ENTRIES_MAX) {
        throw new TarError(`it has more than ${FOLDER_ENTRIES_MAX} files`);
      }
      await this.#make(entry);
    }
  }

  /** The next file or folder; its bytes follow. */
  async #next(): Promise<TarEntry | undefined> {
    let records: ReadonlyMap<string, string> | undefined;
    for (;;) {
      const header = readTarBlock(await this.#take(TAR_BLOCK_BYTES));
      if (header === undefined) {
        if (records !== undefined) throw new TarError("it ends in the middle");
        return undefined;
      }
      const { type, name, size } = header;
      if (type !== "x") {
        const path = records?.get("path") ?? name;
        const told = paxSize(records) ?? size;
        const isFolder = type === "5";
        if (isFolder && told > 0) throw new TarError("a header has another format");
        return { kind: isFolder ? "folder" : "file", path, size: told };
      }
      if (records !== undefined || size > 2 * TAR_PATH_MAX_BYTES) {
        throw new TarError("a header has another format");
      }
      records = readPaxRecords(await this.#take(size));
      await this.#take(tarPadding(size));
    }
  }

  async #make({ kind, path, size }: TarEntry): Promise<void> {
    const [top, ...names] = componentsOf(path);
    if (top !== (this.#top ??= top)) throw new TarError("it holds more than one folder at the top");
    if (kind === "folder") {
      await this.#folder(names);
      return;
    }
    const last = names.at(-1);
    if (last === undefined) throw new TarError("it is not the archive of one folder");
    const folder = await this.#folder(names.slice(0, -1));
    if (folder.names.has(last)) throw new TarError("two files in it have the same name");
    await this.#write(join(folder.path, nameIn(folder, last)), size);
    await this.#take(tarPadding(size));
  }

  /** The folder of these names, made where it is new. */
  async #folder(names: readonly string[]): Promise<Made> {
    let made = this.#root;
    let key = "";
    for (const name of names) {
      key += `/${name}`;
      const known: Made | undefined = this.#folders.get(key);
      if (known === undefined) {
        if (made.names.has(name)) {
          throw new TarError("a file and a folder in it have the same name");
        }
        // Those that have an entry of their own are counted there; others cost none.
        if (this.#folders.size >= FOLDER_ENTRIES_MAX) {
          throw new TarError(`it has more than ${FOLDER_ENTRIES_MAX} folders`);
        }
        const path: string = join(made.path, nameIn(made, name));
        await Deno.mkdir(path, { mode: FOLDER_MODE });
        made = madeAt(path);
        this.#folders.set(key, made);
      } else made = known;
    }
    return made;
  }

  async #write(path: string, size: number): Promise<void> {
    using file = await Deno.open(path, { write: true, createNew: true, mode: FILE_MODE });
    for (let left = size; left > 0;) {
      const bytes = await this.#some(left);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      left -= bytes.length;
    }
  }

  /** Exactly so many bytes, which stay until the next call. */
  async #take(count: number): Promise<Uint8Array> {
    const taken = new Uint8Array(count);
    for (let filled = 0; filled < count;) {
      const bytes = await this.#some(count - filled);
      taken.set(bytes, filled);
      filled += bytes.length;
    }
    return taken;
  }

  /** At least one byte and at most so many. */
  async #some(most: number): Promise<Uint8Array> {
    if (this.#start === this.#end) {
      const count = await this.#file.read(this.#buffer);
      if (count === null) throw new TarError("it ends in the middle");
      [this.#start, this.#end] = [0, count];
    }
    const end = Math.min(this.#end, this.#start + most);
    const bytes = this.#buffer.subarray(this.#start, end);
    this.#start = end;
    return bytes;
  }
}

function madeAt(path: string): Made {
  return { path, names: new Map(), taken: new Set() };
}

/** The names of a path, of which the first is the folder that was sent. Throws TarError. */
function componentsOf(path: string): readonly string[] {
  const names = path.replace(/\/$/, "").split("/");
  const isWrong = names.some((name) =>
    name === "" || name === "." || name === ".." || name.includes("\0")
  );
  if (isWrong || new TextEncoder().encode(path).length > TAR_PATH_MAX_BYTES) {
    throw new TarError("a path in it leads out of the folder");
  }
  if (names.length > FOLDER_DEPTH_MAX) {
    throw new TarError(`it has more than ${FOLDER_DEPTH_MAX} folders inside each other`);
  }
  return names;
}

/** What something is called in a folder here: harmless, and like nothing else in it. */
function nameIn(folder: Made, name: string): string {
  const safe = safeDownloadName(name);
  for (let n = 1; n < NUMBERS_MAX; n++) {
    const free = n === 1 ? safe : numberedName(safe, n);
    // File systems that ignore case or compose letters would take both for one.
    const key = free.normalize("NFKC").toLowerCase();
    if (folder.taken.has(key)) continue;
    folder.taken.add(key);
    folder.names.set(name, free);
    return free;
  }
  throw new TarError("too many files in it have nearly the same name");
}

/** Gives the folder its first free name. */
async function publishFolder(made: string, root: string, name: string): Promise<string> {
  for (let n = 1; n < NUMBERS_MAX; n++) {
    const path = join(root, n === 1 ? name : numberedName(name, n));
    if (!await claim(path)) continue;
    // Renaming replaces an empty folder; Windows wants none there.
    if (Deno.build.os === "windows") await Deno.remove(path);
    await Deno.rename(made, path);
    await syncFolderOf(path);
    return path;
  }
  throw new Deno.errors.AlreadyExists();
}

/** Makes a folder of our own there; false where something is there. */
async function claim(path: string): Promise<boolean> {
  try {
    await Deno.mkdir(path, { mode: FOLDER_MODE });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}
