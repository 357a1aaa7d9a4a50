// A receiver that asks for a file again and again, each time as somebody new: its address gets its share and no more.

// deno-lint-ignore-file no-console

import assert from "node:assert/strict";
import { FILE_CHUNK_BYTES, FILE_PULLS } from "../../../shared/base/limits.ts";
import type { Event, Request } from "../../../shared/messages/messages_v2.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { startNats } from "../../helpers/system/nats.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { startServer } from "../../helpers/programs/server_process.ts";

const CHUNKS = 32;
const FILE = "f";
const DATA = new Uint8Array(FILE_CHUNK_BYTES).fill(7);
const SESSIONS = 60;

const ARGS = ["--rate-limit", "10000/1", "--max-per-address", "off"];

Deno.test("a file of 1 MiB is not sent without end to one address that comes as somebody new each time", async () => {
  await using server = await startServer({ args: ARGS });
  // Alice is at the same address here, so there are two shares.
  await askAgain({ alice: server.port, eve: server.port, shares: 2 });
});

skipWithout("nats-server")(
  "nor is it over two servers, where the receiver's server says which address asks",
  async () => {
    await using nats = await startNats(1);
    await using identity = await makeIdentity();
    const cluster = ["--nats", nats.urls, "--identity-file", identity.path];
    const start = () =>
      startServer({ args: [...ARGS, ...cluster], env: { CMDCHAT_CLUSTER_KEY: "A".repeat(43) } });
    await using first = await start();
    await using second = await start();
    await first.logged(/another server was found others=1/, 10_000);
    await askAgain({ alice: first.port, eve: second.port, shares: 1 });
  },
);

/** Eve asks for all of alice's file, as somebody new each time, and gets no more than the shares of her address. */
async function askAgain(
  at: { readonly alice: number; readonly eve: number; readonly shares: number },
): Promise<void> {
  const answer = (event: Event) => {
    if (event.kind !== "pull") return;
    const parts = Array.from({ length: event.count }, (_, n): Request => (
      { kind: "part", to: [event.client], file: FILE, index: event.index + n, data: DATA }
    ));
    void alice.send(...parts).catch(() => {});
  };
  await using alice = await V2Peer.join({
    port: at.alice,
    hello: { name: "alice" },
    onEvent: answer,
  });
  const offer = {
    file: FILE,
    filename: "f",
    size: CHUNKS * FILE_CHUNK_BYTES,
    chunks: CHUNKS,
    hash: new Uint8Array(32),
    to: 0,
    folder: false,
  };
  await alice.send({ kind: "offer", id: alice.nextId(), room: alice.room(), ...offer });
  await alice.until("offer");
  let got = 0;
  let refused = 0;
  for (let n = 0; n < SESSIONS; n++) {
    await using eve = await V2Peer.join({ port: at.eve, hello: { name: `eve${n}` } });
    const to = alice.welcome.client;
    await eve.send({ kind: "pull", room: eve.room(), to, file: FILE, index: 0, count: CHUNKS });
    const { data } = await eve.until("chunk", ({ last }) => last);
    if (data.length === 0) refused++;
    else got += eve.events.filter(({ kind }) => kind === "chunk").length;
    await eve.send({ kind: "bye" });
    await eve.ended;
  }
  const mib = got * FILE_CHUNK_BYTES / 1_048_576;
  console.log(`${mib} MiB of a file of 1 MiB left in ${SESSIONS} sessions, ${refused} refused`);
  const most = at.shares * (CHUNKS * FILE_PULLS.times + FILE_PULLS.chunks) + CHUNKS;
  assert.ok(got <= most, `${got} chunks were sent, ${most} are the share`);
  assert.ok(refused > SESSIONS / 2, `${refused} of ${SESSIONS} were refused`);
}
