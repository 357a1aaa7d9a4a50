// Turns the fault of a transfer into an error whose class, and so exit code, names the side at fault.

import {
  type CmdchatError,
  ConfigError,
  ConnectionError,
  LimitError,
  ProtocolError,
} from "../../shared/base/errors.ts";
import { RefusalError } from "../session/refusal.ts";
import type { TransferFault } from "../transfer_base/transfer_event.ts";

/** The error for `head: reason`. */
export function transferError(head: string, { code, reason }: TransferFault): CmdchatError {
  const text = `${head}: ${reason}`;
  switch (code) {
    case "too_large":
    case "too_many":
    case "no_memory":
      return new LimitError(text);
    case "not_saved":
    case "unreadable":
    case "changed":
    case "not_wanted":
      return new ConfigError(text);
    case "bad_offer":
    case "bad_chunk":
    case "bad_digest":
      return new ProtocolError(text);
    case "refused":
    case "unsaved":
    case "stopped":
      return new RefusalError(text);
    case "nobody":
    case "cancelled":
    case "sender_gave_up":
    case "sender_left":
    case "connection_lost":
    case "room_left":
    case "stalled":
    case "expired":
    case "unconfirmed":
      return new ConnectionError(text);
  }
}
