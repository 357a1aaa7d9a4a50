// Somebody who opens connections from an address of their own and logs in as often as they can. A flood is a process of its
// own, `many_logins.ts KIND FROM PORT SOCKETS MS`: in that of a test it would keep the thread that measures the others.

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { encodeFrame, FrameReader } from "../../../shared/channel/frame.ts";
import { ClientHandshake } from "../../../shared/channel/handshake.ts";
import { BatchReader, frameBody, packBatches } from "../../../shared/channel/record_batch.ts";
import { RecordCipher } from "../../../shared/channel/record_cipher.ts";
import { decodeEvent, encodeRequest } from "../../../shared/messages/codec_v2.ts";
import { testRsa } from "../peers/v2_peer.ts";
import { type SideWork, startSideWork } from "./side_process.ts";

/** Where a stranger comes from and where it goes. */
export interface Stranger {
  /** An address of this machine, such as 127.0.0.9. */
  readonly from: string;
  readonly port: number;
}

/** What a flood of handshakes came to. */
export interface Flood {
  /** Handshakes that the server computed. */
  readonly answered: number;
  readonly tried: number;
}

async function open({ from, port }: Stranger): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, localAddress: from });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Whether anything comes. */
async function firstBytes(socket: Socket): Promise<boolean> {
  for await (const _ of socket.iterator({ destroyOnReturn: false })) return true;
  return false;
}

/** The next frame; undefined at the end. */
async function nextFrame(socket: Socket, reader: FrameReader): Promise<Uint8Array | undefined> {
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    for (const frame of reader.push(chunk)) return frame.slice();
  }
  return undefined;
}

/** How long a flood lasts, and over how many connections at a time. */
export interface FloodSize {
  readonly sockets: number;
  readonly ms: number;
}

/** What comes first: of a session, or of TLS, to which the server answers with its signature. */
export type FloodKind = "session" | "tls";

/** Begins to send one first message over `sockets` connections at a time, again and again for `ms`. */
export function startFlood(
  kind: FloodKind,
  { from, port }: Stranger,
  { sockets, ms }: FloodSize,
): Promise<SideWork> {
  return startSideWork("hostile/many_logins", kind, from, ...[port, sockets, ms].map(String));
}

/** What it came to, once it is over. */
export async function floodOf({ result }: SideWork): Promise<Flood> {
  return JSON.parse(await result);
}

/** One for all connections: the server cannot know, and the flood costs nothing. */
async function firstOf(kind: FloodKind): Promise<Uint8Array> {
  if (kind === "tls") return await clientHello();
  return encodeFrame((await ClientHandshake.start({ rsa: await testRsa() })).firstMessage);
}

/** What a TLS client says first. */
async function clientHello(): Promise<Uint8Array> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  const client = connectTls({ host: "127.0.0.1", port, servername: "localhost" });
  client.on("error", () => {});
  const [socket] = await once(server, "connection") as [Socket];
  const [bytes] = await once(socket, "data") as [Uint8Array];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes.slice();
}

async function flood(
  stranger: Stranger,
  first: Uint8Array,
  { sockets, ms }: FloodSize,
): Promise<Flood> {
  const until = performance.now() + ms;
  let [answered, tried] = [0, 0];
  const one = async () => {
    while (performance.now() < until) {
      tried++;
      try {
        const socket = await open(stranger);
        socket.write(first);
        if (await firstBytes(socket)) answered++;
        socket.destroy();
      } catch {
        // Refused: it tries again.
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  await Promise.all(Array.from({ length: sockets }, one));
  return { answered, tried };
}

/** Logs in with a token; gives the reason of the refusal, or "welcome", or "closed". */
export async function tryToken(stranger: Stranger, token: string): Promise<string> {
  const socket = await open(stranger);
  const reader = new FrameReader();
  try {
    const handshake = await ClientHandshake.start({ rsa: await testRsa() });
    socket.write(encodeFrame(handshake.firstMessage));
    const answer = await nextFrame(socket, reader);
    if (answer === undefined) return "closed";
    const { keys } = await handshake.receive(answer);
    const cipher = new RecordCipher(keys, { role: "client", now: () => performance.now() });
    const hello = { kind: "hello", name: "eve", token, session: null, secret: null } as const;
    const batches = packBatches([frameBody(encodeRequest({ ...hello, rooms: [["lobby", 0]] }))]);
    for (const parts of batches) socket.write(cipher.seal(parts));
    const record = await nextFrame(socket, reader);
    if (record === undefined) return "closed";
    const [body] = new BatchReader().push(cipher.open(record));
    const event = body === undefined ? undefined : decodeEvent(body);
    return event?.kind === "refused" ? event.reason : event?.kind ?? "closed";
  } finally {
    socket.destroy();
  }
}

if (import.meta.main) {
  const [kind = "session", from = "", ...numbers] = Deno.args;
  const [port = 0, sockets = 0, ms = 0] = numbers.map(Number);
  const first = await firstOf(kind as FloodKind);
  const say = (text: string) => void Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
  say("go");
  say(JSON.stringify(await flood({ from, port }, first, { sockets, ms })));
}
