// What v1 clients see of events, and what their messages ask for.

import { decodeBase64, encodeBase64 } from "../../shared/base/base64.ts";
import { ProtocolError } from "../../shared/base/errors.ts";
import type {
  ClientMessage,
  ServerMessage,
  ServerMessageOf,
} from "../../shared/messages/messages_v1.ts";
import {
  backlogRule,
  backlogText,
  moderationText,
  pinnedText,
} from "../../shared/messages/moderation_text.ts";
import type { Event, Request } from "../../shared/messages/messages_v2.ts";
import { isSealedEvent } from "../../shared/messages/sealed_kinds.ts";

/** An event of `room` as a v1 message; undefined where v1 has none for it. */
export function toV1(event: Event, room: string): ServerMessage | undefined {
  // No v1 client is in a sealed room.
  if (isSealedEvent(event)) return undefined;
  switch (event.kind) {
    case "chat": {
      const { name: sender, text, sequence } = event;
      // v1 has no word for an action; as a line of the server's it could be made to look like one.
      const message = event.action ? `* ${sender} ${text}` : text;
      return { type: "chat", sender, message, ...stamp(event, room), sequence };
    }
    case "revised": {
      const { name, text } = event;
      return said(
        event,
        room,
        text === null ? `${name} took a message back.` : `${name} edited: ${text}`,
      );
    }
    case "reacted": {
      const { name, emoji, sequence, on } = event;
      return said(
        event,
        room,
        on
          ? `${name} reacted ${emoji} to #${sequence}.`
          : `${name} took ${emoji} back from #${sequence}.`,
      );
    }
    case "moderated":
      return said(event, room, moderationText(event));
    case "pinned":
      return said(event, room, pinnedText(event));
    case "backlog":
      return said(event, room, backlogText(event));
    case "topic":
      return said(event, room, `${event.name} set the topic: ${event.text}`);
    case "status":
      return said(
        event,
        room,
        event.text === null ? `${event.name} is back.` : `${event.name} is away: ${event.text}`,
      );
    case "direct":
      return said(event, room, `${event.name} says to ${event.toName} alone: ${event.text}`);
    case "undelivered":
      return said(event, room, `Not delivered: ${event.name} left before your message.`);
    case "entered":
      return event.topic === ""
        ? undefined
        : note(room, { message: oneLine(`Topic: ${event.topic}`), event: "notice" });
    case "joined":
      return system(event, room, { message: `${event.name} joined the chat.`, event: "joined" });
    case "left":
      return system(event, room, { message: `${event.name} left the chat.`, event: "left" });
    case "renamed": {
      const { name, previous } = event;
      const message = `${previous} is now known as ${name}.`;
      return { ...system(event, room, { message, event: "renamed" }), previous };
    }
    case "offer": {
      const { file: file_id, filename, size: filesize, chunks: total_chunks, name: sender } = event;
      if (filesize === 0) {
        const text = `${sender} offers an empty file, which your program cannot take: ${filename}`;
        return note(room, { message: oneLine(text), event: "notice" });
      }
      const file = { file_id, filename, filesize, total_chunks, sender };
      return { type: "file_init", ...file, ...stamp(event, room) };
    }
    case "chunk": {
      const { file: file_id, index: chunk_index, data, last: is_final, name: sender } = event;
      const chunk = { file_id, chunk_index, chunk_data: encodeBase64(data), is_final, sender };
      return { type: "file_chunk", ...chunk, ...stamp(event, room) };
    }
    case "members": {
      const names = event.list.map(([, name]) => name);
      return note(room, { message: `In this room: ${names.join(", ")}`, event: "names", names });
    }
    case "rules": {
      const parts = [
        ...(event.backlog > 0 ? [backlogRule(event.backlog)] : []),
        ...(event.sequence > 0
          ? [`Pinned, #${event.sequence} of ${event.authorName}: ${event.text}`]
          : []),
      ];
      if (parts.length === 0) return undefined;
      return note(room, { message: oneLine(parts.join(" ")), event: "notice" });
    }
    case "declined":
      return note(room, { message: event.why, event: "refused" });
    case "notice":
      return note(room, { message: event.text, event: "notice" });
    case "closing":
      return note(room, { message: event.why, event: event.retry ? "stopping" : "notice" });
    case "ping":
      return { type: "ping", timestamp: new Date().toISOString() };
    // A v1 client has no sessions to take up, and no answers to wait for.
    case "welcome":
    case "refused":
    case "done":
    case "away":
    case "back":
    case "typing":
    case "bans":
    // It could not tell them from what is said now.
    case "earlier":
    case "invited":
    case "invites":
    case "taken":
    case "pull":
    case "receipt":
    case "proof_asked":
    case "proof":
    case "pong":
    case "servers":
    case "move":
      return undefined;
  }
}

/** What a v1 message of a client in `room` asks for, as request `id`; undefined for notes, which are dropped. */
export function fromV1(
  message: ClientMessage,
  { id, room }: { readonly id: number; readonly room: number },
): Request | undefined {
  switch (message.type) {
    case "chat":
      return { kind: "chat", id, room, text: message.message, action: false, reply: 0 };
    case "rename":
      return { kind: "rename", id, name: message.name };
    case "switch_room":
      return { kind: "join", id, title: message.room };
    case "file_init": {
      const { file_id: file, filename, filesize: size, total_chunks: chunks } = message;
      const all = { to: 0, folder: false };
      return { kind: "offer", id, room, file, filename, size, chunks, hash: null, ...all };
    }
    case "file_chunk": {
      const { file_id: file, chunk_index: index, is_final: last } = message;
      return { kind: "chunk", file, index, data: chunkBytes(message.chunk_data), last };
    }
    case "pong":
      return { kind: "pong" };
    // The server announces joins and leaves itself: a client's own note could pass for its words.
    case "system":
      return undefined;
  }
}

function chunkBytes(text: string): Uint8Array {
  const bytes = decodeBase64(text);
  if (bytes === undefined) {
    throw new ProtocolError("Cannot read the peer's file_chunk: its data is not base64");
  }
  return bytes;
}

interface Stamped {
  readonly client: number;
  readonly time: number;
}

function stamp({ client, time }: Stamped, room: string) {
  return { client_id: client, room, timestamp: new Date(time).toISOString() };
}

// What members wrote never stands at the start of such a line, and never makes a second one.
function said(event: Stamped & { readonly name: string }, room: string, text: string) {
  return system(event, room, { message: oneLine(text), event: "notice" });
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
}

type Line = Pick<ServerMessageOf<"system">, "message" | "event">;

function system(
  event: Stamped & { readonly name: string },
  room: string,
  line: Line,
): ServerMessageOf<"system"> {
  return { type: "system", ...line, ...stamp(event, room), name: event.name };
}

function note(
  room: string,
  line: Line & Pick<ServerMessageOf<"system">, "names">,
): ServerMessageOf<"system"> {
  return { type: "system", ...line, room, timestamp: new Date().toISOString() };
}
