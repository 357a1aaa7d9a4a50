import assert from "node:assert/strict";
import { openNats } from "../../../server/nats/nats_backplane.ts";
import { OPEN_NATS, startNats } from "../../helpers/system/nats.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";

const test = skipWithout("nats-server");
const SUBJECT = "cmdchat.room.test";
const NO_EVENTS = {
  onState() {},
  onTrouble() {},
  onReconnected() {},
  onRefused() {},
  onWaiting() {},
};

test("append() refuses where the last place is another, and followers read what was accepted", async () => {
  await using nats = await startNats(1);
  const options = { ...OPEN_NATS, servers: nats.urls };
  const [a, b] = [await openNats(options, NO_EVENTS), await openNats(options, NO_EVENTS)];
  const read: [number, number[]][] = [];
  const following = b.follow(SUBJECT, {
    entry: (place, body) => read.push([place, [...body]]),
    reset() {},
  });
  assert.equal(await a.last(SUBJECT), 0);
  const first = await a.append(SUBJECT, new Uint8Array([1]), 0);
  assert.equal(await b.append(SUBJECT, new Uint8Array([2]), 0), undefined);
  const second = await b.append(SUBJECT, new Uint8Array([3]), first ?? 0);
  assert.equal(await a.last(SUBJECT), second);
  for (let n = 0; n < 500 && read.length < 2; n++) await new Promise((r) => setTimeout(r, 10));
  assert.deepEqual(read, [[first, [1]], [second, [3]]]);
  following.close();
  await Promise.all([a.close(), b.close()]);
});
