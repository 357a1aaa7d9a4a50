// A room for file transfers without a network: members are Transfers, the relay is the server's judge of files and a few
// lines around it that check every message by the table, and time stands still until a test moves it.

import { localDisk } from "../../../client/transfers/local_disk.ts";
import { requirePlain } from "../../../client/base/local_ids.ts";
import type { TransferEvent } from "../../../client/transfer_base/transfer_event.ts";
import type { RosterEntry } from "../../../client/rooms/roster.ts";
import { Transfers } from "../../../client/transfers/transfers.ts";
import type {
  FileRequest,
  OfferDraft,
  TransferHost,
} from "../../../client/transfer_base/transfer_host.ts";
import { FileTransfers } from "../../../server/session/file_transfers.ts";
import { ConnectionError } from "../../../shared/base/errors.ts";
import { FILE_CHUNK_BYTES, FILE_MAX_BYTES_CEILING } from "../../../shared/base/limits.ts";
import {
  decodeEvent,
  decodeRequest,
  encodeEvent,
  encodeRequest,
} from "../../../shared/messages/codec_v2.ts";
import type { Event, EventOf, RequestOf } from "../../../shared/messages/messages_v2.ts";

export type { FileRequest };

/** What a test may set otherwise for one member. */
export interface MemberOptions extends Partial<TransferHost> {
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
  /** What the server knows of its files. */
  readonly files: FileTransfers;
  /** Whether it pushes its files, as v1 clients do. */
  readonly pushes: boolean;
  /** Whether its link stands. */
  linked: boolean;
}

/** How long a sender waits for those who have not answered. */
export const ANSWER_MS = 5_000;

/** How long a session without a link is held. */
const HOLD_MS = 60_000;

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
      send: async (message) => {
        if (!this.members[id - 1]?.linked) throw new ConnectionError("the link is cut");
        // The bytes are ours until this resolves.
        const kept = "data" in message ? { ...message, data: message.data.slice() } : message;
        await intercept(kept, () => this.relay(id, kept));
      },
      survives: () => true,
      others: () => this.#roster.filter(({ client }) => client !== id),
      answerMs: ANSWER_MS,
      notify: (event) => events.push(event),
      now: () => this.now,
      ownId: () => id,
      disk: localDisk({ folder }),
      ...rest,
    });
    const files = new FileTransfers(FILE_MAX_BYTES_CEILING, { tell: () => {} });
    const pushes = rest.survives?.(ROOM) === false;
    const member = { id, transfers, events, folder, files, pushes, linked: true };
    this.members.push(member);
    return member;
  }

  /** Members with a link. */
  get #here(): number[] {
    return this.members.filter(({ linked }) => linked).map(({ id }) => id);
  }

  get #roster(): RosterEntry[] {
    return this.members.map(({ id, pushes, linked }) => ({
      client: id,
      name: `member${id}`,
      state: !linked ? "away" : pushes ? "old" : "here",
      since: 0,
      status: null,
    }));
  }

  /** Does with a message of member `id` what the server does. */
  relay(id: number, message: FileRequest): void {
    const request = message.kind === "offer" ? { ...message, id: 1, room: ROOM.id } : message;
    const checked = decodeRequest(encodeRequest(requirePlain(request))) as ServedRequest;
    const { files } = this.members[id - 1]!;
    switch (checked.kind) {
      case "offer":
        if (
          files.open(checked, { pushed: this.members[id - 1]!.pushes, to: this.#here }) !==
            undefined
        ) return;
        return this.members.forEach(({ id: to }) =>
          // v1 does not tell the hash of a file.
          (checked.to === 0 || to === checked.to || to === id) && this.#deliver(
            to,
            stamped(this.members[id - 1]!.pushes ? { ...checked, hash: null } : checked, id),
          )
        );
      case "chunk": {
        // What tests send without an offer goes through as well.
        files.chunk(checked);
        const others = this.members.filter((member) => member.id !== id);
        for (const { id: to } of others) this.#deliver(to, stamped(checked, id));
        return;
      }
      case "pull": {
        const { to, file, index } = checked;
        const count = this.members[to - 1]?.files.pull({
          ...checked,
          receiver: id,
          source: `member ${id}`,
          sharers: 1,
        });
        if (count === undefined) {
          const none = { kind: "chunk", file, index, data: new Uint8Array(), last: true } as const;
          return this.#deliver(id, stamped(none, to));
        }
        if (count === 0 && checked.count > 0) return;
        return this.#deliver(to, {
          kind: "pull",
          room: ROOM.id,
          client: id,
          file,
          index,
          count,
        });
      }
      case "receipt": {
        const { to, file, state } = checked;
        const about = { room: ROOM.id, client: id, name: `member${id}`, time: 0 };
        const event = { kind: "receipt", ...about, file, state } as const;
        if (this.members[to - 1]?.files.receipt(event)) this.#deliver(to, event);
        return;
      }
      case "part": {
        const { file, index, data } = checked;
        const { clients = [], last = false } = files.part(checked) ?? {};
        for (const client of clients) {
          // Each receiver decodes bytes of its own.
          const chunk = { kind: "chunk", file, index, data: data.slice(), last } as const;
          this.#deliver(client, stamped(chunk, id));
        }
        return this.#deliver(id, { kind: "taken", file, index });
      }
    }
  }

  /** Cuts a member's link; the others are told. */
  cut(member: Member): void {
    member.linked = false;
    member.transfers.connectionLost(HOLD_MS);
    for (const { id, transfers } of this.members) {
      if (id !== member.id) transfers.memberAway(member.id, ROOM.id);
    }
  }

  /** The member's session has a link again. */
  mend(member: Member): void {
    member.linked = true;
    member.transfers.connectionBack(true);
    for (const receipt of member.files.receipts) this.#deliver(member.id, receipt);
    for (const { id, transfers } of this.members) {
      if (id !== member.id) transfers.memberBack(member.id, ROOM.id);
    }
  }

  #deliver(to: number, event: FileEvent): void {
    const { transfers, linked } = this.members[to - 1]!;
    if (!linked) return;
    const read = decodeEvent(encodeEvent(event)) as FileEvent;
    switch (read.kind) {
      case "offer":
        return transfers.handleOffer(read);
      case "chunk":
        return transfers.handleChunk(read);
      case "taken":
        return transfers.handleTaken(read);
      case "pull":
        return transfers.handlePull(read);
      case "receipt":
        return transfers.handleReceipt(read);
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
export const ROOM = { id: 1 };

type ServedRequest = RequestOf<"offer" | "chunk" | "pull" | "part" | "receipt">;
type FileEvent = Extract<Event, { kind: "offer" | "chunk" | "taken" | "pull" | "receipt" }>;
type Passed = OfferDraft | RequestOf<"chunk">;

function stamped(message: Passed, id: number): EventOf<"offer" | "chunk"> {
  const about = { room: ROOM.id, client: id, name: `member${id}`, time: 0 };
  if (message.kind === "chunk") return { ...message, ...about };
  const { kind, file, filename, size, chunks, hash, to, folder } = message;
  const offer = { kind, file, filename, size, chunks, hash, to: Number(to), folder };
  return { ...offer, ...about, request: 1 };
}

/** An offer as it arrives. */
export function offerOf(
  id: number,
  file: {
    readonly id?: string;
    readonly name?: string;
    readonly size: number;
    readonly hash?: Uint8Array;
    /** The only receiver; all, where it is missing. */
    readonly to?: number;
    readonly folder?: boolean;
  },
): EventOf<"offer"> {
  return stamped({
    kind: "offer",
    file: file.id ?? "f",
    filename: file.name ?? "file.bin",
    size: file.size,
    chunks: Math.ceil(file.size / FILE_CHUNK_BYTES),
    hash: file.hash ?? null,
    to: file.to ?? 0,
    folder: file.folder ?? false,
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
