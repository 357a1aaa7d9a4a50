// Invites over real connections: who may have them made, what they open, and for how long.

import assert from "node:assert/strict";
import type { EventOf } from "../../../shared/messages/messages_v2.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const TOKENS = { CMDCHAT_TOKENS: "alice:alices-token,bob:bobs-token" };
const ON = { args: ["--invites"], env: TOKENS };

function join(port: number, token: string, more: Readonly<Record<string, unknown>> = {}) {
  return V2Peer.join({ port, hello: { name: "somebody", token, ...more } });
}

async function mint(
  peer: V2Peer,
  { id = 1, uses = 1, seconds = 3_600 } = {},
): Promise<EventOf<"invited">> {
  await peer.send({ kind: "invite", id, title: "lobby", uses, seconds });
  return await peer.until("invited", ({ request }) => request === id);
}

/** The word with which a server refuses a hello. */
async function refusal(
  port: number,
  token: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  await using peer = await V2Peer.connect({ port, hello: { name: "somebody", token, ...more } });
  return (await peer.until("refused")).reason;
}

Deno.test("an invite for one lets one in, whoever of two is first; then it is as good as a wrong token", async () => {
  await using server = await startServer(ON);
  await using alice = await join(server.port, "alices-token");
  const { token, invite, uses } = await mint(alice);
  assert.deepEqual([invite, uses], [1, 1]);
  // One that cannot come in for another reason has not used it up.
  assert.match(await refusal(server.port, token, { rooms: [["", 0]] }), /invalid_room/);
  const both = await Promise.allSettled([join(server.port, token), join(server.port, token)]);
  const inside = both.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
  assert.equal(inside.length, 1);
  const [last, wrong] = [
    await refusal(server.port, token),
    await refusal(server.port, "no-token-at-all"),
  ];
  assert.deepEqual([last, wrong], ["unauthorized", "unauthorized"]);
  for (const peer of inside) await peer[Symbol.asyncDispose]();
  // By numbers alone: who made it, and no token.
  assert.match(server.log, /audit by=\d+ what="invite" invite=1 seconds=3600 uses=1/);
  assert.doesNotMatch(server.log, new RegExp(token));
});

Deno.test("who came by an invite comes back after it is used up or has ended, makes no other, and stays when it is revoked", async () => {
  await using server = await startServer(ON);
  await using alice = await join(server.port, "alices-token");
  const { token } = await mint(alice);
  const guest = await join(server.port, token);
  const { session, secret } = guest.welcome;
  guest.cut();
  await alice.until("away");
  await using again = await join(server.port, token, { session, secret, rooms: [["lobby", 0]] });
  assert.equal(again.welcome.resumed, true);
  await again.send({ kind: "invite", id: 1, title: "lobby", uses: 1, seconds: 60 });
  const { why } = await again.until("declined");
  assert.match(why, /you joined with an invite yourself/);
  const { invite, token: other } = await mint(alice, { id: 2, uses: 0 });
  await using second = await join(server.port, other);
  await alice.send({ kind: "uninvite", id: 3, invite });
  await alice.until("done", ({ id }) => id === 3);
  assert.equal(await refusal(server.port, other), "unauthorized");
  await second.say("still here");
  await alice.until("chat", ({ text }) => text === "still here");
  await guest.ended;
});

Deno.test("whoever has the same token lists and ends an invite; others see nothing of it", async () => {
  await using server = await startServer(ON);
  await using alice = await join(server.port, "alices-token");
  await using bob = await join(server.port, "bobs-token");
  const { until } = await mint(alice, { uses: 3 });
  await bob.send({ kind: "invites", id: 1 }, { kind: "uninvite", id: 2, invite: 1 });
  assert.deepEqual((await bob.until("invites")).list, []);
  assert.match((await bob.until("declined")).why, /no open invite with/);
  await using later = await join(server.port, "alices-token");
  await later.send({ kind: "invites", id: 1 });
  assert.deepEqual((await later.until("invites")).list, [[1, "somebody", "lobby", 3, until]]);
});

Deno.test("without --invites none is made, and why is said", async () => {
  await using off = await startServer({ env: TOKENS });
  await using alice = await join(off.port, "alices-token");
  await alice.send({ kind: "invite", id: 1, title: "", uses: 1, seconds: 60 });
  assert.match((await alice.until("declined")).why, /admin does not allow it \(--invites\)/);
  // Where everybody comes in, what the admin allows is not the reason.
  await using open = await startServer();
  await using bob = await V2Peer.join({ port: open.port, hello: { name: "bob" } });
  await bob.send({ kind: "invite", id: 1, title: "", uses: 1, seconds: 60 });
  assert.match((await bob.until("declined")).why, /needs no token, so the link of \/invite alone/);
});

Deno.test("a v1 client comes in by an invite, which counts", async () => {
  await using server = await startServer(ON);
  await using alice = await join(server.port, "alices-token");
  const { token } = await mint(alice);
  await using old = await V1Peer.join({ port: server.port, token });
  assert.ok(old);
  assert.equal(await refusal(server.port, token), "unauthorized");
});
