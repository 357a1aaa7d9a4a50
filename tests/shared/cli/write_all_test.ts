import assert from "node:assert/strict";
import { ConfigError } from "../../../shared/base/errors.ts";
import {
  outputFault,
  retried,
  StandardOutput,
  STDOUT,
  writeAll,
  writeAllSync,
} from "../../../shared/cli/write_all.ts";

/** A stream that takes two bytes at a time, and nothing at every other try. */
class SlowSink {
  readonly taken: number[] = [];
  #tries = 0;

  writeSync(bytes: Uint8Array): number {
    if (this.#tries++ % 2 === 0) throw new Deno.errors.WouldBlock("full");
    this.taken.push(...bytes.subarray(0, 2));
    return Math.min(2, bytes.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve) => resolve(this.writeSync(bytes)));
  }
}

Deno.test("writeAll() and writeAllSync() wait for a stream that is full and lose no byte", async () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5);
  const [one, other] = [new SlowSink(), new SlowSink()];
  await writeAll(one, bytes);
  writeAllSync(other, bytes);
  assert.deepEqual([one.taken, other.taken], [[...bytes], [...bytes]]);
});

Deno.test("a read of a stream that has nothing yet is tried again; other errors are thrown on", async () => {
  let tries = 0;
  const read = () => {
    if (tries++ < 3) throw new Deno.errors.WouldBlock("empty");
    return Promise.resolve(7);
  };
  assert.equal(await retried(async () => await read()), 7);
  await assert.rejects(
    retried(() => Promise.reject(new Deno.errors.BadResource("gone"))),
    Deno.errors.BadResource,
  );
});

Deno.test("output that cannot be written is an error, but a reader that has left is none", () => {
  assert.equal(outputFault(new Deno.errors.BrokenPipe("gone")), undefined);
  const full = Object.assign(new Error("no space"), { code: "ENOSPC" });
  assert.match(outputFault(full)?.message ?? "", /the disk is full$/);
  assert.ok(outputFault(new Error("x")) instanceof ConfigError);
});

/**
 * A stream behind the buffer of Rust's LineWriter: what it did not take behind a line break stays in the buffer, and
 * flushing that throws WouldBlock, as a full non-blocking pipe or terminal does.
 */
class LineWriter {
  readonly taken: number[] = [];
  readonly #isPipe: boolean;
  readonly #room: () => number;
  #kept: number[] = [];

  constructor(isPipe: boolean, room: () => number) {
    this.#isPipe = isPipe;
    this.#room = room;
  }

  writeSync(bytes: Uint8Array): number {
    const lines = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
    if (lines.length > 0) this.#flush();
    const sent = lines.length > 0 ? this.#put(lines) : 0;
    if (bytes.length - sent >= 1_024) {
      throw new Error("this test would need the rest of LineWriter");
    }
    this.#kept.push(...bytes.subarray(sent));
    this.#flush();
    return bytes.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve) => resolve(this.writeSync(bytes)));
  }

  #flush(): void {
    while (this.#kept.length > 0) this.#kept.splice(0, this.#put(Uint8Array.from(this.#kept)));
  }

  #put(bytes: Uint8Array): number {
    const room = Math.min(this.#room(), bytes.length);
    if (room <= 0 || (this.#isPipe && room < bytes.length)) {
      throw new Deno.errors.WouldBlock("full");
    }
    this.taken.push(...bytes.subarray(0, room));
    return room;
  }
}

for (const kind of ["pipe", "terminal"] as const) {
  Deno.test(`standard output that is a full, non-blocking ${kind} gets every byte once`, async () => {
    const text = Array.from({ length: 30 }, (_, n) =>
      `${n} ${"x".repeat(n * 37 % 300)}\n`).join("") +
      `${"no line break ".repeat(150)}and an end`;
    const bytes = new TextEncoder().encode(text);
    for (const size of [30, 100, 400]) {
      // Full for a moment after each part; a pipe then has room for a whole piece.
      let opensAt = 0;
      const room = () => {
        if (performance.now() < opensAt) return 0;
        opensAt = performance.now() + 2;
        return kind === "pipe" ? 4_096 : 20 * size;
      };
      for (const way of [writeAll, writeAllSync]) {
        const sink = new LineWriter(kind === "pipe", room);
        await way(new StandardOutput(sink, () => kind === "terminal"), bytes);
        const taken = new TextDecoder().decode(Uint8Array.from(sink.taken));
        assert.equal(taken, text, `${way.name} ${size}`);
      }
    }
  });
}

Deno.test("a line of up to 4,096 bytes leaves in one write, so that lines of several programs do not mix", async () => {
  const pieces: number[] = [];
  const count = (bytes: Uint8Array) => pieces.push(bytes.length) && bytes.length;
  const sink = { write: (bytes: Uint8Array) => Promise.resolve(count(bytes)), writeSync: count };
  await writeAll(
    new StandardOutput(sink, () => false),
    new TextEncoder().encode(`${"x".repeat(4_000)}\ny\n`),
  );
  assert.deepEqual(pieces, [4_003]);
  assert.ok(STDOUT instanceof StandardOutput);
});
