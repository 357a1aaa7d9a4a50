// Files whose way is cut in the middle, many times, on both sides: the client's own chat and transfers, the real server,
// real sockets.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Fault, FaultyNetwork } from "../helpers/faulty_network.ts";
import { type Line, LiveChat } from "../helpers/live_chat.ts";
import { SeededRandom, seedOfRun } from "../helpers/random.ts";
import { startServer } from "../helpers/server_process.ts";

const UNLIMITED = ["--rate-limit", "off", "--max-per-address", "off"];
const CUTS = Number(Deno.env.get("FILE_CUTS") ?? 60);
const FILES = 4;
const FILE_BYTES = 3 * 1_048_576 + 777;
const WAIT_MS = 60_000;

async function scratch(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "cmdchat-cuts-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** The turns of files of one kind that a chat was shown. */
function turns({ lines }: LiveChat, event: string): Line[] {
  return lines.filter((line) => line.kind === "file" && line["event"] === event);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Anything from the middle of the handshake to half a megabyte. */
function cutIn(direction: "up" | "down", random: SeededRandom): Fault {
  const bytes = random.next() < 0.2
    ? random.between(1, 6_000)
    : random.between(6_000, random.of([60_000, 500_000]));
  return { kind: "kill", after: direction, bytes };
}

async function allMet(...chats: LiveChat[]): Promise<void> {
  for (const { chat, until } of chats) {
    await until(() => chat.room.roster.names.length >= chats.length, "all in the room");
  }
}

Deno.test("files arrive whole and once, however often the links of both sides are cut", async () => {
  const random = new SeededRandom(seedOfRun());
  const seed = `seed ${random.seed}`;
  await using folder = await scratch();
  await using server = await startServer({ args: UNLIMITED });
  let left = 0;
  const cut = (direction: "up" | "down") => left-- > 0 ? cutIn(direction, random) : undefined;
  await using up = new FaultyNetwork(server.port, () => cut("up"));
  await using down = new FaultyNetwork(server.port, () => cut("down"));
  const folderOf = (name: string) => ({ folder: `${folder.path}/${name}` });
  await using alice = new LiveChat({ name: "alice", port: () => up.port });
  await using bob = new LiveChat({ name: "bob", port: () => down.port, ...folderOf("bob") });
  await using carol = new LiveChat({
    name: "carol",
    port: () => server.port,
    ...folderOf("carol"),
  });
  await allMet(alice, bob, carol);

  let files = 0;
  for (; files < FILES || up.damage.kills + down.damage.kills < CUTS; files++) {
    left = Math.ceil(CUTS / FILES);
    const bytes = random.bytes(FILE_BYTES + files);
    await Deno.writeFile(`${folder.path}/file-${files}`, bytes);
    await alice.until(() => alice.chat.connected, "a link");
    await alice.chat.transfers.offerFile(`${folder.path}/file-${files}`, alice.chat.room);
    // An offer that comes while a receiver has no link is none for it.
    await bob.until(() => turns(bob, "offered").length > files, `offer ${files} (${seed})`);
    up.cutAll();
    down.cutAll();
    const saved = () => [bob, carol].every((chat) => turns(chat, "saved").length > files);
    await bob.until(saved, `file ${files} (${seed}, cuts left ${left})`, WAIT_MS);
    await alice.until(() => turns(alice, "sent").length > files, `end of ${files}`, WAIT_MS);
    for (const { lines } of [alice, bob, carol]) {
      const said = lines.filter((line) => line.kind === "file" && line["sha256"] !== undefined);
      assert.equal(said.at(-1)?.["sha256"], sha256(bytes), seed);
    }
    for (const chat of [bob, carol]) {
      assert.deepEqual(
        await Deno.readFile(String(turns(chat, "saved").at(-1)?.["path"])),
        bytes,
        seed,
      );
    }
  }
  for (const chat of [alice, bob, carol]) {
    assert.deepEqual(turns(chat, "failed"), [], seed);
    assert.equal(turns(chat, chat === alice ? "sent" : "saved").length, files, seed);
  }
  assert.deepEqual(turns(carol, "waiting").filter((line) => line["for"] === "link"), [], seed);
  assert.ok(turns(alice, "waiting").length > 0 && turns(bob, "waiting").length > 0, seed);
  assert.doesNotMatch(server.log, /unexpected fault/, seed);
});
