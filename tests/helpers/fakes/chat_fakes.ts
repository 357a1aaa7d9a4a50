// A chat without network, terminal and time: what a test needs to tell its story.
import { localDisk } from "../../../client/transfers/local_disk.ts";
import { Chat } from "../../../client/chat/chat.ts";
import type { ChatOptions } from "../../../client/chat/chat_options.ts";
import type { Session, SessionDestination, Welcome } from "../../../client/session/session.ts";
import type { Clock } from "../../../client/base/clock.ts";
import { requirePlain, type WithAnyIds } from "../../../client/base/local_ids.ts";
import type { HistoryEntry } from "../../../client/history/history_entry.ts";
import { Output } from "../../../client/output/output.ts";
import { Backoff } from "../../../client/session/reconnect.ts";
import { plainText } from "../../../client/render/shown.ts";
import { createMinimalRenderer } from "../../../client/render/minimal.ts";
import type { ChatConsole, UserEvent } from "../../../client/console/console.ts";
import type { RoomChoice } from "../../../client/editing/key_bindings.ts";
import type { Alert } from "../../../client/terminal/terminal.ts";
import { EventQueue } from "../../../client/console/event_queue.ts";
import { type StatusText, wholeStatus } from "../../../client/console/status_fit.ts";
import { Style } from "../../../client/terminal/style.ts";
import { Transfers } from "../../../client/transfers/transfers.ts";
import type { Event, EventOf, Request } from "../../../shared/messages/messages_v2.ts";

/** When every test begins: 2026-11-23T18:00:00Z. */
export const START = Date.UTC(2026, 10, 23, 18);

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = 0;
  #waiting: { at: number; done: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  date(): number {
    return START + this.#now;
  }

  utc(): string {
    return new Date(this.date()).toISOString();
  }

  wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((done) => {
      this.#waiting.push({ at: this.#now + milliseconds, done });
      signal?.addEventListener("abort", () => done());
    });
  }

  /** Lets time pass and everything run that waited for it. */
  async pass(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
    const due = this.#waiting.filter(({ at }) => at <= this.#now);
    this.#waiting = this.#waiting.filter(({ at }) => at > this.#now);
    for (const { done } of due) done();
    await turns();
  }
}

/** Lets all that is ready run. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise<void>((resolve) => runSoon(resolve));
}

function runSoon(run: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    run();
  };
  port2.postMessage(undefined);
}

/** A console that remembers. */
export class FakeConsole implements ChatConsole {
  readonly printed: string[] = [];
  readonly alerts: Alert[] = [];
  live: readonly string[] = [];
  status = "";
  prompt = "";
  input = "";
  cleared = 0;
  closed = false;
  readonly #events = new EventQueue<UserEvent>();

  get events(): AsyncIterable<UserEvent> {
    return this.#events;
  }

  /** The user enters these lines. */
  async enter(...lines: string[]): Promise<void> {
    for (const text of lines) this.#events.push({ kind: "line", text });
    await turns();
  }

  /** The user wants out. */
  async press(kind: "interrupt" | "end"): Promise<void> {
    this.#events.push({ kind });
    await turns();
  }

  /** The user presses Alt and a digit. */
  async pressRoom(n: RoomChoice): Promise<void> {
    this.#events.push({ kind: "room", n });
    await turns();
  }

  print(text: string): void {
    this.printed.push(text);
  }

  setStatus(status: StatusText): void {
    this.status = wholeStatus(status);
  }

  setLive(rows: readonly string[]): void {
    this.live = rows;
  }

  alert(alert: Alert): void {
    this.alerts.push(alert);
  }

  setPrompt(text: string): void {
    this.prompt = text;
  }

  setInput(text: string): void {
    this.input = text;
  }

  clear(): void {
    this.cleared++;
  }

  ask(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  close(): Promise<void> {
    this.closed = true;
    this.#events.close();
    return Promise.resolve();
  }
}

/** A session whose other end is the test. */
export class FakeSession implements Session {
  readonly welcome: Welcome;
  readonly sent: Request[] = [];
  roundTripMs: number | undefined;
  silentMs: number | undefined;
  nudged = 0;
  woken = 0;
  onSilence: () => void = () => {};
  closed = false;
  left = false;
  readonly #events = new EventQueue<Event>();
  #fault: unknown;

  /** `entered`: where it brings us, for each room; the lobby unless told. */
  constructor(welcome: Partial<Welcome> = {}, ...entered: Partial<EventOf<"entered">>[]) {
    const places = entered.length === 0 && welcome.rooms !== 0 ? [{}] : entered;
    this.welcome = { ...WELCOME, rooms: places.length, ...welcome };
    for (const place of places) this.#events.push(enteredOf(place));
  }

  /** The number of the last request. */
  get lastId(): number {
    return this.sent.reduce((last, request) => "id" in request ? request.id : last, 0);
  }

  send(request: WithAnyIds<Request>): Promise<void> {
    this.sent.push(requirePlain(request));
    return Promise.resolve();
  }

  async *events(): AsyncGenerator<Event, void> {
    yield* this.#events;
    if (this.#fault !== undefined) throw this.#fault;
  }

  nudge(): void {
    this.nudged++;
  }

  wake(): void {
    this.woken++;
  }

  /** The server says nothing any more, or speaks again. */
  silence(ms: number | undefined): void {
    this.silentMs = ms;
    this.onSilence();
  }

  leave(): Promise<void> {
    this.left = true;
    this.close();
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
    this.#events.close();
  }

  /** The server sends this. */
  async deliver(...events: Event[]): Promise<void> {
    for (const event of events) this.#events.push(event);
    await turns();
  }

  /** The server says our last message, or another one of ours, to the room. */
  async echo(text: string, fields: Partial<EventOf<"chat">> = {}): Promise<void> {
    await this.deliver(eventOf("chat", { text, request: this.lastId, sequence: 1, ...fields }));
  }

  /** The link ends, with an error or without. */
  async drop(error?: unknown): Promise<void> {
    this.#fault = error;
    this.#events.close();
    await turns();
  }
}

const WELCOME: Welcome = {
  client: 7,
  rooms: 1,
  isV1: false,
  messageMax: 4_096,
  fileMax: 10_485_760,
  rate: undefined,
  resumed: false,
  holdSeconds: 0,
  ticket: undefined,
  fingerprint: undefined,
};

/** The number that the first room has in tests. */
export const LOBBY = 3;

/** An event about ourselves in the lobby, unless told, without a place in the room's order. */
export function eventOf<K extends Event["kind"]>(
  kind: K,
  fields: Partial<EventOf<K>> = {},
): Event {
  const about = { at: 0, room: LOBBY, client: 7, name: "alice", time: START };
  return { kind, ...about, action: false, reply: 0, ...fields } as Event;
}

/** We are in a room, in the lobby unless told. */
export function enteredOf(fields: Partial<EventOf<"entered">> = {}): Event {
  const place = { room: LOBBY, title: "lobby", name: "alice", at: 0 };
  return { kind: "entered", id: 0, ...place, complete: true, topic: "", ...fields };
}

/** These are in the room. */
export function membersOf(...names: string[]): Event {
  return {
    kind: "members",
    room: LOBBY,
    more: false,
    list: names.map((name, index) => [index, name, "here", 0, null]),
  };
}

/** A chat with all its surroundings. */
export interface FakeChat {
  readonly chat: Chat;
  readonly console: FakeConsole;
  readonly clock: ManualClock;
  readonly history: HistoryEntry[];
  /** Sessions that the next attempts give; an Error is thrown. */
  readonly attempts: (Session | Error)[];
  /** What the attempts asked for. */
  readonly asked: SessionDestination[];
  /** The end of `chat.run()`: its error, if it had one. */
  readonly ended: Promise<unknown>;
}

/** Starts a chat over `attempts`; where they run out, an attempt never ends. */
export async function startChat(
  attempts: (Session | Error)[],
  options: Partial<ChatOptions> = {},
): Promise<FakeChat> {
  const [console, clock] = [new FakeConsole(), new ManualClock()];
  const history: HistoryEntry[] = [];
  const asked: SessionDestination[] = [];
  const output = new Output({
    renderer: createMinimalRenderer(),
    print: (shown) => console.print(plainText(shown)),
    diagnose: (shown) => console.print(plainText(shown)),
    history: { append: (entry) => Promise.resolve(void history.push(entry)) },
    bufferSize: 10,
    clock,
  });
  const chat = new Chat({
    place: { name: "alice", room: "lobby" },
    dial(place, signal) {
      asked.push(place);
      const next = attempts.shift();
      if (next instanceof Error) return Promise.reject(next);
      if (next !== undefined) return Promise.resolve(next);
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      );
    },
    console,
    output,
    style: new Style("none"),
    clock,
    transfers: (parts) =>
      new Transfers({ ...parts, disk: localDisk({ folder: "nowhere" }), answerMs: 60_000 }),
    address: { host: "127.0.0.1", port: 5050, tls: false, token: undefined },
    quiet: false,
    backoff: new Backoff(() => 0),
    ...options,
  });
  const ended = chat.run().then(() => undefined, (error) => error);
  await turns();
  return { chat, console, clock, history, attempts, asked, ended };
}
