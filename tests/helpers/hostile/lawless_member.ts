// A member of a sealed room, over a real socket, that says whatever bytes a test likes: it comes in as the protocol says,
// keeps up with the group, and finds all that others do sound.

import { SealedGroup } from "../../../client/mls/group.ts";
import { generateSignatureKeys } from "../../../client/mls/cipher_suite.ts";
import {
  type GroupIdentity,
  join,
  type Joining,
  newIdentity,
  readInvitation,
} from "../../../client/mls/joining.ts";
import { encodePayload, type Payload } from "../../../client/mls/payload.ts";
import { attachProofs, deriveRoomKeys } from "../../../client/mls/room_keys.ts";
import type { Event, SealedRequest } from "../../../shared/messages/messages_v2.ts";
import { toHex } from "#platform/bytes.ts";
import { V2Peer } from "../peers/v2_peer.ts";

type Unasked<R> = R extends unknown ? Omit<R, "ask" | "room"> : never;
type InRoom = Unasked<Exclude<SealedRequest, { kind: "sealed_attach" }>>;

/** One of them. */
export class LawlessMember implements AsyncDisposable {
  readonly peer: V2Peer;
  /** Asked for each event before it is handled; false: this member does not. */
  heeds: (event: Event) => boolean = () => true;
  readonly #handleKeys = generateSignatureKeys();
  readonly #identity: GroupIdentity;
  readonly #entered = Promise.withResolvers<void>();
  #queue: Promise<void> = Promise.resolve();
  #joining: Joining | undefined;
  #group: SealedGroup | undefined;
  #room = 0;
  #ask = 0;

  private constructor(peer: V2Peer, secret: Uint8Array, name: string) {
    this.peer = peer;
    const keys = deriveRoomKeys(secret);
    this.#identity = newIdentity({ keys, name, handleKey: this.#handleKeys.publicKey });
  }

  /** Comes in; resolves once it is a member. */
  static async join(
    at: { readonly port: number },
    secret: Uint8Array,
    name: string,
  ): Promise<LawlessMember> {
    const early: Event[] = [];
    let take: (event: Event) => unknown = (event) => early.push(event);
    const peer = await V2Peer.join({
      port: at.port,
      rooms: [],
      hello: { name: "lawless" },
      onEvent: (event) => take(event),
    });
    const member = new LawlessMember(peer, secret, name);
    take = (event) => member.#take(event);
    early.forEach(take);
    const { keys } = member.#identity;
    const proofs = attachProofs(keys, {
      handleKeys: member.#handleKeys,
      challenge: peer.challenge,
    });
    const nothing = { epoch: 0, seq: 0, member: false };
    const ask = ++member.#ask;
    await peer.send({ kind: "sealed_attach", ask, rid: keys.rid, ...proofs, ...nothing });
    await member.#entered.promise;
    return member;
  }

  /** Its group as it is now. */
  get group(): SealedGroup {
    if (this.#group === undefined) throw new Error("it is in no group");
    return this.#group;
  }

  /** Its handle, in hexadecimal. */
  get handle(): string {
    return this.#identity.me.handle;
  }

  /** Sends a request as it is. */
  async send(request: InRoom): Promise<void> {
    const about = { ask: ++this.#ask, room: this.#room };
    await this.peer.send({ ...request, ...about } as unknown as SealedRequest);
  }

  /** Says a payload; `skipped` keys of its own are used up unseen before. */
  async say(payload: Payload, { skipped = 0 } = {}): Promise<void> {
    await this.sayBytes(encodePayload(payload), { skipped });
  }

  /** Says these bytes. */
  async sayBytes(bytes: Uint8Array, { skipped = 0 } = {}): Promise<void> {
    await this.#inTurn(async () => {
      for (let n = 0; n < skipped; n++) await this.group.seal(new Uint8Array());
      const { epoch, body } = await this.group.seal(bytes);
      await this.send({ kind: "sealed_app", epoch, body });
    });
  }

  /** Resolves once all that came has been handled. */
  async settled(): Promise<void> {
    await this.#inTurn(() => Promise.resolve());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer[Symbol.asyncDispose]();
    await this.#queue;
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(step);
    this.#queue = done.catch(() => {}); // Whoever asked for the step gets its error.
    return done;
  }

  #take(event: Event): void {
    if (this.heeds(event)) void this.#inTurn(() => this.#handle(event)).catch(() => {});
  }

  async #handle(event: Event): Promise<void> {
    switch (event.kind) {
      case "sealed_attached":
        this.#room = event.room;
        return await this.send({ kind: "sealed_join", fresh: false });
      case "sealed_group_info": {
        const invitation = readInvitation(this.#identity.keys, event.body);
        this.#joining = await join(this.#identity, invitation);
        const { epoch, body, roster } = this.#joining;
        return await this.send({ kind: "sealed_commit", epoch, body, ...roster });
      }
      case "sealed_conflict":
        if (this.#group === undefined) await this.send({ kind: "sealed_join", fresh: false });
        return;
      case "sealed_frame": {
        const frame = { ...event, from: toHex(event.from) };
        if (this.#group !== undefined) {
          const outcome = await this.#group.receive(frame, () => true);
          if (outcome.kind !== "epoch" || outcome.own) return;
          return await this.send({ kind: "sealed_vote", seq: event.seq, ok: true });
        }
        if (this.#joining === undefined || frame.from !== this.handle) return;
        this.#group = await SealedGroup.joined(this.#joining, event.seq);
        return this.#entered.resolve();
      }
      case "sealed_void":
        return void this.#group?.goBack(event);
      case "sealed_check_please":
        return await this.send({ kind: "sealed_check", question: event.question, ok: true });
      case "sealed_group_info_please": {
        const body = await this.group.groupInfo();
        const { question, epoch } = event;
        return await this.send({ kind: "sealed_group_info", question, epoch, body });
      }
    }
  }
}
