// Accepted files on their way to the disk: written as they come where the disk can do that, else once all is here.

import { releaseBuffer } from "../../shared/base/bytes.ts";
import {
  type IncomingPart,
  NotSavedError,
  type TransferDisk,
} from "../transfer_base/transfer_host.ts";
import type { TransferFault } from "../transfer_base/transfer_event.ts";
import type { Download } from "./download.ts";

/** Faults after which nothing of a file is worth keeping. */
const SPOILING_FAULTS: ReadonlySet<TransferFault["code"]> = new Set([
  "cancelled",
  "bad_chunk",
  "bad_digest",
]);

/** What becomes of files on their way to the disk. */
export interface DownloadWriterOptions {
  readonly disk: TransferDisk;
  /** Whether it is still wanted. */
  readonly isHeld: (incoming: Download) => boolean;
  /** It goes on from what is here, and chunks are asked for. */
  readonly onResumed: (incoming: Download) => void;
  readonly onSaved: (incoming: Download, path: string) => void;
  /** It cannot be written; `canRetry`: all that was held is held. */
  readonly onUnsaved: (
    incoming: Download,
    fault: { readonly reason: string; readonly canRetry: boolean },
  ) => void;
}

/** Writes accepted files. */
export class DownloadWriter {
  readonly #options: DownloadWriterOptions;
  readonly #tasks = new Set<Promise<void>>();

  constructor(options: DownloadWriterOptions) {
    this.#options = options;
  }

  /** Whether a file of this digest takes no memory: it is written as it comes. */
  takesNoMemory(hash: Uint8Array | null): boolean {
    return hash !== null && this.#options.disk.begin !== undefined;
  }

  /** The user has accepted it: its chunks are asked for as soon as they can be written. */
  begin(incoming: Download): void {
    const { hash, size, folder: isFolder } = incoming.offer;
    const { begin } = this.#options.disk;
    if (begin === undefined || hash === null) return incoming.start();
    const onKept = (chunk: Uint8Array) => incoming.data.addKept(chunk);
    this.#track(this.#open(incoming, begin({ hash, size, isFolder }, onKept)));
  }

  /** Where it is not what it should be and some of it was here before, has all of it come again from its sender; once. */
  beginsAnew(incoming: Download, fault: TransferFault | undefined): boolean {
    if (fault?.code !== "bad_digest" || !incoming.mayBeginAnew) return false;
    const { part, writing } = incoming;
    incoming.clear();
    const discarded = writing.then(() => part?.discard()).then(() => {
      if (!this.#options.isHeld(incoming)) return;
      this.#options.onResumed(incoming);
      this.begin(incoming);
    });
    this.#track(discarded);
    return true;
  }

  /** A chunk came. Chunks without a gap are written; more is asked for then, so that a slow disk fills no memory. */
  came(incoming: Download, index: number): void {
    const { part, asking } = incoming;
    if (part === undefined) return asking?.came(index);
    const ordered = incoming.data.takeOrdered();
    const write = async () => {
      for (const data of ordered) {
        await part.append(data);
        // It was held for this alone, with nothing but its message around it.
        releaseBuffer(data.buffer);
      }
      // That of now may be another one, which asked for nothing yet.
      if (incoming.asking === asking) asking?.came(index);
    };
    incoming.writing = incoming.writing.then(write)
      .catch((error) => this.#refused(incoming, error, false));
  }

  /** All of it came. */
  save(incoming: Download): void {
    incoming.state = "saving";
    this.#track(this.#save(incoming));
  }

  /** It ends early. */
  end({ part, writing }: Download, { code }: TransferFault): void {
    if (part === undefined) return;
    const isSpoiled = SPOILING_FAULTS.has(code);
    this.#track(writing.then(() => isSpoiled ? part.discard() : part.keep()));
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  async #open(incoming: Download, opening: Promise<IncomingPart>): Promise<void> {
    try {
      const part = await opening;
      if (!this.#options.isHeld(incoming)) return await part.keep();
      incoming.part = part;
      if (incoming.data.received > 0) this.#options.onResumed(incoming);
      incoming.start();
    } catch (error) {
      this.#refused(incoming, error, true);
    }
  }

  async #save(incoming: Download): Promise<void> {
    const { file: { name }, data, part } = incoming;
    const { disk, isHeld, onSaved } = this.#options;
    try {
      await incoming.writing;
      // Not all of it could be written.
      if (!isHeld(incoming)) return;
      const path = part === undefined
        ? await disk.save?.(name, data.chunks, incoming.offer.folder)
        : await part.finish(name);
      onSaved(incoming, path ?? name);
    } catch (error) {
      this.#refused(incoming, error, part === undefined);
    }
  }

  #refused(incoming: Download, error: unknown, canRetry: boolean): void {
    if (!(error instanceof NotSavedError)) throw error;
    const { isHeld, onUnsaved } = this.#options;
    if (isHeld(incoming)) onUnsaved(incoming, { reason: error.message, canRetry });
  }

  #track(work: Promise<void>): void {
    const task = work.finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }
}
