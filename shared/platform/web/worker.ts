// Starts a worker from the page's own script: the page is one file, and the script knows where it runs.

let address: string | undefined;

/** Says under which address the page's own script can be started once more. */
export function setWorkerAddress(url: string): void {
  address = url;
}

/** A worker of the page's own script; which module of it is meant, the script knows itself. */
export function startWorker(_module: () => URL): Worker {
  if (address === undefined) throw new TypeError("the page has not said where its script is");
  return new Worker(address);
}
