/**
 * How both programs manage their memory: young objects get 24 MiB at most instead of 52, which V8 never gives back, and
 * the old generation is collected sooner. This bounds what a crowd costs a server (docs/adr/0037) and what a large file
 * costs a client (docs/adr/0035).
 */
export const V8_ARGUMENT = "--v8-flags=--max-semi-space-size=8,--heap-growing-percent=120";
