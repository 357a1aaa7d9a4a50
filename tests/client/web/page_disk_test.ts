// What a page gives its browser of a received file: bytes to keep, and nothing to show or to run.

import assert from "node:assert/strict";
import { pageDisk } from "../../../client/web/page_disk.ts";

const SVG = new TextEncoder().encode("<svg onload='owned = true'/>");

Deno.test("a received page, picture or script is bytes without a type, under a name that acts on nothing", async () => {
  const saved: (readonly [string, string, number])[] = [];
  const disk = pageDisk({
    chooseFiles: () => Promise.resolve([]),
    save: (name, { type, size }) => void saved.push([name, type, size]),
  });
  const names = ["a.svg", "b.html", "../c.html", "x\u202elmth.exe", ".htaccess", "desktop.ini"];
  for (const name of names) {
    assert.equal(await disk.save?.(name, [SVG], false), saved.at(-1)?.[0]);
  }
  await disk.save?.("folder", [SVG], true);
  assert.deepEqual(saved.map(([, type, size]) => [type, size]), [
    ...names.map(() => ["application/octet-stream", SVG.length]),
    ["application/octet-stream", SVG.length],
  ]);
  for (const [name] of saved) assert.match(name, /^[^./\\\u202e][^/\\\u202e]*$/u);
  assert.equal(saved.at(-1)?.[0], "folder.tar");
});
