// What a client in another language gets right from docs/PROTOCOL.md alone: WebSocket, lost connections, files with
// several parts on their way, invites, and what goes over the relay for a sealed room.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { makeCertificate } from "../helpers/system/certificates.ts";
import { startClient, temporaryHome } from "../helpers/programs/client_process.ts";
import { makeIdentity } from "../helpers/fakes/identities.ts";
import { startNats } from "../helpers/system/nats.ts";
import { adminAnswer, pagesOf, WITH_TOKEN } from "../helpers/programs/admin.ts";
import { startServer } from "../helpers/programs/server_process.ts";
import {
  endPython,
  PYTHON,
  PYTHON_CRYPTOGRAPHY,
  startChat,
  startDeno,
  startPython,
} from "./clients.ts";
import { skipWithout } from "../helpers/repo/skip.ts";

const test = skipWithout(PYTHON, PYTHON_CRYPTOGRAPHY);
const clusterTest = skipWithout(PYTHON, PYTHON_CRYPTOGRAPHY, "nats-server");

/** How often a text is in another one. */
function timesIn(text: string, part: string): number {
  return text.split(part).length - 1;
}

for (const tls of [true, false]) {
  test(`the client in Python talks and takes a file over WebSocket${tls ? " inside TLS" : ""}`, async () => {
    await using certificate = await makeCertificate();
    const { certFile, keyFile } = certificate;
    await using server = await startServer({
      args: ["--web-only-socket", ...tls ? ["--certfile", certFile, "--keyfile", keyFile] : []],
    });
    const home = temporaryHome();
    await using deno = startDeno(server, {
      home,
      args: tls ? ["--tls", `--ca-file=${certFile}`] : [],
    });
    await deno.prints(/"state":"connected"/);
    const place = [tls ? "localhost" : "127.0.0.1", String(server.port), "python", "interop"];
    await using python = startPython(
      "chat.py",
      ...place,
      "--web",
      ...tls ? [`--ca-file=${certFile}`] : [],
    );
    await python.prints(/^in interop as python$/m);
    await python.type("say over the web");
    await deno.prints(/"sender":"python".*"text":"over the web"/);
    const file = randomBytes(400_001);
    await Deno.writeFile(`${home}/web.bin`, file);
    await deno.type(`/send ${home}/web.bin`);
    await python.type(`take ${home}/taken.bin`);
    await python.prints(/^took web\.bin of deno$/m);
    assert.ok(file.equals(await Deno.readFile(`${home}/taken.bin`)));
    await python.type("cut");
    await python.prints(/^resumed interop as python$/m);
    await python.type("say and back");
    await deno.prints(/"text":"and back"/);
    await python.type("bye");
    await deno.prints(/"event":"left".*"name":"python"/);
    await endPython(python);
  });
}

test("the client in Python serves a file to two with several parts on their way, and takes one over a lost connection", async () => {
  await using server = await startServer();
  const home = temporaryHome();
  await using deno = startDeno(server, {
    home,
    args: ["--accept-files", `--download-dir=${home}/got`],
  });
  await deno.prints(/"state":"connected"/);
  await using sender = startChat(server, "sender", "interop");
  await sender.prints(/^in interop/m);
  await using other = startChat(server, "other", "interop");
  await other.prints(/^in interop/m);
  const [shared, taken] = [randomBytes(1_500_001), randomBytes(900_000)];
  await Deno.writeFile(`${home}/shared.bin`, shared);
  await Deno.writeFile(`${home}/taken.bin`, taken);
  await sender.type(`share 2 ${home}/shared.bin`);
  await other.type(`broken ${home}/other.bin`);
  await sender.prints(/^most parts under way: [2-6]\nsent shared\.bin to deno, other$/m);
  await other.prints(/^resumed interop as other\ntook shared\.bin of sender$/m);
  assert.ok(shared.equals(await Deno.readFile(`${home}/got/shared.bin`)));
  assert.ok(shared.equals(await Deno.readFile(`${home}/other.bin`)));

  await deno.type(`/send ${home}/taken.bin`);
  await sender.type(`broken ${home}/mine.bin`);
  await sender.prints(/^resumed interop as sender\ntook taken\.bin of deno$/m);
  assert.ok(taken.equals(await Deno.readFile(`${home}/mine.bin`)));
  await sender.type("bye");
  await endPython(sender);
});

test("the client in Python sends what was not answered again, once, and tells what a new session may have lost", async () => {
  await using identity = await makeIdentity();
  const known = ["--identity-file", identity.path];
  await using server = await startServer({ args: known });
  await using deno = startDeno(server);
  await deno.prints(/"state":"connected"/);
  await using python = startChat(server, "python", "interop");
  await python.prints(/^in interop as python$/m);
  for (let line = 0; line < 5; line++) {
    await python.type(`lose line ${line}`);
    await python.prints(new RegExp(`^resumed interop as python\\nanswered line ${line}$`, "m"));
  }
  await python.type("say the end");
  await python.prints(/^said the end$/m);
  await deno.prints(/"text":"the end"/);
  const counts = [0, 1, 2, 3, 4].map((line) => timesIn(deno.stdout, `"text":"line ${line}"`));
  assert.deepEqual(counts, [1, 1, 1, 1, 1]);

  await server.stop("SIGKILL");
  await using next = await startServer({ args: [...known, "--port", String(server.port)] });
  await python.type("lose line of a lost session");
  await python.prints(/^perhaps not done chat line of a lost session\nin interop as python$/m);
  await python.type("say in the new one");
  await python.prints(/^said in the new one$/m);
  assert.equal(next.log.includes("broke the protocol"), false, next.log);
  await python.type("bye");
  await endPython(python);
});

test("the client in Python has invites made, and comes in by the link of one", async () => {
  await using server = await startServer({
    args: ["--invites"],
    env: { CMDCHAT_TOKENS: "a-token" },
  });
  await using python = startChat(server, "python", "interop", "--token=a-token");
  await python.prints(/^in interop as python$/m);
  await python.type("invite 1 3600");
  const [, forDeno = ""] = await python.prints(/^invited 1 (cmdchat:\S+)$/m);
  await python.type("invite 2 60");
  const [, forPython = ""] = await python.prints(/^invited 2 (cmdchat:\S+)$/m);
  await using deno = startClient(temporaryHome(), {
    args: ["--name=deno", "--renderer=json"],
    env: { CMDCHAT_LINK: forDeno },
  });
  await deno.prints(/"state":"connected"/);
  await deno.type("by the link");
  await python.type("hear by the link");
  await python.prints(/^heard deno by the link$/m);
  await using guest = startPython("chat.py", forPython, "guest");
  await guest.prints(/^in interop as guest$/m);
  await guest.type("invite 1 60");
  await guest.prints(/^declined .+$/m);
  await python.type("invites");
  await python.prints(/^invite 2 of python to interop for 1\nthese are all$/m);
  await python.type("uninvite 2");
  await python.prints(/^revoked 2$/m);
  await using late = startPython("chat.py", forPython, "late");
  assert.equal(await late.end(), 1);
  assert.match(late.stderr, /unauthorized/);
  await guest.type("say still here");
  await guest.prints(/^said still here$/m);
  await python.type("bye");
  await endPython(python);
});

test("the client in Python proves its device key to the client in Deno, and the other way round", async () => {
  await using server = await startServer();
  const home = temporaryHome();
  const key = `${home}/device_key`;
  const env = { CMDCHAT_DEVICE_KEY_PASSPHRASE: "correct horse" };
  await using keygen = startClient(home, { args: ["keygen", key], env });
  assert.equal(await keygen.end(), 0, keygen.stderr);
  const [digits = ""] = /(?:\d{5} ){5}\d{5}/.exec(keygen.stdout + keygen.stderr) ?? [];
  assert.notEqual(digits, "");
  await using deno = startDeno(server, { home, args: [`--device-key=${key}`], env });
  await using python = startChat(server, "python", "interop");
  await python.prints(/^in interop as python$/m);
  await deno.prints(/"event":"(?:joined|names)".*python/);
  await python.type("show");
  const [, shown = ""] = await python.prints(/^key ([\d ]{35})$/m);
  await deno.type("are you there?");
  await python.type("hear are you there?");
  await python.type("proof deno");
  await python.prints(new RegExp(`^proven deno ${digits}$`, "m"));
  await using other = startChat(server, "other", "interop");
  await other.prints(/^in interop as other$/m);
  await deno.type("/verify python");
  // It answers while it reads for another reason.
  await python.type("hear did it work?");
  await deno.type("did it work?");
  await python.prints(/^heard deno did it work\?$/m);
  // Nobody says that: it reads on, and answers whoever asks, the other client as well.
  await python.type("hear enough");
  const [a = "", b = ""] = [shown.slice(0, 17), shown.slice(18)];
  const said = new RegExp(`${a}\\s+${b}`);
  await Promise.any([deno.prints(said), deno.complains(said)]);
  await other.type("proof python");
  await other.prints(new RegExp(`^proven python ${shown}$`, "m"));
});

clusterTest(
  "the client in Python moves to another server when it is asked to, and nobody sees it",
  async () => {
    await using nats = await startNats(1);
    await using identity = await makeIdentity();
    const start = () => {
      using free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const port = String(free.addr.port);
      const cluster = ["--nats", nats.urls, "--identity-file", identity.path];
      const places = ["--port", port, "--advertise", `127.0.0.1:${port}`, "--admin-listen", "0"];
      return startServer({
        args: [...cluster, ...places],
        env: { CMDCHAT_CLUSTER_KEY: "A".repeat(43), ...WITH_TOKEN },
      });
    };
    await using first = await start();
    await using second = await start();
    await using deno = startDeno(second);
    await deno.prints(/"state":"connected"/);
    await using python = startChat(first, "python", "interop");
    await python.prints(/^in interop as python$/m);
    await deno.prints(/"event":"joined".*python/);
    await python.type("moved");
    const pages = await pagesOf(first);
    const end = performance.now() + 30_000;
    while (!/connected: 0/.test(await adminAnswer(pages, "drain"))) {
      assert.ok(performance.now() < end, `it stays: ${python.stdout}${python.stderr}`);
      await deno.type("who talks meanwhile");
    }
    await python.prints(/^resumed interop as python$/m);
    await second.logged(/client joined/);
    await python.type("hear who talks meanwhile");
    await python.prints(/^heard deno who talks meanwhile$/m);
    await python.type("say from the other server");
    await deno.prints(/"sender":"python".*"text":"from the other server"/);
    assert.doesNotMatch(deno.stdout, /"event":"(?:away|back|left)"/);
    await python.type("bye");
    await endPython(python);
  },
);

test("two clients in Python make a sealed room, come in, talk, miss nothing and go, without a word of MLS", async () => {
  await using server = await startServer();
  const secret = randomBytes(32).toString("base64url");
  const place = ["127.0.0.1", String(server.port)];
  await using alice = startPython("sealed.py", ...place, "alice", secret);
  await alice.type("attach");
  await alice.prints(/^no group$/m);
  await alice.type("make");
  await alice.prints(/^made$/m);
  await using bob = startPython("sealed.py", ...place, "bob", secret);
  await bob.type("attach");
  await bob.prints(/^attached 0 0 epochs here: 0$/m);
  await bob.type("join");
  await alice.type("admit");
  await alice.prints(/^admitted sound epoch 1$/m);
  await bob.prints(/^in \d+ with \d$/m);
  await bob.type("say hello");
  await bob.prints(/^said 2$/m);
  await alice.type("hear hello");
  await alice.prints(/^heard 2 hello$/m);
  await alice.type("cut");
  await alice.prints(/^attached 1 2 nothing here: 2$/m);
  await bob.type("say after the cut");
  await alice.type("hear after the cut");
  await alice.prints(/^heard 3 after the cut$/m);
  await bob.type("gone");
  await bob.prints(/^gone for now$/m);
  await alice.type("leave");
  await alice.prints(/^left$/m);
  await bob.type("gone");
  await bob.prints(/^gone for good$/m);
  await endPython(alice);
});
