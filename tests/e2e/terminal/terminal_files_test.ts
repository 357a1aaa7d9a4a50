// A file whose way is cut in the middle, seen in real terminals (tmux) by both who send and who receive it.

import assert from "node:assert/strict";
import { FaultyNetwork } from "../../helpers/hostile/faulty_network.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { clientCommand, type Pane, startTmux } from "../../helpers/system/tmux.ts";

const test = skipWithout("tmux");

const MIB = 1_048_576;
const NO_SERVER = 1;

async function shown(pane: Pane): Promise<string[]> {
  return (await pane.lines()).filter((line) => line.trim() !== "");
}

for (const columns of [40, 80]) {
  test(`a cut in the middle of a file at ${columns} columns: both bars say what they wait for, and nothing scrolls`, async () => {
    await using stack = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "cmdchat-cut-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const server = stack.use(await startServer());
    let faults = 1;
    const network = stack.use(
      new FaultyNetwork(
        server.port,
        () => faults-- > 0 ? { kind: "kill", after: "up", bytes: 2 * MIB } : undefined,
      ),
    );
    const tmux = stack.use(await startTmux());
    const open = (name: string, port: number) => {
      const options = ["--name", name, "--download-dir", `${folder}/${name}`, "--accept-files"];
      const command = clientCommand("--port", String(port), ...options);
      return tmux.open({ command, columns, rows: 20 });
    };
    const [alice, bob] = [await open("alice", network.port), await open("bob", server.port)];
    await Promise.all([
      alice.shows(/bob joined|"lobby":[\s\S]*bob/),
      bob.shows(/alice joined|"lobby":[\s\S]*alice/),
    ]);
    await Deno.writeFile(`${folder}/long-name-of-a-film.bin`, new Uint8Array(6 * MIB + 5).fill(7));
    network.target = NO_SERVER;
    await alice.enter(`/send ${folder}/long-name-of-a-film.bin`);
    await alice.shows(/^sending .*\d+ %, waiting to reconnect$/m);
    await bob.shows(/^receiving .*\d+ %, waiting for its sender$/m);

    // The pauses between attempts pass, and what is typed stays where it is.
    const before = [await shown(alice), await shown(bob)].map(({ length }) => length);
    await alice.type("half a word");
    await alice.shows(/reconnecting in \d+ s…/);
    await alice.shows(/alice(@lobby)?> half a word/);
    const after = [await shown(alice), await shown(bob)];
    assert.deepEqual(after.map(({ length }) => length), before, after.flat().join("\n"));
    for (const rows of after) {
      assert.equal(rows.filter((row) => /waiting (?:for|to)/.test(row)).length, 1, rows.join("\n"));
      for (const row of rows) assert.ok(row.length <= columns || !/waiting/.test(row), row);
    }

    network.target = server.port;
    await Promise.all([
      alice.shows(/Sent[\s\S]*SHA-256/),
      bob.shows(/Saved[\s\S]*SHA-256/),
    ]);
    await alice.shows(/alice(@lobby)?> half a word/);
    for (const pane of [alice, bob]) {
      assert.ok(
        !(await shown(pane)).some((row) =>
          /waiting (?:for|to)|^sending .*%|^receiving .*%/.test(row)
        ),
      );
    }
    const [saved] = [...Deno.readDirSync(`${folder}/bob`)];
    const bytes = await Deno.readFile(`${folder}/bob/${saved?.name}`);
    assert.ok(bytes.length === 6 * MIB + 5 && bytes.every((byte) => byte === 7));
  });
}
