// Shares the machine: runs beside another file of whole programs.

// A receiver that asks for a file again and again, each time as somebody new: its address gets its share and no more.

// deno-lint-ignore-file no-console

import assert from "node:assert/strict";
import { FILE_CHUNK_BYTES, FILE_PULLS } from "../../../shared/base/limits.ts";
import type { Event, Request } from "../../../shared/messages/messages_v2.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { startServer } from "../../helpers/programs/server_process.ts";

const CHUNKS = 32;
const FILE = "f";
const DATA = new Uint8Array(FILE_CHUNK_BYTES).fill(7);
const SESSIONS = 60;

Deno.test("a file of 1 MiB is not sent without end to one address that comes as somebody new each time", async () => {
  await using server = await startServer({ args: ["--rate-limit", "10000/1"] });
  const { port } = server;
  const answer = (event: Event) => {
    if (event.kind !== "pull") return;
    const parts = Array.from({ length: event.count }, (_, n): Request => (
      { kind: "part", to: [event.client], file: FILE, index: event.index + n, data: DATA }
    ));
    void alice.send(...parts).catch(() => {});
  };
  await using alice = await V2Peer.join({ port, hello: { name: "alice" }, onEvent: answer });
  const [room, size] = [alice.room(), CHUNKS * FILE_CHUNK_BYTES];
  const offer = {
    file: FILE,
    filename: "f",
    size,
    chunks: CHUNKS,
    hash: new Uint8Array(32),
    to: 0,
    folder: false,
  };
  await alice.send({ kind: "offer", id: alice.nextId(), room, ...offer });
  await alice.until("offer");
  let got = 0;
  let refused = 0;
  for (let n = 0; n < SESSIONS; n++) {
    await using eve = await V2Peer.join({ port, hello: { name: `eve${n}` } });
    const to = alice.welcome.client;
    await eve.send({ kind: "pull", room, to, file: FILE, index: 0, count: CHUNKS });
    const { data } = await eve.until("chunk", ({ last }) => last);
    if (data.length === 0) refused++;
    else got += eve.events.filter(({ kind }) => kind === "chunk").length;
    await eve.send({ kind: "bye" });
    await eve.ended;
  }
  const mib = got * FILE_CHUNK_BYTES / 1_048_576;
  console.log(`${mib} MiB of a file of 1 MiB left in ${SESSIONS} sessions, ${refused} refused`);
  // Alice is at the same address here, so there are two shares.
  const most = 2 * (CHUNKS * FILE_PULLS.times + FILE_PULLS.chunks) + CHUNKS;
  assert.ok(got <= most, `${got} chunks were sent, ${most} are the share`);
  assert.ok(refused > SESSIONS / 2, `${refused} of ${SESSIONS} were refused`);
});
