// A relay for sealed rooms in one process, as small as it can be and still do what docs/PROTOCOL.md §12 says: one room,
// no time-outs. Tests make it lie. Members run as the state machines of the client.

import { Buffer } from "node:buffer";
import { Member } from "../../../client/sealed_engine/member.ts";
import type { MemberOptions } from "../../../client/sealed_engine/member_state.ts";
import type {
  FromRelay,
  RelayEvent,
  SealedRoomEvent,
  ToRelay,
} from "../../../client/sealed_engine/engine_protocol.ts";
import { handleOf } from "../../../shared/messages/attach_proof.ts";
import { rosterDigest } from "../../../shared/messages/roster_digest.ts";
import type { RoomKeys } from "../../../client/mls/room_keys.ts";
import { testKeys } from "./sealed_group.ts";

type Frame = RelayEvent<"sealed_frame">;

/** Members who are asked for a GroupInfo before one who waits for it is declined. */
const ASKED_AT_MOST = 5;
const CHALLENGE = new Uint8Array(32).fill(3);

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** What the relay knows of a connection. */
export interface Connection {
  handle: string;
  handleBytes: Uint8Array;
  isOnline: boolean;
  isMember: boolean;
  /** Takes what the relay says. */
  readonly inbox: { push(event: FromRelay): unknown };
}

/** Who a member shows that it is, and whom it knows. */
export type PeerOptions = Pick<MemberOptions, "device" | "remembered">;

/** A member, and its connection to the relay. */
export class Peer implements Connection {
  readonly events: SealedRoomEvent[] = [];
  readonly machine: Member;
  readonly relay: TestRelay;
  handle = "";
  handleBytes: Uint8Array = new Uint8Array();
  isOnline = false;
  isMember = false;
  /** What the relay has said and the member has not read. */
  readonly inbox: FromRelay[] = [];
  readonly outbox: ToRelay[] = [];

  constructor(relay: TestRelay, name: string, keys: RoomKeys, more: PeerOptions = {}) {
    this.relay = relay;
    this.machine = new Member({
      ...more,
      keys,
      name,
      send: (request) => void this.outbox.push(request),
      tell: (event) => void this.events.push(event),
      now: () => relay.now,
      date: () => 1_700_000_000_000 + relay.now,
    });
  }

  /** What was told of one kind. */
  told<K extends SealedRoomEvent["kind"]>(kind: K): Extract<SealedRoomEvent, { kind: K }>[] {
    return this.events.filter((event) => event.kind === kind) as Extract<
      SealedRoomEvent,
      { kind: K }
    >[];
  }

  /** Texts that were shown, with who said them. */
  get texts(): string[] {
    return this.told("text").map(({ name, text }) => `${name}: ${text}`);
  }

  /** Connects and lets everything settle. */
  async online(): Promise<void> {
    this.isOnline = true;
    await this.machine.handle({ kind: "online", challenge: CHALLENGE });
    await this.relay.settle();
  }

  /** Loses the link; what was not read is lost. */
  async offline(): Promise<void> {
    this.relay.drop(this);
    this.inbox.length = 0;
    this.outbox.length = 0;
    await this.machine.handle({ kind: "offline" });
    await this.relay.settle();
  }

  /** Says something. */
  async say(text: string, request = ++this.relay.requests): Promise<void> {
    await this.machine.handle({ kind: "say", request, text });
    await this.relay.settle();
  }
}

/** The relay, and the members around it. */
export class TestRelay {
  readonly peers: Peer[] = [];
  readonly connections: Connection[] = [];
  /** Milliseconds; only advance() moves them. */
  now = 0;
  requests = 0;
  epoch: number | undefined;
  seq = 0;
  frames: Frame[] = [];
  /** Changes a frame on its way to one member; undefined = it never arrives. */
  meddle: (frame: Frame, to: Connection) => Frame | undefined = (frame) => frame;
  /** Changes the GroupInfo that a joiner gets. */
  meddleInfo: (body: Uint8Array, to: Connection) => Uint8Array = (body) => body;
  #votes = new Map<number, Map<Connection, boolean>>();
  #voters = new Map<number, Connection[]>();
  #joiners: { readonly peer: Connection; readonly ask: number }[] = [];
  #question = 0;
  /** Whose turn it is to enter: one at a time, or they would race each other without end. */
  #turn: Connection | undefined;
  #askedAt = 0;
  #asked = 0;
  #inVain = 0;

  /** A new member that is not yet connected. */
  peer(name: string, keys: RoomKeys = testKeys(), more: PeerOptions = {}): Peer {
    const peer = new Peer(this, name, keys, more);
    this.peers.push(peer);
    this.connections.push(peer);
    return peer;
  }

  /** A new member that is in. */
  async enter(name: string, more: PeerOptions = {}): Promise<Peer> {
    const peer = this.peer(name, testKeys(), more);
    await peer.online();
    return peer;
  }

  /** Hands messages to and fro until nobody has anything to say. */
  async settle(): Promise<void> {
    for (let round = 0; round < 10_000; round++) {
      let idle = true;
      for (const peer of this.peers) {
        for (const request of peer.outbox.splice(0)) {
          idle = false;
          if (peer.isOnline) this.take(peer, request);
        }
        const event = peer.inbox.shift();
        if (event === undefined) continue;
        idle = false;
        await peer.machine.receive(event);
      }
      if (idle) return;
    }
    throw new Error("the room does not come to rest");
  }

  /** Lets time pass, a second at a time. */
  async advance(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      this.now += 1_000;
      // Whoever was asked may not have the epoch, and whoever has the turn may not use it.
      if (this.#turn !== undefined && this.now - this.#askedAt >= 2_000) {
        this.#turn = undefined;
        if (++this.#inVain >= ASKED_AT_MOST) this.#decline();
        this.#askForInfo();
      }
      for (const peer of this.peers) await peer.machine.tick();
      await this.settle();
    }
  }

  /** Forgets everything, as a restart does; all links break. */
  async restart(): Promise<void> {
    this.epoch = undefined;
    this.seq = 0;
    this.frames = [];
    this.#joiners = [];
    this.#turn = undefined;
    for (const peer of this.peers.filter(({ isOnline }) => isOnline)) {
      this.drop(peer);
      peer.inbox.length = 0;
      peer.outbox.length = 0;
      await peer.machine.handle({ kind: "offline" });
    }
  }

  /** A link breaks. */
  drop(peer: Connection): void {
    peer.isOnline = false;
    this.#joiners = this.#joiners.filter((joiner) => joiner.peer !== peer);
    this.#endTurn(peer);
    this.#tellOthers(peer, { kind: "sealed_gone", room: 1, handle: peer.handleBytes, left: false });
  }

  /** The grace time of those who are gone is over. */
  async evictGone(): Promise<void> {
    const gone = this.connections.filter(({ isOnline, isMember }) => !isOnline && isMember);
    const [asked] = this.#online(true);
    const handles = gone.map(({ handleBytes }) => handleBytes);
    asked?.inbox.push({ kind: "sealed_evict_please", room: 1, handles });
    await this.settle();
  }

  /** Takes a member's request. */
  take(peer: Connection, request: ToRelay): void {
    switch (request.kind) {
      case "sealed_attach":
        return this.#attach(peer, request);
      case "sealed_create":
        return this.#create(peer, request);
      case "sealed_join":
        if (this.epoch === undefined) {
          peer.inbox.push({ kind: "sealed_none", ask: request.ask, room: 1 });
          return;
        }
        if (this.#turn === peer) this.#turn = undefined;
        this.#joiners.push({ peer, ask: request.ask });
        return this.#askForInfo();
      case "sealed_group_info":
        return this.#giveInfo(request);
      case "sealed_commit":
        return this.#commit(peer, request);
      case "sealed_app":
        if (request.epoch < (this.epoch ?? 0) - 1) {
          peer.inbox.push({ kind: "sealed_stale", ask: request.ask, epoch: this.epoch ?? 0 });
          return;
        }
        return this.publish(peer, { type: "app", ...request });
      case "sealed_vote":
        return this.#vote(peer, request);
      case "sealed_check":
        return;
      case "sealed_leave":
        peer.isMember = false;
        this.#tellOthers(peer, {
          kind: "sealed_gone",
          room: 1,
          handle: peer.handleBytes,
          left: true,
        });
        this.#online(true)[0]?.inbox.push({
          kind: "sealed_evict_please",
          room: 1,
          handles: [peer.handleBytes],
        });
        return;
      case "sealed_pull":
      case "sealed_chunk":
        return this.#pass(peer, request);
    }
  }

  /** Orders a frame and hands it out. */
  publish(
    peer: Connection,
    { type, epoch, ask, roster = new Uint8Array(), body }:
      & Pick<Frame, "type" | "epoch" | "ask" | "body">
      & Partial<Pick<Frame, "roster">>,
  ): void {
    const from = peer.handleBytes;
    const frame: Frame = {
      kind: "sealed_frame",
      room: 1,
      seq: ++this.seq,
      type,
      epoch,
      from,
      ask,
      roster,
      body,
      time: 1_700_000_000_000 + this.now,
    };
    this.frames.push(frame);
    for (const to of this.#online()) this.#hand(frame, to);
  }

  #hand(frame: Frame, to: Connection): void {
    const changed = this.meddle(frame, to);
    if (changed !== undefined) to.inbox.push(changed);
  }

  #online(onlyMembers = false): Connection[] {
    return this.connections.filter(({ isOnline, isMember }) =>
      isOnline && (isMember || !onlyMembers)
    );
  }

  #tellOthers(peer: Connection, event: FromRelay): void {
    for (const other of this.#online()) if (other !== peer) other.inbox.push(event);
  }

  #attach(peer: Connection, request: Extract<ToRelay, { kind: "sealed_attach" }>): void {
    const { ask } = request;
    const handle = handleOf(request.handleKey);
    peer.handleBytes = handle;
    peer.handle = hex(handle);
    peer.isMember = request.member;
    this.#tellOthers(peer, { kind: "sealed_back", room: 1, handle });
    if (this.epoch === undefined) {
      return void peer.inbox.push({ kind: "sealed_none", ask, room: 1 });
    }
    const first = this.frames[0]?.seq ?? this.seq + 1;
    const missing = !request.member || request.seq + 1 >= first ? "nothing" : "epochs";
    const members = this.#online().map((each): [Uint8Array, boolean] => [each.handleBytes, true]);
    peer.inbox.push({
      kind: "sealed_attached",
      ask,
      room: 1,
      epoch: this.epoch,
      seq: this.seq,
      missing,
      members,
    });
    if (!request.member || missing === "epochs") return;
    for (const frame of this.frames) if (frame.seq > request.seq) this.#hand(frame, peer);
  }

  #create(
    peer: Connection,
    { ask, epoch, seq }: Extract<ToRelay, { kind: "sealed_create" }>,
  ): void {
    if (this.epoch !== undefined) {
      peer.inbox.push({ kind: "sealed_conflict", ask, epoch: this.epoch, seq: this.seq });
      return;
    }
    [this.epoch, this.seq, peer.isMember] = [epoch, seq, true];
    peer.inbox.push({ kind: "sealed_done", ask });
  }

  #askForInfo(): void {
    const [joiner] = this.#joiners;
    if (this.#turn !== undefined) return;
    const members = this.#online(true).filter((peer) => peer !== joiner?.peer);
    const member = members[this.#asked++ % members.length];
    if (joiner === undefined || member === undefined) return;
    this.#turn = joiner.peer;
    this.#askedAt = this.now;
    member.inbox.push({
      kind: "sealed_group_info_please",
      room: 1,
      question: ++this.#question,
      epoch: this.epoch ?? 0,
    });
  }

  #endTurn(peer: Connection): void {
    if (this.#turn !== peer) return;
    this.#turn = undefined;
    this.#askForInfo();
  }

  /** Nobody has handed out what the first in the queue waits for: the next one, whom that one may help. */
  #decline(): void {
    this.#inVain = 0;
    const joiner = this.#joiners.shift();
    const why = "nobody has answered";
    joiner?.peer.inbox.push({ kind: "sealed_declined", ask: joiner.ask, room: 1, why });
  }

  #giveInfo({ epoch, body }: Extract<ToRelay, { kind: "sealed_group_info" }>): void {
    const joiner = this.#joiners.shift();
    this.#inVain = 0;
    if (joiner === undefined) return;
    const { peer, ask } = joiner;
    peer.inbox.push({ kind: "sealed_group_info", ask, epoch, body: this.meddleInfo(body, peer) });
  }

  #commit(peer: Connection, request: Extract<ToRelay, { kind: "sealed_commit" }>): void {
    const { ask, epoch } = request;
    this.#endTurn(peer);
    if (epoch !== this.epoch) {
      peer.inbox.push({
        kind: "sealed_conflict",
        ask,
        epoch: this.epoch ?? 0,
        seq: this.seq,
      });
      return;
    }
    const voters = this.#online(true).filter((other) => other !== peer);
    this.epoch = epoch + 1;
    peer.isMember = true;
    const members = request.members.map(hex);
    for (const other of this.connections) {
      if (!members.includes(other.handle)) other.isMember = false;
    }
    this.publish(peer, { type: "commit", ...request, roster: rosterDigest(request) });
    this.#voters.set(this.seq, voters);
    this.#votes.set(this.seq, new Map());
  }

  #vote(peer: Connection, { seq, ok }: Extract<ToRelay, { kind: "sealed_vote" }>): void {
    const [votes, voters] = [this.#votes.get(seq), this.#voters.get(seq)];
    if (votes === undefined || voters === undefined) return;
    votes.set(peer, ok);
    const against = [...votes.values()].filter((vote) => !vote).length;
    if (against * 2 <= voters.length) return;
    const frame = this.frames.find((each) => each.seq === seq);
    this.#votes.delete(seq);
    if (frame === undefined) return;
    this.epoch = frame.epoch;
    this.frames = this.frames.filter((each) => each.seq < seq);
    const { epoch } = frame;
    for (const to of this.#online()) {
      to.inbox.push({ kind: "sealed_void", room: 1, seq, epoch, last: this.seq });
    }
  }

  #pass(
    peer: Connection,
    request: Extract<ToRelay, { kind: "sealed_pull" | "sealed_chunk" }>,
  ): void {
    const handles = [request.to].flat().map(hex);
    const from = peer.handleBytes;
    for (const { inbox } of this.#online().filter(({ handle }) => handles.includes(handle))) {
      const { body } = request;
      if (request.kind === "sealed_chunk") {
        inbox.push({ kind: "sealed_chunk", room: 1, from, body });
      } else inbox.push({ kind: "sealed_pull", room: 1, from, chunks: request.chunks, body });
    }
    peer.inbox.push({ kind: "sealed_done", ask: request.ask });
  }
}
