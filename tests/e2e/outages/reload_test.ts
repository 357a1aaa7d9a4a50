// SIGHUP: certificate, key, tokens, bans and settings are read again. Only the sessions of revoked tokens end.

import assert from "node:assert/strict";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import { adminAnswer, pagesOf, WITH_TOKEN } from "../../helpers/programs/admin.ts";
import { Program } from "../../helpers/programs/programs.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipIf, skipWithout } from "../../helpers/repo/skip.ts";
import { whyMissing } from "../../helpers/repo/system_needs.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const tlsTest = skipWithout("openssl");
const READ_AGAIN = /INFO read certificate, tokens, bans and settings again/;

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
    await server.logged(/cannot read a file again, its former content stays in effect/);
    await assert.rejects(V1Peer.join({ port, name: "eve", token: null }));
    await using _carol = await V1Peer.join({ port, name: "carol", token: "new-token" });
    const { stderr } = await server.stop();
    assert.ok(!/old-token|new-token/.test(stderr), stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("SIGHUP: of named tokens one is revoked and ends its sessions alone; sessions are listed by name", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/tokens`;
  await Deno.writeTextFile(file, "# ours\nalice:one\nbob:two\nthree\n", { mode: 0o600 });
  const join = (name: string, token: string, port: number) =>
    V2Peer.join({ port, hello: { name, token, rooms: [["lobby", 0]] } });
  try {
    await using server = await startServer({
      args: ["--tokens-file", file, "--admin-listen", "127.0.0.1:0"],
      env: WITH_TOKEN,
    });
    const pages = await pagesOf(server);
    const { port } = server;
    await using alice = await join("anna", "one", port);
    await using bob = await join("bert", "two", port);
    await using _carol = await join("carol", "three", port);
    const sessions = async () => {
      const answer = JSON.parse(await adminAnswer(pages, "sessions", "--json")) as {
        sessions: readonly { readonly token: string | null; readonly received: number }[];
      };
      return answer.sessions;
    };
    await bob.say("hello");
    await alice.until("chat");
    const before = await sessions();
    assert.deepEqual(before.map(({ token }) => token), ["alice", "bob", null]);
    assert.deepEqual(before.map(({ received }) => received), [0, 1, 0]);

    await Deno.writeTextFile(file, "bob:two\nthree\n");
    server.signal("SIGHUP");
    await alice.ended;
    assert.deepEqual((await sessions()).map(({ token }) => token), ["bob", null]);

    await Deno.writeTextFile(file, "bob:two:three\n");
    server.signal("SIGHUP");
    await server.logged(/line 1 has a colon that may be a part of its token/);
    assert.equal((await sessions()).length, 2, "and what was right before still is");
    const { stderr } = await server.stop();
    assert.ok(!/one|two|three/.test(stderr), stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("SIGHUP: limits, log level and bans are those of the files of now, and what needs a restart is said", async () => {
  const folder = await Deno.makeTempDir();
  const [settings, bans] = [`${folder}/settings`, `${folder}/bans`];
  await Deno.writeTextFile(settings, "CMDCHAT_MAX_PER_ADDRESS=1\n", { mode: 0o600 });
  await Deno.writeTextFile(bans, "# nobody\n", { mode: 0o600 });
  try {
    await using server = await startServer({
      args: ["--settings-file", settings, "--bans-file", bans],
    });
    const { port } = server;
    const reload = async (text: string) => {
      await Deno.writeTextFile(settings, text);
      server.signal("SIGHUP");
    };
    await using alice = await V2Peer.join({ port, hello: { name: "alice" } });
    await assert.rejects(V2Peer.join({ port, hello: { name: "bob" } }));

    await reload("CMDCHAT_MAX_PER_ADDRESS=2\nCMDCHAT_HOLD=7\nCMDCHAT_TOKENS=bob:s3cret\n");
    await server.logged(READ_AGAIN);
    assert.match(server.log, /WARNING settings that take effect at the next start options="hold"/);
    await using bob = await V2Peer.join({ port, hello: { name: "bob", token: "s3cret" } });

    await reload("CMDCHAT_LOG_LEVEL=WARNING\nCMDCHAT_MAX_PER_ADDRESS=many\n");
    await server.logged(
      /its former content stays in effect why="Cannot use CMDCHAT_MAX_PER_ADDRESS/,
    );
    await reload("CMDCHAT_LOG_LEVEL=ERROR\nCMDCHAT_RATE_LIMIT=off\n");
    await Deno.writeTextFile(bans, "127.0.0.0/8\n");
    server.signal("SIGHUP");
    await Promise.all([alice.ended, bob.ended]);
    await assert.rejects(V2Peer.join({ port, hello: { name: "carol", token: "s3cret" } }));
    await Deno.writeTextFile(bans, "::1\nnonsense\n");
    server.signal("SIGHUP");
    await server.logged(/--bans-file .*: line 2 is not an address or a network/);
    const { stderr } = await server.stop();
    assert.ok(!stderr.includes("ended the sessions of banned"), "INFO lines are not written now");
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
      /its former content stays in effect why="Cannot use --certfile .*does not hold a certificate/,
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
    await server.logged(/its former content stays in effect.*it is not the key of/);
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

const SERVER_FILE = new URL("../../../server/main.ts", import.meta.url).pathname;
const SERVER = [
  Deno.execPath(),
  "run --no-check --allow-net --allow-env --allow-read --allow-sys=hostname,uid,networkInterfaces",
  SERVER_FILE,
].join(" ");

/** A server in a terminal that a test can close. */
function startInTerminal(args: string): Program {
  return new Program("script", {
    args: ["--quiet", "--return", "--command", `echo pid $$; exec ${SERVER} ${args}`, "/dev/null"],
    env: { HOME: Deno.env.get("HOME") ?? "/", CMDCHAT_METRICS: "0" },
  });
}

async function hasEnded(pid: number): Promise<void> {
  const isThere = () => {
    try {
      // A process that nobody collects stays as a zombie.
      return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
    } catch {
      return false;
    }
  };
  const end = performance.now() + 20_000;
  while (isThere()) {
    assert.ok(performance.now() < end, "the server goes on");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const terminalTest = skipIf(
  Deno.build.os === "linux" ? whyMissing("script") : "processes are watched as Linux shows them",
);

for (const command of ["--port 0", "host --port 0"]) {
  terminalTest(
    `a server that was started in a terminal (${command}) reads again at SIGHUP, and ends with its terminal`,
    async () => {
      await using terminal = startInTerminal(command);
      const pid = Number((await terminal.prints(/^pid (\d+)/m))[1]);
      const [, port] = await terminal.prints(
        command.startsWith("host") ? /127\.0\.0\.1:(\d+)\/lobby#/ : /listening on [^\n]*:(\d+) /,
      );
      const [, token] = /token=([\w-]+)/.exec(terminal.stdout) ?? [];
      await using alice = await V2Peer.join({
        port: Number(port),
        hello: { name: "alice", rooms: [["lobby", 0]], ...(token === undefined ? {} : { token }) },
      });
      Deno.kill(pid, "SIGHUP");
      if (!command.startsWith("host")) await terminal.prints(READ_AGAIN);
      await alice.say("still here", "lobby");
      terminal.signal("SIGKILL");
      await alice.ended;
      await hasEnded(pid);
    },
  );
}

Deno.test("a signal while a server waits for NATS, or one that it has no use for, does not end it", async () => {
  await using waiting = new Program(Deno.execPath(), {
    args: ["run", "--no-check", "-A", SERVER_FILE, "--port", "0", "--nats", "nats://127.0.0.1:9"],
    env: { HOME: Deno.env.get("HOME") ?? "/", CMDCHAT_CLUSTER_KEY: "k".repeat(43) },
  });
  await waiting.complains(/NATS/);
  for (const signal of ["SIGHUP", "SIGUSR1", "SIGUSR2"] as const) waiting.signal(signal);
  waiting.signal("SIGTERM");
  assert.equal(await waiting.end(), 143);

  await using server = await startServer();
  for (const signal of ["SIGUSR1", "SIGUSR2", "SIGHUP"] as const) server.signal(signal);
  await server.logged(READ_AGAIN);
  assert.equal((await server.stop()).code, 0);
});
