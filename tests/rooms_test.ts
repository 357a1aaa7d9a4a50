// Holds the code to the table of rooms (tests/rooms.ts), and tests the rules themselves.

import assert from "node:assert/strict";
import {
  equalExports,
  floors,
  folderFaults,
  importFaults,
  orderFaults,
  shortestCircle,
  sideOf,
  sizeFaults,
  spareEntries,
} from "./helpers/repo/room_rules.ts";
import { readSources } from "./helpers/repo/sources.ts";
import { ROOMS } from "./rooms.ts";

const product = await readSources("shared", "server", "client");
const tooling = await readSources("scripts", "tests");
const paths = product.map(({ path }) => path);

Deno.test("every product file is in a room, and a room has 4 to 15 files", () => {
  assert.deepEqual(sizeFaults(paths, ROOMS), []);
});

Deno.test("no folder of scripts and tests has more than 15 source files", () => {
  assert.deepEqual(folderFaults(tooling.map(({ path }) => path)), []);
});

Deno.test("an import leaves its room only for a room that the row names, and for a file of its face", () => {
  assert.deepEqual(importFaults(product, ROOMS), []);
});

Deno.test("a room uses only rooms on lower floors", () => {
  assert.deepEqual(orderFaults(ROOMS), []);
});

Deno.test("no two files import each other in a circle, types included", () => {
  assert.deepEqual(shortestCircle(product), undefined);
});

Deno.test("the table has no entry that no import needs", () => {
  assert.deepEqual(spareEntries([...product, ...tooling], ROOMS), []);
});

Deno.test("no two files of one side export the same name", () => {
  // The twins of the platform have the same names: that is what they are for.
  const one = product.filter(({ path }) => !path.startsWith("shared/platform/web/"));
  assert.deepEqual(equalExports(one), []);
});

Deno.test("scripts import faces of both sides only, and tests/ for what they write", () => {
  const scripts = tooling.filter(({ path }) => sideOf(path) === "scripts");
  const uses = Object.keys(ROOMS);
  const rooms = Object.fromEntries(
    [...new Set(scripts.map(({ path }) => path.slice(0, path.lastIndexOf("/"))))]
      .map((folder) => [folder, { says: "", uses, face: "all" as const }]),
  );
  const product = scripts.map(({ path, imports }) => ({
    path,
    imports: imports.filter((target) => target.endsWith(".ts") && !target.endsWith("/main.ts"))
      .filter((target) => sideOf(target) !== "tests"),
  }));
  assert.deepEqual(importFaults(product, { ...ROOMS, ...rooms }), []);
});

Deno.test("comments in the code name only files that exist", () => {
  const known = new Set([...product, ...tooling].map(({ path }) => path));
  const names = new Set([...known].map((path) => path.slice(path.lastIndexOf("/") + 1)));
  const wrong = [...product, ...tooling].flatMap(({ path, text }) =>
    [...text.matchAll(/^\s*(?:\/\/|\/?\*).*$/gm)].flatMap(([comment]) =>
      [...comment.matchAll(/(?<![\w./-])((?:\w+\/)*)([a-z]\w*\.ts)\b(?!["'])/g)]
        .filter(([, folder = "", name = ""]) =>
          /^(?:shared|server|client|scripts|tests)\//.test(folder)
            ? !known.has(folder + name)
            : !names.has(name)
        )
        .map(([found]) => `${path}: ${found}`)
    )
  );
  assert.deepEqual(wrong, []);
});

const TABLE = {
  "shared/low": { says: "", uses: [], face: "all" },
  "client/mid": { says: "", uses: [], face: ["door"] },
  "client/top": { says: "", uses: ["client/mid"], face: [] },
} as const;

function imports(path: string, ...targets: readonly string[]) {
  return { path, imports: targets };
}

Deno.test("importFaults() finds an import past the face, upward, and of another side", () => {
  const good = imports("client/top/a.ts", "client/mid/door.ts", "shared/low/x.ts");
  const past = imports("client/top/b.ts", "client/mid/hidden.ts");
  const upward = imports("client/mid/door.ts", "client/top/a.ts");
  const across = imports("shared/low/x.ts", "client/mid/door.ts");
  assert.deepEqual(importFaults([good, past, upward, across], TABLE), [
    "client/top/b.ts imports client/mid/hidden.ts",
    "client/mid/door.ts imports client/top/a.ts",
    "shared/low/x.ts imports client/mid/door.ts",
  ]);
});

Deno.test("shortestCircle() finds two files that know each other's types, and names the shortest way", () => {
  const long = [imports("a.ts", "b.ts"), imports("b.ts", "c.ts"), imports("c.ts", "a.ts")];
  assert.deepEqual(shortestCircle(long), ["a.ts", "b.ts", "c.ts", "a.ts"]);
  const short = [...long, imports("d.ts", "e.ts"), imports("e.ts", "d.ts")];
  assert.deepEqual(shortestCircle(short), ["d.ts", "e.ts", "d.ts"]);
  assert.equal(shortestCircle([imports("a.ts", "b.ts"), imports("b.ts")]), undefined);
});

Deno.test("folderFaults() and sizeFaults() refuse a sixteenth file, a small room and a file in none", () => {
  const sixteen = Array.from({ length: 16 }, (_, n) => `client/mid/f${n}.ts`);
  assert.deepEqual(folderFaults(sixteen), ["client/mid has 16 files"]);
  assert.deepEqual(folderFaults(sixteen.slice(1)), []);
  assert.deepEqual(sizeFaults([...sixteen, "client/lost.ts", "client/top/a.ts"], TABLE), [
    "client/lost.ts is in no room",
    "shared/low has 0 files",
    "client/mid has 16 files",
    "client/top has 1 files",
  ]);
});

Deno.test("equalExports() finds one name twice on a side, and lets two sides have it", () => {
  const place = (path: string) => ({ path, exports: ["Place"] });
  assert.deepEqual(equalExports([place("client/mid/a.ts"), place("server/x/b.ts")]), []);
  assert.deepEqual(equalExports([place("client/mid/a.ts"), place("client/top/b.ts")]), [
    "client exports Place from client/mid/a.ts and client/top/b.ts",
  ]);
});

Deno.test("orderFaults(), spareEntries() and floors() read the table itself", () => {
  const upward = {
    ...TABLE,
    "shared/low": { says: "", uses: ["client/top"], face: "all" },
  } as const;
  assert.deepEqual(orderFaults(upward), ["shared/low uses client/top, which is not below it"]);
  assert.deepEqual(spareEntries([], TABLE), [
    "client/mid/door.ts is a face",
    "client/top uses client/mid",
  ]);
  assert.deepEqual([...floors(TABLE)], [["shared/low", 0], ["client/mid", 0], ["client/top", 1]]);
});
