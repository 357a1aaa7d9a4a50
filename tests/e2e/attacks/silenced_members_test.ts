// A member that is silenced, or that a slow room makes wait, speaks by no other way: not by what is text but no message,
// not by leaving and joining again, and not as somebody new.

import assert from "node:assert/strict";
import type { Event, Request } from "../../../shared/messages/messages_v2.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";

const ARGS = ["--rate-limit", "1000/1"];

type Unnumbered = Request extends infer R ? R extends unknown ? Omit<R, "id"> : never : never;

/** Sends a numbered request; gives the refusal, or undefined where it was done. */
async function ask(peer: V2Peer, request: Unnumbered): Promise<string | undefined> {
  const id = peer.nextId();
  await peer.send({ ...request, id } as Request);
  const answer = await peer.untilAny((event): event is Event =>
    event.kind === "declined" && event.id === id || event.kind === "done" && event.id === id ||
    event.kind === "entered" && event.id === id || "request" in event && event.request === id
  );
  return answer.kind === "declined" ? answer.why : undefined;
}

function chat(peer: V2Peer, text: string): Promise<string | undefined> {
  return ask(peer, { kind: "chat", room: peer.room(), text, action: false, reply: 0 });
}

function moderate(
  maker: V2Peer,
  what: "mute" | "unmute" | "slow" | "lock",
  about: { readonly whom?: number; readonly seconds?: number },
): Promise<string | undefined> {
  const { whom = 0, seconds = 0 } = about;
  return ask(maker, { kind: "moderate", room: maker.room(), what, whom, seconds, text: "" });
}

/** All ways by which a text appears at others without being a new message. */
function otherWays(eve: V2Peer, ann: V2Peer, said: number): Unnumbered[] {
  const room = eve.room();
  const file = {
    file: "f1",
    filename: "eve says",
    size: 10,
    chunks: 1,
    hash: new Uint8Array(32),
    to: 0,
    folder: false,
  };
  return [
    { kind: "topic", room, text: "eve says" },
    { kind: "status", text: "eve says" },
    { kind: "rename", name: "eve-says" },
    { kind: "revise", room, sequence: said, text: "eve says" },
    { kind: "react", room, sequence: said, emoji: "👍", on: true },
    { kind: "offer", room, ...file },
    { kind: "direct", to: ann.welcome.client, text: "eve says" },
  ];
}

async function scene(server: RunningServer, stack: AsyncDisposableStack) {
  const join = async (name: string) =>
    stack.use(await V2Peer.join({ port: server.port, hello: { name } }));
  const [ann, bob, eve] = [await join("ann"), await join("bob"), await join("eve")];
  const id = await eve.say("before");
  const { sequence } = await eve.until("chat", (event) => event.request === id);
  await ann.until("joined", ({ name }) => name === "eve");
  return { ann, bob, eve, said: sequence, join };
}

Deno.test("a silenced member shows no text in any way, and has to wait before it comes back as somebody new", async () => {
  await using server = await startServer({ args: ARGS });
  await using stack = new AsyncDisposableStack();
  const { ann, bob, eve, said } = await scene(server, stack);
  await moderate(ann, "mute", { whom: eve.welcome.client, seconds: 600 });
  await eve.until("moderated");
  const seenBefore = bob.events.length;
  for (const request of otherWays(eve, ann, said)) {
    assert.match(await ask(eve, request) ?? "done", /muted/, request.kind);
  }
  await eve.send({ kind: "typing", room: eve.room() });
  assert.equal(
    await ask(eve, { kind: "revise", room: eve.room(), sequence: said, text: null }),
    undefined,
    "taking back what was said is no speech",
  );
  // Leaves and joins again, says bye and comes as somebody else: each coming shows a name.
  const room = eve.room();
  await ask(eve, { kind: "leave", room });
  assert.match(await ask(eve, { kind: "join", title: "lobby" }) ?? "in", /muted.*wait/);
  await eve.send({ kind: "bye" });
  await eve.ended;
  await using other = await V2Peer.connect({ port: server.port, hello: { name: "eve-says" } });
  assert.equal((await other.until("refused")).reason, "too_many_attempts");
  await bob.until("left", ({ name }) => name === "eve");
  const seen = bob.events.slice(seenBefore)
    .filter(({ kind }) => !["ping", "revised", "left", "moderated"].includes(kind));
  assert.deepEqual(seen, [], "honest members saw nothing of it");
  // Ann and bob are at the same address, and were there before.
  assert.equal(await chat(bob, "I may speak"), undefined);
});

Deno.test("a slow room counts everything that shows a text, and a new session does not begin before the old one's pause", async () => {
  await using server = await startServer({ args: ARGS });
  await using stack = new AsyncDisposableStack();
  const { ann, bob, eve, said, join } = await scene(server, stack);
  const dan = await join("dan");
  await moderate(ann, "slow", { seconds: 600 });
  await eve.until("moderated");
  // Whatever shows a text counts, and not messages alone.
  const file = {
    file: "f2",
    filename: "dan says",
    size: 10,
    chunks: 1,
    hash: new Uint8Array(32),
    to: 0,
    folder: false,
  };
  assert.equal(await ask(dan, { kind: "offer", room: dan.room(), ...file }), undefined);
  assert.match(await chat(dan, "and more") ?? "said", /slow: wait/);
  for (const request of otherWays(eve, ann, said)) {
    if (request.kind === "direct") continue; // It is not said in the room.
    assert.match(await ask(eve, request) ?? "done", /slow: wait/, request.kind);
  }
  const room = eve.room();
  await ask(eve, { kind: "leave", room });
  assert.equal(await ask(eve, { kind: "join", title: "lobby" }), undefined);
  assert.match(await chat(eve, "again") ?? "said", /slow: wait/);
  await eve.send({ kind: "bye" });
  await eve.ended;
  const other = await join("zoe");
  assert.match(await chat(other, "again") ?? "said", /slow: wait/);
  assert.equal(await chat(bob, "I had not spoken yet"), undefined);
  assert.match(await ask(bob, { kind: "topic", room: bob.room(), text: "x" }) ?? "done", /slow/);
  assert.equal(await chat(ann, "the maker may"), undefined);
});

Deno.test("a lock and a slow mode end when the maker leaves, and members are told", async () => {
  await using server = await startServer({ args: ARGS });
  await using stack = new AsyncDisposableStack();
  const { ann, bob, join } = await scene(server, stack);
  await moderate(ann, "lock", {});
  await moderate(ann, "slow", { seconds: 600 });
  await using late = await V2Peer.connect({ port: server.port, hello: { name: "late" } });
  assert.equal((await late.until("refused")).reason, "excluded");
  await ann.send({ kind: "bye" });
  await bob.until("notice", ({ text }) => /Nobody moderates.*no longer locked or slow/.test(text));
  const carol = await join("carol");
  assert.equal(await chat(carol, "in"), undefined);
  assert.equal(await chat(carol, "and again"), undefined);
  const [rules] = carol.events.filter((event) => event.kind === "rules");
  assert.deepEqual([rules?.maker, rules?.locked, rules?.slow], [0, false, 0]);
});
