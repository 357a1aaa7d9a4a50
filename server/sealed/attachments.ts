// The sealed rooms that one session is attached to, and what it asks for there.

import { CmdchatError, LimitError, ProtocolError } from "../../shared/base/errors.ts";
import { SEALED_ROOMS_PER_SESSION } from "../config/limits.ts";
import type { Event, RequestOf, SealedRequest } from "../../shared/messages/messages_v2.ts";
import { areAttachProofs, handleOf } from "../../shared/messages/attach_proof.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";
import { sourceOf } from "../limits/ip_network.ts";
import type { SealedRoom } from "./sealed_room.ts";
import type { SealedRooms } from "./sealed_rooms.ts";
import type { DropReason, SealedPeer, Seat } from "./seat.ts";

/** What sealed rooms need of a session. */
export interface SealedSession {
  /** Where it comes from. */
  readonly address: string;
  /** Delivers to the session; never waits and never throws. */
  deliver(broadcast: EncodedEvent): void;
  /** Takes one of the messages that the rate limit allows: 0, or the ms to wait. */
  takeMessage(now: number): number;
  /** The same for the work of a group, which must not wait for talk. */
  takeGroupWork(now: number): number;
  /** Something came that is worth a request of the session's pace. */
  spendPace(): void;
  /** Whether files may pass. */
  readonly takesFiles: boolean;
  /** Closes the connection; the client reconnects on its own. */
  close(): void;
}

/** A session's part in rooms that other servers have. */
export interface RemoteHomes {
  /** Passes a request on; undefined = it is about a room of this server, "unasked" = it is a chunk nobody wants. */
  pass(request: SealedRequest, challenge: Uint8Array): "passed" | "unasked" | undefined;
  /** The connection is lost, or the client left for good. */
  end(left: boolean): void;
}

interface Attachment {
  readonly room: SealedRoom;
  readonly seat: Seat;
}

/** How sealed rooms see one session, and it them. */
export class Attachments implements SealedPeer {
  readonly #owner: SealedSession;
  readonly #rooms: SealedRooms;
  readonly #remote: RemoteHomes | undefined;
  readonly #attachments = new Map<number, Attachment>();
  #challenge: Uint8Array | undefined;

  constructor(owner: SealedSession, rooms: SealedRooms, elsewhere?: RemoteHomes) {
    this.#owner = owner;
    this.#rooms = rooms;
    this.#remote = elsewhere;
  }

  /** Number of sealed rooms of this server that it is in. */
  get size(): number {
    return this.#attachments.size;
  }

  /** The challenge of the session's connection: its first one, or the same as before. */
  proveBy(challenge: Uint8Array): void {
    this.#challenge = challenge;
  }

  /** The session has a new connection, with this challenge; what was attached over the former one is not any more. */
  takeConnection(challenge: Uint8Array | undefined): void {
    this.loseConnection();
    this.#challenge = challenge;
  }

  /** The connection is lost: the seats of members are kept for a while. */
  loseConnection(): void {
    const attachments = [...this.#attachments.values()];
    this.#attachments.clear();
    for (const { room, seat } of attachments) room.loseConnection(seat);
    this.#remote?.end(false);
  }

  /** The session is over. */
  leaveAll(): void {
    const attachments = [...this.#attachments.values()];
    this.#attachments.clear();
    for (const { room, seat } of attachments) room.leave(seat);
    this.#remote?.end(true);
  }

  deliver(broadcast: EncodedEvent): void {
    this.#owner.deliver(broadcast);
  }

  comeAgain(): void {
    this.#owner.close();
  }

  dropped(room: number, why: DropReason): void {
    this.#attachments.delete(room);
    this.#tell({ kind: "sealed_declined", ask: 0, room, why: DROPPED[why] });
  }

  /** Does what a request asks for. A refusal is told; throws ProtocolError. */
  handle(request: SealedRequest): void {
    // As in dispatchRequest(): a client that keeps to the rate limit is not slowed down.
    const isFree = isCounted(request.kind);
    try {
      if (request.kind === "sealed_chunk") return this.#chunk(request);
      if (!isFree) this.#owner.spendPace();
      this.#checkRate(request.kind);
      if (this.#passOn(request) !== undefined) return;
      if (request.kind === "sealed_attach") return this.#attach(request);
      this.#inRoom(request);
    } catch (error) {
      if (!(error instanceof CmdchatError) || error instanceof ProtocolError) throw error;
      if (isFree) this.#owner.spendPace();
      if (!("ask" in request)) return;
      const room = "room" in request ? request.room : 0;
      this.#tell({ kind: "sealed_declined", ask: request.ask, room, why: error.message });
    }
  }

  #attach(request: RequestOf<"sealed_attach">): void {
    const { rid } = request;
    const challenge = this.#challenge;
    const handle = handleOf(request.handleKey);
    if (challenge === undefined || !areAttachProofs(request, { rid, handle, challenge })) {
      throw new LimitError("Cannot join the room: the proof does not fit");
    }
    const room = this.#rooms.open(rid, this.#owner.address);
    const here = this.#attachments.get(room.number);
    if (here === undefined && this.#attachments.size >= SEALED_ROOMS_PER_SESSION) {
      room.tidy();
      throw new LimitError(
        `Cannot join the room: at most ${SEALED_ROOMS_PER_SESSION} sealed ones at once are allowed`,
      );
    }
    try {
      const seat = room.attach(this, { ...request, handle, source: sourceOf(this.#owner.address) });
      if (here !== undefined && here.seat !== seat) room.leave(here.seat);
      this.#attachments.set(room.number, { room, seat });
    } catch (error) {
      room.tidy();
      throw error;
    }
  }

  #inRoom(request: Exclude<SealedRequest, { kind: "sealed_attach" | "sealed_chunk" }>): void {
    const attachment = this.#attachments.get(request.room);
    if (attachment === undefined) {
      throw new LimitError("Cannot do that: you are not in this sealed room");
    }
    const { room, seat } = attachment;
    switch (request.kind) {
      case "sealed_create":
        return room.create(seat, request);
      case "sealed_join":
        return room.join(seat, request);
      case "sealed_group_info":
        return room.groupInfo(seat, request);
      case "sealed_commit":
        return room.commit(seat, request);
      case "sealed_app":
        return room.app(seat, request);
      case "sealed_vote":
        return room.vote(seat, request);
      case "sealed_check":
        return room.check(seat, request);
      case "sealed_pull":
        if (!this.#owner.takesFiles) {
          throw new LimitError("Cannot get the file: this server takes no files");
        }
        return room.pull(seat, request);
      case "sealed_leave":
        this.#attachments.delete(request.room);
        this.#tell({ kind: "sealed_done", ask: request.ask });
        return room.leave(seat);
    }
  }

  #passOn(request: SealedRequest): "passed" | "unasked" | undefined {
    if (this.#remote === undefined || this.#challenge === undefined) return undefined;
    if (request.kind === "sealed_pull" && !this.#owner.takesFiles) return undefined;
    return this.#remote.pass(request, this.#challenge);
  }

  #chunk(request: RequestOf<"sealed_chunk">): void {
    const passed = this.#passOn(request);
    // Whoever has the room answers.
    if (passed === "passed") return;
    // The window of a sender counts on an answer to each chunk.
    this.#tell({ kind: "sealed_done", ask: request.ask });
    const attachment = passed === undefined ? this.#attachments.get(request.room) : undefined;
    // Chunks are as many as were asked for; others cost what any request costs.
    if (!attachment?.room.chunk(attachment.seat, request)) this.#owner.spendPace();
  }

  #checkRate(kind: SealedRequest["kind"]): void {
    const now = this.#rooms.now();
    const wait = kind === "sealed_app"
      ? this.#owner.takeMessage(now)
      : GROUP_WORK.has(kind)
      ? this.#owner.takeGroupWork(now)
      : 0;
    if (wait > 0) {
      throw new LimitError(`Not done: too many at once. Wait ${Math.ceil(wait / 1_000)} s.`);
    }
  }

  #tell(event: Event): void {
    this.deliver(new EncodedEvent(event, ""));
  }
}

const DROPPED = {
  replaced: "You are in this sealed room over another connection now.",
  voided:
    "The others found your last change of the group invalid, so you are out of it for a while.",
  closed: "The server's admin closed it.",
  locked: "It is locked, and you are not in it.",
  crowded: "Too many connections from your network are waiting to join. Try again.",
} as const;

/** Whether the rate limit counts requests of that kind. */
function isCounted(kind: SealedRequest["kind"]): boolean {
  return kind === "sealed_app" || GROUP_WORK.has(kind);
}

// What costs all members work. Answers to the server's questions, votes and leaving do not count.
const GROUP_WORK: ReadonlySet<SealedRequest["kind"]> = new Set([
  "sealed_attach",
  "sealed_create",
  "sealed_join",
  "sealed_commit",
]);
