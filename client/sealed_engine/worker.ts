// The worker of one sealed room: its cryptography must not stop the terminal, and a commit of 200 members takes a tenth
// of a second. It is started without any right: no network, no file, no environment.

import { deriveRoomKeys } from "../mls/room_keys.ts";
import { Member } from "./member.ts";
import { bytesOf, type FromWorker, type ToWorker } from "./engine_protocol.ts";

const TICK_MS = 1_000;

const scope = self as unknown as {
  onmessage: ((message: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
};

let machine: Member | undefined;
let queue: Promise<void> = Promise.resolve();

/** One after the other: the machine's steps must not overlap. */
function enqueue(step: () => void | Promise<void>): void {
  queue = queue.then(step).catch((error) => {
    scope.postMessage({ kind: "fail", why: error instanceof Error ? error.message : "" });
  });
}

function open(
  { secret, name, holds, device, remembered }: Extract<ToWorker, { kind: "open" }>,
): void {
  machine = new Member({
    keys: deriveRoomKeys(secret),
    name,
    holds,
    device,
    remembered,
    send: (request) => scope.postMessage({ kind: "send", request }),
    tell: (event) => scope.postMessage({ kind: "tell", event }),
    now: () => performance.now(),
    date: () => Date.now(),
  });
  setInterval(() => enqueue(() => machine?.tick()), TICK_MS);
}

function take({ data: message }: MessageEvent<ToWorker>): void {
  switch (message.kind) {
    case "open":
      return enqueue(() => open(message));
    case "request":
      return enqueue(() => machine?.handle(message.request));
    case "event":
      return enqueue(async () => {
        await machine?.receive(message.event);
        scope.postMessage({ kind: "taken", bytes: bytesOf(message.event) });
      });
  }
}

// The script of the page is its worker as well, and a page has a document.
if (!("document" in globalThis)) scope.onmessage = take;
