// The admin of a running server: real processes on both sides.

import assert from "node:assert/strict";
import {
  ADMIN_TOKEN as TOKEN,
  adminAnswer as answer,
  pagesOf,
  runAdmin as admin,
  WITH_TOKEN,
} from "../../helpers/programs/admin.ts";
import {
  type RunningServer,
  runServer,
  startServer,
} from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { TerminalClient } from "../../helpers/system/terminal_client.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const inTerminal = skipWithout("script");

function start(env: Record<string, string> = WITH_TOKEN): Promise<RunningServer> {
  return startServer({ args: ["--admin-listen", "0"], env });
}

function joinHideout(port: number, name: string): Promise<V2Peer> {
  return V2Peer.join({ port, hello: { name, rooms: [["hideout", 0]] } });
}

Deno.test("an admin finds a session, kicks it, bans it and lets it in again; the log has no content", async () => {
  await using server = await start();
  const pages = await pagesOf(server);
  const { port } = server;
  await using alice = await joinHideout(port, "alicia");
  await using bob = await joinHideout(port, "roberta");
  await bob.say("a sentence of the conversation", "hideout");
  const { sessions } = JSON.parse(await answer(pages, "sessions", "--json"));
  assert.deepEqual(
    sessions.map(({ session, connection, address }: Record<string, unknown>) => [
      session,
      connection,
      address,
    ]),
    [[alice.welcome.client, "v2", "127.0.0.1"], [bob.welcome.client, "v2", "127.0.0.1"]],
  );
  assert.ok(!(await answer(pages, "sessions")).includes("alicia"));
  assert.match(await answer(pages, "sessions", "--names"), /alicia in hideout/);
  const number = String(alice.welcome.client);
  assert.equal(await answer(pages, "kick", number), `Ended session ${number}, from 127.0.0.1\n`);
  const { why, retry } = await alice.until("closing");
  assert.deepEqual([why, retry], ["You were removed by the server's admin.", false]);
  await alice.ended;
  await bob.until("left", ({ name }) => name === "alicia");
  const { session, secret } = alice.welcome;
  await using back = await V2Peer.connect({ port, hello: { session, secret } });
  assert.equal((await back.until("refused")).reason, "removed");
  await using again = await V2Peer.join({ port });
  await answer(pages, "notice", "a notice for everybody");
  const notice = await bob.until("notice", ({ room }) => room === 0);
  assert.equal(notice.text, "From the server's admin: a notice for everybody");
  assert.equal(await answer(pages, "close", "hideout"), "Closed open:1; members removed: 1\n");
  await bob.until("moderated", ({ what, whom }) => what === "kick" && whom === bob.welcome.client);
  await answer(pages, "ban", String(bob.welcome.client), "1h");
  await bob.ended;
  await again.ended;
  const refused = await Deno.connect({ port });
  assert.equal(await refused.read(new Uint8Array(1)), null, "closed at once, unread");
  refused.close();
  assert.match(await answer(pages, "bans"), /^127\.0\.0\.1 +\d{4}-/m);
  await answer(pages, "unban", "127.0.0.1");
  await using newcomer = await V2Peer.join({ port });
  assert.ok(newcomer.welcome.client > again.welcome.client);
  const { stdout, stderr } = await server.stop();
  for (const what of ["sessions", "kick", "notice", "close", "ban", "unban"]) {
    assert.match(stderr, new RegExp(`INFO audit by="admin" what="${what}"`), what);
  }
  for (const secret of ["alicia", "roberta", "hideout", "sentence", "for everybody", TOKEN]) {
    assert.ok(!(stdout + stderr).includes(secret), secret);
  }
});

Deno.test("what a room's maker decides is in the log by numbers alone", async () => {
  await using server = await startServer();
  const { port } = server;
  await using alice = await joinHideout(port, "alicia");
  await using bob = await joinHideout(port, "roberta");
  await alice.until("joined", ({ name }) => name === "roberta");
  const about = { room: alice.room("hideout"), seconds: 60, text: "a reason of its own" };
  await alice.send({
    kind: "moderate",
    id: alice.nextId(),
    what: "mute",
    whom: bob.welcome.client,
    ...about,
  });
  await bob.until("moderated");
  const { stderr } = await server.stop();
  const { client } = alice.welcome;
  const line =
    `audit by=${client} what="mute" client=${bob.welcome.client} seconds=60 room="open:1"`;
  assert.ok(stderr.includes(line), stderr);
  for (const secret of ["alicia", "roberta", "hideout", "reason"]) {
    assert.ok(!stderr.includes(secret), secret);
  }
});

Deno.test("without the server's token nothing is done, and each way of being wrong has its exit code", async () => {
  await using server = await start();
  await using open = await start({});
  const [pages, without] = [await pagesOf(server), await pagesOf(open)];
  await using alice = await V2Peer.join({ port: server.port });
  const kick = ["kick", String(alice.welcome.client)];
  const wrong = await admin(pages, kick, { CMDCHAT_ADMIN_TOKEN: "open-sesame" });
  assert.equal(wrong.code, 4);
  assert.match(wrong.stderr, /^error: .*: it does not accept this token\nhint: /);
  assert.equal((await admin(pages, kick, {})).code, 3);
  const none = await admin(without, ["sessions"]);
  assert.equal(none.code, 4);
  assert.match(none.stderr, /it has no admin commands\nhint: start it with CMDCHAT_ADMIN_TOKEN/);
  assert.equal((await admin(pages, ["kick", "999"])).code, 1);
  assert.equal((await admin(pages, ["frob"])).code, 2);
  const help = await admin(pages, ["--help"], {});
  assert.equal(help.code, 0);
  assert.match(help.stdout, /ban ADDRESS\|SESSION \[TIME\]/);
  await alice.say("still here");
  await alice.until("chat");
  const { stdout, stderr } = await server.stop();
  assert.ok(!(stdout + stderr).includes("open-sesame"));
  assert.ok(!stderr.includes("audit"));
});

Deno.test("over a real socket a foreign Host, an Origin and a body without end get nowhere", async () => {
  await using server = await start();
  const pages = await pagesOf(server);
  const port = Number(pages.split(":")[1]);
  await using alice = await V2Peer.join({ port: server.port });
  const body = JSON.stringify({ command: "kick", session: alice.welcome.client });
  const head = (host: string, more = "") =>
    `POST /admin HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${TOKEN}\r\n` +
    `Content-Type: application/json\r\nConnection: close\r\n${more}`;
  const sized = `Content-Length: ${body.length}\r\n\r\n${body}`;
  const long = `${body}${" ".repeat(5_000)}`;
  const chunk = `${long.length.toString(16)}\r\n${long}\r\n`;
  const cases = [
    [421, head("rebound.example") + sized],
    [403, head(pages, "Origin: http://127.0.0.1\r\n") + sized],
    [413, `${head(pages)}Content-Length: ${long.length}\r\n\r\n${long}`],
    [411, `${head(pages)}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}0\r\n\r\n`],
  ] as const;
  for (const [status, request] of cases) {
    assert.match(await rawAnswer(port, request), new RegExp(`^HTTP/1\\.1 ${status} `));
  }
  await alice.say("still here");
  await alice.until("chat");
  assert.match(await rawAnswer(port, head(pages) + sized), /^HTTP\/1\.1 200 /);
  await alice.ended;
});

async function rawAnswer(port: number, request: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(4_096);
  const count = await conn.read(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, count));
}

Deno.test("a token in a file works on both sides, and one that others may read on neither", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/token`;
  try {
    await Deno.writeTextFile(file, `${TOKEN}\n`, { mode: 0o600 });
    const args = ["--admin-token-file", file];
    await using server = await startServer({ args: ["--admin-listen", "0", ...args] });
    const pages = await pagesOf(server);
    const asked = await admin(pages, ["bans", ...args], {});
    assert.deepEqual([asked.code, asked.stderr], [0, ""]);
    assert.equal((await admin(pages, ["bans"])).code, 0);
    await Deno.chmod(file, 0o644);
    assert.match((await admin(pages, ["bans", ...args], {})).stderr, /every user of this machine/);
    const refused = await runServer({ args: ["--admin-listen", "0", ...args] });
    assert.equal(refused.code, 3);
    const both = await admin(pages, ["bans", ...args]);
    assert.equal(both.code, 3);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the admin's bans outlive a take-over, and v1 clients are banned as well", async () => {
  await using first = await start();
  const pages = await pagesOf(first);
  await using old = await V1Peer.join({ port: first.port });
  assert.match(await answer(pages, "ban", "127.0.0.1"), /permanently; sessions ended here: 1/);
  await old.closed;
  const args = ["--port", String(first.port), "--admin-listen", pages, "--take-over", pages];
  await using second = await startServer({ args, env: WITH_TOKEN });
  assert.match(await answer(pages, "bans"), /^127\.0\.0\.1 +permanent$/m);
  const refused = await Deno.connect({ port: second.port });
  assert.equal(await refused.read(new Uint8Array(1)), null);
  refused.close();
  await first.ended();
});

Deno.test("the token goes to the server itself, whatever proxy the environment names", async () => {
  await using server = await start();
  const pages = await pagesOf(server);
  using proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked = proxy.accept().then(() => "asked", () => "closed");
  const url = `http://127.0.0.1:${proxy.addr.port}`;
  const env = { ...WITH_TOKEN, HTTP_PROXY: url, http_proxy: url, ALL_PROXY: url };
  const { code, stderr } = await admin(pages, ["bans"], env);
  assert.deepEqual([code, stderr], [0, ""]);
  proxy.close();
  assert.equal(await asked, "closed");
});

inTerminal(
  "in a sealed room the admin's notice is the server's, and who is kicked does not come again by itself",
  async () => {
    await using server = await start();
    const pages = await pagesOf(server);
    const args = ["--port", String(server.port), "--name", "alice"];
    await using alice = new TerminalClient({ args, columns: 110 });
    await alice.shows(/Connected as/);
    await alice.type("/seal ops\r");
    await alice.shows(/In "ops": alice/);
    await alice.shows(/ops · alice · sealed/);
    await answer(pages, "notice", "<bob> is not what I am");
    await alice.shows(/^\d\d:\d\d:\d\d \* From the server's admin: <bob> is not what I am$/);
    assert.match(await answer(pages, "rooms"), /^sealed:1 +1$/m);
    assert.match(await answer(pages, "close", "sealed:1"), /members removed: 1$/m);
    await alice.shows(/does not let you into the sealed room: The server's admin closed it/);
    const { sessions: [session] } = JSON.parse(await answer(pages, "sessions", "--json"));
    await answer(pages, "kick", String(session.session));
    await alice.shows(/\* You were removed by the server's admin\.$/);
    await alice.shows(/^error: Cannot come back to the server: its admin removed you$/);
  },
);
