// Files in both directions: what is offered, what the user says to it, and what became of it. No text for the user is
// made here; each turn of a transfer is a TransferEvent that the chat shows.

import {
  type AnyClientId,
  type AnyRoomId,
  isSealedId,
  type WithAnyIds,
} from "../base/local_ids.ts";
import { nameInSentence } from "../../shared/text/names.ts";
import { LimitError, UsageError } from "../../shared/base/errors.ts";
import { FILE_CONFIRM_MS } from "../base/limits.ts";
import { FILE_MAX_BYTES, FILE_TRANSFERS_PER_SENDER } from "../../shared/base/limits.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { Downloads } from "./downloads.ts";
import { Progress } from "../transfer_base/progress.ts";
import type { RequestOutcome, RequestRoom } from "../session/request_ledger.ts";
import type { RosterEntry } from "../rooms/roster.ts";
import type { SourceFile } from "../transfer_base/source_file.ts";
import { FinishedUploads } from "../uploads/finished_uploads.ts";
import {
  CONNECTION_LOST,
  shownFileName,
  type TransferFault,
  type TransferInfo,
  type TransferRef,
} from "../transfer_base/transfer_event.ts";
import { DeliveryWindow } from "../transfer_base/delivery_window.ts";
import { chunkKey } from "../uploads/chunk_sender.ts";
import { ServedUpload } from "../uploads/served_upload.ts";
import { giveUp, PushedUpload, type Upload } from "../uploads/upload.ts";
import type { OnlyReceiver, TransferHost, UploadRequest } from "../transfer_base/transfer_host.ts";

/** Most chunks that may be on their way to the server: 2 MiB. */
const SENT_WINDOW_MAX = 64;

/** How often deadlines are looked at. */
const SWEEP_MS = 1_000;

interface Outgoing {
  readonly file: TransferRef;
  readonly room: RequestRoom;
  readonly upload: Upload;
  /** When it was offered, or the connection on which it is offered came. */
  startedAt: number;
}

/** All transfers of one client. Methods for commands throw UsageError or LimitError; those for messages never throw. */
export class Transfers {
  /** Largest file in bytes, both ways: the server's `limits.file`, FILE_MAX_BYTES before it is known. */
  fileMax: number = FILE_MAX_BYTES;
  readonly #options: TransferHost;
  readonly #incoming: Downloads;
  readonly #outgoing = new Map<number, Outgoing>();
  readonly #sending = new Set<Promise<void>>();
  readonly #served: FinishedUploads;
  /** Chunks that have left and that the server has not confirmed, of all files together. */
  readonly #window: DeliveryWindow;
  /** When a session whose connection is lost is no longer held; undefined while there is a connection. */
  #heldUntil: number | undefined;
  /** Uploads that ended while the server might still take their offer, perhaps over the next connection, by id. */
  readonly #abandoned = new Map<string, RequestRoom>();
  #lastNumber = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: TransferHost) {
    this.#options = options;
    this.#incoming = new Downloads(options, () => ++this.#lastNumber);
    this.#served = new FinishedUploads(options.now);
    this.#window = new DeliveryWindow({ now: options.now, most: SENT_WINDOW_MAX });
  }

  /** An offer, ours included. */
  handleOffer(event: WithAnyIds<EventOf<"offer">>): void {
    if (event.client === this.#options.ownId()) this.#confirm(event.file);
    else this.#incoming.handleOffer(event, this.fileMax);
    this.#watch();
  }

  /** A chunk; those of files that were refused or came before us are ignored. */
  handleChunk(event: WithAnyIds<EventOf<"chunk">>): void {
    if (event.client === this.#options.ownId()) this.#stopped(event);
    else this.#incoming.handleChunk(event);
  }

  /** The server has a chunk of one of our files, and all that left before it. */
  handleTaken(chunk: EventOf<"taken">): void {
    // Of a file that was given up as well: its chunks were on their way.
    this.#window.cameUpTo(chunkKey(chunk));
  }

  /**
   * A chunk of one of our files in a sealed room is done with. Of others it tells nothing: the room's worker answers for
   * some by itself, and what leaves for plain rooms may overtake it.
   */
  handleSealedTaken(chunk: { readonly file: string; readonly index: number }): void {
    this.#window.came(chunkKey(chunk));
  }

  /** A receiver asks for chunks of one of our files. */
  handlePull(event: WithAnyIds<EventOf<"pull">>): void {
    const sending = this.#sendingOf(event.file);
    if (sending === undefined) this.#served.pulled(event);
    else sending.upload.pulled(event);
  }

  /** A receiver says what became of one of our files. */
  handleReceipt(event: WithAnyIds<EventOf<"receipt">>): void {
    const by = { name: event.name, answer: event.state };
    const sending = this.#sendingOf(event.file);
    const late = sending === undefined ? this.#served.answered(event) : undefined;
    const receivers = sending?.upload.answered(event) ?? late?.receivers;
    const file = sending?.file ?? late?.file;
    if (file === undefined || receivers === undefined) return;
    this.#options.notify({ kind: "answered", file, receivers, by, isLate: late !== undefined });
  }

  /** The server has answered the offer of file `id`. */
  handleAnswer(id: string, outcome: RequestOutcome): void {
    if (outcome === "confirmed") return this.#confirm(id);
    const fault: TransferFault = outcome === "lost"
      ? { code: "connection_lost", reason: "the connection was lost" }
      : { code: "unconfirmed", reason: "it could not be offered" };
    for (const { upload } of this.#outgoing.values()) if (upload.id === id) upload.stop(fault);
  }

  /** Whether chunks of somebody's file are taken now: it was neither refused nor has it ended. */
  wants(chunk: Pick<WithAnyIds<EventOf<"chunk">>, "client" | "file">): boolean {
    return this.#incoming.wants(chunk);
  }

  /** A member of room `room` lost its connection: what can wait for it waits. */
  memberAway(client: AnyClientId, room: AnyRoomId): void {
    this.#incoming.senderAway(client, room);
    for (const upload of this.#uploadsIn(room)) upload.memberAway(client, true);
  }

  /** A member of room `room` has a connection again. */
  memberBack(client: AnyClientId, room: AnyRoomId): void {
    this.#incoming.senderBack(client, room);
    for (const upload of this.#uploadsIn(room)) upload.memberAway(client, false);
  }

  /** Who is in room `room`, of which some changes may not have been told. */
  peopleAre(room: AnyRoomId, people: readonly RosterEntry[]): void {
    this.#incoming.peopleAre(room, people);
    for (const upload of this.#uploadsIn(room)) upload.peopleAre(people);
  }

  /** A member left room `room`: what is unfinished of theirs there ends. */
  memberLeft(client: AnyClientId, room: AnyRoomId): void {
    this.#incoming.senderLeft(client, room);
    for (const upload of this.#uploadsIn(room)) upload.memberLeft(client);
  }

  /** The connection is lost. What is unfinished waits for `holdMs`, or ends where it cannot; complete offers stay. */
  connectionLost(holdMs = 0): void {
    this.#served.connectionLost();
    if (holdMs === 0) return this.#endUnfinished(CONNECTION_LOST);
    this.#heldUntil = this.#options.now() + holdMs;
    for (const { file, upload } of this.#outgoing.values()) {
      if (upload.survives) this.#wait(file, upload);
      else upload.stop(CONNECTION_LOST);
    }
    this.#incoming.connectionLost();
  }

  /** There is a connection again, to the same session or to another one, in which nothing of a plain room goes on. */
  connectionBack(isResumed: boolean): void {
    this.#heldUntil = undefined;
    if (!isResumed) {
      this.#endPlain({ code: "connection_lost", reason: "the server did not wait for it" });
    }
    for (const outgoing of this.#outgoing.values()) {
      const { file, upload } = outgoing;
      outgoing.startedAt = this.#options.now();
      if (!upload.survives || upload.waitingFor !== "connection") continue;
      upload.connectionBack();
      this.#options.notify({ kind: "resumed", file, done: upload.done });
    }
    this.#incoming.connectionBack(isResumed);
  }

  /** To be called before `room` is left: its chunks neither come nor go from then on. */
  roomLeft(room: RequestRoom): void {
    const fault = { code: "room_left", reason: "you left the room in the middle" } as const;
    for (const outgoing of this.#outgoing.values()) {
      if (outgoing.room === room) outgoing.upload.stop(fault);
    }
    this.#incoming.failUnfinished(fault, (incoming) => incoming.room === room.id);
  }

  /** `/send PATH` as typed or dropped, to `room` or `to` one of it alone; resolves when the sending has begun. */
  async offerFile(typed: string, room: RequestRoom, to?: OnlyReceiver): Promise<void> {
    const files = await this.#options.disk.open(typed, this.fileMax);
    for (const [at, file] of files.entries()) {
      try {
        this.sendFile(file, room, to);
      } catch (error) {
        for (const unsent of files.slice(at + 1)) unsent.close();
        throw error;
      }
    }
  }

  /** Sends what is open already, which it closes. Throws LimitError, and UsageError for its name. */
  sendFile(file: SourceFile, room: RequestRoom, to?: OnlyReceiver): void {
    try {
      this.#options.checkName?.(file.name, room);
      if (to !== undefined) this.#checkReceiver(to, room);
    } catch (error) {
      file.close();
      throw error;
    }
    if (this.#outgoing.size >= FILE_TRANSFERS_PER_SENDER) {
      file.close();
      throw new LimitError(
        `Cannot send another file: ${this.#outgoing.size} are on their way, ` +
          `at most ${FILE_TRANSFERS_PER_SENDER} at once are allowed`,
      );
    }
    const ref: TransferRef = {
      n: ++this.#lastNumber,
      direction: "out",
      name: shownFileName(file.name, file.isFolder ?? false),
      size: file.size,
      sender: undefined,
      room: room.title,
      to: to?.name,
      ...(file.isFolder ? { isFolder: true, leftOut: file.leftOut ?? 0 } : {}),
    };
    const upload = this.#uploadOf(file, room, to?.client);
    const outgoing = { file: ref, room, upload, startedAt: this.#options.now() };
    this.#outgoing.set(ref.n, outgoing);
    this.#watch();
    this.#options.notify({ kind: "sending", file: ref });
    const task = this.#push(outgoing).finally(() => this.#sending.delete(task));
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
    const outgoing = [...this.#outgoing.values()].map(({ file, upload }) => ({
      ...file,
      state: "sending" as const,
      done: upload.done,
      waitingFor: upload.waitingFor,
    }));
    return [...this.#incoming.list(), ...outgoing].sort((a, b) => a.n - b.n);
  }

  /** Resolves when nothing is being sent or written; for scripts and for `/quit`. */
  async settled(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending);
    await this.#incoming.settled();
  }

  /** Looks at deadlines; called by a timer, and by tests. */
  sweep(): void {
    const now = this.#options.now();
    this.#incoming.sweep();
    this.#served.sweep();
    if (this.#heldUntil !== undefined && now >= this.#heldUntil) {
      this.#heldUntil = undefined;
      this.#endPlain({ code: "connection_lost", reason: "the connection was lost for too long" });
    }
    for (const { upload, startedAt } of this.#outgoing.values()) {
      upload.sweep();
      const isLate = !upload.isConfirmed && now - startedAt >= FILE_CONFIRM_MS;
      if (!isLate || upload.waitingFor === "connection") continue;
      upload.stop({ code: "unconfirmed", reason: "the server did not take it" });
    }
    this.#watch();
  }

  /** Ends all, frees the memory, waits for a write in progress. */
  async dispose(): Promise<void> {
    this.#endUnfinished({ code: "connection_lost", reason: "the program ends" });
    await this.settled();
    this.#served.clear();
    this.#incoming.clear();
    this.#watch();
  }

  #confirm(id: string): void {
    for (const { file, room, upload } of this.#outgoing.values()) {
      if (upload.id !== id || upload.isConfirmed) continue;
      upload.confirm(this.#options.others(room));
      if (upload.waitingFor !== "receiver") continue;
      this.#options.notify({ kind: "waiting", file, done: 0, for: "receiver" });
    }
    // The room has an offer now of which nothing will come; where this is lost, the connection is, and that ends it as well.
    const room = this.#abandoned.get(id);
    if (room === undefined) return;
    this.#abandoned.delete(id);
    this.#options.send(giveUp(id, 0), room).catch(() => undefined);
  }

  #endUnfinished(fault: TransferFault): void {
    for (const { upload } of this.#outgoing.values()) upload.stop(fault);
    this.#incoming.failUnfinished(fault);
  }

  /** Sealed rooms go on without our session. */
  #endPlain(fault: TransferFault): void {
    for (const { upload, room } of this.#outgoing.values()) if (!room.isSealed) upload.stop(fault);
    this.#incoming.failUnfinished(fault, ({ room }) => !isSealedId(room));
  }

  /** Only those in the room now can be offered a file. Throws UsageError. */
  #checkReceiver({ client, name }: OnlyReceiver, room: RequestRoom): void {
    const head = `Cannot send a file to ${nameInSentence(name)} alone`;
    if (this.#options.survives?.(room) !== true) {
      throw new UsageError(`${head}: this server passes files to the whole room`);
    }
    const person = this.#options.others(room).find((one) => one.client === client);
    if (person === undefined) throw new UsageError(`${head}: they are not in this room any longer`);
    if (person.state === "away") throw new UsageError(`${head}: they have no connection now`);
  }

  #uploadOf(file: SourceFile, room: RequestRoom, to: AnyClientId | undefined): Upload {
    const { send: sendTo, survives, now, answerMs } = this.#options;
    const send = (request: UploadRequest) => sendTo(request, room);
    const isServed = survives?.(room) ?? false;
    return isServed
      ? new ServedUpload({ file, send, to, window: this.#window, answerMs, now })
      : new PushedUpload(file, send);
  }

  #wait(file: TransferRef, upload: Upload): void {
    upload.connectionLost();
    this.#options.notify({ kind: "waiting", file, done: upload.done, for: "connection" });
  }

  async #push({ file, room, upload }: Outgoing): Promise<void> {
    const { notify, now } = this.#options;
    const progress = new Progress(file.size, now);
    const outcome = await upload.run((done) => {
      if (progress.isWorthTelling(done)) notify({ kind: "progress", file, done });
    });
    this.#outgoing.delete(file.n);
    if ("fault" in outcome) {
      const { fault } = outcome;
      if (!upload.isConfirmed && fault.code !== "room_left") this.#abandoned.set(upload.id, room);
      notify({ kind: "failed", file, ...outcome });
    } else {
      this.#served.keep(file, upload);
      notify({ kind: "sent", file, ...outcome });
    }
  }

  #sendingOf(id: string): Outgoing | undefined {
    return this.#outgoing.values().find(({ upload }) => upload.id === id);
  }

  /** Our own file comes back as given up: the server passes no more of it on. */
  #stopped({ file, data, last }: WithAnyIds<EventOf<"chunk">>): void {
    if (!last || data.length > 0) return;
    this.#sendingOf(file)?.upload.stop({ code: "stopped", reason: "the server stopped it" });
  }

  /** What is being sent in room number `room`. */
  #uploadsIn(room: AnyRoomId): Upload[] {
    const here = this.#outgoing.values().filter((outgoing) => outgoing.room.id === room);
    return here.map(({ upload }) => upload).toArray();
  }

  /** Starts the timer with the first deadline; it ends itself with the last one. */
  #watch(): void {
    const isNeeded = this.#incoming.size + this.#outgoing.size + this.#served.size > 0;
    if (isNeeded && this.#timer === undefined) {
      this.#timer = setInterval(() => this.sweep(), SWEEP_MS);
    } else if (!isNeeded) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}
