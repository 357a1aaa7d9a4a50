// Files in a sealed room (docs/PROTOCOL.md §11.9): the room is told of a file, whoever wants it pulls chunks, and the
// chat, which has the file, gives them here to be sealed. Nothing of a file is kept here.

import { fromHex, toHex } from "#platform/bytes.ts";
import { randomBytes } from "../../shared/crypto/random_bytes.ts";
import { nameInSentence } from "../../shared/text/names.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import {
  FILE_MAX_BYTES_CEILING,
  FILE_SERVED_MAX,
  FILE_TRANSFERS_PER_SENDER,
  SEALED_PULL_CHUNKS_MAX,
} from "../../shared/base/limits.ts";
import { FILE_OFFER_MS, FILE_STALLED_MS } from "../base/limits.ts";
import type { GroupMember } from "../mls/commit_rules.ts";
import {
  CHUNK_NAME_BYTES,
  chunkName,
  contentChunks,
  fileKey,
  FileOpener,
  FileSealer,
  GivenChunks,
  namedChunk,
  openedOrNothing,
  openPull,
  sealedChunks,
  sealPull,
  signPull,
} from "./file_seal.ts";
import { decodePayload, type Payload } from "../mls/payload.ts";
import type { RelayEvent, SealedRoomRequest } from "./engine_protocol.ts";
import { type MemberState, newId } from "./member_state.ts";
import type { OwnPayload } from "./own_messages.ts";

type RequestAbout<K extends SealedRoomRequest["kind"]> = Extract<SealedRoomRequest, { kind: K }>;
type FilePayload = Extract<Payload, { kind: "file" }>;
type HandedPayload = Extract<Payload, { kind: "handed" }>;
type ReceiptPayload = Extract<Payload, { kind: "receipt" }>;

/** What nobody asks of for so long is forgotten: an offer that is accepted at the last moment may stall once. */
const FORGOTTEN_MS = FILE_OFFER_MS + FILE_STALLED_MS;

/** One of our files. */
interface Served {
  /** The chat's id of it. */
  readonly file: string;
  readonly id: Uint8Array;
  readonly sealer: FileSealer;
  /** Chunks of the file itself; those behind them are padding. */
  readonly content: number;
  readonly given: GivenChunks;
  /** Chunks of padding that handles wait for. */
  readonly padding: Map<string, number[]>;
  until: number;
}

/** A file of somebody else. */
interface Incoming {
  readonly client: number;
  readonly handle: string;
  readonly file: FilePayload;
  readonly opener: FileOpener;
  readonly content: number;
  /** That it is this member who asks. */
  signature: Uint8Array | undefined;
  /** What was asked for last; undefined if nothing is missing. */
  wanted: { readonly index: number; readonly count: number } | undefined;
  /** False from when its sender's connection was lost, or ours, until chunks are asked for again. */
  reachable: boolean;
  /** Chunks of padding that were asked for. */
  padded: number;
  until: number;
}

/** The files of one member: those it hands out and those it gets. */
export class FileExchange {
  readonly #state: MemberState;
  readonly #served = new Map<string, Served>();
  readonly #incoming = new Map<string, Incoming>();

  constructor(state: MemberState) {
    this.#state = state;
  }

  /** The chat offers a file, of which it gives parts as they are asked for. */
  async offer(
    { request, file, name, size, hash, folder, to }: RequestAbout<"offer">,
  ): Promise<void> {
    if (size < 0 || size > FILE_MAX_BYTES_CEILING) {
      const why = `Cannot send a file of ${size} bytes: 0 to ${FILE_MAX_BYTES_CEILING} are allowed`;
      return this.#state.options.tell({ kind: "declined", request, why });
    }
    const id = newId();
    const only = to === 0 ? undefined : this.#state.people.handleOf(to) ?? "";
    // Of one file alone: one key and nonce never seal two texts, since the chat gives a chunk as it was or not at all.
    const key = randomBytes(32);
    const { keys: { rid }, me } = this.#state.identity;
    const claim = { rid, to: me.handle, id: toHex(id) };
    this.#served.set(claim.id, {
      file,
      id,
      sealer: new FileSealer(key, size),
      content: contentChunks(size),
      given: new GivenChunks(sealedChunks(size), { claim, only }),
      padding: new Map(),
      until: this.#state.options.now() + FORGOTTEN_MS,
    });
    if (this.#served.size > FILE_TRANSFERS_PER_SENDER + FILE_SERVED_MAX) {
      this.#served.delete(this.#served.keys().next().value as string);
    }
    const about = { id, name, size, chunks: sealedChunks(size), hash, key, folder };
    const payload: FilePayload = { kind: "file", ...about };
    // Only who has the key can read the chunks: a member who is not meant gets neither.
    const said: OwnPayload = only === undefined
      ? payload
      : { kind: "hand", id: newId(), to: only, file: payload };
    await this.#state.say(said, request);
  }

  /** A chunk of an own file for those who asked for it; without data it cannot be had any longer. */
  async part({ to, file, index, data }: RequestAbout<"part">): Promise<void> {
    const served = this.#servedAs(file);
    // Forgotten, or not what it was: the chat waits for an answer to each.
    if (served === undefined || data.length === 0) {
      this.#state.options.tell({ kind: "taken", file, index });
      return await this.withdraw({ file });
    }
    const handles = to.map((client) => this.#state.people.handleOf(client) ?? "");
    const chunk = await served.sealer.seal(index, data);
    this.#sendChunk(served, { handles, index, chunk, isTold: true });
    for (const handle of handles) {
      served.given.note(handle);
      await this.#pad(served, handle);
    }
  }

  /** An own file is handed out no longer. */
  async withdraw({ file }: { readonly file: string }): Promise<void> {
    const served = this.#servedAs(file);
    if (served === undefined) return;
    this.#served.delete(toHex(served.id));
    await this.#state.say({ kind: "withdrawn", id: newId(), of: served.id });
  }

  /** A member hands out a file: the chat decides whether to take it. */
  heard(from: GroupMember, file: FilePayload, time: number, to = 0): void {
    const { options, people } = this.#state;
    const { size, name, hash, folder } = file;
    const isSound = size >= 0 && size <= FILE_MAX_BYTES_CEILING &&
      file.chunks === sealedChunks(size);
    if (!isSound) {
      return this.#state.faults.of(from, " offers an impossible file.");
    }
    const id = toHex(file.id);
    const key = fileKey(from.handle, id);
    // Of one sender an id is one file: another announcement does not take the place of the first.
    if (this.#incoming.has(key)) return;
    const ofSender = [...this.#incoming.values()].filter(({ handle }) => handle === from.handle);
    if (ofSender.length >= FILE_TRANSFERS_PER_SENDER) {
      return this.#state.faults.of(from, " offers more files at once than are allowed.");
    }
    const [client, content] = [people.numberOf(from.handle), contentChunks(size)];
    this.#incoming.set(key, {
      client,
      handle: from.handle,
      file,
      opener: new FileOpener(file.key, size),
      content,
      signature: undefined,
      wanted: undefined,
      reachable: true,
      padded: 0,
      until: options.now() + FORGOTTEN_MS,
    });
    const shown = { id, name, size, chunks: content, hash, folder };
    options.tell({ kind: "file", client, name: from.name, time, file: shown, to });
  }

  /** A member hands out a file to one member alone: to us, or to another whose business it is. */
  async handed(
    from: GroupMember,
    { to, enc, sealed }: HandedPayload,
    time: number,
  ): Promise<void> {
    const { group, people, identity } = this.#state;
    const { handle } = identity.me;
    if (toHex(to) !== handle) return;
    const content = await group?.openFrom(from, "file", { enc, ct: sealed });
    const file = content && openedOrNothing(() => decodePayload(content));
    if (file?.kind === "file") return this.heard(from, file, time, people.numberOf(handle));
    this.#state.faults.of(from, " offered you a file that your program cannot read.");
  }

  /** A member hands out a file no longer. */
  withdrawn(from: GroupMember, of: Uint8Array): void {
    this.#end(fileKey(from.handle, toHex(of)));
  }

  /** The chat wants chunks of a file, or with `count` 0 none any longer. */
  pull({ client, file, index, count }: RequestAbout<"pull">): void {
    const key = this.#keyOf(client, file);
    const incoming = this.#incoming.get(key);
    if (incoming === undefined) return;
    incoming.until = this.#state.options.now() + FORGOTTEN_MS;
    // An empty file has no chunk but its padding, which is asked for.
    incoming.wanted = count === 0 && incoming.content > 0 ? undefined : { index, count };
    this.#ask(incoming);
  }

  /** The chat says what becomes of a file of somebody else. */
  async receipt({ client, file, state }: RequestAbout<"receipt">): Promise<void> {
    const handle = this.#state.people.handleOf(client) ?? "";
    this.#incoming.delete(fileKey(handle, file));
    if (handle === "") return;
    const [to, of] = [fromHex(handle), fromHex(file)];
    await this.#state.say({ kind: "receipt", id: newId(), to, of, state });
  }

  /** A member says what becomes of one of our files. */
  receiptHeard(from: GroupMember, { to, of, state }: ReceiptPayload): void {
    const { options, people, identity } = this.#state;
    const served = this.#served.get(toHex(of));
    if (served === undefined || toHex(to) !== identity.me.handle) return;
    const client = people.numberOf(from.handle);
    options.tell({ kind: "receipt", client, name: from.name, file: served.file, state });
  }

  #ask(incoming: Incoming): void {
    const { wanted, content, opener } = incoming;
    if (this.#state.phase !== "in" || wanted === undefined) return;
    const { index, count } = wanted;
    // Padding comes along evenly and before the end, so that the relay cannot tell it from the file.
    const padding = opener.chunks - content;
    const share = content === 0 ? 1 : Math.min(1, (index + count) / content);
    for (const due = Math.floor(padding * share); incoming.padded < due;) {
      const padded = Math.min(due - incoming.padded, SEALED_PULL_CHUNKS_MAX);
      this.#sendPull(incoming, { index: content + incoming.padded, count: padded });
      incoming.padded += padded;
    }
    if (count > 0) this.#sendPull(incoming, wanted);
  }

  #sendPull(
    incoming: Incoming,
    { index, count }: { readonly index: number; readonly count: number },
  ): void {
    const state = this.#state;
    const { file, handle } = incoming;
    const id = toHex(file.id);
    const signature = incoming.signature ??= signPull(state.identity, { to: handle, id });
    state.options.send({
      kind: "sealed_pull",
      ask: state.ask("other"),
      room: state.room,
      to: fromHex(handle),
      chunks: Math.min(count, SEALED_PULL_CHUNKS_MAX),
      body: sealPull(state.identity.keys, { id, index, signature }),
    });
  }

  /** A member pulls chunks of an own file: the chat gives them, and padding goes along. */
  async pulled({ from, chunks, body }: RelayEvent<"sealed_pull">): Promise<void> {
    const state = this.#state;
    const pull = openPull(state.identity.keys, body);
    if (pull === undefined) return;
    const { id, index, signature } = pull;
    const served = this.#served.get(id);
    const handle = toHex(from);
    const member = state.group?.members.find((each) => each.handle === handle);
    if (served === undefined || member === undefined || !served.given.mayHaveMore(handle)) return;
    if (!served.given.isAskedBy(member, signature)) {
      const text = "A request for a part of your file has another's signature: it is not answered.";
      return state.faults.saidToBe(member, text);
    }
    served.until = state.options.now() + FORGOTTEN_MS;
    const end = Math.min(index + chunks, served.sealer.chunks);
    if (index >= served.content) return await this.#waitForPadding(served, handle, { index, end });
    const count = Math.min(end, served.content) - index;
    const client = state.people.numberOf(handle);
    const { file } = served;
    state.options.tell({ kind: "pull", client, name: member.name, file, index, count });
  }

  async #waitForPadding(
    served: Served,
    handle: string,
    { index, end }: { readonly index: number; readonly end: number },
  ): Promise<void> {
    const { padding, sealer, content, given } = served;
    const waiting = padding.get(handle) ?? [];
    for (let at = index; at < end && waiting.length < sealer.chunks; at++) waiting.push(at);
    padding.set(handle, waiting);
    if (content > 0) return;
    // An empty file looks to the relay like any other small one: its one chunk goes out.
    given.note(handle);
    await this.#pad(served, handle);
  }

  /** Two chunks of padding for one of the file: there is an eighth of it at most. */
  async #pad(served: Served, handle: string): Promise<void> {
    for (const index of served.padding.get(handle)?.splice(0, 2) ?? []) {
      const chunk = await served.sealer.seal(index, new Uint8Array());
      this.#sendChunk(served, { handles: [handle], index, chunk, isTold: false });
    }
  }

  #sendChunk(
    { id, file }: Served,
    { handles, index, chunk, isTold }: {
      readonly handles: readonly string[];
      readonly index: number;
      readonly chunk: Uint8Array;
      /** The chat hears when the relay has it. */
      readonly isTold: boolean;
    },
  ): void {
    const state = this.#state;
    state.options.send({
      kind: "sealed_chunk",
      ask: state.ask(isTold ? { file, index } : "other"),
      room: state.room,
      to: handles.map(fromHex),
      body: concatBytes([chunkName(id, index), chunk]),
    });
  }

  /** A chunk that was pulled. */
  async received({ from, body }: RelayEvent<"sealed_chunk">): Promise<void> {
    const named = namedChunk(body);
    if (named === undefined) return;
    const { id, index } = named;
    const incoming = this.#incoming.get(fileKey(toHex(from), id));
    if (incoming === undefined) return;
    try {
      const data = await incoming.opener.open(index, body.subarray(CHUNK_NAME_BYTES));
      const { client, content } = incoming;
      const last = index === content - 1;
      if (index < content) {
        this.#state.options.tell({ kind: "chunk", client, id, index, data, last });
      }
    } catch {
      const { handle, file: { name } } = incoming;
      const who = nameInSentence(this.#state.people.nameOf(handle));
      const text = `A part of ${quote(name)} was changed, by the server or by ${who}'s program.`;
      this.#state.note("danger", text);
      this.#end(fileKey(handle, id));
    }
  }

  /** Nothing more of a file comes: an empty last chunk says so. */
  #end(key: string): void {
    const incoming = this.#incoming.get(key);
    if (incoming === undefined) return;
    this.#incoming.delete(key);
    const { client, file } = incoming;
    const end = { index: 0, data: new Uint8Array(), last: true };
    this.#state.options.tell({ kind: "chunk", client, id: toHex(file.id), ...end });
  }

  /** A connection is lost, of the member with that handle or ours: what was asked for does not come. */
  connectionLost(handle?: string): void {
    for (const incoming of this.#incoming.values()) {
      if (handle === undefined || incoming.handle === handle) incoming.reachable = false;
    }
    for (const { padding } of this.#served.values()) {
      if (handle === undefined) padding.clear();
      else padding.delete(handle);
    }
  }

  /** Lets time pass. */
  tick(now: number): void {
    for (const [id, served] of this.#served) if (now >= served.until) this.#served.delete(id);
    for (const [key, incoming] of this.#incoming) {
      const isHere = this.#state.phase === "in" && this.#state.people.isHere(incoming.handle);
      // That its sender left for good, the room was told.
      if (now >= incoming.until || this.#hasLeft(incoming.handle)) this.#incoming.delete(key);
      else if (!isHere) incoming.reachable = false;
      else if (!incoming.reachable) {
        incoming.reachable = true;
        this.#ask(incoming);
      }
    }
  }

  #hasLeft(handle: string): boolean {
    const { phase, group } = this.#state;
    return phase === "in" && group?.members.some((member) => member.handle === handle) === false;
  }

  #servedAs(file: string): Served | undefined {
    return this.#served.values().find((served) => served.file === file);
  }

  #keyOf(client: number, file: string): string {
    return fileKey(this.#state.people.handleOf(client) ?? "", file);
  }
}
