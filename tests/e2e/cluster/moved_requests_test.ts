// Requests that a server took and could not write to NATS yet, when their client goes on at another server.

import assert from "node:assert/strict";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { Between } from "../../helpers/hostile/between.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { startNats } from "../../helpers/system/nats.ts";

const test = skipWithout("nats-server");
const CRLF = new Uint8Array([13, 10]);

/** Between a server and NATS: passes on all but what the server writes to logs, for as long as a test wants it. */
class SlowLogs extends Between {
  /** Whether what is written to logs is held; what is held then never arrives. */
  holds = false;
  held = 0;

  protected async between(near: Deno.Conn, far: Deno.Conn): Promise<void> {
    await Promise.all([this.#up(near, far), far.readable.pipeTo(near.writable)]).catch(() => {});
  }

  /** NATS commands are lines; those that publish have a body behind them, whose length is their last word. */
  async #up(near: Deno.Conn, far: Deno.Conn): Promise<void> {
    const writer = far.writable.getWriter();
    let waiting = new Uint8Array();
    for await (const chunk of near.readable) {
      waiting = new Uint8Array([...waiting, ...chunk]);
      for (;;) {
        const end = waiting.findIndex((byte, at) =>
          byte === CRLF[0] && waiting[at + 1] === CRLF[1]
        );
        if (end < 0) break;
        const line = new TextDecoder().decode(waiting.subarray(0, end));
        const isPublish = /^H?PUB /.test(line);
        const size = end + 2 + (isPublish ? Number(line.split(" ").at(-1)) + 2 : 0);
        if (waiting.length < size) break;
        const isLog = isPublish && line.includes(" cmdchat.room.");
        if (isLog && this.holds) this.held++;
        else await writer.write(waiting.slice(0, size));
        waiting = waiting.slice(size);
      }
    }
  }
}

/** Two servers, one of which writes through `slow`; `ann` is there, and `bob` at the other one. */
async function openTwo(stack: AsyncDisposableStack) {
  const nats = stack.use(await startNats(1, ["--no_advertise"]));
  const identity = stack.use(await makeIdentity());
  const slow = stack.use(new SlowLogs(Number(new URL(nats.urls).port)));
  const start = async (urls: string): Promise<RunningServer> =>
    stack.use(
      await startServer({
        args: ["--nats", urls, "--identity-file", identity.path, "--rate-limit", "off"],
        env: { CMDCHAT_CLUSTER_KEY: "A".repeat(43) },
      }),
    );
  const [one, two] = [await start(`nats://127.0.0.1:${slow.port}`), await start(nats.urls)];
  await two.logged(/another server was found/, 10_000);
  const bob = stack.use(await V2Peer.join({ port: two.port, hello: { name: "bob" } }));
  const ann = stack.use(await V2Peer.join({ port: one.port, hello: { name: "ann" } }));
  await bob.until("joined", ({ name }) => name === "ann");
  return { slow, one, two, ann, bob };
}

/** As a client does that is asked to: it says so here, reads to the end, and goes on there. */
async function move(peer: V2Peer, to: RunningServer): Promise<V2Peer> {
  const { session, secret } = peer.welcome;
  await peer.send({ kind: "moving" });
  await peer.ended;
  const rooms: [string, number][] = [["lobby", 0]];
  const hello = { name: "ann", session, secret, rooms };
  const moved = await V2Peer.join({ port: to.port, hello });
  assert.equal(moved.welcome.resumed, true);
  return moved;
}

for (const end of ["is killed", "goes on"] as const) {
  test(`what a server took and cannot write reaches everybody once by the next one, before what is said later, where the first one ${end}`, async () => {
    await using stack = new AsyncDisposableStack();
    const { slow, one, two, ann, bob } = await openTwo(stack);
    slow.holds = true;
    const id = ann.nextId();
    const chat = { kind: "chat", id, room: ann.room(), text: "precious", action: false, reply: 0 };
    await ann.send(chat as Parameters<V2Peer["send"]>[0]);
    // It is taken, and on its way.
    const until = performance.now() + 5_000;
    while (slow.held === 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.ok(slow.held > 0);
    await using moved = stack.use(await move(ann, two));
    // She knows nothing of it, so she says it again, under its number.
    await moved.send({ ...chat, room: moved.room() } as Parameters<V2Peer["send"]>[0]);
    const later = { ...chat, id: id + 1, room: moved.room(), text: "later" };
    await moved.send(later as Parameters<V2Peer["send"]>[0]);
    if (end === "is killed") await one.stop("SIGKILL");
    else slow.holds = false;
    await moved.until("chat", ({ text }) => text === "later");
    await bob.until("chat", ({ text }) => text === "later");
    // The first server would write it by now.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const texts = ({ events }: V2Peer) =>
      events.flatMap((event) => event.kind === "chat" ? [event.text] : []);
    assert.deepEqual(texts(bob), ["precious", "later"]);
    assert.deepEqual(texts(moved), ["precious", "later"]);
  });
}

test("what one server declined is declined by the next one, and no request is done twice by repeating it there", async () => {
  await using stack = new AsyncDisposableStack();
  const { two, ann, bob } = await openTwo(stack);
  const [refused, said] = [ann.nextId(), ann.nextId()];
  const direct = { kind: "direct", id: refused, to: 1, text: "is anybody there?" } as const;
  const chat = { kind: "chat", id: said, room: ann.room(), text: "once", action: false, reply: 0 };
  await ann.send(direct, chat as Parameters<V2Peer["send"]>[0]);
  const { why } = await ann.until("declined", ({ id }) => id === refused);
  await bob.until("chat");
  await using moved = await move(ann, two);
  await moved.send(direct, { ...chat, room: moved.room() } as Parameters<V2Peer["send"]>[0]);
  assert.equal((await moved.until("declined", ({ id }) => id === refused)).why, why);
  await moved.until("done", ({ id }) => id === said);
  assert.equal(bob.events.filter(({ kind }) => kind === "chat").length, 1);
});
