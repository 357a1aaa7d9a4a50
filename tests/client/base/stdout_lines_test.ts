import assert from "node:assert/strict";
import { StdoutLines } from "../../../client/base/stdout_lines.ts";

/** A sink that takes three bytes at a time, and breaks after so many. */
function sinkOf(limit: number, fault: Error = new Deno.errors.BrokenPipe()) {
  const taken: number[] = [];
  return {
    get text() {
      return new TextDecoder().decode(Uint8Array.from(taken));
    },
    write(bytes: Uint8Array): Promise<number> {
      if (taken.length >= limit) return Promise.reject(fault);
      taken.push(...bytes.subarray(0, 3));
      return Promise.resolve(Math.min(3, bytes.length));
    },
  };
}

Deno.test("StdoutLines writes all lines in order over writes that take only a part", async () => {
  const sink = sinkOf(Infinity);
  const lines = new StdoutLines(sink);
  for (const text of ["one", "", "drei — ✓"]) lines.print(text);
  await lines.flush();
  lines.print("later");
  await lines.flush();
  assert.equal(sink.text, "one\n\ndrei — ✓\nlater\n");
});

Deno.test("StdoutLines tells when nobody reads any more, and takes nothing from then on", async () => {
  const sink = sinkOf(3);
  const lines = new StdoutLines(sink);
  lines.print("one");
  await lines.closed;
  lines.print("two");
  await lines.flush();
  assert.equal(sink.text, "one");
});

Deno.test("StdoutLines tells of a full disk, which is not a reader that has enough", async () => {
  const full = Object.assign(new Error("No space left on device (os error 28)"), {
    code: "ENOSPC",
  });
  const lines = new StdoutLines(sinkOf(0, full));
  lines.print("one");
  await lines.closed;
  await assert.rejects(lines.flush(), /^ConfigError: Cannot write the output: the disk is full$/);
});
