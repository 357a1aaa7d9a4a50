// Lines and commands that a person types in the terminal.

import type { Chat } from "../chat/chat.ts";
import { SlashAliases } from "../commands/aliases.ts";
import { parseLine, runCommand } from "../commands/dispatcher.ts";
import type { CommandContext } from "../commands/command.ts";
import { contextOf, isRefusal } from "./pipe_input.ts";
import type { InputOptions } from "./script.ts";
import { quote, quoteMessage } from "../../shared/base/sanitize.ts";
import { QuitQuestion } from "./quit_question.ts";
import type { RoomChoice } from "../editing/key_bindings.ts";
import { refusalReason, type RequestOutcome } from "../session/request_ledger.ts";

/** Serves the person at a terminal until they leave. */
export async function readTerminal(options: InputOptions): Promise<void> {
  const { chat } = options;
  const context = contextOf(options, createLeave(chat));
  chat.requests.linkGuard.canConfirm = true;
  const question = options.question ?? new QuitQuestion(chat);
  for await (const event of chat.console.events) {
    if (event.kind === "interrupt") question.interrupt();
    else question.reset();
    if (event.kind === "line") enter(event.text, context, options.aliases);
    else if (event.kind === "room") goTo(event.n, chat);
    else if (event.kind === "end") context.quit();
    if (chat.ending.aborted) return;
  }
  chat.end();
}

function goTo(n: RoomChoice, chat: Chat): void {
  const room = chosenRoom(n, chat);
  if (room !== undefined) return chat.switchTo(room);
  const none = typeof n === "number"
    ? `You have no room ${n}; /rooms lists them.`
    : "You are in no other room.";
  chat.output.note("info", none);
}

function chosenRoom(n: RoomChoice, { rooms }: Chat): Chat["rooms"]["current"] {
  const { all, current, next } = rooms;
  if (typeof n === "number") return all[n - 1];
  if (n === "unread") return next;
  const at = all.findIndex((room) => room === current);
  const room = n === "before" ? all.at(at - 1) : all[at + 1] ?? all[0];
  return room === current ? undefined : room;
}

/**
 * What a person entered: shown at once. A message that cannot be sent goes back into the input line; a wrong command
 * does not, since the next line would be typed behind it.
 */
export function enter(
  text: string,
  context: CommandContext,
  aliases: SlashAliases = new SlashAliases(),
): void {
  if (text.trim() === "") return;
  const { chat } = context;
  try {
    const parsed = parseLine(aliases.expand(text), aliases.names);
    if (parsed.kind === "command") {
      runCommand(parsed.row, parsed.argument, context)
        .then((outcome) => reportLostCommand(chat, text, outcome))
        .catch((error) => chat.output.fault(error));
    } else say(chat, parsed.text, text);
  } catch (error) {
    chat.output.fault(error);
  }
}

function say(chat: Chat, message: string, typed: string): void {
  try {
    const said = chat.say(message);
    tellWaiting(chat, message);
    said.then((outcome) => reportLoss(chat, message, outcome));
  } catch (error) {
    chat.output.fault(error);
    chat.console.setInput(typed);
  }
}

/** Whether the current room is a sealed one into which nobody has let us yet. */
function isOutside({ rooms, sealed }: Chat): boolean {
  const room = sealed.of(rooms.current);
  return room?.status?.phase === "out" && !room.hasStopped;
}

/** Nothing else shows a message before the server has it. */
function tellWaiting(chat: Chat, message: string): void {
  const until = waitingFor(chat);
  if (until === undefined) return;
  chat.output.note("info", `Not yet sent: ${quoteMessage(message)} waits until ${until}.`);
}

function waitingFor(chat: Chat): string | undefined {
  if (!chat.connected) {
    return chat.connection.asksTrust ? "you say /trust" : "there is a connection";
  }
  return isOutside(chat) ? "you are in this room" : undefined;
}

/** The reason why a command was refused has mostly been shown; all other outcomes are reported as for a line. */
function reportLostCommand(chat: Chat, text: string, outcome: unknown): void {
  if (outcome === "lost" && !chat.finish.wanted) {
    chat.output.note("warning", `Perhaps not done: ${quote(text, 200)}`);
  } else if (isRefusal(outcome) && outcome.isUntold) {
    chat.output.note("warning", `Not done: ${quote(text, 200)}: ${refusalReason(outcome)}`);
  }
}

function reportLoss(chat: Chat, text: string, outcome: RequestOutcome): void {
  if (outcome === "confirmed" || (outcome === "lost" && chat.finish.wanted)) return;
  const what = outcome === "lost" ? "Perhaps not delivered" : "Not delivered";
  const why = outcome !== "lost" && outcome.isUntold ? `: ${refusalReason(outcome)}` : "";
  const hint = chat.finish.over ? undefined : "the up key brings it back";
  chat.output.note("warning", `${what}: ${quote(text, 200)}${why}`, hint);
}

/** Leaves once files that are being sent or saved are through; asked twice it does not wait. */
export function createLeave(chat: Chat): () => void {
  let waiting = false;
  return () => {
    const busy = chat.connected &&
      chat.transfers.list().some(({ state }) => state === "sending" || state === "saving");
    if (!busy || waiting) return chat.end();
    waiting = true;
    chat.output.note(
      "info",
      "Waiting for file transfers; a second /quit does not wait.",
    );
    chat.transfers.settled().then(() => chat.end());
  };
}
