// A v2 client that is in a sealed room, as far as the relay can tell: its bodies are not really sealed.

import { generateIdentity, type ServerIdentity } from "../../../shared/crypto/identity.ts";
import type {
  Event,
  EventOf,
  RequestOf,
  SealedRequest,
} from "../../../shared/messages/messages_v2.ts";
import { attachInput, handleOf, ridOf } from "../../../shared/messages/attach_proof.ts";
import { bodyOf } from "./sealed_room.ts";
import { V2Peer, type V2PeerOptions } from "./v2_peer.ts";

type Unasked<R> = R extends { readonly ask: number } ? Omit<R, "ask"> : R;

/** What answers a request. */
export type Answer = Extract<Event, { ask: number }>;

/** What a peer signs with. */
export type SigningKey = Pick<ServerIdentity, "publicKey" | "sign">;

/** A key as a link gives it: any Ed25519 key pair is one. */
export function newAttachKey(): Promise<SigningKey> {
  return generateIdentity();
}

/** One client, and what identifies it in its sealed room. */
export class SealedPeer implements AsyncDisposable {
  readonly peer: V2Peer;
  readonly key: SigningKey;
  /** The key of its handle. */
  readonly seat: SigningKey;
  readonly handle: Uint8Array;
  room = 0;
  #ask = 0;

  private constructor(peer: V2Peer, key: SigningKey, seat: SigningKey) {
    this.peer = peer;
    this.key = key;
    this.seat = seat;
    this.handle = handleOf(seat.publicKey);
  }

  /** Connects; `former` comes back over a new link. */
  static async connect(
    options: V2PeerOptions,
    key: SigningKey,
    former?: SealedPeer,
  ): Promise<SealedPeer> {
    const seat = former?.seat ?? await generateIdentity();
    return new SealedPeer(await V2Peer.join(options), key, seat);
  }

  /** Sends a request. Returns its number. */
  async send(request: Unasked<Exclude<SealedRequest, { kind: "sealed_attach" }>>): Promise<number> {
    const ask = ++this.#ask;
    await this.peer.send({ ...request, ask } as SealedRequest);
    return ask;
  }

  /** What `attach` sends. */
  attachment(
    changes: Partial<RequestOf<"sealed_attach">> = {},
  ): RequestOf<"sealed_attach"> {
    const { handle, seat, key: { publicKey: key } } = this;
    const rid = ridOf(key);
    const claim = { rid, handle, challenge: this.peer.challenge };
    return {
      kind: "sealed_attach" as const,
      ask: ++this.#ask,
      rid,
      key,
      proof: this.key.sign(attachInput("link", claim)),
      handleKey: seat.publicKey,
      handleProof: seat.sign(attachInput("handle", claim)),
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
    const request = this.attachment(changes);
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

  /** Commits, and gives the answer. `members`: who is in the group after it. */
  async commit(
    epoch: number,
    text: string,
    members: readonly SealedPeer[],
    locked = false,
  ): Promise<Answer> {
    const handles = members.map(({ handle }) => handle);
    const request = { room: this.room, epoch, members: handles, locked, body: bodyOf(text) };
    return await this.answer(await this.send({ kind: "sealed_commit", ...request }));
  }

  /** Asks for its turn; resolves once `giver` has given the GroupInfo. */
  async takeTurn(giver: SealedPeer, epoch: number): Promise<void> {
    const ask = await this.send({ kind: "sealed_join", room: this.room, fresh: false });
    const { room, question } = await giver.peer.until(
      "sealed_group_info_please",
      (please) => please.epoch === epoch,
    );
    const body = bodyOf("info");
    await giver.send({ kind: "sealed_group_info", room, question, epoch, body });
    await this.answer(ask);
  }

  /** Enters the group of `members`, the first of whom lets it in. */
  async enter(epoch: number, members: readonly [SealedPeer, ...SealedPeer[]]): Promise<Answer> {
    const [giver] = members;
    await this.takeTurn(giver, epoch);
    const entered = this.commit(epoch, `join ${epoch}`, [...members, this]);
    const isOurs = ({ from }: { readonly from: Uint8Array }) => `${from}` === `${this.handle}`;
    const { room, question } = await giver.peer.until("sealed_check_please", isOurs);
    await giver.send({ kind: "sealed_check", room, question, ok: true });
    return await entered;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer[Symbol.asyncDispose]();
  }
}
