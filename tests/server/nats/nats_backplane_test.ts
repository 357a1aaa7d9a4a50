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

test("a log that is read from its start again is read whole, also where that begins in the middle of a read", async () => {
  await using nats = await startNats(1);
  const options = { ...OPEN_NATS, servers: nats.urls };
  const backplane = await openNats(options, NO_EVENTS);
  let last = 0;
  for (let n = 0; n < 40; n++) {
    last = await backplane.append(SUBJECT, new Uint8Array([n]), last) ?? 0;
  }
  let read: number[] = [];
  let restarts = 0;
  const following = backplane.follow(SUBJECT, {
    entry(_place, [n = -1]) {
      read.push(n);
      // The next entry is asked for by then.
      if (n === 10 + restarts && restarts < 20) {
        restarts++;
        setTimeout(() => following.restart());
      }
    },
    reset: () => read = [],
  });
  for (let n = 0; n < 500 && (restarts < 20 || !read.includes(39)); n++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.deepEqual(read, Array.from({ length: 40 }, (_, n) => n));
  following.close();
  await backplane.close();
});
