// What is asked of one or several servers while something breaks, or is replaced: many members talk all the while, and
// in the end every message is at everybody, once, in one order.

import assert from "node:assert/strict";
import { LiveChat } from "../fakes/live_chat.ts";
import type { NatsCluster } from "../system/nats.ts";
import type { RunningServer } from "../programs/server_process.ts";
import { within } from "../peers/v1_peer.ts";

/** Where a server is. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Something that breaks for a while. */
export interface Fault {
  readonly what: string;
  readonly begin: () => Promise<unknown> | void;
  readonly lastsMs: number;
  readonly end: () => Promise<unknown> | void;
  /** How long all is well again before the next one. */
  readonly restMs: number;
  /** What members are told, at least one of them. */
  readonly told?: RegExp;
}

/** What came of it. */
export interface FaultResult {
  readonly what: string;
  /** Messages that were said from its beginning to its end. */
  readonly said: number;
  /** The longest that one of those was without an answer; ms. */
  readonly longestMs: number;
}

/** Who talks, through what. */
export interface TalkOptions {
  readonly members: number;
  /** Where the servers are now: one that was started again may be elsewhere. */
  readonly endpoints: () => readonly Endpoint[];
  readonly faults: readonly Fault[];
  readonly token?: string;
  /** Nobody may seem to come or go. */
  readonly unnoticed?: boolean;
}

/** The first server dies, and `again` starts it. */
export function serverKilled(
  servers: RunningServer[],
  { again, lastsMs }: { readonly again: () => Promise<RunningServer>; readonly lastsMs: number },
): Fault {
  return {
    what: "a server is killed, and started again",
    lastsMs,
    restMs: 1_500,
    begin: () => servers[0]?.stop("SIGKILL"),
    end: async () => servers[0] = await again(),
  };
}

/** A node of NATS dies, and has lost its memory when it is back. */
export function nodeKilled({ nodes: [, node] }: NatsCluster): Fault {
  return {
    what: "a NATS node is killed, and started empty",
    lastsMs: 4_000,
    restMs: 500,
    begin: () => node?.kill(),
    async end() {
      await node?.start();
      await node?.healthy();
    },
  };
}

interface Said {
  readonly text: string;
  readonly at: number;
  answeredAt: number;
  outcome: string;
}

// A server waits 3 s for another that had a session and does not say so: who gives up sooner never gets in.
const ATTEMPT_MS = 5_000;
const ALL_IN_MS = 30_000;
const ALL_ANSWERED_MS = 60_000;
const ALL_HEARD_MS = 30_000;
const WARM_UP_MS = 1_500;
const UNSENT_MAX = 5;
// Each member's share of what makes a fault worth its name.
const SAID_A_FAULT = 3;
// Each at a pace of its own.
const PACE_MS = { least: 400, step: 10 };

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Lets members talk while one fault after another happens, and throws an AssertionError where anything got lost. */
export async function talkThrough(
  { members, endpoints, faults, token, unnoticed = false }: TalkOptions,
): Promise<FaultResult[]> {
  await using stack = new AsyncDisposableStack();
  const chats = Array.from({ length: members }, (_, n) => stack.use(openChat(n, endpoints, token)));
  for (const chat of chats) {
    const all = () => chat.chat.room.roster.names.length === members;
    await chat.until(all, "all in", ALL_IN_MS);
  }
  const before = chats.map(({ lines }) => lines.length);
  const said: Said[] = [];
  const ending = new AbortController();
  const talking = chats.map((chat, n) => talk(chat, n, { said, signal: ending.signal }));
  await pause(WARM_UP_MS);
  const spans: { readonly what: string; readonly from: number; readonly to: number }[] = [];
  for (const { what, begin, lastsMs, end, restMs, told } of faults) {
    const [from, notes] = [performance.now(), chats.map((chat) => chat.notes.length)];
    await begin();
    await pause(lastsMs);
    if (told !== undefined) {
      const since = chats.flatMap((chat, n) => chat.notes.slice(notes[n]));
      assert.ok(since.some((note) => told.test(note)), `${what}: nobody was told`);
    }
    await end();
    spans.push({ what, from, to: performance.now() });
    await pause(restMs);
  }
  ending.abort();
  const open = () => said.filter(({ outcome }) => outcome === "").map(({ text }) => text);
  await within(Promise.all(talking), "an answer to every message", ALL_ANSWERED_MS)
    .catch((cause) => {
      throw new Error(`without an answer: ${open().join(" ")}`, { cause });
    });
  await judge(chats, said, faults.length);
  if (unnoticed) {
    const since = chats.flatMap(({ lines }, n) => lines.slice(before[n]));
    const texts = since.filter(({ kind }) => kind !== "chat").map(({ text }) => String(text));
    assert.deepEqual(texts.filter((text) => /joined|left|away|back\b(?! in)/.test(text)), []);
  }
  return spans.map(({ what, from, to }) => {
    const during = said.filter(({ at }) => at >= from && at < to);
    const waits = during.map(({ at, answeredAt }) => answeredAt - at);
    return { what, said: during.length, longestMs: Math.max(0, ...waits) };
  });
}

/** One line for each fault. */
export function resultLines(results: readonly FaultResult[]): string {
  return results.map(({ what, said, longestMs }) =>
    `${what}: ${said} messages, the longest without an answer for ${
      (longestMs / 1_000).toFixed(1)
    } s`
  ).join("\n");
}

// As behind one name with several addresses: the next attempt goes to the next server.
function openChat(n: number, endpoints: () => readonly Endpoint[], token?: string): LiveChat {
  let attempt = n;
  const next = () => {
    const all = endpoints();
    return all[attempt++ % all.length] as Endpoint;
  };
  return new LiveChat({
    name: `m${n}`,
    endpoint: next,
    attemptMs: ATTEMPT_MS,
    ...(token === undefined ? {} : { token }),
  });
}

async function talk(
  { chat }: LiveChat,
  n: number,
  { said, signal }: { readonly said: Said[]; readonly signal: AbortSignal },
): Promise<void> {
  const settled: Promise<void>[] = [];
  for (let message = 0; !signal.aborted; message++) {
    if (chat.requests.unsent < UNSENT_MAX) {
      const one: Said = {
        text: `${n}.${message}`,
        at: performance.now(),
        answeredAt: Infinity,
        outcome: "",
      };
      said.push(one);
      settled.push(
        chat.say(one.text).then((outcome) => {
          one.outcome = outcome;
          one.answeredAt = performance.now();
        }),
      );
    }
    await pause(PACE_MS.least + PACE_MS.step * n);
  }
  await Promise.all(settled);
}

async function judge(
  chats: readonly LiveChat[],
  said: readonly Said[],
  faults: number,
): Promise<void> {
  const { length } = said;
  assert.ok(length > chats.length * SAID_A_FAULT * faults, `${length} were said`);
  assert.deepEqual(said.filter(({ outcome }) => outcome !== "confirmed"), []);
  const expected = said.map(({ text }) => text).sort();
  const order = () => chats[0]?.heard.map(({ text }) => String(text));
  for (const chat of chats) {
    await chat.until(() => chat.heard.length >= expected.length, "all messages", ALL_HEARD_MS);
    const texts = chat.heard.map(({ text }) => String(text));
    assert.deepEqual(texts.toSorted(), expected, "each once");
    assert.deepEqual(texts, order(), "in one order");
  }
}
