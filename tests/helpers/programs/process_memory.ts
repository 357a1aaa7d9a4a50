// Reads the memory of another process (Linux; it must be a process that the test started).

import { Buffer } from "node:buffer";

const BLOCK = 8 * 1024 * 1024;

// One character a byte, and each another one: strings are searched far faster than buffers.
const decoder = new TextDecoder("windows-1252");

/** How each needle is looked for: as UTF-8 or bytes, and as the UTF-16 that JavaScript may keep texts in. */
function formsOf(needle: string | Uint8Array): string[] {
  const forms = typeof needle === "string"
    ? [Buffer.from(needle, "utf8"), Buffer.from(needle, "utf16le")]
    : [needle];
  return forms.map((form) => decoder.decode(form));
}

/** Those of `needles` that stand somewhere in `bytes`. */
export function foundInBytes(
  bytes: Uint8Array,
  needles: Readonly<Record<string, string | Uint8Array>>,
): string[] {
  const text = decoder.decode(bytes);
  return Object.keys(needles).filter((name) =>
    formsOf(needles[name] ?? "").some((form) => text.includes(form))
  ).sort();
}

/** Those of `needles` that stand somewhere in the readable, writable memory of process `pid`. */
export async function foundInMemory(
  pid: number,
  needles: Readonly<Record<string, string | Uint8Array>>,
): Promise<string[]> {
  const forms = Object.entries(needles).map(([name, needle]) => ({ name, forms: formsOf(needle) }));
  const overlap = Math.max(...forms.flatMap(({ forms }) => forms.map((form) => form.length)));
  const found = new Set<string>();
  const maps = await Deno.readTextFile(`/proc/${pid}/maps`);
  using memory = await Deno.open(`/proc/${pid}/mem`);
  const buffer = new Uint8Array(BLOCK + overlap);
  for (const [, from = "", to = ""] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm)) {
    const [start, end] = [parseInt(from, 16), parseInt(to, 16)];
    for (let at = start; at < end; at += BLOCK) {
      const wanted = Math.min(BLOCK + overlap, end - at);
      const count = await readAt(memory, buffer.subarray(0, wanted), at);
      const block = decoder.decode(buffer.subarray(0, count));
      for (const { name, forms: each } of forms) {
        if (each.some((form) => block.includes(form))) found.add(name);
      }
    }
  }
  return [...found].sort();
}

async function readAt(memory: Deno.FsFile, into: Uint8Array, at: number): Promise<number> {
  try {
    await memory.seek(at, Deno.SeekMode.Start);
    let count = 0;
    while (count < into.length) {
      const n = await memory.read(into.subarray(count));
      if (n === null || n === 0) break;
      count += n;
    }
    return count;
  } catch {
    return 0; // Reserved, or gone in the meantime: nothing stands there.
  }
}

/** Bytes of memory that process `pid` occupies now. */
export function residentBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1_024;
}
