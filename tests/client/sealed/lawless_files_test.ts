// A member of a sealed room that offers files and sends other bytes than it offered, to a real client over a real server:
// what lands on the disk, and what its user is told.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import {
  chunkName,
  FileSealer,
  namedChunk,
  sealedChunks,
} from "../../../client/sealed_engine/file_seal.ts";
import { newId } from "../../../client/sealed_engine/member_state.ts";
import { openEnvelope } from "../../../client/mls/envelope.ts";
import { deriveRoomKeys } from "../../../client/mls/room_keys.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { FILE_CHUNK_BYTES } from "../../../shared/base/limits.ts";
import { LawlessMember } from "../../helpers/hostile/lawless_member.ts";
import { startClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { startServer } from "../../helpers/programs/server_process.ts";

const home = temporaryHome();
const SECRET = new Uint8Array(32).fill(5);
const keys = deriveRoomKeys(SECRET);

/** A chunk as it goes out: which file and place it names, and its sealed bytes. */
interface Part {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** Offers a file of these bytes; `cheat` gives what is sent in place of a chunk. */
async function offer(
  mallory: LawlessMember,
  { name, bytes, cheat, hash = digest(bytes) }: {
    readonly name: string;
    readonly bytes: Uint8Array;
    readonly hash?: Uint8Array;
    readonly cheat: (chunk: Part) => readonly Part[];
  },
): Promise<void> {
  const [id, key] = [newId(), crypto.getRandomValues(new Uint8Array(32))];
  const size = bytes.length;
  const sealer = new FileSealer(key, size);
  mallory.heeds = (event) => {
    if (event.kind !== "sealed_pull") return true;
    const { index = 0 } = namedChunk(openEnvelope(keys, "direct", event.body)) ?? {};
    void (async () => {
      for (let n = index; n < Math.min(index + event.chunks, sealedChunks(size)); n++) {
        const content = bytes.subarray(n * FILE_CHUNK_BYTES, (n + 1) * FILE_CHUNK_BYTES);
        for (const part of cheat({ index: n, bytes: await sealer.seal(n, content) })) {
          const body = concatBytes([chunkName(id, part.index), part.bytes]);
          await mallory.send({ kind: "sealed_chunk", to: [event.from], body });
        }
      }
    })().catch(() => {}); // The test is over.
    return false;
  };
  const about = { id, name, size, chunks: sealedChunks(size), hash, key, folder: false };
  await mallory.say({ kind: "file", ...about });
}

function digest(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

Deno.test("a member that sends other bytes than it offered leaves nothing on a disk, and its name is told", async () => {
  await using server = await startServer();
  await using alice = startClient(home, {
    args: ["--name", "alice", "--renderer", "json", "--accept-files"],
    env: {
      CMDCHAT_LINK: `cmdchat://127.0.0.1:${server.port}/den#secret=${
        btoa(String.fromCharCode(...SECRET)).replace(/=+$/, "")
      }`,
    },
  });
  await alice.prints(/"event":"names"/);
  await using mallory = await LawlessMember.join(server, SECRET, "mallory");
  const bytes = new Uint8Array(100_000).map((_, at) => at % 251);
  const flipped = (part: Part) => ({ ...part, bytes: part.bytes.map((byte) => byte ^ 1) });
  const cheats: Record<string, (part: Part) => readonly Part[]> = {
    "changed.bin": (part) => part.index === 1 ? [flipped(part)] : [part],
    "moved.bin": (part) => [{ ...part, index: part.index ^ 1 }],
    "short.bin": (part) => [{ ...part, bytes: part.bytes.subarray(0, -1) }],
    "long.bin": (part) => [{ ...part, bytes: concatBytes([part.bytes, new Uint8Array(40)]) }],
    "far.bin": (part) => [{ ...part, index: 4_000_000_000 }, part],
  };
  for (const [name, cheat] of Object.entries(cheats)) {
    await offer(mallory, { name, bytes, cheat });
    await alice.prints(new RegExp(`"event":"failed"[^\n]*"name":"${name}"`));
  }
  const told = [...alice.stdout.matchAll(/"text":"den: (A part of [^\n]*?)"}/g)].map(([, text]) =>
    text
  );
  assert.equal(told.length, Object.keys(cheats).length, alice.stdout);
  for (const text of told) assert.match(text ?? "", /by the server or by mallory's program/);
  await offer(mallory, {
    name: "other.bin",
    bytes,
    hash: new Uint8Array(32),
    cheat: (part) => [part],
  });
  await alice.prints(/"event":"failed"[^\n]*"name":"other.bin"/);
  // What comes twice is no harm.
  await offer(mallory, { name: "twice.bin", bytes, cheat: (part) => [part, part] });
  const [, path = ""] = await alice.prints(
    /"event":"saved"[^\n]*"name":"twice.bin"[^\n]*"path":"([^"]+)"/,
  );
  const folder = [...Deno.readDirSync(dirname(path))].map(({ name }) => name);
  const files = folder.filter((name) => name.includes(".bin"));
  assert.deepEqual(files, ["twice.bin"]);
});
