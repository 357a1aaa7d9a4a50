// Starts a worker from its module.

// Deno's own option, which deno.json unlocks; a worker that drops its permissions itself would drop ours as well.
const OPTIONS = { type: "module", deno: { permissions: "none" } } as WorkerOptions;

/** A worker without any right; `module` gives its address. */
export function startWorker(module: () => URL): Worker {
  return new Worker(module(), OPTIONS);
}
