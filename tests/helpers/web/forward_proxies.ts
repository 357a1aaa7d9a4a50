// Proxies through which clients go: real ones, and one that says what a test wants.

import { within } from "../peers/v1_peer.ts";
import { closeQuietly, isGone } from "../peers/conn_ends.ts";
import { programPath, type SystemProgram } from "../repo/system_needs.ts";
import { freePort } from "./reverse_proxies.ts";

/** A proxy that runs. */
export interface ForwardProxy extends AsyncDisposable {
  readonly port: number;
  /** What it printed so far. */
  readonly log: string;
  /** Resolves once it printed this. */
  logged(pattern: RegExp): Promise<void>;
}

const START_MS = 20_000;

/** microsocks; its connections come from `source`. */
export async function startMicrosocks(source: string, auth?: string): Promise<ForwardProxy> {
  const port = freePort();
  const [user = "", password = ""] = auth?.split(":") ?? [];
  const credentials = auth === undefined ? [] : ["-u", user, "-P", password];
  const args = ["-i", "127.0.0.1", "-p", String(port), "-b", source, ...credentials];
  return await start("microsocks", { args, port });
}

/** tinyproxy, which takes CONNECT to every port; its connections come from `source`. */
export async function startTinyproxy(source: string, auth?: string): Promise<ForwardProxy> {
  const port = freePort();
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-tinyproxy-" });
  const lines = [
    `Port ${port}`,
    "Listen 127.0.0.1",
    `Bind ${source}`,
    "Timeout 60",
    "LogLevel Info",
    ...(auth === undefined ? [] : [`BasicAuth ${auth.replace(":", " ")}`]),
  ];
  await Deno.writeTextFile(`${folder}/tinyproxy.conf`, `${lines.join("\n")}\n`);
  return await start("tinyproxy", { args: ["-d", "-c", `${folder}/tinyproxy.conf`], port, folder });
}

/** Tor that never reaches a network: its only bridge is a port of this machine on which nothing listens. */
export async function startOfflineTor(): Promise<ForwardProxy> {
  const port = freePort();
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-tor-" });
  await Deno.writeTextFile(
    `${folder}/torrc`,
    `SocksPort 127.0.0.1:${port}\nDataDirectory ${folder}/data\nUseBridges 1\nBridge 127.0.0.1:1\n` +
      "SocksTimeout 2\nSafeLogging 0\nLog notice stdout\n",
  );
  const args = ["-f", `${folder}/torrc`, "--defaults-torrc", `${folder}/torrc`];
  return await start("tor", { args, port, folder });
}

interface Start {
  readonly args: readonly string[];
  readonly port: number;
  /** Removed at the end. */
  readonly folder?: string;
}

async function start(
  name: SystemProgram,
  { args, port, folder }: Start,
): Promise<ForwardProxy> {
  const child = new Deno.Command(programPath(name) as string, {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let log = "";
  let more = Promise.withResolvers<void>();
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      log += decoder.decode(bytes, { stream: true });
      more.resolve();
      more = Promise.withResolvers();
    }
  };
  const reading = Promise.all([collect(child.stdout), collect(child.stderr)]);
  const find = async (pattern: RegExp) => {
    while (!pattern.test(log)) await more.promise;
  };
  const proxy: ForwardProxy = {
    port,
    get log() {
      return log;
    },
    logged: (pattern) => within(find(pattern), `${name} to print ${pattern}`, START_MS),
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // It has ended.
      }
      await Promise.all([child.status, reading]);
      if (folder !== undefined) await Deno.remove(folder, { recursive: true });
    },
  };
  try {
    await within(listening(port), `the start of ${name}`, START_MS);
  } catch (cause) {
    await proxy[Symbol.asyncDispose]();
    throw new Error(`${name} did not start: ${log}`, { cause });
  }
  return proxy;
}

async function listening(port: number): Promise<void> {
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** A proxy whose answers are a test's: each is sent when the client has written so many bytes more. */
export class ScriptedProxy implements AsyncDisposable {
  /** All that clients wrote, one text in latin-1 a connection. */
  readonly heard: string[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  readonly #ended = new Set<Deno.Conn>();
  readonly #running: Promise<void>[] = [];
  readonly #serving: Promise<void>;
  readonly #answer: (heard: string) => string | undefined;
  readonly #target: number | undefined;

  /**
   * `answer` gets all that a client wrote and gives, in latin-1, what to send; undefined = nothing yet. One that begins
   * with "end" is sent without that word, and nothing after it; one with "go", and the connection leads to `target`.
   */
  constructor(answer: (heard: string) => string | undefined, target?: number) {
    this.#answer = answer;
    this.#target = target;
    this.#serving = this.#serve();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Resolves once the clients that came have closed their connections. */
  async quiet(): Promise<void> {
    await within(Promise.all(this.#running), "the end of the connections", START_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) closeQuietly(conn);
    await this.#serving;
  }

  async #serve(): Promise<void> {
    try {
      for await (const conn of this.#listener) {
        this.#conns.add(conn);
        this.#running.push(
          this.#talk(conn).catch((error) => {
            if (!isGone(error)) throw error;
          }).finally(() => closeQuietly(conn)),
        );
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    await Promise.all(this.#running);
  }

  async #talk(conn: Deno.TcpConn): Promise<void> {
    const at = this.heard.push("") - 1;
    const buffer = new Uint8Array(4_096);
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      const heard = this.heard[at] += String.fromCharCode(...buffer.subarray(0, n));
      const answer = this.#answer(heard);
      if (answer === undefined || this.#ended.has(conn)) continue;
      const [, word, text = ""] = /^(end|go)?([^]*)$/.exec(answer) ?? [];
      await conn.write(latin1(text));
      if (word === "end") {
        this.#ended.add(conn);
        await conn.closeWrite();
      } else if (word === "go" && this.#target !== undefined) {
        return await this.#join(conn, this.#target);
      }
    }
  }

  async #join(near: Deno.Conn, port: number): Promise<void> {
    const far = await Deno.connect({ hostname: "127.0.0.1", port });
    this.#conns.add(far);
    await Promise.allSettled([copy(near, far), copy(far, near)]);
  }
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
      for (let at = 0; at < n;) at += await to.write(buffer.subarray(at, n));
    }
  } finally {
    closeQuietly(from);
    closeQuietly(to);
  }
}

/** Bytes of a text that has one character for each. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** What a SOCKS5 proxy that takes method `method` says at each step; it leads to its target at the end. */
export function socksAnswers(method: 0 | 2): (heard: string) => string | undefined {
  const auth = method === 2 ? 1 : 0;
  let step = 0;
  return () => {
    step++;
    if (step === 1) return `\x05${String.fromCharCode(method)}`;
    if (auth === 1 && step === 2) return "\x01\0";
    return "go\x05\0\0\x01\0\0\0\0\0\0";
  };
}
