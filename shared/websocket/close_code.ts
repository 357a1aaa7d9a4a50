// Why a WebSocket connection ends (RFC 6455 §7.4).

import { ProtocolError } from "../base/errors.ts";

/** Codes that either side sends. */
export const CLOSE_CODES = {
  normal: 1000,
  protocolError: 1002,
  unsupportedData: 1003,
  invalidPayload: 1007,
  policyViolation: 1008,
  tooBig: 1009,
} as const;

/** The peer broke RFC 6455; `code` is what it is told. */
export class WebSocketError extends ProtocolError {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The payload of a close frame with this code; empty where there is none. */
export function closePayload(code: number | undefined): Uint8Array {
  return code === undefined ? new Uint8Array(0) : Uint8Array.of(code >> 8, code & 0xff);
}

/** The code in the payload of a close frame; undefined where there is none. Throws WebSocketError. */
export function readClosePayload(payload: Uint8Array): number | undefined {
  const [high, low] = payload;
  if (high === undefined) return undefined;
  const code = high * 256 + (low ?? 0);
  if (low === undefined || !mayBeSent(code)) {
    throw new WebSocketError(
      CLOSE_CODES.protocolError,
      "Cannot read a close frame: its code is not one that may be sent",
    );
  }
  try {
    decoder.decode(payload.subarray(2));
  } catch {
    throw new WebSocketError(
      CLOSE_CODES.invalidPayload,
      "Cannot read a close frame: its reason is not UTF-8",
    );
  }
  return code;
}

// 1004 to 1006 and 1015 never stand in a frame (RFC 6455 §7.4.1); 1012 to 1014 are in IANA's registry.
function mayBeSent(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}
