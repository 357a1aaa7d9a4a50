// What systemd hears from a server: the test plays the manager on a socket of its own.

import assert from "node:assert/strict";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipUnless } from "../../helpers/repo/skip.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { within } from "../../helpers/peers/v1_peer.ts";

const test = skipUnless(Deno.build.os === "linux", "datagrams over a path are Linux'");

interface Manager extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  /** Resolves with the datagram that holds this line. */
  hears(line: RegExp): Promise<string>;
}

async function openManager(): Promise<Manager> {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-manager-" });
  const path = `${folder}/manager`;
  const socket = Deno.listenDatagram({ transport: "unixpacket", path });
  const decoder = new TextDecoder();
  const next = async (line: RegExp): Promise<string> => {
    for await (const [bytes] of socket) {
      const text = decoder.decode(bytes);
      if (line.test(text)) return text;
    }
    throw new Error("the manager's socket was closed");
  };
  return {
    env: { NOTIFY_SOCKET: path, RUNTIME_DIRECTORY: folder },
    hears: (line) => within(next(line), `a datagram with ${line}`, 10_000),
    async [Symbol.asyncDispose]() {
      socket.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

const BASE = ["--allow-net", "--allow-env", "--allow-read", "--allow-sys=hostname,uid"];

/** A server that may write only where the manager's sockets are, as its executable. */
function startManaged(manager: Manager, env: Record<string, string> = {}): Promise<RunningServer> {
  const { NOTIFY_SOCKET = "", RUNTIME_DIRECTORY = "" } = manager.env;
  const write = `--allow-write=${NOTIFY_SOCKET},${RUNTIME_DIRECTORY}/notify`;
  return startServer({
    command: {
      path: Deno.execPath(),
      args: ["run", "--no-check", "--no-prompt", ...BASE, write, "server/main.ts"],
    },
    env: { ...manager.env, ...env },
  });
}

test("systemd hears when the server is ready, reads its files again, and stops", async () => {
  await using manager = await openManager();
  const starting = startManaged(manager);
  await manager.hears(/^READY=1$/m);
  await using server = await starting;
  server.signal("SIGHUP");
  await manager.hears(/^RELOADING=1$/m);
  await manager.hears(/^READY=1$/m);
  const stopped = server.stop();
  await manager.hears(/^STOPPING=1$/m);
  assert.equal((await stopped).code, 0);
});

test("systemd hears a sign of life several times in its watchdog's time, with numbers and no names", async () => {
  await using manager = await openManager();
  await using server = await startManaged(manager, { WATCHDOG_USEC: "600000" });
  await using _peer = await V2Peer.join({ port: server.port, hello: { name: "roberta" } });
  const began = performance.now();
  for (let n = 0; n < 3; n++) await manager.hears(/^WATCHDOG=1$/m);
  assert.ok(performance.now() - began < 2_000);
  const notice = await manager.hears(/^STATUS=1 members/m);
  assert.match(notice, /^WATCHDOG=1\nSTATUS=1 members in 1 rooms$/);
});

test("a watchdog that was meant for another process is not answered", async () => {
  await using manager = await openManager();
  await using server = await startManaged(manager, { WATCHDOG_USEC: "30000", WATCHDOG_PID: "1" });
  await manager.hears(/^READY=1$/m);
  const stopped = server.stop();
  assert.equal(await manager.hears(/WATCHDOG|STOPPING/), "STOPPING=1");
  await stopped;
});

test("a manager that cannot be reached is one warning, and the server serves", async () => {
  await using manager = await openManager();
  await using server = await startManaged(manager, { RUNTIME_DIRECTORY: "/nowhere" });
  await server.logged(/WARNING cannot tell the service manager/);
  await using _peer = await V2Peer.join({ port: server.port });
});
