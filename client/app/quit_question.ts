// Ctrl-C on an empty line: one key pressed by mistake must not end a chat, and with it what only this process has.

import { quote } from "../../shared/base/sanitize.ts";
import type { Chat } from "../chat/chat.ts";

/** Asks once before the chat ends. */
export class QuitQuestion {
  readonly #chat: Chat;
  readonly #hostsServer: boolean;
  #isAsked = false;

  /** `hostsServer`: whether the server ends with this process. */
  constructor(chat: Chat, hostsServer = false) {
    this.#chat = chat;
    this.#hostsServer = hostsServer;
  }

  /** Ctrl-C was pressed: asks, or ends the chat where that was the answer. */
  interrupt(): void {
    if (this.#isAsked) return this.#chat.end();
    this.#isAsked = true;
    const losses = this.#losses();
    const loss = losses.length === 0 ? "" : ` This ends ${losses.join(", ")}.`;
    this.#chat.output.note("info", `Press Ctrl-C again to quit.${loss}`);
  }

  /** The user did something else. */
  reset(): void {
    this.#isAsked = false;
  }

  #losses(): string[] {
    const { transfers, rooms, requests, sealed } = this.#chat;
    const files = transfers.list().filter(({ state }) => state === "sending" || state === "saving");
    const unsent = requests.unsent + sealed.waiting.unsent;
    const made = rooms.all.filter(({ seal }) =>
      seal?.people.some(({ own, client }) => own && client === seal.maker)
    );
    return [
      ...(this.#hostsServer ? ["the server, for everybody who is on it"] : []),
      ...made.map(({ title }) => `your key as the maker of ${quote(title)}`),
      ...(files.length > 0 ? [count(files.length, "file on its way", "files on their way")] : []),
      ...(unsent > 0 ? [count(unsent, "unsent message", "unsent messages")] : []),
    ];
  }
}

function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
