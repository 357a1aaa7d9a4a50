// A server that is frozen: its sockets still take connections, and nobody answers. Its clients go to another one.

import assert from "node:assert/strict";
import type { Session } from "../../../client/session/session.ts";
import { dialerTo } from "../../helpers/peers/dialers.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { startNats } from "../../helpers/system/nats.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";

const test = skipWithout("nats-server");
const ADDRESSES = ["127.0.0.1", "127.0.0.2"];
const never = new AbortController().signal;

/** Reads until the session is over; gives why. */
async function endOf(session: Session): Promise<unknown> {
  try {
    await Array.fromAsync(session.events());
    return undefined;
  } catch (error) {
    return error;
  }
}

test("a client whose server is frozen is back at the other address in seconds, in the same session", async () => {
  await using nats = await startNats(1);
  await using identity = await makeIdentity();
  const args = ["--nats", nats.urls, "--identity-file", identity.path];
  const env = { CMDCHAT_CLUSTER_KEY: "A".repeat(43) };
  const [hostA = "", hostB = ""] = ADDRESSES;
  await using a = await startServer({ args: [...args, "--host", hostA], env });
  const port = String(a.port);
  await using b = await startServer({ args: [...args, "--host", hostB, "--port", port], env });
  await b.logged(/another server was found others=1/, 10_000);
  const dialer = dialerTo(a.port, { resolve: () => Promise.resolve(ADDRESSES), random: () => 0 });
  const place = { name: "alice", rooms: [["lobby", 0]] as const, ticket: undefined };
  const first = await dialer.dial(place, never);
  // The system's first address is tried first.
  await a.logged(/client joined/);
  const ending = endOf(first);
  // What it asked for at its start is answered.
  while (first.roundTripMs === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
  a.signal("SIGSTOP");
  const frozenAt = performance.now();
  await first.send({ kind: "ping" });
  assert.match(String(await ending), /does not answer/);
  const { ticket } = first.welcome;
  const second = await dialer.dial({ ...place, ticket }, never);
  const seconds = (performance.now() - frozenAt) / 1_000;
  assert.ok(seconds < 15, `back after ${seconds.toFixed(1)} s`);
  assert.ok(second.welcome.resumed, "and nobody saw it leave");
  await b.logged(/client joined/);
  second.close();
  a.signal("SIGCONT");
});
