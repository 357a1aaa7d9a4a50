import assert from "node:assert/strict";
import { closest } from "../../../shared/text/closest.ts";

Deno.test("closest() finds what was meant, and nothing where nothing is near", () => {
  const words = ["join", "leave", "names", "nick"];
  assert.equal(closest("jion", words), "join");
  assert.equal(closest("leav", words), "leave");
  assert.equal(closest("xyzzy", words), undefined);
  assert.equal(closest("", ["a"]), "a");
});

Deno.test("closest() compares a pasted page with no word: a typing mistake has no such length", () => {
  const lengths: number[] = [];
  const word = new Proxy(new String("thumbsup"), {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) lengths.push(Number(key));
      const value = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  }) as unknown as string;
  assert.equal(closest("x".repeat(100_000), [word]), undefined);
  assert.deepEqual(lengths, [], "no letter of it was read");
  closest("thumbsdn", [word]);
  assert.ok(lengths.length > 0);
});
