// Load: v2 members that come back when their server is gone, with the pauses of the real client. Arguments: port, members,
// members a room. Says "joined N." after each hundred and at the end, and after the server was lost "back N late L.",
// where L of all attempts so far were given up as a client gives them up.

import { CONNECT_TIMEOUT_MS } from "../../../client/base/limits.ts";
import { Backoff } from "../../../client/session/reconnect.ts";
import { ServerBusyError } from "../../../shared/channel/handshake_error.ts";
import { pause } from "./load.ts";
import { makeLoadKeys, V2Member } from "./v2_member.ts";

const [port = "", count = "", perRoom = ""] = Deno.args;
const total = Number(count);
const SAY_EVERY = 100;
// At first they come one after another, as people do.
const JOINS_AT_ONCE = 16;

const load = await makeLoadKeys();
let next = 0;
let joined = 0;
let back = 0;
let late = 0;

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function join(i: number): Promise<V2Member> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  const timer = setTimeout(() => {
    late++;
    conn.close();
  }, CONNECT_TIMEOUT_MS);
  try {
    const room = `herd ${Math.floor(i / Number(perRoom))}`;
    return await V2Member.join(conn, { load, name: `herd${i}`, room });
  } finally {
    clearTimeout(timer);
  }
}

async function comeBack(i: number): Promise<V2Member> {
  const backoff = new Backoff();
  for (;;) {
    await pause(backoff.next());
    try {
      return await join(i);
    } catch (error) {
      // Refused, cut or late: it tries again, when the server said so where it did.
      if (error instanceof ServerBusyError) backoff.comeAfter(error.pauseMs);
    }
  }
}

async function stay(first: V2Member, i: number): Promise<void> {
  await first.attend();
  const second = await comeBack(i);
  if (++back % SAY_EVERY === 0 || back === total) say(`back ${back} late ${late}.`);
  await second.attend();
}

async function joinOn(): Promise<void> {
  for (let i = next++; i < total; i = next++) {
    const member = await join(i);
    if (++joined % SAY_EVERY === 0 || joined === total) say(`joined ${joined}.`);
    void stay(member, i);
  }
}

await Promise.all(Array.from({ length: JOINS_AT_ONCE }, joinOn));
for (;;) await pause(60_000);
