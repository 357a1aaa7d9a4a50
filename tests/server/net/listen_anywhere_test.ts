import assert from "node:assert/strict";
import { listenAnywhere } from "../../../server/net/listen_anywhere.ts";
import { listenError } from "../../../server/net/listen_error.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import type { Listener, ListenOptions } from "../../../server/net/listener.ts";

type Fault = new (message: string) => Error;

/** A system on which some ports cannot be had; `tried` has what was asked for. */
function system(refuses: (options: ListenOptions) => Fault | undefined) {
  const tried: string[] = [];
  const open = (options: ListenOptions): Promise<Listener> => {
    tried.push(`${options.host} ${options.port}`);
    const fault = refuses(options);
    if (fault !== undefined) return Promise.reject(listenError(options, new fault("no")));
    // Nothing listens at port 0, as where a system takes IPv6 alone.
    const listener = { address: { hostname: options.host, port: 0 }, close() {} };
    return Promise.resolve(listener as unknown as Listener);
  };
  return { open, tried };
}

Deno.test("a port that is taken is passed over for the next one, unless it was asked for", async () => {
  const taken = system(({ port }) => port < 5_052 ? Deno.errors.AddrInUse : undefined);
  const found = await listenAnywhere(undefined, taken.open);
  assert.equal(found.hasIpv6, false);
  assert.deepEqual(taken.tried, [":: 5050", ":: 5051", ":: 5052", "0.0.0.0 5052"]);
  await assert.rejects(
    listenAnywhere(5_050, taken.open),
    (error) => error instanceof ConfigError && /another program already uses/.test(error.message),
  );
});

Deno.test("where all the next ones are taken the system gives a port", async () => {
  const taken = system(({ port }) => port > 0 ? Deno.errors.AddrInUse : undefined);
  await listenAnywhere(undefined, taken.open);
  assert.equal(taken.tried.at(-1), "0.0.0.0 0");
  assert.ok(taken.tried.length < 30);
});

Deno.test("a machine without IPv6 hosts over IPv4; what the system does not allow is told", async () => {
  const old = system(({ host }) => host === "::" ? Deno.errors.AddrNotAvailable : undefined);
  assert.equal((await listenAnywhere(undefined, old.open)).hasIpv6, false);
  assert.deepEqual(old.tried, [":: 5050", "0.0.0.0 5050"]);
  const denied = system(() => Deno.errors.PermissionDenied);
  await assert.rejects(listenAnywhere(80, denied.open), /the system does not allow it/);
});

Deno.test("one socket takes connections of both families, where the system has both", async () => {
  const { listener, hasIpv6 } = await listenAnywhere(0);
  using _four = await Deno.connect({ hostname: "127.0.0.1", port: listener.address.port });
  if (hasIpv6) {
    using _six = await Deno.connect({ hostname: "::1", port: listener.address.port });
  }
  listener.close();
});
