// SIGHUP: certificate, key and tokens are read again. Only the sessions of revoked tokens end.

import assert from "node:assert/strict";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const tlsTest = skipWithout("openssl");
const READ_AGAIN = /INFO read certificate and tokens again/;

Deno.test("SIGHUP: new tokens let in, revoked ones no longer, and their sessions end; the others stay", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/tokens`;
  await Deno.writeTextFile(file, "old-token\nkept-token\n", { mode: 0o600 });
  try {
    await using server = await startServer({ args: ["--tokens-file", file] });
    assert.match(server.banner, /token needed\)$/);
    const { port } = server;
    await using alice = await V1Peer.join({ port, name: "alice", token: "kept-token" });
    await using mallory = await V1Peer.join({ port, name: "mallory", token: "old-token" });
    await using trudy = await V2Peer.join({
      port,
      hello: { name: "trudy", token: "old-token", rooms: [["lobby", 0]] },
    });
    await assert.rejects(V1Peer.join({ port, name: "bob", token: "new-token" }));
    await Deno.writeTextFile(file, "new-token\nkept-token\n");
    server.signal("SIGHUP");
    await server.logged(READ_AGAIN);
    await Promise.all([mallory.closed, trudy.ended]);
    assert.match(server.log, /INFO ended the sessions of revoked tokens sessions=2/);
    await assert.rejects(V1Peer.join({ port, name: "bob", token: "old-token" }));
    await using bob = await V1Peer.join({ port, name: "bob", token: "new-token" });
    await bob.chat("hello to who was here before");
    await alice.hears("hello to who was here before");

    await Deno.writeTextFile(file, "");
    server.signal("SIGHUP");
    await server.logged(/cannot read certificate and tokens again, the old ones stay/);
    await assert.rejects(V1Peer.join({ port, name: "eve", token: null }));
    await using _carol = await V1Peer.join({ port, name: "carol", token: "new-token" });
    const { stderr } = await server.stop();
    assert.ok(!/old-token|new-token/.test(stderr), stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

tlsTest("SIGHUP: a bad certificate keeps no revoked token in", async () => {
  await using used = await makeCertificate();
  const folder = await Deno.makeTempDir();
  const file = `${folder}/tokens`;
  await Deno.writeTextFile(file, "old-token\n", { mode: 0o600 });
  try {
    await using server = await startServer({
      args: ["--certfile", used.certFile, "--keyfile", used.keyFile, "--tokens-file", file],
    });
    const { port } = server;
    const caCert = used.cert;
    await using mallory = await V1Peer.join({ port, name: "mallory", token: "old-token", caCert });
    await Deno.writeTextFile(used.certFile, "no certificate");
    await Deno.writeTextFile(file, "new-token\n");
    server.signal("SIGHUP");
    await mallory.closed;
    await server.logged(
      /the old ones stay why="Cannot use --certfile .*does not hold a certificate/,
    );
    await using _bob = await V1Peer.join({ port, name: "bob", token: "new-token", caCert });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

tlsTest(
  "SIGHUP: who connects from then on sees the new certificate, who is in stays in",
  async () => {
    await using used = await makeCertificate();
    await using renewed = await makeCertificate();
    const first = used.cert;
    await using server = await startServer({
      args: ["--certfile", used.certFile, "--keyfile", used.keyFile],
    });
    const { port } = server;
    await using alice = await V1Peer.join({ port, name: "alice", caCert: first });
    await Deno.writeTextFile(used.certFile, renewed.cert);
    server.signal("SIGHUP");
    // The key is still the old one's: half of a renewal must change nothing.
    await server.logged(/the old ones stay.*it is not the key of/);
    await using bob = await V1Peer.join({ port, name: "bob", caCert: first });
    await Deno.writeTextFile(used.keyFile, renewed.key);
    server.signal("SIGHUP");
    await server.logged(READ_AGAIN);
    await assert.rejects(V1Peer.join({ port, name: "carol", caCert: first }));
    await using carol = await V1Peer.join({ port, name: "carol", caCert: renewed.cert });
    await carol.chat("under the new one");
    await alice.hears("under the new one");
    await bob.hears("under the new one");
  },
);
