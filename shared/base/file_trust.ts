// One rule for every file that decides whom a program trusts: settings, known servers, identity, tokens, certificates
// and keys. It is a pure function; each side reads the facts where it touches the disk.

/** What a system tells about a file. */
export interface FileFacts {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  /** Permission bits; null where the system has none. */
  readonly mode: number | null;
  /** Its owner; null where the system has none. */
  readonly uid: number | null;
}

/** A file that is about to be trusted. */
export interface TrustedFile {
  /** The file itself, behind all links. */
  readonly file: FileFacts;
  /** The link at its path, where one is. */
  readonly link?: FileFacts | undefined;
  /** The user of this process; undefined where the process may not know it. */
  readonly uid: number | undefined;
  /** Whether others may not even read it. */
  readonly isSecret: boolean;
}

/** Why a file is not trusted, and what to do. */
export interface TrustFault {
  readonly why: string;
  /** A command without the path; undefined where none helps. */
  readonly command?: string;
}

const ROOT = 0;
const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;
/** In such a folder only a file's owner moves or removes it, as in /tmp. */
const STICKY = 0o1000;

/**
 * Undefined where the file may be trusted:
 * 1. It and a link at its path belong to this user or to root: their owner can change them at any time.
 * 2. Others can neither change it nor, if it is secret, read it. A group may: service managers hand secrets to one.
 * 3. Pipes and devices have owners and modes that say nothing of what comes out of them, and are not judged.
 */
export function trustFault({ file, link, uid, isSecret }: TrustedFile): TrustFault | undefined {
  if (file.isDirectory) return { why: "it is a folder, not a file" };
  if (!file.isFile) return undefined;
  if (isForeign(link, uid)) return { why: "it is a link that another user made" };
  if (isForeign(file, uid)) {
    return { why: "it belongs to another user, who may change it", command: `chown ${uid}` };
  }
  const mode = file.mode ?? 0;
  if (isSecret && (mode & (OTHERS_READ | OTHERS_WRITE)) !== 0) {
    return { why: "every user of this machine may read or change it", command: "chmod 600" };
  }
  if ((mode & OTHERS_WRITE) === 0) return undefined;
  return { why: "every user of this machine may change it", command: "chmod o-w" };
}

/** The folders that lead to an absolute path, the nearest first. */
export function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    folders.push(path.slice(0, end));
  }
  return path.startsWith("/") ? [...folders, "/"] : folders;
}

/**
 * Why a file in such a folder is not trusted: a user who may change the folder can put another file in its place.
 * Undefined where it is trusted.
 */
export function folderFault(folder: FileFacts, uid: number | undefined): TrustFault | undefined {
  if (isForeign(folder, uid)) {
    return { why: "another user, to whom a folder above it belongs, may replace it" };
  }
  const mode = folder.mode ?? 0;
  if ((mode & OTHERS_WRITE) === 0 || (mode & STICKY) !== 0) return undefined;
  return {
    why: "every user of this machine may replace it, in a folder above it",
    command: "chmod o-w",
  };
}

function isForeign(facts: FileFacts | undefined, uid: number | undefined): boolean {
  if (facts === undefined || facts.uid === null || uid === undefined) return false;
  return facts.uid !== uid && facts.uid !== ROOT;
}
