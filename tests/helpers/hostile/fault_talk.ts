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
  /** Messages of meanwhile may be refused, with words: nobody has read those. */
  readonly refuses?: RegExp;
  /** What is said meanwhile, beside its number; nothing unless told. */
  readonly more?: (message: number) => string;
}

/** What came of it. */
export interface FaultResult {
  readonly what: string;
  /** Messages that were said from its beginning to its end. */
  readonly said: number;
  /** The longest that one of those was without an answer; ms. */
  readonly longestMs: number;
  /** Messages that were refused. */
  readonly refused: number;
  /** What members were told, each text once. */
  readonly told: readonly string[];
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
    // Back before the others have elected (4 to 9 s), it would put their election off by its own votes.
    lastsMs: 11_000,
    restMs: 500,
    begin: () => node?.kill(),
    async end() {
      await node?.start();
      await node?.healthy();
    },
  };
}

interface Span {
  readonly fault: Fault;
  readonly from: number;
  readonly to: number;
  readonly told: readonly string[];
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

/** Ends after so many ms. */
export function pause(ms: number): Promise<void> {
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
  const now: { more?: Fault["more"] } = {};
  const talking = chats.map((chat, n) => talk(chat, n, { said, now, signal: ending.signal }));
  await pause(WARM_UP_MS);
  const spans: Span[] = [];
  for (const fault of faults) {
    const { what, begin, lastsMs, end, restMs, told, more } = fault;
    const [from, notes] = [performance.now(), chats.map((chat) => chat.notes.length)];
    await begin();
    if (more !== undefined) now.more = more;
    await pause(lastsMs);
    const since = () => chats.flatMap((chat, n) => chat.notes.slice(notes[n]));
    if (told !== undefined) {
      assert.ok(since().some((note) => told.test(note)), `${what}: nobody was told`);
    }
    delete now.more;
    await end();
    const to = performance.now();
    await pause(restMs);
    spans.push({ fault, from, to, told: [...new Set(since())] });
  }
  ending.abort();
  const open = () => said.filter(({ outcome }) => outcome === "").map(({ text }) => text);
  await within(Promise.all(talking), "an answer to every message", ALL_ANSWERED_MS)
    .catch((cause) => {
      throw new Error(`without an answer: ${open().join(" ")}`, { cause });
    });
  await judge(chats, said, spans);
  if (unnoticed) {
    const since = chats.flatMap(({ lines }, n) => lines.slice(before[n]));
    const texts = since.filter(({ kind }) => kind !== "chat").map(({ text }) => String(text));
    assert.deepEqual(texts.filter((text) => /joined|left|away|back\b(?! in)/.test(text)), []);
  }
  return spans.map((span) => {
    const during = said.filter((one) => isDuring(one, span));
    const waits = during.map(({ at, answeredAt }) => answeredAt - at);
    return {
      what: span.fault.what,
      said: during.length,
      longestMs: Math.max(0, ...waits),
      refused: during.filter(({ outcome }) => outcome === "refused").length,
      told: span.told,
    };
  });
}

function isDuring({ at }: Said, { from, to }: Span): boolean {
  return at >= from && at < to;
}

/** One line for each fault. */
export function resultLines(results: readonly FaultResult[]): string {
  return results.map(({ what, said, longestMs, refused, told }) =>
    [
      `${what}: ${said} messages, ${refused} refused, the longest without an answer for ${
        (longestMs / 1_000).toFixed(1)
      } s`,
      ...told.filter((text) => !/is away|is back|^ [+-]/.test(text)).map((text) => `  | ${text}`),
    ].join("\n")
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
  { said, now, signal }: {
    readonly said: Said[];
    readonly now: { readonly more?: Fault["more"] };
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const settled: Promise<void>[] = [];
  for (let message = 0; !signal.aborted; message++) {
    if (chat.requests.unsent < UNSENT_MAX) {
      const one: Said = {
        text: `${n}.${message}${now.more?.(message) ?? ""}`,
        at: performance.now(),
        answeredAt: Infinity,
        outcome: "",
      };
      said.push(one);
      settled.push(
        chat.say(one.text).then((outcome) => {
          one.outcome = typeof outcome === "string" ? outcome : "refused";
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
  spans: readonly Span[],
): Promise<void> {
  const { length } = said;
  assert.ok(length > chats.length * SAID_A_FAULT * spans.length, `${length} were said`);
  // What still waited when the fault began may be refused as well, and servers learn of its end a moment later.
  const mayBeRefused = ({ at, answeredAt }: Said) =>
    spans.some(({ fault, from, to }) =>
      fault.refuses !== undefined && answeredAt > from && at < to + 3_000
    );
  const isRight = (one: Said) =>
    one.outcome === "confirmed" || one.outcome === "refused" && mayBeRefused(one);
  assert.deepEqual(said.filter((one) => !isRight(one)), []);
  for (const span of spans) {
    const { fault: { what, refuses }, told } = span;
    if (refuses === undefined) continue;
    assert.ok(said.some((one) => one.outcome === "refused" && isDuring(one, span)), what);
    assert.ok(told.some((text) => refuses.test(text)), `${what}: refused without words`);
  }
  const expected = said.filter(({ outcome }) => outcome === "confirmed")
    .map(({ text }) => text).sort();
  const order = () => chats[0]?.heard.map(({ text }) => String(text));
  for (const chat of chats) {
    await chat.until(() => chat.heard.length >= expected.length, "all messages", ALL_HEARD_MS);
    const texts = chat.heard.map(({ text }) => String(text));
    assert.deepEqual(texts.toSorted(), expected, "each once");
    assert.deepEqual(texts, order(), "in one order");
  }
}
