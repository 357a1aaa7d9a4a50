// The sealing part of a sealed room, played by the test: what the chat asks of it is kept, and the test says what it tells.

import type { EngineOptions, SealedEngine } from "../../../client/sealed_engine/engine.ts";
import type { SealedPerson } from "../../../client/sealed_engine/people.ts";
import type {
  SealedRoomEvent,
  SealedRoomRequest,
  SealStatus,
} from "../../../client/sealed_engine/engine_protocol.ts";
import type { SealedEvent } from "../../../shared/messages/messages_v2.ts";

/** One engine without cryptography. */
export class FakeEngine implements SealedEngine {
  readonly options: EngineOptions;
  readonly handled: SealedRoomRequest[] = [];
  readonly received: SealedEvent[] = [];
  closed = false;
  caughtUp: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    this.options = options;
  }

  handle(request: SealedRoomRequest): void {
    this.handled.push(request);
  }

  receive(event: SealedEvent): void {
    this.received.push(event);
  }

  close(): void {
    this.closed = true;
  }

  /** Tells the chat something. */
  tell(event: SealedRoomEvent): void {
    this.options.tell(event);
  }

  /** We are in, with these others. */
  enter(...others: string[]): void {
    this.tell(statusOf({ people: [personOf(1, this.options.name), ...others.map(otherOf)] }));
  }
}

function otherOf(name: string, index: number): SealedPerson {
  return personOf(index + 2, name);
}

/** Somebody as the engine tells of them; number 1 is ourselves. */
export function personOf(client: number, name: string): SealedPerson {
  return {
    client,
    name,
    here: true,
    own: client === 1,
    verified: false,
    suspect: false,
    digits: "11111 22222 33333 44444 55555 66666",
    words: "apple banjo cloud",
  };
}

/** The room is well, unless told. */
export function statusOf(fields: Partial<SealStatus> = {}): SealStatus {
  return {
    kind: "status",
    phase: "in",
    name: "alice",
    epoch: 3,
    confirmed: true,
    people: [],
    maker: 0,
    ops: [],
    locked: false,
    stopped: false,
    code: "12345 67890 12345 67890 12345 67890",
    ...fields,
  };
}

/** What opens fake engines, and those that were opened. */
export function fakeEngines(): {
  readonly engines: FakeEngine[];
  readonly openEngine: (options: EngineOptions) => FakeEngine;
} {
  const engines: FakeEngine[] = [];
  return {
    engines,
    openEngine(options) {
      const engine = new FakeEngine(options);
      engines.push(engine);
      return engine;
    },
  };
}
