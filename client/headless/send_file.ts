// `cmdchat-client send-file`: waits until somebody is in the room, sends the files one after the other, and prints their
// digests, and who has them. A file counts as sent when somebody saved it.

import { CmdchatError, ConnectionError } from "../../shared/base/errors.ts";
import { nameInSentence } from "../../shared/text/names.ts";
import type { Chat } from "../chat/chat.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import { printError } from "../base/exit.ts";
import { errorText } from "../../shared/cli/error_report.ts";
import { answersText, leftOutText } from "../render/transfer_text.ts";
import { transferJson } from "../render/json.ts";
import type { Script, ScriptInput } from "../app/script.ts";
import { openSourceFile, openTogether, shownPath } from "../uploads/disk_file.ts";
import { begunInput, spoolFile } from "../uploads/stdin_file.ts";
import type { TransferEvent } from "../transfer_base/transfer_event.ts";
import { connectedInTime, endOf, Patience, timeOver } from "../app/patience.ts";
import type { OnlyReceiver } from "../transfer_base/transfer_host.ts";
import type { RosterEntry } from "../rooms/roster.ts";
import { isFrom } from "./recv.ts";
import { ScriptOutput } from "./script_output.ts";
import { StdoutLines } from "../base/stdout_lines.ts";
import { transferError } from "./transfer_error.ts";

/** Options of `send-file`. */
export interface SendFileOptions {
  /** `-` is standard input. */
  readonly paths: readonly string[];
  /** The file name for standard input; without that, of the folder as which all paths are sent together. */
  readonly as?: string | undefined;
  /** The only member who is offered them; undefined = all of the room are. */
  readonly to?: string | undefined;
  /** Seconds to wait for somebody; undefined = forever. */
  readonly timeout: number | undefined;
  readonly json: boolean;
}

/** Creates the script that sends files. */
export function sendFileScript(options: SendFileOptions): Script {
  const sending = new FileSending(options);
  return {
    receives: false,
    output: (base) =>
      new ScriptOutput(base, {
        onFile: (event) => sending.handle(event),
        onPeople: () => sending.lookAround(),
      }),
    read: (input) => sending.run(input),
  };
}

const STDIN = "-";

class FileSending {
  readonly #options: SendFileOptions;
  readonly #stdout = new StdoutLines();
  #chat: Chat | undefined;
  #patience: Patience | undefined;
  /** The member that got the first of several files: a later member of the same name is somebody else. */
  #receiver: OnlyReceiver | undefined;
  #somebody = Promise.withResolvers<void>();
  #ended = Promise.withResolvers<TransferEvent>();

  constructor(options: SendFileOptions) {
    this.#options = options;
  }

  lookAround(): void {
    if (this.#isSomebodyHere) this.#somebody.resolve();
  }

  /** A member without a connection does not hear of an offer. */
  get #isSomebodyHere(): boolean {
    const { to } = this.#options;
    const known = this.#receiver;
    if (known !== undefined) {
      // A member that had the name and left is not waited for.
      const found = this.#others.find(({ client }) => client === known.client);
      return found?.state !== "away";
    }
    return this.#others.some(({ state, name }) => state !== "away" && isFrom(name, to));
  }

  get #whom(): string {
    const { to } = this.#options;
    return to === undefined ? "somebody" : nameInSentence(to);
  }

  get #others(): readonly RosterEntry[] {
    const { rooms } = this.#chat ?? {};
    return rooms?.current === undefined ? [] : rooms.othersIn(rooms.current);
  }

  get #isTogether(): boolean {
    const { paths, as } = this.#options;
    return as !== undefined && !paths.includes(STDIN);
  }

  /** The member that `--to` means: the first one with that name. Throws CmdchatError where they are gone. */
  #onlyReceiver(path: string): OnlyReceiver | undefined {
    const { to } = this.#options;
    if (to === undefined) return undefined;
    const known = this.#receiver;
    const found = this.#others.find(({ name, client }) =>
      known === undefined ? isFrom(name, to) : client === known.client
    );
    if (found !== undefined) return this.#receiver = found;
    const reason = `${nameInSentence(to)} left`;
    throw transferError(`Cannot send ${shownPath(path)}`, { code: "nobody", reason });
  }

  handle(event: TransferEvent): void {
    if (event.kind === "refused" || event.file.direction === "in") return;
    if (!this.#options.json && event.kind === "sending" && (event.file.leftOut ?? 0) > 0) {
      printError(`${event.file.name}: sent${leftOutText(event.file)}`);
    }
    if (!this.#options.json && event.kind === "sending" && this.#chat?.isV1 === false) {
      printError(`${event.file.name}: waiting until ${this.#whom} accepts it`);
    }
    if (this.#options.json && event.kind !== "progress") {
      const time = SYSTEM_CLOCK.utc();
      this.#stdout.print(transferJson(event, time));
    }
    if (event.kind === "sent" || event.kind === "failed") this.#ended.resolve(event);
  }

  async run({ chat, clock, bytes }: ScriptInput): Promise<CmdchatError | undefined> {
    this.#chat = chat;
    const patience = this.#patience = new Patience(this.#options.timeout, clock);
    let fault: CmdchatError | undefined;
    try {
      if (!await connectedInTime(chat, patience)) return undefined;
      const { paths, as } = this.#options;
      for (const path of this.#isTogether ? [as as string] : paths) {
        await connectedInTime(chat, patience);
        const input = path === STDIN && bytes !== undefined ? begunInput(bytes) : undefined;
        const empty = await emptyOr(input, this.#waitForSomebody(chat, patience));
        if (chat.ending.aborted) break;
        const found = empty ?? await this.#sendOne(path, { chat, input: await input });
        if (chat.finish.fault !== undefined) break;
        if (found !== undefined) printError(errorText(found));
        fault ??= found;
      }
    } finally {
      await this.#stdout.flush();
      chat.end();
    }
    return fault;
  }

  async #waitForSomebody(chat: Chat, patience: Patience): Promise<void> {
    this.#somebody = Promise.withResolvers();
    this.lookAround();
    if (!this.#isSomebodyHere) printError(`waiting until ${this.#whom} joins`);
    const somebody = Promise.race([this.#somebody.promise, endOf(chat)]);
    if (await patience.within(somebody) === "late") {
      const { to } = this.#options;
      throw timeOver(
        patience,
        to === undefined
          ? "Nobody joined to receive the file"
          : `Nobody called ${nameInSentence(to)} joined to receive the file`,
      );
    }
  }

  async #sendOne(
    path: string,
    { chat, input }: { readonly chat: Chat; readonly input: AsyncIterable<Uint8Array> | undefined },
  ): Promise<CmdchatError | undefined> {
    this.#ended = Promise.withResolvers();
    try {
      if (input === undefined) {
        const to = this.#onlyReceiver(path);
        const { fileMax } = chat.transfers;
        const file = this.#isTogether
          ? await openTogether(this.#options.paths, { name: path, fileMax })
          : await openSourceFile(path, fileMax);
        chat.transfers.sendFile(file, chat.room, to);
      } else await this.#sendInput(input, chat);
    } catch (error) {
      if (error instanceof CmdchatError) return error;
      throw error;
    }
    const event = await this.#end(chat);
    if (event === "late") return timeOver(this.#patience as Patience, "Nobody accepted the file");
    if (event?.kind === "sent") {
      if (!this.#options.json) this.#tellSent(event, chat);
      return undefined;
    }
    const head = `Cannot send ${shownPath(path)}`;
    if (event?.kind !== "failed") {
      const why = chat.finish.wanted ? "it was stopped" : "the connection was lost";
      return new ConnectionError(`${head}: ${why}`);
    }
    const { code, reason } = event.fault;
    const answers = answersText(event.receivers ?? []);
    return transferError(head, { code, reason: answers === "" ? reason : `${reason}: ${answers}` });
  }

  #tellSent(
    { sha256, file: { name }, receivers }: Extract<TransferEvent, { kind: "sent" }>,
    chat: Chat,
  ): void {
    this.#stdout.print(`${sha256}  ${name}`);
    if (receivers.length > 0) printError(`${name}: ${answersText(receivers)}`);
    else if (chat.isV1) printError(`${name}: sent; this server cannot tell who saved it`);
  }

  /** How the sending ended; "late" where nobody accepted the file in time. */
  async #end(chat: Chat): Promise<TransferEvent | "late" | void> {
    const end = Promise.race([this.#ended.promise, endOf(chat)]);
    const event = await this.#patience?.within(end);
    if (event !== "late") return event;
    const offered = chat.transfers.list().find(({ waitingFor }) => waitingFor === "receiver");
    // Somebody is getting it: that is not waiting for somebody.
    if (offered === undefined) return await end;
    chat.transfers.cancel(offered.n);
    await end;
    return "late";
  }

  async #sendInput(input: AsyncIterable<Uint8Array>, chat: Chat): Promise<void> {
    const { fileMax } = chat.transfers;
    const file = await spoolFile(input, { name: this.#options.as ?? "stdin", fileMax });
    // Reading may take long, and the connection may be lost meanwhile.
    await Promise.race([chat.whenConnected(), endOf(chat)]);
    chat.transfers.sendFile(file, chat.room, this.#onlyReceiver(STDIN));
  }
}

/** What is wrong with the input, as soon as that is known: somebody may come in an hour; undefined once `waiting` is over. */
async function emptyOr(
  input: Promise<unknown> | undefined,
  waiting: Promise<void>,
): Promise<CmdchatError | undefined> {
  const fault = input?.then(() => new Promise<never>(() => {}), (error: unknown) => {
    if (error instanceof CmdchatError) return error;
    throw error;
  });
  const over = waiting.then(() => undefined);
  return await (fault === undefined ? over : Promise.race([over, fault]));
}
