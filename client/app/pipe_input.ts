// Lines of the user to messages and commands: at once in a terminal, one after the other from a pipe.

import { CmdchatError, ConnectionError, UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { Chat } from "../chat/chat.ts";
import type { Clock } from "../base/clock.ts";
import type { CommandContext } from "../commands/command.ts";
import { COMMAND_GROUPS, parseLine, runCommand } from "../commands/dispatcher.ts";
import { roomNamed } from "../commands/own_room.ts";
import type { Outcome } from "../session/request_ledger.ts";

/** What reads the user's lines. */
export interface InputOptions {
  readonly chat: Chat;
  readonly downloads: boolean;
  readonly clock: Clock;
}

/** A server that does not answer a line from a pipe within this is not going to. */
const ANSWER_TIMEOUT_MS = 15_000;
/** A line from a pipe waits this long for a connection; a script must not hang for ever. */
const CONNECTION_TIMEOUT_MS = 60_000;

/** Serves the person at a terminal until they leave. */
export async function readTerminal(options: InputOptions): Promise<void> {
  const { chat } = options;
  const context = contextOf(options, createLeave(chat));
  for await (const event of chat.console.events) {
    if (event.kind === "line") enter(event.text, context);
    else if (event.kind === "room") goTo(event.n, chat);
    else context.quit();
    if (chat.ending.aborted) return;
  }
  chat.end();
}

/** Sends each line of a pipe, waits for its echo, and leaves at the end. Resolves with the first fault, if any. */
export function readPipe(options: InputOptions): Promise<CmdchatError | undefined> {
  const { chat } = options;
  return doLines(options, {
    act: (text, context) => deliver(text, context, options),
    tell(fault) {
      // A link that ended for good has its own error to tell.
      if (fault !== undefined && !chat.finish.over) chat.output.fault(fault);
    },
  });
}

/** What is done with the lines of a program, and what is said of it. */
export interface LineWork {
  /** Throws the error that says why it was not done. */
  readonly act: (text: string, context: CommandContext) => Promise<void>;
  /** What became of the line `text`; undefined: of the connection, where no line was at fault. */
  readonly tell: (fault: CmdchatError | undefined, text?: string) => void;
}

/** Does one line after the other and leaves at the end. Resolves with the first fault, if any. */
export async function doLines(
  options: InputOptions,
  { act, tell }: LineWork,
): Promise<CmdchatError | undefined> {
  const { chat, clock } = options;
  let first: CmdchatError | undefined;
  let isOver = false;
  const context = contextOf(options, () => isOver = true);
  for await (const event of chat.console.events) {
    if (event.kind !== "line" || chat.ending.aborted) break;
    if (event.text.trim() === "") continue;
    const fault = await faultOf(() => act(event.text, context));
    tell(fault, event.text);
    first ??= fault;
    if (isOver || (fault instanceof ConnectionError && !chat.connected)) break;
  }
  // Even without a line: whether the server can be reached is worth an exit code.
  if (first === undefined) {
    first = await faultOf(() => connected(chat, clock));
    tell(first);
  }
  if (chat.connected) await chat.transfers.settled();
  chat.end();
  return first;
}

/** What commands work on. */
function contextOf(
  { chat, downloads }: InputOptions,
  quit: () => void,
): CommandContext {
  return { chat, downloads, groups: COMMAND_GROUPS, quit };
}

function goTo(n: number, chat: Chat): void {
  const room = chat.rooms.all[n - 1];
  if (room !== undefined) return chat.switchTo(room);
  chat.output.note("info", `You have no room ${n}; /rooms lists them.`);
}

/** What a person entered: shown at once, and what cannot be sent goes back into the input line. */
function enter(text: string, context: CommandContext): void {
  if (text.trim() === "") return;
  const { chat } = context;
  const back = (error: unknown) => {
    chat.output.fault(error);
    chat.console.setInput(text);
  };
  try {
    const parsed = parseLine(text);
    if (parsed.kind === "command") {
      runCommand(parsed.row, parsed.argument, context).catch((error) => chat.output.fault(error));
    } else {
      const said = chat.say(parsed.text);
      if (!chat.connected) tellWaiting(chat);
      said.then((outcome) => reportLoss(chat, parsed.text, outcome));
    }
  } catch (error) {
    back(error);
  }
}

function tellWaiting(chat: Chat): void {
  chat.output.note("info", "Not yet sent: it goes out as soon as there is a connection again.");
}

function reportLoss(chat: Chat, text: string, outcome: Outcome): void {
  if (outcome === "confirmed" || (outcome === "lost" && chat.finish.wanted)) return;
  const what = outcome === "lost" ? "Perhaps not delivered" : "Not delivered";
  const hint = chat.finish.over ? undefined : "the up key brings it back";
  chat.output.note("warning", `${what}: ${quote(text, 200)}`, hint);
}

/**
 * Does one line of a pipe and waits for the answer; `room`: the one of ours that it is for, the current one unless
 * told. Throws the error that says why it was not done.
 */
export async function deliver(
  text: string,
  context: CommandContext,
  { clock, room }: Pick<InputOptions, "clock"> & { readonly room?: string | undefined },
): Promise<void> {
  const { chat } = context;
  const parsed = parseLine(text);
  await connected(chat, clock);
  const ask = () =>
    parsed.kind === "command"
      ? runCommand(parsed.row, parsed.argument, context)
      : chat.say(parsed.text);
  const asked = room === undefined ? ask() : chat.rooms.within(roomNamed(chat, room), ask);
  const outcome = await inTime(asked, { chat, clock });
  if (outcome === "lost") {
    throw new ConnectionError(`Perhaps not delivered: ${quote(text)}: the server did not answer`);
  }
  if (outcome === "refused") {
    throw new UsageError(`Not delivered: ${quote(text)}: the server refused it`);
  }
}

/** The outcome, or "lost" where a server that could answer does not. */
async function inTime<T>(
  asked: Promise<T>,
  { chat, clock }: Pick<InputOptions, "chat" | "clock">,
): Promise<T | "lost"> {
  for (;;) {
    const answered = new AbortController();
    const tooLate = clock.wait(ANSWER_TIMEOUT_MS, answered.signal).then(() => "late" as const);
    const outcome = await Promise.race([asked, tooLate]).finally(() => answered.abort());
    if (outcome !== "late") return outcome;
    // Waiting for its turn within the server's limit, or for the link to come back, is not silence.
    const waiting = chat.requests.unsent > 0;
    if (!chat.connected) await connected(chat, clock);
    else if (!waiting) return "lost";
  }
}

async function faultOf(trial: () => Promise<unknown>): Promise<CmdchatError | undefined> {
  try {
    await trial();
    return undefined;
  } catch (error) {
    if (error instanceof CmdchatError) return error;
    throw error;
  }
}

/** Waits for a session, within bounds. Throws ConnectionError. */
export async function connected(chat: Chat, clock: Clock): Promise<void> {
  if (chat.connected) return;
  const done = new AbortController();
  const tooLate = clock.wait(CONNECTION_TIMEOUT_MS, AbortSignal.any([done.signal, chat.ending]));
  await Promise.race([chat.whenConnected(), tooLate]).finally(() => done.abort());
  if (!chat.connected) throw new ConnectionError("Not sent: there is no connection to the server");
}

/** Leaves once files that are being sent or saved are through; asked twice it does not wait. */
function createLeave(chat: Chat): () => void {
  let waiting = false;
  return () => {
    const busy = chat.connected &&
      chat.transfers.list().some(({ state }) => state === "sending" || state === "saving");
    if (!busy || waiting) return chat.end();
    waiting = true;
    chat.output.note(
      "info",
      "Waiting for files on their way; /quit or Ctrl-C again does not wait.",
    );
    chat.transfers.settled().then(() => chat.end());
  };
}
