import assert from "node:assert/strict";
import {
  BURST_MAX_BYTES,
  collectBursts,
  EncodedBurst,
  endBursts,
} from "../../../server/delivery/burst.ts";
import { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import type { Event } from "../../../shared/messages/messages_v2.ts";
import { makeRelay, RecordingPort, seat, type Seated } from "../../helpers/peers/relay.ts";

/** A link that counts its deliveries. */
class CountingPort extends RecordingPort {
  /** Events of each delivery. */
  readonly deliveries: number[] = [];

  override deliver(broadcast: EncodedEvent | EncodedBurst): boolean {
    this.deliveries.push(broadcast.count);
    return super.deliver(broadcast);
  }
}

function count({ session }: Seated): CountingPort {
  const port = new CountingPort();
  session.takeConnection(port);
  return port;
}

function say(seated: Seated, text: string, title?: string): void {
  seated.ask({ kind: "chat", room: seated.room(title), text, action: false, reply: 0 });
}

/** Does what one read brings in. */
function inOneRead(work: () => void): void {
  collectBursts();
  try {
    work();
  } finally {
    endBursts();
  }
}

const wordsOf = (events: readonly Event[]) =>
  events.map((event) => event.kind === "chat" ? event.text : event.kind);

Deno.test("chats of one read reach each member in one delivery, in their order, and are counted", async () => {
  const relay = await makeRelay(["--rate-limit", "off"]);
  const [alice, bob] = [seat(relay), seat(relay, { name: "bob", rooms: ["lobby", "attic"] })];
  seat(relay, { name: "carol", rooms: ["attic"] });
  const ports = [count(alice), count(bob)];
  const before = [relay.counters.messagesOut, bob.session.sent];
  inOneRead(() => ["1", "2", "3"].forEach((text) => say(alice, text)));
  for (const port of ports) {
    assert.deepEqual(port.deliveries, [3]);
    assert.deepEqual(wordsOf(port.events), ["1", "2", "3"]);
  }
  assert.deepEqual([relay.counters.messagesOut, bob.session.sent], [
    (before[0] as number) + 6,
    (before[1] as number) + 3,
  ]);
});

Deno.test("a chat alone, and chats outside of a read, are delivered as they come", async () => {
  const relay = await makeRelay(["--rate-limit", "off"]);
  const alice = seat(relay);
  const port = count(alice);
  inOneRead(() => say(alice, "1"));
  say(alice, "2");
  say(alice, "3");
  assert.deepEqual(port.deliveries, [1, 1, 1]);
});

Deno.test("whatever else a member is told in between stands between the same chats", async () => {
  const relay = await makeRelay(["--rate-limit", "off"]);
  const [alice, bob] = [
    seat(relay, { rooms: ["lobby", "attic"] }),
    seat(relay, { name: "bob", rooms: ["lobby", "attic"] }),
  ];
  const [port, other] = [count(alice), count(bob)];
  inOneRead(() => {
    say(alice, "1");
    say(alice, "2");
    alice.ask({ kind: "ping" });
    say(alice, "3");
    say(alice, "4", "attic");
    say(alice, "5", "attic");
    alice.ask({ kind: "topic", room: alice.room(), text: "t" });
    say(alice, "6");
  });
  assert.deepEqual(wordsOf(port.events), ["1", "2", "pong", "3", "4", "5", "topic", "done", "6"]);
  assert.deepEqual(wordsOf(other.events), ["1", "2", "3", "4", "5", "topic", "6"]);
});

Deno.test("whoever comes in between the chats of one read hears the later ones alone, whoever leaves the earlier ones", async () => {
  const relay = await makeRelay(["--rate-limit", "off"]);
  const [alice, bob] = [seat(relay), seat(relay, { name: "bob" })];
  const left = count(bob);
  const carol = seat(relay, { name: "carol", rooms: [] });
  const came = count(carol);
  inOneRead(() => {
    say(alice, "1");
    say(alice, "2");
    carol.ask({ kind: "join", title: "lobby" });
    bob.ask({ kind: "leave", room: bob.room() });
    say(alice, "3");
    say(alice, "4");
  });
  const chats = (port: RecordingPort) => wordsOf(port.events).filter((word) => /^\d$/.test(word));
  assert.deepEqual(chats(left), ["1", "2"]);
  assert.deepEqual(chats(came), ["3", "4"]);
});

Deno.test("chats of one read into two rooms reach who is in both in the order in which they were said", async () => {
  const relay = await makeRelay(["--rate-limit", "off"]);
  const alice = seat(relay, { rooms: ["lobby", "attic"] });
  const bob = count(seat(relay, { name: "bob", rooms: ["lobby", "attic"] }));
  const titles = ["lobby", "lobby", "attic", "lobby", "attic", "attic"];
  inOneRead(() => titles.forEach((title, n) => say(alice, `${n}`, title)));
  assert.deepEqual(wordsOf(bob.events), ["0", "1", "2", "3", "4", "5"]);
  assert.deepEqual(bob.deliveries, [2, 1, 1, 2]);
});

Deno.test("whoever moves to another server has its chats of the same read before", async () => {
  const relay = await makeRelay(["--rate-limit", "off"]);
  const alice = seat(relay);
  const port = count(alice);
  inOneRead(() => {
    say(alice, "1");
    say(alice, "2");
    alice.session.depart();
  });
  assert.deepEqual(wordsOf(port.events), ["1", "2"]);
});

Deno.test("a burst is never larger than its bound, and a long chat stands alone", async () => {
  const relay = await makeRelay(["--rate-limit", "off", "--max-message", "7168"]);
  const alice = seat(relay);
  const sizes: number[] = [];
  class SizePort extends CountingPort {
    override deliver(broadcast: EncodedEvent | EncodedBurst): boolean {
      sizes.push(broadcast.v2.bytes);
      return super.deliver(broadcast);
    }
  }
  const port = new SizePort();
  alice.session.takeConnection(port);
  const texts = Array.from(
    { length: 200 },
    (_, n) => `${n} `.padEnd(n % 50 === 0 ? 7_000 : 300, "x"),
  );
  inOneRead(() => texts.forEach((text) => say(alice, text)));
  assert.deepEqual(wordsOf(port.events), texts);
  assert.ok(Math.max(...sizes) <= BURST_MAX_BYTES, `${Math.max(...sizes)} bytes`);
  assert.ok(port.deliveries.length < 20, `${port.deliveries.length} deliveries`);
});
