// A sealed room as the chat holds it: what it asks goes to a worker, in order, and what the room has to say comes back.

import { startWorker } from "#platform/worker.ts";
import type { DeviceKey } from "../../shared/crypto/device_key.ts";
import type { RememberedPerson } from "./people.ts";
import type {
  FromRelay,
  FromWorker,
  SealedRoomEvent,
  SealedRoomRequest,
  ToRelay,
  ToWorker,
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
  /** Ends the worker at once, without leaving. */
  close(): void;
}

/** Opens a sealed room; it does nothing before `online`. */
export function openSealedEngine(options: EngineOptions): SealedEngine {
  const worker = startWorker(() => new URL("./worker.ts", import.meta.url));
  let isOpen = true;
  const close = () => {
    isOpen = false;
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
      case "fail":
        return fail(message.why);
    }
  };
  const { secret, name, holds = true, device, remembered } = options;
  post({ kind: "open", secret, name, holds, device, remembered });
  return {
    handle: (request) => post({ kind: "request", request }),
    receive: (event) => post({ kind: "event", event }),
    close,
  };
}
