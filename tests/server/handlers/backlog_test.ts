// The last lines of a room for newcomers.

import assert from "node:assert/strict";
import { BACKLOG_MAX_BYTES } from "../../../server/config/limits.ts";
import { toV1 } from "../../../server/delivery/v1_translation.ts";
import { FairBudget } from "../../../server/limits/fair_budget.ts";
import { decodeHandOver, encodeHandOver } from "../../../server/relay/hand_over_state.ts";
import type { Relay } from "../../../server/relay/relay.ts";
import { handOver, takeOver } from "../../../server/relay/succession.ts";
import { Backlog } from "../../../server/room/backlog.ts";
import { makeRelay, seat, type Seated } from "../../helpers/peers/relay.ts";

async function scene(...args: string[]) {
  const relay = await makeRelay(["--rate-limit", "off", ...args]);
  return { relay, ann: seat(relay, { name: "ann" }), bob: seat(relay, { name: "bob" }) };
}

function say(by: Seated, text: string): number {
  by.ask({ kind: "chat", room: by.room(), text, action: false, reply: 0 });
  return by.take("chat").at(-1)?.sequence ?? 0;
}

function keep(by: Seated, lines: number): string | undefined {
  by.take("declined");
  by.ask({ kind: "backlog", room: by.room(), lines });
  return by.take("declined")[0]?.why;
}

let guests = 0;

/** What somebody who comes in is told of what was said before. */
function earlier(relay: Relay): string[] {
  const guest = seat(relay, { name: `guest ${++guests}` });
  const texts = guest.take("earlier").flatMap(({ list }) =>
    list.map(([, , name, , text]) => `${name}: ${text}`)
  );
  relay.expire(guest.session);
  return texts;
}

Deno.test("only what was said after it was switched on is kept, as it says now, and forgotten when it is off or the room ends", async () => {
  const { relay, ann, bob } = await scene();
  say(ann, "before");
  assert.deepEqual(earlier(relay), []);
  assert.match(keep(bob, 20) ?? "", /only the maker/);
  assert.equal(keep(ann, 2), undefined);
  assert.deepEqual(bob.take("backlog").map(({ name, lines }) => [name, lines]), [["ann", 2]]);
  assert.equal(seat(relay, { name: "carol" }).take("rules")[0]?.backlog, 2);
  const one = say(bob, "one");
  const two = say(bob, "two");
  bob.ask({ kind: "direct", to: ann.session.id, text: "psst" });
  bob.ask({ kind: "status", text: "lunch" });
  assert.deepEqual(earlier(relay), ["bob: one", "bob: two"]);
  bob.ask({ kind: "revise", room: bob.room(), sequence: two, text: "zwei" });
  assert.deepEqual(earlier(relay), ["bob: one", "bob: zwei"]);
  say(ann, "three");
  assert.deepEqual(earlier(relay), ["bob: zwei", "ann: three"]);
  bob.ask({ kind: "revise", room: bob.room(), sequence: two, text: null });
  bob.ask({ kind: "revise", room: bob.room(), sequence: one, text: null });
  assert.deepEqual(earlier(relay), ["ann: three"]);
  keep(ann, 0);
  assert.deepEqual(earlier(relay), []);
  keep(ann, 5);
  assert.deepEqual(earlier(relay), [], "what was forgotten does not come back");
});

Deno.test("a room of the operator's begins with it, and a new one of its name knows nothing of the one before", async () => {
  const { relay, ann, bob } = await scene("--backlog", "10");
  say(ann, "hello");
  assert.deepEqual(earlier(relay), ["ann: hello"]);
  assert.equal(bob.take("earlier").length, 0, "who was there got it as it was said");
  keep(ann, 3);
  for (const { session } of [ann, bob]) relay.expire(session);
  const next = seat(relay, { name: "dan" });
  assert.equal(next.take("earlier").length, 0);
  assert.equal(next.take("rules")[0]?.backlog, 10);
});

Deno.test("the next process keeps the same lines", async () => {
  const { relay, ann } = await scene();
  keep(ann, 20);
  say(ann, "hello");
  const bytes = encodeHandOver({ identity: "", relay: await handOver(relay) });
  const next = await makeRelay([]);
  takeOver(next, decodeHandOver(bytes).relay);
  assert.deepEqual(earlier(next), ["ann: hello"]);
});

Deno.test("old clients are told that it is on, and get no lines that they would take for new", async () => {
  const { relay, ann } = await scene();
  keep(ann, 20);
  say(ann, "hello");
  const old = seat(relay, { name: "old", old: true });
  const lines = old.port.events.flatMap((event) => toV1(event, "lobby") ?? []);
  assert.ok(lines.some((line) => "message" in line && /last 20 lines/.test(line.message)));
  assert.ok(lines.every(({ type }) => type !== "chat"));
});

Deno.test("a backlog is bounded in bytes, and of all rooms together the heaviest source pays", () => {
  const budget = new FairBudget({ most: 40_000, reserve: 1_000 });
  const [heavy, light] = ["a", "b"].map((source) => new Backlog(0, { budget, source }));
  const chat = (n: number, bytes: number) =>
    [n, 1, "ann", 0, "x".repeat(bytes), false, 0] as [
      number,
      number,
      string,
      number,
      string,
      boolean,
      number,
    ];
  heavy!.keep(100);
  for (let n = 1; n <= 100; n++) heavy!.add(chat(n, 4_000));
  assert.ok(heavy!.all.length > 4 && heavy!.all.length * 4_000 <= BACKLOG_MAX_BYTES);
  light!.keep(100);
  for (let n = 1; n <= 10; n++) light!.add(chat(n, 1_000));
  assert.equal(light!.all.length, 10);
  assert.ok(heavy!.all.length < 8);
  assert.equal(heavy!.all.at(-1)?.[0], 100, "the oldest go");
  heavy!.close();
  light!.close();
  assert.equal(budget.used, 0);
  light!.keep(5);
  light!.add(chat(1, 1_000));
  assert.equal(budget.used, 0);
});
