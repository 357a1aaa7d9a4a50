// A member's live link, whichever wire it speaks: what is delivered leaves through an outbox.

import { type FramedBody, framedBytes, packBatches } from "../shared/record_batch.ts";
import type { SessionCipher } from "../shared/session_cipher.ts";
import type { WireV1 } from "../shared/wire_v1.ts";
import type { Broadcast } from "./broadcast.ts";
import type { Link } from "./listener.ts";
import { Outbox, type OutboxBudget } from "./outbox.ts";

/** What the owner of a port wants to know. */
export interface PortEvents {
  readonly onSlow: () => void;
  /** Told of each write: its bytes, and the ms from its first message to its end. */
  readonly onWritten: (bytes: number, ms: number) => void;
  readonly budget: OutboxBudget;
}

/** A live link of a member. `deliver` never waits and never throws. */
export interface Port {
  /** Whether it speaks v1. */
  readonly old: boolean;
  deliver(broadcast: Broadcast): void;
  /** Resolves when all that was delivered is written, or the port is closed. */
  drained(): Promise<void>;
  /** Closes the link and drops what waits; idempotent. */
  close(): void;
}

/** A port that seals each body in a v1 envelope. */
export function openPortV1(link: Link, wire: WireV1, events: PortEvents): Port {
  const outbox = openOutbox<Uint8Array>(link, events, {
    sizeOf: (body) => body.length,
    seal: (bodies) => wire.seal(bodies),
  });
  return portOver(link, outbox, {
    old: true,
    deliver(broadcast) {
      const body = broadcast.v1;
      if (body !== undefined) outbox.send(body);
    },
  });
}

/** A port that seals all that waits as few v2 records. */
export function openPortV2(link: Link, cipher: SessionCipher, events: PortEvents): Port {
  const outbox = openOutbox<FramedBody>(link, events, {
    sizeOf: framedBytes,
    seal: (bodies) => cipher.sealAll(packBatches(bodies)),
  });
  return portOver(link, outbox, {
    old: false,
    deliver: (broadcast) => outbox.send(broadcast.v2),
  });
}

function openOutbox<B>(
  link: Link,
  events: PortEvents,
  wire: {
    readonly sizeOf: (body: B) => number;
    readonly seal: (bodies: readonly B[]) => Uint8Array;
  },
): Outbox<B> {
  const { onSlow, onWritten, budget } = events;
  return new Outbox({
    ...{ ...wire, onWritten, budget },
    write: (bytes) => link.write(bytes),
    onOverflow() {
      onSlow();
      link.close();
    },
    onBroken: () => link.close(),
  });
}

function portOver<B>(
  link: Link,
  outbox: Outbox<B>,
  wire: Pick<Port, "old" | "deliver">,
): Port {
  return {
    ...wire,
    drained: () => outbox.drained(),
    close() {
      outbox.close();
      link.close();
    },
  };
}
