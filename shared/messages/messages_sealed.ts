// The rows of sealed rooms, which stand behind those of plain rooms in messages_v2.ts. What is in a `body` the relay
// cannot read. docs/PROTOCOL.md §12.

import * as z from "zod/mini";
import {
  FILE_PART_RECEIVERS_MAX,
  SEALED_APP_MAX_BYTES,
  SEALED_BODY_MAX_BYTES,
  SEALED_CHUNK_MAX_BYTES,
  SEALED_MEMBERS_MAX,
  SEALED_PULL_CHUNKS_MAX,
  SEALED_PULL_MAX_BYTES,
  TIME_MAX_MS,
} from "../base/limits.ts";
import type { SealedRoomId } from "./ids.ts";

/** Bytes of the name by which a relay knows a sealed room. */
export const RID_BYTES = 16;
/** Bytes of a handle: what stands for one process in a sealed room (attach_proof.ts). */
export const HANDLE_BYTES = 16;
/** Bytes of a digest of who is in the group (roster_digest.ts). */
export const ROSTER_BYTES = 32;

const count = z.int().check(z.minimum(0));
const label = z.string().check(z.maxLength(1_024));

function bytes(min: number, max = min) {
  return z.custom<Uint8Array>((value) =>
    value instanceof Uint8Array && value.length >= min && value.length <= max
  );
}

/** Number that the client gives a request; the answer repeats it. 0 = of none. */
const ask = count.check(z.maximum(2 ** 32 - 1));
/** Number that the server gives a sealed room, unique in its life. */
const room: z.ZodMiniType<SealedRoomId> = count;
/** Epoch of the group, from 0. */
const epoch = count;
/** Sequence of a frame in its room, from 1. */
const seq = count;
const handle = bytes(HANDLE_BYTES);
const handles = z.array(handle).check(z.maxLength(SEALED_MEMBERS_MAX));
const body = bytes(1, SEALED_BODY_MAX_BYTES);
const pull = {
  chunks: z.int().check(z.minimum(1), z.maximum(SEALED_PULL_CHUNKS_MAX)),
  body: bytes(1, SEALED_PULL_MAX_BYTES),
};
const chunk = { body: bytes(1, SEALED_CHUNK_MAX_BYTES) };

/** What one who comes back lacks: nothing, some messages but no commit, or commits as well. */
export const MISSING = ["nothing", "messages", "epochs"] as const;
/** What a frame is. */
export const SEALED_FRAME_TYPES = ["commit", "app"] as const;

/** What a client sends about sealed rooms: one row a message. */
export const SEALED_REQUESTS = {
  /**
   * Attaches to a room as the holder of the handle's key. `member`: the client has the group's state at `epoch`, and
   * all frames up to `seq`.
   */
  sealed_attach: {
    ask,
    rid: bytes(RID_BYTES),
    key: bytes(32),
    proof: bytes(64),
    handleKey: bytes(32),
    handleProof: bytes(64),
    member: z.boolean(),
    epoch,
    seq,
  },
  /** The first in a room makes its group, or brings it back to a relay that does not know it any more. */
  sealed_create: { ask, room, epoch, seq, handles },
  /** Asks for the GroupInfo. `fresh`: the one that was given is of no use. */
  sealed_join: { ask, room, fresh: z.boolean() },
  sealed_group_info: { ask, room, question: count, epoch, body },
  /** `members`: the handles of all leaves after it; `locked`: whether the room is locked after it. */
  sealed_commit: { ask, room, epoch, members: handles, locked: z.boolean(), body },
  sealed_app: { ask, room, epoch, body: bytes(1, SEALED_APP_MAX_BYTES) },
  /** Whether the commit at `seq` was sound. */
  sealed_vote: { ask, room, seq, ok: z.boolean() },
  sealed_leave: { ask, room },
  /** Asks the member `to` for chunks of a file, and lets as many through. */
  sealed_pull: { ask, room, to: handle, ...pull },
  /** A chunk for those of `to` that asked for it. */
  sealed_chunk: {
    ask,
    room,
    to: z.array(handle).check(z.minLength(1), z.maxLength(FILE_PART_RECEIVERS_MAX)),
    ...chunk,
  },
  /** Whether the commit of that question is sound. */
  sealed_check: { ask, room, question: count, ok: z.boolean() },
} as const;

/** What the server sends about sealed rooms: one row a message. */
export const SEALED_EVENTS = {
  /**
   * The receiver is attached. A member then gets the frames that it missed; a client outside the group learns nothing
   * of it (epoch, seq 0, nobody, missing epochs). With ask 0: the room was brought back to here.
   */
  sealed_attached: {
    ask,
    room,
    epoch,
    seq,
    missing: z.enum(MISSING),
    members: z.array(z.tuple([handle, z.boolean()])).check(z.maxLength(SEALED_MEMBERS_MAX)),
  },
  /** The receiver is attached to the room, which has no group. */
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
    time: count.check(z.maximum(TIME_MAX_MS)),
    /** Of a commit: the digest of `members` and `locked` as its sender gave them; empty for a message. */
    roster: bytes(0, ROSTER_BYTES),
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
  /** A connection that is not in the group gives this commit: is it sound? */
  sealed_check_please: {
    room,
    question: count,
    epoch,
    from: handle,
    roster: bytes(ROSTER_BYTES),
    body,
  },
  /** The receiver has just come into the group: these members have a connection. */
  sealed_here: { room, handles },
  /** So many connections have shown that they hold the link, and are not in the group. */
  sealed_guests: { room, count },
} as const;
