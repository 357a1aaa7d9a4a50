import assert from "node:assert/strict";
import { LogSize } from "../../../server/cluster/log_size.ts";

function sizeOf(wholes: readonly number[], entries: number): LogSize {
  const size = new LogSize();
  for (let position = 1; position <= entries; position++) {
    size.add({ position, bytes: 100, whole: false });
    if (wholes.includes(position)) size.markWhole(position);
  }
  return size;
}

Deno.test("trimTo() keeps half of the allowed bytes from a whole state on", () => {
  const size = sizeOf([1, 4, 8, 10], 10);
  assert.equal(size.bytes, 1_000);
  assert.equal(size.trimTo(600), 7);
  assert.equal(size.bytes, 300);
  assert.equal(size.trimTo(600), undefined, "nothing more without another whole state");
});

Deno.test("trimTo() never trims all, and nothing where only the first entry has the state", () => {
  assert.equal(sizeOf([1], 10).trimTo(100), undefined);
  assert.equal(sizeOf([], 10).trimTo(100), undefined);
  assert.equal(sizeOf([10], 10).trimTo(100), 9);
});

Deno.test("entries that the backplane has dropped by their number are not counted", () => {
  const size = sizeOf([], 600);
  assert.equal(size.bytes, 51_200);
  size.clear();
  assert.equal(size.bytes, 0);
});
