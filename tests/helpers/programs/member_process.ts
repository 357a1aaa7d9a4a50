// A client as a process of its own, to be killed: `member_process.ts PORT ROOM NAME`. It prints `in` once it is.

import { V1Peer } from "../peers/v1_peer.ts";

const [port, room = "lobby", name = "victim"] = Deno.args;
const peer = await V1Peer.join({ port: Number(port), room, name });
Deno.stdout.writeSync(new TextEncoder().encode("in\n"));
await peer.closed;
