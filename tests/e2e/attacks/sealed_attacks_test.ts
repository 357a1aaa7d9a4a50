// What a hostile server can do to a sealed room, and what the users of the real client are shown then, over real
// sockets. The words that they see stand in sealed_attacks.txt beside this file.

import assert from "node:assert/strict";
import { rosterDigest } from "../../../shared/messages/roster_digest.ts";
import type { SealedEvent } from "../../../shared/messages/messages_v2.ts";
import { startClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { type HostileLink, HostileServer } from "../../helpers/hostile/hostile_server.ts";
import type { Program } from "../../helpers/programs/programs.ts";
import { readText } from "../../helpers/repo/sources.ts";

type Frame = Extract<SealedEvent, { kind: "sealed_frame" }>;

const home = temporaryHome();
const SECRET = "q".repeat(42) + "A";
const script = await readText("tests/e2e/attacks/sealed_attacks.txt");

/** What sealed_attacks.txt says of an attack: lines of "who: level: text". */
function expected(attack: string): string[] {
  const [, section = ""] = script.split(`# ${attack}\n`);
  const lines = section.split("\n# ")[0]?.split("\n").filter((line) => line !== "") ?? [];
  assert.ok(lines.length > 0, `sealed_attacks.txt has no section "${attack}"`);
  return lines;
}

/** A hostile server and the people who use it. */
class Scene implements AsyncDisposable {
  readonly server: HostileServer;
  readonly people = new Map<string, Program>();

  constructor(server: HostileServer) {
    this.server = server;
  }

  /** Somebody comes in by the link; resolves when they are in, or not at all for one who cannot. */
  async enter(name: string, { isIn = true } = {}): Promise<Program> {
    const client = startClient(home, {
      args: ["--name", name, "--renderer", "json", "--no-downloads"],
      env: { CMDCHAT_LINK: `cmdchat://127.0.0.1:${this.server.port}/den#secret=${SECRET}` },
    });
    this.people.set(name, client);
    if (isIn) await client.prints(/"event":"names"/);
    return client;
  }

  of(name: string): Program {
    return this.people.get(name) as Program;
  }

  /** The link of whoever came as the n-th, from 0. */
  link(n: number): HostileLink {
    return this.server.links[n] as HostileLink;
  }

  /** Somebody says something, and everybody else reads it. */
  async say(who: string, text: string): Promise<void> {
    await this.of(who).type(text);
    for (const client of this.people.values()) await this.reads(client, text);
  }

  async reads(client: Program, text: string): Promise<void> {
    await client.prints(new RegExp(`"kind":"chat"[^\n]*"text":"${text}"`));
  }

  /** Everybody is shown exactly what the script says; warnings and dangers alone. */
  async shows(attack: string): Promise<void> {
    const lines = expected(attack);
    for (const line of lines) {
      const [name = "", level = "", ...rest] = line.split(": ");
      const text = rest.join(": ").replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
      await this.of(name).prints(new RegExp(`"level":"${level}","text":"${text}"`));
    }
    assert.deepEqual(this.alarms().sort(), lines.sort());
  }

  alarms(): string[] {
    return [...this.people].flatMap(([name, { stdout }]) =>
      stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line))
        .filter(({ kind, level }) => kind === "note" && ["warning", "danger"].includes(level))
        // The first one in is told so, as it should be; a busy machine is late with the rest.
        .filter(({ text }) => !/nobody else is here|took the connection/.test(text))
        .map(({ level, text }) => `${name}: ${level}: ${text.replaceAll('"', "'")}`)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.people.values()) await client[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

async function scene(...names: string[]): Promise<Scene> {
  const scene = new Scene(await HostileServer.start());
  for (const name of names) {
    const client = await scene.enter(name);
    const isFirst = scene.people.size === 1;
    await client.prints(isFirst ? /nobody else is here/ : /confirms that you are in the room/);
  }
  return scene;
}

const flip = (body: Uint8Array) => body.map((byte, at) => at === 60 ? byte ^ 1 : byte);

Deno.test("the server adds a ghost: everybody refuses it, and is told", async () => {
  await using room = await scene("alice", "bob");
  await room.say("alice", "before");
  const ghost = { handleBytes: new Uint8Array(16).fill(9) } as HostileLink;
  const { relay } = room.server;
  const body = crypto.getRandomValues(new Uint8Array(1_052));
  relay.publish(ghost, { type: "commit", epoch: relay.epoch ?? 0, ask: 0, body });
  await room.shows("ghost");
  await room.say("bob", "after");
});

Deno.test("the server changes a message", async () => {
  await using room = await scene("alice", "bob");
  room.server.relay.meddle = (frame, to) =>
    to === room.link(1) ? { ...frame, body: flip(frame.body) } : frame;
  await room.of("alice").type("changed on its way");
  await room.shows("changed");
});

Deno.test("the server replays a message under a new number", async () => {
  await using room = await scene("alice", "bob");
  await room.say("alice", "pay him");
  const { relay } = room.server;
  const old = relay.frames.at(-1) as Frame;
  relay.publish(room.link(0), old);
  await room.shows("replayed");
  assert.equal(room.of("bob").stdout.match(/"text":"pay him"/g)?.length, 1);
});

for (const how of ["left out", "repeated"] as const) {
  Deno.test(`the server has ${how} a message: it is noticed, and the member comes back by itself`, async () => {
    await using room = await scene("alice", "bob");
    let done = false;
    room.server.relay.meddle = (frame, to) => {
      if (to !== room.link(1) || done) return frame;
      done = true;
      if (how === "left out") return undefined;
      room.link(1).send(frame);
      return frame;
    };
    await room.of("alice").type("one");
    await room.reads(room.of("alice"), "one");
    await room.of("alice").type("two");
    await room.shows(how);
    await room.of("bob").prints(/(?:confirms that you are[^]*){2}/);
    await room.say("alice", "three");
  });
}

Deno.test("the server shows two members different orders", async () => {
  await using room = await scene("alice", "bob", "carol");
  const held: Frame[] = [];
  room.server.relay.meddle = (frame, to) => {
    if (to !== room.link(1) || held.length > 1) return frame;
    held.push(frame);
    const [first, second] = held;
    if (first === undefined || second === undefined) return undefined;
    room.link(1).send({ ...second, seq: first.seq });
    return { ...first, seq: second.seq };
  };
  await room.of("alice").type("yes");
  await room.reads(room.of("carol"), "yes");
  await room.of("carol").type("shall we go");
  await room.reads(room.of("bob"), "shall we go");
  await room.of("bob").type("so who says yes");
  await room.shows("different orders");
});

Deno.test("the server says that a message is ours", async () => {
  await using room = await scene("alice", "bob");
  room.server.relay.meddle = (frame, to) =>
    to === room.link(0) ? { ...frame, from: room.link(0).handleBytes } : frame;
  await room.of("bob").type("I owe bob money");
  await room.shows("in your name");
  assert.doesNotMatch(room.of("alice").stdout, /owe bob money/);
});

Deno.test("the server swallows what we say", async () => {
  await using room = await scene("alice", "bob");
  room.server.onRequest = (_, { kind }) => kind !== "sealed_app";
  await room.of("alice").type("can you hear me");
  await room.shows("swallowed");
  room.server.onRequest = () => true;
  await room.reads(room.of("bob"), "can you hear me");
});

Deno.test("the server invents a room for a newcomer", async () => {
  await using room = await scene("alice");
  room.server.relay.meddleInfo = (body) => crypto.getRandomValues(new Uint8Array(body.length));
  await room.enter("bob", { isIn: false });
  await room.shows("invented");
  assert.doesNotMatch(room.of("bob").stdout, /"event":"names"/);
});

Deno.test("the server shows a newcomer an old room, where nobody is any more", async () => {
  await using room = await scene("alice", "bob");
  const { relay } = room.server;
  let old: { epoch: number; body: Uint8Array } | undefined;
  relay.meddleInfo = (body) => {
    old = { epoch: relay.epoch ?? 0, body };
    return body;
  };
  await room.enter("carol");
  assert.ok(old !== undefined);
  const stale = old;
  // From here on the server keeps dave in a room of its own: the group as it was before carol.
  room.server.onRequest = (link, request) => {
    if (link !== room.link(3)) return true;
    if (request.kind === "sealed_join") {
      link.send({ kind: "sealed_group_info", ask: request.ask, ...stale });
      return false;
    }
    if (request.kind !== "sealed_commit" && request.kind !== "sealed_app") return true;
    const seq = request.kind === "sealed_commit" ? 1_000 : 1_001;
    const { ask, epoch, body } = request;
    const type = request.kind === "sealed_commit" ? "commit" : "app";
    const from = link.handleBytes;
    const roster = request.kind === "sealed_commit" ? rosterDigest(request) : new Uint8Array();
    link.send({
      kind: "sealed_frame",
      room: 1,
      seq,
      type,
      epoch,
      from,
      ask,
      time: 0,
      roster,
      body,
    });
    return false;
  };
  await room.enter("dave");
  await room.shows("old room");
});

Deno.test("the server splits the room: the halves cannot read each other, and their codes differ", async () => {
  await using room = await scene("alice", "bob");
  const codeOf = async (name: string) => {
    const client = room.of(name);
    await client.type("/code");
    await client.prints(/Code of [^\n]*: ((?:\d{5} ){5}\d{5})/);
    return /Code of [^\n]*: ((?:\d{5} ){5}\d{5})/.exec(client.stdout)?.[1];
  };
  // Bob is shown nothing that alice does from now on: carol comes into alice's half only.
  room.server.relay.meddle = (frame, to) => to === room.link(1) ? undefined : frame;
  await room.enter("carol");
  await room.of("carol").prints(/confirms that you are in the room/);
  await room.of("alice").type("bob reads nothing of this");
  await room.reads(room.of("carol"), "bob reads nothing of this");
  const [alice, bob, carol] = await Promise.all(["alice", "bob", "carol"].map(codeOf));
  assert.equal(alice, carol);
  assert.notEqual(alice, bob);
  assert.doesNotMatch(room.of("bob").stdout, /bob reads nothing/);
});

Deno.test("the server lies that somebody is gone: who is removed says no, and it is undone", async () => {
  await using room = await scene("alice", "bob");
  const bob = room.link(1).handleBytes;
  room.link(0).send(
    { kind: "sealed_gone", room: 1, handle: bob, left: false },
    { kind: "sealed_evict_please", room: 1, handles: [bob] },
  );
  await room.shows("said to be gone");
  room.link(0).send({ kind: "sealed_back", room: 1, handle: bob });
  await room.say("bob", "I am here");
});

Deno.test("the server undoes a removal: everybody is shown who is back", async () => {
  await using room = await scene("alice", "bob", "carol");
  await room.of("carol").type("/quit");
  await room.of("alice").prints(/"event":"away"[^\n]*"name":"carol"/);
  const { relay } = room.server;
  const handles = [room.link(2).handleBytes];
  room.link(0).send({ kind: "sealed_evict_please", room: 1, handles });
  for (const name of ["alice", "bob"]) {
    await room.of(name).prints(/"event":"left"[^\n]*"name":"carol"/);
  }
  const commit = relay.frames.at(-1) as Frame;
  assert.equal(commit.type, "commit");
  relay.epoch = commit.epoch;
  for (const n of [0, 1]) {
    const { seq, epoch } = commit;
    room.link(n).send({ kind: "sealed_void", room: 1, seq, epoch, last: relay.seq });
  }
  room.people.delete("carol");
  await room.shows("removal undone");
  const back = /"event":"left"[^\n]*"name":"carol"[^]*"event":"joined"[^\n]*"name":"carol"/;
  for (const name of ["alice", "bob"]) await room.of(name).prints(back);
});

Deno.test("the server undoes a kick: who is back is shown, and the maker's client removes them again", async () => {
  await using room = await scene("alice", "bob", "carol");
  // Once bob's place is asked about, a further commit closes the way back.
  room.server.onRequest = (_, { kind }) => kind !== "sealed_leave";
  await room.of("alice").type("/kick bob enough");
  await room.of("bob").prints(/"event":"moderated"[^\n]*removed bob: enough/);
  await room.of("carol").prints(/"event":"left"[^\n]*"name":"bob"/);
  const { relay } = room.server;
  const commit = relay.frames.at(-1) as Frame;
  assert.equal(commit.type, "commit");
  relay.epoch = commit.epoch;
  for (const n of [0, 2]) {
    const { seq, epoch } = commit;
    room.link(n).send({ kind: "sealed_void", room: 1, seq, epoch, last: relay.seq });
  }
  room.people.delete("bob");
  const again =
    /"event":"left"[^\n]*"name":"bob"[^]*"event":"joined"[^\n]*"name":"bob"[^]*"event":"left"[^\n]*"name":"bob"/;
  for (const name of ["alice", "carol"]) await room.of(name).prints(again);
  await room.shows("kick undone");
  await room.say("carol", "peace");
});
