// The only file that imports hash-wasm. It loads it on the first call, so that a start without history does not pay.

/** Cost of one Argon2id derivation (RFC 9106 section 3.1). */
export interface StretchCost {
  /** Memory in KiB. */
  readonly memoryKib: number;
  /** Passes over the memory. */
  readonly passes: number;
  /** Lanes; hash-wasm computes them one after the other. */
  readonly lanes: number;
}

/**
 * 64 MiB and 3 passes of RFC 9106 section 4's second recommended option. One lane instead of four: the WASM code has
 * one thread, so more lanes cost the user the same (measured 305 ms for 1, 351 ms for 4) and help a parallel guesser.
 */
export const DEFAULT_COST: StretchCost = { memoryKib: 65_536, passes: 3, lanes: 1 };

/** The highest cost that a file's header may require: 256 MiB, some seconds. Checked before memory is allocated. */
export const MAX_COST: StretchCost = { memoryKib: 262_144, passes: 10, lanes: 4 };

/** RFC 9106 section 3.1: 16 bytes of salt are recommended for password hashing. */
export const STRETCH_SALT_BYTES = 16;

/** True if `cost` is between RFC 9106's minima and MAX_COST. */
export function isAcceptableCost(cost: StretchCost): boolean {
  return inRange(cost.lanes, 1, MAX_COST.lanes) && inRange(cost.passes, 1, MAX_COST.passes) &&
    inRange(cost.memoryKib, 8 * cost.lanes, MAX_COST.memoryKib);
}

/** 32 bytes of Argon2id (version 0x13) over the passphrase's UTF-8 after NFC; throws RangeError for a cost out of bounds. */
export async function stretchPassphrase(
  passphrase: string,
  salt: Uint8Array,
  cost: StretchCost,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!isAcceptableCost(cost)) throw new RangeError("Argon2id cost is out of bounds");
  const { argon2id } = await import("hash-wasm");
  const key = await argon2id({
    // NFC, as RFC 8265 section 4.2 requires: the same typed passphrase has different bytes on other systems.
    password: passphrase.normalize("NFC"),
    salt,
    memorySize: cost.memoryKib,
    iterations: cost.passes,
    parallelism: cost.lanes,
    hashLength: 32,
    outputType: "binary",
  });
  return Uint8Array.from(key);
}

function inRange(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}
