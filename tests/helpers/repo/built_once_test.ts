import assert from "node:assert/strict";

const MODULE = new URL("built_once.ts", import.meta.url);

/** A program that builds "thing" with `build`, which gets `path`, and prints what is in it. */
function start(folder: string, build: string): Deno.ChildProcess {
  const program = `
    import { builtOnce } from ${JSON.stringify(MODULE.href)};
    const path = await builtOnce("thing", async (path) => { ${build} });
    console.log(await Deno.readTextFile(path));`;
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", program],
    env: { BUILT_FOR_TESTS: folder, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

async function saidBy(program: Deno.ChildProcess): Promise<string> {
  return (await new Response(program.stdout).text()).trim();
}

Deno.test("one of several programs builds, and all get what it built", async () => {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-once-" });
  try {
    const build = `await new Promise((resolve) => setTimeout(resolve, 300));
      await Deno.writeTextFile(path, String(Deno.pid));`;
    const said = await Promise.all([1, 2, 3].map(() => saidBy(start(folder, build))));
    assert.equal(new Set(said).size, 1);
    assert.match(said[0] ?? "", /^\d+$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("who ends in the middle of building leaves it to the next one", async () => {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-once-" });
  try {
    const dies = `await Deno.writeTextFile(path, "half"); Deno.kill(Deno.pid, "SIGKILL");`;
    assert.equal(await saidBy(start(folder, dies)), "");
    const next = start(folder, `await Deno.writeTextFile(path, "whole");`);
    const late = setTimeout(() => next.kill("SIGKILL"), 20_000);
    assert.equal(await saidBy(next), "whole");
    clearTimeout(late);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
