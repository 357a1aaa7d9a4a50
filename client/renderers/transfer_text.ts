// The turns of a transfer in words.

import { quote, sanitizeLine } from "../../shared/sanitize.ts";
import { formatBytes } from "../../shared/option_values.ts";
import type { TransferEvent, TransferRef } from "../transfers.ts";
import { type NoteLevel, safeName } from "./text.ts";

/** One safe line about a transfer, and how much it matters; undefined for steps that only a status line shows. */
export function transferText(
  event: TransferEvent,
): { readonly text: string; readonly level: NoteLevel } | undefined {
  switch (event.kind) {
    case "offered":
      return info(
        `<${senderOf(event.file)}> offers ${fileOf(event.file)}` +
          (event.accepted
            ? "; it is being taken"
            : `: /accept ${event.file.n} or /reject ${event.file.n}`),
      );
    case "accepted":
      return info(`Taking ${fileOf(event.file)} of <${senderOf(event.file)}>`);
    case "rejected":
      return info(`Refused ${fileOf(event.file)} of <${senderOf(event.file)}>`);
    case "sending":
      return info(`Sending ${fileOf(event.file)} (/cancel ${event.file.n} stops it)`);
    case "progress":
      return undefined;
    case "saved":
      return info(
        `Saved ${sizedName(event.file)} of <${senderOf(event.file)}> as ${
          quote(event.path, 1_000)
        }, SHA-256 ${event.sha256}`,
      );
    case "sent":
      return info(`Sent ${sizedName(event.file)}, SHA-256 ${event.sha256}`);
    case "failed":
      return {
        level: "warning",
        text: event.file.direction === "in"
          ? `Not received: ${fileOf(event.file)} of <${
            senderOf(event.file)
          }>: ${event.fault.reason}`
          : `Not sent: ${fileOf(event.file)}: ${event.fault.reason}`,
      };
    case "refused":
      return {
        level: "warning",
        text: `Refused "${sanitizeLine(event.name)}" (${formatBytes(event.size)}) of <${
          safeName(event.sender)
        }>: ${event.fault.reason}`,
      };
  }
}

/** Where a transfer stands, in a few words for the status line. */
export function progressText(file: TransferRef, done: number): string {
  // All of it came, and the user has not taken it yet.
  if (file.direction === "in" && done >= file.size) return `${quote(file.name, 24)} is here`;
  const percent = file.size === 0 ? 100 : Math.floor(100 * done / file.size);
  const way = file.direction === "in" ? "receiving" : "sending";
  return `${way} ${quote(file.name, 24)} ${percent} %`;
}

function info(text: string): { text: string; level: NoteLevel } {
  return { text, level: "info" };
}

function senderOf(file: TransferRef): string {
  return safeName(file.sender ?? "?");
}

function fileOf(file: TransferRef): string {
  return `file ${file.n}, ${sizedName(file)}`;
}

function sizedName({ name, size }: TransferRef): string {
  return `"${sanitizeLine(name)}" (${formatBytes(size)})`;
}
