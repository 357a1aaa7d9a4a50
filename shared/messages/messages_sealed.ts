// The rows of sealed rooms, which stand behind those of plain rooms in messages_v2.ts. What is in a `body` the relay
// cannot read. docs/PROTOCOL.md §12.

import * as z from "zod";
import {
  SEALED_BODY_MAX_BYTES,
  SEALED_CHUNK_MAX_BYTES,
  SEALED_MEMBERS_MAX,
  SEALED_PULL_CHUNKS_MAX,
  SEALED_PULL_MAX_BYTES,
} from "../base/limits.ts";
import type { SealedRoomId } from "./ids.ts";

/** Bytes of the name by which a relay knows a sealed room. */
export const RID_BYTES = 16;
/** Bytes of a connection's handle in a sealed room. */
export const HANDLE_BYTES = 8;
/** Bytes that prove a handle to be one's own after the link was lost. */
export const HANDLE_OWNER_BYTES = 16;

const count = z.int().min(0);
const label = z.string().max(1_024);

function bytes(min: number, max = min) {
  return z.custom<Uint8Array>((value) =>
    value instanceof Uint8Array && value.length >= min && value.length <= max
  );
}

/** Number that the client gives a request; the answer repeats it. 0 = of none. */
const ask = count.max(2 ** 32 - 1);
/** Number that the server gives a sealed room, unique in its life. */
const room: z.ZodType<SealedRoomId> = count;
/** Epoch of the group, from 0. */
const epoch = count;
/** Place of a frame in its room, from 1. */
const seq = count;
const handle = bytes(HANDLE_BYTES);
const handles = z.array(handle).max(SEALED_MEMBERS_MAX);
const body = bytes(1, SEALED_BODY_MAX_BYTES);
const pull = {
  chunks: z.int().min(1).max(SEALED_PULL_CHUNKS_MAX),
  body: bytes(1, SEALED_PULL_MAX_BYTES),
};
const chunk = { body: bytes(1, SEALED_CHUNK_MAX_BYTES) };

/** What one who comes back lacks: nothing, some messages but no commit, or commits as well. */
export const MISSING = ["nothing", "messages", "epochs"] as const;
/** What a frame is. */
export const SEALED_FRAME_TYPES = ["commit", "app"] as const;

/** What a client sends about sealed rooms: one row a message. */
export const SEALED_REQUESTS = {
  /** Comes to a room, or back to it. `member`: the group's state at `epoch` is there, and all frames up to `seq`. */
  sealed_attach: {
    ask,
    rid: bytes(RID_BYTES),
    key: bytes(32),
    handle,
    owner: bytes(HANDLE_OWNER_BYTES),
    proof: bytes(64),
    member: z.boolean(),
    epoch,
    seq,
  },
  /** The first in a room makes its group, or brings it back to a relay that does not know it any more. */
  sealed_create: { ask, room, epoch, seq, handles },
  /** Asks for the GroupInfo. `fresh`: the one that was given is of no use. */
  sealed_join: { ask, room, fresh: z.boolean() },
  sealed_group_info: { ask, room, question: count, epoch, body },
  /** `evicts`: the handles whose leaves it removes. */
  sealed_commit: { ask, room, epoch, evicts: handles, body },
  sealed_app: { ask, room, epoch, body },
  /** Whether the commit at `seq` was sound. */
  sealed_vote: { ask, room, seq, ok: z.boolean() },
  sealed_leave: { ask, room },
  /** Asks the member `to` for chunks of a file, and lets as many through. */
  sealed_pull: { ask, room, to: handle, ...pull },
  /** A chunk for the member `to`, who asked for it. */
  sealed_chunk: { room, to: handle, ...chunk },
} as const;

/** What the server sends about sealed rooms: one row a message. */
export const SEALED_EVENTS = {
  /** The receiver is in the room; the frames that it missed follow. With ask 0: the room was brought back to here. */
  sealed_attached: {
    ask,
    room,
    epoch,
    seq,
    missing: z.enum(MISSING),
    members: z.array(z.tuple([handle, z.boolean()])).max(SEALED_MEMBERS_MAX),
  },
  /** The receiver is in the room, which has no group. */
  sealed_none: { ask, room },
  sealed_done: { ask },
  sealed_declined: { ask, room, why: label },
  /** A commit came too late, or there is a group already: the room is here. */
  sealed_conflict: { ask, epoch, seq },
  /** A message of an epoch that is over. */
  sealed_stale: { ask, epoch },
  /** The answer to join: now is the receiver's turn. */
  sealed_group_info: { ask, epoch, body },
  sealed_group_info_please: { room, question: count, epoch },
  sealed_frame: {
    room,
    seq,
    type: z.enum(SEALED_FRAME_TYPES),
    epoch,
    from: handle,
    ask,
    time: count,
    body,
  },
  /** The commit at `seq` and all frames up to `last` are void; the room is in `epoch` again. */
  sealed_void: { room, seq, last: seq, epoch },
  /** `left`: for good. */
  sealed_gone: { room, handle, left: z.boolean() },
  sealed_back: { room, handle },
  /** The receiver is to commit the removal of these. */
  sealed_evict_please: { room, handles },
  sealed_pull: { room, from: handle, ...pull },
  sealed_chunk: { room, from: handle, ...chunk },
} as const;
