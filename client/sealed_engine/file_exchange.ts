// Files in a sealed room (docs/PROTOCOL.md §11.9): the chat hands a file over chunk by chunk, the room is told once it is
// whole, and whoever wants it pulls sealed chunks, a window at a time. Everything is held in memory.

import { equalBytes, fromHex, toHex } from "#platform/bytes.ts";
import { createSha256, type Sha256, sha256 } from "#platform/hash.ts";
import { randomBytes } from "../../shared/crypto/random_bytes.ts";
import { nameInSentence } from "../../shared/text/names.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import {
  FILE_CHUNK_BYTES,
  FILE_MAX_BYTES_CEILING,
  FILE_TRANSFERS_PER_SENDER,
  SEALED_PULL_CHUNKS_MAX,
} from "../../shared/base/limits.ts";
import { FILE_HELD_MAX_BYTES, FILE_OFFER_MS, FILE_STALLED_MS } from "../base/limits.ts";
import type { GroupMember } from "../mls/commit_rules.ts";
import { openEnvelope, sealEnvelope } from "../mls/envelope.ts";
import { FileOpener, FileSealer, SEALED_CHUNK_BYTES, sealedChunks } from "./file_seal.ts";
import { ID_BYTES, type Payload } from "../mls/payload.ts";
import type { RelayEvent, SealedRoomRequest } from "./engine_protocol.ts";
import { type MemberState } from "./member_state.ts";

type Offer = Extract<SealedRoomRequest, { kind: "offer" }>;
type Chunk = Extract<SealedRoomRequest, { kind: "chunk" }>;
type FilePayload = Extract<Payload, { kind: "file" }>;

/** Chunks that are asked for at once: 512 KiB keep a connection busy and an outbox small. */
const WINDOW = Math.min(8, SEALED_PULL_CHUNKS_MAX);
/** A chunk that has not come for this long is asked for again. */
const PULL_AGAIN_MS = 5_000;
/** How often a member is given a whole file. */
const GIVEN_TIMES = 4;
const INDEX_BYTES = 4;
const PULL_BYTES = ID_BYTES + INDEX_BYTES;

interface Outgoing {
  readonly offer: Offer;
  readonly bytes: Uint8Array;
  filled: number;
}

interface Served {
  /** The chat's id of it. */
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly sealer: FileSealer;
  /** Chunks that each handle was given. */
  readonly given: Map<string, number>;
  until: number;
}

interface Incoming {
  readonly client: number;
  readonly handle: string;
  readonly file: FilePayload;
  readonly opener: FileOpener;
  readonly hash: Sha256;
  /** Next sealed chunk, and how many of the last asked ones are still to come. */
  next: number;
  awaited: number;
  askedAt: number;
  heardAt: number;
  /** False from when its sender's connection was lost, or ours, until chunks are asked for again. */
  reachable: boolean;
  /** Next chunk for the chat. */
  told: number;
}

/** The files of one member: those it hands out and those it gets. */
export class FileExchange {
  readonly #state: MemberState;
  readonly #outgoing = new Map<string, Outgoing>();
  readonly #served = new Map<string, Served>();
  readonly #incoming = new Map<string, Incoming>();

  constructor(state: MemberState) {
    this.#state = state;
  }

  /** The chat wants to hand out a file; its chunks follow. */
  offer(offer: Offer): void {
    const { request, file: id, name, size } = offer;
    const { options, people, identity } = this.#state;
    if (size < 1 || size > FILE_MAX_BYTES_CEILING) {
      const why = `Cannot send a file of ${size} bytes: 1 to ${FILE_MAX_BYTES_CEILING} are allowed`;
      return options.tell({ kind: "declined", request, why });
    }
    this.#outgoing.set(id, { offer, bytes: new Uint8Array(size), filled: 0 });
    options.tell({
      kind: "file",
      client: people.numberOf(identity.me.handle),
      name: identity.me.name,
      time: options.date(),
      request,
      file: { id, name, size, chunks: Math.ceil(size / FILE_CHUNK_BYTES) },
    });
  }

  /** The next chunk of an own file; an empty last one gives up. */
  async add({ file: id, data, last }: Chunk): Promise<void> {
    const outgoing = this.#outgoing.get(id);
    if (outgoing === undefined) return;
    const { bytes, filled } = outgoing;
    if (filled + data.length <= bytes.length) bytes.set(data, filled);
    outgoing.filled += data.length;
    if (!last) return;
    this.#outgoing.delete(id);
    if (outgoing.filled === bytes.length) await this.#publish(outgoing);
  }

  async #publish({ offer, bytes }: Outgoing): Promise<void> {
    const { size, name, file } = offer;
    const id = randomBytes(ID_BYTES);
    const key = randomBytes(32);
    const hash = sha256(bytes);
    const sealer = new FileSealer(key, size);
    const until = this.#state.options.now() + FILE_OFFER_MS;
    this.#served.set(toHex(id), {
      file,
      bytes,
      sealer,
      given: new Map(),
      until,
    });
    this.#forgetBeyond();
    await this.#state.say({ kind: "file", id, name, size, chunks: sealedChunks(size), hash, key });
  }

  /** The oldest files go when all together are too large. */
  #forgetBeyond(): void {
    let held = [...this.#served.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
    for (const [id, { bytes }] of this.#served) {
      if (held <= FILE_HELD_MAX_BYTES || this.#served.size === 1) return;
      held -= bytes.length;
      this.#served.delete(id);
    }
  }

  /** A member hands out a file: it is pulled at once, and the chat judges what it keeps. */
  heard(from: GroupMember, file: FilePayload, time: number): void {
    const { options, people } = this.#state;
    const { size } = file;
    const isSound = size >= 1 && size <= FILE_MAX_BYTES_CEILING &&
      file.chunks === sealedChunks(size);
    if (!isSound) {
      return this.#state.note("warning", "A member offered a file that cannot be.");
    }
    const id = toHex(file.id);
    const key = keyOf(from.handle, id);
    // Of one sender an id is one file: another announcement does not take the place of the first.
    if (this.#incoming.has(key)) return;
    const ofSender = [...this.#incoming.values()].filter(({ handle }) => handle === from.handle);
    if (ofSender.length >= FILE_TRANSFERS_PER_SENDER) {
      return this.#state.note(
        "warning",
        `${nameInSentence(from.name)} offers more files at once than are taken.`,
      );
    }
    const client = people.numberOf(from.handle);
    const now = options.now();
    this.#incoming.set(key, {
      client,
      handle: from.handle,
      file,
      opener: new FileOpener(file.key, size),
      hash: createSha256(),
      next: 0,
      awaited: 0,
      askedAt: now,
      heardAt: now,
      told: 0,
      reachable: true,
    });
    const chunks = Math.ceil(size / FILE_CHUNK_BYTES);
    const shown = { id, name: file.name, size, chunks };
    options.tell({ kind: "file", client, name: from.name, time, request: 0, file: shown });
    this.#pull(key);
  }

  /** The chat does not want it. */
  drop({ client, file }: { readonly client: number; readonly file: string }): void {
    this.#incoming.delete(keyOf(this.#state.people.handleOf(client) ?? "", file));
  }

  #pull(key: string): void {
    const incoming = this.#incoming.get(key);
    const state = this.#state;
    if (incoming === undefined || state.phase !== "in") return;
    const count = Math.min(WINDOW, incoming.opener.chunks - incoming.next);
    incoming.awaited = count;
    incoming.askedAt = state.options.now();
    const index = new Uint8Array(INDEX_BYTES);
    new DataView(index.buffer).setUint32(0, incoming.next);
    const content = concatBytes([incoming.file.id, index]);
    state.options.send({
      kind: "sealed_pull",
      ask: state.ask("other"),
      room: state.room,
      to: fromHex(incoming.handle),
      chunks: count,
      body: sealEnvelope(state.identity.keys, "direct", content),
    });
  }

  /** A member pulls chunks of an own file. */
  async pulled({ from, chunks, body }: RelayEvent<"sealed_pull">): Promise<void> {
    const state = this.#state;
    const content = openedOrNothing(() => openEnvelope(state.identity.keys, "direct", body));
    if (content?.length !== PULL_BYTES) return;
    const id = content.subarray(0, ID_BYTES);
    const served = this.#served.get(toHex(id));
    if (served === undefined || !this.#mayHave(served, toHex(from), chunks)) return;
    served.until = state.options.now() + FILE_OFFER_MS;
    const first = new DataView(content.buffer, content.byteOffset).getUint32(ID_BYTES);
    const end = Math.min(first + Math.min(chunks, SEALED_PULL_CHUNKS_MAX), served.sealer.chunks);
    for (let index = first; index < end; index++) {
      const { start, end } = served.sealer.range(index);
      const sealed = await served.sealer.seal(index, served.bytes.subarray(start, end));
      const at = new Uint8Array(INDEX_BYTES);
      new DataView(at.buffer).setUint32(0, index);
      state.options.send({
        kind: "sealed_chunk",
        room: state.room,
        to: from,
        body: concatBytes([id, at, sealed]),
      });
    }
    const client = state.people.numberOf(toHex(from));
    const complete = end === served.sealer.chunks;
    state.options.tell({ kind: "served", file: served.file, client, complete });
  }

  /** A member may have the whole file a few times, for all connections that it loses, and no more. */
  #mayHave({ given, sealer }: Served, handle: string, chunks: number): boolean {
    if (this.#state.group?.members.every((member) => member.handle !== handle)) return false;
    const all = (given.get(handle) ?? 0) + Math.min(chunks, SEALED_PULL_CHUNKS_MAX);
    if (all > GIVEN_TIMES * sealer.chunks + SEALED_PULL_CHUNKS_MAX) return false;
    given.set(handle, all);
    return true;
  }

  /** A chunk that was pulled. Another than the next one is of an earlier try. */
  async received({ from, body }: RelayEvent<"sealed_chunk">): Promise<void> {
    if (body.length < PULL_BYTES) return;
    const key = keyOf(toHex(from), toHex(body.subarray(0, ID_BYTES)));
    const index = new DataView(body.buffer, body.byteOffset).getUint32(ID_BYTES);
    const incoming = this.#incoming.get(key);
    if (incoming === undefined || incoming.next !== index) return;
    try {
      const content = await incoming.opener.open(index, body.subarray(PULL_BYTES));
      this.#take(key, incoming, content);
    } catch {
      this.#fail(key, "A part of a file was changed on its way.");
    }
  }

  #take(key: string, incoming: Incoming, content: Uint8Array): void {
    incoming.hash.update(content);
    incoming.next++;
    incoming.awaited--;
    incoming.heardAt = this.#state.options.now();
    const isLast = incoming.next === incoming.opener.chunks;
    // Padding may fill chunks of its own, which hold nothing of the file.
    const isEnd = incoming.next * SEALED_CHUNK_BYTES >= incoming.file.size;
    if (
      content.length > 0 && isEnd &&
      !equalBytes(incoming.hash.digest(), incoming.file.hash)
    ) {
      return this.#fail(key, "A file is not what its sender said it is.");
    }
    if (content.length > 0) this.#tell(incoming, content, isEnd);
    if (isLast) this.#incoming.delete(key);
    else if (incoming.awaited === 0) this.#pull(key);
  }

  /** In the chunks of the chat, which are half as large. */
  #tell(incoming: Incoming, content: Uint8Array, isEnd: boolean): void {
    const id = toHex(incoming.file.id);
    for (let at = 0; at < content.length; at += FILE_CHUNK_BYTES) {
      const data = content.slice(at, at + FILE_CHUNK_BYTES);
      const last = isEnd && at + FILE_CHUNK_BYTES >= content.length;
      const { client } = incoming;
      this.#state.options.tell({ kind: "chunk", client, id, index: incoming.told++, data, last });
    }
  }

  #fail(key: string, why: string): void {
    const incoming = this.#incoming.get(key);
    if (incoming === undefined) return;
    const id = toHex(incoming.file.id);
    this.#incoming.delete(key);
    this.#state.note("danger", why);
    const { client, told: index } = incoming;
    const data = new Uint8Array();
    this.#state.options.tell({ kind: "chunk", client, id, index, data, last: true });
  }

  /** A connection is lost, of the member with that handle or ours: what was asked for does not come. */
  connectionLost(handle?: string): void {
    for (const incoming of this.#incoming.values()) {
      if (handle === undefined || incoming.handle === handle) incoming.reachable = false;
    }
  }

  /** Lets time pass. */
  tick(now: number): void {
    for (const [id, served] of this.#served) if (now >= served.until) this.#served.delete(id);
    for (const [key, incoming] of this.#incoming) {
      if (this.#state.phase !== "in" || !this.#state.people.isHere(incoming.handle)) {
        // Nobody is late while a connection is lost.
        [incoming.heardAt, incoming.reachable] = [now, false];
        // The room was told that its sender left for good.
        if (this.#hasLeft(incoming.handle)) this.#incoming.delete(key);
      } else if (!incoming.reachable) {
        [incoming.heardAt, incoming.reachable] = [now, true];
        this.#pull(key);
      } else if (now - incoming.heardAt >= FILE_STALLED_MS) {
        this.#fail(key, "A file stopped coming.");
      } else if (now - Math.max(incoming.askedAt, incoming.heardAt) >= PULL_AGAIN_MS) {
        this.#pull(key);
      }
    }
  }

  #hasLeft(handle: string): boolean {
    const { phase, group } = this.#state;
    return phase === "in" && group?.members.some((member) => member.handle === handle) === false;
  }
}

/** A file of a sender: members choose ids as they like, also those of others' files. */
function keyOf(handle: string, id: string): string {
  return `${handle}:${id}`;
}

function openedOrNothing(open: () => Uint8Array): Uint8Array | undefined {
  try {
    return open();
  } catch {
    return undefined; // Anyone may send anything; what is not of this room asks for nothing.
  }
}
