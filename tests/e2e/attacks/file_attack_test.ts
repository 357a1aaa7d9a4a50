// Files and slow connections: a file that nobody accepted goes to nobody, no file cuts anybody, and talk never waits
// behind one.

import assert from "node:assert/strict";
import { openSlowLink } from "../../../scripts/docs/slow_link.ts";
import { FILE_CHUNK_BYTES } from "../../../shared/base/limits.ts";
import { LiveChat } from "../../helpers/fakes/live_chat.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";
import { someBytes } from "../../helpers/peers/transfer_room.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { startStopwatch } from "../../helpers/system/own_time.ts";

const MIB = 1_048_576;
/** 4 Mbit/s. */
const SLOW_BYTES_PER_SECOND = 500_000;

interface CountedPeer {
  readonly peer: V2Peer;
  /** Bytes of files that it got. */
  bytes: number;
}

async function slowMember(port: number, name: string): Promise<CountedPeer> {
  const counted = { bytes: 0 };
  const peer = await V2Peer.join({
    port,
    hello: { name },
    onEvent: (event) => {
      if (event.kind === "chunk") counted.bytes += event.data.length;
    },
  });
  return Object.assign(counted, { peer });
}

Deno.test("10 MiB that nobody accepted leave nothing to 20 members with 4 Mbit/s, and cut none of them", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeFile(`${folder}/big.bin`, someBytes(10 * MIB));
  await using server = await startServer({ args: ["--rate-limit", "off"] });
  using slow = openSlowLink(server.port, SLOW_BYTES_PER_SECOND);
  await using stack = new AsyncDisposableStack();
  const members: CountedPeer[] = [];
  for (let n = 0; n < 20; n++) {
    const member = await slowMember(slow.port, `slow${n}`);
    stack.use(member.peer);
    members.push(member);
  }
  await using alice = new LiveChat({ name: "alice", port: () => server.port });
  await alice.until(() => alice.chat.connected, "the session");
  await alice.chat.transfers.offerFile(`${folder}/big.bin`, alice.chat.room);
  for (const { peer } of members) await peer.until("offer");
  await alice.chat.say("a line behind the offer");
  for (const { peer } of members) await peer.until("chat");
  assert.deepEqual(members.map(({ bytes }) => bytes), members.map(() => 0));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("what a v1 client pushes goes to slow members as fast as they read, to the one that does not read not at all, and talk overtakes it", async () => {
  await using server = await startServer({ args: ["--rate-limit", "off"] });
  using slow = openSlowLink(server.port, 4 * SLOW_BYTES_PER_SECOND);
  using stuck = openSlowLink(server.port, SLOW_BYTES_PER_SECOND / 20);
  await using stack = new AsyncDisposableStack();
  const members: CountedPeer[] = [];
  for (const port of [slow.port, slow.port, stuck.port]) {
    const member = await slowMember(port, `slow${members.length}`);
    stack.use(member.peer);
    members.push(member);
  }
  await using eve = await V1Peer.join({ port: server.port, name: "eve" });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  // More than may wait for one client.
  const data = new Uint8Array(FILE_CHUNK_BYTES).toBase64();
  const total = 6 * MIB / FILE_CHUNK_BYTES;
  await eve.send({
    type: "file_init",
    file_id: "a",
    filename: "a",
    filesize: total * FILE_CHUNK_BYTES,
    total_chunks: total,
  });
  const pushing = (async () => {
    for (let index = 0; index < total; index++) {
      await eve.send({
        type: "file_chunk",
        file_id: "a",
        chunk_index: index,
        chunk_data: data,
        is_final: index === total - 1,
      });
    }
  })();
  const readers = members.slice(0, 2);
  await bob.until("chunk");
  await bob.say("a line behind the file");
  for (const { peer } of readers) {
    await peer.until("chat", ({ text }) => text === "a line behind the file");
    assert.ok(!peer.events.some((event) => event.kind === "chunk" && event.last));
  }
  await pushing;
  await bob.until("chunk", (chunk) => chunk.last);
  for (const { peer } of readers) await peer.until("chunk", (chunk) => chunk.last);
  assert.deepEqual(readers.map(({ bytes }) => bytes), [6 * MIB, 6 * MIB]);
  assert.ok(members[2]!.bytes < 6 * MIB);
  assert.ok(!members[2]!.peer.events.some(({ kind }) => kind === "closing"));
});

Deno.test("a line that is typed during an upload over 4 Mbit/s arrives within half a second", async () => {
  await talkDuringUpload({});
});

Deno.test("in a sealed room too, a line that is typed during an upload over 4 Mbit/s arrives within half a second", async () => {
  await talkDuringUpload({ secret: new Uint8Array(32).fill(7) });
});

async function talkDuringUpload(room: { readonly secret?: Uint8Array }): Promise<void> {
  const folder = await Deno.makeTempDir();
  await Deno.writeFile(`${folder}/big.bin`, someBytes(3 * MIB));
  await using server = await startServer({ args: ["--rate-limit", "off"] });
  using slow = openSlowLink(server.port, SLOW_BYTES_PER_SECOND);
  await using alice = new LiveChat({ name: "alice", port: () => slow.port, ...room });
  const bobs = { name: "bob", port: () => server.port, folder: `${folder}/bob`, ...room };
  await using bob = new LiveChat(bobs);
  await bob.until(() => bob.chat.connected, "bob's session");
  for (const chat of [alice, bob]) {
    await chat.until(() => chat.chat.room.roster.names.length === 2, "both");
  }
  await alice.chat.transfers.offerFile(`${folder}/big.bin`, alice.chat.room);
  const shown = (event: string) =>
    alice.lines.filter((line) => line.kind === "file" && line["event"] === event);
  const delays: number[] = [];
  await alice.until(() => shown("progress").length > 0, "the beginning");
  for (let n = 0; shown("sent").length === 0; n++) {
    const elapsed = startStopwatch(server.pid);
    void alice.chat.say(`line ${n}`);
    await bob.until(() => bob.heard.length === n + 1, `line ${n}`);
    delays.push(elapsed());
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const sorted = delays.toSorted((a, b) => a - b);
  const [median, worst] = [sorted[sorted.length >> 1] ?? 0, sorted.at(-1) ?? 0];
  const figures = `${delays.length} lines during the upload: median ${median.toFixed(0)} ms, ` +
    `slowest ${worst.toFixed(0)} ms`;
  assert.ok(delays.length >= 5, "the upload was over too soon");
  assert.ok(median < 500, figures);
  // A busy machine adds its own delays.
  assert.ok(worst < 1_500, figures);
  await Deno.remove(folder, { recursive: true });
}
