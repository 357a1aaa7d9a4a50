// What goes between the chat and the worker that holds a sealed room: plain data, copied.

import type { FromRelay, ToRelay } from "./relay_wire.ts";
import type { RoomEvent, RoomRequest } from "./engine_protocol.ts";

/** Into the worker; the first is `open`. */
export type ToWorker =
  | { readonly kind: "open"; readonly secret: Uint8Array; readonly name: string }
  | { readonly kind: "request"; readonly request: RoomRequest }
  | { readonly kind: "event"; readonly event: FromRelay };

/** Out of the worker. */
export type FromWorker =
  | { readonly kind: "send"; readonly request: ToRelay }
  | { readonly kind: "tell"; readonly event: RoomEvent }
  | { readonly kind: "fail"; readonly why: string };
