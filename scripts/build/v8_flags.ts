/**
 * How both programs manage their memory: young objects get 24 MiB at most instead of 52, which is never given back, and
 * the old generation is collected sooner. It is what a crowd costs a server (docs/adr/0021), and a large file a client
 * (docs/adr/0035).
 */
export const V8_ARGUMENT = "--v8-flags=--max-semi-space-size=8,--heap-growing-percent=120";
