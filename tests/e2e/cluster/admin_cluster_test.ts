// An admin of several servers sends commands to one of them.

import assert from "node:assert/strict";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { startNats } from "../../helpers/system/nats.ts";
import {
  ADMIN_TOKEN,
  adminAnswer,
  pagesOf,
  runAdmin,
  WITH_TOKEN,
} from "../../helpers/programs/admin.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const test = skipWithout("nats-server");

async function isRefused(port: number): Promise<boolean> {
  using conn = await Deno.connect({ port });
  return await conn.read(new Uint8Array(1)) === null;
}

test("kick, notice, close and bans reach every server, and one that comes later", async () => {
  await using nats = await startNats(1);
  await using identity = await makeIdentity();
  const start = () =>
    startServer({
      args: [
        "--nats",
        nats.urls,
        "--identity-file",
        identity.path,
        "--admin-listen",
        "0",
      ],
      env: { ...WITH_TOKEN, CMDCHAT_CLUSTER_KEY: "A".repeat(43) },
    });
  await using one = await start();
  await using two = await start();
  await two.logged(/another server was found/);
  const pages = await pagesOf(one);
  await using ann = await V2Peer.join({ port: one.port, hello: { name: "ann" } });
  await using bob = await V2Peer.join({ port: two.port, hello: { name: "bob" } });
  await using cid = await V2Peer.join({ port: two.port, hello: { name: "cid" } });

  assert.match(await adminAnswer(pages, "sessions"), /on this server only; other servers: 1$/m);
  const number = String(bob.welcome.client);
  assert.equal(
    await adminAnswer(pages, "kick", number),
    `Ended session ${number}, from 127.0.0.1\n`,
  );
  await bob.ended;
  await ann.until("left", ({ name }) => name === "bob");
  assert.equal((await runAdmin(pages, ["kick", number])).code, 1);

  const cluster = await adminAnswer(pages, "cluster");
  assert.match(cluster, /^NATS: reached; reconnects: 0$/m);
  assert.match(cluster, /^messages under another CMDCHAT_CLUSTER_KEY: 0$/m);
  assert.equal(cluster.match(/^\d+ +(?:this one|same)$/gm)?.length, 2);

  await adminAnswer(pages, "notice", "back at noon");
  for (const peer of [ann, cid]) await peer.until("notice", ({ text }) => /noon/.test(text));

  assert.match(await adminAnswer(pages, "close", "lobby"), /members removed: 2$/m);
  for (const peer of [ann, cid]) {
    const { client } = peer.welcome;
    await peer.until("moderated", ({ what, whom }) => what === "kick" && whom === client);
  }

  assert.match(
    await adminAnswer(pages, "ban", "127.0.0.1", "1h"),
    /and on other servers: 1; sessions ended here: 1$/m,
  );
  await Promise.all([ann.ended, cid.ended]);
  await using three = await start();
  await three.logged(/another server was found others=2/);
  while (!/127\.0\.0\.1/.test(await adminAnswer(await pagesOf(three), "bans")));
  for (const { port } of [one, two, three]) assert.ok(await isRefused(port));

  for (const argument of [[], ["off"]]) {
    assert.match(
      await adminAnswer(pages, "drain", ...argument),
      /on this server only; other servers: 2$/m,
    );
  }

  await adminAnswer(await pagesOf(three), "unban", "127.0.0.1");
  while (/127\.0\.0\.1/.test(await adminAnswer(pages, "bans")));
  await using again = await V2Peer.join({ port: one.port });
  await again.say("in again");
  await again.until("chat");
  for (const { log } of [one, two, three]) {
    assert.ok(!/noon|lobby|ann|bob|cid/.test(log.replaceAll(/\b(?:announced|banned)\b/g, "")), log);
    assert.ok(!log.includes(ADMIN_TOKEN));
  }
});
