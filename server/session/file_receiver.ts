// The files that others offer to one member. A v2 client asks for chunks itself. A v1 client cannot ask, so the server
// asks on its behalf, and never for more than the client reads. Chunks that a v1 sender pushes come at once or not at
// all: a member whose connection is too slow loses the file, never its session.

import type { ClientId } from "../../shared/messages/ids.ts";
import { FILE_PULL_CHUNKS_MAX } from "../../shared/base/limits.ts";
import type { Event, EventOf } from "../../shared/messages/messages_v2.ts";
import { PUSHED_FILES } from "../config/limits.ts";
import type { EncodedEvent } from "../delivery/encoded_event.ts";
import type { EventWriter } from "../delivery/event_writer.ts";

/** Files of which the server keeps track for one member; the oldest gives way. */
const FILES_MAX = 16;
/** Chunks that are asked for at once on behalf of a v1 client: 256 KiB. */
const WINDOW = Math.min(8, FILE_PULL_CHUNKS_MAX);

/** What is asked of a sender; docs/PROTOCOL.md, 8.7. */
export type ChunkQuestion = Pick<EventOf<"pull">, "file" | "index" | "count">;

/** What the files of a member need of it. */
export interface FileReceiverOptions {
  readonly client: number;
  readonly isV1: boolean;
  /** The way out to its client; undefined while its connection is lost. */
  readonly writer: () => EventWriter | undefined;
  /** Delivers an event to the client; false where a part of a file found no room. */
  readonly deliver: (event: EncodedEvent) => boolean;
  readonly tell: (event: Event) => void;
  /** Asks client `sender` for chunks. */
  readonly ask: (sender: ClientId, question: ChunkQuestion) => void;
}

/** A file that a v1 sender pushes. */
interface Pushed {
  readonly kind: "pushed";
  readonly offer: EventOf<"offer">;
  /** What the writer had dropped before: a difference means a gap. */
  readonly drops: number;
  /** How often in a row its sender waited for this member, and it was still behind. */
  late: number;
}

/** A file of a v2 sender that is fetched for a v1 client. */
interface Fetched {
  readonly kind: "fetched";
  readonly offer: EventOf<"offer">;
  next: number;
  end: number;
}

/** The files that are offered to one member of a room. */
export class FileReceiver {
  readonly #options: FileReceiverOptions;
  readonly #files = new Map<string, Pushed | Fetched>();
  /** Pushed files that are lost, whose further chunks are not delivered. */
  readonly #lost = new Set<string>();

  constructor(options: FileReceiverOptions) {
    this.#options = options;
  }

  /** An offer that was delivered to the client. */
  offered(offer: EventOf<"offer">): void {
    const { client, isV1, writer } = this.#options;
    const key = keyOf(offer);
    this.#lost.delete(key);
    if (offer.client === client) return;
    if (offer.hash === null) {
      this.#keep(key, { kind: "pushed", offer, drops: writer()?.bulkDrops ?? 0, late: 0 });
    } else if (isV1 && offer.size > 0) {
      const fetched: Fetched = { kind: "fetched", offer, next: 0, end: 0 };
      this.#keep(key, fetched);
      this.#ask(fetched);
    }
  }

  /** A chunk for the client. */
  chunk(event: EncodedEvent, chunk: EventOf<"chunk">): void {
    const key = keyOf(chunk);
    if (this.#lost.has(key)) return;
    const file = this.#files.get(key);
    if (file?.kind === "fetched") return this.#takeFetched(file, event, chunk);
    const waiting = file === undefined ? 0 : this.#options.writer()?.waiting ?? 0;
    const isDelivered = waiting < PUSHED_FILES.mostBytes && this.#options.deliver(event);
    if (file !== undefined) this.#takePushed(file, chunk, isDelivered);
  }

  /** Whether much waits for the client of a file that is pushed to it and that it has not lost. */
  isBehind(pushed: { readonly client: ClientId; readonly file: string }): boolean {
    const isPushed = this.#files.get(keyOf(pushed))?.kind === "pushed";
    return isPushed && (this.#options.writer()?.waiting ?? 0) > PUSHED_FILES.waitingBytes;
  }

  /** The sender of a file that is pushed has waited for this member in vain; after some times in a row it loses it. */
  stayedBehind(pushed: { readonly client: ClientId; readonly file: string }): void {
    const key = keyOf(pushed);
    const file = this.#files.get(key);
    if (file?.kind !== "pushed") return;
    file.late = this.isBehind(pushed) ? file.late + 1 : 0;
    if (file.late >= PUSHED_FILES.times) this.#lose(key, file.offer, { index: 0 });
  }

  /** The connection of client `sender` is back: what was asked of it is asked again. */
  senderBack(sender: ClientId): void {
    for (const file of this.#files.values()) {
      if (file.kind === "fetched" && file.offer.client === sender) this.#ask(file);
    }
  }

  /** Client `sender` left. */
  senderLeft(sender: ClientId): void {
    for (const [key, { offer }] of this.#files) {
      if (offer.client === sender) this.#files.delete(key);
    }
    for (const key of this.#lost) if (key.startsWith(`${sender}/`)) this.#lost.delete(key);
  }

  #takePushed({ offer, drops }: Pushed, chunk: EventOf<"chunk">, isDelivered: boolean): void {
    const key = keyOf(chunk);
    const isWhole = isDelivered && this.#options.writer()?.bulkDrops === drops;
    if (!isWhole) this.#lose(key, offer, chunk);
    else if (chunk.last) this.#files.delete(key);
  }

  #lose(key: string, offer: EventOf<"offer">, { index }: { readonly index: number }): void {
    this.#files.delete(key);
    if (this.#lost.size >= FILES_MAX) this.#lost.clear();
    this.#lost.add(key);
    const { room, client, name, file, time } = offer;
    const { tell } = this.#options;
    tell({
      kind: "chunk",
      room,
      client,
      name,
      time,
      file,
      index,
      data: new Uint8Array(),
      last: true,
    });
    tell({
      kind: "notice",
      room,
      text:
        "A file was not delivered to you: your connection is too slow for a sender of the old protocol.",
    });
  }

  #takeFetched(file: Fetched, event: EncodedEvent, chunk: EventOf<"chunk">): void {
    const { offer } = file;
    const isEnd = chunk.last && chunk.data.length === 0;
    if (!isEnd && chunk.index !== file.next) return;
    // Without room it is asked for again once the client has read what waits.
    if (this.#options.deliver(event)) file.next = isEnd ? offer.chunks : chunk.index + 1;
    else file.end = file.next;
    if (file.next === offer.chunks) this.#files.delete(keyOf(offer));
    // Nobody is told that it is through: whether its user wanted it is not known, and others may still accept.
    else if (file.next >= file.end) void this.#askLater(file);
  }

  async #askLater(file: Fetched): Promise<void> {
    await this.#options.writer()?.drained();
    if (this.#files.get(keyOf(file.offer)) === file) this.#ask(file);
  }

  #ask(file: Fetched): void {
    const { offer, next: index } = file;
    const count = Math.min(WINDOW, offer.chunks - index);
    file.end = index + count;
    this.#options.ask(offer.client, { file: offer.file, index, count });
  }

  #keep(key: string, file: Pushed | Fetched): void {
    this.#files.delete(key);
    if (this.#files.size >= FILES_MAX) {
      this.#files.delete(this.#files.keys().next().value as string);
    }
    this.#files.set(key, file);
  }
}

// A sender chooses the id of its file, so an id counts for that sender only.
function keyOf({ client, file }: { readonly client: number; readonly file: string }): string {
  return `${client}/${file}`;
}
