import assert from "node:assert/strict";
import { type OpenRoom, Recorder, roomOf, textOf } from "../../helpers/peers/sealed_room.ts";

Deno.test("a member is asked for the GroupInfo, and who joins gets it", () => {
  const { room, members: [alice] } = roomOf(1);
  const bob = Recorder.attach(room, 2);
  bob.join();
  assert.equal(alice.last("sealed_group_info_please")?.epoch, 0);
  alice.give("the tree");
  const info = bob.last("sealed_group_info");
  assert.deepEqual([info?.ask, info?.epoch], [2, 0]);
  assert.equal(textOf(info?.body ?? new Uint8Array()), "the tree");
  assert.notEqual(alice.last("sealed_done"), undefined);
});

Deno.test("two seconds after a member was asked another one is, and the join is declined where none answers", () => {
  const { room, clock, members: [alice, bob] } = roomOf(2);
  const carol = Recorder.attach(room, 3);
  carol.join();
  // Bob made the epoch: he is asked first.
  assert.equal(alice.last("sealed_group_info_please"), undefined);
  clock.turn(2_000);
  assert.notEqual(alice.last("sealed_group_info_please"), undefined);
  clock.turn(2_000);
  assert.match(carol.last("sealed_declined")?.why ?? "", /nobody in the room could let you in/);
  bob.give("too late");
  assert.equal(carol.last("sealed_group_info"), undefined);
  assert.notEqual(bob.last("sealed_conflict"), undefined);
});

Deno.test("a member that answers after others were asked as well is in time", () => {
  const { room, clock, members: [, bob] } = roomOf(2);
  const carol = Recorder.attach(room, 3);
  carol.join();
  clock.turn(3_000);
  bob.give("slowly");
  assert.equal(textOf(carol.last("sealed_group_info")?.body ?? new Uint8Array()), "slowly");
});

/** Lets a newcomer try for a minute in a room where only these answer, and gives the seconds until it was in. */
function secondsToEnter(
  { room, clock }: OpenRoom,
  joiner: Recorder,
  { givers, judges }: {
    readonly givers: readonly Recorder[];
    readonly judges: readonly Recorder[];
  },
): number {
  const epoch = room.state?.order.epoch ?? 0;
  joiner.join();
  for (let seconds = 0; seconds < 60; seconds++, clock.turn(1_000)) {
    for (const one of givers) if (one.hasNew("sealed_group_info_please")) one.give();
    if (joiner.hasNew("sealed_group_info")) joiner.commit(epoch, `${seconds}`);
    for (const one of judges) if (one.hasNew("sealed_check_please")) one.check(true);
    if (joiner.last("sealed_frame") !== undefined) return seconds;
  }
  return Infinity;
}

Deno.test("39 members that answer nothing delay a newcomer by 24 seconds, and later ones hardly", () => {
  const open = roomOf(40);
  // Who came in last is asked first, then the others in the order of their coming.
  const honest = (open.members as Recorder[]).slice(38, 39);
  const answer = { givers: honest, judges: honest };
  const newcomers = [101, 102, 103].map((n) => Recorder.attach(open.room, n));
  const took = newcomers.map((one) => secondsToEnter(open, one, answer));
  assert.ok(took.every((seconds) => seconds <= 24) && (took[2] as number) <= 6, took.join());
});

Deno.test("members that give the GroupInfo and judge nothing keep nobody out either", () => {
  const open = roomOf(40);
  const all: Recorder[] = [...open.members];
  const newcomers = [101, 102, 103].map((n) => Recorder.attach(open.room, n));
  const [first, second, third] = newcomers as [Recorder, Recorder, Recorder];
  secondsToEnter(open, first, { givers: all, judges: all });
  // Whoever was asked last is the last to be asked again.
  const answer = { givers: [...all, ...newcomers], judges: [first.asked as Recorder] };
  const seconds = secondsToEnter(open, second, answer);
  assert.ok(seconds > 6 && seconds <= 12, `${seconds} s`);
  assert.ok(secondsToEnter(open, third, answer) <= 8);
});

Deno.test("three members that call everything unsound are not asked again before the others", () => {
  const { room, members } = roomOf(7);
  const liars = new Set<Recorder>();
  const joiner = Recorder.attach(room, 101);
  const tryIt = () => {
    joiner.join();
    for (const one of members) if (one.hasNew("sealed_group_info_please")) one.give();
    joiner.commit(6, "comes in");
  };
  tryIt();
  for (let judge = joiner.asked; liars.size < 3 && judge !== undefined; judge = joiner.asked) {
    judge.check(false);
    liars.add(judge);
  }
  assert.deepEqual([joiner.drops, joiner.all("sealed_conflict").length], [[], 1]);
  tryIt();
  assert.equal(liars.has(joiner.asked as Recorder), false);
  joiner.asked?.check(true);
  assert.notEqual(joiner.last("sealed_frame"), undefined);
});

Deno.test("who becomes a member is told which members have a connection, itself included", () => {
  const { room, members: [alice, bob, carol] } = roomOf(3);
  room.loseConnection(bob.seat);
  const dave = Recorder.attach(room, 4);
  dave.enter(2, carol);
  const here = dave.last("sealed_here")?.handles.map(([first]) => first).sort();
  assert.deepEqual(here, [1, 3, 4]);
  assert.equal(alice.last("sealed_here"), undefined);
});

Deno.test("a guest whose commit is judged when the epoch changes is told so at once", () => {
  const { room, members: [alice, bob] } = roomOf(2);
  const carol = Recorder.attach(room, 3);
  carol.join();
  bob.give();
  carol.commit(1, "comes in");
  bob.commit(1, "rotation");
  assert.equal(carol.last("sealed_conflict")?.epoch, 2);
  alice.check(true);
  assert.equal(carol.last("sealed_frame"), undefined);
});

Deno.test("those who join have turns of three seconds, one after another", () => {
  const { room, clock, members: [alice] } = roomOf(1);
  const [bob, carol, dave] = [2, 3, 4].map((n) => Recorder.attach(room, n)) as [
    Recorder,
    Recorder,
    Recorder,
  ];
  for (const joiner of [bob, carol, dave]) joiner.join();
  alice.give();
  assert.notEqual(bob.last("sealed_group_info"), undefined);
  assert.equal(carol.last("sealed_group_info"), undefined);
  clock.turn(2_999);
  assert.equal(carol.last("sealed_group_info"), undefined);
  clock.turn(1);
  assert.notEqual(carol.last("sealed_group_info"), undefined, "the GroupInfo that is kept");
  carol.commit(0, "carol joins");
  alice.check(true);
  assert.equal(dave.last("sealed_group_info"), undefined, "its epoch is over");
  assert.equal(
    carol.last("sealed_group_info_please")?.epoch,
    1,
    "who made the epoch knows it first",
  );
  carol.give("the new tree");
  assert.equal(dave.last("sealed_group_info")?.epoch, 1);
});

Deno.test("a commit of somebody else ends no turn, but its loser asks again at the end of the queue", () => {
  const { room, members: [alice] } = roomOf(1);
  const [bob, carol] = [2, 3].map((n) => Recorder.attach(room, n)) as [Recorder, Recorder];
  bob.join();
  carol.join();
  alice.give();
  alice.commit(0, "rotation");
  bob.commit(0, "bob joins");
  assert.equal(bob.last("sealed_conflict")?.epoch, 1);
  bob.join();
  alice.give("tree of 1");
  assert.equal(carol.last("sealed_group_info")?.epoch, 1);
  carol.commit(1, "carol joins");
  alice.check(true);
  carol.give("tree of 2");
  assert.equal(bob.last("sealed_group_info")?.epoch, 2);
});

Deno.test("who was given something useless gets the GroupInfo of another member", () => {
  const { room, members: [alice, mallory] } = roomOf(2);
  const carol = Recorder.attach(room, 3);
  carol.join();
  mallory.give("garbage");
  carol.join(true);
  assert.notEqual(alice.last("sealed_group_info_please"), undefined);
  alice.give("the tree");
  assert.equal(textOf(carol.last("sealed_group_info")?.body ?? new Uint8Array()), "the tree");
});

Deno.test("a member that goes while it is asked is passed over at once, and so is one who joins", () => {
  const { room, members: [alice, bob] } = roomOf(2);
  const [carol, dave] = [3, 4].map((n) => Recorder.attach(room, n)) as [Recorder, Recorder];
  carol.join();
  dave.join();
  bob.room.loseConnection(bob.seat);
  assert.notEqual(alice.last("sealed_group_info_please"), undefined);
  carol.room.loseConnection(carol.seat);
  alice.give();
  assert.notEqual(dave.last("sealed_group_info"), undefined);
});

Deno.test("a GroupInfo of another epoch, of one who was not asked, or for nothing is not taken", () => {
  const { room, members: [alice, bob] } = roomOf(2);
  const carol = Recorder.attach(room, 3);
  carol.join();
  const body = new Uint8Array(284);
  const { question = 0 } = bob.last("sealed_group_info_please") ?? {};
  const request = { kind: "sealed_group_info", ask: 9, room: 1, question, body } as const;
  room.groupInfo(alice.seat, { ...request, epoch: 1 });
  room.groupInfo(bob.seat, { ...request, question: question + 1, epoch: 1 });
  room.groupInfo(bob.seat, { ...request, epoch: 0 });
  assert.equal(carol.last("sealed_group_info"), undefined);
  // Bob was asked and gave another epoch's: the next is asked at once.
  alice.give();
  assert.notEqual(carol.last("sealed_group_info"), undefined);
});

Deno.test("a new epoch while a member is asked makes it be asked again for that one", () => {
  const { room, members: [alice, bob] } = roomOf(2);
  const carol = Recorder.attach(room, 3);
  carol.join();
  alice.commit(1, "rotation");
  assert.equal(alice.last("sealed_group_info_please")?.epoch, 2);
  assert.equal(bob.all("sealed_group_info_please").length, 1);
  alice.give();
  assert.equal(carol.last("sealed_group_info")?.epoch, 2);
});

Deno.test("a guest cannot commit before its turn, or after it", () => {
  const { room, clock, members: [alice] } = roomOf(1);
  const bob = Recorder.attach(room, 2);
  bob.commit(0, "unasked");
  assert.notEqual(bob.last("sealed_conflict"), undefined);
  bob.join();
  bob.commit(0, "before the GroupInfo");
  bob.join();
  alice.give();
  clock.turn(3_000);
  bob.commit(0, "too late");
  assert.equal(bob.all("sealed_conflict").length, 3);
  assert.equal(alice.last("sealed_check_please"), undefined);
});

Deno.test("a commit that one member calls unsound is judged by another; silence and lies of one keep nobody out", () => {
  const { room, clock, members: [alice, bob, mallory] } = roomOf(3);
  const dave = Recorder.attach(room, 4);
  dave.join();
  mallory.give();
  dave.commit(2, "dave joins");
  const liar = dave.asked;
  liar?.check(false);
  assert.equal(dave.drops.length, 0);
  assert.deepEqual(new Set([liar, dave.asked]), new Set([alice, bob]));
  assert.equal(mallory.last("sealed_check_please"), undefined);
  clock.turn(2_000);
  mallory.check(true);
  assert.equal(dave.last("sealed_frame")?.epoch, 2);
});

Deno.test("a GroupInfo that makes every join unsound costs one try: the next is by another member's, and nobody is let go", () => {
  const { room, members: [alice, bob, mallory] } = roomOf(3);
  const dave = Recorder.attach(room, 4);
  dave.join();
  mallory.give("of another group");
  dave.commit(2, "leads nowhere");
  assert.equal(
    mallory.last("sealed_check_please"),
    undefined,
    "who gave it is not its first judge",
  );
  for (const _ of [alice, bob]) dave.asked?.check(false);
  assert.equal(dave.asked, mallory);
  mallory.check(false);
  assert.deepEqual([dave.drops, dave.all("sealed_conflict").length], [[], 1]);
  dave.join();
  assert.equal(mallory.all("sealed_group_info_please").length, 1);
  alice.give();
  dave.commit(2, "dave joins");
  mallory.check(false);
  bob.check(true);
  assert.equal(dave.last("sealed_frame")?.epoch, 2);
  // Nor is it asked by the next who comes, although nothing else speaks for another.
  const eve = Recorder.attach(room, 5);
  eve.join();
  assert.equal(mallory.all("sealed_group_info_please").length, 1);
});

Deno.test("whose second commit is unsound as well is let go", () => {
  const { room, members: [alice, bob] } = roomOf(2);
  const mallory = Recorder.attach(room, 7, undefined, "192.0.2.7");
  for (const [giver, judge] of [[bob, alice], [alice, bob]] as const) {
    assert.deepEqual(mallory.drops, []);
    mallory.join();
    giver.give();
    mallory.commit(1, "garbage");
    for (const one of [judge, giver]) one.check(false);
  }
  assert.deepEqual(mallory.drops, ["voided"]);
  // Another connection of that source has had its try.
  assert.throws(() => Recorder.attach(room, 8, undefined, "192.0.2.7"), /Wait 10 s/);
});

Deno.test("who gave the GroupInfo of a commit that was voided is asked for no other", () => {
  const { room, clock, members: [alice, bob, mallory] } = roomOf(3);
  const dave = Recorder.attach(room, 4);
  dave.join();
  mallory.give("of another group");
  dave.commit(2, "leads nowhere");
  dave.asked?.check(true);
  for (const voter of [alice, bob]) voter.vote(3, false);
  assert.deepEqual(dave.drops, ["voided"]);
  clock.turn(20_000);
  const eve = Recorder.attach(room, 5);
  eve.join();
  assert.equal(mallory.all("sealed_group_info_please").length, 1);
  assert.notEqual(alice.last("sealed_group_info_please"), undefined);
});

Deno.test("a guest may bring a lock with it, as a maker that comes back does, and never take one away", () => {
  const { room, members: [alice, bob] } = roomOf(2);
  const maker = Recorder.attach(room, 3);
  const others = [alice.handle, bob.handle, maker.handle];
  maker.join();
  bob.give();
  maker.commitAs(others, 1, "the maker is back", true);
  maker.asked?.check(true);
  assert.equal(maker.last("sealed_frame")?.epoch, 1);
  assert.throws(() => Recorder.attach(room, 4), /it is locked/);
});

Deno.test("a room of 200 members takes a member that comes back, and nobody else", () => {
  const { room, clock, members: [alice] } = roomOf(1);
  let last = alice;
  for (let n = 2; n <= 200; n++) {
    const next = new Recorder(room, 0);
    next.handle.set([n], 15);
    next.attach();
    next.enter(n - 2, last, `join ${n}`);
    clock.turn(10_000);
    last = next;
  }
  const late = Recorder.attach(room, 255);
  assert.throws(() => late.join(), /it has 200 members/);
  last.join();
  assert.equal(room.state?.roster.members.length, 200);
});

Deno.test("nobody's judgement but that of the asked counts", () => {
  const { room, members: [alice, bob] } = roomOf(2);
  const [mallory, guest] = [7, 8].map((n) => Recorder.attach(room, n)) as [Recorder, Recorder];
  mallory.join();
  bob.give();
  mallory.commit(1, "garbage");
  const { question = 0 } = bob.last("sealed_check_please") ?? {};
  for (const one of [mallory, guest, alice]) {
    room.check(one.seat, { kind: "sealed_check", ask: 9, room: 1, question, ok: true });
  }
  assert.equal(alice.last("sealed_frame"), undefined);
});

Deno.test("fifteen connections of one source that waste their turns delay one of another source by one turn", () => {
  const { room, clock, members: [alice] } = roomOf(1);
  for (let n = 11; n < 26; n++) Recorder.attach(room, n, undefined, "192.0.2.66").join();
  alice.give();
  const bob = Recorder.attach(room, 2, undefined, "192.0.2.2");
  bob.join();
  clock.turn(3_000);
  bob.commit(0, "bob joins");
  alice.check(true);
  assert.equal(bob.last("sealed_frame")?.epoch, 0);
});

Deno.test("and one of their own source is in before any of them has a second turn", () => {
  const { room, clock, members: [alice] } = roomOf(1);
  const wasters = Array.from({ length: 15 }, (_, n) => {
    const one = Recorder.attach(room, 11 + n, undefined, "192.0.2.66");
    one.join();
    return one;
  });
  alice.give();
  const bob = Recorder.attach(room, 2, undefined, "192.0.2.66");
  bob.join();
  let seconds = 0;
  for (; bob.last("sealed_group_info") === undefined && seconds < 60; seconds += 0.5) {
    clock.turn(500);
    for (const one of wasters) {
      if (one.all("sealed_group_info").length > 0) one.join();
    }
  }
  assert.ok(seconds <= 12, `${seconds} s`);
});

Deno.test("sources of one IPv6 /48 that each waste a turn delay one of another network by one turn", () => {
  const { room, clock, members: [alice] } = roomOf(1);
  let number = 10;
  const waste = (count: number) => {
    for (let n = 0; n < count; n++) {
      const source = `2001:db8:7:${++number}::/64`;
      Recorder.attach(room, number, undefined, source).join();
    }
  };
  waste(1);
  alice.give();
  waste(7);
  // All eight waste their turns, and others of their network come in their place.
  clock.turn(8 * 3_000);
  waste(20);
  const bob = Recorder.attach(room, 2, undefined, "192.0.2.2");
  bob.join();
  clock.turn(3_000);
  assert.notEqual(bob.last("sealed_group_info"), undefined);
});

Deno.test("a neighbor in that /48 has its turn before those that wasted one, and a whole one", () => {
  const { room, clock, members: [alice] } = roomOf(1);
  const wasters = Array.from({ length: 8 }, (_, n) => {
    const one = Recorder.attach(room, 11 + n, undefined, `2001:db8:7:${n}::/64`);
    one.join();
    return one;
  });
  alice.give();
  clock.turn(8 * 3_000);
  for (const one of wasters) one.join();
  const bob = Recorder.attach(room, 2, undefined, "2001:db8:7:99::/64");
  bob.join();
  clock.turn(1_500);
  assert.notEqual(bob.last("sealed_group_info"), undefined, "a second turn is half as long");
  clock.turn(2_999);
  bob.commit(0, "bob joins");
  alice.check(true);
  assert.equal(bob.last("sealed_frame")?.epoch, 0);
});

Deno.test("nor for one IPv6 /48 without end", () => {
  const { room, clock, members: [alice] } = roomOf(1);
  let asked = 0;
  for (let n = 0; n < 300; n++) {
    const source = `2001:db8:7:${n}::/64`;
    const guest = Recorder.attach(room, 11 + n % 200, undefined, source);
    guest.join();
    for (const fresh of [true, false]) {
      const before = alice.all("sealed_group_info_please").length;
      if (before > asked) alice.give();
      asked = before;
      if (fresh) guest.join(true);
    }
    clock.turn(10_000);
  }
  assert.ok(asked <= 130, `${asked} times`);
});

Deno.test("members who come back are served before all others", () => {
  const { room, clock, members: [alice, bob] } = roomOf(2);
  for (const n of [7, 8, 9]) Recorder.attach(room, n).join();
  bob.give();
  alice.join();
  clock.turn(3_000);
  assert.notEqual(alice.last("sealed_group_info"), undefined);
});

Deno.test("a member that asks for turn after turn and uses none keeps no newcomer out", () => {
  const { room, clock, members: [alice, mallory] } = roomOf(2);
  const carol = Recorder.attach(room, 3);
  mallory.join();
  alice.give();
  carol.join();
  // As often as the limit on the group's work allows; no turn is shorter than half a second.
  for (let asked = 0; asked < 20 && carol.last("sealed_group_info") === undefined; asked++) {
    mallory.join();
    clock.turn(420);
  }
  assert.notEqual(carol.last("sealed_group_info"), undefined);
});

Deno.test("members make no GroupInfo for one who was not given theirs, nor for one source without end", () => {
  const { room, clock, members: [alice, bob] } = roomOf(2);
  const guests = [3, 4].map((n) => Recorder.attach(room, n, undefined, "192.0.2.1"));
  const [carol, dave] = guests as [Recorder, Recorder];
  const asked = () =>
    [alice, bob].reduce((sum, member) => sum + member.all("sealed_group_info_please").length, 0);
  const give = () => {
    for (const member of [alice, bob]) {
      if (member.all("sealed_group_info_please").length > 0) member.give();
    }
  };
  carol.join();
  give();
  assert.equal(asked(), 1);
  for (let n = 0; n < 20; n++) dave.join(true);
  carol.join();
  assert.equal(asked(), 1, "dave was given nothing");
  for (let n = 0; n < 100; n++) {
    for (const guest of guests) guest.join(true);
    give();
    clock.turn(500);
  }
  assert.ok(asked() < 20, `${asked()} times`);
});
