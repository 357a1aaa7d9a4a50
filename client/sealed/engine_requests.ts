// What the chat asks for in a sealed room, in the words of the engine that seals.

import type { AnyClientId, WithAnyIds } from "../base/local_ids.ts";
import type { Request } from "../../shared/messages/messages_v2.ts";
import type { LinkMove } from "../session/request_ledger.ts";
import type { SealedRoomRequest } from "../sealed_engine/engine_protocol.ts";

/** What the engine is asked for; undefined where a sealed room has nothing of the kind. `numberOf`: its number of a client. */
export function toEngine(
  request: WithAnyIds<Request> | LinkMove,
  numberOf: (client: AnyClientId) => number,
): SealedRoomRequest | undefined {
  switch (request.kind) {
    case "chat": {
      const { id, text, action, reply } = request;
      return { kind: "say", request: id, text, action, reply };
    }
    case "direct": {
      const { id, to, text } = request;
      return { kind: "whisper", request: id, to: numberOf(to), text };
    }
    case "revise": {
      const { id, sequence, text } = request;
      return { kind: "revise", request: id, sequence, text };
    }
    case "react": {
      const { id, sequence, emoji, on } = request;
      return { kind: "react", request: id, sequence, emoji, on };
    }
    case "topic":
      return { kind: "topic", request: request.id, text: request.text };
    case "pin": {
      const { id, sequence, authorName, text } = request;
      return { kind: "pin", request: id, sequence, authorName, text };
    }
    case "move":
      return { kind: "move", request: request.id, secret: request.secret };
    case "rename":
      return { kind: "rename", request: request.id, name: request.name };
    case "offer": {
      const { id, file, filename: name, size, hash, folder, to } = request;
      // The chat offers nothing of which it does not know the digest.
      if (hash === null) return undefined;
      const receiver = to === 0 ? 0 : numberOf(to);
      return { kind: "offer", request: id, file, name, size, hash, folder, to: receiver };
    }
    case "moderate": {
      const { id, what, whom, text: reason } = request;
      if (what === "kick") return { kind: "kick", request: id, whom: numberOf(whom), reason };
      if (what === "op" || what === "deop") {
        return { kind: "op", request: id, whom: numberOf(whom), isOp: what === "op" };
      }
      // Of the rest the commands let only these through: nothing enforces what no server can read.
      return { kind: "lock", request: id, locked: what === "lock" };
    }
    case "part": {
      const { file, index, data } = request;
      return { kind: "part", to: request.to.map(numberOf), file, index, data };
    }
    // A v2 client sends a chunk only to give a file up.
    case "chunk":
      return { kind: "withdraw", file: request.file };
    case "pull": {
      const { to, file, index, count } = request;
      return { kind: "pull", client: numberOf(to), file, index, count };
    }
    case "receipt": {
      const { to, file, state } = request;
      return { kind: "receipt", client: numberOf(to), file, state };
    }
    default:
      return undefined;
  }
}
