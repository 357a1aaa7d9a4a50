import assert from "node:assert/strict";
import fc from "fast-check";
import { pathCandidates } from "../../../client/files/typed_path.ts";
import { codePoint } from "../../helpers/fakes/code_point.ts";

const posix = (typed: string) => pathCandidates(typed, { home: "/h/ann", windows: false });
const windows = (typed: string) => pathCandidates(typed, { home: "C:/ann", windows: true });

Deno.test("a path as typed comes first, with blanks around it taken away", () => {
  assert.deepEqual(posix("  notes.txt "), ["notes.txt"]);
  assert.deepEqual(posix("my notes.txt"), ["my notes.txt"]);
  assert.equal(posix("it's here.txt")[0], "it's here.txt");
  assert.deepEqual(posix("   "), []);
});

Deno.test("what a terminal makes of a dropped file is undone", () => {
  const cases: Record<string, string> = {
    "'/tmp/a b.txt'": "/tmp/a b.txt",
    '"/tmp/a b.txt"': "/tmp/a b.txt",
    "/tmp/a\\ b\\ \\(1\\).txt": "/tmp/a b (1).txt",
    "'/tmp/it'\\''s.txt'": "/tmp/it's.txt",
    '"/tmp/a \\"b\\" \\c.txt"': '/tmp/a "b" \\c.txt',
    "file:///tmp/a%20b.txt": "/tmp/a b.txt",
    "'file:///tmp/%E2%82%AC.txt'": "/tmp/\u20ac.txt",
  };
  for (const [typed, path] of Object.entries(cases)) assert.equal(posix(typed).at(-1), path);
});

Deno.test("~/ is the home folder, and another's ~name is not", () => {
  assert.deepEqual(posix("~/a.txt"), ["/h/ann/a.txt"]);
  assert.deepEqual(posix("~"), ["/h/ann"]);
  assert.equal(posix("'~/a b.txt'").at(-1), "/h/ann/a b.txt");
  assert.deepEqual(posix("~bob/a.txt"), ["~bob/a.txt"]);
  assert.deepEqual(pathCandidates("~/a.txt", { windows: false }), ["~/a.txt"]);
});

Deno.test("on Windows a backslash stays what it is", () => {
  assert.deepEqual(windows("C:\\dir\\a.txt"), ["C:\\dir\\a.txt"]);
  assert.equal(windows('"C:\\my dir\\a.txt"').at(-1), "C:\\my dir\\a.txt");
});

Deno.test("a file URL of another machine, or a broken one, is not taken for a path of this one", () => {
  for (
    const typed of ["file://host/share/a", "file:///a%2fb", "file:///%zz", "file://[", "file://"]
  ) {
    for (const path of posix(typed)) assert.doesNotMatch(path, /^\/(?:share|a|%)/);
  }
});

Deno.test("no text makes it fail, and the text itself is always a candidate", () => {
  fc.assert(fc.property(fc.string({ unit: codePoint }), (typed) => {
    const candidates = pathCandidates(typed, { windows: false });
    assert.equal(candidates[0], typed.trim() === "" ? undefined : typed.trim());
  }));
});

Deno.test("any path quoted as a shell quotes it is understood", () => {
  const path = fc.string({ minLength: 1 }).filter((text) => text.trim() === text && text !== "");
  fc.assert(fc.property(path, (path) => {
    const quoted = `'${path.replaceAll("'", "'\\''")}'`;
    const escaped = path.replace(/[^\w/.-]/g, "\\$&");
    for (const typed of [quoted, escaped]) {
      assert.ok(pathCandidates(typed, { windows: false }).includes(path), typed);
    }
  }));
});
