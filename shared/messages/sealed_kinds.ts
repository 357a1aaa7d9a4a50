// Which messages are of sealed rooms, by their names alone: the client asks this before it has loaded the tables.

import type { Event, Request, SealedEvent, SealedRequest } from "./messages_v2.ts";

// Every row of messages_sealed.ts begins with it and no other row does.
const PREFIX = "sealed_";

/** Whether a request is about sealed rooms. */
export function isSealedRequest(request: Request): request is SealedRequest {
  return request.kind.startsWith(PREFIX);
}

/** Whether an event is of sealed rooms. */
export function isSealedEvent(event: Event): event is SealedEvent {
  return event.kind.startsWith(PREFIX);
}
