// Events of transfers in words.

import { quote, sanitizeLine } from "../../shared/base/sanitize.ts";
import { nameInSentence } from "../../shared/text/names.ts";
import { formatBytes } from "../../shared/text/byte_size.ts";
import { textWidth } from "../terminal/width.ts";
import type {
  FileAnswer,
  ReceiverAnswer,
  TransferEvent,
  TransferRef,
} from "../transfer_base/transfer_event.ts";
import { safeName } from "./text.ts";
import type { NoteLevel } from "../base/note_level.ts";

/** One safe line about a transfer, with its level; undefined for steps that only a progress bar shows. */
export function transferText(
  event: TransferEvent,
): { readonly text: string; readonly level: NoteLevel } | undefined {
  switch (event.kind) {
    case "offered":
      return info(
        `<${senderOf(event.file)}> offers ${event.file.to === undefined ? "" : "you alone "}${
          fileOf(event.file)
        }` +
          (event.accepted
            ? "; accepted automatically"
            : `: /accept ${event.file.n} or /reject ${event.file.n}`),
      );
    case "accepted":
      return info(`Accepted ${fileOf(event.file)} from <${senderOf(event.file)}>`);
    case "rejected":
      return info(`Refused ${fileOf(event.file)} from <${senderOf(event.file)}>`);
    case "sending":
      return info(
        `Offering ${fileOf(event.file)}${toOf(event.file)}${
          leftOutText(event.file)
        } (/cancel ${event.file.n} stops it)`,
      );
    case "progress":
    case "waiting":
    case "resumed":
      return undefined;
    case "answered":
      return event.isLate
        ? info(`${sizedName(event.file)}: ${answersText([event.by])}`)
        : undefined;
    case "saved":
      return info(
        `Saved ${sizedName(event.file)} from <${senderOf(event.file)}> as ${
          quote(event.path, 1_000)
        }, SHA-256 ${event.sha256}`,
      );
    case "sent":
      return info(
        `Sent ${sizedName(event.file)}${told(": ", event.receivers)}, SHA-256 ${event.sha256}`,
      );
    case "failed":
      return {
        level: "warning",
        text: event.file.direction === "in"
          ? `Not received: ${fileOf(event.file)} from <${
            senderOf(event.file)
          }>: ${event.fault.reason}${event.canRetry ? `; /accept ${event.file.n} tries again` : ""}`
          : `Not sent: ${fileOf(event.file)}: ${event.fault.reason}${told(": ", event.receivers)}`,
      };
    case "refused":
      return {
        level: "warning",
        text: `Refused "${sanitizeLine(event.name)}" (${formatBytes(event.size)}) from <${
          safeName(event.sender)
        }>: ${event.fault.reason}`,
      };
  }
}

const ANSWERS: Readonly<Record<FileAnswer, readonly [one: string, many: string]>> = {
  saved: ["saved it", "saved it"],
  fetched: ["was sent it", "were sent it"],
  accepted: ["is getting it", "are getting it"],
  refused: ["refused it", "refused it"],
  failed: ["could not save it", "could not save it"],
  left: ["left", "left"],
  open: ["has not answered", "have not answered"],
};
/** So many are named; of the others only the number is shown. */
const NAMED_MAX = 4;

/** What became of a file at its receivers, as in `bob and carol saved it · dave refused it`; safe to show. */
export function answersText(receivers: readonly ReceiverAnswer[], named = NAMED_MAX): string {
  const groups = Object.entries(ANSWERS).map(([answer, [one, many]]) => {
    const names = receivers.filter((receiver) => receiver.answer === answer).map(({ name }) =>
      name
    );
    return names.length === 0 ? "" : `${whoText(names, named)} ${names.length === 1 ? one : many}`;
  });
  return groups.filter((group) => group !== "").join(" · ");
}

function whoText(names: readonly string[], named: number): string {
  if (names.length > named) return String(names.length);
  const shown = names.map((name) => nameInSentence(safeName(name)));
  const last = shown.pop() ?? "";
  return shown.length === 0 ? last : `${shown.join(", ")} and ${last}`;
}

/** Nothing where nobody is known. */
function told(before: string, receivers: readonly ReceiverAnswer[] | undefined = []): string {
  return receivers.length === 0 ? "" : `${before}${answersText(receivers)}`;
}

/** Why a transfer waits; with `sending 100 %, ` it fits 40 columns. */
export const WAITING_TEXTS = {
  connection: "waiting to reconnect",
  sender: "waiting for its sender",
  receiver: "waiting for somebody to accept it",
} as const;

const BAR_CELLS_MAX = 24;
const BAR_CELLS_MIN = 6;

/** A row of at most `columns` cells with a progress bar; `how`: its rate, or why it waits. */
export function barText(
  file: TransferRef,
  { done, how, columns }: {
    readonly done: number;
    readonly how: string | undefined;
    readonly columns: number;
  },
): string {
  const share = done / Math.max(1, file.size);
  const name = quote(file.name, columns < 60 ? 14 : 30);
  const head = `${file.direction === "in" ? "receiving" : "sending"} ${name} `;
  const tail = ` ${Math.floor(100 * share)} %${how === undefined ? "" : `, ${how}`}`;
  const room = columns - textWidth(head) - textWidth(tail) - 2;
  if (room < BAR_CELLS_MIN - 2) {
    const whole = head.trimEnd() + tail;
    return textWidth(whole) <= columns ? whole : `${head.slice(0, head.indexOf(" "))}${tail}`;
  }
  const cells = Math.min(BAR_CELLS_MAX, room);
  const full = Math.floor(cells * share);
  return `${head}[${"#".repeat(full)}${"-".repeat(cells - full)}]${tail}`;
}

function info(text: string): { text: string; level: NoteLevel } {
  return { text, level: "info" };
}

function senderOf(file: TransferRef): string {
  return safeName(file.sender ?? "?");
}

function fileOf(file: TransferRef): string {
  return `${file.isFolder ? "folder" : "file"} ${file.n}, ${sizedName(file)}`;
}

/** What of a folder is not sent; empty where all is. */
export function leftOutText({ leftOut = 0 }: TransferRef): string {
  if (leftOut === 0) return "";
  return leftOut === 1
    ? ", without a link or special file in it"
    : `, without ${leftOut} links or special files in it`;
}

/** The only member who is offered it. */
function toOf({ to }: TransferRef): string {
  return to === undefined ? "" : ` to ${nameInSentence(safeName(to))} alone`;
}

function sizedName({ name, size }: TransferRef): string {
  return `"${sanitizeLine(name)}" (${formatBytes(size)})`;
}
