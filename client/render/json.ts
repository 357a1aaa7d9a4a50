// One JSON object per line: docs/JSON.md. Texts of peers are complete, and escaped so that no terminal acts on them.

import { sanitizeText } from "../../shared/base/sanitize.ts";
import type { TransferEvent } from "../transfer_base/transfer_event.ts";
import { plainRow, type RenderedLine } from "./shown.ts";
import type { Renderer } from "./text.ts";

/** Version of the objects; adding a field does not change it. */
export const JSON_VERSION = 1;

/** Creates a renderer that writes every line as one JSON object. */
export function createJsonRenderer(): Renderer {
  return {
    chat(line) {
      const { time, room, sender, text, sequence, own, mention, action = false, quote } = line;
      const { to, sealed, verified, known, backlog, isAgain: again } = line;
      // Another kind, so that no program answers a direct message in front of the whole room.
      return to === undefined
        ? object("chat", {
          kind: "chat",
          time,
          room,
          sender,
          text,
          sequence,
          own,
          mention,
          action,
          quote,
          sealed,
          verified,
          backlog,
          known,
          again,
        })
        : object("chat", {
          kind: "direct",
          time,
          room,
          sender,
          to,
          text,
          own,
          sealed: sealed ?? false,
          verified,
          known,
          again,
        });
    },
    system(line) {
      const { time, room, event, text, name, previous, names, sequence, said, sealed } = line;
      const { emoji, on } = line;
      const { what, whom, maker, ops, isAgain: again } = line;
      return object("system", {
        kind: "system",
        time,
        room,
        event,
        text,
        name,
        previous,
        names,
        sequence,
        said,
        emoji,
        on,
        what,
        whom,
        maker,
        ops,
        sealed,
        again,
      });
    },
    file: (event, time, { isAgain } = {}) => ({
      kind: "file",
      rows: [plainRow(transferJson(event, time, isAgain))],
    }),
    note: ({ time, level, text, hint }) =>
      object("note", { kind: "note", time, level, text, hint }),
    connection: ({ time, state, text, hint, name, room }) =>
      object("connection", { kind: "connection", time, state, text, hint, name, room }),
  };
}

function object(
  kind: RenderedLine["kind"],
  fields: Readonly<Record<string, unknown>>,
): RenderedLine {
  return { kind, rows: [plainRow(jsonLine(fields))] };
}

/** A JSON object in one line that is safe to print; unsafe characters are escaped. */
export function jsonLine(fields: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify({ v: JSON_VERSION, ...fields });
  // Escaped text is the same JSON: a program that parses it gets every character.
  return sanitizeText(text) === text ? text : text.replace(/[^\x20-\x7e]/g, escapeUnit);
}

/** An event of a transfer as such an object; `again`: whether it was shown before. */
export function transferJson(event: TransferEvent, time: string, again?: boolean): string {
  return jsonLine({ kind: "file", time, ...fileFields(event), again });
}

function fileFields(event: TransferEvent): Record<string, unknown> {
  if (event.kind === "refused") {
    const { sender, name, size, fault } = event;
    return { event: "refused", sender, name, size, code: fault.code, reason: fault.reason };
  }
  const { n, direction, name, size, sender, room, to, isFolder: folder, leftOut } = event.file;
  const file = { n, direction, name, size, folder, left_out: leftOut, sender, room, to };
  return { event: event.kind, ...file, ...detailsOf(event) };
}

function detailsOf(event: Exclude<TransferEvent, { kind: "refused" }>): Record<string, unknown> {
  switch (event.kind) {
    case "offered":
      return { accepted: event.accepted };
    case "progress":
    case "resumed":
      return { done: event.done };
    case "waiting":
      return { done: event.done, for: event.for };
    case "saved":
      return { path: event.path, sha256: event.sha256 };
    case "answered":
      return { receiver: event.by.name, answer: event.by.answer };
    case "sent":
      return { sha256: event.sha256, receivers: event.receivers };
    case "failed": {
      const { fault: { code, reason }, receivers } = event;
      return { code, reason, receivers };
    }
    case "accepted":
    case "rejected":
    case "sending":
      return {};
  }
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
