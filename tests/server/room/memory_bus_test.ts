import assert from "node:assert/strict";
import type { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import { MemoryBus } from "../../../server/room/memory_bus.ts";
import { type Audience, type PlacedEvent, whenPlaced } from "../../../server/room/bus.ts";
import { memoryAccount } from "../../helpers/peers/relay.ts";

const ABOUT = { room: 1, client: 2, name: "alice", time: 0 };
const CHAT = { kind: "chat", ...ABOUT, request: 1, text: "hi", action: false, reply: 0 } as const;

function open(memoryMs = 60_000) {
  const delivered: [EncodedEvent["event"], Audience][] = [];
  const channel = new MemoryBus().open({
    room: 1,
    title: "lobby",
    memoryMs,
    memory: memoryAccount(),
    onBreak: () => {},
    deliver: ({ event }, audience) => delivered.push([event, audience]),
  });
  return { channel, delivered };
}

Deno.test("events get places without gaps, chats their own sequence, in the order of the calls", () => {
  const { channel, delivered } = open();
  const events: PlacedEvent[] = [
    CHAT,
    { kind: "revised", ...ABOUT, request: 2, sequence: 1, text: null },
    { kind: "left", ...ABOUT },
    CHAT,
  ];
  assert.deepEqual(events.map((event) => channel.publish(event)), [1, 2, 3, 4]);
  assert.equal(channel.at, 4);
  assert.deepEqual(
    delivered.map(([event]) =>
      "at" in event ? [event.kind, event.at, "sequence" in event ? event.sequence : 0] : []
    ),
    [["chat", 1, 1], ["revised", 2, 1], ["left", 3, 0], ["chat", 4, 2]],
  );
});

Deno.test("what has no place passes without one, and is not remembered", () => {
  const { channel, delivered } = open();
  channel.publish(CHAT);
  channel.pass({ kind: "typing", room: 1, client: 2, name: "alice" }, { except: 2 });
  assert.deepEqual(delivered.at(-1)?.[1], { except: 2 });
  const { events, complete, after } = channel.missed(0);
  assert.deepEqual([events.map(({ event }) => event.kind), complete, after], [["chat"], true, 0]);
});

Deno.test("whenPlaced() runs at once where the place is known, and later where it is not", async () => {
  const told: string[] = [];
  whenPlaced(1, () => told.push("now"));
  const placed = Promise.withResolvers<number>();
  whenPlaced(placed.promise, () => told.push("later"));
  assert.deepEqual(told, ["now"]);
  placed.resolve(2);
  await placed.promise;
  await undefined;
  assert.deepEqual(told, ["now", "later"]);
});
