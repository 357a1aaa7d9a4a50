import type { Logger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { useSodium } from "../../../server/commands/serve.ts";
import { loadKem } from "../../../shared/crypto/kem.ts";

const { encapsulate } = await loadKem();

/** A server that has libsodium from attempt number `works` on. */
function openShort(works: number) {
  const said: string[] = [];
  const used: unknown[] = [];
  let attempts = 0;
  const log = {
    info: (text: string) => void said.push(text),
    warning: (text: string) => void said.push(text),
  } as unknown as Logger;
  return {
    parts: { log, served: { useEncapsulation: (how) => void used.push(how) } },
    said,
    used,
    load() {
      attempts++;
      if (attempts < works) return Promise.reject(new RangeError("out of memory"));
      return Promise.resolve(encapsulate);
    },
    get attempts() {
      return attempts;
    },
  } satisfies { parts: Parameters<typeof useSodium>[0] } & Record<string, unknown>;
}

Deno.test("a server that could not load libsodium says so once, tries again, and says when it is there", async () => {
  const short = openShort(4);
  const { signal } = new AbortController();
  await useSodium(short.parts, { signal, load: short.load, retryMs: 0 });
  assert.deepEqual(short.used, [encapsulate]);
  assert.deepEqual(short.said, [
    "libsodium could not be loaded: short messages and handshakes cost more",
    "libsodium was loaded",
  ]);
});

Deno.test("a server says nothing of libsodium that is there at once", async () => {
  const well = openShort(1);
  await useSodium(well.parts, { signal: new AbortController().signal, load: well.load });
  assert.deepEqual([well.attempts, well.said, well.used], [1, [], [encapsulate]]);
});

Deno.test("a server that stops does not try to load libsodium again", async () => {
  const short = openShort(Infinity);
  const stop = new AbortController();
  const using = useSodium(short.parts, { signal: stop.signal, load: short.load });
  await Promise.resolve();
  stop.abort();
  await using;
  assert.deepEqual([short.attempts, short.used], [1, []]);
});
