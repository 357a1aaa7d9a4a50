// Real nats-servers for tests: one, or a cluster, in memory, on ports of their own.

import { STREAM_BYTES } from "../../../server/config/limits.ts";
import type { NatsOptions } from "../../../server/nats/nats_options.ts";
import { programPath } from "../repo/system_needs.ts";
import { within } from "../peers/v1_peer.ts";

/** One nats-server. */
export interface NatsNode {
  readonly url: string;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again on the same ports, with nothing left in memory. */
  start(): Promise<void>;
  /** Sends its process a signal, such as SIGSTOP. */
  signal(signal: Deno.Signal): void;
  /** Resolves when it has all that its cluster has. */
  healthy(): Promise<void>;
}

/** Nodes that are one cluster. */
export interface NatsCluster extends AsyncDisposable {
  readonly nodes: readonly NatsNode[];
  /** Addresses of all nodes, separated by commas. */
  readonly urls: string;
  /** Writes what all nodes read as their configuration, beside their arguments, and lets them read it again. */
  configure(text: string): Promise<void>;
}

/** How a server reaches nodes that ask for no login. */
export const OPEN_NATS: Omit<NatsOptions, "servers"> = {
  user: undefined,
  password: undefined,
  token: undefined,
  nkey: undefined,
  tls: undefined,
  replicas: 1,
  streamBytes: STREAM_BYTES,
};

const READY = /Server is ready/;
const START_MS = 10_000;
const HEALTHY_TRIES = 200;

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Where a node runs. */
export interface NatsPlace {
  readonly address: string;
  /** What it runs under, such as `ip netns exec NAME`. */
  readonly under: readonly string[];
}

const HERE: NatsPlace = { address: "127.0.0.1", under: [] };

/**
 * Starts `count` nodes, with further arguments for each; on this machine unless `places` says where. `config`: what
 * `configure` may change later.
 */
export async function startNats(
  count = 1,
  args: readonly string[] = [],
  places: readonly NatsPlace[] = [],
  config = "",
): Promise<NatsCluster> {
  const program = programPath("nats-server") as string;
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-nats-" });
  const routes = Array.from({ length: count }, freePort);
  const nodes = routes.map((route, n) => {
    const [port, health] = [freePort(), freePort()];
    const { address, under } = places[n] ?? HERE;
    const store = `${folder}/${n}`;
    const others = routes.flatMap((other, at) =>
      at === n ? [] : [`nats://${(places[at] ?? HERE).address}:${other}`]
    );
    const cluster = count === 1
      ? ""
      : `cluster { name: test, listen: "${address}:${route}", no_advertise: true, ` +
        `routes: ${JSON.stringify(others)} }`;
    // In a file, which the server reads again on SIGHUP; it would not find there what it has from its arguments.
    const base = [
      `server_name: n${n}`,
      `listen: "${address}:${port}"`,
      `http: "${address}:${health}"`,
      `jetstream { store_dir: "${store}", max_mem: 2G }`,
      cluster,
    ].join("\n");
    return new Node([...under, program], {
      url: `nats://${address}:${port}`,
      config: `${folder}/${n}.conf`,
      base,
      args,
      more: config,
      store,
      health: `http://${address}:${health}/healthz`,
    });
  });
  await Promise.all(nodes.map((node) => node.start()));
  return {
    nodes,
    urls: nodes.map(({ url }) => url).join(","),
    async configure(text) {
      await Promise.all(nodes.map((node) => node.configure(text)));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node.kill()));
      await Deno.remove(folder, { recursive: true });
    },
  };
}

interface NodeOptions {
  readonly url: string;
  /** The file of its configuration, and what is always in it. */
  readonly config: string;
  readonly base: string;
  readonly args: readonly string[];
  readonly more: string;
  readonly store: string;
  readonly health: string;
}

class Node implements NatsNode {
  readonly url: string;
  readonly #command: readonly string[];
  readonly #options: NodeOptions;
  #more: string;
  #child: Deno.ChildProcess | undefined;

  constructor(command: readonly string[], options: NodeOptions) {
    this.url = options.url;
    this.#command = command;
    this.#options = options;
    this.#more = options.more;
  }

  /** Has this in addition to its own configuration from now on. */
  async configure(text: string): Promise<void> {
    this.#more = text;
    await this.#write();
    this.signal("SIGHUP");
  }

  async #write(): Promise<void> {
    const { config, base } = this.#options;
    await Deno.writeTextFile(config, `${base}\n${this.#more}\n`);
  }

  async start(): Promise<void> {
    const [path = "", ...before] = this.#command;
    await this.#write();
    const child = new Deno.Command(path, {
      args: [...before, "-c", this.#options.config, ...this.#options.args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    await within(readUntil(child.stderr, READY), "nats-server", START_MS);
  }

  async healthy(): Promise<void> {
    for (let n = 0; n < HEALTHY_TRIES; n++) {
      const answer = await fetch(this.#options.health).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok === true) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("a NATS node did not catch up");
  }

  signal(signal: Deno.Signal): void {
    this.#child?.kill(signal);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    child.kill("SIGKILL");
    await child.status;
    await Deno.remove(this.#options.store, { recursive: true }).catch(() => {});
  }
}

// Goes on reading what comes later, so that the pipe never fills.
async function readUntil(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<void> {
  const found = Promise.withResolvers<void>();
  const decoder = new TextDecoder();
  let text = "";
  (async () => {
    for await (const bytes of stream) {
      text = (text + decoder.decode(bytes, { stream: true })).slice(-10_000);
      if (pattern.test(text)) found.resolve();
    }
    found.reject(new Error(`nats-server ended: ${text}`));
  })().catch(() => {});
  await found.promise;
}
