// A sealed room as the chat holds it: what it asks goes to a worker, in order, and what the room has to say comes back.

import { startWorker } from "#platform/worker.ts";
import type { DeviceKey } from "../../shared/crypto/device_key.ts";
import type { RememberedPerson } from "./people.ts";
import { SEALED_WAITING_MAX_BYTES } from "../base/limits.ts";
import {
  bytesOf,
  type FromRelay,
  type FromWorker,
  type SealedRoomEvent,
  type SealedRoomRequest,
  type ToRelay,
  type ToWorker,
} from "./engine_protocol.ts";

/** What a sealed room is made of, and where it speaks to. */
export interface EngineOptions {
  /** The room's secret, 32 bytes. */
  readonly secret: Uint8Array;
  /** The wanted name, which has passed parseName. */
  readonly name: string;
  /** Whether an alarm holds what is about to be sent, true unless told. */
  readonly holds?: boolean;
  /** The key that shows the members who this is; absent: nothing does. */
  readonly device?: DeviceKey | undefined;
  /** Whom the user knows by their device keys. */
  readonly remembered?: readonly RememberedPerson[] | undefined;
  /** Takes what goes to the relay. */
  readonly send: (request: ToRelay) => void;
  /** Takes what the chat is told. */
  readonly tell: (event: SealedRoomEvent) => void;
  /** The room failed by a fault of this program; nothing more will come. */
  readonly fail: (error: Error) => void;
}

/** One sealed room. Its calls keep their order and never throw. */
export interface SealedEngine {
  /** What the user asks for, or the state of the connection. */
  handle(request: SealedRoomRequest): void;
  /** What the relay says of this room. */
  receive(event: FromRelay): void;
  /** Resolves when the worker has less to do than is too much; undefined where it has. */
  readonly caughtUp: Promise<void> | undefined;
  /** Ends the worker at once, without leaving. */
  close(): void;
}

/** Opens a sealed room; it does nothing before `online`. */
export function openSealedEngine(options: EngineOptions): SealedEngine {
  const worker = startWorker(() => new URL("./worker.ts", import.meta.url));
  let isOpen = true;
  // Bytes of events that wait for the worker: a relay can say more than it can work off.
  let waiting = 0;
  let caughtUp: PromiseWithResolvers<void> | undefined;
  const take = (bytes: number) => {
    waiting += bytes;
    if (waiting > SEALED_WAITING_MAX_BYTES) caughtUp ??= Promise.withResolvers();
    else if (caughtUp !== undefined) {
      caughtUp.resolve();
      caughtUp = undefined;
    }
  };
  const close = () => {
    isOpen = false;
    take(-waiting);
    worker.terminate();
  };
  const post = (message: ToWorker) => {
    if (isOpen) worker.postMessage(message);
  };
  const fail = (why: string) => {
    if (!isOpen) return;
    close();
    options.fail(new Error(`The sealed room has stopped: ${why}`));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    fail(event.message);
  };
  worker.onmessage = ({ data: message }: MessageEvent<FromWorker>) => {
    // What was on its way when the room was closed.
    if (!isOpen) return;
    switch (message.kind) {
      case "send":
        return options.send(message.request);
      case "tell":
        return options.tell(message.event);
      case "taken":
        return take(-message.bytes);
      case "fail":
        return fail(message.why);
    }
  };
  const { secret, name, holds = true, device, remembered } = options;
  post({ kind: "open", secret, name, holds, device, remembered });
  return {
    handle: (request) => post({ kind: "request", request }),
    receive(event) {
      if (isOpen) take(bytesOf(event));
      post({ kind: "event", event });
    },
    get caughtUp() {
      return caughtUp?.promise;
    },
    close,
  };
}
