// Lines of the user to messages and commands: at once in a terminal, one after the other from a pipe.

import { CmdchatError, ConnectionError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { RefusalError } from "../session/refusal.ts";
import { refusalReason, type RequestRefusal } from "../session/request_ledger.ts";
import type { Chat } from "../chat/chat.ts";
import type { Clock } from "../base/clock.ts";
import type { CommandContext } from "../commands/command.ts";
import { COMMAND_GROUPS, parseLine, runCommand } from "../commands/dispatcher.ts";
import { roomNamed } from "../commands/targets.ts";
import { connectedInTime, Patience } from "./patience.ts";
import type { InputOptions, LineWork } from "./script.ts";

/** A server that does not answer a line from a pipe within this is not going to. */
const ANSWER_TIMEOUT_MS = 15_000;
/** A line from a pipe waits this many seconds for a connection; a script must not hang forever. */
const CONNECTION_TIMEOUT_S = 60;

/** Sends each line of a pipe, waits for its echo, and leaves at the end. Resolves with the first fault, if any. */
export function readPipe(options: InputOptions): Promise<CmdchatError | undefined> {
  const { chat } = options;
  return doLines(options, {
    act: (text, context) => deliver(text, context, options),
    tell(fault) {
      // A connection that ended for good has its own error to tell.
      if (fault !== undefined && !chat.finish.over) chat.output.fault(fault);
    },
  });
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
    if (event.kind === "cut") {
      tell(event.fault, "");
      first ??= event.fault;
      continue;
    }
    if (event.kind !== "line" || chat.ending.aborted) break;
    if (event.text.trim() === "") continue;
    const fault = await faultOf(() => act(event.text, context));
    tell(fault, event.text);
    first ??= fault;
    if (isOver || (fault instanceof ConnectionError && !chat.connected)) break;
  }
  // Even without a line: whether the server can be reached is worth an exit code.
  if (first === undefined) {
    first = await faultOf(() => requireConnection(chat, clock));
    tell(first);
  }
  if (chat.connected) await chat.transfers.settled();
  chat.end();
  return first;
}

/** What commands work on. */
export function contextOf(
  { chat, downloads, aliases, keys = new Map() }: InputOptions,
  quit: () => void,
): CommandContext {
  const habits = { aliases: aliases?.texts ?? new Map<string, string>(), keys };
  return { chat, downloads, groups: COMMAND_GROUPS, habits, quit };
}

/**
 * Does one line of a pipe and waits for the answer; `room`: the joined room that it is for, the current one unless
 * told. Throws the error that says why it was not done.
 */
export async function deliver(
  text: string,
  context: CommandContext,
  { clock, room }: Pick<InputOptions, "clock"> & { readonly room?: string | undefined },
): Promise<void> {
  const { chat } = context;
  const parsed = parseLine(text);
  await requireConnection(chat, clock);
  const ask = () =>
    parsed.kind === "command"
      ? runCommand(parsed.row, parsed.argument, context)
      : chat.say(parsed.text);
  const asked = room === undefined ? ask() : chat.rooms.within(roomNamed(chat, room), ask);
  const outcome = await inTime(asked, { chat, clock });
  if (outcome === undefined || outcome === "confirmed") return;
  // What stopped the chat is why it was not done.
  if (chat.finish.fault !== undefined) throw chat.finish.fault;
  if (outcome === "lost") {
    const why = `${quote(text)}: the server did not answer`;
    throw isCommand(text)
      ? new ConnectionError(`Perhaps not done: ${why}`)
      : new ConnectionError(`Perhaps not delivered: ${why}`);
  }
  if (isRefusal(outcome)) throw refusedError(text, outcome);
}

/** Commands resolve with anything. */
export function isRefusal(outcome: unknown): outcome is RequestRefusal {
  return typeof outcome === "object" && outcome !== null && "why" in outcome;
}

/** The error for what was refused. */
export function refusedError(text: string, refusal: RequestRefusal): RefusalError {
  const why = `${quote(text)}: ${refusalReason(refusal)}`;
  return isCommand(text)
    ? new RefusalError(`Not done: ${why}`)
    : new RefusalError(`Not delivered: ${why}`);
}

function isCommand(text: string): boolean {
  return /^\/[^/]/.test(text);
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
    // Waiting for its turn within the server's limit, or for the connection to come back, is not silence.
    const waiting = chat.requests.unsent > 0;
    if (!chat.connected) await requireConnection(chat, clock);
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
async function requireConnection(chat: Chat, clock: Clock): Promise<void> {
  if (await connectedInTime(chat, new Patience(CONNECTION_TIMEOUT_S, clock))) return;
  throw new ConnectionError("Not sent: there is no connection to the server");
}
