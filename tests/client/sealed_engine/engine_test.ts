// Sealed rooms in workers, over the small relay of the tests.

import assert from "node:assert/strict";
import { SEALED_WAITING_MAX_BYTES } from "../../../client/base/limits.ts";
import { openSealedEngine, type SealedEngine } from "../../../client/sealed_engine/engine.ts";
import type { SealedRoomEvent, SealStatus } from "../../../client/sealed_engine/engine_protocol.ts";
import { SEALED_BODY_MAX_BYTES } from "../../../shared/base/limits.ts";
import { TestRelay } from "../../helpers/peers/sealed_relay.ts";

interface Talker extends Disposable {
  readonly engine: SealedEngine;
  readonly events: SealedRoomEvent[];
  /** Resolves when an event like that has come. */
  until(matches: (event: SealedRoomEvent) => boolean): Promise<SealedRoomEvent>;
}

/** A worker on the relay: its requests and events pass through a peer of the relay. */
function talker(relay: TestRelay, name: string): Talker {
  const peer = relay.peer(name);
  const events: SealedRoomEvent[] = [];
  const waiting = new Set<() => void>();
  peer.isOnline = true;
  const engine = openSealedEngine({
    secret: new Uint8Array(32).fill(7),
    name,
    send(request) {
      relay.take(peer, request);
      pump(relay);
    },
    tell(event) {
      events.push(event);
      for (const look of waiting) look();
    },
    fail: (error) => {
      throw error;
    },
  });
  engines.set(peer, engine);
  engine.handle({ kind: "online", challenge: new Uint8Array(32) });
  return {
    engine,
    events,
    until: (matches) =>
      new Promise((resolve) => {
        const look = () => {
          const found = events.find(matches);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    [Symbol.dispose]: () => engine.close(),
  };
}

const engines = new Map<unknown, SealedEngine>();

function pump(relay: TestRelay): void {
  for (const peer of relay.peers) {
    for (const event of peer.inbox.splice(0)) engines.get(peer)?.receive(event);
  }
}

const isIn = (people: number) => (event: SealedRoomEvent) =>
  event.kind === "status" && event.phase === "in" && event.people.length === people;

Deno.test("two rooms in workers make one: they talk, and have one code", async () => {
  const relay = new TestRelay();
  using alice = talker(relay, "alice");
  await alice.until(isIn(1));
  using bob = talker(relay, "bob");
  const [a, b] = await Promise.all([alice.until(isIn(2)), bob.until(isIn(2))]);
  assert.equal((a as SealStatus).code, (b as SealStatus).code);
  alice.engine.handle({ kind: "say", request: 1, text: "hello" });
  const heard = await bob.until(({ kind }) => kind === "text");
  assert.ok(heard.kind === "text");
  assert.deepEqual([heard.name, heard.text, heard.request], ["alice", "hello", 0]);
  const own = await alice.until(({ kind }) => kind === "text");
  assert.equal(own.kind === "text" && own.request, 1);
});

Deno.test("a secret of another size fails, and says so", async () => {
  const failed = Promise.withResolvers<Error>();
  const engine = openSealedEngine({
    secret: new Uint8Array(31),
    name: "alice",
    send: () => {},
    tell: () => {},
    fail: failed.resolve,
  });
  assert.match((await failed.promise).message, /has stopped: .*31 bytes/);
  engine.handle({ kind: "leave" });
  engine.close();
});

Deno.test("what a relay says faster than it can be worked off holds up its reading, until it is", async () => {
  const relay = new TestRelay();
  using alice = talker(relay, "alice");
  await alice.until(isIn(1));
  const { engine } = alice;
  assert.equal(engine.caughtUp, undefined);
  const body = new Uint8Array(SEALED_BODY_MAX_BYTES);
  const about = { room: 1, seq: 99, type: "app", epoch: 1, ask: 0, time: 0, body } as const;
  const from = new Uint8Array(16).fill(9);
  let said = 0;
  for (; engine.caughtUp === undefined && said < 1_000; said++) {
    engine.receive({ kind: "sealed_frame", ...about, from, roster: new Uint8Array() });
  }
  assert.ok(said * SEALED_BODY_MAX_BYTES < 2 * SEALED_WAITING_MAX_BYTES, `${said} of them`);
  await engine.caughtUp;
  assert.equal(engine.caughtUp, undefined);
});
