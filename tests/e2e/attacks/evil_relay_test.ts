// Somebody in between who repeats, swaps, reflects, drops, cuts and changes what passes, who answers in the server's
// place, or who takes the new protocol out: each is found out, named in plain words, and gets no token. The real
// client, the real server, real sockets.

import assert from "node:assert/strict";
import { runClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import {
  fingerprintFrom,
  OPENING_ATTACKS,
  strikeRecords,
  TOKEN,
} from "../../helpers/web/evil_attacks.ts";
import { EvilRelay } from "../../helpers/hostile/evil_relay.ts";
import type { Ended } from "../../helpers/programs/programs.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { V1Server } from "../../helpers/peers/v1_server.ts";

const home = temporaryHome();
const decoder = new TextDecoder();

/** Runs a client through `relay` with a token and secrets of its own; none of them may leave it. */
async function attacked(relay: EvilRelay, ...args: readonly string[]): Promise<Ended> {
  const ended = await runClient(home, {
    args: ["--port", String(relay.port), "--name", "secret-name", "--room", "secret-room", ...args],
    env: { CMDCHAT_TOKEN: TOKEN },
  }, "a secret text");
  const sent = new Uint8Array(relay.sent.flatMap((bytes) => Array.from(bytes)));
  if (sent.length > 0) {
    const first = 4 + new DataView(sent.buffer).getUint32(0);
    assert.equal(sent.length, first, "the client sends nothing behind its first message");
  }
  assert.doesNotMatch(decoder.decode(sent), /secret|sesame/);
  assert.doesNotMatch(ended.stdout + ended.stderr, /sesame/);
  return ended;
}

Deno.test("whoever stands in between when a session is opened is named, and gets no token", async (t) => {
  await using server = await startServer({ env: { CMDCHAT_TOKENS: TOKEN } });
  const fingerprint = await fingerprintFrom(server);
  for (const { what, evil, says, code } of OPENING_ATTACKS) {
    await t.step(`who ${what}`, async () => {
      await using relay = new EvilRelay(server.port, evil);
      const ended = await attacked(relay, "--fingerprint", fingerprint);
      assert.match(ended.stderr, says);
      assert.equal(ended.code, code, ended.stderr);
      assert.equal(ended.stdout, "");
    });
  }
});

Deno.test("an old server gets no token from a client that expects none, and is told of with the way out", async () => {
  await using server = new V1Server();
  const joined = server.join().catch(() => undefined);
  await using relay = new EvilRelay(server.port);
  const ended = await attacked(relay);
  assert.match(
    ended.stderr,
    /^error: Cannot open a protected session: the server answered without session v2, so it is an old one or someone in between removed it$/m,
  );
  assert.match(ended.stderr, /^hint: only if you know that this server is old: --legacy/m);
  assert.equal(ended.code, 5);
  await joined;
});

Deno.test("a server that is another than the one remembered is refused loudly, and gets no token", async () => {
  const [known, env] = [`${home}/known`, { CMDCHAT_TOKENS: TOKEN }];
  await using first = await startServer({ env });
  await using relay = new EvilRelay(first.port);
  const args = ["--port", String(relay.port), "--known-servers", known];
  const welcome = await runClient(home, { args, env: { CMDCHAT_TOKEN: TOKEN } }, "hello");
  assert.equal(welcome.code, 0, welcome.stderr);
  assert.match(welcome.stderr, /127\.0\.0\.1:\d+ is remembered as SHA256:/);
  const remembered = await Deno.readTextFile(known);
  await using second = await startServer({ env });
  relay.target = second.port;
  relay.sent.length = 0;
  const ended = await attacked(relay, "--known-servers", known);
  assert.match(
    ended.stderr,
    /^error: 127\.0\.0\.1:\d+ has another key now: its fingerprint is SHA256:\S+, it was SHA256:\S+$/m,
  );
  assert.match(
    ended.stderr,
    /^hint: it was restarted without --identity-file, or somebody intercepts the connection: ask its admin/m,
  );
  assert.equal(ended.code, 7);
  assert.equal(await Deno.readTextFile(known), remembered, "and nothing is remembered of it");
});

Deno.test("records that are repeated, swapped, reflected, dropped, cut or changed are named, and nothing is lost or seen twice", async (t) => {
  await strikeRecords(t, {
    args: [],
    between: (target, evil) => new EvilRelay(target, evil),
    reach: (port) => ({ port: () => port }),
  });
});
