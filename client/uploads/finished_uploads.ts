// Files that somebody has all of, kept open for a while: others may still ask for their chunks.

import { FILE_SERVED_MAX } from "../../shared/base/limits.ts";
import type { WithAnyIds } from "../base/local_ids.ts";
import { FILE_SERVED_MS } from "../base/limits.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import type { ReceiverAnswer, TransferRef } from "../transfer_base/transfer_event.ts";
import type { Upload } from "./upload.ts";

interface Served {
  readonly file: TransferRef;
  readonly upload: Upload;
  until: number;
}

/** An answer about a file that counts as sent. */
export interface LateAnswer {
  readonly file: TransferRef;
  readonly receivers: readonly ReceiverAnswer[];
}

/** The files that parts can be had of. */
export class FinishedUploads {
  readonly #now: () => number;
  readonly #files = new Map<string, Served>();

  /** `now` in milliseconds of any monotonic clock. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many there are. */
  get size(): number {
    return this.#files.size;
  }

  /** Keeps a file that is through; the oldest one gives way. A file of which no part can be asked for is closed. */
  keep(file: TransferRef, upload: Upload): void {
    if (!upload.survives) return upload.close();
    this.#files.set(upload.id, { file, upload, until: this.#now() + FILE_SERVED_MS });
    if (this.#files.size <= FILE_SERVED_MAX) return;
    const [oldest] = this.#files.keys();
    if (oldest !== undefined) this.#forget(oldest);
  }

  /** A receiver asks for chunks. */
  pulled(event: WithAnyIds<EventOf<"pull">>): void {
    const served = this.#files.get(event.file);
    if (served === undefined) return;
    served.until = this.#now() + FILE_SERVED_MS;
    served.upload.pulled(event);
  }

  /** A receiver says what became of one: of which, and what all said, where that is news. */
  answered(event: WithAnyIds<EventOf<"receipt">>): LateAnswer | undefined {
    const served = this.#files.get(event.file);
    const receivers = served?.upload.answered(event);
    if (served === undefined || receivers === undefined) return undefined;
    return { file: served.file, receivers };
  }

  /** The connection is lost: receivers ask again over the next one. */
  connectionLost(): void {
    for (const { upload } of this.#files.values()) upload.connectionLost();
  }

  /** Closes what nobody asked for in a long time. */
  sweep(): void {
    const now = this.#now();
    for (const [id, { until }] of this.#files) if (now >= until) this.#forget(id);
  }

  /** Closes all. */
  clear(): void {
    for (const id of this.#files.keys()) this.#forget(id);
  }

  #forget(id: string): void {
    this.#files.get(id)?.upload.close();
    this.#files.delete(id);
  }
}
