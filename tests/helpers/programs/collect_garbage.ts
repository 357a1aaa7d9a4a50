// Preloaded into a server whose live memory a test wants to see: what V8 has not got round to freeing is no leak.
// Needs `--v8-flags=--expose-gc`.

const EVERY_MS = 1_000;

Deno.unrefTimer(setInterval(() => (globalThis as unknown as { gc(): void }).gc(), EVERY_MS));
