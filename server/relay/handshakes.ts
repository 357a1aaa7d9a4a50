// Where the server's part of a handshake is computed: here, and while many wait in a worker, so that members are served
// meanwhile. docs/adr/0034-handshakes-in-the-servers-own-steps.md has the figures.

import { startWorker } from "#platform/worker.ts";
import { ServerHandshake, type ServerSession } from "../../shared/channel/handshake.ts";
import type { Kem } from "../../shared/crypto/kem.ts";
import { identityToText, type ServerIdentity } from "../../shared/crypto/identity.ts";
import { HANDSHAKE_DEADLINE_MS, HANDSHAKE_WORKER } from "../config/limits.ts";
import { canStartWorker } from "../net/file_handles.ts";
import { type AskedHandshake, packAsked, unpackAnswered } from "./handshake_batch.ts";
import type { FromHandshakeWorker, ToHandshakeWorker } from "./handshake_worker.ts";

type Settle = (session: ServerSession | undefined) => void;

/** When and where a worker helps. */
export interface HandshakesOptions {
  /** How many handshakes wait for their turn. */
  readonly waiting: () => number;
  /** The worker has rehearsed, and one handshake took so many ms in the end. */
  readonly onRehearsed?: (tookMs: number) => void;
  /** Threads that the machine runs at once; with one, a worker would only take time from members. */
  readonly processors?: number;
  /** Monotonic ms. */
  readonly now?: () => number;
}

/** The server's handshakes. */
export class Handshakes {
  readonly #identity: ServerIdentity;
  #own: ServerHandshake;
  readonly #waiting: () => number;
  readonly #onRehearsed: (tookMs: number) => void;
  readonly #mayHelp: boolean;
  readonly #now: () => number;
  readonly #computing = new Map<number, Settle>();
  #signal: AbortSignal | undefined;
  #worker: Worker | undefined;
  #isReady = false;
  #issued = 0;
  /** What the worker is asked at the end of this turn. */
  #asked: AskedHandshake[] = [];
  #usedAt = 0;
  /** How long the worker may be idle. */
  #idleMs: number = HANDSHAKE_WORKER.idleMs;
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(
    identity: ServerIdentity,
    {
      waiting,
      onRehearsed = () => {},
      processors = navigator.hardwareConcurrency,
      now = () => performance.now(),
    }: HandshakesOptions,
  ) {
    this.#identity = identity;
    this.#own = new ServerHandshake(identity);
    this.#waiting = waiting;
    this.#onRehearsed = onRehearsed;
    this.#mayHelp = processors > 1;
    this.#now = now;
  }

  /** Whether a worker computes now. */
  get isHelped(): boolean {
    return this.#isReady;
  }

  /** From now on this thread, not the worker, encapsulates so. */
  useEncapsulation(encapsulate: Kem["encapsulate"]): void {
    this.#own = new ServerHandshake(this.#identity, encapsulate);
  }

  /**
   * From now on, until `signal` aborts, a worker helps where many handshakes wait. Where a crowd is expected, it is started
   * ahead, and ends soon where none comes.
   */
  run(signal: AbortSignal, { expectsCrowd = false } = {}): void {
    this.#signal = signal;
    const ahead = expectsCrowd
      ? setTimeout(() => this.#startAhead(), HANDSHAKE_WORKER.aheadAfterMs)
      : undefined;
    signal.addEventListener("abort", () => {
      clearTimeout(ahead);
      this.#dismiss();
    }, { once: true });
  }

  /** As ServerHandshake.receive(). */
  async receive(firstMessage: Uint8Array): Promise<ServerSession> {
    if (this.#worker === undefined) this.#startWhereManyWait();
    const session = this.#isReady ? await this.#askWorker(firstMessage) : undefined;
    // A message that the worker refused is refused here once more, for the text of its error: the cheap refusals come
    // first.
    return session ?? await this.#own.receive(firstMessage);
  }

  #askWorker(firstMessage: Uint8Array): Promise<ServerSession | undefined> {
    return new Promise((settle) => {
      const id = ++this.#issued;
      this.#usedAt = this.#now();
      this.#idleMs = HANDSHAKE_WORKER.idleMs;
      this.#computing.set(id, settle);
      // Those that begin in one turn share a message.
      if (this.#asked.push({ id, first: firstMessage }) === 1) queueMicrotask(() => this.#ask());
    });
  }

  #ask(): void {
    const asked = this.#asked;
    this.#asked = [];
    if (asked.length > 0) this.#post(packAsked(asked));
  }

  #startWhereManyWait(): void {
    if (this.#waiting() >= HANDSHAKE_WORKER.waiting) this.#start({ rehearses: false });
  }

  #startAhead(): void {
    if (this.#worker === undefined) this.#start({ rehearses: true });
  }

  #start({ rehearses }: { readonly rehearses: boolean }): void {
    const { aborted = true } = this.#signal ?? {};
    if (aborted || !this.#mayHelp || !canStartWorker()) return;
    const worker = startWorker(() => new URL("./handshake_worker.ts", import.meta.url));
    this.#worker = worker;
    this.#usedAt = this.#now();
    this.#idleMs = rehearses ? HANDSHAKE_WORKER.aheadIdleMs : HANDSHAKE_WORKER.idleMs;
    worker.onmessage = ({ data }: MessageEvent<FromHandshakeWorker>) => {
      if (worker === this.#worker) this.#take(data);
    };
    worker.onerror = (event) => {
      // Handshakes go on here, and the next crowd tries again.
      event.preventDefault();
      if (worker === this.#worker) this.#dismiss();
    };
    this.#watch = setInterval(() => this.#dismissUseless(), HANDSHAKE_DEADLINE_MS);
    identityToText(this.#identity).then((identity) => this.#post({ identity, rehearses }));
  }

  #post(message: ToHandshakeWorker): void {
    this.#worker?.postMessage(message);
  }

  #take(message: FromHandshakeWorker): void {
    if ("ready" in message) {
      this.#isReady = true;
      if (message.tookMs !== undefined) this.#onRehearsed(message.tookMs);
      return;
    }
    for (const { id, session } of unpackAnswered(message)) {
      this.#computing.get(id)?.(session);
      this.#computing.delete(id);
    }
  }

  /** Ends a worker that is idle, or hangs: then as many handshakes as run at once wait for it, and no other begins. */
  #dismissUseless(): void {
    const isIdle = this.#computing.size === 0;
    const patience = isIdle ? this.#idleMs : HANDSHAKE_DEADLINE_MS;
    if (this.#now() - this.#usedAt >= patience) this.#dismiss();
  }

  #dismiss(): void {
    clearInterval(this.#watch);
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#isReady = false;
    this.#asked = [];
    const left = [...this.#computing.values()];
    this.#computing.clear();
    for (const settle of left) settle(undefined);
  }
}
