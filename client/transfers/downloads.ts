// The files that others offer: admitted or refused, held until the user answers, saved or forgotten. Memory is bounded
// in all and for each sender, and whoever was admitted cannot be pushed out by a later offer.

import type { AnyClientId, AnyRoomId, WithAnyIds } from "../base/local_ids.ts";
import { shownFileName } from "../transfer_base/transfer_event.ts";
import { safeDownloadName } from "../../shared/text/download_name.ts";
import { UsageError } from "../../shared/base/errors.ts";
import { FILE_HELD_MAX_BYTES, FILE_HELD_ONE_MAX_BYTES, FILE_OFFERS_MAX } from "../base/limits.ts";
import { FILE_TRANSFERS_PER_SENDER } from "../../shared/base/limits.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { formatBytes } from "../../shared/text/byte_size.ts";
import type { RosterEntry } from "../rooms/roster.ts";
import { DownloadWriter } from "./download_writer.ts";
import { Download, keyOf } from "./download.ts";
import { DeliveryWindow } from "../transfer_base/delivery_window.ts";
import { ASKED_WINDOW_MAX } from "./missing_chunks.ts";
import { OwnReceipts } from "./own_receipts.ts";
import { faultOfOffer } from "./chunk_buffer.ts";
import {
  CONNECTION_LOST,
  NOT_WANTED,
  SENDER_LEFT,
  type TransferFault,
  type TransferInfo,
  type TransferRef,
} from "../transfer_base/transfer_event.ts";
import type { TransferHost } from "../transfer_base/transfer_host.ts";

/** A sender whose offers are refused is told about once in this time, however many come. */
const REFUSAL_QUIET_MS = 10_000;
const REFUSALS_REMEMBERED = 256;

/** Faults of which a file's sender is not told: it knows of them, or its user did not answer. */
const UNTOLD_FAULTS: ReadonlySet<TransferFault["code"]> = new Set([
  "expired",
  "sender_gave_up",
  "sender_left",
  "connection_lost",
  "room_left",
]);

type Offer = WithAnyIds<EventOf<"offer">>;

/** The incoming half of Transfers, whose methods of the same names say what these are for. */
export class Downloads {
  readonly #options: TransferHost;
  readonly #nextNumber: () => number;
  readonly #held = new Map<number, Download>();
  /** Those that still get chunks, by `keyOf`. */
  readonly #receiving = new Map<string, Download>();
  readonly #refusedAt = new Map<AnyClientId, number>();
  readonly #writer: DownloadWriter;
  readonly #receipts: OwnReceipts;
  /** Chunks that were asked for and have not come, of all files together. */
  readonly #window: DeliveryWindow;

  constructor(options: TransferHost, nextNumber: () => number) {
    this.#options = options;
    this.#receipts = new OwnReceipts(options);
    this.#writer = new DownloadWriter({
      disk: options.disk,
      isHeld: (incoming) => this.#held.get(incoming.file.n) === incoming,
      onResumed: (incoming) => this.#tellResumed(incoming),
      onSaved: (incoming, path) => this.#saved(incoming, path),
      onUnsaved: (incoming, fault) => this.#unsaved(incoming, fault),
    });
    this.#window = new DeliveryWindow({ now: options.now, most: ASKED_WINDOW_MAX });
    this.#nextNumber = nextNumber;
  }

  /** Files that are held, complete or not. */
  get size(): number {
    return this.#held.size;
  }

  /** An offer of somebody else; `fileMax` in bytes. */
  handleOffer(offer: Offer, fileMax: number): void {
    if (this.#options.disk.save === undefined) return this.#refuse(offer, NOT_WANTED);
    const fault = faultOfOffer(offer, fileMax) ?? this.#noRoomFor(offer, fileMax);
    if (fault === undefined) this.#admit(offer);
    else this.#refuse(offer, fault);
  }

  /** A chunk; one that belongs to nothing is ignored. */
  handleChunk(chunk: WithAnyIds<EventOf<"chunk">>): void {
    const incoming = this.#receiving.get(keyOf(chunk));
    if (incoming === undefined) return;
    const { file, data, progress, asking } = incoming;
    // Nobody asked for it: but for its end, it is nothing of that file.
    if (asking?.expects(chunk.index) === false && chunk.data.length > 0) return;
    const fault = data.add(chunk);
    if (this.#writer.beginsAnew(incoming, fault)) return;
    if (fault !== undefined) return this.#fail(incoming, fault);
    incoming.heardAt = this.#options.now();
    this.#writer.came(incoming, chunk.index);
    if (progress.isWorthTelling(data.received)) {
      this.#options.notify({ kind: "progress", file, done: data.received });
    }
    if (data.isComplete) this.#isWhole(incoming);
  }

  /** Whether chunks of that file are taken now. */
  wants(chunk: Parameters<typeof keyOf>[0]): boolean {
    return this.#receiving.has(keyOf(chunk));
  }

  /** Our connection is lost, and may come back: what cannot wait ends. */
  connectionLost(): void {
    this.failUnfinished(CONNECTION_LOST, ({ survives }) => !survives);
    for (const incoming of this.#receiving.values()) {
      if (incoming.wait("connection")) this.#tellWaiting(incoming);
    }
  }

  /** There is a connection again, to the same session or to another one. */
  connectionBack(isResumed: boolean): void {
    this.#receipts.connectionBack(isResumed);
    for (const incoming of this.#receiving.values()) {
      if (incoming.goOn("connection")) this.#tellResumed(incoming);
    }
  }

  /** A sender lost its connection: what cannot wait for it ends. */
  senderAway(client: AnyClientId, room: AnyRoomId): void {
    const isTheirs = (incoming: Download) => incoming.client === client && incoming.room === room;
    this.failUnfinished(SENDER_LEFT, (incoming) => isTheirs(incoming) && !incoming.survives);
    for (const incoming of this.#receiving.values()) {
      if (isTheirs(incoming) && incoming.wait("sender")) this.#tellWaiting(incoming);
    }
  }

  /** A sender has a connection again. */
  senderBack(client: AnyClientId, room: AnyRoomId): void {
    for (const incoming of this.#receiving.values()) {
      const isTheirs = incoming.client === client && incoming.room === room;
      if (isTheirs && incoming.goOn("sender")) this.#tellResumed(incoming);
    }
  }

  /** Who is in a room now: senders may have come and gone unheard. */
  peopleAre(room: AnyRoomId, people: readonly RosterEntry[]): void {
    const senders = this.#receiving.values().filter((incoming) =>
      incoming.room === room && incoming.survives
    ).map(({ client }) => client);
    for (const client of new Set(senders)) {
      const sender = people.find((person) => person.client === client);
      if (sender === undefined) this.senderLeft(client, room);
      else if (sender.state === "away") this.senderAway(client, room);
      else this.senderBack(client, room);
    }
  }

  /** Ends what is unfinished of one sender in one room. */
  senderLeft(client: AnyClientId, room: AnyRoomId): void {
    this.#refusedAt.delete(client);
    this.failUnfinished(
      SENDER_LEFT,
      (incoming) => incoming.client === client && incoming.room === room,
    );
  }

  /** Ends what is unfinished; complete offers stay. */
  failUnfinished(
    fault: TransferFault,
    concerns: (incoming: Download) => boolean = () => true,
  ): void {
    for (const incoming of [...this.#receiving.values()].filter(concerns)) {
      this.#fail(incoming, fault);
    }
  }

  /** Takes an offer: saved at once, or when the rest is here. Throws UsageError. */
  accept(n?: number): void {
    const incoming = this.#offer("accept", n);
    if (!incoming.data.isComplete) this.#options.notify({ kind: "accepted", file: incoming.file });
    this.#take(incoming);
  }

  /** Refuses an offer and frees its memory. Throws UsageError. */
  reject(n?: number): void {
    const incoming = this.#offer("reject", n);
    this.#forget(incoming);
    this.#receipts.say(incoming.offer, "refused");
    this.#options.notify({ kind: "rejected", file: incoming.file });
  }

  /** Ends a transfer, accepted or not. Throws UsageError. */
  cancel(n: number): void {
    const incoming = this.#find("cancel", n);
    if (incoming.state === "saving") {
      throw new UsageError(`Cannot cancel file ${n}: it is complete and being saved`);
    }
    this.#fail(incoming, { code: "cancelled", reason: "cancelled" });
  }

  /** What is held, by number. */
  list(): readonly TransferInfo[] {
    return [...this.#held.values()].map(({ file, state, data, waitingFor }) => (
      { ...file, state, done: data.received, waitingFor }
    ));
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.#writer.settled();
  }

  /** Ends what is past its deadline. */
  sweep(): void {
    const now = this.#options.now();
    for (const incoming of [...this.#held.values()]) {
      const fault = incoming.sweep(now);
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
    // What is written as it comes takes no memory.
    if (this.#writer.takesNoMemory(offer.hash)) return undefined;
    const inMemory = held.filter(({ offer: { hash } }) => !this.#writer.takesNoMemory(hash));
    const bytes = inMemory.reduce((sum, { data }) => sum + data.size, offer.size);
    // A server that allows larger files than we hold by default gets room for one.
    const most = Math.max(FILE_HELD_MAX_BYTES, Math.min(fileMax, FILE_HELD_ONE_MAX_BYTES));
    if (bytes <= most) return undefined;
    const limit = `at most ${formatBytes(most)} are allowed`;
    return {
      code: "no_memory",
      reason: `with it ${formatBytes(bytes)} would wait in memory, ${limit}`,
    };
  }

  #admit(offer: Offer): void {
    const { client, room, filename, size, name: sender } = offer;
    const accepted = this.#options.acceptAll ?? false;
    const name = shownFileName(filename, offer.folder);
    const about = { name, size, sender, room: this.#options.roomTitle?.(room) };
    const file: TransferRef = {
      n: this.#nextNumber(),
      direction: "in",
      ...about,
      ...(offer.to === 0 ? {} : { to: this.#options.ownName?.(room) ?? "you" }),
      ...(offer.folder ? { isFolder: true } : {}),
    };
    const { now, send } = this.#options;
    const ask = (index: number, count: number) => {
      const wanted = { room, to: client, file: offer.file, index, count };
      // Where the connection is lost, it is asked again over the next one.
      send({ kind: "pull", ...wanted }).catch(() => undefined);
    };
    const incoming = new Download({
      file,
      offer,
      accepted,
      now,
      ask,
      window: this.#window,
      sharers: () => this.#coming,
    });
    this.#held.set(file.n, incoming);
    this.#receiving.set(incoming.key, incoming);
    this.#options.notify({ kind: "offered", file, accepted });
    if (accepted) this.#take(incoming);
  }

  #take(incoming: Download): void {
    incoming.accept();
    if (incoming.data.isComplete) return this.#isWhole(incoming);
    this.#receipts.say(incoming.offer, "accepted");
    this.#writer.begin(incoming);
  }

  /** All of it is here: its last chunk came, or an empty file was accepted. */
  #isWhole(incoming: Download): void {
    if (this.#receiving.get(incoming.key) === incoming) {
      this.#receiving.delete(incoming.key);
      incoming.asking?.stop();
    }
    if (incoming.state === "accepted") this.#writer.save(incoming);
  }

  /** Files of which chunks come now. */
  get #coming(): number {
    return this.#receiving.values().filter(({ isDue, asking, waitingFor }) =>
      isDue && asking !== undefined && waitingFor === undefined
    ).toArray().length;
  }

  /** Of what was not accepted nothing is on its way. */
  #tellWaiting({ file, data, state, waitingFor }: Download): void {
    if (waitingFor === undefined || state === "offered") return;
    this.#options.notify({ kind: "waiting", file, done: data.received, for: waitingFor });
  }

  #tellResumed({ file, data, state }: Download): void {
    if (state !== "offered") this.#options.notify({ kind: "resumed", file, done: data.received });
  }

  #refuse(offer: Offer, fault: TransferFault): void {
    const { client, name: sender, filename, size } = offer;
    if (!this.#receiving.has(keyOf(offer))) this.#receipts.refuse(offer);
    const now = this.#options.now();
    if (now - (this.#refusedAt.get(client) ?? -Infinity) < REFUSAL_QUIET_MS) return;
    if (this.#refusedAt.size >= REFUSALS_REMEMBERED) this.#refusedAt.clear();
    this.#refusedAt.set(client, now);
    const name = safeDownloadName(filename);
    this.#options.notify({ kind: "refused", sender, name, size, fault });
  }

  /** The offer that `/accept` or `/reject` means. */
  #offer(verb: string, n: number | undefined): Download {
    if (n === undefined) return this.#onlyOffer(verb);
    const incoming = this.#find(verb, n);
    if (incoming.state === "offered") return incoming;
    throw new UsageError(`Cannot ${verb} file ${n}: it is accepted already`, {
      ...(incoming.state === "accepted" ? { hint: `/cancel ${n} stops it` } : {}),
    });
  }

  #onlyOffer(verb: string): Download {
    const open = [...this.#held.values()].filter(({ state }) => state === "offered");
    if (open[0] === undefined) throw new UsageError(`Cannot ${verb} a file: none is offered`);
    if (open.length === 1) return open[0];
    // Whose offer came last must not decide what is written to the disk.
    const numbers = open.map(({ file }) => file.n).join(", ");
    throw new UsageError(
      `Cannot ${verb} a file: ${open.length} are offered, so it needs a number`,
      {
        hint: `/${verb} with one of ${numbers}; /files lists them`,
      },
    );
  }

  #find(verb: string, n: number): Download {
    const incoming = this.#held.get(n);
    if (incoming !== undefined) return incoming;
    throw new UsageError(`Cannot ${verb} file ${n}: there is no file of this number`, {
      hint: "/files lists them",
    });
  }

  #fail(incoming: Download, fault: TransferFault): void {
    this.#forget(incoming);
    this.#writer.end(incoming, fault);
    if (!UNTOLD_FAULTS.has(fault.code)) {
      const isRefused = incoming.state === "offered" || fault.code === "cancelled";
      this.#receipts.say(incoming.offer, isRefused ? "refused" : "failed");
    }
    this.#options.notify({ kind: "failed", file: incoming.file, fault });
  }

  #forget(incoming: Download): void {
    if (incoming.isDue && incoming.waitingFor === undefined) incoming.asking?.stop();
    incoming.data.release();
    this.#held.delete(incoming.file.n);
    // A later file of the same sender may have the same id by now.
    if (this.#receiving.get(incoming.key) === incoming) this.#receiving.delete(incoming.key);
  }

  #saved(incoming: Download, path: string): void {
    const { file, data } = incoming;
    this.#forget(incoming);
    this.#receipts.say(incoming.offer, "saved");
    this.#options.notify({ kind: "saved", file, path, sha256: data.sha256! });
  }

  #unsaved(
    incoming: Download,
    { reason, canRetry }: { readonly reason: string; readonly canRetry: boolean },
  ): void {
    if (!canRetry) return this.#fail(incoming, { code: "not_saved", reason });
    const { file } = incoming;
    incoming.state = "offered";
    incoming.openedAt = this.#options.now();
    this.#receipts.say(incoming.offer, "failed");
    const fault = { code: "not_saved", reason } as const;
    this.#options.notify({ kind: "failed", file, fault, canRetry: true });
  }
}
