/// <reference lib="dom" />
// What the user of the page does, as the chat takes it. Before there is a chat, and after it, it does nothing.

import { CmdchatError } from "../../shared/base/errors.ts";
import { contextOf } from "../app/pipe_input.ts";
import { createLeave, enter } from "../app/terminal_input.ts";
import type { Chat } from "../chat/chat.ts";
import type { CommandContext } from "../commands/command.ts";
import { createCompleter } from "../commands/completer.ts";
import { receiverAndPath } from "../commands/file_commands.ts";
import { inviteTo, secretToGive } from "../commands/invite_commands.ts";
import type { PageActions } from "./page_actions.ts";
import { openPageFile } from "./page_disk.ts";
import { groupFolders, readDropped } from "./page_folder.ts";
import type { PageCompletions, PageInvite } from "./page_view.ts";
import { qrModules } from "./qr_modules.ts";
import { PAGE_CLOCK } from "./page_clock.ts";

const BELLS = { all: "all", mention: "mention", off: "off" } as const;

/** The actions of one page, over one chat after the other. */
export class ChatActions implements PageActions {
  #context: CommandContext | undefined;
  readonly #complete = createCompleter(() => this.#context?.chat);

  /** The user acts on this chat from now on; undefined: on none. */
  attach(chat: Chat | undefined): void {
    this.#context = chat === undefined
      ? undefined
      : contextOf({ chat, downloads: true, clock: PAGE_CLOCK }, createLeave(chat));
  }

  /** Whether there is a chat. */
  get isChatting(): boolean {
    return this.#context !== undefined;
  }

  entered(text: string): void {
    // What /send @NAME asks for, /send alone does: a page has no paths to type.
    if (/^\/send\s*$/i.test(text)) {
      void this.#try(({ room, transfers }) => transfers.offerFile("", room));
    } else if (this.#context !== undefined) enter(text, this.#context);
  }

  typing(text: string): void {
    this.#context?.chat.entered(text);
  }

  goTo(title: string): void {
    const chat = this.#context?.chat;
    const room = chat?.rooms.byTitle(title);
    if (room !== undefined) chat?.switchTo(room);
  }

  sendFiles(files: readonly (File | FileSystemDirectoryEntry)[], line: string): void {
    void this.#try(async (chat) => {
      const { room, transfers } = chat;
      const [, receiver] = /^\s*\/send\s+(@[^]*)$/i.exec(line) ?? [];
      const to = receiver === undefined ? undefined : receiverAndPath(chat, receiver).person;
      for (const chosen of groupFolders(files)) {
        await this.#try(async () => {
          const found = "isDirectory" in chosen ? await readDropped(chosen) : chosen;
          transfers.sendFile(await openPageFile(found, transfers.fileMax), room, to);
        });
      }
    });
  }

  complete(text: string, cursor: number): PageCompletions {
    return this.#complete(text, cursor);
  }

  invite(): PageInvite | undefined {
    const chat = this.#context?.chat;
    if (chat === undefined) return undefined;
    try {
      const secret = secretToGive(chat);
      const { terminal, web } = inviteTo(chat, { secret });
      const notes = [
        ...(secret === undefined
          ? []
          : ["It carries the room's secret: everybody who has it can join."]),
        ...(chat.address.token === undefined ? [] : [
          "The server's token is not in it: people who follow it need one. If the server allows " +
          "it, /invite once prints a link with one.",
        ]),
      ];
      return { terminal, web, modules: qrModules(web ?? terminal), notes };
    } catch (error) {
      chat.output.fault(error);
      return undefined;
    }
  }

  setNotices(which: "all" | "mention" | "off"): void {
    this.#context?.chat.output.settings.set("bell", BELLS[which]);
  }

  wake(): void {
    const chat = this.#context?.chat;
    chat?.backoff.wake();
    // The browser held the page's timers while it slept, and may not have seen that the link is gone.
    if (chat?.connected) chat.requireSession().wake();
  }

  quit(): void {
    this.#context?.quit();
  }

  async #try(work: (chat: Chat) => Promise<void>): Promise<void> {
    const chat = this.#context?.chat;
    if (chat === undefined) return;
    try {
      await work(chat);
    } catch (error) {
      if (!(error instanceof CmdchatError)) throw error;
      chat.output.fault(error);
    }
  }
}
