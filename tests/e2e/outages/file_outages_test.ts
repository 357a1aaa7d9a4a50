// Files whose way is cut in the middle, many times, on both sides: the client's own chat and transfers, the real server,
// real sockets.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { type Fault, FaultyNetwork } from "../../helpers/hostile/faulty_network.ts";
import { type Line, LiveChat } from "../../helpers/fakes/live_chat.ts";
import { SeededRandom, seedOfRun } from "../../helpers/fakes/random.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const UNLIMITED = ["--rate-limit", "off", "--max-per-address", "off"];
const CUTS = Number(Deno.env.get("FILE_CUTS") ?? 60);
const SEALED_CUTS = 12;
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

/** How often a chat said that its files wait for its connection. */
function cuts(chat: LiveChat): number {
  return turns(chat, "waiting").filter((event) => event["for"] === "connection").length;
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
      const path = String(turns(chat, "saved").at(-1)?.["path"]);
      assert.equal(sha256(await Deno.readFile(path)), sha256(bytes), seed);
    }
  }
  for (const chat of [alice, bob, carol]) {
    assert.deepEqual(turns(chat, "failed"), [], seed);
    assert.equal(turns(chat, chat === alice ? "sent" : "saved").length, files, seed);
  }
  assert.deepEqual(
    turns(carol, "waiting").filter((line) => line["for"] === "connection"),
    [],
    seed,
  );
  assert.ok(turns(alice, "waiting").length > 0 && turns(bob, "waiting").length > 0, seed);
  assert.doesNotMatch(server.log, /unexpected fault/, seed);
});

/** A server, and a way to it that is cut once, in the middle of a file, and stays closed until it is told otherwise. */
class OneCut implements AsyncDisposable {
  readonly server: Awaited<ReturnType<typeof startServer>>;
  readonly folder: string;
  readonly #network: FaultyNetwork;
  readonly #cleanup: AsyncDisposableStack;
  #open = true;

  private constructor(
    server: Awaited<ReturnType<typeof startServer>>,
    { network, folder, cleanup }: {
      readonly network: FaultyNetwork;
      readonly folder: string;
      readonly cleanup: AsyncDisposableStack;
    },
  ) {
    [this.server, this.#network, this.folder] = [server, network, folder];
    this.#cleanup = cleanup;
  }

  /** The first connection of the way ends after a megabyte in that direction. */
  static async make(direction: "up" | "down", args: readonly string[] = []): Promise<OneCut> {
    await using cleanup = new AsyncDisposableStack();
    const server = cleanup.use(await startServer({ args: [...UNLIMITED, ...args] }));
    let isCut = false;
    const network = cleanup.use(
      new FaultyNetwork(server.port, () => {
        const fault = { kind: "kill", after: direction, bytes: 1_048_576 } as const;
        const first = isCut ? undefined : fault;
        isCut = true;
        return first;
      }),
    );
    const folder = cleanup.use(await scratch()).path;
    const scene = new OneCut(server, { network, folder, cleanup: cleanup.move() });
    return scene;
  }

  /** Somebody whose way is cut. */
  far(name: string): LiveChat {
    const port = () => this.#open ? this.#network.port : 1;
    return this.#cleanup.use(new LiveChat({ name, port, ...this.#folderOf(name) }));
  }

  /** Somebody with a way of their own. */
  near(name: string): LiveChat {
    const port = () => this.server.port;
    return this.#cleanup.use(new LiveChat({ name, port, ...this.#folderOf(name) }));
  }

  /** Nobody comes through from now on, once the cut is there. */
  close(): void {
    this.#open = false;
  }

  open(): void {
    this.#open = true;
  }

  /** A file that is longer than what passes before the cut. */
  async file(): Promise<{ readonly path: string; readonly bytes: Uint8Array }> {
    const bytes = crypto.getRandomValues(new Uint8Array(65_536));
    const whole = new Uint8Array(FILE_BYTES);
    for (let at = 0; at < whole.length; at += bytes.length) {
      whole.set(bytes.subarray(0, Math.min(bytes.length, whole.length - at)), at);
      bytes[0]!++;
    }
    await Deno.writeFile(`${this.folder}/big.bin`, whole);
    return { path: `${this.folder}/big.bin`, bytes: whole };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cleanup.disposeAsync();
  }

  #folderOf(name: string): { readonly folder: string } {
    return { folder: `${this.folder}/${name}` };
  }
}

async function assertSaved(chat: LiveChat, bytes: Uint8Array): Promise<void> {
  await chat.until(() => turns(chat, "saved").length === 1, "the file", WAIT_MS);
  const path = String(turns(chat, "saved")[0]?.["path"]);
  assert.equal(sha256(await Deno.readFile(path)), sha256(bytes));
}

Deno.test("who was away for all the rest of a file gets it from its sender, and nobody else does", async () => {
  await using scene = await OneCut.make("down");
  const [alice, bob, carol] = [scene.near("alice"), scene.far("bob"), scene.near("carol")];
  await allMet(alice, bob, carol);
  const { path, bytes } = await scene.file();
  await alice.chat.transfers.offerFile(path, alice.chat.room);
  scene.close();
  await bob.until(() => turns(bob, "waiting").length === 1, "the cut");
  await assertSaved(carol, bytes);
  assert.deepEqual(turns(alice, "sent"), [], "bob has accepted it, and may come back");
  const got = carol.lines.length;
  scene.open();
  await assertSaved(bob, bytes);
  await alice.until(() => turns(alice, "sent").length === 1, "the end of the sending", WAIT_MS);
  const further = carol.lines.slice(got).filter(({ kind }) => kind === "file");
  assert.deepEqual(further, [], "parts for bob are no business of carol's");
});

Deno.test("a sender whose session is not held any more has failed, in one line, and so has its receiver", async () => {
  await using scene = await OneCut.make("up", ["--hold", "1"]);
  const [alice, bob] = [scene.far("alice"), scene.near("bob")];
  await allMet(alice, bob);
  await alice.chat.transfers.offerFile((await scene.file()).path, alice.chat.room);
  scene.close();
  const failed = (chat: LiveChat) => turns(chat, "failed").map(({ code }) => code);
  await bob.until(() => failed(bob).length > 0, "bob's end");
  await alice.until(() => failed(alice).length > 0, "alice's end");
  scene.open();
  await alice.until(() => alice.chat.connected, "another session");
  await alice.chat.say("back");
  await bob.until(() => bob.heard.length === 1, "alice's words");
  assert.deepEqual([failed(alice), failed(bob)], [["connection_lost"], ["sender_left"]]);
  assert.deepEqual([alice, bob].map((chat) => chat.chat.transfers.list()), [[], []]);
});

Deno.test("a receiver whose session is not held any more has failed, in one line, and its sender reads that it left", async () => {
  await using scene = await OneCut.make("down", ["--hold", "1"]);
  const [alice, bob] = [scene.near("alice"), scene.far("bob")];
  await allMet(alice, bob);
  await alice.chat.transfers.offerFile((await scene.file()).path, alice.chat.room);
  scene.close();
  await alice.until(() => alice.notes.includes("bob left."), "bob's end");
  await bob.until(() => turns(bob, "failed").length > 0, "the end of the wait");
  scene.open();
  await bob.until(() => bob.chat.connected, "another session");
  assert.deepEqual(turns(bob, "failed").map(({ code }) => code), ["connection_lost"]);
  assert.deepEqual(
    turns(alice, "failed").map(({ code, receivers }) => [code, receivers]),
    [["unsaved", [{ name: "bob", answer: "left" }]]],
  );
});

Deno.test("a sender that leaves for good ends what a receiver still misses, in one line", async () => {
  await using scene = await OneCut.make("down");
  const [alice, bob] = [scene.near("alice"), scene.far("bob")];
  await allMet(alice, bob);
  await alice.chat.transfers.offerFile((await scene.file()).path, alice.chat.room);
  scene.close();
  await alice.until(() => alice.notes.includes("bob lost the connection."), "the cut");
  // Once this is confirmed, nothing of hers is on its way any longer.
  await alice.chat.say("bye");
  alice.chat.end();
  await alice.ended;
  scene.open();
  await bob.until(() => turns(bob, "failed").length > 0, "the end");
  assert.deepEqual(turns(bob, "failed").map(({ code }) => code), ["sender_left"]);
  assert.deepEqual(bob.chat.transfers.list(), []);
});

Deno.test("a file that changed on the disk during the outage is given up, and never saved as a mixture", async () => {
  await using scene = await OneCut.make("up");
  const [alice, bob] = [scene.far("alice"), scene.near("bob")];
  await allMet(alice, bob);
  const { path, bytes } = await scene.file();
  await alice.chat.transfers.offerFile(path, alice.chat.room);
  scene.close();
  await alice.until(() => cuts(alice) === 1, "the cut");
  // Of the same size, and behind what was sent already.
  bytes[2 * 1_048_576]! ^= 1;
  await Deno.writeFile(path, bytes);
  scene.open();
  await bob.until(() => turns(bob, "failed").length > 0, "the end", WAIT_MS);
  assert.deepEqual(turns(alice, "failed").map(({ code }) => code), ["changed"]);
  assert.deepEqual(turns(bob, "failed").map(({ code }) => code), ["sender_gave_up"]);
  assert.deepEqual(turns(bob, "saved"), []);
});

Deno.test("a v1 member gets a file whose sender was away for a moment as if nothing had been", async () => {
  await using scene = await OneCut.make("up");
  const alice = scene.far("alice");
  await alice.chat.whenConnected();
  await using old = await V1Peer.join({ port: scene.server.port, name: "old bob" });
  await alice.until(() => alice.chat.room.roster.names.length === 2, "bob");
  const { path, bytes } = await scene.file();
  await alice.chat.transfers.offerFile(path, alice.chat.room);
  await alice.until(() => turns(alice, "sent").length === 1, "the end of the sending", WAIT_MS);
  assert.equal(cuts(alice), 1);
  await old.next((payload) => payload.type === "file_chunk" && payload["is_final"] === true);
  const chunks = old.history.filter(({ type }) => type === "file_chunk");
  assert.deepEqual(chunks.map((chunk) => chunk["chunk_index"]), chunks.map((_, index) => index));
  const got = chunks.map((chunk) => Buffer.from(String(chunk["chunk_data"]), "base64"));
  assert.equal(sha256(Buffer.concat(got)), sha256(bytes));
});

Deno.test("in a sealed room as well: files arrive whole, however often the links of both sides are cut", async () => {
  const random = new SeededRandom(seedOfRun());
  const seed = `seed ${random.seed}`;
  await using folder = await scratch();
  await using server = await startServer({ args: UNLIMITED });
  let left = 0;
  const cut = (after: "up" | "down"): Fault | undefined =>
    left-- > 0
      ? { kind: "kill", after, bytes: random.between(1_000, random.of([60_000, 400_000])) }
      : undefined;
  await using up = new FaultyNetwork(server.port, () => cut("up"));
  await using down = new FaultyNetwork(server.port, () => cut("down"));
  await using alice = new LiveChat({ name: "alice", port: () => up.port });
  const bobs = { name: "bob", port: () => down.port, folder: `${folder.path}/bob` };
  await using bob = new LiveChat(bobs);
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const open = ({ chat }: LiveChat, isNew: boolean) =>
    chat.sealed.open({ secret, title: "den", name: chat.name, isNew });
  const rooms = [open(alice, true)];
  await alice.until(() => rooms[0]?.status?.phase === "in", "alice in the room");
  rooms.push(open(bob, false));
  const both = () =>
    rooms.every(({ status }) => status?.phase === "in" && status.people.length === 2);
  await bob.until(both, "both in the room", WAIT_MS);
  for (let n = 1; n <= 2; n++) {
    left = SEALED_CUTS / 2;
    const bytes = random.bytes(FILE_BYTES / 2 + n);
    await Deno.writeFile(`${folder.path}/file-${n}`, bytes);
    await alice.chat.transfers.offerFile(`${folder.path}/file-${n}`, rooms[0]!.state);
    await bob.until(() => turns(bob, "offered").length === n, `offer ${n} (${seed})`);
    up.cutAll();
    down.cutAll();
    await bob.until(() => turns(bob, "saved").length === n, `file ${n} (${seed})`, WAIT_MS);
    const path = String(turns(bob, "saved").at(-1)?.["path"]);
    assert.equal(sha256(await Deno.readFile(path)), sha256(bytes), seed);
    await alice.until(() => turns(alice, "sent").length === n, `end of ${n} (${seed})`, WAIT_MS);
  }
  for (const chat of [alice, bob]) assert.deepEqual(turns(chat, "failed"), [], seed);
  const alarms = [...alice.lines, ...bob.lines].filter(({ level }) => level === "danger");
  assert.deepEqual(alarms, [], seed);
  const kills = up.damage.kills + down.damage.kills;
  assert.ok(kills >= SEALED_CUTS / 2, `${kills} cuts, ${seed}`);
});
