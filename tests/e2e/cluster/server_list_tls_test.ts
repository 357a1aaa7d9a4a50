// The list of servers over TLS, as users have it: the client's own program, a link with a fingerprint, real
// certificates; and a server of the list that is somebody else's.

import assert from "node:assert/strict";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { startClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import type { Program } from "../../helpers/programs/programs.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { makeCertificate, type TestCertificate } from "../../helpers/system/certificates.ts";
import { type NatsCluster, startNats } from "../../helpers/system/nats.ts";

const test = skipWithout("nats-server", "openssl");
// No client follows a list to "localhost".
const HOST = "127.0.0.1";
const home = temporaryHome();

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

interface Scene {
  readonly nats: NatsCluster;
  readonly identity: string;
  readonly certificate: TestCertificate;
}

/** A server with TLS on a port that it tells of, or that others are told in its place. */
function start(
  { nats, identity, certificate: { certFile, keyFile } }: Scene,
  { port = freePort(), named = port }: { readonly port?: number; readonly named?: number } = {},
): Promise<RunningServer> {
  const tls = ["--certfile", certFile, "--keyfile", keyFile];
  const place = ["--port", `${port}`, "--advertise", `${HOST}:${named}`];
  return startServer({
    args: [...tls, ...place, "--nats", nats.urls, "--identity-file", identity],
    env: { CMDCHAT_CLUSTER_KEY: "A".repeat(43), CMDCHAT_TOKENS: "the-token" },
  });
}

/** A person at `server`, who knows its fingerprint and trusts no certificate. */
function join(server: RunningServer, fingerprint: string, name: string): Program {
  const link = `cmdchat://${HOST}:${server.port}/lobby?tls#fp=${fingerprint}`;
  const args = ["--plain", "--name", name];
  return startClient(home, { args, env: { CMDCHAT_LINK: link, CMDCHAT_TOKEN: "the-token" } });
}

async function fingerprintOf(server: RunningServer): Promise<string> {
  return (await server.printed(/^fingerprint (\S+)/m))[1] as string;
}

/** Waits until the clients of a server are told of another. */
async function told({ port }: RunningServer, { certificate }: Scene): Promise<void> {
  const hello = {
    name: "watcher",
    token: "the-token",
    rooms: [["elsewhere", 0]] as [string, number][],
  };
  await using watcher = await V2Peer.join({ port, tlsCa: certificate.cert, hello });
  await watcher.until("servers", ({ list }) => list.length > 0);
  await watcher.send({ kind: "bye" });
}

async function openScene() {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats(1));
  const { path: identity } = stack.use(await makeIdentity());
  const certificate = stack.use(await makeCertificate());
  const all = stack.move();
  return { nats, identity, certificate, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

test("over TLS the clients of a server that is killed go on at the next, by the fingerprint that they knew", async () => {
  await using scene = await openScene();
  await using a = await start(scene);
  await using b = await start(scene);
  const fingerprint = await fingerprintOf(a);
  await a.logged(/another server was found/);
  await using ann = join(a, fingerprint, "ann");
  await ann.complains(/Connected as/);
  await using bob = join(b, fingerprint, "bob");
  await bob.complains(/Connected as/);
  await ann.prints(/bob/);
  await bob.type("before");
  await ann.prints(/before/);
  await told(a, scene);
  await a.stop("SIGKILL");
  await ann.type("after");
  await bob.prints(/after/);
  await b.logged(/client joined.*\n[^]*client joined/);
  assert.doesNotMatch(bob.stdout, /ann left/);
});

test("over TLS a server of the list with another fingerprint is told nothing, whatever certificate it has", async () => {
  await using scene = await openScene();
  await using another = await makeIdentity();
  const { certificate: { certFile, keyFile } } = scene;
  // The very certificate of the cluster, and still somebody else.
  await using stranger = await startServer({
    args: ["--certfile", certFile, "--keyfile", keyFile, "--identity-file", another.path],
    env: { CMDCHAT_TOKENS: "the-token" },
  });
  const port = freePort();
  const a = await start(scene, { port });
  await using _b = await start(scene, { named: stranger.port });
  const fingerprint = await fingerprintOf(a);
  await a.logged(/another server was found/);
  await using ann = join(a, fingerprint, "ann");
  await ann.complains(/Connected as/);
  await told(a, scene);
  await a.stop("SIGKILL");
  await ann.complains(/trying again/);
  // It was asked, and refused before it was told who comes.
  await stranger.logged(/handshake refused/, 30_000);
  assert.doesNotMatch(stranger.log, /client joined|unauthorized/);
  await using back = await start(scene, { port });
  await ann.type("home again");
  await back.logged(/client joined/, 60_000);
  assert.doesNotMatch(stranger.log, /client joined|unauthorized/);
});
