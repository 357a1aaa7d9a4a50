// The client's ways out: real proxies as Debian has them, and what leaves the machine.

import assert from "node:assert/strict";
import { runClient, startClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { type Ended, runProgram } from "../../helpers/programs/programs.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { programPath } from "../../helpers/repo/system_needs.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import {
  ScriptedProxy,
  socksAnswers,
  startMicrosocks,
  startOfflineTor,
  startTinyproxy,
} from "../../helpers/web/forward_proxies.ts";

// Connections of a proxy come from here, those of a client from 127.0.0.1.
const SOURCE = "127.0.0.7";
const AUTH = "al:p-w";
const CONNECTION_ERROR = 4;
// A name of an onion service, whose checksum is right.
const ONION = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion";
const home = temporaryHome();

function sendThrough(
  server: RunningServer,
  proxy: string,
  { args = [], env = {}, text = "hello" }: {
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly text?: string;
  } = {},
): Promise<Ended> {
  const port = String(server.port);
  return runClient(home, {
    args: ["send", "--port", port, "--proxy", proxy, "--timeout", "20", ...args, text],
    env,
  });
}

function joinedFrom(server: RunningServer): (string | undefined)[] {
  const joins = server.log.matchAll(/client joined .*address="([^"]+)"/g);
  return [...joins].map(([, address]) => address);
}

for (const kind of ["microsocks", "tinyproxy"] as const) {
  const test = skipWithout(kind, "openssl");
  const start = kind === "microsocks" ? startMicrosocks : startTinyproxy;
  const scheme = kind === "microsocks" ? "socks5" : "http";

  test(`messages go through ${kind}, raw, over TLS, over wss and without a look at the certificate`, async () => {
    await using certificate = await makeCertificate();
    const { certFile, keyFile } = certificate;
    await using plain = await startServer();
    await using secure = await startServer({
      args: ["--certfile", certFile, "--keyfile", keyFile, "--web-only-socket"],
    });
    await using proxy = await start(SOURCE);
    const url = `${scheme}://127.0.0.1:${proxy.port}`;
    const ways: [RunningServer, readonly string[]][] = [
      [plain, ["--host", "127.0.0.1"]],
      [secure, ["--host", "localhost", "--ca-file", certFile]],
      [secure, ["--host", "localhost", "--ca-file", certFile, "--transport", "wss"]],
      [secure, ["--host", "localhost", "--tls-insecure"]],
      [secure, ["--host", "localhost", "--tls-insecure", "--transport", "wss"]],
    ];
    for (const [server, args] of ways) {
      const { code, stderr } = await sendThrough(server, url, { args });
      assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    }
    assert.deepEqual([...new Set([...joinedFrom(plain), ...joinedFrom(secure)])], [SOURCE]);
    assert.equal(joinedFrom(secure).length, 4);

    const doctor = await runClient(home, {
      args: [
        "doctor",
        "--host",
        "localhost",
        "--port",
        String(secure.port),
        "--ca-file",
        certFile,
        "--transport",
        "wss",
        "--proxy",
        url,
      ],
    });
    assert.equal(doctor.code, 0, doctor.stdout);
    assert.match(doctor.stdout, /address +"localhost" is looked up by the proxy/);
    assert.match(doctor.stdout, /ok +expiry/);
    assert.deepEqual([...new Set(joinedFrom(secure))], [SOURCE]);
  });

  test(`${kind} with a password takes the right one, from a variable or a file, and says no to all others`, async () => {
    await using server = await startServer();
    await using proxy = await start(SOURCE, AUTH);
    const url = `${scheme}://127.0.0.1:${proxy.port}`;
    const file = `${home}/proxy-auth`;
    await Deno.writeTextFile(file, `${AUTH}\n`, { mode: 0o600 });
    const right = [
      { env: { CMDCHAT_PROXY_AUTH: AUTH } },
      { args: ["--proxy-auth-file", file] },
    ];
    for (const options of right) {
      const { code, stderr } = await sendThrough(server, url, options);
      assert.deepEqual([code, stderr], [0, ""]);
    }
    assert.deepEqual(joinedFrom(server), [SOURCE, SOURCE]);

    const env = { CMDCHAT_PROXY_AUTH: "al:WRONG" };
    const wrong = await sendThrough(server, url, { env });
    assert.equal(wrong.code, CONNECTION_ERROR);
    assert.match(wrong.stderr, /through the proxy .*: it does not take this user and password/);
    assert.doesNotMatch(wrong.stdout + wrong.stderr, /WRONG/);
    const none = await sendThrough(server, url);
    assert.equal(none.code, CONNECTION_ERROR);
    assert.match(none.stderr, /it requires a user and a password\nhint: .*CMDCHAT_PROXY_AUTH/);
    assert.equal(joinedFrom(server).length, 2);
  });

  test(`a chat through ${kind} comes back through it after the server was away`, async () => {
    await using identity = await makeIdentity();
    const same = ["--identity-file", identity.path];
    await using first = await startServer({ args: same });
    await using proxy = await start(SOURCE);
    await using chat = startClient(home, {
      args: [
        "recv",
        "--host",
        "127.0.0.1",
        "--port",
        String(first.port),
        "--timeout",
        "60",
        "--proxy",
        `${scheme}://127.0.0.1:${proxy.port}`,
      ],
    });
    await first.logged(/client joined/);
    await first.stop("SIGKILL");
    await using second = await startServer({ args: ["--port", String(first.port), ...same] });
    await second.logged(/client joined/);
    assert.deepEqual(joinedFrom(second), [SOURCE]);
    chat.signal("SIGTERM");
    await chat.end();
  });
}

Deno.test("the variables of all programs are read, this machine is reached without them, and an unreachable proxy is no reason to go without", async () => {
  await using server = await startServer();
  const port = String(server.port);
  const dead = "socks5://al:SECRET@127.0.0.1:1";
  const direct = await runClient(home, {
    args: ["send", "--host", "127.0.0.1", "--port", port, "hello"],
    env: { ALL_PROXY: dead },
  });
  assert.equal(direct.code, 0, direct.stderr);
  const ways: { args: readonly string[]; env: Readonly<Record<string, string>> }[] = [
    { args: ["--host", "chat.example.org"], env: { ALL_PROXY: dead } },
    { args: ["--host", "chat.example.org"], env: { all_proxy: dead } },
    { args: ["--host", "127.0.0.1", "--proxy", "socks5://127.0.0.1:1"], env: {} },
    { args: ["--host", "chat.example.org", "--transport", "wss"], env: { HTTPS_PROXY: dead } },
  ];
  for (const { args, env } of ways) {
    const { code, stderr } = await runClient(home, {
      args: ["send", "--port", port, ...args, "hello"],
      env,
    });
    assert.equal(code, CONNECTION_ERROR, stderr);
    assert.match(
      stderr,
      /^error: Cannot connect to the proxy "socks5:\/\/127\.0\.0\.1:1": nothing listens/,
    );
    assert.doesNotMatch(stderr, /SECRET/);
  }
  assert.equal(joinedFrom(server).length, 1);
});

const testOnion = skipWithout("strace");
testOnion(
  "a chat with an .onion opens one connection, to the proxy, and no name is looked up",
  async () => {
    await using server = await startServer();
    await using proxy = new ScriptedProxy(socksAnswers(2), server.port);
    const { code, stderr, traced } = await tracedClient([
      "send",
      "--host",
      ONION,
      "--proxy",
      `socks5://127.0.0.1:${proxy.port}`,
      "hello",
    ]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(joinedFrom(server).length, 1);
    const connects = traced.filter((line) => /\bconnect\(/.test(line));
    assert.equal(connects.length, 1, traced.join("\n"));
    assert.match(connects[0] ?? "", new RegExp(`htons\\(${proxy.port}\\).*"127\\.0\\.0\\.1"`));
    assert.ok(proxy.heard[0]?.includes(ONION));
  },
);

testOnion(
  "without a proxy an .onion is refused, by send and by doctor, and nothing leaves the machine",
  async () => {
    for (const command of ["send", "doctor"]) {
      const words = command === "send" ? ["hello"] : [];
      for (const more of [[], ["--tls-insecure"], ["--transport", "wss"]]) {
        const { stdout, stderr, code, traced } = await tracedClient(
          [command, "--host", ONION, ...more, ...words],
          { NO_PROXY: "onion", ALL_PROXY: "socks5://127.0.0.1:1" },
        );
        assert.equal(code, CONNECTION_ERROR, stderr);
        assert.match(stdout + stderr, /names below \.onion are reached through Tor only/);
        assert.deepEqual(traced, []);
      }
    }
  },
);

/** Runs a client and gives the system calls with which it reached for a network. */
async function tracedClient(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended & { readonly traced: readonly string[] }> {
  const file = await Deno.makeTempFile({ dir: home });
  const entry = new URL("../../../client/main.ts", import.meta.url).href;
  const calls = "trace=connect,sendto,sendmsg,sendmmsg";
  const ended = await runProgram(programPath("strace") as string, {
    args: [
      "-f",
      "-qq",
      "-e",
      calls,
      "-o",
      file,
      Deno.execPath(),
      "run",
      "--no-check",
      "-A",
      entry,
      ...args,
    ],
    env: {
      HOME: home,
      DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
      NO_COLOR: "1",
      DENO_NO_UPDATE_CHECK: "1",
      ...env,
    },
  });
  const lines = (await Deno.readTextFile(file)).split("\n");
  return { ...ended, traced: lines.filter((line) => /AF_INET|\bconnect\(.*AF_UNIX/.test(line)) };
}

const testTor = skipWithout("tor");
testTor(
  "Tor takes the random names that keep servers apart, and what it cannot reach is said in words",
  async () => {
    await using tor = await startOfflineTor();
    const { code, stderr } = await runClient(home, {
      args: ["send", "--host", ONION, "--proxy", `socks5://127.0.0.1:${tor.port}`, "hello"],
    });
    assert.equal(code, CONNECTION_ERROR, stderr);
    // It asked for a password, took it, and then tried the service for as long as it was told.
    assert.match(stderr, /through the proxy "socks5:.*: it (?:does not answer|cannot reach it)\n/);
    await tor.logged(
      new RegExp(
        `Tried for \\d+ seconds to get a connection to (?:\\[scrubbed\\]|${ONION.slice(0, 56)})`,
      ),
    );
  },
);
