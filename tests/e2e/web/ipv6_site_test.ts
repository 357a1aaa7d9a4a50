// One customer with an IPv6 /48, who has 65,536 networks of the size that counts as one source, against a real server. A
// proxy that is trusted names the addresses: the test machine has none of them.

import assert from "node:assert/strict";
import { closeQuietly } from "../../helpers/peers/conn_ends.ts";
import { within } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";

const BEHIND = ["--trusted-proxy", "127.0.0.1"];
const encoder = new TextEncoder();

const ofSite = (n: number) => `2001:db8:7:${n.toString(16)}::1`;

function headerOf(address: string): Uint8Array {
  const isV6 = address.includes(":");
  const here = isV6 ? "2001:db8:ffff::1" : "192.0.2.2";
  return encoder.encode(`PROXY TCP${isV6 ? 6 : 4} ${address} ${here} 1 2\r\n`);
}

/** What makes a connection one of a client at `address`. */
const from = (address: string) => async (conn: Deno.Conn) => {
  await conn.write(headerOf(address));
  return conn;
};

/** One silent connection from each of `count` networks of the customer. */
async function occupy({ port }: RunningServer, count: number) {
  const conns = await Promise.all(Array.from({ length: count }, async (_, n) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(headerOf(ofSite(n)));
    return conn;
  }));
  return { [Symbol.dispose]: () => conns.forEach(closeQuietly) };
}

/** Comes in as a client does: again and again, for less time than the server waits for silent ones. */
async function join({ port }: RunningServer, address: string): Promise<V2Peer> {
  const hello = { name: "newcomer" };
  for (let tries = 30;; tries--) {
    try {
      const joining = V2Peer.join({ port, hello, over: from(address) });
      return await within(joining, "a newcomer", 2_000);
    } catch (error) {
      if (tries === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Comes from everywhere in the site to a server with 64 places, and looks whether others come in. */
async function fillPlaces(perAddress: number): Promise<void> {
  const args = [...BEHIND, "--max-connections", "64", "--max-per-address", String(perAddress)];
  await using server = await startServer({ args });
  using _ = await occupy(server, 100);
  for (const address of ["192.0.2.66", "2001:db8:8::1"]) {
    await using peer = await join(server, address);
    await peer.say("in");
  }
}

Deno.test("a customer with an IPv6 /48 takes no place of others", () => fillPlaces(64));

Deno.test("nor where one address has few places", () => fillPlaces(2));

Deno.test("nor more guesses of a token than a few addresses have", async () => {
  const random = "Vx2hQ0m9uT7kZb4Lr8sNpA";
  const env = { CMDCHAT_TOKENS: `the right one,${random}` };
  const args = [...BEHIND, "--connection-rate", "off"];
  await using server = await startServer({ args, env });
  const answers: Record<string, number> = {};
  const guess = async (address: string) => {
    await using peer = await V2Peer.connect({
      port: server.port,
      hello: { name: "guesser", token: "a wrong one" },
      over: from(address),
    });
    const { reason } = await peer.until("refused");
    answers[reason] = (answers[reason] ?? 0) + 1;
  };
  for (let n = 0; n < 100; n += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, k) => guess(ofSite(n + k))));
  }
  const { unauthorized = 0, too_many_attempts: later = 0 } = answers;
  // Ten a minute, of eight networks, and what came back while this went on.
  assert.ok(unauthorized >= 80 && unauthorized < 95 && unauthorized + later === 100, `${later}`);
  await guess("2001:db8:8::1");
  assert.equal(answers.unauthorized, unauthorized + 1, "a customer beside it has its own");
  await using neighbor = await V2Peer.join({
    port: server.port,
    hello: { name: "neighbor", token: random },
    over: from(ofSite(0xbbbb)),
  });
  assert.equal(neighbor.entered().name, "neighbor", "whose token nobody guesses");
});
