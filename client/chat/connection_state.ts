// How the connection is, in words: a text for the status line, and one line for each outage and each return.

import { CmdchatError } from "../../shared/base/errors.ts";
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
  /** Called whenever `text` has changed. */
  readonly onChange: () => void;
}

const CLOSED = { message: "The server closed the connection", hint: undefined };

/** The connection of one chat, over as many sessions as it takes. */
export class ConnectionState {
  readonly #options: ConnectionStateOptions;
  #text = "connecting…";
  #everConnected = false;

  constructor(options: ConnectionStateOptions) {
    this.#options = options;
  }

  /** For the status line. */
  get text(): string {
    return this.#text;
  }

  /** A session is open, with these rooms, under this name. */
  opened(name: string, rooms: readonly string[]): void {
    this.#text = "connected";
    const again = this.#everConnected;
    this.#everConnected = true;
    if (again && this.#options.quiet) return;
    const where = rooms.length === 0 ? "" : ` in ${rooms.map((title) => quote(title)).join(", ")}`;
    this.#options.tell({
      state: "connected",
      text: `${again ? "Connected again" : "Connected"} as ${quote(name)}${where}`,
      hint: undefined,
    });
  }

  /** A session ended, or an attempt failed with `error`. */
  down(error: unknown): void {
    const first = this.#text === "connected" || !this.#everConnected;
    this.#set("connection lost");
    // One line for each outage: further attempts show in the status line.
    if (!first || this.#options.quiet) return;
    const { message, hint } = error instanceof CmdchatError ? error : CLOSED;
    this.#options.tell({ state: "lost", text: `${message}; trying again`, hint });
  }

  /** The next attempt comes in so many seconds. */
  waiting(seconds: number): void {
    this.#set(`reconnecting in ${seconds} s…`);
  }

  #set(text: string): void {
    this.#text = text;
    this.#options.onChange();
  }
}
