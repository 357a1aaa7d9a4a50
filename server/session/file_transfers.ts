// The files that one sender offers. A v2 sender keeps its file, and sends a chunk only to receivers that asked for it; a
// v1 sender pushes a whole file at once. Every bound of both is checked here. The relay keeps no chunk.

import type { ClientId, RoomId } from "../../shared/messages/ids.ts";
import {
  FILE_CHUNK_BYTES,
  FILE_PULLS,
  FILE_RECEIPTS_MAX,
  FILE_SERVED_MAX,
  FILE_TRANSFERS_PER_SENDER,
} from "../../shared/base/limits.ts";
import type { EventOf, RequestOf } from "../../shared/messages/messages_v2.ts";
import { formatBytes } from "../../shared/text/byte_size.ts";
import { TakenParts, type ToldSender } from "./taken_parts.ts";

/** What one receiver asked for and was not sent yet: chunks from `next` up to `end`; and on whose account. */
interface Pull {
  next: number;
  readonly end: number;
  readonly source: string;
}

interface Transfer {
  readonly room: RoomId;
  readonly size: number;
  readonly chunks: number;
  /** The next chunk that a v1 sender pushes; undefined where receivers ask for chunks. */
  pushed: number | undefined;
  /** The members that received the offer. */
  readonly offeredTo: readonly number[];
  /** The only one who may have it; 0 = every member of the room. */
  readonly only: number;
  readonly pulls: Map<number, Pull>;
  /** What each receiver said last, and how often it said something. */
  readonly receipts: Map<number, { readonly event: EventOf<"receipt">; readonly count: number }>;
  /** Chunks that were sent, by the source of their receivers: a new session is no new receiver. */
  readonly sent: Map<string, number>;
}

/** A transfer for another process: file, room, size, who heard of it, who alone may have it (0: all of the room). */
export type TransferState = readonly [
  file: string,
  room: number,
  size: number,
  offeredTo: readonly number[],
  only: number,
];

/** How a file is offered. */
export interface OfferManner {
  /** Its chunks are pushed (v1), not asked for. */
  readonly pushed: boolean;
  /** Who hears of it. */
  readonly to?: readonly number[];
}

/** What a receiver asks for; `count` 0: for nothing any longer. */
export interface RequestedChunks {
  readonly receiver: ClientId;
  readonly file: string;
  readonly index: number;
  readonly count: number;
  /** Where the receiver is: its address's source, or itself where only another server knows its address. */
  readonly source: string;
  /** How many members of the room are there; each has a share. */
  readonly sharers: number;
}

/** Who gets a chunk of a file. */
export interface PartReceivers {
  readonly room: RoomId;
  readonly clients: readonly number[];
  /** Whether it is the last chunk. */
  readonly last: boolean;
}

/** The files that one sender offers. Methods that judge return why something is refused, or undefined. */
export class FileTransfers {
  readonly #transfers = new Map<string, Transfer>();
  /** What of them has come, which their sender hears of. */
  readonly taken: TakenParts;
  readonly #maxBytes: number;

  /** `maxBytes`: the largest file; 0 = none. */
  constructor(maxBytes: number, sender: ToldSender) {
    this.#maxBytes = maxBytes;
    this.taken = new TakenParts(sender);
  }

  /** Whether nothing that was offered may still be asked for. */
  get isEmpty(): boolean {
    return this.#transfers.size === 0;
  }

  /** An offer. The oldest one gives way where there are too many. */
  open(
    { room, file, size, chunks, to: only }: RequestOf<"offer">,
    { pushed, to = [] }: OfferManner,
  ): string | undefined {
    if (this.#maxBytes === 0) return "this server takes no files";
    if (size > this.#maxBytes) {
      return `it has ${formatBytes(size)}, at most ${formatBytes(this.#maxBytes)} are allowed`;
    }
    // V13: v1 has no empty files.
    if (size === 0 && pushed) return "it is empty";
    if (chunks !== chunksOf(size)) {
      return `${chunks} chunks do not make a file of ${formatBytes(size)}`;
    }
    const known = this.#transfers.get(file);
    if (known !== undefined && isOpenPush(known)) return "it is on its way already";
    if (this.#transfers.values().filter(isOpenPush).toArray().length >= FILE_TRANSFERS_PER_SENDER) {
      return `at most ${FILE_TRANSFERS_PER_SENDER} files at once are allowed`;
    }
    this.#transfers.delete(file);
    this.#transfers.set(file, newTransfer({ room, size, isPushed: pushed, offeredTo: to, only }));
    this.#forgetBeyond();
    return undefined;
  }

  /** A chunk that is pushed: the next one of a v1 sender, or the one that gives a file up. A wrong one ends the file. */
  chunk({ file, index, data, last }: RequestOf<"chunk">): string | undefined {
    const transfer = this.#transfers.get(file);
    if (transfer === undefined || isThrough(transfer)) return "no such file is on its way";
    // A sender that gives up says so with an empty last chunk; receivers must hear it.
    if (last && data.length === 0) {
      this.#transfers.delete(file);
      return undefined;
    }
    const { pushed, chunks } = transfer;
    if (pushed === undefined) return "its receivers ask for its chunks";
    const isLast = pushed === chunks - 1;
    const fits = index === pushed && last === isLast && fitsIn(transfer, index, data);
    transfer.pushed = pushed + 1;
    if (!fits) this.#transfers.delete(file);
    return fits ? undefined : "a chunk is missing, came twice or has the wrong size";
  }

  /** Nothing more of a file passes. */
  end(file: string): void {
    this.#transfers.delete(file);
  }

  /** The number of the room in which a file is offered; undefined where the file is not known. */
  roomOf(file: string): RoomId | undefined {
    return this.#transfers.get(file)?.room;
  }

  /** The only member that may have a file; undefined where it is for all of the room. */
  onlyReceiverOf(file: string): number | undefined {
    return this.#transfers.get(file)?.only || undefined;
  }

  /**
   * A receiver asks for chunks: how many of them are asked of the sender. What begins where the last question ended
   * adds to it, all else replaces it. Undefined where the receiver cannot have them.
   */
  pull({ receiver, file, index, count, source, sharers }: RequestedChunks): number | undefined {
    const transfer = this.#transfers.get(file);
    if (transfer === undefined || transfer.pushed !== undefined) return undefined;
    if (transfer.only !== 0 && receiver !== transfer.only) return undefined;
    const { pulls, chunks, sent } = transfer;
    const share = chunks * FILE_PULLS.times + FILE_PULLS.chunks;
    if ((sent.get(source) ?? 0) >= share * Math.max(1, sharers)) return undefined;
    const known = pulls.get(receiver) ?? { next: 0, end: 0 };
    const granted = Math.max(0, Math.min(count, chunks - index));
    const next = index === known.end ? known.next : index;
    pulls.delete(receiver);
    if (pulls.size >= FILE_PULLS.receivers) pulls.delete(pulls.keys().next().value as number);
    pulls.set(receiver, { next, end: index + granted, source });
    return granted;
  }

  /** Who of `to` gets this chunk: those who asked for it and did not get it yet. Undefined where it does not fit. */
  part({ to, file, index, data }: RequestOf<"part">): PartReceivers | undefined {
    const transfer = this.#transfers.get(file);
    if (transfer === undefined) return undefined;
    const isGivingUp = data.length === 0;
    if (!isGivingUp && !fitsIn(transfer, index, data)) return undefined;
    const clients = new Set(to).values().filter((client) => {
      const pull = transfer.pulls.get(client);
      if (pull === undefined || index < pull.next || index >= pull.end) return false;
      pull.next = isGivingUp ? pull.end : index + 1;
      noteSent(transfer, pull.source);
      return true;
    }).toArray();
    if (clients.length === 0) return undefined;
    return { room: transfer.room, clients, last: isGivingUp || index === transfer.chunks - 1 };
  }

  /** Whether the sender hears what a receiver says: no repeats, seldom, and only of those who were offered the file. */
  receipt(event: EventOf<"receipt">): boolean {
    const { client, file, state } = event;
    const transfer = this.#transfers.get(file);
    if (transfer === undefined || transfer.pushed !== undefined) return false;
    const { offeredTo, pulls, receipts } = transfer;
    if (!offeredTo.includes(client) && !pulls.has(client)) return false;
    const known = receipts.get(client);
    if (known?.event.state === state || (known?.count ?? 0) >= FILE_RECEIPTS_MAX) return false;
    receipts.set(client, { event, count: (known?.count ?? 0) + 1 });
    if (receipts.size > FILE_PULLS.receivers) {
      receipts.delete(receipts.keys().next().value as number);
    }
    return true;
  }

  /** What receivers said last of all files. */
  get receipts(): EventOf<"receipt">[] {
    const all = this.#transfers.values().flatMap(({ receipts }) => receipts.values());
    return all.map(({ event }) => event).toArray();
  }

  /** Forgets all, or those for one room: the sender left it. */
  clear(room?: number): void {
    for (const [file, transfer] of this.#transfers) {
      if (room === undefined || transfer.room === room) this.#transfers.delete(file);
    }
  }

  /** What the next process must know: a v1 sender does not come back, so its files end with this one. */
  get state(): TransferState[] {
    return [...this.#transfers].filter(([, { pushed }]) => pushed === undefined)
      .map(([file, { room, size, offeredTo, only }]) => [file, room, size, offeredTo, only]);
  }

  /** Goes on from the state of the process before. */
  restore(state: readonly TransferState[]): void {
    for (const [file, room, size, offeredTo, only] of state) {
      this.#transfers.set(file, newTransfer({ room, size, isPushed: false, offeredTo, only }));
    }
  }

  #forgetBeyond(): void {
    const closed = [...this.#transfers].filter(([, transfer]) => !isOpenPush(transfer));
    const most = FILE_TRANSFERS_PER_SENDER + FILE_SERVED_MAX;
    for (const [file] of closed.slice(0, -most)) this.#transfers.delete(file);
  }
}

function newTransfer(
  { room, size, isPushed, offeredTo, only }:
    & Pick<
      Transfer,
      "room" | "size" | "offeredTo" | "only"
    >
    & {
      readonly isPushed: boolean;
    },
): Transfer {
  return {
    room,
    size,
    chunks: chunksOf(size),
    pushed: isPushed ? 0 : undefined,
    offeredTo,
    only,
    pulls: new Map(),
    receipts: new Map(),
    sent: new Map(),
  };
}

function chunksOf(size: number): number {
  return Math.ceil(size / FILE_CHUNK_BYTES);
}

function noteSent({ sent }: Transfer, source: string): void {
  sent.set(source, (sent.get(source) ?? 0) + 1);
  if (sent.size <= FILE_PULLS.receivers) return;
  // The receiver that got least is forgotten, so that newcomers cannot make the server forget the one that got most.
  const [least] = [...sent].reduce((a, b) => b[1] < a[1] ? b : a);
  sent.delete(least);
}

function isThrough({ pushed, chunks }: Transfer): boolean {
  return pushed !== undefined && pushed >= chunks;
}

function isOpenPush({ pushed, chunks }: Transfer): boolean {
  return pushed !== undefined && pushed < chunks;
}

function fitsIn({ size }: Transfer, index: number, data: Uint8Array): boolean {
  return data.length > 0 &&
    data.length === Math.min(FILE_CHUNK_BYTES, size - index * FILE_CHUNK_BYTES);
}
