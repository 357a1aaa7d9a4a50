// A member of a sealed room over a real socket: the state machine of the client, with real cryptography, in the test's
// own process.

import { createHash } from "node:crypto";
import { Member } from "../../../client/sealed_engine/member.ts";
import type {
  SealedRoomEvent,
  SealedRoomRequest,
} from "../../../client/sealed_engine/engine_protocol.ts";
import { deriveRoomKeys } from "../../../client/mls/room_keys.ts";
import { FILE_CHUNK_BYTES } from "../../../shared/base/limits.ts";
import { type Event, type SealedRequest } from "../../../shared/messages/messages_v2.ts";
import { isSealedEvent } from "../../../shared/messages/sealed_kinds.ts";
import { handleOf } from "../../../shared/messages/attach_proof.ts";
import { V2Peer } from "./v2_peer.ts";

const WAIT_MS = 60_000;
const TICK_MS = 250;

/** Where a member's relay is. */
export interface RelayAddress {
  readonly port: number;
}

/** One member of one sealed room. */
export class SealedMember implements AsyncDisposable {
  readonly name: string;
  readonly events: SealedRoomEvent[] = [];
  readonly #machine: Member;
  readonly #timer: ReturnType<typeof setInterval>;
  /** What it sends in place of what its machine says. */
  lie: (request: SealedRequest) => SealedRequest = (request) => request;
  #queue: Promise<void> = Promise.resolve();
  #peer: V2Peer | undefined;
  #wake: (() => void)[] = [];
  #lastRequest = 0;
  /** The relay's number of the room. */
  #room = 0;
  #skipped = 0;
  /** Handles of all who were ever in the group while this one was. */
  readonly #handles = new Map<string, Uint8Array>();
  #fault: unknown;
  /** Takes the session up again, as the client does. */
  #ticket: { readonly session: Uint8Array; readonly secret: Uint8Array } | undefined;

  constructor(secret: Uint8Array, name: string) {
    this.name = name;
    this.#machine = new Member({
      keys: deriveRoomKeys(secret),
      name,
      send: (request) => {
        if (request.kind === "sealed_attach") this.#meet([handleOf(request.handleKey)]);
        this.#peer?.send(this.lie(request as SealedRequest)).catch(() => {});
      },
      tell: (event) => {
        this.events.push(event);
        this.#changed();
      },
      now: () => performance.now() + this.#skipped,
      date: () => Date.now(),
    });
    this.#timer = setInterval(() => this.#enqueue((machine) => machine.tick()), TICK_MS);
  }

  /** Comes in: resolves when it is a member that has read everything. */
  static async join(relay: RelayAddress, secret: Uint8Array, name: string): Promise<SealedMember> {
    const member = new SealedMember(secret, name);
    await member.connect(relay);
    await member.isIn();
    return member;
  }

  /** Gets a link. */
  async connect({ port }: RelayAddress): Promise<void> {
    // Until the link is known, what comes over it waits.
    const early: Event[] = [];
    let take = (event: Event) => void early.push(event);
    const peer = await V2Peer.join({
      port,
      rooms: [],
      hello: { name: "sealed", ...this.#ticket },
      onEvent: (event) => take(event),
    });
    this.#peer = peer;
    const { session, secret } = peer.welcome;
    this.#ticket = { session, secret };
    take = (event) => {
      if (event.kind === "sealed_attached" || event.kind === "sealed_none") this.#room = event.room;
      if (event.kind === "sealed_attached") this.#meet(event.members.map(([handle]) => handle));
      if (event.kind === "sealed_here") this.#meet(event.handles);
      if (event.kind === "sealed_frame" && event.type === "commit") this.#meet([event.from]);
      if (this.#peer === peer && isSealedEvent(event)) {
        this.#enqueue((machine) => machine.receive(event));
      }
    };
    early.forEach(take);
    this.#enqueue((machine) => machine.handle({ kind: "online", challenge: peer.challenge }));
  }

  /** Loses the link. */
  async cut(): Promise<void> {
    const peer = this.#peer;
    this.#peer = undefined;
    peer?.cut();
    await peer?.ended;
    this.#enqueue((machine) => machine.handle({ kind: "offline" }));
    await this.#queue;
  }

  /** Lets time pass at once. */
  async skip(milliseconds: number): Promise<void> {
    this.#skipped += milliseconds;
    this.#enqueue((machine) => machine.tick());
    await this.#queue;
  }

  /** Resolves when the link has ended by itself. */
  async ended(): Promise<void> {
    await this.#peer?.ended;
  }

  /** Says something; resolves when it has come back. */
  async say(text: string): Promise<void> {
    const request = this.start(text);
    await this.until(() => this.isAcknowledged(request), `the echo of ${text}`);
  }

  /** Says something. Returns its number. */
  start(text: string): number {
    const request = ++this.#lastRequest;
    this.#enqueue((machine) => machine.handle({ kind: "say", request, text }));
    return request;
  }

  /** Asks for anything; what came of it is among the events. */
  ask(request: SealedRoomRequest): void {
    this.#enqueue((machine) => machine.handle(request));
  }

  /** Number by which this member knows another. */
  numberOf(name: string): number {
    return this.status.people.find((person) => person.name === name)?.client ?? 0;
  }

  /** Sends a commit that leads nowhere. */
  async commitGarbage(): Promise<void> {
    const body = crypto.getRandomValues(new Uint8Array(1_052));
    const { epoch } = this.status;
    await this.#peer?.send({
      kind: "sealed_commit",
      ask: 4_000_000,
      room: this.#room,
      epoch,
      members: [...this.#handles.values()],
      locked: false,
      body,
    });
    const refused = /A change of the room was refused/;
    await this.until(() => this.notes.some((note) => refused.test(note)), "its garbage");
  }

  /** Whether request `request` was answered. */
  isAcknowledged(request: number): boolean {
    return this.events.some((event) => event.kind === "text" && event.request === request);
  }

  /** Hands out a file, as the chat does; resolves when `to` has it. */
  async sendFile(name: string, bytes: Uint8Array, to: SealedMember): Promise<void> {
    const file = `file ${++this.#lastRequest}`;
    const request = this.#lastRequest;
    const hash = new Uint8Array(createHash("sha256").update(bytes).digest());
    const offer = {
      kind: "offer",
      request,
      file,
      name,
      size: bytes.length,
      hash,
      to: 0,
      folder: false,
    } as const;
    this.#enqueue((machine) => machine.handle(offer));
    await to.until(() => to.#offers.length > 0, `the offer of ${name}`);
    const offered = to.#offers.at(-1)!;
    for (let index = 0; index < offered.file.chunks; index++) {
      const wanted = { client: offered.client, file: offered.file.id, index, count: 1 };
      to.#enqueue((machine) => machine.handle({ kind: "pull", ...wanted }));
      const pulled = () =>
        this.events.find((event) =>
          event.kind === "pull" && event.file === file && event.index === index
        );
      await this.until(() => pulled() !== undefined, `chunk ${index} to be pulled`);
      const { client } = pulled() as { readonly client: number };
      const data = bytes.slice(index * FILE_CHUNK_BYTES, (index + 1) * FILE_CHUNK_BYTES);
      this.#enqueue((machine) => machine.handle({ kind: "part", to: [client], file, index, data }));
    }
    const isEnd = (event: SealedRoomEvent) => event.kind === "chunk" && event.last;
    await to.until(() => to.events.some(isEnd), `${name} to be fetched`);
  }

  get #offers() {
    return this.events.filter((event) => event.kind === "file");
  }

  /** Leaves for good. */
  async leave(): Promise<void> {
    this.#enqueue((machine) => machine.handle({ kind: "leave" }));
    await this.until(() => this.status.phase === "out", "leaving");
  }

  get status(): Member["status"] {
    return this.#machine.status;
  }

  /** Texts that were shown, each with who said it. */
  get texts(): string[] {
    return this.events.flatMap((event) =>
      event.kind === "text" ? [`${event.name}: ${event.text}`] : []
    );
  }

  /** What the user was told beside talk. */
  get notes(): string[] {
    return this.events.flatMap((event) =>
      event.kind === "note" ? [`${event.level}: ${event.text}`] : []
    );
  }

  /** Resolves when it is in and has read everything. */
  isIn(): Promise<void> {
    return this.until(() => this.status.phase === "in", "being in");
  }

  /** Resolves when `fits` holds; throws where that takes too long. */
  async until(fits: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + WAIT_MS;
    while (!fits()) {
      if (this.#fault !== undefined) throw this.#fault;
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new Error(`${this.name} waits for ${what}; notes: ${this.notes.join(" | ")}`);
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake.push(resolve);
      const timer = setTimeout(resolve, Math.min(left, TICK_MS));
      await promise;
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.cut();
  }

  #enqueue(step: (machine: Member) => Promise<void>): void {
    this.#queue = this.#queue.then(() => step(this.#machine)).catch((error) => {
      this.#fault = error;
    }).finally(() => this.#changed());
  }

  #meet(handles: readonly Uint8Array[]): void {
    for (const handle of handles) this.#handles.set(`${handle}`, handle);
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** All are in one epoch, with one code and the same members; resolves when it is so. */
export async function agreed(members: readonly SealedMember[]): Promise<void> {
  const [first] = members;
  const isSame = () =>
    members.every(({ status }) =>
      status.phase === "in" && status.code === first?.status.code &&
      status.people.length === members.length
    );
  await first?.until(isSame, "one epoch with one code for all");
}
