import assert from "node:assert/strict";
import { ClusterKey, parseClusterSecret } from "../../../server/cluster/cluster_key.ts";
import { ConfigError } from "../../../shared/base/errors.ts";

const text = new TextEncoder().encode("under the oak");

Deno.test("what is sealed opens under the same key and subject only, and not when changed", () => {
  const [key, other] = [1, 2].map((fill) => new ClusterKey(new Uint8Array(32).fill(fill)));
  assert.ok(key !== undefined && other !== undefined);
  const sealed = key.seal("a.b", text);
  assert.deepEqual([...key.open("a.b", sealed) ?? []], [...text]);
  assert.equal(key.open("a.c", sealed), undefined);
  assert.equal(other.open("a.b", sealed), undefined);
  assert.equal(key.open("a.b", sealed.map((byte, n) => n === 20 ? byte ^ 1 : byte)), undefined);
  assert.equal(key.open("a.b", sealed.subarray(0, 5)), undefined);
  assert.notDeepEqual(key.seal("a.b", text), sealed);
});

Deno.test("a room's subject is the same for one key, tells nothing, and is another under another key", () => {
  const [key, other] = [1, 2].map((fill) => new ClusterKey(new Uint8Array(32).fill(fill)));
  assert.match(key?.subject("room", "den") ?? "", /^cmdchat\.room\.[0-9a-f]{32}$/);
  assert.equal(key?.subject("room", "den"), key?.subject("room", "den"));
  const subjects = [
    key?.subject("room", "den2"),
    key?.subject("live", "den"),
    other?.subject("room", "den"),
  ];
  assert.ok(subjects.every((subject) => subject !== key?.subject("room", "den")));
});

Deno.test("parseClusterSecret() takes 32 bytes in base64url and never repeats what it refuses", () => {
  const good = "A".repeat(43);
  assert.equal(parseClusterSecret(` ${good}\n`).length, 32);
  for (const bad of ["", "A".repeat(42), "hunter2", `${good}A`, `${good.slice(1)}!`]) {
    assert.throws(
      () => parseClusterSecret(bad),
      (error) => error instanceof ConfigError && (bad === "" || !error.message.includes(bad)),
    );
  }
});
