import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { makeRelay } from "../../helpers/peers/relay.ts";

Deno.test("a quiet room forgets what was said after twice the hold time, although nothing happens in it", async () => {
  const relay = await makeRelay(["--hold", "1", "--metrics-interval", "0"]);
  const ended = new AbortController();
  relay.run(ended.signal);
  try {
    const room = relay.rooms.open("den");
    const about = { client: relay.nextClientId(), name: "alice", time: 0, request: 1 };
    const said = performance.now();
    room.publish({ kind: "chat", ...about, text: "a secret", action: false, reply: 0 });
    assert.ok(relay.rooms.bytes > 0);
    while (relay.rooms.bytes > 0) {
      assert.ok(performance.now() - said < 20_000, "it is still kept");
      await delay(50);
    }
    assert.ok(performance.now() - said >= 2_000, "it was forgotten too early");
    assert.equal(relay.rooms.open("den"), room, "the room itself stays");
  } finally {
    ended.abort();
    await relay.stop();
  }
});
