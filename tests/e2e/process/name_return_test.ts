// Clients that crash and come again: each is called as before once the server has given the first session up.

import assert from "node:assert/strict";
import { encodeBase64Url } from "../../../shared/base/base64.ts";
import { at, startClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { TerminalClient } from "../../helpers/system/terminal_client.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";

const test = skipWithout("script");
const home = temporaryHome();

test("whoever crashed has the name again when the held session ends: terminal, JSON and sealed", async () => {
  await using server = await startServer({ args: ["--hold", "6"] });
  const secret = encodeBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  const CMDCHAT_LINK = `cmdchat://127.0.0.1:${server.port}/den#secret=${secret}`;
  const open = (name: string) => startClient(home, { args: at(server, "--name", name, "--json") });
  const openSealed = (name: string) =>
    // The name comes back with another key, at which programs stop where they are not told otherwise.
    startClient(home, {
      args: ["--name", name, "--json", "--allow-changed-keys"],
      env: { CMDCHAT_LINK },
    });

  await using watcher = open("watcher");
  await watcher.prints(/"names"/);
  await using member = openSealed("member");
  await member.prints(/"names":\["member"\]/);
  const firstBob = open("bob");
  const firstEve = openSealed("eve");
  await watcher.prints(/bob joined/);
  await firstEve.prints(/member confirms that you are in the room/);

  for (const program of [firstBob, firstEve]) {
    program.signal("SIGKILL");
    await program.end();
  }
  await using bob = new TerminalClient({ args: at(server, "--name", "bob") });
  await using eve = openSealed("eve");
  await bob.shows(/^bob-2@lobby>/);
  await bob.shows(/^bob@lobby>/);
  await watcher.prints(/"event":"renamed","text":"bob-2 is now known as bob\."/);
  await eve.prints(/"event":"renamed","text":"eve-2 is now known as eve\."/);
  // Another eve, in a plain room, has the name that is free there.
  await using other = open("eve");
  await other.prints(/Connected as \\"eve\\"/);
  assert.doesNotMatch(watcher.stdout, /Cannot use the name|"refused"/);
  assert.doesNotMatch(`${eve.stdout}${eve.stderr}`, /Cannot use the name|"refused"/);
});
