/// <reference lib="dom" />
// The view of the page: what the core tells becomes elements, and what the user does is told to the core.

import type { RenderedLine } from "../render/shown.ts";
import type { PageActions } from "../web/page_actions.ts";
import type {
  PageFault,
  PagePerson,
  PageReaction,
  PageRoom,
  PageStatus,
  PageTransfer,
  PageView,
} from "../web/page_view.ts";
import type { StartForm } from "../web/start_form.ts";
import { TabAttention } from "./attention.ts";
import { ChatScreen } from "./chat_screen.ts";
import { askQuestion } from "./dialogs.ts";
import { button, byId, element } from "./element.ts";
import { askStart, brand, faultBox } from "./start_screen.ts";

// A browser has begun the download by then, and until then holds the whole file.
const DOWNLOAD_BEGINS_MS = 60_000;

/** The view of the page, in the element with the id `app`. */
export class DomView implements PageView {
  readonly #actions: PageActions;
  readonly #root = byId("app", HTMLElement);
  readonly #attention = new TabAttention();
  #chat: ChatScreen | undefined;
  #isServed = false;
  #current: string | undefined;
  #isOver = false;

  constructor(actions: PageActions) {
    this.#actions = actions;
    const wake = () => {
      if (!document.hidden) actions.wake();
    };
    document.addEventListener("visibilitychange", wake);
    globalThis.addEventListener("pageshow", wake);
    globalThis.addEventListener("online", wake);
    for (const kind of ["dragover", "drop"] as const) document.addEventListener(kind, refuseDrop);
    // The browser asks whether to leave; what is said with it, it does not show.
    globalThis.addEventListener("beforeunload", (event) => {
      if (this.#chat?.hasUnsent === true && !this.#isOver) event.preventDefault();
    });
  }

  askStart(given: StartForm, fault?: PageFault): Promise<StartForm> {
    this.#isServed = given.served;
    this.#chat = undefined;
    return askStart(this.#root, given, fault);
  }

  open(): void {
    if (this.#chat !== undefined) return;
    const chat = new ChatScreen({
      actions: this.#actions,
      isServed: this.#isServed,
      askPermission: () => this.#attention.askPermission(),
    });
    this.#chat = chat;
    this.#root.replaceChildren(chat.element);
    chat.composer.focus();
  }

  print(line: RenderedLine): void {
    this.#chat?.logs.print(line);
    const { kind, own = false, mention = false, direct = false, room } = line;
    if (kind === "chat" && !own && (room === undefined || room === this.#current)) {
      this.#attention.came(mention || direct);
    }
  }

  react(room: string, sequence: number, reactions: readonly PageReaction[]): boolean {
    return this.#chat?.logs.react(room, sequence, reactions) ?? false;
  }

  setLive(lines: readonly RenderedLine[]): void {
    this.#chat?.logs.setLive(lines);
  }

  clear(): void {
    this.#chat?.logs.clear();
  }

  setRooms(rooms: readonly PageRoom[]): void {
    const current = rooms.find(({ current }) => current);
    this.#current = current?.title;
    this.#chat?.setRooms(rooms);
    const sum = (of: "unread" | "mentions") => rooms.reduce((total, room) => total + room[of], 0);
    this.#attention.setUnread({ unread: sum("unread"), mentions: sum("mentions") }, current?.label);
  }

  setPeople(people: readonly PagePerson[]): void {
    this.#chat?.setPeople(people);
  }

  setStatus(status: PageStatus): void {
    this.#chat?.setStatus(status);
  }

  setTransfers(transfers: readonly PageTransfer[]): void {
    this.#chat?.setTransfers(transfers);
  }

  setInput(text: string): void {
    this.#chat?.composer.begin(text);
  }

  ask(question: string, { hidden }: { readonly hidden: boolean }): Promise<string | undefined> {
    return askQuestion(question, hidden);
  }

  alarm(text: string, hint?: string): void {
    this.#chat?.alarm(text, hint);
  }

  notify(text: string): void {
    this.#attention.notify(text);
  }

  chooseFiles(isFolder: boolean): Promise<readonly File[]> {
    const input = element("input", {
      attributes: { type: "file", multiple: true, webkitdirectory: isFolder },
    });
    return new Promise((resolve) => {
      input.addEventListener("change", () => resolve([...input.files ?? []]));
      input.addEventListener("cancel", () => resolve([]));
      input.click();
    });
  }

  save(name: string, content: Blob): void {
    const href = URL.createObjectURL(content);
    element("a", { attributes: { href, download: name } }).click();
    setTimeout(() => URL.revokeObjectURL(href), DOWNLOAD_BEGINS_MS);
  }

  ended(fault?: PageFault): void {
    this.#isOver = true;
    const again = button("Start again", { class: "primary", onClick: () => location.reload() });
    const words = element("p", { class: "lead" }, "The chat is over. Nothing of it was kept.");
    const parts = [brand(), fault === undefined ? words : faultBox(fault), again];
    if (this.#chat === undefined) {
      this.#root.replaceChildren(element("main", { class: "start" }, ...parts));
    } else {
      // What was said can still be read, and what was written be copied.
      const { composer } = this.#chat;
      const written = composer.hasText ? [composer.element] : [];
      composer.end();
      this.#chat.element.querySelector("footer")?.replaceChildren(
        element("div", { class: "over" }, ...parts.slice(1)),
        ...written,
      );
    }
    again.focus();
  }
}

// A browser would leave the page, and the chat with it, for a file or a link that misses its place.
function refuseDrop(event: DragEvent): void {
  const { target, dataTransfer } = event;
  const isInput = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
  const isText = isInput && !dataTransfer?.types.includes("Files");
  if (isText || event.defaultPrevented) return;
  event.preventDefault();
  if (dataTransfer !== null) dataTransfer.dropEffect = "none";
}
