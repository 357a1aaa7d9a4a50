// deno-lint-ignore-file no-console
// A server is replaced at random moments, again and again, before all clients are back from the last time. Some cut their
// connections and give attempts up meanwhile, so that each step of a login is met: nobody may lose their session.
// `SUCCESSIONS=200 deno task test quick_successions` goes on for longer. Of a lost session the last steps are told.

import assert from "node:assert/strict";
import { connect } from "../../../client/net/connection.ts";
import type { Connection } from "../../../client/net/endpoint.ts";
import type { Ticket } from "../../../client/session/session.ts";
import { SessionV2 } from "../../../client/session/session_v2.ts";
import { CmdchatError } from "../../../shared/base/errors.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { testRsa } from "../../helpers/peers/v2_peer.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";

const SUCCESSIONS = Number(Deno.env.get("SUCCESSIONS") || 4);
const CLIENTS = 40;
/** So many of them cut their connections and give attempts up. */
const RESTLESS = 25;
const PATIENCE_MS = 10_000;
const ALL_BACK_MS = 60_000;
/** Each is at random, up to so many ms. */
const AT_MOST_MS = { quiet: 500, retry: 10, stay: 1_500, patience: 300 };
const GIVES_UP = 0.3;
const STEPS = 30;
const OPEN = ["--rate-limit", "off", "--max-per-address", "off"];
const TOKEN = { CMDCHAT_ADMIN_TOKEN: "for-the-admin-alone" };

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  const end = performance.now() + ALL_BACK_MS;
  while (!isSo()) {
    assert.ok(performance.now() < end, `never ${what}`);
    await waitUpTo(AT_MOST_MS.retry);
  }
}

function waitUpTo(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * ms));
}

/** A client that comes back as soon as it can. */
class Returning {
  /** How often it was back. */
  returns = 0;
  /** The steps that led to another session than its own; undefined where it kept that. */
  loss: string | undefined;
  readonly #port: number;
  readonly #isRestless: boolean;
  readonly #ending: AbortSignal;
  #steps: readonly string[] = [];
  #ticket: Ticket | undefined;
  #number: number | undefined;

  constructor(port: number, isRestless: boolean, ending: AbortSignal) {
    this.#port = port;
    this.#isRestless = isRestless;
    this.#ending = ending;
  }

  /** Whether it has a session. */
  get isIn(): boolean {
    return this.#number !== undefined;
  }

  /** Something happened that its steps may depend on. */
  note(step: string): void {
    this.#steps = [...this.#steps, `${performance.now().toFixed(0)} ${step}`].slice(-STEPS);
  }

  async run(): Promise<void> {
    while (!this.#ending.aborted) {
      const givesUp = this.#isRestless && Math.random() < GIVES_UP;
      const patience = givesUp ? Math.random() * AT_MOST_MS.patience : PATIENCE_MS;
      const trying = new AbortController();
      const timer = setTimeout(() => trying.abort(), patience);
      const signal = AbortSignal.any([this.#ending, trying.signal]);
      try {
        const connection = await connect(
          { host: "127.0.0.1", port: this.#port, tls: undefined },
          signal,
        );
        await this.#come(connection, signal, () => clearTimeout(timer));
      } catch (error) {
        if (!signal.aborted && !(error instanceof CmdchatError)) throw error;
        this.note(signal.aborted ? "gives up" : String(error));
      }
      clearTimeout(timer);
      await waitUpTo(AT_MOST_MS.retry);
    }
  }

  async #come(connection: Connection, signal: AbortSignal, over: () => void): Promise<void> {
    const ticket = this.#ticket;
    try {
      const session = await SessionV2.open(connection, {
        keyPair: await testRsa(),
        tls: false,
        expected: undefined,
        signal,
        introduce: () => {
          this.note("says hello");
          const rooms = [["lobby", 0]] as const;
          return Promise.resolve({ name: "anybody", rooms, token: undefined, ticket });
        },
      });
      over();
      await this.#stay(session);
    } finally {
      connection.close();
    }
  }

  async #stay(session: SessionV2): Promise<void> {
    const { ticket, client, resumed } = session.welcome;
    this.note(`is in as ${client}, resumed: ${resumed}`);
    if (client === this.#number) this.returns++;
    else if (this.#number !== undefined) this.loss ??= this.#steps.join("\n  ");
    [this.#ticket, this.#number] = [ticket, client];
    const close = () => session.close();
    this.#ending.addEventListener("abort", close);
    if (this.#isRestless) void waitUpTo(AT_MOST_MS.stay).then(close);
    for await (const { kind } of session.events()) if (kind === "closing") this.note("is told");
    this.note("is out");
    this.#ending.removeEventListener("abort", close);
  }
}

Deno.test(`${CLIENTS} clients that come and go at all moments keep their sessions while their server is replaced ${SUCCESSIONS} times`, async () => {
  const [port, pages] = [freePort(), `127.0.0.1:${freePort()}`];
  await using identity = await makeIdentity();
  const place = ["--port", String(port), "--admin-listen", pages, "--take-over", pages];
  const args = [...place, "--identity-file", identity.path, ...OPEN];
  const start = () => startServer({ args, env: TOKEN });
  let server: RunningServer = await start();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => server[Symbol.asyncDispose]());
  const ending = new AbortController();
  const clients = Array.from(
    { length: CLIENTS },
    (_, n) => new Returning(port, n < RESTLESS, ending.signal),
  );
  const running = Promise.all(clients.map((client) => client.run()));
  stack.defer(() => ending.abort());
  const noteAll = (step: string) => clients.forEach((client) => client.note(`  ${step}`));
  await until(() => clients.every(({ isIn }) => isIn), "all in");
  for (let n = 1; n <= SUCCESSIONS; n++) {
    await waitUpTo(AT_MOST_MS.quiet);
    const next = await start();
    noteAll(`server ${n + 1} listens`);
    const { code, stderr } = await server.ended();
    assert.equal(code, 0, stderr);
    server = next;
  }
  const before = clients.map(({ returns }) => returns);
  const isBack = ({ returns, loss }: Returning, n: number) =>
    returns > (before[n] ?? 0) || loss !== undefined;
  await until(() => clients.every(isBack), "all back");
  ending.abort();
  await running;
  const lost = clients.flatMap(({ loss }, n) =>
    loss === undefined ? [] : [`client ${n}:\n  ${loss}`]
  );
  console.log(`${clients.reduce((sum, { returns }) => sum + returns, 0)} returns`);
  assert.equal(lost.length, 0, lost.join("\n"));
});
