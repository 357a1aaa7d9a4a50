// Who makes a room shares the work: ops, what they may do and not, and what is pinned.

import assert from "node:assert/strict";
import { OPS_MAX } from "../../../shared/base/limits.ts";
import type { Moderation } from "../../../shared/messages/messages_v2.ts";
import { decodeHandOver, encodeHandOver } from "../../../server/relay/hand_over_state.ts";
import { handOver, takeOver } from "../../../server/relay/succession.ts";
import { RoomView } from "../../../server/room/room_view.ts";
import { makeRelay, RecordingPort, seat, type Seated } from "../../helpers/peers/relay.ts";

async function scene() {
  const relay = await makeRelay(["--rate-limit", "off"]);
  const [ann, bob, eve] = [
    seat(relay, { name: "ann" }),
    seat(relay, { name: "bob" }),
    seat(relay, { name: "eve", address: "198.51.100.7" }),
  ];
  return { relay, ann, bob, eve, rules: relay.rooms.open("lobby").rules };
}

/** What was declined of it; undefined where it was done. */
function decide(by: Seated, what: Moderation, whom?: Seated, seconds = 0): string | undefined {
  by.take("declined");
  const about = { room: by.room(), whom: whom?.session.id ?? 0, seconds, text: "" };
  by.ask({ kind: "moderate", what, ...about });
  return by.take("declined")[0]?.why;
}

function say(by: Seated, text: string): number {
  by.ask({ kind: "chat", room: by.room(), text, action: false, reply: 0 });
  return by.take("chat").at(-1)?.sequence ?? 0;
}

function pin(by: Seated, sequence: number, authorName = "", text = ""): string | undefined {
  by.take("declined");
  by.ask({ kind: "pin", room: by.room(), sequence, authorName, text });
  return by.take("declined")[0]?.why;
}

Deno.test("the maker makes ops, all are told, and ops do what the maker does but make ops", async () => {
  const { relay, ann, bob, eve, rules } = await scene();
  assert.match(decide(bob, "op", bob) ?? "", /only the maker of the room and its ops/);
  assert.equal(decide(ann, "op", bob), undefined);
  const [told] = eve.take("moderated");
  assert.deepEqual([told?.what, told?.name, told?.whomName], ["op", "ann", "bob"]);
  assert.deepEqual(rules.ops, [bob.session.id]);
  for (const what of ["lock", "unlock", "slow"] as const) {
    assert.equal(decide(bob, what, undefined, 10), undefined, what);
  }
  assert.equal(decide(bob, "mute", eve), undefined);
  assert.equal(decide(bob, "unmute", eve), undefined);
  assert.match(decide(bob, "op", eve) ?? "", /only the maker/);
  assert.match(decide(bob, "kick", ann) ?? "", /only the maker to an op/);
  assert.match(decide(bob, "deop", ann) ?? "", /that member is not an op/);
  assert.equal(decide(bob, "ban", eve), undefined);
  assert.equal(eve.session.memberships.length, 0);
  bob.ask({ kind: "bans", room: bob.room() });
  const [bans] = bob.take("bans");
  assert.deepEqual(bans?.list, [[eve.session.id, "eve", 0, "bob"]]);
  assert.equal(decide(ann, "unban", eve), undefined);
  const dan = seat(relay, { name: "dan" });
  assert.equal(decide(ann, "op", dan), undefined);
  for (const what of ["kick", "ban", "mute", "deop"] as const) {
    assert.match(decide(bob, what, dan) ?? "", /only the maker/, what);
  }
  assert.equal(decide(ann, "mute", dan), undefined);
});

Deno.test("ops are those who moderate a slow room and need not wait; an op gives its rights back itself", async () => {
  const { ann, bob, rules } = await scene();
  decide(ann, "op", bob);
  decide(ann, "slow", undefined, 600);
  assert.ok(say(bob, "one") > 0 && say(bob, "two") > 0);
  assert.equal(decide(bob, "deop", bob), undefined);
  assert.deepEqual(rules.ops, []);
  assert.equal(say(bob, "three"), 0);
  assert.match(decide(ann, "deop", ann) ?? "", /that member is not an op/);
});

Deno.test("ops keep the room governed when its maker leaves; lock and pace end with the last of them", async () => {
  const { relay, ann, bob, eve, rules } = await scene();
  decide(ann, "op", bob);
  decide(ann, "lock");
  relay.expire(ann.session);
  assert.deepEqual([rules.maker, rules.locked], [0, true]);
  assert.equal(eve.take("notice").length, 0);
  assert.equal(decide(bob, "kick", eve), undefined);
  assert.match(decide(bob, "op", eve) ?? "", /no member|only the maker/);
  const dan = seat(relay, { name: "dan", rooms: ["den"] });
  assert.equal(dan.session.memberships.length, 1);
  relay.expire(bob.session);
  assert.equal(rules.locked, false);
});

Deno.test("who is left is told when nobody moderates the room any more", async () => {
  const { relay, ann, bob, eve } = await scene();
  decide(ann, "op", bob);
  decide(bob, "lock");
  relay.expire(ann.session);
  decide(bob, "deop", bob);
  assert.match(eve.take("notice")[0]?.text ?? "", /Nobody moderates this room any more/);
});

Deno.test("ops are clients and not names, are bounded, and old clients cannot be ops", async () => {
  const { relay, ann, bob, rules } = await scene();
  decide(ann, "op", bob);
  assert.match(decide(ann, "op", bob) ?? "", /that member moderates the room already/);
  relay.expire(bob.session);
  assert.deepEqual(rules.ops, []);
  const other = seat(relay, { name: "bob" });
  assert.match(decide(other, "lock") ?? "", /only the maker of the room and its ops/);
  const old = seat(relay, { name: "old", old: true });
  assert.match(decide(ann, "op", old) ?? "", /an old client/);
  for (let n = 0; n < OPS_MAX; n++) decide(ann, "op", seat(relay, { name: `op ${n}` }));
  assert.match(decide(ann, "op", other) ?? "", /it has 32 ops, the maximum/);
});

Deno.test("what is pinned is what was said, told to who comes, edited and taken back with it", async () => {
  const { relay, ann, bob, eve } = await scene();
  const sequence = say(bob, "soup at eight");
  assert.match(
    pin(bob, sequence, "bob", "soup at eight") ?? "",
    /only the maker of the room and its ops/,
  );
  assert.match(pin(ann, sequence, "bob", "soup at nine") ?? "", /it says something else now/);
  assert.match(pin(ann, sequence, "eve", "soup at eight") ?? "", /it says something else now/);
  assert.match(pin(ann, 99, "bob", "soup") ?? "", /older than the server remembers/);
  assert.match(pin(ann, 0) ?? "", /nothing is pinned/);
  assert.equal(pin(ann, sequence, "bob", "soup at eight"), undefined);
  const said = { sequence, author: bob.session.id, authorName: "bob", text: "soup at eight" };
  const [told] = eve.take("pinned");
  assert.deepEqual({ ...said, ...told }, { ...told, ...said });
  const rulesFor = (name: string) => {
    const { sequence, text } = seat(relay, { name }).take("rules")[0] ?? {};
    return [sequence, text];
  };
  assert.deepEqual(rulesFor("dan"), [sequence, "soup at eight"]);
  bob.ask({ kind: "revise", room: bob.room(), sequence, text: "soup at nine" });
  assert.deepEqual(rulesFor("fay"), [sequence, "soup at nine"]);
  assert.equal(pin(ann, sequence, "bob", "soup at nine"), undefined);
  bob.ask({ kind: "revise", room: bob.room(), sequence, text: null });
  assert.deepEqual(rulesFor("gil"), [0, ""]);
  const long = "x".repeat(4_000);
  assert.equal(pin(ann, say(ann, long), "ann", long), undefined);
  assert.match(String(rulesFor("hal")[1]), /^x{1000,1021}…$/);
  assert.equal(pin(ann, 0), undefined);
  assert.deepEqual(rulesFor("ida"), [0, ""]);
});

Deno.test("the next process knows ops, bans and pin, and that an op's session is the same", async () => {
  const { relay, ann, bob, eve } = await scene();
  const sequence = say(bob, "soup");
  decide(ann, "op", bob);
  decide(ann, "ban", eve);
  pin(ann, sequence, "bob", "soup");
  const bytes = encodeHandOver({ identity: "", relay: await handOver(relay) });
  const next = await makeRelay([]);
  takeOver(next, decodeHandOver(bytes).relay);
  const room = next.rooms.open("lobby");
  assert.deepEqual(room.rules.snapshot, {
    ...room.rules.snapshot,
    ops: [bob.session.id],
    pin: { sequence, author: bob.session.id, authorName: "bob", text: "soup" },
  });
  assert.deepEqual(room.rules.bans(Date.now()).map(({ name, by }) => [name, by]), [["eve", "ann"]]);
  assert.equal(room.authors.says({ sequence, name: "bob", text: "soup" }), true);
  const again = next.session(bob.session.id);
  again?.takeConnection(new RecordingPort());
  assert.equal(room.rules.moderates(bob.session.id), true);
});

Deno.test("of what two servers decide at once, who has lost the right to it decides nothing, and who has left is made no op", () => {
  const view = new RoomView();
  const about = { room: 1, time: 1, name: "x" };
  const decided = (client: number, what: Moderation, whom: number, request: number) => ({
    kind: "moderated" as const,
    ...about,
    client,
    request,
    what,
    whom,
    whomName: "y",
    seconds: 0,
    text: "",
  });
  for (const client of [1, 2, 3]) view.apply({ kind: "joined", ...about, client, old: false });
  view.apply(decided(1, "op", 2, 1));
  assert.notEqual(view.settle(decided(2, "kick", 3, 1)), undefined);
  view.apply(decided(1, "deop", 2, 2));
  assert.equal(view.settle(decided(2, "kick", 3, 1)), undefined);
  const pinned = { kind: "pinned" as const, ...about, client: 2, request: 2 };
  assert.equal(
    view.settle({ ...pinned, sequence: 1, author: 3, authorName: "y", text: "" }),
    undefined,
  );
  assert.notEqual(view.settle(decided(1, "op", 3, 3)), undefined);
  view.apply({ kind: "left", ...about, client: 3 });
  assert.equal(view.settle(decided(1, "op", 3, 3)), undefined);
});
