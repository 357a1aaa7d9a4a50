import assert from "node:assert/strict";
import {
  type FileFacts,
  folderFault,
  foldersOf,
  trustFault,
} from "../../../shared/base/file_trust.ts";

const [ME, OTHER, ROOT] = [1_000, 1_001, 0];

function file(mode: number | null, uid: number | null = ME): FileFacts {
  return { isFile: true, isDirectory: false, mode, uid };
}

const PIPE: FileFacts = { isFile: false, isDirectory: false, mode: 0o666, uid: OTHER };
const FOLDER: FileFacts = { isFile: false, isDirectory: true, mode: 0o755, uid: ME };
const LINK: FileFacts = { isFile: false, isDirectory: false, mode: 0o777, uid: ME };

const READ = "every user of this machine may read or change it";
const CHANGE = "every user of this machine may change it";
const FOREIGN = "it belongs to another user, who may change it";

/** What it is, whether it is secret, and why it is not trusted. */
const CASES: readonly (readonly [string, FileFacts, boolean, string | undefined])[] = [
  ["a secret of this user", file(0o600), true, undefined],
  ["a secret for a group", file(0o640), true, undefined],
  ["a secret of root for a group", file(0o440, ROOT), true, undefined],
  ["a secret that others may read", file(0o644), true, READ],
  ["a secret that others may write", file(0o602), true, READ],
  ["a secret of another user", file(0o600, OTHER), true, FOREIGN],
  ["settings that others may read", file(0o644), false, undefined],
  ["settings that others may write", file(0o666), false, CHANGE],
  ["settings of another user", file(0o644, OTHER), false, FOREIGN],
  ["settings of root", file(0o644, ROOT), false, undefined],
  ["a system without modes and owners", file(null, null), true, undefined],
  ["a pipe", PIPE, true, undefined],
  ["a folder", FOLDER, false, "it is a folder, not a file"],
];

for (const [what, facts, isSecret, why] of CASES) {
  Deno.test(`trustFault(): ${what} is ${why === undefined ? "trusted" : "refused"}`, () => {
    assert.equal(trustFault({ file: facts, uid: ME, isSecret })?.why, why);
  });
}

Deno.test("a link is followed only where this user or root made it", () => {
  const ask = (uid: number) =>
    trustFault({ file: file(0o600), link: { ...LINK, uid }, uid: ME, isSecret: true })?.why;
  assert.equal(ask(ME), undefined);
  assert.equal(ask(ROOT), undefined);
  assert.equal(ask(OTHER), "it is a link that another user made");
});

Deno.test("root trusts its own files alone, and a process that does not know its user asks for no owner", () => {
  const why = (facts: FileFacts, uid: number | undefined) =>
    trustFault({ file: facts, uid, isSecret: false })?.why;
  assert.equal(why(file(0o644, ME), ROOT), FOREIGN);
  assert.equal(why(file(0o644, ROOT), ROOT), undefined);
  assert.equal(why(file(0o644, OTHER), undefined), undefined);
  assert.equal(why(file(0o646, OTHER), undefined), CHANGE);
});

/** A folder above a file, and whether the file is trusted. */
const FOLDERS:
  readonly (readonly [what: string, mode: number | null, uid: number | null, trusted: boolean])[] =
    [
      ["of this user", 0o755, ME, true],
      ["of root", 0o755, ROOT, true],
      ["that a group may change", 0o775, ROOT, true],
      ["that others may change", 0o757, ME, false],
      ["in which each may move only what is theirs, as in /tmp", 0o1777, ROOT, true],
      ["of another user", 0o700, OTHER, false],
      ["of another user, as /tmp is", 0o1777, OTHER, false],
      ["of a system without modes and owners", null, null, true],
    ];

for (const [what, mode, uid, trusted] of FOLDERS) {
  Deno.test(`folderFault(): what stands below a folder ${what} is ${trusted ? "trusted" : "refused"}`, () => {
    assert.equal(folderFault({ ...FOLDER, mode, uid }, ME) === undefined, trusted);
  });
}

Deno.test("foldersOf() names every folder on the way, the nearest first", () => {
  assert.deepEqual(foldersOf("/etc/cmdchat/tokens"), ["/etc/cmdchat", "/etc", "/"]);
  assert.deepEqual(foldersOf("/tokens"), ["/"]);
  assert.deepEqual(foldersOf("C:\\tokens"), []);
});
