// What a chat without a screen is made of: where lines come from and what is done with them.

import { CmdchatError } from "../../shared/base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { Chat } from "../chat/chat.ts";
import type { SlashAliases } from "../commands/aliases.ts";
import type { CommandContext } from "../commands/command.ts";
import type { QuitQuestion } from "./quit_question.ts";
import { Output, type OutputOptions } from "../output/output.ts";

/** What reads the user's lines. */
export interface InputOptions {
  readonly chat: Chat;
  readonly downloads: boolean;
  readonly clock: Clock;
  /** Asked when a person presses Ctrl-C; made by the reader unless given. */
  readonly question?: QuitQuestion;
  /** Commands of the user's own. */
  readonly aliases?: SlashAliases;
  /** Keys of the user's own. */
  readonly keys?: ReadonlyMap<string, string>;
}

/** What is done with the lines of a program, and what is said of it. */
export interface LineWork {
  /** Throws the error that says why it was not done. */
  readonly act: (text: string, context: CommandContext) => Promise<void>;
  /** What became of the line `text`; undefined: of the connection, where no line was at fault. */
  readonly tell: (fault: CmdchatError | undefined, text?: string) => void;
}

/** What a script's reader gets. */
export interface ScriptInput extends InputOptions {
  /** Whether standard input is a terminal, where somebody may not know that they are waited for. */
  readonly isTerminal: boolean;
  /** Standard input as it is, for a script that reads no lines. */
  readonly bytes: AsyncIterable<Uint8Array> | undefined;
}

/** A chat that a script has instead of a person. */
export interface Script {
  /** Drives the chat to its end; resolves with the first fault that was shown already, throws one that was not. */
  readonly read: (input: ScriptInput) => Promise<CmdchatError | undefined>;
  /** Makes the output over what a pipe would get. */
  readonly output: (options: OutputOptions) => Output;
  /** Whether it takes files. */
  readonly receives: boolean;
}
