// A relay that says one thing without end to a member of a sealed room: what the member keeps of it is bounded, for every
// kind of message that there is.

import assert from "node:assert/strict";
import type * as z from "zod/mini";
import type { FromRelay } from "../../../client/sealed_engine/engine_protocol.ts";
import { SEALED_EVENTS } from "../../../shared/messages/messages_sealed.ts";
import { filled, isNothing, keptOfEach } from "../../helpers/hostile/endless.ts";
import { roomOf } from "../../helpers/peers/sealed_room_stories.ts";

/** What makes an event reach as far as it can. */
function reaching(kind: string, n: number, { seq, epoch }: { seq: number; epoch: number }) {
  switch (kind) {
    case "sealed_frame":
      // The next one, of our epoch: a member tries to read it.
      return { seq: seq + 1 + n, epoch, type: "app", ask: 0 };
    case "sealed_group_info_please":
    case "sealed_check_please":
      return { epoch };
    case "sealed_declined":
      return { ask: 0 };
    default:
      return {};
  }
}

Deno.test("any event of a relay, said without end, leaves nothing behind in a member but what is bounded", async () => {
  const growing: Record<string, number> = {};
  for (const [kind, row] of Object.entries(SEALED_EVENTS)) {
    const { relay, peers: [alice] } = await roomOf("alice", "bob");
    const { machine, events, outbox } = alice!;
    const standing = { seq: relay.seq, epoch: relay.epoch ?? 0 };
    const kept = await keptOfEach(async (n) => {
      const fields = filled(row as Readonly<Record<string, z.ZodMiniType>>, n);
      const event = { kind, ...fields, room: 1, ...reaching(kind, n, standing) };
      await machine.receive(event as unknown as FromRelay);
    }, async () => {
      events.length = outbox.length = 0;
      relay.now += 1_000;
      await machine.tick();
    });
    if (!isNothing(kept)) growing[kind] = kept;
  }
  assert.deepEqual(growing, {});
});
