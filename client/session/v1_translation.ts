// What a v1 server's messages say, as the events that the chat knows; and our requests as v1 messages.

import { decodeBase64, encodeBase64 } from "../../shared/base/base64.ts";
import { ProtocolError } from "../../shared/base/errors.ts";
import type {
  ClientMessage,
  ServerMessage,
  ServerMessageOf,
} from "../../shared/messages/messages_v1.ts";
import type { Event, Request } from "../../shared/messages/messages_v2.ts";
import { isSealedRequest } from "../../shared/messages/sealed_kinds.ts";
import { type Answered, type RequestKind, V1Pending } from "./v1_pending.ts";

type System = ServerMessageOf<"system">;
type Stamp = Pick<System, "client_id" | "timestamp">;

/** Translates for one session. It remembers what we asked, since v1 answers carry no numbers. */
export class V1Translation {
  readonly #client: number;
  readonly #now: () => number;
  readonly #answers = new V1Pending();
  #name: string | undefined;
  readonly #wantedName: string;
  #room: string;
  /** v1 has no numbers for rooms: ours grows with each that we come into. */
  #number = 1;

  /** `now`: ms since 1970, for messages without a time that can be read. */
  constructor(
    self: {
      readonly client: number;
      /** undefined where the server does not tell. */
      readonly name: string | undefined;
      readonly wantedName: string;
      readonly room: string;
    },
    now: () => number,
  ) {
    this.#client = self.client;
    this.#wantedName = self.wantedName;
    this.#name = self.name;
    this.#room = self.room;
    this.#now = now;
  }

  /** Where the handshake brought us. */
  start(): Event {
    return this.#entered(0);
  }

  /** A request as a v1 message; undefined where v1 has none for it. */
  toV1(request: Request): ClientMessage | undefined {
    if (isSealedRequest(request)) return undefined;
    switch (request.kind) {
      case "chat":
        this.#answers.add({ kind: "chat", value: request.text, id: request.id });
        return { type: "chat", message: request.text };
      case "rename":
        this.#answers.add({ kind: "rename", value: request.name, id: request.id });
        return { type: "rename", name: request.name };
      case "join":
        this.#answers.add({ kind: "join", value: request.title, id: request.id });
        return { type: "switch_room", room: request.title };
      case "offer": {
        const { file: file_id, filename, size: filesize, chunks: total_chunks, id } = request;
        this.#answers.add({ kind: "offer", value: file_id, id });
        return { type: "file_init", file_id, filename, filesize, total_chunks };
      }
      case "chunk": {
        const { file: file_id, index: chunk_index, last: is_final } = request;
        const chunk_data = encodeBase64(request.data);
        return { type: "file_chunk", file_id, chunk_index, chunk_data, is_final };
      }
      case "pong":
        return { type: "pong" };
      // The chat does not ask for these where the session is an old one.
      case "hello":
      case "leave":
      case "revise":
      case "react":
      case "moderate":
      case "pin":
      case "bans":
      case "backlog":
      case "invite":
      case "invites":
      case "uninvite":
      case "direct":
      case "topic":
      case "status":
      case "typing":
      case "pull":
      case "part":
      case "receipt":
      case "ask_proof":
      case "proof":
      case "ping":
      case "bye":
      case "moving":
        return undefined;
    }
  }

  /** The events in a message. Throws ProtocolError for a chunk that is not base64. */
  fromV1(message: ServerMessage): Event[] {
    switch (message.type) {
      case "chat":
        return this.#chat(message);
      case "system":
        return this.#system(message);
      case "ping":
        return [{ kind: "ping" }];
      case "file_init": {
        const { file_id: file, filename, filesize: size, total_chunks: chunks } = message;
        const own = message.client_id === this.#client;
        const answered = own ? this.#answers.confirm("offer", file) : undefined;
        const about = { ...this.#about(message), name: message.sender, request: answered?.id ?? 0 };
        const offer = { file, filename, size, chunks, hash: null, to: 0, folder: false };
        return [...dropped(answered), { kind: "offer", ...about, ...offer }];
      }
      case "file_chunk": {
        const { file_id: file, chunk_index: index, is_final: last, chunk_data } = message;
        const data = decodeBase64(chunk_data);
        if (data === undefined) throw new ProtocolError("Cannot read a chunk: it is not base64");
        const about = { ...this.#about(message), name: message.sender };
        return [{ kind: "chunk", ...about, file, index, data, last }];
      }
    }
  }

  #chat(message: ServerMessageOf<"chat">): Event[] {
    const { sender: name, message: text, sequence, room } = message;
    const own = message.client_id === this.#client;
    // v1 servers announce neither name nor room: our echo tells both.
    const place = own ? this.#settle({ name, room }) : [];
    const answered = own ? this.#answers.confirm("chat", text) : undefined;
    const about = { ...this.#about(message), at: 0, name };
    const said = { request: answered?.id ?? 0, sequence, text, action: false, reply: 0 };
    return [...place, ...dropped(answered), { kind: "chat", ...about, ...said }];
  }

  #system(message: System): Event[] {
    const { event, name = "", previous = "", names = [], message: text } = message;
    const about = { ...this.#about(message), at: 0, name };
    switch (event) {
      case "joined": {
        const place = message.client_id === this.#client ? this.#arrive(message) : [];
        return [...place, { kind: "joined", ...about, old: false }];
      }
      case "left":
        return [{ kind: "left", ...about }];
      case "renamed": {
        const answered = message.client_id === this.#client
          ? this.#answers.confirm("rename")
          : undefined;
        if (message.client_id === this.#client) this.#name = name;
        return [{ kind: "renamed", ...about, previous }, ...done(answered)];
      }
      case "names":
        return [{
          kind: "members",
          room: this.#number,
          more: false,
          list: names.map((known) => [0, known, "here", 0, null]),
        }];
      case "refused":
        // Chunks of a file are refused as well, and are no requests.
        return this.#refused(
          text,
          text.startsWith("Cannot send the file") ? ["offer"] : ["chat", "rename", "join"],
        );
      case "stopping":
        return [{ kind: "closing", why: text, retry: true }];
      case "notice":
        return [this.#notice(text)];
      case undefined:
        return [...this.#followWords(message), this.#notice(text)];
    }
  }

  #refused(text: string, kinds: readonly RequestKind[]): Event[] {
    const id = this.#answers.refuse(kinds);
    return id === undefined ? [this.#notice(text)] : [{ kind: "declined", id, why: text }];
  }

  #arrive({ name, room }: System): Event[] {
    return this.#settle({ name: name ?? this.#name, room: room ?? this.#room });
  }

  /** A v1 server says what happened in words only; what is about us answers what we asked. */
  #followWords({ client_id, room, message }: System): Event[] {
    if (client_id !== this.#client) return [];
    const place = room ? this.#settle({ name: this.#name, room }) : [];
    const wanted = this.#answers.oldest("rename");
    if (wanted === undefined || !message.includes(wanted)) return place;
    const answered = this.#answers.confirm("rename");
    return [...place, ...this.#settle({ name: wanted, room: this.#room }), ...done(answered)];
  }

  /** Where and who we are by now; says so where that is new. */
  #settle(place: { readonly name: string | undefined; readonly room: string }): Event[] {
    const { name, room } = place;
    if (name === undefined || (name === this.#name && room === this.#room)) return [];
    const answered = room === this.#room ? undefined : this.#answers.confirm("join");
    if (room !== this.#room) this.#number++;
    this.#name = name;
    this.#room = room;
    return [...dropped(answered), this.#entered(answered?.id ?? 0)];
  }

  #entered(id: number): Event {
    const place = { room: this.#number, title: this.#room, name: this.#name ?? this.#wantedName };
    return { kind: "entered", id, ...place, at: 0, complete: true, topic: "" };
  }

  #notice(text: string): Event {
    return { kind: "notice", room: this.#number, text };
  }

  #about(message: Stamp) {
    const time = Date.parse(message.timestamp ?? "");
    const [room, client] = [this.#number, message.client_id ?? 0];
    return { room, client, time: Number.isNaN(time) ? this.#now() : time };
  }
}

function done(answered: Answered | undefined): Event[] {
  return answered === undefined ? [] : [...dropped(answered), { kind: "done", id: answered.id }];
}

function dropped(answered: Answered | undefined): Event[] {
  const why = "Not delivered: the server dropped it";
  return (answered?.dropped ?? []).map((id) => ({ kind: "declined", id, why }));
}
