// The modules of a program in few files, and what the executables find in them.

import assert from "node:assert/strict";
import { bundle, BundleError } from "../../../scripts/build/bundle.ts";
import { CLIENT, SERVER } from "../../../scripts/build/compile.ts";
import { makeLoadKeys, V2Member } from "../../bench/load/v2_member.ts";
import { buildExecutables, findCompileBase } from "../../helpers/programs/executables.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipIf } from "../../helpers/repo/skip.ts";

const base = await findCompileBase();
const test = skipIf(
  "missing" in base
    ? base.missing
    : Deno.build.os === "linux"
    ? undefined
    : "needs the /proc of Linux",
);

test("the server's executable computes the handshakes of a crowd in its worker", async () => {
  await using built = await buildExecutables(base, SERVER);
  const [path = ""] = built.paths;
  await using server = await startServer({
    command: { path, args: [] },
    args: ["--max-per-address", "off", "--connection-rate", "off"],
  });
  const load = await makeLoadKeys();
  const members = await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      return await V2Member.join(conn, { load, name: `m${n}`, room: "den" });
    }),
  );
  // A worker whose module is not there ends at once, and the server goes on alone.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const threads: string[] = [];
  for await (const { name } of Deno.readDir(`/proc/${server.pid}/task`)) {
    threads.push(await Deno.readTextFile(`/proc/${server.pid}/task/${name}/comm`));
  }
  assert.ok(threads.some((name) => name.startsWith("worker-")), threads.join(""));
  for (const { conn } of members) conn.close();
});

Deno.test("the modules in an executable name nothing of the machine that built it", async () => {
  await using bundled = await bundle(CLIENT);
  const { entry, others } = bundled;
  assert.ok(others.length > 0);
  for (const path of [entry, ...others]) {
    const text = await Deno.readTextFile(path);
    assert.ok(!text.includes(Deno.env.get("HOME") as string), path);
    // What is not bundled would be looked for when the program runs.
    for (const [, from = ""] of text.matchAll(/\b(?:from|import\(?)"([^"]+)"/g)) {
      assert.match(from, /^(?:\.|node:)/, path);
    }
  }
});

/** Counts the programs that are started, until it is disposed. */
function countPrograms() {
  const { Command } = Deno;
  let count = 0;
  class Counted extends Command {
    constructor(...given: ConstructorParameters<typeof Command>) {
      super(...given);
      count++;
    }
  }
  Object.assign(Deno, { Command: Counted });
  return {
    get count() {
      return count;
    },
    [Symbol.dispose]: () => void Object.assign(Deno, { Command }),
  };
}

for (const program of [CLIENT, SERVER]) {
  Deno.test(`the modules of ${program.name} are bundled once to know that all is closed`, async () => {
    using programs = countPrograms();
    await using _bundled = await bundle(program);
    assert.equal(programs.count, 1);
  });
}

Deno.test("what the bundler would never close is an error, and names what that is", async () => {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  const bundleOf = async (body: string) => {
    await Deno.writeTextFile(entry, `async function f() { ${body} }\nawait f();\n`);
    await using _bundled = await bundle({ name: "probe", entry });
  };
  try {
    await bundleOf('using a = await Deno.open("x"); await a.stat(); await a.sync();');
    await bundleOf(
      'using a = await Deno.open("x"); using b = await Deno.open("y"); await b.stat(); await a.sync(); b.sync();',
    );
    // What nothing uses is in no bundle.
    await bundleOf("} function unused() { using a = open(); a.close(); a.sync();");
    await assert.rejects(
      bundleOf('using lock = await Deno.open("x"); await lock.lock(true); await f();'),
      (error) =>
        error instanceof BundleError && /lock = await Deno\.open\("x"\)/.test(error.message),
    );
  } finally {
    await Deno.remove(entry);
  }
});

Deno.test("a module of which the bundler makes no file of its name is an error, not a path without one", async () => {
  const entry = await Deno.makeTempFile({ suffix: ".mts" });
  try {
    await assert.rejects(bundle({ name: "probe", entry }), BundleError);
  } finally {
    await Deno.remove(entry);
  }
});
