// A room for file transfers without a network: members are Transfers, the relay is a few lines that check every message
// by the table, and time stands still until a test moves it.

import {
  type OfferDraft,
  type TransferEvent,
  type TransferOptions,
  Transfers,
} from "../../client/transfers.ts";
import { FILE_CHUNK_BYTES } from "../../shared/limits.ts";
import { decodeEvent, decodeRequest, encodeEvent, encodeRequest } from "../../shared/wire_v2.ts";
import type { EventOf, RequestOf } from "../../shared/messages_v2.ts";

/** What a member sends about files. */
export type FileRequest = OfferDraft | RequestOf<"chunk">;

/** What a test may set otherwise for one member. */
export interface MemberOptions extends Partial<TransferOptions> {
  /** What the server does with a message of this member: relays it, by default. */
  readonly intercept?: (message: FileRequest, relay: () => void) => Promise<void> | void;
}

/** A temporary folder that is gone at the end of the block. */
export async function scratchFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "cmdchat_files_" }));
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** One member, what it was told, and where its files go. */
export interface Member {
  readonly id: number;
  readonly transfers: Transfers;
  readonly events: TransferEvent[];
  readonly folder: string;
}

/** Members, a relay and a clock. */
export class TransferRoom implements AsyncDisposable {
  readonly members: Member[] = [];
  readonly path: string;
  now = 1_000;
  readonly #scratch: AsyncDisposable;

  private constructor(scratch: { readonly path: string } & AsyncDisposable) {
    this.path = scratch.path;
    this.#scratch = scratch;
  }

  static async open(): Promise<TransferRoom> {
    return new TransferRoom(await scratchFolder());
  }

  /** A new member; its folder does not exist yet. */
  join(options: MemberOptions = {}): Member {
    const id = this.members.length + 1;
    const events: TransferEvent[] = [];
    const folder = `${this.path}/member-${id}`;
    const { intercept = (_, relay) => relay(), ...rest } = options;
    const transfers = new Transfers({
      send: async (message) => await intercept(message, () => this.relay(id, message)),
      notify: (event) => events.push(event),
      now: () => this.now,
      ownId: () => id,
      folder,
      ...rest,
    });
    const member = { id, transfers, events, folder };
    this.members.push(member);
    return member;
  }

  /** Gives a message of member `id` to the others, and an offer to its sender as well. */
  relay(id: number, message: FileRequest): void {
    const request = message.kind === "offer" ? { ...message, id: 1, room: ROOM.number } : message;
    const checked = decodeRequest(encodeRequest(request)) as RequestOf<"offer" | "chunk">;
    const event = decodeEvent(encodeEvent(stamped(checked, id))) as EventOf<"offer" | "chunk">;
    for (const { id: receiver, transfers } of this.members) {
      if (event.kind === "offer") transfers.handleOffer(event);
      else if (receiver !== id) transfers.handleChunk(event);
    }
  }

  /** Lets time pass and everyone look at their deadlines. */
  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const { transfers } of this.members) transfers.sweep();
  }

  /** A file of these bytes outside the members' folders. */
  async file(name: string, bytes: Uint8Array): Promise<string> {
    await Deno.writeFile(`${this.path}/${name}`, bytes);
    return `${this.path}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { transfers } of this.members) await transfers.dispose();
    await this.#scratch[Symbol.asyncDispose]();
  }
}

/** Where all of it happens. */
export const ROOM = { number: 1 };

function stamped(message: FileRequest, id: number): EventOf<"offer" | "chunk"> {
  const about = { room: ROOM.number, client: id, name: `member${id}`, time: 0 };
  if (message.kind === "chunk") return { ...message, ...about };
  const { kind, file, filename, size, chunks } = message;
  return { kind, file, filename, size, chunks, ...about, request: 1 };
}

/** An offer as it arrives. */
export function offerOf(
  id: number,
  file: { readonly id?: string; readonly name?: string; readonly size: number },
): EventOf<"offer"> {
  return stamped({
    kind: "offer",
    file: file.id ?? "f",
    filename: file.name ?? "file.bin",
    size: file.size,
    chunks: Math.ceil(file.size / FILE_CHUNK_BYTES),
  }, id) as EventOf<"offer">;
}

/** The chunks of `bytes` as they arrive. */
export function chunksOf(
  id: number,
  file: { readonly id?: string; readonly bytes: Uint8Array },
): EventOf<"chunk">[] {
  const total = Math.ceil(file.bytes.length / FILE_CHUNK_BYTES);
  return Array.from({ length: total }, (_, index) =>
    stamped({
      kind: "chunk",
      file: file.id ?? "f",
      index,
      data: file.bytes.subarray(index * FILE_CHUNK_BYTES, (index + 1) * FILE_CHUNK_BYTES),
      last: index === total - 1,
    }, id) as EventOf<"chunk">);
}

/** Bytes that repeat nowhere soon, the same each time. */
export function someBytes(length: number): Uint8Array<ArrayBuffer> {
  let state = 0x9e3779b9;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

/** Names in a folder, sorted, hidden ones included; empty where there is no folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The events of one kind. */
export function eventsOf<K extends TransferEvent["kind"]>(
  member: Member,
  kind: K,
): Extract<TransferEvent, { kind: K }>[] {
  return member.events.filter((event): event is Extract<TransferEvent, { kind: K }> =>
    event.kind === kind
  );
}
