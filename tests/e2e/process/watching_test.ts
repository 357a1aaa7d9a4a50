// The server as its operator watches it: pages, health, top, and what SIGHUP changes.

import assert from "node:assert/strict";
import { readSamples, type Samples } from "../../../server/telemetry/prometheus_reader.ts";
import { pagesOf } from "../../helpers/programs/admin.ts";
import { type Finished, runServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { startTmux } from "../../helpers/system/tmux.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const inTerminal = skipWithout("tmux");

async function samplesOf(pages: string, init: RequestInit = {}): Promise<Samples> {
  const response = await fetch(`http://${pages}/metrics`, init);
  assert.equal(response.status, 200);
  return readSamples(await response.text());
}

function ask(command: string, pages: string, env: Record<string, string> = {}): Promise<Finished> {
  const permissions = ["--allow-net", "--allow-env", "--allow-read"];
  return runServer({
    command: {
      path: Deno.execPath(),
      args: ["run", "--no-check", "--no-prompt", ...permissions, "server/main.ts", command],
    },
    bare: true,
    args: ["--admin-listen", pages],
    env,
  });
}

Deno.test("without --admin-listen the server has one socket, and says nothing of pages", async () => {
  await using server = await startServer();
  const { stdout } = await server.stop();
  assert.ok(!stdout.includes("admin"));
});

Deno.test("the metrics page counts members, handshakes and deliveries, and names nobody", async () => {
  await using server = await startServer({
    args: ["--admin-listen", "127.0.0.1:0"],
    env: { CMDCHAT_TOKENS: "the-token" },
  });
  const pages = await pagesOf(server);
  const token = "the-token";
  await using alice = await V1Peer.join({
    port: server.port,
    name: "alicia",
    room: "hideout",
    token,
  });
  await using bob = await V2Peer.join({
    port: server.port,
    hello: { name: "roberta", token, rooms: [["hideout", 0]] },
  });
  await assert.rejects(V1Peer.join({ port: server.port, token: "wrong" }));
  await bob.say("a sentence of the conversation", "hideout");
  await alice.hears("a sentence of the conversation");
  const response = await fetch(`http://${pages}/metrics`);
  const text = await response.text();
  const samples = readSamples(text);
  const expected = {
    'cmdchat_members{connection="v1"}': 1,
    'cmdchat_members{connection="v2"}': 1,
    'cmdchat_rooms{kind="open"}': 1,
    'cmdchat_handshakes_total{result="v1"}': 1,
    'cmdchat_handshakes_total{result="v2"}': 1,
    'cmdchat_handshakes_total{result="unauthorized"}': 1,
    cmdchat_stopping: 0,
  };
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(samples.get(name), value, name);
  }
  assert.ok((samples.get("cmdchat_delivery_seconds_count") ?? 0) >= 2, text);
  assert.ok((samples.get("process_resident_memory_bytes") ?? 0) > 2 ** 20);
  for (const secret of ["alicia", "roberta", "hideout", "sentence", "the-token", "127.0.0.1"]) {
    assert.ok(!text.includes(secret), secret);
  }
});

Deno.test("a session that is held is a member away, and counts as resumed when it is back", async () => {
  await using server = await startServer({ args: ["--admin-listen", "0"] });
  const pages = await pagesOf(server);
  await using first = await V2Peer.join({ port: server.port });
  const { session, secret } = first.welcome;
  first.conn.close();
  await first.ended;
  while ((await samplesOf(pages)).get('cmdchat_members{connection="away"}') !== 1);
  await using _again = await V2Peer.join({ port: server.port, hello: { session, secret } });
  const samples = await samplesOf(pages);
  assert.equal(samples.get('cmdchat_members{connection="away"}'), 0);
  assert.equal(samples.get('cmdchat_handshakes_total{result="resumed"}'), 1);
});

Deno.test("health ends with 0 while the server takes clients, with 1 when it is gone", async () => {
  await using server = await startServer({ args: ["--admin-listen", "0"] });
  const pages = await pagesOf(server);
  assert.deepEqual(await ask("health", pages), { code: 0, stdout: "ready\n", stderr: "" });
  await server.stop();
  const { code, stdout, stderr } = await ask("health", pages);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(
    stderr,
    /^error: Cannot reach the server at 127\.0\.0\.1:\d+: no server listens there\n$/,
  );
});

Deno.test("health and top without an address, or with a wrong one, are one clear error", async () => {
  for (const command of ["health", "top"]) {
    assert.match(
      (await ask(command, "")).stderr,
      /^error: Cannot use --admin-listen "": it must be a port or/,
    );
    assert.equal((await ask(command, "nowhere")).code, 2);
  }
});

Deno.test("with CMDCHAT_ADMIN_TOKEN, metrics are for those who have it", async () => {
  const env = { CMDCHAT_ADMIN_TOKEN: "for-the-admin-alone" };
  await using server = await startServer({ args: ["--admin-listen", "0"], env });
  const pages = await pagesOf(server);
  assert.equal((await ask("top", pages)).code, 4);
  const shown = await ask("top", pages, env);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /^members +0 v1, 0 v2, 0 away$/m);
  const { stdout, stderr } = await server.stop();
  assert.ok(!(stdout + stderr).includes("for-the-admin-alone"));
});

Deno.test("--admin-listen on a taken port, or open to others without a token, does not start", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const inUse = await runServer({ args: ["--admin-listen", String(taken.addr.port)] });
  assert.equal(inUse.code, 3);
  assert.match(inUse.stderr, /^error: Cannot listen on "127\.0\.0\.1" port \d+: another program/);
  const open = await runServer({ args: ["--admin-listen", "0.0.0.0:0"] });
  assert.deepEqual([open.code, open.stdout], [3, ""]);
  assert.match(open.stderr, /it has no token\nhint: set CMDCHAT_ADMIN_TOKEN/);
});

function topAt(pages: string): readonly string[] {
  const permissions = ["--allow-net", "--allow-env", "--allow-read"];
  const program = [Deno.execPath(), "run", "--no-check", "--quiet", ...permissions];
  return [...program, "server/main.ts", "top", "--admin-listen", pages];
}

inTerminal("top fits into a small terminal, echoes no key, and q quits it", async () => {
  await using server = await startServer({ args: ["--admin-listen", "0"] });
  await using tmux = await startTmux();
  const pane = await tmux.open({ command: topAt(await pagesOf(server)), columns: 40, rows: 10 });
  await pane.shows(/^members +0 v1, 0 v2, 0 away$/m);
  await pane.press("x");
  await using _peer = await V2Peer.join({ port: server.port });
  await pane.shows(/^members +0 v1, 1 v2, 0 away$/m);
  const rows = await pane.screen();
  assert.match(rows[0] ?? "", /^cmdchat-server /);
  assert.equal(rows.length, 10);
  assert.equal(rows.at(-1), "q quits");
  await pane.press("q");
  assert.equal(await pane.exit(), 0);
  assert.match(await pane.modes(), /cursor_flag=1.*alternate_on=0/);
  assert.equal(pane.settingsAfter, pane.settingsBefore);
});

inTerminal("top draws in a terminal, follows the server, and gives the terminal back", async () => {
  await using server = await startServer({ args: ["--admin-listen", "0"] });
  const pages = await pagesOf(server);
  await using tmux = await startTmux();
  const pane = await tmux.open({ command: topAt(pages) });
  await pane.shows(/^members +0 v1, 0 v2, 0 away$/m);
  await using _peer = await V2Peer.join({ port: server.port });
  await pane.shows(/^members +0 v1, 1 v2, 0 away$/m);
  assert.match(await pane.modes(), /cursor_flag=0.*alternate_on=1/);
  await server.stop();
  await pane.shows(/no server listens there/);
  // What Ctrl-C sends, but not to the shell around it.
  pane.signal("SIGINT");
  assert.equal(await pane.exit(), 0);
  assert.match(await pane.modes(), /cursor_flag=1.*alternate_on=0/);
  assert.equal(pane.settingsAfter, pane.settingsBefore);
});
