// Commands for files.

import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { formatBytes } from "../../shared/text/byte_size.ts";
import { WAITING_TEXTS } from "../render/transfer_text.ts";
import { safeLine, safeName } from "../render/text.ts";
import type { TransferInfo } from "../transfer_base/transfer_event.ts";
import type { Chat } from "../chat/chat.ts";
import type { CommandRow } from "./command.ts";
import { splitName } from "./targets.ts";

/** Rows of the commands for files. */
export const FILE_COMMANDS: readonly CommandRow[] = [
  {
    name: "send",
    argument: "[@NAME] PATH",
    needs: "connection",
    help: "offer a file or a folder to the room, or to one person of it alone",
    completes: "name or path",
    run({ chat }, argument) {
      // A file whose name begins with @ is written ./@NAME.
      if (!argument.startsWith("@")) return chat.transfers.offerFile(argument, chat.room);
      const { person, rest } = receiverAndPath(chat, argument);
      return chat.transfers.offerFile(rest, chat.room, person);
    },
  },
  {
    name: "accept",
    argument: "[N]",
    needs: "downloads",
    help: "accept an offered file; N is its number",
    completes: "transfer",
    run: ({ chat }, argument) => chat.transfers.accept(optionalNumber(argument)),
  },
  {
    name: "reject",
    argument: "[N]",
    needs: "nothing",
    help: "reject an offered file",
    completes: "transfer",
    run: ({ chat }, argument) => chat.transfers.reject(optionalNumber(argument)),
  },
  {
    name: "files",
    needs: "nothing",
    help: "list offers and transfers",
    run({ chat }) {
      const files = chat.transfers.list();
      chat.output.answer(
        files.length === 0
          ? "There are no offers and no transfers."
          : ["files:", ...files.map(lineOf)].join("\n"),
      );
    },
  },
  {
    name: "cancel",
    argument: "N",
    needs: "nothing",
    help: "stop a transfer in either direction",
    completes: "transfer",
    run: ({ chat }, argument) => chat.transfers.cancel(numberOf(argument)),
  },
];

/** Splits `@NAME PATH`. Throws UsageError, with a word for those who mean a file. */
export function receiverAndPath(chat: Chat, argument: string): ReturnType<typeof splitName> {
  const found = splitReceiver(chat, argument);
  if (found.person.name !== chat.room.name) return found;
  throw new UsageError("Cannot send a file to yourself");
}

function splitReceiver(chat: Chat, argument: string): ReturnType<typeof splitName> {
  try {
    return splitName(chat, argument);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const hint = `${error.hint}; a file whose name begins with @ is ./@NAME`;
    throw new UsageError(error.message, { hint });
  }
}

function optionalNumber(argument: string): number | undefined {
  return argument === "" ? undefined : numberOf(argument);
}

function numberOf(argument: string): number {
  if (/^#?\d{1,9}$/.test(argument)) return Number(argument.replace("#", ""));
  throw new UsageError(
    `Cannot use ${quote(argument)}: the argument is the number of a file`,
    {
      hint: "/files lists them",
    },
  );
}

function lineOf(info: TransferInfo): string {
  const { n, direction, name, size, sender, state, done, waitingFor, to, isFolder } = info;
  const from = direction === "in" ? ` from <${safeName(sender ?? "?")}>` : "";
  const alone = direction === "in" ? ", for you alone" : ` for <${safeName(to ?? "?")}> alone`;
  const who = to === undefined ? from : from + alone;
  const progress = done > 0 && done < size ? `, ${formatBytes(done)} received` : "";
  const pause = waitingFor === undefined ? "" : `, ${WAITING_TEXTS[waitingFor]}`;
  const what = isFolder ? `folder "${safeLine(name)}"` : `"${safeLine(name)}"`;
  return `${n}: ${what} (${formatBytes(size)})${who}: ${state}${progress}${pause}`;
}
