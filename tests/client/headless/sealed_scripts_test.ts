// Scripts in a sealed room: the link with its secret comes from the environment or the settings file.

import assert from "node:assert/strict";
import { encodeBase64Url } from "../../../shared/base/base64.ts";
import { runClient, startClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const home = temporaryHome();

Deno.test("send and recv work in a sealed room, whose words the relay's plain room never sees", async () => {
  await using server = await startServer();
  const secret = encodeBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  const link = `cmdchat://127.0.0.1:${server.port}/den#secret=${secret}`;
  await Deno.mkdir(`${home}/.config/cmdchat`, { recursive: true });
  await Deno.writeTextFile(
    `${home}/.config/cmdchat/config.toml`,
    `[server.den]\nlink = "${link}"\n`,
    { mode: 0o600 },
  );
  await using plain = await V2Peer.join({ port: server.port, rooms: ["den"] });
  await using taker = startClient(home, {
    args: ["recv", "--count", "2", "--timeout", "20", "--names", "--name", "taker"],
    env: { CMDCHAT_LINK: link },
  });
  // It says so when it has made the room and waits in it.
  await taker.complains(/den: nobody else is here/);
  const sent = await runClient(home, { args: ["@den", "send", "--name", "al", "hello", "there"] });
  assert.deepEqual([sent.code, sent.stdout], [0, ""], sent.stderr);
  const lines = await runClient(
    home,
    { args: ["@den", "send", "--lines", "--name", "al"] },
    "one more",
  );
  assert.equal(lines.code, 0, lines.stderr);
  assert.equal(await taker.end(), 0, taker.stderr);
  assert.equal(taker.stdout, "<al> hello there\n<al> one more\n");
  assert.ok(!`${taker.stderr}${sent.stderr}${lines.stderr}`.includes(secret));
  assert.deepEqual(plain.texts, []);
});
