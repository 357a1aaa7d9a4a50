// `send-file` and `recv-file` as a script uses them, over a link that is cut in the middle of the file.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { at, startClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { FaultyNetwork } from "../../helpers/hostile/faulty_network.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";

const home = temporaryHome();
const MIB = 1_048_576;
const NO_SERVER = 1;

/** A network that cuts each of its first connections after so many bytes. */
function cutting(server: RunningServer, after: "up" | "down", ...bytes: number[]): FaultyNetwork {
  return new FaultyNetwork(server.port, () => {
    const next = bytes.shift();
    return next === undefined ? undefined : { kind: "kill", after, bytes: next };
  });
}

async function bigFile(): Promise<{ readonly path: string; readonly sha256: string }> {
  const bytes = new Uint8Array(4 * MIB + 99).fill(9);
  for (let at = 0; at < bytes.length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  await Deno.writeFile(`${home}/big.bin`, bytes);
  return { path: `${home}/big.bin`, sha256: createHash("sha256").update(bytes).digest("hex") };
}

async function digestOf(path: string): Promise<string> {
  return createHash("sha256").update(await Deno.readFile(path)).digest("hex");
}

Deno.test("the sender's link is cut twice: both end with 0 and the same digest", async () => {
  await using server = await startServer();
  await using network = cutting(server, "up", MIB, MIB);
  const folder = await Deno.makeTempDir({ dir: home });
  const { path, sha256 } = await bigFile();
  await using sender = startClient(home, {
    args: ["send-file", "--port", String(network.port), "--name", "giver", path],
  });
  await using taker = startClient(home, { args: ["recv-file", ...at(server)], cwd: folder });
  assert.equal(await sender.end(), 0, sender.stderr);
  assert.equal(await taker.end(), 0, taker.stderr);
  assert.equal(sender.stdout, `${sha256}  big.bin\n`);
  assert.equal(await digestOf(`${folder}/big.bin`), sha256);
  assert.equal(network.damage.kills, 2);
});

Deno.test("the receiver's link is cut: the sender stays until the receiver has the rest", async () => {
  await using server = await startServer();
  await using network = cutting(server, "down", MIB);
  const folder = await Deno.makeTempDir({ dir: home });
  const { path, sha256 } = await bigFile();
  await using taker = startClient(home, {
    args: ["recv-file", "--port", String(network.port), "--name", "taker"],
    cwd: folder,
  });
  await using sender = startClient(home, {
    args: ["send-file", ...at(server, "--name", "giver"), path],
  });
  assert.equal(await sender.end(), 0, sender.stderr);
  assert.equal(await taker.end(), 0, taker.stderr);
  assert.equal(await digestOf(`${folder}/big.bin`), sha256);
  assert.equal(network.damage.kills, 1);
});

Deno.test("an outage that is longer than the server holds a session: the sender ends with 4, and each side says it in one line", async () => {
  await using server = await startServer({ args: ["--hold", "1"] });
  await using network: FaultyNetwork = new FaultyNetwork(server.port, () => {
    // Of the next connections: this one reaches the server.
    network.target = NO_SERVER;
    return { kind: "kill", after: "up", bytes: MIB };
  });
  const { path } = await bigFile();
  await using sender = startClient(home, {
    args: ["send-file", "--port", String(network.port), "--name", "giver", path],
  });
  await using taker = startClient(home, {
    args: ["recv-file", ...at(server), "--timeout", "10", "--name", "taker"],
    cwd: await Deno.makeTempDir({ dir: home }),
  });
  assert.equal(await sender.end(), 4, sender.stderr);
  const faults = ({ stderr }: { readonly stderr: string }) =>
    stderr.split("\n").filter((line) => /^error: Cannot/.test(line));
  assert.equal(faults(sender).length, 1, sender.stderr);
  assert.match(faults(sender)[0] ?? "", /: the connection was lost for too long$/);
  // It waits for another file until its time is over.
  assert.equal(await taker.end(), 8, taker.stdout);
  assert.deepEqual(faults(taker), [
    'error: Cannot receive "big.bin": its sender left in the middle',
  ]);
});
