import assert from "node:assert/strict";
import { ConfigError } from "../../../shared/base/errors.ts";
import { outputFault, retried, writeAll, writeAllSync } from "../../../client/base/write_all.ts";

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
