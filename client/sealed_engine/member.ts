// A member of a sealed room as a state machine: what the relay says and what the user wants go in, requests to the
// relay and news for the chat come out (docs/PROTOCOL.md §11.4). It knows no socket, no screen and no timer of its
// own. Calls must not overlap.

import { toHex } from "#platform/bytes.ts";
import { TOPIC_MAX_BYTES } from "../../shared/base/limits.ts";
import type { OwnPayload } from "./own_messages.ts";
import type { FromRelay, RelayEvent, SealedRoomRequest, SealStatus } from "./engine_protocol.ts";
import { PendingChanges } from "./pending_changes.ts";
import { type MemberOptions, MemberState, newId } from "./member_state.ts";
import { Entry } from "./entry.ts";
import { FileExchange } from "./file_exchange.ts";
import { FrameHandler } from "./frame_handler.ts";
import { MemberMessages } from "./member_messages.ts";
import { GuestCount } from "./warnings.ts";

type Said = Extract<
  SealedRoomRequest,
  { kind: "say" | "whisper" | "revise" | "react" | "topic" | "pin" }
>;

const UNKNOWN_TEXT = "Not sent: this client does not know that message any more.";
const MUST_SAY: ReadonlySet<Said["kind"]> = new Set(["say", "whisper", "revise"]);

/** One member of one sealed room. */
export class Member {
  readonly #state: MemberState;
  readonly #entry: Entry;
  readonly #frames: FrameHandler;
  readonly #files: FileExchange;
  readonly #changes: PendingChanges;
  readonly #messages: MemberMessages;
  readonly #guests: GuestCount;

  constructor(options: MemberOptions) {
    this.#state = new MemberState(options);
    this.#changes = new PendingChanges(this.#state);
    this.#entry = new Entry(this.#state, this.#changes);
    this.#files = new FileExchange(this.#state);
    this.#messages = new MemberMessages(this.#state);
    this.#guests = new GuestCount(this.#state);
    const parts = {
      entry: this.#entry,
      files: this.#files,
      changes: this.#changes,
      messages: this.#messages,
    };
    this.#frames = new FrameHandler(this.#state, parts);
  }

  /** How the room is. */
  get status(): SealStatus {
    return this.#state.status;
  }

  /** Does what the user wants. */
  async handle(request: SealedRoomRequest): Promise<void> {
    const state = this.#state;
    switch (request.kind) {
      case "online":
        return this.#entry.attach(request.challenge);
      case "offline":
        this.#files.connectionLost();
        return this.#entry.detach();
      case "say":
      case "whisper":
      case "revise":
      case "react":
      case "pin":
      case "topic":
        return await this.#say(request);
      case "typing":
        return await state.sayNow({ kind: "typing", id: newId() });
      case "accept":
        state.people.accept(request.name, request);
        return state.showStatus();
      case "remember":
        state.people.remember(request.people);
        return state.showStatus();
      case "move":
        return await state.say(
          { kind: "move", id: newId(), secret: request.secret },
          request.request,
        );
      case "offer":
        return await this.#offer(request);
      case "part":
        return await this.#files.part(request);
      case "withdraw":
        return await this.#files.withdraw(request);
      case "pull":
        return this.#files.pull(request);
      case "receipt":
        return await this.#files.receipt(request);
      case "renew":
        return await state.commit();
      case "kick": {
        const { whom, reason } = request;
        const handle = state.people.handleOf(whom) ?? "";
        return await this.#changes.want({ kind: "kick", handle, reason }, request.request);
      }
      case "lock":
        return await this.#changes.want(
          { kind: "lock", locked: request.locked },
          request.request,
        );
      case "op": {
        const handle = state.people.handleOf(request.whom) ?? "";
        const change = { kind: "op", handle, isOp: request.isOp } as const;
        return await this.#changes.want(change, request.request);
      }
      case "rename":
        return await this.#changes.want({ kind: "name", name: request.name }, request.request);
      case "flush":
        return state.options.tell({ kind: "flushed" });
      case "leave":
        return await this.#leave();
    }
  }

  async #offer(offer: Extract<SealedRoomRequest, { kind: "offer" }>): Promise<void> {
    const why = this.#state.objectionOfKeys(offer.to === 0 ? undefined : offer.to);
    if (why === undefined) return await this.#files.offer(offer);
    this.#state.options.tell({ kind: "declined", request: offer.request, why });
  }

  async #say(said: Said): Promise<void> {
    const { options } = this.#state;
    const { request } = said;
    const objection = this.#state.objectionOfKeys(said.kind === "whisper" ? said.to : undefined);
    const payload = objection ?? this.#payloadOf(said);
    if (typeof payload !== "string") return await this.#state.say(payload, request);
    options.tell({ kind: "declined", request, why: payload });
  }

  /** What is to be said, or why it cannot be. */
  #payloadOf(said: Said): OwnPayload | string {
    const id = newId();
    const isEmpty = "text" in said && said.text === "" && MUST_SAY.has(said.kind);
    if (isEmpty) return "Not sent: it is empty.";
    switch (said.kind) {
      case "say": {
        const { text, action = false, reply: sequence = 0 } = said;
        const reply = sequence === 0 ? null : this.#messages.idAt(sequence);
        return reply === undefined ? UNKNOWN_TEXT : { kind: "text", id, text, action, reply };
      }
      case "whisper":
        return {
          kind: "whisper",
          id,
          to: this.#state.people.handleOf(said.to) ?? "",
          text: said.text,
        };
      case "topic": {
        const bytes = new TextEncoder().encode(said.text).length;
        return bytes > TOPIC_MAX_BYTES
          ? `Not sent: the topic has ${bytes} bytes, at most ${TOPIC_MAX_BYTES} are allowed.`
          : { kind: "topic", id, text: said.text };
      }
      case "revise": {
        const of = this.#messages.ownId(said.sequence);
        return of === undefined
          ? "Not changed: this client does not know that message as yours any more."
          : { kind: "revise", id, of, text: said.text };
      }
      case "pin": {
        const pin = this.#messages.pinOf(said);
        return typeof pin === "string" ? pin : { kind: "pin", id, pin };
      }
      case "react": {
        const of = this.#messages.idAt(said.sequence);
        return of === undefined
          ? UNKNOWN_TEXT
          : { kind: "react", id, of, emoji: said.emoji, on: said.on };
      }
    }
  }

  async #leave(): Promise<void> {
    const state = this.#state;
    if (state.phase === "in") {
      await state.say({ kind: "leaving", id: newId() });
      state.options.send({ kind: "sealed_leave", ask: state.ask("other"), room: state.room });
    }
    this.#entry.detach();
    state.moveTo("out");
    state.showStatus();
  }

  /** Takes what the relay says. */
  async receive(event: FromRelay): Promise<void> {
    switch (event.kind) {
      case "sealed_attached":
        return await this.#entry.attached(event);
      case "sealed_none":
        return this.#entry.none(event);
      case "sealed_done":
        return await this.#done(event);
      case "sealed_declined":
        return this.#declined(event);
      case "sealed_conflict":
        return await this.#conflict(event);
      case "sealed_stale":
        return await this.#stale(event);
      case "sealed_group_info":
        return await this.#entry.enter(event);
      case "sealed_group_info_please":
        return await this.#giveGroupInfo(event);
      case "sealed_frame":
        return await this.#frames.frame(event);
      case "sealed_void":
        return await this.#frames.void(event);
      case "sealed_gone":
        return this.#gone(event);
      case "sealed_back":
        return this.#setHere(event.handle, true);
      case "sealed_evict_please":
        return await this.#changes.evict(event.handles.map(toHex));
      case "sealed_pull":
        return this.#files.pulled(event);
      case "sealed_chunk":
        return await this.#files.received(event);
      case "sealed_check_please":
        return await this.#judge(event);
      case "sealed_here":
        return this.#state.people.replaceHere(event.handles.map(toHex));
      case "sealed_guests":
        return this.#guests.counted(event.count);
    }
  }

  /** Lets time pass; to be called about once a second. */
  async tick(): Promise<void> {
    const now = this.#state.options.now();
    this.#state.tick(now);
    this.#entry.tick(now);
    this.#files.tick(now);
    this.#guests.tick(now);
    await this.#frames.tick(now);
  }

  async #done({ ask }: RelayEvent<"sealed_done">): Promise<void> {
    const purpose = this.#state.answered(ask);
    if (purpose === "create" || purpose === "bring back") {
      await this.#entry.created(purpose === "bring back");
    } else if (typeof purpose === "object" && "file" in purpose) {
      this.#state.options.tell({ kind: "taken", ...purpose });
    }
  }

  #declined({ ask, why }: RelayEvent<"sealed_declined">): void {
    const state = this.#state;
    const purpose = state.answered(ask);
    if (ask === 0 || purpose === "attach") return this.#entry.keptOut(why);
    switch (purpose) {
      case "create":
      case "bring back":
      case "join":
      case "enter":
        return this.#entry.retryLater(why);
      case "commit":
        return state.abandonCommit();
      case "other":
      case undefined:
        return;
      default: {
        // The chat waits for an answer to each.
        if ("file" in purpose) return state.options.tell({ kind: "taken", ...purpose });
        const message = state.own.decline(purpose.app);
        if (message === undefined) return;
        state.options.tell({ kind: "declined", request: message.request, why });
      }
    }
  }

  async #conflict(event: RelayEvent<"sealed_conflict">): Promise<void> {
    const purpose = this.#state.answered(event.ask);
    if (purpose === "commit") {
      this.#state.abandonCommit();
      this.#frames.heardOfEpoch(event.epoch);
    }
    if (purpose === "enter") this.#entry.enterAgain();
    if (purpose === "create" || purpose === "bring back") await this.#entry.createConflict(event);
  }

  async #stale({ ask, epoch }: RelayEvent<"sealed_stale">): Promise<void> {
    const state = this.#state;
    const purpose = state.answered(ask);
    if (typeof purpose !== "object" || "file" in purpose) return;
    state.own.retry(purpose.app);
    // Sealed again in the same epoch it would be stale again.
    if (epoch === state.group?.epoch) return await state.flush();
    this.#frames.heardOfEpoch(epoch);
  }

  async #giveGroupInfo(event: RelayEvent<"sealed_group_info_please">): Promise<void> {
    const state = this.#state;
    // Also while we are coming back ourselves: if all are, somebody has to be the first.
    if (state.phase === "out" || state.group?.epoch !== event.epoch) return;
    state.options.send({
      kind: "sealed_group_info",
      ask: state.ask("other"),
      room: state.room,
      question: event.question,
      epoch: event.epoch,
      body: await state.group.groupInfo(),
    });
  }

  async #judge(event: RelayEvent<"sealed_check_please">): Promise<void> {
    const state = this.#state;
    const commit = { ...event, from: toHex(event.from) };
    const ok = await state.group?.judges(commit, (handle) => state.mayRemove(handle));
    // Whoever cannot judge it says nothing: a no lets the newcomer go.
    if (ok === undefined) return;
    state.options.send({
      kind: "sealed_check",
      ask: state.ask("other"),
      room: state.room,
      question: event.question,
      ok,
    });
  }

  #gone({ handle, left }: RelayEvent<"sealed_gone">): void {
    // A member that left for good is removed in a moment, and the removal says so.
    if (left) this.#state.people.setHere(toHex(handle), false);
    else this.#setHere(handle, false);
  }

  #setHere(bytes: Uint8Array, here: boolean): void {
    const { people, group, options } = this.#state;
    const handle = toHex(bytes);
    if (here) this.#changes.keep(handle);
    if (!people.setHere(handle, here)) return;
    this.#files.connectionLost(handle);
    const member = group?.members.find((each) => each.handle === handle);
    // Of a connection that is no member nothing is shown: the relay alone says so.
    if (member === undefined) return;
    const client = people.numberOf(handle);
    options.tell({ kind: here ? "back" : "away", client, name: member.name });
    this.#state.showStatus();
  }
}
