import assert from "node:assert/strict";
import { openLineIo } from "../../../client/terminal/tty.ts";
import { isNothing, keptOfEach } from "../../helpers/hostile/endless.ts";

Deno.test("of what was typed nothing is kept, and the end of the terminal ends a read that waits", async () => {
  const { read } = Deno.stdin;
  try {
    Deno.stdin.read = () => Promise.resolve(1);
    const { input, close } = openLineIo();
    const reads = input[Symbol.asyncIterator]();
    const kept = await keptOfEach(() => reads.next());
    assert.ok(isNothing(kept), `${kept} bytes a read`);
    Deno.stdin.read = () => Promise.withResolvers<null>().promise;
    const last = reads.next();
    await close();
    assert.equal((await last).done, true);
  } finally {
    Deno.stdin.read = read;
  }
});
