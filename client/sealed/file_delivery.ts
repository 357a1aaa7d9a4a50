// Files that members of a sealed room fetch from us: a sending that ended before they have them would take the file along.

import type { Clock } from "../base/clock.ts";
import type { SealedPerson } from "../sealed_engine/people.ts";

/** Nobody asked for a part of a file for this long: nobody will. */
const HAND_OUT_MS = 3_000;

/** What handing out needs to know of its room. */
export interface FileDeliveryOptions {
  readonly clock: Clock;
  readonly people: () => readonly SealedPerson[];
  /** Whether we have a connection and are in the room. */
  readonly isIn: () => boolean;
}

/** Who got how much of one file. */
interface Handing {
  readonly asked: Set<number>;
  readonly complete: Set<number>;
  /** Resolves with the next part that somebody gets. */
  served: PromiseWithResolvers<void>;
}

/** The own files in one room that are complete, while members get them. */
export class FileDelivery {
  readonly #options: FileDeliveryOptions;
  readonly #files = new Map<string, Handing>();

  constructor(options: FileDeliveryOptions) {
    this.#options = options;
  }

  /** Resolves when all who want the file have it, or have left. */
  async handOut(file: string): Promise<void> {
    const handing: Handing = {
      asked: new Set(),
      complete: new Set(),
      served: Promise.withResolvers(),
    };
    this.#files.set(file, handing);
    while (this.#awaited(handing).length > 0) {
      const served = new AbortController();
      const late = this.#options.clock.wait(HAND_OUT_MS, served.signal).then(() => "late" as const);
      const outcome = await Promise.race([late, handing.served.promise]);
      served.abort();
      // Who takes no files never asks for one; who cannot ask now, or could not be heard, may still.
      if (outcome === "late" && this.#options.isIn() && this.#isAnybodyThere(handing)) break;
      handing.served = Promise.withResolvers();
    }
    this.#files.delete(file);
  }

  /** Somebody was sent a part of a file. */
  served(file: string, by: { readonly client: number; readonly complete: boolean }): void {
    const handing = this.#files.get(file);
    if (handing === undefined) return;
    handing.asked.add(by.client);
    if (by.complete) handing.complete.add(by.client);
    handing.served.resolve();
  }

  /** Whose turn it still is: who is here, and who had begun and lost the connection. */
  #awaited({ asked, complete }: Handing): SealedPerson[] {
    return this.#options.people().filter(({ own, here, client }) =>
      !own && !complete.has(client) && (here || asked.has(client))
    );
  }

  #isAnybodyThere(handing: Handing): boolean {
    const awaited = this.#awaited(handing);
    return awaited.length === 0 || awaited.some(({ here }) => here);
  }
}
