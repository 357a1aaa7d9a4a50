// Clients that never stop sending, as a process of their own: `flooder.ts PORT ROOM KIND [COUNT]`. It prints `go` once they
// flood. In a process, because a flood in the test's own would keep the test from seeing anything.

import { concatBytes } from "../../../shared/base/bytes.ts";
import { type Payload, RawPeer, V1Peer } from "../peers/v1_peer.ts";

const PAYLOADS: Record<string, Payload> = {
  chat: { type: "chat", message: "x" },
  pong: { type: "pong" },
  system: { type: "system", message: "x" },
  rename: { type: "rename", name: "x" },
  chunk: {
    type: "file_chunk",
    file_id: "none",
    chunk_index: 0,
    chunk_data: "AAAA",
    is_final: false,
  },
};
const AT_ONCE = 500;
const DROPPED = new Uint8Array(65_536);

const [portText, room = "flood", kind = "chat", count = "1"] = Deno.args;
const port = Number(portText);

/** Joins; what it gives floods. */
async function joinV1(name: string): Promise<() => Promise<never>> {
  const peer = await V1Peer.join({ port, room, name, drop: true });
  const frame = peer.seal(PAYLOADS[kind]);
  const frames = concatBytes(Array.from({ length: AT_ONCE }, () => frame));
  return async () => {
    for (;;) await peer.raw.write(frames);
  };
}

async function joinV2(name: string): Promise<() => Promise<never>> {
  // Where nobody needs it, loading it would be most of the start.
  const { makeLoadKeys, V2Member } = await import("../../bench/load/v2_member.ts");
  const load = await makeLoadKeys();
  const raw = await RawPeer.connect({ port });
  const member = await V2Member.join(raw.conn, { load, name, room });
  const about = { room: member.entered.room, text: "x", action: false, reply: 0 } as const;
  let id = 0;
  const chat = () => member.seal({ kind: "chat", id: ++id, ...about });
  return async () => {
    void (async () => {
      while (await raw.conn.read(DROPPED) !== null);
    })();
    for (;;) await raw.write(concatBytes(Array.from({ length: AT_ONCE }, chat)));
  };
}

const join = kind === "chat-v2" ? joinV2 : joinV1;
const floods: (() => Promise<never>)[] = [];
for (let n = 0; n < Number(count); n++) floods.push(await join(`flooder${n}`));
Deno.stdout.writeSync(new TextEncoder().encode("go\n"));
await Promise.all(floods.map((flood) => flood()));
