// The files that others offer: admitted or refused, held until the user answers, saved or forgotten. Memory is bounded
// in all and for each sender, and whoever was admitted cannot be pushed out by a later offer.

import { safeDownloadName } from "../shared/download_name.ts";
import { UsageError } from "../shared/errors.ts";
import {
  FILE_HELD_MAX_BYTES,
  FILE_OFFER_MS,
  FILE_OFFERS_MAX,
  FILE_STALLED_MS,
  FILE_TRANSFERS_PER_SENDER,
} from "../shared/limits.ts";
import type { EventOf } from "../shared/messages_v2.ts";
import { formatBytes } from "../shared/option_values.ts";
import { saveDownload, whyNotSaved } from "./downloads.ts";
import { faultOfOffer, IncomingFile } from "./incoming_file.ts";
import { Progress } from "./progress.ts";
import type {
  TransferFault,
  TransferInfo,
  TransferOptions,
  TransferRef,
  TransferState,
} from "./transfers.ts";

/** A sender whose offers are refused is told about once in this time, however many come. */
const REFUSAL_QUIET_MS = 10_000;
const REFUSALS_REMEMBERED = 256;

const NOT_WANTED: TransferFault = { code: "not_wanted", reason: "this client takes no files" };

type Offer = EventOf<"offer">;

interface Incoming {
  readonly file: TransferRef;
  /** Where it will be saved. */
  readonly folder: string;
  readonly client: number;
  /** Number of the room that it was offered in. */
  readonly room: number;
  readonly key: string;
  readonly data: IncomingFile;
  readonly progress: Progress;
  state: Exclude<TransferState, "sending">;
  /** When it was offered, or could not be saved. */
  openedAt: number;
  /** When its last chunk came. */
  heardAt: number;
}

/** The incoming half of Transfers, whose methods of the same names say what these are for. */
export class IncomingFiles {
  readonly #options: TransferOptions;
  readonly #nextNumber: () => number;
  readonly #held = new Map<number, Incoming>();
  /** Those that still get chunks, by `keyOf`. */
  readonly #receiving = new Map<string, Incoming>();
  readonly #refusedAt = new Map<number, number>();
  readonly #saving = new Set<Promise<void>>();

  constructor(options: TransferOptions, nextNumber: () => number) {
    this.#options = options;
    this.#nextNumber = nextNumber;
  }

  /** Files that are held, complete or not. */
  get size(): number {
    return this.#held.size;
  }

  /** An offer of somebody else; `fileMax` in bytes. */
  handleOffer(offer: Offer, fileMax: number): void {
    const { folder } = this.#options;
    if (folder === undefined) return this.#refuse(offer, NOT_WANTED);
    const fault = faultOfOffer(offer, fileMax) ?? this.#noRoomFor(offer, fileMax);
    if (fault === undefined) this.#admit(offer, folder);
    else this.#refuse(offer, fault);
  }

  /** A chunk; one that belongs to nothing is ignored. */
  handleChunk(chunk: EventOf<"chunk">): void {
    const incoming = this.#receiving.get(keyOf(chunk));
    if (incoming === undefined) return;
    const { file, data, progress } = incoming;
    const fault = data.add(chunk);
    if (fault !== undefined) return this.#fail(incoming, fault);
    incoming.heardAt = this.#options.now();
    if (progress.isWorthTelling(data.received)) {
      this.#options.notify({ kind: "progress", file, done: data.received });
    }
    if (!data.isComplete) return;
    this.#receiving.delete(incoming.key);
    if (incoming.state === "accepted") this.#save(incoming);
  }

  /** Whether chunks of that file are taken now. */
  wants(chunk: Pick<EventOf<"chunk">, "client" | "file">): boolean {
    return this.#receiving.has(keyOf(chunk));
  }

  /** Ends what is unfinished of one sender in one room. */
  senderLeft(client: number, room: number): void {
    this.#refusedAt.delete(client);
    const fault = { code: "sender_left", reason: "its sender left in the middle" } as const;
    this.failUnfinished(fault, (incoming) => incoming.client === client && incoming.room === room);
  }

  /** Ends what is unfinished; complete offers stay. */
  failUnfinished(
    fault: TransferFault,
    concerns: (incoming: { readonly client: number; readonly room: number }) => boolean = () =>
      true,
  ): void {
    for (const incoming of [...this.#receiving.values()].filter(concerns)) {
      this.#fail(incoming, fault);
    }
  }

  /** Takes an offer: saved at once, or when the rest is here. Throws UsageError. */
  accept(n?: number): void {
    const incoming = this.#offer("accept", n);
    if (incoming.data.isComplete) return this.#save(incoming);
    incoming.state = "accepted";
    this.#options.notify({ kind: "accepted", file: incoming.file });
  }

  /** Refuses an offer and frees its memory. Throws UsageError. */
  reject(n?: number): void {
    const incoming = this.#offer("reject", n);
    this.#forget(incoming);
    this.#options.notify({ kind: "rejected", file: incoming.file });
  }

  /** Ends a transfer, accepted or not. Throws UsageError. */
  cancel(n: number): void {
    const incoming = this.#find("cancel", n);
    if (incoming.state === "saving") {
      throw new UsageError(`Cannot cancel file ${n}: it is all here and being written`);
    }
    this.#fail(incoming, { code: "cancelled", reason: "cancelled" });
  }

  /** What is held, by number. */
  list(): readonly TransferInfo[] {
    return [...this.#held.values()].map(({ file, state, data }) => (
      { ...file, state, done: data.received }
    ));
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    while (this.#saving.size > 0) await Promise.all(this.#saving);
  }

  /** Ends what is past its deadline. */
  sweep(): void {
    const now = this.#options.now();
    for (const incoming of [...this.#held.values()]) {
      const fault = faultByTime(incoming, now);
      if (fault !== undefined) this.#fail(incoming, fault);
    }
  }

  /** Forgets all; nothing may be in the middle of being written. */
  clear(): void {
    for (const incoming of [...this.#held.values()]) this.#forget(incoming);
  }

  /** The size was reserved when the offer was admitted, so counting what was promised bounds what is held. */
  #noRoomFor(offer: Offer, fileMax: number): TransferFault | undefined {
    if (this.#receiving.has(keyOf(offer))) {
      return { code: "bad_offer", reason: "it is on its way already" };
    }
    const held = [...this.#held.values()];
    const theirs = held.filter(({ client }) => client === offer.client).length;
    if (theirs >= FILE_TRANSFERS_PER_SENDER) {
      const limit = `at most ${FILE_TRANSFERS_PER_SENDER} of one sender may`;
      return { code: "too_many", reason: `${theirs} of their files wait already, ${limit}` };
    }
    if (held.length >= FILE_OFFERS_MAX) {
      const limit = `at most ${FILE_OFFERS_MAX} may`;
      return { code: "no_memory", reason: `${held.length} files wait already, ${limit}` };
    }
    const bytes = held.reduce((sum, { data }) => sum + data.size, offer.size);
    // A server that allows larger files than we hold by default gets room for one.
    const most = Math.max(FILE_HELD_MAX_BYTES, fileMax);
    if (bytes <= most) return undefined;
    const limit = `at most ${formatBytes(most)} are allowed`;
    return {
      code: "no_memory",
      reason: `with it ${formatBytes(bytes)} would wait in memory, ${limit}`,
    };
  }

  #admit(offer: Offer, folder: string): void {
    const { client, room, filename, size, name: sender } = offer;
    const accepted = this.#options.acceptAll ?? false;
    const name = safeDownloadName(filename);
    const about = { name, size, sender, room: this.#options.roomTitle?.(room) };
    const file: TransferRef = { n: this.#nextNumber(), direction: "in", ...about };
    const now = this.#options.now();
    const progress = new Progress(size, this.#options.now);
    const incoming: Incoming = {
      ...{ file, folder, client, room, key: keyOf(offer), data: new IncomingFile(offer), progress },
      ...{ state: accepted ? "accepted" : "offered", openedAt: now, heardAt: now },
    };
    this.#held.set(file.n, incoming);
    this.#receiving.set(incoming.key, incoming);
    this.#options.notify({ kind: "offered", file, accepted });
  }

  #refuse(offer: Offer, fault: TransferFault): void {
    const { client, name: sender, filename, size } = offer;
    const now = this.#options.now();
    if (now - (this.#refusedAt.get(client) ?? -Infinity) < REFUSAL_QUIET_MS) return;
    if (this.#refusedAt.size >= REFUSALS_REMEMBERED) this.#refusedAt.clear();
    this.#refusedAt.set(client, now);
    const name = safeDownloadName(filename);
    this.#options.notify({ kind: "refused", sender, name, size, fault });
  }

  /** The offer that `/accept` or `/reject` means. */
  #offer(verb: string, n: number | undefined): Incoming {
    if (n === undefined) return this.#onlyOffer(verb);
    const incoming = this.#find(verb, n);
    if (incoming.state === "offered") return incoming;
    throw new UsageError(`Cannot ${verb} file ${n}: it is accepted already`, {
      ...(incoming.state === "accepted" ? { hint: `/cancel ${n} stops it` } : {}),
    });
  }

  #onlyOffer(verb: string): Incoming {
    const open = [...this.#held.values()].filter(({ state }) => state === "offered");
    if (open[0] === undefined) throw new UsageError(`Cannot ${verb} a file: none is offered`);
    if (open.length === 1) return open[0];
    // Whose offer came last must not decide what is written to the disk.
    const numbers = open.map(({ file }) => file.n).join(", ");
    throw new UsageError(`Cannot ${verb} a file: ${open.length} are offered, a number is wanted`, {
      hint: `/${verb} with one of ${numbers}; /files lists them`,
    });
  }

  #find(verb: string, n: number): Incoming {
    const incoming = this.#held.get(n);
    if (incoming !== undefined) return incoming;
    throw new UsageError(`Cannot ${verb} file ${n}: there is no file of this number`, {
      hint: "/files lists them",
    });
  }

  #fail(incoming: Incoming, fault: TransferFault): void {
    this.#forget(incoming);
    this.#options.notify({ kind: "failed", file: incoming.file, fault });
  }

  #forget(incoming: Incoming): void {
    incoming.data.release();
    this.#held.delete(incoming.file.n);
    // A later file of the same sender may have the same id by now.
    if (this.#receiving.get(incoming.key) === incoming) this.#receiving.delete(incoming.key);
  }

  #save(incoming: Incoming): void {
    incoming.state = "saving";
    const task = this.#write(incoming).finally(() => this.#saving.delete(task));
    this.#saving.add(task);
  }

  async #write(incoming: Incoming): Promise<void> {
    const { file, folder, data } = incoming;
    let path: string;
    try {
      path = await saveDownload(folder, file.name, data.chunks);
    } catch (error) {
      incoming.state = "offered";
      incoming.openedAt = this.#options.now();
      const reason = `${whyNotSaved(error)}; /accept ${file.n} tries again`;
      this.#options.notify({ kind: "failed", file, fault: { code: "not_saved", reason } });
      return;
    }
    this.#forget(incoming);
    this.#options.notify({ kind: "saved", file, path, sha256: data.sha256! });
  }
}

/** A file's id is chosen by its sender, so it counts for that sender only. */
function keyOf({ client, file }: { readonly client: number; readonly file: string }): string {
  return `${client}/${file}`;
}

function faultByTime(incoming: Incoming, now: number): TransferFault | undefined {
  const { state, data, openedAt, heardAt } = incoming;
  if (state === "saving") return undefined;
  if (!data.isComplete && now - heardAt >= FILE_STALLED_MS) {
    const reason = `nothing of it came for ${FILE_STALLED_MS / 1_000} seconds`;
    return { code: "stalled", reason };
  }
  if (state === "offered" && now - openedAt >= FILE_OFFER_MS) {
    return { code: "expired", reason: `not accepted within ${FILE_OFFER_MS / 60_000} minutes` };
  }
  return undefined;
}
