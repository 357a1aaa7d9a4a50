// Listens at an address that the machine may get a moment later: at boot, services start before the network is up.

import type { Logger } from "@logtape/logtape";
import { ConfigError } from "../../shared/base/errors.ts";
import { listen } from "../net/listen.ts";
import { isAddressMissing, isPortTaken } from "../net/listen_error.ts";
import type { Listener, ListenOptions } from "../net/listener.ts";

const RETRY_MS = 500;
// Somebody at a terminal who mistyped an address wants to know it soon; a service manager has all the time.
const PATIENCE_MS = 5_000;

/** How an address is waited for. */
export interface PatientListenOptions {
  readonly log: Logger;
  /** Whether a service manager started this process. */
  readonly isManaged: boolean;
  /** Whether a process before this one hands its port over, and may take a moment to let go of it. */
  readonly isSuccessor: boolean;
  /** Told at each attempt that fails. */
  readonly onWaiting: () => void;
  /** Without it, the real one. */
  readonly open?: (options: ListenOptions) => Promise<Listener>;
  /** Resolves after `ms`; without it, a timer. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** Listens as soon as this machine has the address, and the process before has left the port. Throws ConfigError: at once for every other fault. */
export async function listenPatiently(
  options: ListenOptions,
  { log, isManaged, isSuccessor, onWaiting, open = listen, pause = sleep }: PatientListenOptions,
): Promise<Listener> {
  for (let waited = 0;; waited += RETRY_MS) {
    try {
      return await open(options);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const isMissing = isAddressMissing(error.cause);
      const mayCome = isMissing || isSuccessor && isPortTaken(error.cause);
      const isForEver = isMissing && isManaged;
      if (!mayCome || !isForEver && waited >= PATIENCE_MS) throw error;
      if (waited === PATIENCE_MS) {
        log.warning("waiting for the address to listen on", { why: error.message });
      }
      onWaiting();
      await pause(RETRY_MS);
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
