// Files in both directions: what is offered, what the user says to it, and what became of it. No text for the user is
// made here; each turn of a transfer is a TransferEvent that the chat shows.

import { safeDownloadName } from "../shared/download_name.ts";
import { LimitError } from "../shared/errors.ts";
import { FILE_CONFIRM_MS, FILE_MAX_BYTES, FILE_TRANSFERS_PER_SENDER } from "../shared/limits.ts";
import type { EventOf, RequestOf } from "../shared/messages_v2.ts";
import { IncomingFiles } from "./incoming_files.ts";
import { Progress } from "./progress.ts";
import type { RequestRoom } from "./requests.ts";
import { giveUp, openSendable, Upload } from "./uploads.ts";

/** `in`: a member sends it to us; `out`: we send it to the room. */
export type Direction = "in" | "out";

/** One transfer in the words of `/files`, `/accept`, `/reject` and `/cancel`. */
export interface TransferRef {
  /** The number the user calls it by, from 1, never used twice by one client. */
  readonly n: number;
  readonly direction: Direction;
  /** Safe to be a file's name and to be shown. */
  readonly name: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Who sends it, as it came from the peer: NOT sanitized; undefined for our own. */
  readonly sender: string | undefined;
  /** The room it is offered in, by name; NOT sanitized. */
  readonly room?: string | undefined;
}

/** `offered`: the user has not answered; `accepted`: saved once all is here; `saving`; `sending`. */
export type TransferState = "offered" | "accepted" | "saving" | "sending";

/** A transfer as `/files` lists it. */
export interface TransferInfo extends TransferRef {
  readonly state: TransferState;
  /** Bytes received or sent. */
  readonly done: number;
}

/** Why a transfer did not happen: `code` for programs, `reason` in our own words, without a peer's text. */
export interface TransferFault {
  readonly code:
    | "cancelled" // by our user
    | "sender_gave_up"
    | "sender_left"
    | "link_lost"
    | "room_left"
    | "stalled" // no chunk for too long
    | "expired" // nobody answered the offer
    | "unconfirmed" // the server did not take our offer
    | "changed" // our file shrank or grew while it was read
    | "unreadable" // our file could not be read to its end
    | "bad_offer" // size, chunk count or id do not fit
    | "bad_chunk" // missing, twice, wrong size
    | "not_wanted" // this client was started to take no files
    | "too_large"
    | "too_many" // from this sender
    | "no_memory" // too much is held already
    | "not_saved"; // disk full, no permission: the file is still held, /accept tries again
  readonly reason: string;
}

/** What the chat shows. `sender` in it is NOT sanitized, everything else is safe. */
export type TransferEvent =
  | { readonly kind: "offered"; readonly file: TransferRef; readonly accepted: boolean }
  | { readonly kind: "accepted"; readonly file: TransferRef }
  | { readonly kind: "rejected"; readonly file: TransferRef }
  | { readonly kind: "sending"; readonly file: TransferRef }
  /** At most one a percent and one in 100 ms, the last one always. */
  | { readonly kind: "progress"; readonly file: TransferRef; readonly done: number }
  /** `path` is where it is; its last part differs from `file.name` where that one was taken. */
  | {
    readonly kind: "saved";
    readonly file: TransferRef;
    readonly path: string;
    readonly sha256: string;
  }
  | { readonly kind: "sent"; readonly file: TransferRef; readonly sha256: string }
  | { readonly kind: "failed"; readonly file: TransferRef; readonly fault: TransferFault }
  /** An offer that was never taken up; told once for each sender until something of theirs ends. */
  | {
    readonly kind: "refused";
    readonly sender: string;
    readonly name: string;
    readonly size: number;
    readonly fault: TransferFault;
  };

/** An offer before the chat has given it its number and that of its room. */
export type OfferDraft = Omit<RequestOf<"offer">, "id" | "room">;

/** What transfers need of the rest of the client. */
export interface TransferOptions {
  /** Resolves when the link can take more, rejects when it is lost. Offers go to a room, chunks after their offer. */
  readonly send: (request: OfferDraft | RequestOf<"chunk">, room?: RequestRoom) => Promise<void>;
  readonly notify: (event: TransferEvent) => void;
  /** Milliseconds of any monotonic clock. */
  readonly now: () => number;
  /** The name of our room of this number. */
  readonly roomTitle?: (room: number) => string | undefined;
  /** Our number in this session: our own offer comes back to us. */
  readonly ownId: () => number | undefined;
  /** Where accepted files go, made (mode 0700) on first use; undefined: none is taken or held. */
  readonly folder: string | undefined;
  /** For `~/`; undefined where unknown. */
  readonly home?: string | undefined;
  /** `--accept-files`. */
  readonly acceptAll?: boolean;
}

/** How often deadlines are looked at. */
const SWEEP_MS = 1_000;

interface Outgoing {
  readonly file: TransferRef;
  readonly room: RequestRoom;
  readonly upload: Upload;
  readonly startedAt: number;
}

/** All transfers of one client. Methods for commands throw UsageError or LimitError; those for messages never throw. */
export class Transfers {
  /** Largest file in bytes, both ways: the server's `limits.file`, FILE_MAX_BYTES before it is known. */
  fileMax: number = FILE_MAX_BYTES;
  readonly #options: TransferOptions;
  readonly #incoming: IncomingFiles;
  readonly #outgoing = new Map<number, Outgoing>();
  readonly #sending = new Set<Promise<void>>();
  /** Ids of uploads that ended while the server might still take their offer, perhaps over the next link. */
  readonly #abandoned = new Set<string>();
  #lastNumber = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: TransferOptions) {
    this.#options = options;
    this.#incoming = new IncomingFiles(options, () => ++this.#lastNumber);
  }

  /** An offer, ours included. */
  handleOffer(event: EventOf<"offer">): void {
    if (event.client === this.#options.ownId()) this.#confirm(event.file);
    else this.#incoming.handleOffer(event, this.fileMax);
    this.#watch();
  }

  /** A chunk; those of files that were refused or came before us are ignored. */
  handleChunk(event: EventOf<"chunk">): void {
    this.#incoming.handleChunk(event);
  }

  /** Whether chunks of somebody's file are taken now: it was neither refused nor has it ended. */
  wants(chunk: Pick<EventOf<"chunk">, "client" | "file">): boolean {
    return this.#incoming.wants(chunk);
  }

  /** A member left room number `room`: what is unfinished of theirs there ends. */
  senderLeft(client: number, room: number): void {
    this.#incoming.senderLeft(client, room);
  }

  /** The link is gone: what is unfinished ends, complete offers stay. */
  linkLost(): void {
    this.#endUnfinished({ code: "link_lost", reason: "the link was lost in the middle" });
  }

  /** To be called before `room` is left: its chunks neither come nor go any more. */
  roomLeft(room: RequestRoom): void {
    const fault = { code: "room_left", reason: "you left the room in the middle" } as const;
    for (const outgoing of this.#outgoing.values()) {
      if (outgoing.room === room) outgoing.upload.stop(fault);
    }
    this.#incoming.failUnfinished(fault, (incoming) => incoming.room === room.number);
  }

  /** `/send PATH` as typed or dropped, to `room`; resolves when the sending has begun. */
  async offerFile(typed: string, room: RequestRoom): Promise<void> {
    const file = await openSendable(typed, { home: this.#options.home, fileMax: this.fileMax });
    if (this.#outgoing.size >= FILE_TRANSFERS_PER_SENDER) {
      file.handle.close();
      throw new LimitError(
        `Cannot send another file: ${this.#outgoing.size} are on their way, ` +
          `at most ${FILE_TRANSFERS_PER_SENDER} at once are allowed`,
      );
    }
    const ref: TransferRef = {
      n: ++this.#lastNumber,
      direction: "out",
      name: safeDownloadName(file.name),
      size: file.size,
      sender: undefined,
      room: room.title,
    };
    const upload = new Upload(file, (request) => this.#options.send(request, room));
    this.#outgoing.set(ref.n, { file: ref, room, upload, startedAt: this.#options.now() });
    this.#watch();
    this.#options.notify({ kind: "sending", file: ref });
    const task = this.#push(ref, upload).finally(() => this.#sending.delete(task));
    this.#sending.add(task);
  }

  /** `/accept [N]`; without a number the only open offer. */
  accept(n?: number): void {
    this.#incoming.accept(n);
  }

  /** `/reject [N]`. */
  reject(n?: number): void {
    this.#incoming.reject(n);
  }

  /** `/cancel N`: either direction. */
  cancel(n: number): void {
    const outgoing = this.#outgoing.get(n);
    if (outgoing === undefined) this.#incoming.cancel(n);
    else outgoing.upload.stop({ code: "cancelled", reason: "cancelled" });
  }

  /** `/files`, by number. */
  list(): readonly TransferInfo[] {
    const outgoing = [...this.#outgoing.values()].map(({ file, upload }) => (
      { ...file, state: "sending" as const, done: upload.done }
    ));
    return [...this.#incoming.list(), ...outgoing].sort((a, b) => a.n - b.n);
  }

  /** Resolves when nothing is being sent or written; for scripts and for `/quit`. */
  async settled(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending);
    await this.#incoming.settled();
  }

  /** Looks at deadlines; called by a timer of its own, and by tests. */
  sweep(): void {
    this.#incoming.sweep();
    const now = this.#options.now();
    for (const { upload, startedAt } of this.#outgoing.values()) {
      if (upload.isConfirmed || now - startedAt < FILE_CONFIRM_MS) continue;
      upload.stop({ code: "unconfirmed", reason: "the server did not take it" });
    }
    this.#watch();
  }

  /** Ends all, frees the memory, waits for a write in progress. */
  async dispose(): Promise<void> {
    this.#endUnfinished({ code: "link_lost", reason: "the program ends" });
    await this.settled();
    this.#incoming.clear();
    this.#watch();
  }

  #confirm(id: string): void {
    for (const { upload } of this.#outgoing.values()) {
      if (upload.id === id) upload.confirm();
    }
    // The room has an offer now of which nothing will come; where this is lost, the link is, and that ends it as well.
    if (this.#abandoned.delete(id)) this.#options.send(giveUp(id, 0)).catch(() => undefined);
  }

  #endUnfinished(fault: TransferFault): void {
    for (const { upload } of this.#outgoing.values()) upload.stop(fault);
    this.#incoming.failUnfinished(fault);
  }

  async #push(file: TransferRef, upload: Upload): Promise<void> {
    const { notify, now } = this.#options;
    const progress = new Progress(file.size, now);
    const outcome = await upload.run((done) => {
      if (progress.isWorthTelling(done)) notify({ kind: "progress", file, done });
    });
    this.#outgoing.delete(file.n);
    if ("fault" in outcome) this.#tellFailed(file, upload, outcome.fault);
    else notify({ kind: "sent", file, sha256: outcome.sha256 });
  }

  #tellFailed(file: TransferRef, upload: Upload, fault: TransferFault): void {
    if (!upload.isConfirmed && fault.code !== "room_left") this.#abandoned.add(upload.id);
    this.#options.notify({ kind: "failed", file, fault });
  }

  /** Starts the timer with the first deadline; it ends itself with the last one. */
  #watch(): void {
    const isNeeded = this.#incoming.size + this.#outgoing.size > 0;
    if (isNeeded && this.#timer === undefined) {
      this.#timer = setInterval(() => this.sweep(), SWEEP_MS);
    } else if (!isNeeded) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}
