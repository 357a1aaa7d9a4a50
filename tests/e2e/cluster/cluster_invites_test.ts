// Invites of several servers: one for a single person lets in one person, wherever and whenever people come.

import assert from "node:assert/strict";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { EventOf } from "../../../shared/messages/messages_v2.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { FaultyNetwork } from "../../helpers/hostile/faulty_network.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { type NatsCluster, startNats } from "../../helpers/system/nats.ts";

const test = skipWithout("nats-server");
const OPEN = ["--rate-limit", "off", "--max-per-address", "off"];
const TOKENS = ["alice:alices-token", "bob:bobs-token"];

type Hello = Readonly<Record<string, unknown>>;

/** Several servers of one NATS that allow invites; each reads its tokens from a file of its own. */
class Servers implements AsyncDisposable {
  readonly nats: NatsCluster;
  readonly #stack: AsyncDisposableStack;
  readonly #identity: string;
  readonly #folder: string;
  #count = 0;

  private constructor(
    stack: AsyncDisposableStack,
    nats: NatsCluster,
    places: { readonly identity: string; readonly folder: string },
  ) {
    this.#stack = stack;
    this.nats = nats;
    this.#identity = places.identity;
    this.#folder = places.folder;
  }

  static async open(): Promise<Servers> {
    await using stack = new AsyncDisposableStack();
    const nats = stack.use(await startNats(1));
    const { path: identity } = stack.use(await makeIdentity());
    const folder = await Deno.makeTempDir();
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    return new Servers(stack.move(), nats, { identity, folder });
  }

  async start(urls = this.nats.urls): Promise<RunningServer & { readonly tokens: string }> {
    const tokens = `${this.#folder}/tokens-${++this.#count}`;
    await Deno.writeTextFile(tokens, TOKENS.join("\n"), { mode: 0o600 });
    const shared = ["--nats", urls, "--identity-file", this.#identity, "--tokens-file", tokens];
    const server = this.#stack.use(
      await startServer({
        args: [...OPEN, ...shared, "--invites", "--hold", "10"],
        env: { CMDCHAT_CLUSTER_KEY: "A".repeat(43) },
      }),
    );
    return Object.defineProperties(Object.create(server), { tokens: { value: tokens } });
  }

  async [Symbol.asyncDispose]() {
    await this.#stack.disposeAsync();
  }
}

function join({ port }: RunningServer, token: string, more: Hello = {}): Promise<V2Peer> {
  return V2Peer.join({ port, hello: { name: "somebody", token, ...more } });
}

/** The word with which a server refuses somebody; undefined where it lets them in. */
async function refusal(
  { port }: RunningServer,
  token: string,
  more: Hello = {},
): Promise<string | undefined> {
  await using peer = await V2Peer.connect({ port, hello: { name: "somebody", token, ...more } });
  const answer = await peer.untilAny(
    (event): event is EventOf<"refused"> | EventOf<"welcome"> =>
      event.kind === "refused" || event.kind === "welcome",
  );
  return answer.kind === "refused" ? answer.reason : undefined;
}

async function mint(peer: V2Peer, { uses = 1, seconds = 3_600 } = {}): Promise<EventOf<"invited">> {
  const request = peer.nextId();
  await peer.send({ kind: "invite", id: request, title: "lobby", uses, seconds });
  return await peer.until("invited", (event) => event.request === request);
}

/** Why a member's request about invites is declined. */
async function declined(peer: V2Peer, about: object): Promise<string> {
  const request = peer.nextId();
  await peer.send({ id: request, ...about } as Parameters<V2Peer["send"]>[0]);
  return (await peer.until("declined", (event) => event.id === request)).why;
}

async function revoke(peer: V2Peer, invite: number): Promise<void> {
  const request = peer.nextId();
  await peer.send({ kind: "uninvite", id: request, invite });
  await peer.until("done", (event) => event.id === request);
}

/** Waits until `server` says this word, or lets in. */
async function becomes(wanted: string | undefined, about: () => Promise<string | undefined>) {
  const end = performance.now() + 20_000;
  for (let word = await about(); word !== wanted; word = await about()) {
    assert.ok(performance.now() < end, `it says ${word} and never ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("of those who come at the same instant to three servers by an invite for one, one comes in", async () => {
  await using servers = await Servers.open();
  const all = [await servers.start(), await servers.start(), await servers.start()] as const;
  await using alice = await join(all[0], "alices-token");
  let inside = 0;
  for (let round = 0; round < 12; round++) {
    const { token } = await mint(alice);
    // A server that has not read of it yet would refuse, and the race would be none.
    const known = all.map(async ({ port }) => {
      await becomes(
        "invalid_room",
        () => refusal({ port } as RunningServer, token, { rooms: [["", 0]] }),
      );
    });
    await Promise.all(known);
    const came = await Promise.all([...all, ...all].map((server) => refusal(server, token)));
    assert.equal(came.filter((word) => word === undefined).length, 1, `${came}`);
    assert.deepEqual(new Set(came), new Set([undefined, "unauthorized"]));
    inside++;
    for (const server of all) assert.equal(await refusal(server, token), "unauthorized");
  }
  assert.equal(inside, 12);
  // An old client is counted in as well.
  const { token } = await mint(alice);
  await becomes("invalid_room", () => refusal(all[1], token, { rooms: [["", 0]] }));
  await using old = await V1Peer.join({ port: all[1].port, token });
  assert.ok(old);
  for (const server of all) assert.equal(await refusal(server, token), "unauthorized");
});

test("who came by an invite goes on at another server once it is used up, and stays somebody who came by it", async () => {
  await using servers = await Servers.open();
  const [one, two] = [await servers.start(), await servers.start()];
  await using alice = await join(two, "alices-token");
  const { token } = await mint(alice);
  await becomes("invalid_room", () => refusal(one, token, { rooms: [["", 0]] }));
  const guest = await join(one, token);
  const { session, secret } = guest.welcome;
  await alice.until("joined");
  await one.stop("SIGKILL");
  const back = { session, secret, rooms: [["lobby", 0]] };
  // By its ticket and its token together, and by neither alone.
  assert.equal(await refusal(two, "wrong", back), "unauthorized");
  const stranger = { ...back, secret: new Uint8Array(32) };
  assert.equal(await refusal(two, token, stranger), "unauthorized");
  await using again = await join(two, token, back);
  assert.equal(again.welcome.resumed, true);
  assert.match(
    await declined(again, { kind: "invite", title: "", uses: 1, seconds: 60 }),
    /you joined with an invite yourself/,
  );
  // With the token of who made it, its guests go, at whichever server.
  await Deno.writeTextFile(two.tokens, "bob:bobs-token");
  two.signal("SIGHUP");
  await Promise.all([again.ended, alice.ended]);
  await guest.ended;
});

test("an invite that was revoked, or has ended, lets nobody in anywhere, also after all servers started anew", async () => {
  await using servers = await Servers.open();
  const [one, two] = [await servers.start(), await servers.start()];
  await using alice = await join(one, "alices-token");
  await using elsewhere = await join(two, "alices-token");
  await using bob = await join(two, "bobs-token");
  const [kept, revoked, brief, bobs] = [
    await mint(alice, { uses: 0 }),
    await mint(alice, { uses: 5 }),
    await mint(alice, { uses: 0, seconds: 1 }),
    await mint(bob),
  ];
  assert.deepEqual([kept, revoked, brief, bobs].map(({ invite }) => invite), [1, 2, 3, 4]);
  assert.match(await declined(bob, { kind: "uninvite", invite: 2 }), /no open invite with/);
  await revoke(elsewhere, 2);
  const listed = async (peer: V2Peer) => {
    const request = peer.nextId();
    await peer.send({ kind: "invites", id: request });
    return (await peer.until("invites", (event) => event.request === request)).list
      .map(([number]) => number);
  };
  await becomes("unauthorized", () => refusal(one, brief.token));
  assert.deepEqual(await listed(elsewhere), [1]);
  for (const server of [one, two]) {
    assert.deepEqual(
      [await refusal(server, revoked.token), await refusal(server, brief.token)],
      ["unauthorized", "unauthorized"],
    );
  }
  // A token that one server's operator takes out ends its invites on all.
  await Deno.writeTextFile(one.tokens, "alice:alices-token");
  one.signal("SIGHUP");
  await becomes("unauthorized", () => refusal(two, bobs.token));
  for (const server of [one, two]) await server.stop();
  const anew = await servers.start();
  for (const { token } of [revoked, brief, bobs]) {
    assert.equal(await refusal(anew, token), "unauthorized");
  }
  await using guest = await join(anew, kept.token);
  await using later = await join(anew, "alices-token");
  assert.deepEqual(await listed(later), [1]);
  assert.equal((await mint(later)).invite, 5);
  assert.ok(guest.welcome);
});

test("while NATS is away no invite is made, shown, ended or used, and each is told so; none is used up by that", async () => {
  await using servers = await Servers.open();
  await using network = new FaultyNetwork(Number(new URL(servers.nats.urls).port));
  const one = await servers.start();
  const cut = await servers.start(`127.0.0.1:${network.port}`);
  await using alice = await join(cut, "alices-token");
  const [once, twice] = [await mint(alice), await mint(alice, { uses: 2 })];
  await becomes("invalid_room", () => refusal(one, once.token, { rooms: [["", 0]] }));
  const { target } = network;
  // Nothing listens there.
  network.target = 1;
  network.swallow();
  // It does not know yet that it is cut off: a newcomer waits, and is told.
  assert.equal(await refusal(cut, twice.token), "unavailable");
  await using guest = await join(one, once.token);
  assert.ok(guest.welcome);
  await cut.logged(/NATS cannot be reached/, 20_000);
  for (
    const [about, what] of [
      [{ kind: "invite", title: "", uses: 1, seconds: 60 }, "make an invite"],
      [{ kind: "invites" }, "list invites"],
      [{ kind: "uninvite", invite: 1 }, "end invite 1"],
    ] as const
  ) {
    const why = await declined(alice, about);
    assert.equal(why, `Cannot ${what}: the other servers cannot be reached; try again later`);
  }
  // Used up elsewhere, never made, and open: it cannot tell, and says so.
  for (const token of [once.token, "x".repeat(22), twice.token]) {
    assert.equal(await refusal(cut, token), "unavailable");
  }
  network.target = target;
  await cut.logged(/NATS is reached again/, 30_000);
  await becomes("unauthorized", () => refusal(cut, once.token));
  // What was asked for while nobody could answer has used up nothing.
  await using first = await join(cut, twice.token);
  await using second = await join(one, twice.token);
  assert.ok(first.welcome && second.welcome);
  assert.equal(await refusal(one, twice.token), "unauthorized");
});

test("nobody comes in twice by entries that are written to NATS again, or once NATS has lost them all", async () => {
  await using servers = await Servers.open();
  const [one, two] = [await servers.start(), await servers.start()];
  await using alice = await join(one, "alices-token");
  const { token } = await mint(alice);
  const spare = await mint(alice, { uses: 0 });
  const connection = await connect({ servers: servers.nats.urls });
  await using _ = { [Symbol.asyncDispose]: () => connection.close() };
  const manager = await jetstreamManager(connection);
  const [stream] = await manager.streams.list().next();
  assert.ok(stream);
  const { name } = stream.config;
  const recorded: { subject: string; data: Uint8Array }[] = [];
  for (let seq = 1;; seq++) {
    const message = await manager.streams.getMessage(name, { seq }).catch(() => null);
    if (message === null) break;
    recorded.push({ subject: message.subject, data: message.data });
  }
  assert.ok(recorded.length > 2);
  await using guest = await join(two, token);
  assert.ok(guest.welcome);
  const publish = async () => {
    for (const { subject, data } of recorded) await jetstream(connection).publish(subject, data);
  };
  await publish();
  for (const server of [one, two]) assert.equal(await refusal(server, token), "unauthorized");
  assert.equal(await refusal(one, spare.token), undefined);
  // NATS has lost it all, and somebody gives it what it had before the invite was used.
  await manager.streams.purge(name);
  await publish();
  await one.logged(/invites are missing from NATS: all that were open have ended/, 10_000);
  await two.logged(/invites are missing from NATS/, 10_000);
  for (const server of [one, two]) {
    assert.equal(await refusal(server, token), "unauthorized");
    assert.equal(await refusal(server, spare.token), "unauthorized");
  }
  const fresh = await mint(alice);
  await becomes("invalid_room", () => refusal(two, fresh.token, { rooms: [["", 0]] }));
  assert.equal(await refusal(two, fresh.token), undefined);
  assert.equal(await refusal(one, fresh.token), "unauthorized");
});
