import assert from "node:assert/strict";
import { FrameSource } from "../../../server/connection/frame_source.ts";
import { readSession } from "../../../server/connection/session_reader.ts";
import { TURN_MS } from "../../../server/config/limits.ts";
import type { EncodedBurst } from "../../../server/delivery/burst.ts";
import type { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import { flushSoon, noteFilled } from "../../../server/delivery/flush_turn.ts";
import { ThreadTurns } from "../../../server/limits/thread_turns.ts";
import type { Relay } from "../../../server/relay/relay.ts";
import type { Session } from "../../../server/session/session.ts";
import { encodeFrame } from "../../../shared/channel/frame.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { FakeLink, makeRelay, RecordingPort, seat } from "../../helpers/peers/relay.ts";

/** What one read of a client brings in. */
interface Read {
  /** The client and its room, where nobody else is. */
  readonly name: string;
  /** How often it says something. */
  readonly count: number;
  /** All in one frame, and not each in its own. */
  readonly inOneFrame?: boolean;
  readonly kind?: "chat" | "ping";
  readonly text?: string;
  /** How many such reads come one after another. */
  readonly reads?: number;
  /** Called after each. */
  readonly onSaid?: (n: number, session: Session) => void;
}

/** Clients that are read one after another. */
class Reads {
  readonly #relay: Relay;
  #now = 0;
  readonly #turns = new ThreadTurns(() => this.#now);
  readonly #ends: Promise<void>[] = [];
  /** Deliveries in their order: whose room, and how many events. */
  readonly deliveries: string[] = [];

  private constructor(relay: Relay) {
    this.#relay = relay;
  }

  static async make(): Promise<Reads> {
    return new Reads(await makeRelay(["--rate-limit", "off"]));
  }

  /** Others work for so many ms. */
  work(ms: number): void {
    this.#turns.begin();
    this.#now += ms;
  }

  begin(
    { name, count, inOneFrame = false, kind = "chat", text = "x", reads = 1, onSaid }: Read,
  ): void {
    const relay = this.#relay;
    const { deliveries } = this;
    const seated = seat(relay, { name, rooms: [name] });
    const { session } = seated;
    class NotingPort extends RecordingPort {
      override deliver(broadcast: EncodedEvent | EncodedBurst): boolean {
        deliveries.push(`${name}${broadcast.count}`);
        return true;
      }
    }
    session.takeConnection(new NotingPort());
    const [inFrame, frameCount] = inOneFrame ? [count, 1] : [1, count];
    const frames = Array.from({ length: frameCount }, () => encodeFrame(new Uint8Array(1)));
    const connection = new FakeLink(Array.from({ length: reads }, () => concatBytes(frames)));
    const source = new FrameSource(connection, relay.counters);
    let said = 0;
    const login = {
      session,
      resumed: false,
      *receive() {
        for (let n = 0; n < inFrame; n++) {
          if (n > 0) yield;
          if (kind === "ping") seated.ask({ kind });
          else seated.ask({ kind, room: seated.room(name), text, action: false, reply: 0 });
          onSaid?.(said++, session);
        }
        return false;
      },
      end() {},
    };
    const { promise, resolve: end, reject: fail } = Promise.withResolvers<void>();
    this.#ends.push(promise);
    readSession({ relay, connection, source, login, turns: this.#turns, ending: { end, fail } });
  }

  /** All deliveries, once everything was read. */
  async done(): Promise<readonly string[]> {
    await Promise.all(this.#ends);
    return this.deliveries;
  }
}

Deno.test("the chats of one read are delivered together, and before it waits for anything", async () => {
  const reads = await Reads.make();
  let beforeWait: readonly string[] = [];
  const pushesTo = {
    isBehind() {
      beforeWait = [...reads.deliveries];
      return false;
    },
    waited() {},
  };
  reads.begin({
    name: "a",
    count: 40,
    onSaid(n, session) {
      if (n === 19) session.pushesTo = pushesTo;
    },
  });
  assert.deepEqual(await reads.done(), ["a20", "a20"]);
  assert.deepEqual(beforeWait, ["a20"]);
});

Deno.test("where others have used up the turn, the chats of one read stay together, and a single line goes first", async () => {
  const reads = await Reads.make();
  reads.work(TURN_MS + 1);
  for (const name of ["a", "b", "c"]) reads.begin({ name, count: 20 });
  reads.begin({ name: "quiet", count: 1 });
  assert.deepEqual(await reads.done(), ["quiet1", "a20", "b20", "c20"]);
});

Deno.test("a turn that ends among the chats of a read leaves the rest of them together", async () => {
  const reads = await Reads.make();
  const onSaid = (n: number) => n === 2 && reads.work(TURN_MS + 1);
  for (const name of ["a", "b"]) reads.begin({ name, count: 20, onSaid });
  assert.deepEqual(await reads.done(), ["a3", "a17", "b3", "b17"]);
});

Deno.test("a read that came in a turn that was over gets no more of it than its first message", async () => {
  const reads = await Reads.make();
  reads.work(TURN_MS + 1);
  reads.begin({ name: "batch", count: 20, inOneFrame: true });
  reads.begin({ name: "quiet", count: 1 });
  assert.deepEqual(await reads.done(), ["batch1", "quiet1", "batch19"]);
});

Deno.test("a turn that is over ends at once, and those who have more to do take turns", async () => {
  const reads = await Reads.make();
  const onSaid = () => reads.work(TURN_MS + 1);
  for (const name of ["a", "b"]) reads.begin({ name, count: 4, kind: "ping", onSaid });
  // Before b was looked at, a had asked for more.
  const expected = ["a1", "a1", "b1", "a1", "b1", "a1", "b1", "b1"];
  assert.deepEqual(await reads.done(), expected);
});

Deno.test("beside much to write for others, who says a line to few is read on, and who filled an outbox waits for all", async () => {
  const reads = await Reads.make();
  const written = () => void reads.deliveries.push("all written");
  for (let n = 0; n < 3; n++) {
    const seal = () => {
      // A turn of its own for each.
      for (const until = performance.now() + TURN_MS + 1; performance.now() < until;);
      return 1;
    };
    flushSoon({ isHeavy: true, seal, write: n === 2 ? written : () => {} });
  }
  reads.begin({ name: "quiet", count: 1, reads: 2 });
  reads.begin({ name: "loud", count: 1, reads: 2, onSaid: noteFilled });
  assert.deepEqual(await reads.done(), ["quiet1", "loud1", "quiet1", "all written", "loud1"]);
});
