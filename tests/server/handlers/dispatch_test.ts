import assert from "node:assert/strict";
import { dispatchRequest } from "../../../server/handlers/dispatch.ts";
import { ProtocolError } from "../../../shared/base/errors.ts";
import { DECLINED_REMEMBERED, PACE_BURST } from "../../../server/config/limits.ts";
import { FILE_CHUNK_BYTES, SESSION_ROOMS_MAX } from "../../../shared/base/limits.ts";
import { makeRelay, seat, type Seated } from "../../helpers/peers/relay.ts";

const FREE = ["--rate-limit", "off"];

function say(who: Seated, text: string, title?: string): void {
  who.ask({ kind: "chat", room: who.room(title), text, action: false, reply: 0 });
}

Deno.test("what is said reaches the room, the sender as well, and no other room", async () => {
  const relay = await makeRelay(FREE);
  const [alice, bob] = [seat(relay), seat(relay, { name: "bob" })];
  const carol = seat(relay, { name: "carol", rooms: ["den"] });
  say(alice, "hi");
  for (const who of [alice, bob]) {
    const [chat] = who.take("chat");
    assert.deepEqual([chat?.text, chat?.name, chat?.request, chat?.sequence], [
      "hi",
      "alice",
      1,
      1,
    ]);
  }
  assert.deepEqual(carol.take("chat"), []);
});

Deno.test("a text that is empty or above the limit in bytes is declined with both numbers", async () => {
  const relay = await makeRelay([...FREE, "--max-message", "10"]);
  const alice = seat(relay);
  for (
    const [text, why] of [["", /it is empty/], [
      "ü".repeat(6),
      /it has 12 bytes, at most 10/,
    ]] as const
  ) {
    say(alice, text);
    assert.match(alice.take("declined")[0]?.why ?? "", why);
  }
  say(alice, "ü".repeat(5));
  assert.equal(alice.take("chat").length, 1);
});

Deno.test("requests are numbered without gaps: a repeat is answered again, a leap ends the session", async () => {
  const relay = await makeRelay(FREE);
  const alice = seat(relay);
  const chat = { kind: "chat", room: alice.room(), text: "once", action: false, reply: 0 } as const;
  dispatchRequest(alice.session, { ...chat, id: 1 });
  dispatchRequest(alice.session, { ...chat, id: 1 });
  assert.deepEqual([alice.take("chat").length, alice.take("done").map(({ id }) => id)], [1, [1]]);
  assert.throws(() => dispatchRequest(alice.session, { ...chat, id: 3 }), ProtocolError);
  dispatchRequest(alice.session, { ...chat, id: 2 });
  assert.equal(alice.take("chat").length, 1);
});

Deno.test("what was declined is declined again, as far back as the server remembers", async () => {
  const relay = await makeRelay(FREE);
  const alice = seat(relay);
  for (let n = 0; n <= DECLINED_REMEMBERED; n++) say(alice, "");
  alice.port.events.length = 0;
  const repeat = { kind: "chat", room: alice.room(), text: "", action: false, reply: 0 } as const;
  dispatchRequest(alice.session, { ...repeat, id: 2 });
  assert.match(alice.take("declined")[0]?.why ?? "", /empty/);
  dispatchRequest(alice.session, { ...repeat, id: 1 });
  assert.deepEqual(alice.take("done").map(({ id }) => id), [1]);
});

Deno.test("a repeat of a rename that the servers have not decided is told nothing before they have", async () => {
  const alice = seat(await makeRelay(FREE));
  const there = Promise.withResolvers<number>();
  alice.session.rename = () => [1, there.promise];
  const rename = { kind: "rename", id: 1, name: "carol" } as const;
  for (let n = 0; n < 2; n++) dispatchRequest(alice.session, rename);
  assert.deepEqual(alice.take("done"), []);
  assert.deepEqual(alice.session.requests.unsettled.open, [1]);
  there.resolve(0);
  await new Promise((resolve) => setTimeout(resolve));
  dispatchRequest(alice.session, rename);
  assert.deepEqual(alice.take("done"), []);
  const [first, again] = alice.take("declined");
  assert.match(first?.why ?? "", /somebody took it just now/);
  assert.deepEqual(again, first);
});

Deno.test("a client that goes on while the servers decide nothing is declined at 1,024, and goes on after that", async () => {
  const alice = seat(await makeRelay(FREE));
  const there = Promise.withResolvers<number>();
  alice.session.rename = () => [1, there.promise];
  const rename = (id: number) => dispatchRequest(alice.session, { kind: "rename", id, name: "c" });
  for (let id = 1; id <= 1_030; id++) rename(id);
  assert.equal(alice.session.requests.unsettled.open.length, 1_024);
  const declined = alice.take("declined");
  assert.deepEqual(declined.map(({ id }) => id), [1_025, 1_026, 1_027, 1_028, 1_029, 1_030]);
  assert.match(declined[0]?.why ?? "", /1024 requests wait for the other servers/);
  there.resolve(5);
  await new Promise((resolve) => setTimeout(resolve));
  rename(1_031);
  assert.deepEqual(alice.session.requests.unsettled.open, [1_031]);
});

Deno.test("what all leave undecided has a bound in bytes, below which whoever waits for nothing may go on", async () => {
  const relay = await makeRelay(FREE);
  const [alice, bob] = [seat(relay), seat(relay, { name: "bob", address: "192.0.2.2" })];
  const there = Promise.withResolvers<number>();
  for (const { room } of alice.session.memberships) room.publish = () => there.promise;
  const decided = there.promise.then(() => {});
  // Up to 5,000 bytes below the last sixteenth.
  relay.undecided.hold("192.0.2.1", 60 * 2 ** 20 - 5_000, decided);
  for (const who of [alice, bob]) for (const text of ["one", "two"]) say(who, text.repeat(500));
  for (const who of [alice, bob]) {
    assert.deepEqual(who.session.requests.unsettled.open, [1]);
    const [declined, ...others] = who.take("declined");
    assert.match(declined?.why ?? "", /too much waits for the other servers/);
    assert.deepEqual([declined?.id, others], [2, []]);
  }
  there.resolve(5);
  await new Promise((resolve) => setTimeout(resolve));
  say(alice, "three");
  assert.deepEqual(alice.take("declined"), []);
});

Deno.test("a name that waits in each room of its session counts once for each against that bound", async () => {
  const relay = await makeRelay(FREE);
  const alice = seat(relay, { rooms: ["lobby", "den", "attic"] });
  const there = Promise.withResolvers<number>();
  alice.session.rename = () => [there.promise, there.promise, there.promise];
  const decided = there.promise.then(() => {});
  // Room for six that wait.
  relay.undecided.hold("192.0.2.1", 60 * 2 ** 20 - 10_000, decided);
  for (const name of ["carol", "cara", "cora"]) alice.ask({ kind: "rename", name });
  assert.deepEqual(alice.session.requests.unsettled.open, [1, 2]);
  assert.match(alice.take("declined")[0]?.why ?? "", /too much waits for the other servers/);
  there.resolve(5);
});

Deno.test("hello and bye in the middle of a session are faults", async () => {
  const alice = seat(await makeRelay(FREE));
  const hello = { name: "bob", token: null, session: null, secret: null, rooms: [] };
  assert.throws(() => dispatchRequest(alice.session, { kind: "hello", ...hello }), ProtocolError);
  assert.throws(() => dispatchRequest(alice.session, { kind: "bye" }), ProtocolError);
});

Deno.test("beyond the rate requests are declined and counted; repeats and chunks cost nothing", async () => {
  const relay = await makeRelay(["--rate-limit", "3/60"]);
  const alice = seat(relay);
  for (let n = 0; n < 5; n++) say(alice, `${n}`);
  assert.deepEqual(alice.take("chat").map(({ text }) => text), ["0", "1", "2"]);
  const declined = alice.take("declined");
  assert.deepEqual(declined.map(({ id }) => id), [4, 5]);
  assert.match(
    declined[0]?.why ?? "",
    /^Not delivered: at most 3 messages in 60 seconds are allowed\. Wait \d+ s\.$/,
  );
  assert.equal(relay.counters.rateLimited, 2);
});

Deno.test("an old client is told once a window that it is too fast", async () => {
  const relay = await makeRelay(["--rate-limit", "1/60"]);
  const old = seat(relay, { old: true });
  for (let n = 0; n < 10; n++) say(old, `${n}`);
  assert.equal(old.take("declined").length, 1);
});

Deno.test("a name is taken in all rooms or in none, and lookalikes count", async () => {
  const relay = await makeRelay(FREE);
  const alice = seat(relay, { rooms: ["lobby", "den"] });
  const bob = seat(relay, { name: "bob", rooms: ["den"] });
  for (const name of ["bob", "BOB", "b0b"]) {
    alice.ask({ kind: "rename", name });
    assert.match(
      alice.take("declined")[0]?.why ?? "",
      /somebody in "den" has it, or one that looks like it/,
      name,
    );
  }
  alice.ask({ kind: "rename", name: "carol" });
  assert.equal(alice.take("renamed").length, 2);
  assert.deepEqual(bob.take("renamed").map(({ name, previous }) => [name, previous]), [[
    "carol",
    "alice",
  ]]);
  bob.ask({ kind: "rename", name: "alice" });
  assert.equal(bob.take("declined").length, 0, "the former name is free at once");
  bob.ask({ kind: "rename", name: "Alice" });
  assert.equal(bob.take("declined").length, 0, "and one's own may be written otherwise");
});

Deno.test("a name or a room that is none is declined and changes nothing", async () => {
  const relay = await makeRelay(FREE);
  const alice = seat(relay);
  alice.ask({ kind: "rename", name: "server" });
  alice.ask({ kind: "join", title: "a\nb" });
  assert.equal(alice.take("declined").length, 2);
  assert.deepEqual(alice.session.memberships.map(({ name, room }) => [name, room.title]), [[
    "alice",
    "lobby",
  ]]);
});

Deno.test("a session is in many rooms, an old one in one at a time", async () => {
  const relay = await makeRelay(FREE);
  const [alice, old] = [seat(relay), seat(relay, { name: "old", old: true })];
  for (const who of [alice, old]) who.ask({ kind: "join", title: "Den" });
  assert.deepEqual(alice.session.memberships.map(({ room }) => room.title), ["lobby", "den"]);
  assert.deepEqual(old.session.memberships.map(({ room }) => room.title), ["den"]);
  assert.deepEqual(alice.take("left").map(({ name }) => name), ["old"]);
  alice.ask({ kind: "join", title: "den" });
  assert.equal(alice.take("done").length, 1, "and being there already is no second coming");
});

Deno.test("rooms of one session are bounded, and so are those of the server; what fails changes nothing", async () => {
  const relay = await makeRelay([...FREE, "--max-rooms", `${SESSION_ROOMS_MAX + 1}`]);
  const alice = seat(relay);
  for (let n = 1; n <= SESSION_ROOMS_MAX; n++) alice.ask({ kind: "join", title: `room ${n}` });
  assert.match(alice.take("declined")[0]?.why ?? "", /you are in 32, the maximum/);
  assert.equal(alice.session.memberships.length, SESSION_ROOMS_MAX);
  const bob = seat(relay, { name: "bob", rooms: ["last"] });
  bob.ask({ kind: "join", title: "one more" });
  assert.match(bob.take("declined")[0]?.why ?? "", /Cannot open another room/);
  assert.deepEqual(bob.session.memberships.map(({ room }) => room.title), ["last"]);
});

Deno.test("a room that is left is silent, and what is said there is declined", async () => {
  const relay = await makeRelay(FREE);
  const [alice, bob] = [seat(relay), seat(relay, { name: "bob" })];
  const room = alice.room();
  alice.ask({ kind: "leave", room });
  assert.deepEqual(bob.take("left").map(({ name }) => name), ["alice"]);
  say(bob, "gone?");
  assert.deepEqual(alice.take("chat"), []);
  for (
    const request of [
      { kind: "chat", room, text: "x", action: false, reply: 0 },
      { kind: "topic", room, text: "x" },
      { kind: "revise", room, sequence: 1, text: "x" },
      { kind: "leave", room },
      {
        kind: "offer",
        room,
        file: "f",
        filename: "a",
        size: 5,
        chunks: 1,
        hash: null,
        to: 0,
        folder: false,
      },
    ] as const
  ) {
    alice.ask(request);
    assert.match(
      alice.take("declined")[0]?.why ?? "",
      /you are not in that room any more/,
      request.kind,
    );
  }
  assert.deepEqual(bob.take("topic"), []);
});

Deno.test("only one's own messages can be changed, and one that was taken back never again", async () => {
  const relay = await makeRelay(FREE);
  const [alice, bob] = [seat(relay), seat(relay, { name: "bob" })];
  const room = alice.room();
  say(alice, "first");
  bob.ask({ kind: "revise", room, sequence: 1, text: "forged" });
  assert.match(bob.take("declined")[0]?.why ?? "", /it is not yours/);
  alice.ask({ kind: "revise", room, sequence: 1, text: "better" });
  alice.ask({ kind: "revise", room, sequence: 1, text: null });
  assert.deepEqual(bob.take("revised").map(({ text }) => text), ["better", null]);
  alice.ask({ kind: "revise", room, sequence: 1, text: "back again" });
  alice.ask({ kind: "revise", room, sequence: 99, text: "never said" });
  assert.equal(alice.take("declined").length, 2);
});

Deno.test("everybody may react to a message that the server remembers, with one emoji and nothing else", async () => {
  const relay = await makeRelay(FREE);
  const [alice, bob] = [seat(relay), seat(relay, { name: "bob" })];
  const room = alice.room();
  say(alice, "first");
  const react = (emoji: string, sequence = 1, on = true) => {
    bob.ask({ kind: "react", room, sequence, emoji, on });
    return bob.take("declined")[0]?.why;
  };
  assert.equal(react("👍"), undefined);
  assert.equal(react("👍", 1, false), undefined);
  assert.deepEqual(
    alice.take("reacted").map(({ name, sequence, emoji, on }) => [name, sequence, emoji, on]),
    [["bob", 1, "👍", true], ["bob", 1, "👍", false]],
  );
  for (const emoji of ["", "a", "👍👍", "👍 ", "\x1b[2J", "e\u0301".repeat(30)]) {
    assert.match(react(emoji) ?? "done", /one emoji/, emoji);
  }
  assert.match(react("👍", 2) ?? "done", /older than the server remembers/);
  alice.ask({ kind: "revise", room, sequence: 1, text: null });
  assert.match(react("👍") ?? "done", /it is deleted/);
  assert.deepEqual(alice.take("reacted"), []);
});

Deno.test("a direct message reaches one client; who is gone and who is nowhere near look the same", async () => {
  const relay = await makeRelay(FREE);
  const [alice, bob] = [seat(relay), seat(relay, { name: "bob" })];
  const carol = seat(relay, { name: "carol", rooms: ["den"] });
  alice.ask({ kind: "direct", to: bob.session.id, text: "psst" });
  assert.deepEqual(bob.take("direct").map(({ name, text }) => [name, text]), [["alice", "psst"]]);
  assert.equal(alice.take("direct").length, 1);
  for (const to of [carol.session.id, 12_345]) alice.ask({ kind: "direct", to, text: "psst" });
  const [far, gone] = alice.take("declined");
  assert.equal(far?.why, gone?.why);
  assert.deepEqual(carol.take("direct"), []);
});

Deno.test("chunks without an offer reach nobody, and those of a v1 file reach the others only", async () => {
  const relay = await makeRelay(FREE);
  const [alice, bob] = [seat(relay, { old: true }), seat(relay, { name: "bob" })];
  const chunk = {
    kind: "chunk",
    file: "f",
    index: 0,
    data: new Uint8Array(FILE_CHUNK_BYTES),
    last: false,
  } as const;
  dispatchRequest(alice.session, chunk);
  assert.match(alice.take("notice")[0]?.text ?? "", /no such file is on its way/);
  alice.ask({
    kind: "offer",
    room: alice.room(),
    file: "f",
    filename: "a",
    size: FILE_CHUNK_BYTES + 1,
    chunks: 2,
    hash: null,
    to: 0,
    folder: false,
  });
  dispatchRequest(alice.session, chunk);
  dispatchRequest(alice.session, { ...chunk, index: 1, data: new Uint8Array(1), last: true });
  assert.deepEqual([bob.take("offer").length, bob.take("chunk").length], [1, 2]);
  assert.deepEqual([alice.take("offer").length, alice.take("chunk").length], [1, 0]);
});

Deno.test("who is writing is told to the others, and not more often than it is of use", async () => {
  const relay = await makeRelay(FREE);
  const [alice, bob] = [seat(relay), seat(relay, { name: "bob" })];
  for (let n = 0; n < 5; n++) {
    dispatchRequest(alice.session, { kind: "typing", room: alice.room() });
  }
  assert.deepEqual([bob.take("typing").length, alice.take("typing").length], [1, 0]);
  dispatchRequest(alice.session, { kind: "typing", room: 12_345 });
});

Deno.test("a topic and a status have bounds in bytes", async () => {
  const relay = await makeRelay(FREE);
  const alice = seat(relay);
  alice.ask({ kind: "topic", room: alice.room(), text: "ü".repeat(129) });
  alice.ask({ kind: "status", text: "ü".repeat(65) });
  assert.equal(alice.take("declined").length, 2);
  alice.ask({ kind: "topic", room: alice.room(), text: "soup" });
  alice.ask({ kind: "status", text: "lunch" });
  const bob = seat(relay, { name: "bob" });
  assert.equal(bob.take("entered")[0]?.topic, "soup");
  assert.deepEqual(bob.take("members")[0]?.list.map(([, name, , , status]) => [name, status]), [
    ["alice", "lunch"],
    ["bob", null],
  ]);
});

Deno.test("a rename or an away message counts for each room that it reaches, and leaves talk alone", async () => {
  const relay = await makeRelay(["--rate-limit", "12/5"]);
  const rooms = Array.from({ length: 10 }, (_, n) => `room ${n}`);
  const alice = seat(relay, { rooms });
  const bob = seat(relay, { name: "bob", rooms });
  for (let n = 0; n < 12; n++) {
    alice.ask({ kind: "status", text: `away ${n}` });
    alice.ask({ kind: "rename", name: `alice ${n}` });
  }
  // 12 in the window beyond the first room: one reaches ten rooms, the second takes the rest and more.
  assert.equal(bob.take("status").length + bob.take("renamed").length, 2 * rooms.length);
  assert.equal(alice.take("declined").length, 22);
  alice.ask({ kind: "chat", room: alice.room("room 0"), text: "here", action: false, reply: 0 });
  assert.equal(bob.take("chat").length, 1);
});

for (const rate of ["off", "1000/1"]) {
  Deno.test(`with a rate limit of ${rate}, talk that it allows costs nothing of the pace, and all else costs it`, async () => {
    const relay = await makeRelay(["--rate-limit", rate, "--max-message", "10"]);
    const asks: Readonly<Record<string, (who: Seated) => void>> = {
      talk: (who) => say(who, "hi"),
      ping: ({ session }) => dispatchRequest(session, { kind: "ping" }),
      typing: (who) => dispatchRequest(who.session, { kind: "typing", room: who.room() }),
      declined: (who) => say(who, "far too long a text"),
      repeat: ({ session }) => dispatchRequest(session, { kind: "rename", id: 1, name: "eve" }),
    };
    for (const [what, ask] of Object.entries(asks)) {
      const who = seat(relay, { name: what });
      for (let n = 0; n < 2 * PACE_BURST; n++) ask(who);
      const wait = who.session.requestBudget.wait(performance.now());
      assert.equal(wait > 0, what !== "talk", what);
    }
  });
}

Deno.test("talk beyond the rate limit costs the pace", async () => {
  const relay = await makeRelay(["--rate-limit", "12/5"]);
  const who = seat(relay, {});
  for (let n = 0; n < 2 * PACE_BURST; n++) say(who, "hi");
  assert.ok(who.session.requestBudget.wait(performance.now()) > 0);
});

Deno.test("a receiver may ask as fast as parts come, and questions without an answer cost what any request costs", async () => {
  const relay = await makeRelay(FREE);
  const [alice, bob] = [seat(relay), seat(relay, { name: "bob" })];
  const chunks = 320;
  const [filename, size, hash] = ["a.bin", chunks * FILE_CHUNK_BYTES, new Uint8Array(32)];
  const room = alice.room();
  alice.ask({ kind: "offer", room, file: "f", filename, size, chunks, hash, to: 0, folder: false });
  const data = new Uint8Array(FILE_CHUNK_BYTES);
  const ask = (index: number) =>
    dispatchRequest(bob.session, {
      kind: "pull",
      room: bob.room(),
      to: alice.session.id,
      file: "f",
      index,
      count: 4,
    });
  for (let n = 0; n < 1.5 * PACE_BURST; n++) {
    const from = n * 4 % chunks;
    ask(from);
    for (let index = from; index < from + 4; index++) {
      const to = [bob.session.id];
      dispatchRequest(alice.session, { kind: "part", to, file: "f", index, data });
    }
  }
  assert.equal(bob.take("chunk").length, 6 * PACE_BURST);
  assert.equal(bob.session.requestBudget.wait(performance.now()), 0);
  for (let n = 0; n < 1.5 * PACE_BURST; n++) ask(0);
  assert.ok(bob.session.requestBudget.wait(performance.now()) > 0);
});
