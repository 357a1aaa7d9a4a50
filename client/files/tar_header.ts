// The blocks in front of each file of a tar archive (POSIX.1-2017, pax interchange format): only what is needed to hand
// a folder to another person. Owners, times and permissions are left out, so that equal folders are equal archives; the
// reader refuses everything else that an archive can hold (docs/adr/0033-folders-as-tar.md).

import { concatBytes } from "../../shared/base/bytes.ts";

/** Bytes of a block; everything in an archive begins at one. */
export const TAR_BLOCK_BYTES = 512;
/** Zeros at the end. */
export const TAR_END_BYTES = 2 * TAR_BLOCK_BYTES;
/** Bytes of the longest path. */
export const TAR_PATH_MAX_BYTES = 4_096;
/** Files and folders of one archive. */
export const FOLDER_ENTRIES_MAX = 50_000;
/** Folders in each other. */
export const FOLDER_DEPTH_MAX = 64;

/** A file or a folder in an archive. */
export interface TarEntry {
  readonly kind: "file" | "folder";
  /** With slashes, without one at its end. */
  readonly path: string;
  /** Bytes of a file; 0 of a folder. */
  readonly size: number;
}

/** The archive is not one that this program makes. */
export class TarError extends Error {}

type Typeflag = "0" | "5" | "x";

const NAME_BYTES = 100;
/** Eleven octal digits. */
const SIZE_MAX = 8 ** 11 - 1;
// 1980-01-01: the earliest time that all tools take.
const MTIME_S = 315_532_800;
const CHECKSUM_AT = 148;
const CHECKSUM_BYTES = 8;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes up to the next block. */
export function tarPadding(size: number): number {
  return (TAR_BLOCK_BYTES - size % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES;
}

/** The header of an entry, with one of the pax format in front where its path or size needs that. */
export function tarHeader({ kind, path, size }: TarEntry): Uint8Array {
  const name = kind === "folder" ? `${path}/` : path;
  const isShort = /^[\x20-\x7e]*$/.test(name) && name.length <= NAME_BYTES;
  const records = [
    ...(isShort ? [] : [paxRecord("path", name)]),
    ...(size <= SIZE_MAX ? [] : [paxRecord("size", String(size))]),
  ];
  const short = isShort ? name : name.replaceAll(/[^\x20-\x7e]/g, "_").slice(-NAME_BYTES);
  const header = block({
    name: short,
    type: kind === "folder" ? "5" : "0",
    size: size <= SIZE_MAX ? size : 0,
  });
  if (records.length === 0) return header;
  const pax = concatBytes(records);
  return concatBytes([
    block({ name: "pax", type: "x", size: pax.length }),
    pax,
    new Uint8Array(tarPadding(pax.length)),
    header,
  ]);
}

/** What a header block says; undefined for a block of zeros, with which an archive ends. Throws TarError. */
export function readTarBlock(
  bytes: Uint8Array,
): { readonly type: Typeflag; readonly name: string; readonly size: number } | undefined {
  if (bytes.every((byte) => byte === 0)) return undefined;
  const field = (at: number, length: number) => {
    const value = bytes.subarray(at, at + length);
    const end = value.indexOf(0);
    return textOf(end < 0 ? value : value.subarray(0, end));
  };
  if (field(257, 6) !== "ustar") throw new TarError("a header has another format");
  if (octalOf(field(CHECKSUM_AT, CHECKSUM_BYTES)) !== checksumOf(bytes)) {
    throw new TarError("a header has a wrong checksum");
  }
  const type = field(156, 1);
  if (type !== "0" && type !== "5" && type !== "x") {
    throw new TarError("it holds something that is neither a file nor a folder");
  }
  const [prefix, last] = [field(345, 155), field(0, NAME_BYTES)];
  const name = prefix === "" ? last : `${prefix}/${last}`;
  return { type, name, size: octalOf(field(124, 12)) };
}

/** The records of a pax header; others than path and size are nothing to us. Throws TarError. */
export function readPaxRecords(bytes: Uint8Array): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? "" : textOf(bytes.subarray(at, space));
    const end = at + Number(digits);
    const isSound = /^[1-9]\d{0,5}$/.test(digits) && end > space + 1 && end <= bytes.length &&
      bytes[end - 1] === 0x0a;
    if (!isSound) throw new TarError("a header has another format");
    const [, key, value] = /^([^=]+)=([^]*)$/.exec(textOf(bytes.subarray(space + 1, end - 1))) ??
      [];
    if (key === undefined || value === undefined) {
      throw new TarError("a header has another format");
    }
    records.set(key, value);
    at = end;
  }
  return records;
}

/** The size of a pax header, in decimal digits alone (POSIX.1-2017); undefined where it has none. Throws TarError. */
export function paxSize(records: ReadonlyMap<string, string> | undefined): number | undefined {
  const digits = records?.get("size");
  if (digits === undefined) return undefined;
  const size = /^\d{1,16}$/.test(digits) ? Number(digits) : NaN;
  if (!Number.isSafeInteger(size)) throw new TarError("a header has another format");
  return size;
}

function block(
  { name, type, size }: { readonly name: string; readonly type: Typeflag; readonly size: number },
): Uint8Array {
  const bytes = new Uint8Array(TAR_BLOCK_BYTES);
  const put = (at: number, text: string) => bytes.set(encoder.encode(text), at);
  const octal = (value: number, length: number) => value.toString(8).padStart(length - 1, "0");
  put(0, name);
  put(100, octal(type === "5" ? 0o755 : 0o644, 8));
  put(108, octal(0, 8));
  put(116, octal(0, 8));
  put(124, octal(size, 12));
  put(136, octal(MTIME_S, 12));
  put(156, type);
  put(257, "ustar");
  put(263, "00");
  put(CHECKSUM_AT, `${octal(checksumOf(bytes), 7)}\0 `);
  return bytes;
}

/** `LENGTH KEY=VALUE`, where LENGTH counts itself. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = encoder.encode(` ${key}=${value}\n`);
  let length = rest.length;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return concatBytes([encoder.encode(String(length)), rest]);
}

/** The sum of all bytes, with blanks in place of the sum. */
function checksumOf(bytes: Uint8Array): number {
  let sum = CHECKSUM_BYTES * 0x20;
  bytes.forEach((byte, at) => {
    if (at < CHECKSUM_AT || at >= CHECKSUM_AT + CHECKSUM_BYTES) sum += byte;
  });
  return sum;
}

function octalOf(text: string): number {
  const [, digits = ""] = /^ *([0-7]{1,12}) *$/.exec(text) ?? [];
  if (digits === "") throw new TarError("a header has another format");
  return parseInt(digits, 8);
}

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new TarError("a name in it is not UTF-8", { cause });
  }
}
