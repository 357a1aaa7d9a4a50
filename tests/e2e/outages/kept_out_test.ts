// Strangers who begin handshakes on a full server, and do not go on, keep nobody out whose session is held there.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { HANDSHAKE_DEADLINE_MS } from "../../../server/config/limits.ts";
import { within } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipUnless } from "../../helpers/repo/skip.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";

const STRANGERS = 64;
// Whoever is refused has long been told so after this time.
const REFUSED_MS = 1_000;
// Far less than a handshake may take, after which strangers' places would be free for a moment.
const BACK_MS = HANDSHAKE_DEADLINE_MS / 3;

// Other systems have one loopback address.
const testLinux = skipUnless(Deno.build.os === "linux", "needs many loopback addresses");

/** Connections from many addresses that say nothing, each of which comes again when it is closed. */
class Crowd implements Disposable {
  readonly #sockets = new Map<string, Socket>();
  readonly #since = new WeakMap<Socket, number>();
  readonly #port: number;
  #isOver = false;
  /** How often one of them came. */
  tried = 0;

  constructor({ port }: RunningServer) {
    this.#port = port;
    for (let n = 0; n < STRANGERS; n++) this.#come(`127.0.1.${n + 1}`);
  }

  #come(from: string): void {
    if (this.#isOver) return;
    this.tried++;
    const socket = connect({ host: "127.0.0.1", port: this.#port, localAddress: from });
    this.#sockets.set(from, socket);
    this.#since.set(socket, performance.now());
    socket.on("error", () => {});
    socket.resume();
    socket.on("close", () => {
      this.#sockets.delete(from);
      setTimeout(() => this.#come(from), 20);
    });
  }

  /** Those that the server keeps: it closes the others as soon as they come. */
  get kept(): Socket[] {
    const before = performance.now() - REFUSED_MS;
    return [...this.#sockets.values()].filter((socket) => (this.#since.get(socket) ?? 0) < before);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const socket of this.#sockets.values()) socket.destroy();
  }
}

/** The hello that takes up the session of `peer` again. */
function ticketOf({ welcome: { session, secret } }: V2Peer) {
  return { name: "alice", session, secret };
}

const NAMES = {
  plain: "on a full server with strangers at its door a member is back at once",
  tls: "on a full server with strangers at its door a member is back at once over TLS",
};

for (const [kind, name] of Object.entries(NAMES)) {
  testLinux(
    name,
    async () => {
      await using certificate = kind === "tls" ? await makeCertificate() : undefined;
      const args = ["--max-connections", "2"];
      if (certificate !== undefined) {
        args.push("--certfile", certificate.certFile, "--keyfile", certificate.keyFile);
      }
      await using server = await startServer({ args });
      const way = {
        port: server.port,
        ...certificate === undefined ? {} : { tlsCa: certificate.cert },
      };
      await using bob = await V2Peer.join({ ...way, hello: { name: "bob" } });
      const alice = await V2Peer.join({ ...way, hello: { name: "alice" } });
      using crowd = new Crowd(server);
      alice.cut();
      await bob.until("away", ({ name }) => name === "alice");
      // The strangers have taken her place by now.
      await new Promise((resolve) => setTimeout(resolve, 2 * REFUSED_MS));
      const [stranger, ...more] = crowd.kept;
      assert.ok(stranger !== undefined && more.length === 0, "one is held, so one may come");
      const closed = once(stranger, "close");
      const back = V2Peer.join({ ...way, hello: ticketOf(alice) });
      await using again = await within(back, "the return of a member", BACK_MS);
      assert.equal(again.welcome.resumed, true);
      await bob.until("back", ({ name }) => name === "alice");
      await again.say("here again");
      await bob.until("chat", ({ text }) => text === "here again");
      await within(closed, "the end of who had her place", BACK_MS);
      assert.ok(crowd.tried > STRANGERS, "they came more than once");
      await alice.ended;
    },
  );
}
