// The client's real chat over real sockets and sessions, without a terminal and with a clock that runs fast: what a
// test of many outages needs to be over in seconds.

import { localDisk } from "../../../client/transfers/local_disk.ts";
import { Chat } from "../../../client/chat/chat.ts";
import type { ChatOptions } from "../../../client/chat/chat_options.ts";
import { readTerminal } from "../../../client/app/terminal_input.ts";
import { type Clock, SYSTEM_CLOCK } from "../../../client/base/clock.ts";
import { connect } from "../../../client/net/connection.ts";
import type { Endpoint } from "../../../client/net/endpoint.ts";
import { Output } from "../../../client/output/output.ts";
import { Backoff } from "../../../client/session/reconnect.ts";
import { plainText, type RenderedLine } from "../../../client/render/shown.ts";
import { createJsonRenderer } from "../../../client/render/json.ts";
import { ServerGate } from "../../../client/session/server_gate.ts";
import { SessionV2 } from "../../../client/session/session_v2.ts";
import { Style } from "../../../client/terminal/style.ts";
import { Transfers } from "../../../client/transfers/transfers.ts";
import type { Fingerprint } from "../../../shared/crypto/fingerprint.ts";
import { FakeConsole } from "./chat_fakes.ts";
import { testRsa } from "../peers/v2_peer.ts";
import { startOwnTimer } from "../system/own_time.ts";

/** A clock on which `speed` seconds pass in one. */
export function fastClock(speed: number): Clock {
  return {
    now: () => performance.now() * speed,
    date: () => Date.now() * speed,
    utc: () => new Date().toISOString(),
    wait: (ms, signal) => SYSTEM_CLOCK.wait(ms / speed, signal),
  };
}

/** Tries again at once: 5 to 10 ms after each failure. */
class EagerBackoff extends Backoff {
  override next(): number {
    return 5 + Math.random() * 5;
  }
}

/** Longest attempt to open a session, in time of this process, where a test does not say another. */
const ATTEMPT_MS = 2_000;

/** A line as the JSON renderer prints it. */
export type Line = Readonly<Record<string, unknown>> & { readonly kind: string };

/** How to start one. */
export interface LiveChatOptions {
  /** Asked before each attempt: a port of this machine, or where else. */
  readonly port?: () => number;
  readonly endpoint?: () => Pick<Endpoint, "host" | "port"> & Partial<Endpoint>;
  readonly name: string;
  readonly room?: string;
  readonly token?: string;
  readonly clock?: Clock;
  readonly expected?: Fingerprint;
  readonly backoff?: ChatOptions["backoff"];
  readonly attemptMs?: number;
  /** Where accepted files go; none are taken without it. */
  readonly folder?: string;
  /** What dials in place of one connection to `endpoint`. */
  readonly dialer?: Pick<ChatOptions, "dial" | "move">;
  /** Whether another server may answer unasked, as where TLS says who it is; true unless told. */
  readonly trustsAnyone?: boolean;
  /** Of the sealed room that it enters instead. */
  readonly secret?: Uint8Array;
}

/** A chat that is connected, or is trying to be. */
export class LiveChat implements AsyncDisposable {
  readonly chat: Chat;
  readonly console = new FakeConsole();
  /** All that was shown. */
  readonly lines: Line[] = [];
  /** The end of the chat: its error, where it had one. */
  readonly ended: Promise<unknown>;
  #wake: () => void = () => {};

  constructor(options: LiveChatOptions) {
    const { name, room = "lobby", token, expected, clock = SYSTEM_CLOCK } = options;
    const { port = () => 0, endpoint = () => ({ host: "127.0.0.1", port: port() }) } = options;
    const show = (shown: RenderedLine) => {
      const text = plainText(shown);
      for (const line of text.split("\n")) this.lines.push(JSON.parse(line));
      this.#wake();
    };
    const gate = new ServerGate({
      address: "127.0.0.1",
      token,
      pinned: expected,
      known: undefined,
      isCertified: options.trustsAnyone ?? true,
      isDirect: true,
      tell: () => {},
    });
    this.chat = new Chat({
      place: { name, room },
      async dial(place, signal) {
        const connection = await connect({ tls: undefined, ...endpoint() }, signal);
        // One pair for all: making one takes 100 ms, and no test with this is about its freshness.
        const request = { keyPair: await testRsa(), tls: false, clock, expected: gate.expected };
        const abort = () => connection.close();
        signal.addEventListener("abort", abort);
        const tooLate = startOwnTimer(options.attemptMs ?? ATTEMPT_MS, abort);
        try {
          return await SessionV2.open(connection, {
            ...request,
            introduce: (server) => gate.introduce(server, place),
          });
        } catch (error) {
          connection.close();
          throw error;
        } finally {
          tooLate.stop();
          signal.removeEventListener("abort", abort);
        }
      },
      ...options.dialer,
      console: this.console,
      output: new Output({
        renderer: createJsonRenderer(),
        print: show,
        diagnose: show,
        history: undefined,
        bufferSize: 10,
        clock,
      }),
      style: new Style("none"),
      clock,
      transfers: (parts) =>
        new Transfers({
          answerMs: 1_000,
          ...parts,
          disk: localDisk({ folder: options.folder }),
          acceptAll: options.folder !== undefined,
        }),
      address: { ...endpoint(), tls: false, token },
      quiet: false,
      ...(options.secret === undefined ? {} : { secret: options.secret }),
      trust: (server) => gate.trust(server),
      backoff: options.backoff ?? new EagerBackoff(),
    });
    this.ended = this.chat.run().then(() => undefined, (error: unknown) => error);
  }

  /** What the user types from now on is read. */
  read(): void {
    void readTerminal({ chat: this.chat, downloads: true, clock: SYSTEM_CLOCK });
  }

  /** Chat messages that were shown, in order. */
  get heard(): readonly Line[] {
    return this.lines.filter(({ kind }) => kind === "chat");
  }

  /** Texts of notes and of lines of the server. */
  get notes(): string[] {
    return this.lines.filter(({ kind }) => kind !== "chat").map(({ text }) => String(text));
  }

  /**
   * Resolves when `condition` holds, which is looked at with each line that is shown and every 50 ms; for `ms` in which
   * this process ran.
   */
  readonly until = async (condition: () => boolean, what: string, ms = 10_000): Promise<void> => {
    let isLate = false;
    const patience = startOwnTimer(ms, () => isLate = true);
    try {
      while (!condition()) {
        if (isLate) {
          const last = this.lines.slice(-5).map((line) => JSON.stringify(line)).join("\n");
          throw new Error(`${what} did not come within ${ms} ms; last shown:\n${last}`);
        }
        await this.#news();
      }
    } finally {
      patience.stop();
    }
  };

  /** Resolves with the next line that is shown, or after 50 ms. */
  #news(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 50);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.chat.end();
    await this.ended;
    await this.chat.transfers.dispose();
  }
}
