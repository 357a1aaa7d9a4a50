// The chat: who we are and where, what we do there, and what is shown of it. Knows no socket and no terminal.

import { CmdchatError, ConnectionError, LimitError } from "../shared/errors.ts";
import type { Fingerprint } from "../shared/fingerprint.ts";
import {
  MESSAGE_MAX_BYTES,
  RATE_LIMIT_MESSAGES,
  RATE_LIMIT_SECONDS,
  UNSENT_MAX,
} from "../shared/limits.ts";
import type { RequestOf } from "../shared/messages_v2.ts";
import { quote } from "../shared/sanitize.ts";
import type { Clock } from "./clock.ts";
import { handleEvent } from "./handlers.ts";
import { mentions, type Output } from "./output.ts";
import { Pacer } from "./pacer.ts";
import { Backoff, keepConnected } from "./reconnect.ts";
import { safeName, shortLabel } from "./renderers/text.ts";
import { progressText } from "./renderers/transfer_text.ts";
import { type Outcome, Requests } from "./requests.ts";
import { Roster } from "./roster.ts";
import type { Session, Ticket } from "./session.ts";
import type { ChatConsole } from "./terminal/chat_console.ts";
import type { Style } from "./terminal/style.ts";
import type { OfferDraft, TransferEvent, TransferOptions, Transfers } from "./transfers.ts";

/** Who we want to be and where. */
export interface Place {
  readonly name: string;
  readonly room: string;
}

/** Where an attempt goes, and the session it would take up again. */
export interface Destination extends Place {
  readonly ticket: Ticket | undefined;
}

/** Where a server is, as links name it. */
export interface ChatAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly token: string | undefined;
}

/** What a chat is made of. */
export interface ChatOptions {
  readonly place: Place;
  /** Connects and does the handshake. */
  readonly dial: (destination: Destination, signal: AbortSignal) => Promise<Session>;
  readonly console: ChatConsole;
  readonly output: Output;
  readonly style: Style;
  readonly clock: Clock;
  /** Makes the transfers once, over what the chat gives them. */
  readonly transfers: (
    parts: Pick<TransferOptions, "send" | "notify" | "now" | "ownId">,
  ) => Transfers;
  /** Where the server is, for invite links, and the token that it took. */
  readonly address: ChatAddress;
  /** `--quiet-reconnect`: outages show in the status line only. */
  readonly quiet: boolean;
  readonly backoff?: Backoff;
}

// Until the server has told its own.
const DEFAULT_RATE = { messages: RATE_LIMIT_MESSAGES, seconds: RATE_LIMIT_SECONDS };
const encoder = new TextEncoder();

/** One user's chat with one server, over as many sessions as it takes. */
export class Chat {
  readonly output: Output;
  readonly console: ChatConsole;
  readonly transfers: Transfers;
  readonly roster = new Roster();
  readonly requests: Requests;
  /** Rooms we have been in, for Tab. */
  readonly rooms = new Set<string>();
  /** Place of the last event of the room that we have. */
  seen = 0;
  readonly #options: ChatOptions;
  readonly #pacer = new Pacer(DEFAULT_RATE);
  readonly #ending = new AbortController();
  readonly #progress = new Map<number, string>();
  #session: Session | undefined;
  #connected = Promise.withResolvers<void>();
  /** What we ask for at the next handshake. */
  #wanted: Place;
  #name: string;
  #room: string;
  #messageMax = MESSAGE_MAX_BYTES;
  #linkText = "connecting…";
  #everConnected = false;
  #firstSight = true;
  #ticket: Pick<Ticket, "session" | "secret"> | undefined;

  constructor(options: ChatOptions) {
    this.#options = options;
    this.output = options.output;
    this.console = options.console;
    this.#wanted = options.place;
    this.#name = options.place.name;
    this.#room = options.place.room;
    this.requests = new Requests({
      clock: options.clock,
      pacer: this.#pacer,
      onChange: () => this.refreshStatus(),
    });
    this.transfers = options.transfers({
      send: (request) => this.#sendFile(request),
      notify: (event) => this.#showTransfer(event),
      now: () => options.clock.now(),
      ownId: () => this.clientId,
    });
    this.refreshStatus();
  }

  /** Our name in the room, as the server gave it. */
  get name(): string {
    return this.#name;
  }

  /** The room we are in. */
  get room(): string {
    return this.#room;
  }

  /** Our number in this session. */
  get clientId(): number | undefined {
    return this.#session?.welcome.client;
  }

  /** Where the server is. */
  get address(): ChatAddress {
    return this.#options.address;
  }

  /** Who the server is; undefined without a connection, and on v1. */
  get fingerprint(): Fingerprint | undefined {
    return this.#session?.welcome.fingerprint;
  }

  /** Whether a session is open. */
  get connected(): boolean {
    return this.#session !== undefined;
  }

  /** Aborts when the chat is over. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Resolves when a session is open. */
  whenConnected(): Promise<void> {
    return this.#connected.promise;
  }

  /** Keeps a session open until `end` is called. Throws what another attempt cannot mend. */
  run(): Promise<void> {
    return keepConnected({
      open: (signal) => this.#options.dial(this.#destination(), signal),
      serve: (session) => this.#serve(session),
      onDown: (error) => this.#showDown(error),
      onWaiting: (seconds) => this.#showLink(`reconnecting in ${seconds} s…`),
      clock: this.#options.clock,
      backoff: this.#options.backoff ?? new Backoff(),
      signal: this.#ending.signal,
    });
  }

  /** Leaves: says goodbye, closes the session and lets `run` return. */
  end(): void {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    void this.#session?.leave();
    this.requests.end();
  }

  /** The date and time as lines carry it. */
  utc(): string {
    return this.#options.clock.utc();
  }

  /**
   * Says `text` in the room, or keeps it until there is a connection. Throws LimitError before anything is kept;
   * resolves with what became of it.
   */
  say(text: string): Promise<Outcome> {
    const bytes = encoder.encode(text).length;
    if (bytes > this.#messageMax) {
      throw new LimitError(
        `Cannot send the message: it has ${bytes} bytes, at most ${this.#messageMax} are allowed`,
      );
    }
    if (this.requests.unsent >= UNSENT_MAX) {
      throw new LimitError(
        `Cannot take the message: ${UNSENT_MAX} are waiting to be sent, which is the most`,
      );
    }
    return this.requests.add({ kind: "chat", text: text.toWellFormed() });
  }

  /** Asks for another name, which has passed parseName. */
  rename(name: string): Promise<Outcome> {
    this.#wanted = { ...this.#wanted, name };
    if (name === this.#name) return Promise.resolve("confirmed");
    this.#requireSession();
    return this.requests.add({ kind: "rename", name });
  }

  /** Asks for another room, whose name has passed parseRoom. */
  join(room: string): Promise<Outcome> {
    if (room === this.#room) return Promise.resolve("confirmed");
    this.#requireSession();
    this.transfers.roomLeft();
    return this.requests.add({ kind: "move", room });
  }

  /** The server says under which name and in which room we are. */
  settleIn(place: Partial<Place>): void {
    if (place.room !== undefined && place.room !== this.#room) {
      this.#room = place.room;
      this.#wanted = { ...this.#wanted, room: place.room };
      this.roster.clear();
      this.#firstSight = true;
    }
    if (place.name !== undefined) this.#name = place.name;
    this.rooms.add(this.#room);
    this.refreshStatus();
  }

  /** Whether the room's members are news; once for each room that we come into. */
  takeFirstSight(): boolean {
    const first = this.#firstSight;
    this.#firstSight = false;
    return first;
  }

  /** Whether `text` of a member names us. */
  isMention(text: string): boolean {
    return mentions(text, this.#name);
  }

  /** Draws prompt and status line anew. */
  refreshStatus(): void {
    const { style } = this.#options;
    const link = this.connected
      ? style.paint(this.#linkText, "green")
      : style.paint(this.#linkText, "yellow");
    // Names come from the server, and none may push what follows off the row.
    const place = [shortLabel(this.#room), shortLabel(this.#name)];
    const parts = [...place, "server can read", link];
    const { unsent, unanswered } = this.requests;
    if (unsent > 0) parts.push(style.paint(`${unsent} not yet sent`, "yellow"));
    if (unanswered > 0 && !this.connected) {
      parts.push(style.paint(`${unanswered} not confirmed`, "yellow"));
    }
    parts.push(...this.#progress.values());
    this.console.setStatus(parts.join(" · "));
    const prompt = `${safeName(this.#name)}@${safeName(this.#room)}>`;
    this.console.setPrompt(`${style.paint(prompt, "bold")} `);
  }

  #destination(): Destination {
    const ticket = this.#ticket === undefined ? undefined : { ...this.#ticket, at: this.seen };
    return { ...this.#wanted, ticket };
  }

  async #serve(session: Session): Promise<void> {
    try {
      this.#welcome(session);
      for await (const event of session.events()) handleEvent(this, event);
    } finally {
      this.#dropSession();
    }
  }

  #welcome(session: Session): void {
    const { name, room, messageMax, fileMax, rate, at, ticket, resumed } = session.welcome;
    this.#session = session;
    this.#ticket = ticket;
    this.#messageMax = messageMax;
    this.transfers.fileMax = fileMax;
    this.#pacer.rate = rate;
    this.seen = at;
    if (!resumed) {
      this.#pacer.reset();
      this.roster.clear();
      this.#firstSight = true;
    }
    this.settleIn({ name: name ?? this.#wanted.name, room });
    this.roster.add(this.#name);
    this.#linkText = "connected";
    this.#tellWelcome(session);
    this.#everConnected = true;
    this.requests.attach(session);
    this.refreshStatus();
    this.#connected.resolve();
  }

  #tellWelcome({ welcome }: Session): void {
    const { resumed, complete } = welcome;
    if (resumed && !complete) {
      this.output.note("warning", "Some of what happened while the link was down is gone");
    }
    if (this.#everConnected && this.#options.quiet) return;
    const again = this.#everConnected ? "Connected again" : "Connected";
    const as = `as ${quote(this.#name)} in ${quote(this.#room)}`;
    this.#noteLink("connected", `${again} ${as}`);
  }

  #dropSession(): void {
    this.#session = undefined;
    this.#connected = Promise.withResolvers();
    this.requests.detach();
    this.transfers.linkLost();
    this.refreshStatus();
  }

  #showDown(error: unknown): void {
    const first = this.#linkText === "connected" || !this.#everConnected;
    this.#showLink("connection lost");
    // One line an outage: further attempts show in the status line.
    if (!first || this.#options.quiet) return;
    const why = error instanceof CmdchatError ? error.message : "The server closed the connection";
    this.#noteLink(
      "lost",
      `${why}; trying again`,
      error instanceof CmdchatError ? error.hint : undefined,
    );
  }

  #noteLink(state: "connected" | "lost", text: string, hint?: string): void {
    this.output.link({ state, text, hint, name: this.#name, room: this.#room });
  }

  #showLink(text: string): void {
    this.#linkText = text;
    this.refreshStatus();
  }

  #requireSession(): Session {
    if (this.#session !== undefined) return this.#session;
    throw new ConnectionError("Cannot do that: there is no connection to the server");
  }

  async #sendFile(request: OfferDraft | RequestOf<"chunk">): Promise<void> {
    const session = this.#requireSession();
    if (request.kind === "chunk") return await session.send(request);
    // Its answer reaches the transfer as our own offer coming back.
    void this.requests.add(request);
  }

  #showTransfer(event: TransferEvent): void {
    if (event.kind !== "refused") {
      const { file } = event;
      if (event.kind === "progress") this.#progress.set(file.n, progressText(file, event.done));
      else this.#progress.delete(file.n);
      this.refreshStatus();
    }
    this.output.file(event, this.#room);
  }
}
