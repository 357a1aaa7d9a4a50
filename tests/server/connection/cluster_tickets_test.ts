// Two servers of a cluster, and a client whose hellos overtake each other on their way to them.

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { RelayClusterHost } from "../../../server/admin/cluster_host.ts";
import type { Slot } from "../../../server/cluster/client_numbers.ts";
import { Cluster } from "../../../server/cluster/cluster.ts";
import { ClusterKey } from "../../../server/cluster/cluster_key.ts";
import { resumeHeld, resumeRemote } from "../../../server/connection/open_session.ts";
import { Relay } from "../../../server/relay/relay.ts";
import type { Session } from "../../../server/session/session.ts";
import { RecordCipher } from "../../../shared/channel/record_cipher.ts";
import { generateIdentity } from "../../../shared/crypto/identity.ts";
import { MemoryCluster } from "../../helpers/fakes/memory_backplane.ts";
import { configOf, LiveLink, seat } from "../../helpers/peers/relay.ts";

class Server {
  readonly #stop = new AbortController();

  private constructor(readonly relay: Relay, readonly cluster: Cluster) {
    cluster.run(new RelayClusterHost(relay), this.#stop.signal);
  }

  static async start(bus: MemoryCluster, slot: number): Promise<Server> {
    const cluster = new Cluster({
      backplane: bus.join(),
      key: new ClusterKey(new Uint8Array(32).fill(7)),
      identity: "fingerprint",
      slot: slot as Slot,
      holdMs: 60_000,
      onMismatch: () => {},
      onServers: () => {},
      onFault(error) {
        throw error;
      },
    });
    const identity = await generateIdentity();
    const log = getLogger("test");
    return new Server(new Relay(configOf(), { log, identity, cluster }), cluster);
  }

  /** A hello with `secret` arrives; undefined where it resumes nothing. */
  async hello(ticket: Uint8Array, secret: Uint8Array): Promise<Session | undefined> {
    const key = () => new Uint8Array(32).fill(1);
    const keys = { aead: "aes-256-gcm", clientSecret: key(), serverSecret: key() } as const;
    const now = () => 0;
    const channel = {
      connection: new LiveLink(),
      cipher: new RecordCipher(keys, { role: "server", now }),
      challenge: key(),
    };
    const hello = {
      kind: "hello",
      name: "ann",
      rooms: [["lobby", 0]] as [string, number][],
      token: null,
      session: ticket,
      secret: secret.slice(),
    } as const;
    return resumeHeld(this.relay, channel, hello) ??
      await resumeRemote(this.relay, channel, hello);
  }

  /** It is gone, and the others know that. */
  end(): void {
    this.cluster.bye();
    this.#stop.abort();
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }
}

/** Lets all that was said arrive, and be answered. */
async function settle(): Promise<void> {
  for (let n = 0; n < 100; n++) await Promise.resolve();
}

/** Three servers, and a client at the first that has come back there: `old` is the secret by which it came, `read` the next. */
async function scene() {
  const bus = new MemoryCluster();
  const [one, two, three] = await Promise.all([1, 2, 3].map((slot) => Server.start(bus, slot)));
  assert.ok(one && two && three);
  await settle();
  const { session } = seat(one.relay, { name: "ann" });
  const { id, secret: old } = session.ticket!;
  await settle();
  assert.equal(await one.hello(id, old), session);
  const { secret: read } = session.ticket!;
  assert.notDeepEqual(read, old);
  await settle();
  const all = new DisposableStack();
  for (const server of [one, two, three]) all.use(server);
  const client = session.id;
  const parts = { bus, one, two, three, session, client, id, old, read };
  return { ...parts, [Symbol.dispose]: () => all.dispose() };
}

Deno.test("a hello that arrives late at another server does not void the secret that its client has read", async () => {
  using scenes = await scene();
  const { one, two, three, client, id, old, read } = scenes;
  // Attempts that the client gave up, before it came back at the first one.
  for (const late of [two, three]) {
    assert.equal((await late.hello(id, old))?.id, client);
    await settle();
  }
  const back = await one.hello(id, read);
  assert.equal(back?.id, client);
  await settle();
  // What it was told there is what holds from then on.
  const { secret } = back?.ticket ?? assert.fail();
  back?.confirmTicket();
  await settle();
  for (const gone of [old, read]) assert.equal(await two.hello(id, gone), undefined);
  assert.equal((await two.hello(id, secret))?.id, client);
});

Deno.test("nor where the server that gave it has died meanwhile", async () => {
  using scenes = await scene();
  const { one, two, client, id, old, read } = scenes;
  one.end();
  await settle();
  assert.equal((await two.hello(id, old))?.id, client);
  const back = await two.hello(id, read);
  assert.equal(back?.id, client);
  assert.equal(await two.hello(id, old), back, "until the client shows the next one");
  back?.confirmTicket();
  assert.equal(await two.hello(id, old), undefined);
});

Deno.test("a hello that arrives late takes no session whose client has shown its next secret, though that is not known there yet", async () => {
  using scenes = await scene();
  const { one, two, session, id, old, read } = scenes;
  session.confirmTicket();
  assert.equal(await two.hello(id, old), undefined);
  assert.equal(one.relay.session(session.id), session);
  assert.notEqual(session.writer, undefined, "nor its connection");
  await settle();
  assert.equal((await two.hello(id, read))?.id, session.id);
});

Deno.test("many late hellos with one secret keep the first that a client can have read, and a bounded number of others", async () => {
  using scenes = await scene();
  const { two, three, client, id, old } = scenes;
  let newest: Uint8Array | undefined;
  for (let n = 0; n < 20; n++) {
    const session = await (n % 2 === 0 ? two : three).hello(id, old);
    assert.equal(session?.id, client);
    assert.ok((session.ticket?.former?.length ?? 0) < 8);
    newest = session.ticket?.secret;
    await settle();
  }
  assert.equal((await two.hello(id, newest!))?.id, client);
});

Deno.test("whom an admin ended at one server is refused by its tickets at the others, also at one that starts later", async () => {
  using scenes = await scene();
  const { bus, one, two, session, id, old, read } = scenes;
  one.relay.expel(session, "enough");
  await settle();
  const refused = async (server: Server) => {
    for (const secret of [old, read]) {
      await assert.rejects(server.hello(id, secret), { reason: "removed" });
    }
    assert.equal(await server.hello(id, new Uint8Array(32)), undefined);
  };
  for (const server of [one, two]) await refused(server);
  using later = await Server.start(bus, 4);
  await settle();
  await refused(later);
});
