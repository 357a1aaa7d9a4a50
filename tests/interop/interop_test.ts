// A client in another language, written from docs/PROTOCOL.md alone, against the real server and the real client.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { makeCertificate } from "../helpers/system/certificates.ts";
import { temporaryHome } from "../helpers/programs/client_process.ts";
import { startServer } from "../helpers/programs/server_process.ts";
import { skipWithout } from "../helpers/repo/skip.ts";
import {
  endPython,
  PYTHON,
  PYTHON_CRYPTOGRAPHY,
  runPython,
  startChat,
  startDeno,
  startPython,
} from "./clients.ts";

const TOKEN = "a-token-for-the-test";
const test = skipWithout(PYTHON, PYTHON_CRYPTOGRAPHY);

test("the client in Python holds every vector of handshakes, records, their contents and sealed rooms", async () => {
  const vectors = new URL("../vectors", import.meta.url).pathname;
  const { code, stdout, stderr } = await runPython("check_vectors.py", vectors);
  assert.equal(stderr, "");
  assert.match(
    stdout,
    /^handshakes, bad answers: 2, \d\d\nstreams of records, bad ones: 2, \d\d\ncontents of records, bad ones: \d, \d\d\nenvelopes and files of sealed rooms: 10, 7\n$/,
  );
  assert.equal(code, 0);
});

test("the tables of messages in Python are those of PROTOCOL.md", async () => {
  const document = new URL("../../docs/PROTOCOL.md", import.meta.url).pathname;
  const { code, stdout, stderr } = await runPython("check_document.py", document);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^events, requests: \d\d, \d\d\n$/);
});

test("the client in Python and the client in Deno talk, send each other a file, and come back", async () => {
  await using certificate = await makeCertificate();
  const { certFile, keyFile } = certificate;
  await using server = await startServer({
    args: ["--certfile", certFile, "--keyfile", keyFile],
    env: { CMDCHAT_TOKENS: TOKEN },
  });
  const [fingerprint] = await server.printed(/SHA256:[\w-]{43}/);
  const home = temporaryHome();
  await using deno = startDeno(server, {
    home,
    args: ["--tls", `--ca-file=${certFile}`, "--accept-files", `--download-dir=${home}/got`],
    env: { CMDCHAT_TOKEN: TOKEN, CMDCHAT_FINGERPRINT: fingerprint },
  });
  await deno.prints(/"state":"connected"/);
  const place = ["localhost", String(server.port), "python", "interop", `--ca-file=${certFile}`];
  const proof = [`--fingerprint=${fingerprint}`, `--token=${TOKEN}`];
  await using python = startPython("chat.py", ...place, ...proof);
  await python.prints(/^in interop as python$/m);
  await python.type("say Grüße aus Python 🐍");
  await deno.prints(/"sender":"python".*"text":"Grüße aus Python 🐍"/);
  await deno.type("Grüße zurück");
  await python.type("hear Grüße zurück");
  await python.prints(/^heard deno Grüße zurück$/m);

  // More than one pull of 32 chunks, and a last chunk that is not full.
  const [ours, theirs] = [randomBytes(1_200_001), randomBytes(40_000)];
  await Deno.writeFile(`${home}/ours.bin`, ours);
  await Deno.writeFile(`${home}/theirs.bin`, theirs);
  await deno.type(`/send ${home}/ours.bin`);
  await python.type(`take ${home}/taken.bin`);
  await python.prints(/^took ours\.bin of deno$/m);
  assert.deepEqual(await Deno.readFile(`${home}/taken.bin`), new Uint8Array(ours));
  await python.type("rekey");
  await python.type(`send ${home}/theirs.bin`);
  await python.prints(/^sent theirs\.bin to deno$/m);
  assert.deepEqual(await Deno.readFile(`${home}/got/theirs.bin`), new Uint8Array(theirs));

  // A file without a byte: there is no chunk to ask for.
  await Deno.writeFile(`${home}/nothing.txt`, new Uint8Array());
  await Deno.writeFile(`${home}/void.txt`, new Uint8Array());
  await deno.type(`/send ${home}/nothing.txt`);
  await python.type(`take ${home}/nothing.taken`);
  await python.prints(/^took nothing\.txt of deno$/m);
  assert.equal((await Deno.stat(`${home}/nothing.taken`)).size, 0);
  await python.type(`send ${home}/void.txt`);
  await python.prints(/^sent void\.txt to deno$/m);
  assert.equal((await Deno.stat(`${home}/got/void.txt`)).size, 0);

  await python.type("cut");
  await python.prints(/^resumed interop as python$/m);
  await deno.prints(/"event":"away".*"name":"python"/);
  await deno.type("again");
  await python.type("hear again");
  await python.prints(/^heard deno again$/m);
  await python.type("say once more");
  await deno.prints(/"text":"once more"/);
  await python.type("bye");
  await deno.prints(/"event":"left".*"name":"python"/);
  await endPython(python);
});

test("the client in Python reacts, changes, tells one alone, pins, keeps lines, and is told why the server ends", async () => {
  await using server = await startServer();
  await using deno = startDeno(server);
  await deno.prints(/"state":"connected"/);
  await using python = startChat(server, "python", "interop");
  await python.prints(/^in interop as python$/m);
  await deno.type("good morning");
  await python.type("hear good morning");
  await python.prints(/^heard deno good morning$/m);

  await python.type("react 👍");
  await python.prints(/^put 👍$/m);
  await deno.prints(/python[^\n]*👍|👍[^\n]*python/);
  await python.type("say a tpyo");
  await deno.prints(/"text":"a tpyo"/);
  await deno.type("/react 🎉");
  await python.type("reacted 🎉");
  await python.prints(/^got 🎉 of deno$/m);
  await python.type("change a typo");
  await python.prints(/^changed a typo$/m);
  await deno.prints(/a typo/);

  await python.type("tell between us");
  await python.prints(/^told deno$/m);
  await deno.prints(/"kind":"direct"[^\n]*"text":"between us"/);
  await deno.type("/msg python between us too");
  await python.type("told between us too");
  await python.prints(/^alone deno between us too$/m);

  // Only who made the room, or an op, may do these.
  await python.type("backlog 5");
  await python.prints(/^declined .+$/m);
  await deno.type("/op python");
  await deno.prints(/made python an op of this room/);
  await python.type("backlog 5");
  await python.prints(/^done backlog$/m);
  await python.type("pin");
  await python.prints(/^done pin$/m);
  await deno.prints(/pinned[^\n]*good morning/);
  await python.type("say for those who come");
  await python.prints(/^said for those who come$/m);
  await using newcomer = startChat(server, "late", "interop");
  await newcomer.prints(/^in interop as late$/m);
  await newcomer.type("hear anything");
  await newcomer.prints(/^earlier python for those who come$/m);

  await python.type("closed");
  await server.stop();
  await python.prints(/^closed .+ come back$/m);
  await endPython(python);
});

test("the client in Python comes back after the pause that a busy server asks for", async () => {
  await using server = await startServer();
  const pauseMs = 700;
  const refusal = { type: "handshake_error", reason: "server_busy" };
  const body = new TextEncoder().encode(
    JSON.stringify({ ...refusal, v2: { versions: [2, 2], pause: pauseMs } }),
  );
  const frame = new Uint8Array([0, 0, body.length >> 8, body.length & 255, ...body]);
  using door = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const busy = (async () => {
    using refused = await door.accept();
    await refused.read(new Uint8Array(65_536));
    await refused.write(frame);
    const sentAway = performance.now();
    const conn = await door.accept();
    const pause = performance.now() - sentAway;
    const onward = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const ways = [conn.readable.pipeTo(onward.writable), onward.readable.pipeTo(conn.writable)];
    await Promise.allSettled(ways);
    return pause;
  })();
  await using python = startChat(door.addr, "python", "lobby");
  await python.prints(/^busy\nin lobby as python$/m);
  await python.type("bye");
  await endPython(python);
  assert.ok(await busy >= pauseMs - 1, `it came back after ${await busy} ms`);
});

test("the client in Python goes on neither with another server nor with the wrong token", async () => {
  await using server = await startServer({ env: { CMDCHAT_TOKENS: TOKEN } });
  const other = `SHA256:${"A".repeat(43)}`;
  await using misled = startChat(server, "python", "lobby", "--fingerprint", other);
  assert.equal(await misled.end(), 1);
  assert.match(misled.stderr, /another server: SHA256:/);
  await using stranger = startChat(server, "python", "lobby", "--token", "wrong");
  assert.equal(await stranger.end(), 1);
  assert.match(stranger.stderr, /unauthorized/);
});
