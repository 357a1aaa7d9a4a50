// WebSocket frames (RFC 6455 §5.2) as they are written: a header, and the payload masked where a client sends it.

/** What a frame is (RFC 6455 §5.2); all other values are reserved. */
export const OPCODES = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** One of OPCODES. */
export type Opcode = typeof OPCODES[keyof typeof OPCODES];

/** Bytes of the longest payload of a close, ping or pong (RFC 6455 §5.5). */
export const CONTROL_MAX_BYTES = 125;

/** Bytes of the key with which a client masks a frame. */
export const MASK_KEY_BYTES = 4;

/** In the second byte of a frame: the payload is masked. */
export const MASK_BIT = 0x80;

/** In the first byte of a frame: the message ends here. */
export const FIN_BIT = 0x80;

/** In the second byte of a frame, in place of a length: the length follows in 2 bytes. */
export const LENGTH_IN_2_BYTES = 126;

/** In the second byte of a frame, in place of a length: the length follows in 8 bytes. */
export const LENGTH_IN_8_BYTES = 127;

const TWO_BYTES_MAX = 0xffff;

/** A whole message as one frame, a copy of `payload`; masked with `key`, 4 random bytes, where a client sends it. */
export function webSocketFrame(opcode: Opcode, payload: Uint8Array, key?: Uint8Array): Uint8Array {
  const { length } = payload;
  const lengthBytes = length < LENGTH_IN_2_BYTES ? 0 : length <= TWO_BYTES_MAX ? 2 : 8;
  const keyAt = 2 + lengthBytes;
  const start = keyAt + (key === undefined ? 0 : MASK_KEY_BYTES);
  const frame = new Uint8Array(start + length);
  frame[0] = FIN_BIT | opcode;
  frame[1] = lengthBytes === 0 ? length : lengthBytes === 2 ? LENGTH_IN_2_BYTES : LENGTH_IN_8_BYTES;
  const view = new DataView(frame.buffer);
  if (lengthBytes === 2) view.setUint16(2, length);
  else if (lengthBytes === 8) view.setBigUint64(2, BigInt(length));
  frame.set(payload, start);
  if (key === undefined) return frame;
  frame[1] |= MASK_BIT;
  frame.set(key, keyAt);
  applyMask(frame.subarray(start), key);
  return frame;
}

/** Masks or unmasks `bytes` in place (RFC 6455 §5.3). */
export function applyMask(bytes: Uint8Array, key: Uint8Array): void {
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = (bytes[at] as number) ^ (key[at & 3] as number);
  }
}
