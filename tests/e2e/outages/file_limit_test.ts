// A system that takes no more of a file in the middle of it.

import assert from "node:assert/strict";
import { at, startClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { runProgram } from "../../helpers/programs/programs.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";

const MIB = 1_048_576;

const home = temporaryHome();
const testLimit = skipWithout("prlimit");

testLimit(
  "a receiver that may write no larger files says so in one line, and keeps what came",
  async () => {
    await using server = await startServer();
    const [input, folder] = [`${home}/a.bin`, `${home}/in`];
    await Deno.writeFile(input, new Uint8Array(6 * MIB));
    const taking = at(server, "--name", "taker", "--download-dir", folder);
    await using taker = startClient(home, { args: ["recv-file", ...taking] });
    await server.logged(/client joined/);
    await runProgram("prlimit", { args: [`--pid=${taker.pid}`, `--fsize=${2 * MIB}`] });
    const sending = at(server, "--name", "giver", input);
    await using giver = startClient(home, { args: ["send-file", ...sending] });
    assert.equal(await taker.end(), 3, taker.stderr);
    assert.equal(
      taker.stderr,
      'error: Cannot receive "a.bin": the file is larger than the system allows there\n',
    );
    assert.equal(await giver.end(), 9, giver.stderr);
    const [part] = [...Deno.readDirSync(folder)];
    assert.match(part?.name ?? "", /^\.cmdchat-.*\.part$/);
    assert.equal((await Deno.stat(`${folder}/${part?.name}`)).size, 2 * MIB);
  },
);
