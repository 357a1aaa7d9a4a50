// A v2 client that is in a sealed room, as far as the relay can tell: its bodies are not really sealed.

import { generateIdentity, type ServerIdentity, signAs } from "../../../shared/crypto/identity.ts";
import type {
  Event,
  EventOf,
  RequestOf,
  SealedRequest,
} from "../../../shared/messages/messages_v2.ts";
import { attachInput, ridOf } from "../../../shared/messages/attach_proof.ts";
import { bodyOf } from "./sealed_room.ts";
import { V2Peer, type V2PeerOptions } from "./v2_peer.ts";

type Unasked<R> = R extends { readonly ask: number } ? Omit<R, "ask"> : R;

/** What answers a request. */
export type Answer = Extract<Event, { ask: number }>;

/** A key as a link gives it: any Ed25519 key pair is one. */
export function newAttachKey(): Promise<ServerIdentity> {
  return generateIdentity();
}

/** One client, and what identifies it in its sealed room. */
export class SealedPeer implements AsyncDisposable {
  readonly peer: V2Peer;
  readonly key: ServerIdentity;
  readonly handle: Uint8Array;
  readonly owner: Uint8Array;
  room = 0;
  #ask = 0;

  private constructor(peer: V2Peer, key: ServerIdentity, former: SealedPeer | undefined) {
    this.peer = peer;
    this.key = key;
    this.handle = former?.handle ?? crypto.getRandomValues(new Uint8Array(8));
    this.owner = former?.owner ?? crypto.getRandomValues(new Uint8Array(16));
  }

  /** Connects; `former` comes back over a new link. */
  static async connect(
    options: V2PeerOptions,
    key: ServerIdentity,
    former?: SealedPeer,
  ): Promise<SealedPeer> {
    return new SealedPeer(await V2Peer.join(options), key, former);
  }

  /** Sends a request. Returns its number. */
  async send(request: Unasked<Exclude<SealedRequest, { kind: "sealed_attach" }>>): Promise<number> {
    const ask = ++this.#ask;
    const whole = request.kind === "sealed_chunk" ? request : { ...request, ask };
    await this.peer.send(whole as SealedRequest);
    return ask;
  }

  /** What `attach` sends. */
  async attachment(
    changes: Partial<RequestOf<"sealed_attach">> = {},
  ): Promise<RequestOf<"sealed_attach">> {
    const { handle, owner, key: { publicKey: key } } = this;
    const rid = ridOf(key);
    const input = attachInput({ rid, handle, challenge: this.peer.challenge });
    return {
      kind: "sealed_attach" as const,
      ask: ++this.#ask,
      rid,
      key,
      handle,
      owner,
      proof: await signAs(this.key, input),
      member: false,
      epoch: 0,
      seq: 0,
      ...changes,
    };
  }

  /** Attaches, and gives the answer. */
  async attach(
    changes: Partial<RequestOf<"sealed_attach">> = {},
  ): Promise<EventOf<"sealed_attached" | "sealed_none" | "sealed_declined">> {
    const request = await this.attachment(changes);
    await this.peer.send(request);
    const answer = await this.answer(request.ask);
    if (answer.kind === "sealed_attached" || answer.kind === "sealed_none") this.room = answer.room;
    return answer as EventOf<"sealed_attached" | "sealed_none" | "sealed_declined">;
  }

  /** The answer to request `ask`. */
  async answer(ask: number): Promise<Answer> {
    const isAnswer = (event: Event): event is Answer =>
      "ask" in event && event.ask === ask &&
      (event.kind !== "sealed_frame" || `${event.from}` === `${this.handle}`);
    return await this.peer.untilAny(isAnswer);
  }

  /** Makes the group. */
  async create(at: Partial<RequestOf<"sealed_create">> = {}): Promise<void> {
    const start = { room: this.room, epoch: 0, seq: 0, handles: [], ...at };
    await this.answer(await this.send({ kind: "sealed_create", ...start }));
  }

  /** Says something, and gives the answer. */
  async app(epoch: number, text: string, bytes?: number): Promise<Answer> {
    const body = bodyOf(text, bytes);
    return await this.answer(await this.send({ kind: "sealed_app", room: this.room, epoch, body }));
  }

  /** Commits, and gives the answer. */
  async commit(
    epoch: number,
    text = "commit",
    evicts: Uint8Array[] = [],
  ): Promise<Answer> {
    const request = { room: this.room, epoch, evicts, body: bodyOf(text) };
    return await this.answer(await this.send({ kind: "sealed_commit", ...request }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer[Symbol.asyncDispose]();
  }
}
