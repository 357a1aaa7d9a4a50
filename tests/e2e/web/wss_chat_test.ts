// A whole chat over wss, with clients as people and scripts start them: plain room, sealed room, files, cut connections.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { encodeBase64Url } from "../../../shared/base/base64.ts";
import { LiveChat } from "../../helpers/fakes/live_chat.ts";
import { FaultyNetwork } from "../../helpers/hostile/faulty_network.ts";
import { within } from "../../helpers/peers/v1_peer.ts";
import { runClient, startClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { makeCertificate, type TestCertificate } from "../../helpers/system/certificates.ts";

const MIB = 1_048_576;
const CONNECTION_ERROR = 4;
const test = skipWithout("openssl");
const home = temporaryHome();

function startSecure(certificate: TestCertificate, ...args: string[]): Promise<RunningServer> {
  const { certFile, keyFile } = certificate;
  return startServer({ args: ["--certfile", certFile, "--keyfile", keyFile, ...args] });
}

function newSecret(): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(32)));
}

for (const kind of ["plain", "sealed"]) {
  test(`messages and a file pass a ${kind} room over wss, by a link that says ?wss`, async () => {
    await using certificate = await makeCertificate();
    await using server = await startSecure(certificate, "--web-only-socket");
    const fingerprint = (await server.printed(/fingerprint SHA256:(\S+)/))[1];
    const secret = kind === "sealed" ? `&secret=${newSecret()}` : "";
    const env = {
      CMDCHAT_LINK: `cmdchat://localhost:${server.port}/den?wss#fp=${fingerprint}${secret}`,
      CMDCHAT_CA_FILE: certificate.certFile,
    };
    await using taker = startClient(home, {
      args: ["recv", "--count", "1", "--timeout", "20", "--names", "--name", "taker"],
      env,
    });
    if (kind === "plain") await server.logged(/client joined/);
    else await taker.complains(/den: nobody else is here/);
    const sent = await runClient(home, { args: ["send", "--name", "al", "over wss"], env });
    assert.deepEqual([sent.code, sent.stdout], [0, ""], sent.stderr);
    assert.equal(await taker.end(), 0, taker.stderr);
    assert.equal(taker.stdout, "<al> over wss\n");

    const folder = await Deno.makeTempDir({ dir: home });
    const bytes = new Uint8Array(MIB + 7);
    for (let at = 0; at < bytes.length; at += 65_536) {
      crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    }
    await Deno.writeFile(`${home}/wss.bin`, bytes);
    await using receiver = startClient(home, { args: ["recv-file"], env, cwd: folder });
    await using sender = startClient(home, { args: ["send-file", `${home}/wss.bin`], env });
    const codes = await within(Promise.all([sender.end(), receiver.end()]), "the file", 60_000);
    assert.deepEqual(codes, [0, 0], sender.stderr + receiver.stderr);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const saved = createHash("sha256").update(await Deno.readFile(`${folder}/wss.bin`));
    assert.deepEqual([sender.stdout, saved.digest("hex")], [`${sha256}  wss.bin\n`, sha256]);
  });
}

test("a file over wss survives two cuts in its middle", async () => {
  await using certificate = await makeCertificate();
  await using server = await startSecure(certificate, "--web-only-socket");
  const cuts = [MIB, MIB];
  await using network = new FaultyNetwork(server.port, () => {
    const bytes = cuts.shift();
    return bytes === undefined ? undefined : { kind: "kill", after: "up", bytes };
  });
  const folder = await Deno.makeTempDir({ dir: home });
  const bytes = new Uint8Array(4 * MIB).fill(7);
  await Deno.writeFile(`${home}/cut.bin`, bytes);
  const common = ["--host", "localhost", "--ca-file", certificate.certFile, "--transport", "wss"];
  await using sender = startClient(home, {
    args: ["send-file", ...common, "--port", String(network.port), `${home}/cut.bin`],
  });
  await using taker = startClient(home, {
    args: ["recv-file", ...common, "--port", String(server.port)],
    cwd: folder,
  });
  const codes = await within(Promise.all([sender.end(), taker.end()]), "the file", 60_000);
  assert.deepEqual(codes, [0, 0], sender.stderr + taker.stderr);
  assert.deepEqual(await Deno.readFile(`${folder}/cut.bin`), bytes);
  assert.equal(network.damage.kills, 2);
});

test("a server without WebSocket, or on which TLS is missing, is told apart, and nothing else is tried", async () => {
  await using certificate = await makeCertificate();
  await using off = await startSecure(certificate);
  await using plain = await startServer({ args: ["--web-only-socket"] });
  const common = ["--host", "localhost", "--ca-file", certificate.certFile, "--transport", "wss"];
  const cases: [RunningServer, RegExp][] = [
    [off, /over WebSocket: it does not speak WebSocket\nhint: .*--web-only-socket/],
    [plain, /does not speak TLS on this port/],
  ];
  for (const [server, complaint] of cases) {
    const { code, stderr } = await runClient(home, {
      args: ["send", ...common, "--port", String(server.port), "hello"],
    });
    assert.equal(code, CONNECTION_ERROR, stderr);
    assert.match(stderr, complaint);
    assert.doesNotMatch(server.log, /client joined/);
  }
});

test("/invite and doctor know that the server is reached over wss", async () => {
  await using certificate = await makeCertificate();
  await using server = await startSecure(certificate, "--web-only-socket");
  const endpoint = () => ({
    host: "localhost",
    port: server.port,
    tls: { caCerts: [certificate.cert], insecure: false },
    webSocket: true,
  });
  await using alice = new LiveChat({ name: "alice", endpoint });
  await alice.until(() => alice.chat.connected, "the session");
  alice.read();
  await alice.console.enter("/invite");
  const link = /cmdchat:\/\/localhost:\d+\/lobby\?wss#fp=/;
  await alice.until(() => alice.lines.some((line) => link.test(String(line["text"]))), "the link");

  const { code, stdout } = await runClient(home, {
    args: [
      "doctor",
      "--host",
      "localhost",
      "--port",
      String(server.port),
      "--ca-file",
      certificate.certFile,
      "--transport",
      "wss",
    ],
  });
  assert.equal(code, 0, stdout);
  assert.match(stdout, /ok {4}protocol {5}session v2/);
});
