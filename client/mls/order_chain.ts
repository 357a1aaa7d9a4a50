// The order of a room's frames as one hash (docs/PROTOCOL.md §11.6). Messages carry its beginning, so that two members
// to whom the relay shows different orders notice.

import { equalBytes } from "#platform/bytes.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import { SEALED_MEMBERS_MAX } from "../../shared/base/limits.ts";
import { sha256 } from "../../shared/crypto/hkdf.ts";

/** Bytes of what messages carry: sequence (8) and the beginning of the chain's hash there (8). */
export const ORDER_MARK_BYTES = 16;

/** What a message says about the order that its sender saw. */
export type OrderVerdict = "same" | "different" | "unknown";

const SEQUENCE_BYTES = 8;
// A message says what its sender had seen when it was sealed: seconds ago, not thousands of frames.
const REMEMBERED = 1_024;

const utf8 = new TextEncoder();
const FRAME_LABEL = utf8.encode("cmdchat sealed frame v1");
const VOID_LABEL = utf8.encode("cmdchat sealed void v1");

function sequenceBytes(sequence: number): Uint8Array {
  const bytes = new Uint8Array(SEQUENCE_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(sequence));
  return bytes;
}

/** Keys that a member may leave out: twice what it says before it renews them (M22), and so more than a relay loses. */
const SKIPPED_MAX = 1_000;
/** How many of them each further message of that member makes up for. */
const MADE_UP = 2;
// Also of those who left.
const DEBTS_MAX = 2 * SEALED_MEMBERS_MAX;

/** What members have left out: each key is a hash for everybody else, before anything of the message is verified. */
export class SkippedKeys {
  readonly #debts = new Map<string, number>();

  /** Whether the next message from that handle may leave out so many keys. */
  take(handle: string, keys: number): boolean {
    const debt = Math.max(0, (this.#debts.get(handle) ?? 0) - MADE_UP);
    const isAllowed = debt + keys <= SKIPPED_MAX;
    const after = isAllowed ? debt + keys : debt;
    this.#debts.delete(handle);
    if (after > 0) this.#debts.set(handle, after);
    if (this.#debts.size > DEBTS_MAX) this.#debts.delete(this.#debts.keys().next().value as string);
    return isAllowed;
  }
}

/** The running hash, and its values at the last sequences. */
export class OrderChain {
  #sequence = 0;
  readonly #values = new Map<number, Uint8Array>();

  /** Highest sequence that was seen. */
  get sequence(): number {
    return this.#sequence;
  }

  /** An epoch begins with the frame of that sequence: the chain starts from a secret of the epoch. */
  begin(sequence: number, epochSecret: Uint8Array): void {
    this.#set(sequence, epochSecret);
  }

  /** A frame within the epoch. */
  add(sequence: number, body: Uint8Array): void {
    const before = this.#values.get(this.#sequence);
    this.#sequence = sequence;
    if (before === undefined) return;
    this.#set(sequence, sha256(FRAME_LABEL, before, sequenceBytes(sequence), sha256(body)));
  }

  /** Frames before the next one, of that sequence, are lost: until the next epoch nothing can be compared. */
  skipTo(sequence: number): void {
    this.#values.clear();
    this.#sequence = sequence - 1;
  }

  /** The commit of that sequence is void, and so is all up to `last`: its former epoch goes on from before it. */
  goBack(sequence: number, last: number): void {
    const before = this.#values.get(sequence - 1);
    if (before === undefined) return this.skipTo(last + 1);
    this.#set(last, sha256(VOID_LABEL, before, sequenceBytes(sequence)));
  }

  /** What the next message carries. */
  mark(): Uint8Array {
    const value = this.#values.get(this.#sequence);
    // Sequence 0 never is a frame's: it says that this member cannot tell.
    if (value === undefined) return new Uint8Array(ORDER_MARK_BYTES);
    return concatBytes([sequenceBytes(this.#sequence), value.subarray(0, SEQUENCE_BYTES)]);
  }

  /** Compares the mark of the message at `at` with what was seen here; "unknown" is before one's own time. */
  compare(mark: Uint8Array, at: number): OrderVerdict {
    const view = new DataView(mark.buffer, mark.byteOffset, mark.length);
    const sequence = Number(view.getBigUint64(0));
    // Nobody can have seen what comes behind the own message.
    if (sequence >= at) return "different";
    const value = sequence === 0 ? undefined : this.#values.get(sequence);
    if (value === undefined) return "unknown";
    const own = value.subarray(0, SEQUENCE_BYTES);
    return equalBytes(own, mark.subarray(SEQUENCE_BYTES)) ? "same" : "different";
  }

  #set(sequence: number, value: Uint8Array): void {
    this.#sequence = sequence;
    this.#values.set(sequence, value);
    this.#values.delete(sequence - REMEMBERED);
  }
}
