import assert from "node:assert/strict";
import { sayFarewell } from "../../../client/session/farewell.ts";
import { SessionV2 } from "../../../client/session/session_v2.ts";
import type { Connection } from "../../../client/net/endpoint.ts";
import type { Introduction, Ticket } from "../../../client/session/session.ts";
import type { Event } from "../../../shared/messages/messages_v2.ts";
import { ManualClock, turns } from "../../helpers/fakes/chat_fakes.ts";
import { FakeV2Server, WELCOME } from "../../helpers/peers/v2_fake_server.ts";
import { testRsa } from "../../helpers/peers/v2_peer.ts";

const NEVER = new Promise<never>(() => {});

/** A connection on which the test decides what comes, and that remembers in which order it was ended. */
class Parting {
  readonly done: string[] = [];
  readonly clock = new ManualClock();
  #heard = Promise.withResolvers<IteratorResult<Uint8Array>>();

  /** `say`: what becomes of the last word. */
  start(say: () => Promise<void>, isSilent = false): Promise<void> {
    const connection: Pick<Connection, "finishWriting" | "close"> = {
      finishWriting: () => {
        this.done.push("finished");
        return Promise.resolve();
      },
      close: () => void this.done.push("closed"),
    };
    const frames = { next: () => this.#heard.promise };
    const { clock } = this;
    return sayFarewell({ connection: connection as Connection, frames, clock, say, isSilent });
  }

  hear(done = false): void {
    const { resolve } = this.#heard;
    this.#heard = done ? this.#heard : Promise.withResolvers();
    resolve(done ? { done, value: undefined } : { done, value: Uint8Array.of(1) });
  }

  readonly word = (): Promise<void> => {
    this.done.push("said");
    return Promise.resolve();
  };
}

Deno.test("the last word goes out before the end of writing, and the connection is closed behind the server", async () => {
  const parting = new Parting();
  const leaving = parting.start(parting.word);
  for (let n = 0; n < 10; n++) {
    parting.hear();
    await turns();
  }
  assert.deepEqual(parting.done, ["said", "finished"]);
  parting.hear(true);
  await leaving;
  assert.deepEqual(parting.done, ["said", "finished", "closed"]);
});

Deno.test("a network that is dead is waited for 1 s, one that goes on sending for 3 s", async () => {
  const dead = new Parting();
  const leaving = dead.start(dead.word);
  await turns();
  await dead.clock.pass(999);
  assert.ok(!dead.done.includes("closed"));
  await dead.clock.pass(1);
  await leaving;

  const busy = new Parting();
  const leavingBusy = busy.start(busy.word);
  await turns();
  for (let tenth = 0; tenth < 29; tenth++) {
    busy.hear();
    await busy.clock.pass(100);
  }
  assert.ok(!busy.done.includes("closed"));
  await busy.clock.pass(100);
  await leavingBusy;
  assert.ok(busy.done.includes("closed"));
});

Deno.test("a server that owes a sign of life is told, and not waited for", async () => {
  const parting = new Parting();
  await parting.start(parting.word, true);
  assert.deepEqual(parting.done, ["said", "finished", "closed"]);
});

Deno.test("a last word that cannot be written costs no more than the same time, whatever becomes of it", async () => {
  for (const say of [() => NEVER, () => Promise.reject(new Error("broken"))]) {
    const parting = new Parting();
    const leaving = parting.start(say);
    for (let second = 0; second < 2; second++) await parting.clock.pass(1_000);
    await leaving;
    assert.deepEqual(parting.done, ["closed"]);
  }
});

Deno.test("who leaves is told no event any more, and its events end after the connection", async () => {
  const server = new FakeV2Server(WELCOME);
  const session = await openSession(server);
  const seen: Event[] = [];
  const reading = (async () => {
    for await (const event of session.events()) seen.push(event);
  })();
  await turns();
  const leaving = session.leave();
  server.tell({ kind: "notice", room: 0, text: "too late" });
  session.close();
  await Promise.all([leaving, reading]);
  assert.deepEqual(server.requests.map(({ kind }) => kind), ["hello", "ping", "bye"]);
  assert.deepEqual(seen, []);
});

Deno.test("who stops to read its events can still leave", async () => {
  const server = new FakeV2Server(WELCOME);
  const session = await openSession(server);
  server.tell({ kind: "notice", room: 0, text: "one" });
  for await (const _ of session.events()) break;
  await session.leave();
  assert.equal(server.requests.at(-1)?.kind, "bye");
});

for (const isFormer of [false, true]) {
  const what = isFormer
    ? "leaves its former session held"
    : "says goodbye, as its session may be open";
  Deno.test(`an attempt that is given up behind its hello ${what}`, async () => {
    const server = new FakeV2Server();
    const leaving = new AbortController();
    const ticket = {
      server: "fingerprint" as never,
      session: new Uint8Array(16),
      secret: new Uint8Array(32),
    };
    const opening = openSession(server, leaving.signal, isFormer ? ticket : undefined);
    opening.catch(() => {});
    while (server.requests.length === 0) await turns();
    leaving.abort(new Error("given up"));
    await assert.rejects(opening);
    assert.deepEqual(
      server.requests.map(({ kind }) => kind),
      isFormer ? ["hello"] : ["hello", "bye"],
    );
    assert.equal(server.closed, true);
  });
}

async function openSession(
  server: FakeV2Server,
  signal?: AbortSignal,
  ticket?: Ticket,
): Promise<SessionV2> {
  return await SessionV2.open(server.connection, {
    keyPair: await testRsa(),
    tls: false,
    expected: undefined,
    introduce: () => Promise.resolve(introduction(ticket)),
    ...(signal === undefined ? {} : { signal }),
  });
}

function introduction(ticket: Ticket | undefined): Introduction {
  return { name: "alice", rooms: [["lobby", 0]], token: undefined, ticket };
}
