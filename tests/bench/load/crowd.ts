// Load: many v2 members that sit in rooms. A process of its own, so that what they read delays nobody who is measured.
// Arguments: port, members, members a room, the start of the rooms' names, what they do with what comes ("open" it now and
// then, "drop" it at once), file of the certificate where it is TLS, or "websocket". With "raw" for the names: connections
// that only connect. Says "joined N" after each hundred and at the end.

import { overWebSocket } from "../../helpers/web/web_socket_conn.ts";
import { connectTls, pause } from "./load.ts";
import { makeLoadKeys, V2Member } from "./v2_member.ts";

const [port = "", count = "", perRoom = "", kind = "", reading = "", carrier] = Deno.args;
const JOINS_AT_ONCE = 8;
// One after another: a connection that waits for the server to accept it may be refused.
const CONNECTS_AT_ONCE = 1;
const SAY_EVERY = 100;

const total = Number(count);
const kept: unknown[] = [];
let next = 0;
let joined = 0;

const isWebSocket = carrier === "websocket";
const cert = carrier === undefined || isWebSocket ? undefined : await Deno.readTextFile(carrier);

async function connect(): Promise<Deno.Conn> {
  if (cert !== undefined) return await connectTls(Number(port), cert);
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  return isWebSocket ? await overWebSocket(conn) : conn;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function joinOn(join: (i: number) => Promise<void>): Promise<void> {
  for (let i = next++; i < total; i = next++) {
    await join(i);
    if (++joined % SAY_EVERY === 0 || joined === total) say(`joined ${joined}.`);
  }
}

async function main(): Promise<void> {
  if (kind === "raw") {
    const join = async () => void kept.push(await connect());
    await Promise.all(Array.from({ length: CONNECTS_AT_ONCE }, () => joinOn(join)));
  } else {
    const load = await makeLoadKeys();
    const join = async (i: number) => {
      const room = `${kind} ${Math.floor(i / Number(perRoom))}`;
      const member = await V2Member.join(await connect(), { load, name: `crowd${i}`, room });
      void (reading === "drop" ? member.drop() : member.attend());
    };
    await Promise.all(Array.from({ length: JOINS_AT_ONCE }, () => joinOn(join)));
  }
  for (;;) await pause(60_000);
}

await main();
