// A client that never stops sending, as a process of its own: `flooder.ts PORT ROOM KIND`. It prints `go` once it
// floods. In a process, because a flood in the test's own would keep the test from seeing anything.

import { type Payload, V1Peer } from "../peers/v1_peer.ts";

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

const [port, room = "flood", kind = "chat"] = Deno.args;
const peer = await V1Peer.join({ port: Number(port), room, name: "flooder", drop: true });
const frame = peer.seal(PAYLOADS[kind]);
const frames = new Uint8Array(frame.length * 500);
for (let n = 0; n < 500; n++) frames.set(frame, n * frame.length);
Deno.stdout.writeSync(new TextEncoder().encode("go\n"));
for (;;) await peer.raw.write(frames);
