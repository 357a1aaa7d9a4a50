import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { listenPatiently } from "../../../server/commands/patient_listen.ts";
import { listenError } from "../../../server/net/listen_error.ts";
import type { Listener } from "../../../server/net/listener.ts";

const WHERE = { host: "192.0.2.1", port: 5050, tls: undefined };
const LISTENER = {} as Listener;

/** Listens at an address that is there after `failures` attempts, which fail with `cause`. */
async function listenAfter(
  failures: number,
  cause: Error,
  isManaged: boolean,
  isSuccessor = false,
) {
  let attempts = 0;
  let told = 0;
  const listener = await listenPatiently(WHERE, {
    log: getLogger("patient-listen-test"),
    isManaged,
    isSuccessor,
    onWaiting: () => told++,
    open: () =>
      ++attempts > failures ? Promise.resolve(LISTENER) : Promise.reject(listenError(WHERE, cause)),
    pause: () => Promise.resolve(),
  });
  assert.equal(listener, LISTENER);
  return { attempts, told };
}

const MISSING = new Deno.errors.AddrNotAvailable("no such address");

Deno.test("an address that comes later is waited for, forever under a service manager", async () => {
  assert.deepEqual(await listenAfter(3, MISSING, false), { attempts: 4, told: 3 });
  assert.deepEqual(await listenAfter(5_000, MISSING, true), { attempts: 5_001, told: 5_000 });
});

Deno.test("without a service manager a mistyped address is an error after five seconds", async () => {
  await assert.rejects(listenAfter(50, MISSING, false), /this machine has no such address$/);
});

Deno.test("a port that is taken is an error at once", async () => {
  const taken = new Deno.errors.AddrInUse("taken");
  await assert.rejects(listenAfter(1, taken, true), /another program already uses this port$/);
});

Deno.test("a successor waits five seconds for the port of the process before it, and no longer", async () => {
  const taken = new Deno.errors.AddrInUse("taken");
  assert.deepEqual(await listenAfter(3, taken, false, true), { attempts: 4, told: 3 });
  for (const isManaged of [false, true]) {
    await assert.rejects(listenAfter(50, taken, isManaged, true), /already uses this port$/);
  }
});
