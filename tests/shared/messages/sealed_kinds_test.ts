import assert from "node:assert/strict";
import { SEALED_EVENTS, SEALED_REQUESTS } from "../../../shared/messages/messages_sealed.ts";
import {
  type Event,
  EVENTS,
  type Request,
  REQUESTS,
} from "../../../shared/messages/messages_v2.ts";
import { isSealedEvent, isSealedRequest } from "../../../shared/messages/sealed_kinds.ts";

Deno.test("isSealedEvent() and isSealedRequest() hold of the rows of sealed rooms and of no other row", () => {
  const events = Object.keys(EVENTS).filter((kind) => isSealedEvent({ kind } as Event));
  assert.deepEqual(events, Object.keys(SEALED_EVENTS));
  const requests = Object.keys(REQUESTS).filter((kind) => isSealedRequest({ kind } as Request));
  assert.deepEqual(requests, Object.keys(SEALED_REQUESTS));
});
