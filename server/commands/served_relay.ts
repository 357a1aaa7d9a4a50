// The relay and its port. A hand-over that no process takes up replaces both: the server then serves again what it
// gave away.

import type { Logger } from "@logtape/logtape";
import { ConfigError } from "../../shared/base/errors.ts";
import { identityToText, type ServerIdentity } from "../../shared/crypto/identity.ts";
import type { Kem } from "../../shared/crypto/kem.ts";
import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { AccessToken } from "../config/access_tokens.ts";
import type { Reloadable } from "../config/reloadable_files.ts";
import type { CheckedTls } from "../config/tls_files.ts";
import type { ServerConfig } from "../config/server_options.ts";
import { serveConnection } from "../connection/serve_connection.ts";
import type { NetworkSet } from "../limits/network_set.ts";
import { listen } from "../net/listen.ts";
import type { Listener } from "../net/listener.ts";
import { encodeHandOver, type RelaySnapshot } from "../relay/hand_over_state.ts";
import { Relay } from "../relay/relay.ts";
import { handOver, takeOver } from "../relay/succession.ts";
import { Door } from "../web/door.ts";
import type { Page } from "../web/page.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { faultText } from "../telemetry/log.ts";

// The port may still belong to the process that failed to take over, until that one exits.
const PORT_PAUSE_MS = 50;

/** What a served relay is made of. */
export interface ServedRelayOptions {
  readonly config: ServerConfig;
  readonly log: Logger;
  readonly identity: ServerIdentity;
  readonly cluster: Cluster | undefined;
  /** The port on which to serve; see `serve`. */
  readonly listener: Listener;
  readonly files: Reloadable;
  /** The page for browsers; undefined = none is served. */
  readonly page: Page | undefined;
  /** Networks that --bans-file refuses. */
  readonly bans: NetworkSet;
}

/** A relay, and the listener that brings it its clients. */
export class ServedRelay {
  readonly #options: ServedRelayOptions;
  #config: ServerConfig;
  #bans: NetworkSet;
  #files: Reloadable;
  #listener: Listener;
  #relay: Relay;
  #door: Door;
  #running = new AbortController();
  #encapsulate: Kem["encapsulate"] | undefined;
  #snapshot: RelaySnapshot | undefined;
  #stopped = false;
  #isServing = false;

  constructor(options: ServedRelayOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#bans = options.bans;
    this.#files = options.files;
    this.#listener = options.listener;
    this.#relay = this.#newRelay();
    this.#door = this.#newDoor();
  }

  /** The relay of now. */
  get relay(): Relay {
    return this.#relay;
  }

  /** Whether clients are let in, as far as the listener can take them. */
  get isServing(): boolean {
    return this.#isServing && this.#listener.isAccepting;
  }

  /** Who the server is. */
  get fingerprint(): Fingerprint {
    return this.#options.identity.fingerprint;
  }

  /** The listener of now. */
  get listener(): Listener {
    return this.#listener;
  }

  /** Adopts the state of another process. Call it before `serve`. */
  takeOver(state: RelaySnapshot): void {
    takeOver(this.#relay, state);
    this.#options.log.info("took over", {
      held: this.#relay.held.size,
      rooms: this.#relay.gauges.rooms,
    });
  }

  /** Serves until the listener is closed, by `stop` or `handOver`. */
  serve(): Promise<void> {
    const relay = this.#relay;
    const door = this.#door;
    const { log } = this.#options;
    relay.run(this.#running.signal);
    this.#isServing = true;
    return this.#listener.serve({
      admit: (address) => door.admit(address),
      onConnection: (connection, slot, ending) =>
        serveConnection(relay, connection, { slot, door, ending }),
      beforeTls: (plain, slot) => door.beforeTls(plain, slot),
      inTurn: (address, work) => relay.tlsQueue.run(address, work),
      onHandshakeFailed: () => relay.metrics.handshake("tls"),
      onFault: (error) => log.error("unexpected fault", { stack: faultText(error) }),
    });
  }

  /** Certificate and tokens of now. */
  get files(): Reloadable {
    return this.#files;
  }

  /** Uses another certificate for later connections. Throws ConfigError; then nothing changes. */
  useCertificate(tls: CheckedTls): void {
    this.#listener.renew(tls);
    this.#files = { ...this.#files, tls };
  }

  /** Uses other tokens, and ends the sessions of those that are revoked; returns how many. */
  useTokens(tokens: readonly AccessToken[]): number {
    this.#files = { ...this.#files, tokens };
    return this.#relay.useTokens(tokens);
  }

  /** Refuses these networks from now on, and ends their sessions; returns how many. */
  useBans(networks: NetworkSet): number {
    this.#bans = networks;
    return this.#relay.useBans(networks);
  }

  /** Uses the limits of `config` from now on. */
  useLimits(config: ServerConfig): void {
    this.#config = config;
    this.#relay.useLimits(config);
  }

  /** Encapsulates so from now on, on the thread of the members. */
  useEncapsulation(encapsulate: Kem["encapsulate"]): void {
    this.#encapsulate = encapsulate;
    this.#relay.handshakes.useEncapsulation(encapsulate);
  }

  /** Stops serving and returns the state for another process; `resume` undoes it. */
  async handOver(): Promise<Uint8Array> {
    const { log, identity } = this.#options;
    this.#listener.close();
    log.info("handing over: no new connections, telling clients");
    this.#snapshot = await handOver(this.#relay);
    return encodeHandOver({ identity: await identityToText(identity), relay: this.#snapshot });
  }

  /** Serves the state again that no other process took up. */
  async resume(): Promise<void> {
    const state = this.#snapshot;
    if (state === undefined || this.#stopped) return;
    const { log } = this.#options;
    this.#running.abort();
    this.#running = new AbortController();
    log.error("no process took over; serving again");
    const listener = await this.#listenAgain();
    if (listener === undefined) return;
    this.#listener = listener;
    this.#relay = this.#newRelay(this.#relay.metrics);
    this.#door = this.#newDoor();
    this.takeOver(state);
    await this.serve();
  }

  /** Tells all clients, lets their outboxes drain, and closes everything. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#listener.close();
    await this.#relay.stop();
    this.#running.abort();
  }

  async #listenAgain(): Promise<Listener | undefined> {
    const { hostname: host, port } = this.#listener.address;
    let told = "";
    while (!this.#stopped) {
      try {
        return await listen({ host, port, tls: this.#files.tls });
      } catch (error) {
        const why = error instanceof ConfigError ? error.message : faultText(error);
        if (why !== told) this.#options.log.warning("cannot listen again yet", { why });
        told = why;
        await new Promise((resolve) => setTimeout(resolve, PORT_PAUSE_MS));
      }
    }
    return undefined;
  }

  #newDoor(): Door {
    return new Door(this.#options.config, this.#relay.access, this.#options.page);
  }

  #newRelay(metrics?: Metrics): Relay {
    const { log, identity, cluster } = this.#options;
    const relay = new Relay(this.#config, { log, identity, cluster, metrics });
    relay.access.useTokens(this.#files.tokens);
    relay.access.bans.fromFile = this.#bans;
    if (this.#encapsulate !== undefined) relay.handshakes.useEncapsulation(this.#encapsulate);
    return relay;
  }
}
