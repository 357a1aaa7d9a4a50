import assert from "node:assert/strict";
import type { Slot } from "../../../server/cluster/client_numbers.ts";
import { Cluster } from "../../../server/cluster/cluster.ts";
import { ClusterKey } from "../../../server/cluster/cluster_key.ts";
import { tokenDigest } from "../../../server/config/access_tokens.ts";
import { InviteBook } from "../../../server/relay/invite_book.ts";
import { LimitError } from "../../../shared/base/errors.ts";
import { MemoryCluster } from "../../helpers/fakes/memory_backplane.ts";

Deno.test("what was asked of invites while the servers did not agree is given up with its answer, and does not wait on", async () => {
  let isCut = true;
  const cluster = new Cluster({
    backplane: new MemoryCluster().join(() => isCut),
    key: new ClusterKey(new Uint8Array(32).fill(7)),
    slot: 1 as Slot,
    identity: "fingerprint",
    holdMs: 60_000,
    onFault(error) {
      throw error;
    },
    onServers() {},
    onMismatch() {},
  });
  const book = new InviteBook(cluster, { onLost() {}, waitMs: 20 });
  const now = Date.now();
  const maker = { client: 1, name: "alice", source: "192.0.2.1", token: tokenDigest("alice's") };
  const wish = { maker, title: "den", until: now + 60_000, uses: undefined };
  for (let n = 0; n < 20; n++) {
    const asked = [book.mint(wish, now), book.revoke(n, maker.token)];
    const outcomes = await Promise.allSettled([...asked, book.use(maker.token, now)]);
    for (const outcome of outcomes.slice(0, 2)) {
      assert.ok(outcome.status === "rejected" && outcome.reason instanceof LimitError);
      assert.match(outcome.reason.message, /the other servers cannot be reached; try again later/);
    }
    const [, , used] = outcomes;
    assert.ok(used?.status === "fulfilled" && typeof used.value === "string");
  }
  isCut = false;
  let made: number | undefined;
  while (made === undefined) {
    made = await book.mint(wish, now).then(({ invite }) => invite.number, () => undefined);
  }
  // One was on its way.
  assert.ok(made <= 3, `${made - 1} were made that nobody waited for`);
  book.close();
});
