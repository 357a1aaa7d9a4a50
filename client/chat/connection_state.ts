// How the connection is, in words: a text for the status line, and one line for each outage and each return.

import { CmdchatError, UsageError } from "../../shared/base/errors.ts";
import type { NoteLevel } from "../base/note_level.ts";
import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import { IdentityError } from "../../shared/channel/handshake_error.ts";
import type { ChatOptions } from "./chat_options.ts";
import { quote } from "../../shared/base/sanitize.ts";

/** What is shown of an outage or a return. */
export interface ConnectionNews {
  readonly state: "connected" | "lost";
  readonly text: string;
  readonly hint: string | undefined;
}

/** What the state works with. */
export interface ConnectionStateOptions {
  /** `--quiet-reconnect`: after the first connection, outages show in the status line only. */
  readonly quiet: boolean;
  readonly tell: (news: ConnectionNews) => void;
  /** Another server than before answers: shown in red. */
  readonly warn: (text: string, hint: string) => void;
  /** What may be asked and told about who the server is. */
  readonly about: Pick<
    ChatOptions,
    "trust" | "remember" | "isProven" | "isCompared" | "isUnverified"
  >;
  /** The server of the open session. */
  readonly server: () => Fingerprint | undefined;
  /** Lets the next attempt come at once. */
  readonly wake: () => void;
  /** Whether a silent server is told in a line, since no status line shows it. */
  readonly tellsSilence: boolean;
  readonly note: (level: NoteLevel, text: string) => void;
  /** Called whenever `text` or `silentMs` has changed. */
  readonly onChange: () => void;
}

// Of the first one the user is asked; after a second one the answer must name the server.
const STRANGERS_MAX = 2;
const STRANGER = "another server: /trust or /quit";
const CLOSED = { message: "The server closed the connection", hint: undefined };
const RENEWED = { message: "You ended the connection", hint: undefined };

/** The connection of one chat, over as many sessions as it takes. */
export class ConnectionState {
  readonly #options: ConnectionStateOptions;
  #text = "connecting…";
  #everConnected = false;
  #strangers: readonly Fingerprint[] = [];
  #silentMs: number | undefined;
  #isRenewed = false;

  constructor(options: ConnectionStateOptions) {
    this.#options = options;
  }

  /** For the status line. */
  get text(): string {
    return this.#text;
  }

  /** Whether another server than before answers, and the user has not said yet whether to go on with it. */
  get asksTrust(): boolean {
    return this.#strangers.length > 0;
  }

  /** Whether nobody else can be in the server's place; true without a session. */
  get isProven(): boolean {
    return this.#text !== "connected" || (this.#options.about.isProven?.() ?? true);
  }

  /** Whether the server's fingerprint is the one that was expected. */
  get isCompared(): boolean {
    return this.#options.about.isCompared?.() ?? true;
  }

  /** Whether the certificate of TLS says nothing about who the server is. */
  get isUnverified(): boolean {
    return this.#options.about.isUnverified?.() ?? false;
  }

  /** For how long the server has said nothing although it should have answered; undefined where all is well. */
  get silentMs(): number | undefined {
    return this.#silentMs;
  }

  /** The server says nothing any more, or speaks again: a dead connection shows long before it is given up. */
  silent(ms: number | undefined): void {
    const { tellsSilence, note, onChange } = this.#options;
    const was = this.#silentMs;
    this.#silentMs = ms;
    onChange();
    if (!tellsSilence || (was === undefined) === (ms === undefined)) return;
    if (ms === undefined) return note("info", "The server answers again.");
    note("warning", `The server has not answered for ${Math.floor(ms / 1_000)} s.`);
  }

  /** A session is open, with these rooms, under this name; `isMoved`: the one before goes on in it, which is no news. */
  opened(name: string, rooms: readonly string[], isMoved = false): void {
    this.#text = "connected";
    const again = this.#everConnected;
    this.#everConnected = true;
    this.#strangers = [];
    if (isMoved || again && this.#options.quiet) return;
    const where = rooms.length === 0 ? "" : ` in ${rooms.map((title) => quote(title)).join(", ")}`;
    this.#options.tell({
      state: "connected",
      text: `${again ? "Connected again" : "Connected"} as ${quote(name)}${where}`,
      hint: undefined,
    });
  }

  /** The user ends this connection for a fresh one. */
  renew(): void {
    this.#isRenewed = true;
  }

  /** A session ended, or an attempt failed with `error`. */
  down(error: unknown): void {
    this.#silentMs = undefined;
    const closed = this.#isRenewed ? RENEWED : CLOSED;
    this.#isRenewed = false;
    if (error instanceof IdentityError) return this.#meetStranger(error);
    const first = this.#text === "connected" || !this.#everConnected;
    this.#set(this.#strangers.length > 0 ? STRANGER : "connection lost");
    // One line for each outage: further attempts show in the status line.
    if (!first || this.#options.quiet) return;
    const { message, hint } = error instanceof CmdchatError ? error : closed;
    this.#options.tell({ state: "lost", text: `${message}; trying again`, hint });
  }

  /** The next attempt comes in so many seconds. */
  waiting(seconds: number): void {
    if (this.#strangers.length === 0) this.#set(`reconnecting in ${seconds} s…`);
  }

  /** Remembers the server of this session for other calls; gives it, and the file. Throws UsageError or ConfigError. */
  async remember(): Promise<{ readonly server: Fingerprint; readonly path: string }> {
    const server = this.#options.server();
    const { remember } = this.#options.about;
    if (server === undefined) {
      throw new UsageError("Cannot remember the server: nothing says who it is");
    }
    if (remember === undefined) {
      throw new UsageError("Cannot remember the server: nothing is kept here", {
        hint: "an invite link names the server too",
      });
    }
    const path = await remember(server);
    this.#options.onChange();
    return { server, path };
  }

  /**
   * Goes on with another server than before: with `named`, or the one that was shown; or vouches for the server of the
   * session by its name. Throws UsageError.
   */
  async trust(named: Fingerprint | undefined): Promise<void> {
    const { wake, server, about: { trust } } = this.#options;
    const [shown, other] = this.#strangers;
    if (trust !== undefined && shown === undefined && named !== undefined) {
      if (named !== server()) throw notOurServer(named, server());
      await trust(named);
      return this.#options.onChange();
    }
    if (trust === undefined || shown === undefined) {
      throw new UsageError("Cannot trust another server: no other one has answered");
    }
    if (named === undefined && other !== undefined) {
      throw new UsageError("Cannot tell which server to trust: several have answered", {
        hint: "/trust FINGERPRINT, as the server's admin says it",
      });
    }
    await trust(named ?? shown);
    this.#strangers = [];
    this.#set("connecting…");
    wake();
  }

  #meetStranger({ seen, message }: IdentityError): void {
    this.#set(STRANGER);
    if (this.#strangers.includes(seen) || this.#strangers.length === STRANGERS_MAX) return;
    this.#strangers = [...this.#strangers, seen];
    this.#options.warn(
      `${message}. Nothing is sent; what you type is kept.`,
      "/trust continues with it, /quit leaves. Ask its admin first: either the server was restarted " +
        "without --identity-file, or somebody intercepts the connection.",
    );
  }

  #set(text: string): void {
    this.#text = text;
    this.#options.onChange();
  }
}

function notOurServer(named: Fingerprint, ours: Fingerprint | undefined): UsageError {
  return ours === undefined
    ? new UsageError("Cannot trust a server: there is no connection")
    : new UsageError(`Cannot trust ${named}: this server is ${ours}`, {
      hint: "if its admin names another one, somebody is in between: /quit",
    });
}
