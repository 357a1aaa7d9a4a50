import assert from "node:assert/strict";
import { FrameSource } from "../../../server/connection/frame_source.ts";
import { readSession } from "../../../server/connection/session_reader.ts";
import type { EncodedBurst } from "../../../server/delivery/burst.ts";
import type { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import { encodeFrame } from "../../../shared/channel/frame.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { FakeLink, makeRelay, RecordingPort, seat } from "../../helpers/peers/relay.ts";

Deno.test("the chats of one read are delivered together, and before it waits for anything", async () => {
  const relay = await makeRelay(["--rate-limit", "off"]);
  const alice = seat(relay);
  const { session } = alice;
  const deliveries: number[] = [];
  class CountingPort extends RecordingPort {
    override deliver(broadcast: EncodedEvent | EncodedBurst): boolean {
      deliveries.push(broadcast.count);
      return true;
    }
  }
  session.takeConnection(new CountingPort());
  const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);
  let beforeWait = 0;
  const pushesTo = {
    isBehind() {
      beforeWait = sum(deliveries);
      return false;
    },
    waited() {},
  };
  const frames = Array.from({ length: 40 }, (_, n) => encodeFrame(new Uint8Array([n])));
  const connection = new FakeLink([concatBytes(frames)]);
  await new Promise<void>((end, fail) =>
    readSession({
      relay,
      connection,
      source: new FrameSource(connection, relay.counters),
      login: {
        session,
        resumed: false,
        *receive([n]) {
          alice.ask({ kind: "chat", room: alice.room(), text: `${n}`, action: false, reply: 0 });
          if (n === 19) session.pushesTo = pushesTo;
          yield;
          return false;
        },
        end() {},
      },
      ending: { end, fail },
    })
  );
  assert.deepEqual([beforeWait, sum(deliveries)], [20, 40]);
  // Two, and a few more where the thread's turn ended in between.
  assert.ok(deliveries.length < 20, `${deliveries.length} deliveries`);
});
