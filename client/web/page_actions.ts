/// <reference lib="dom" />
// What the view of the page tells the core: what the user does.

import type { PageCompletions, PageInvite } from "./page_view.ts";

/** The core of the page as its view sees it; nothing of it throws, faults are shown as lines. */
export interface PageActions {
  /** A line was entered: text to say, or a command. */
  entered(text: string): void;
  /** The user changed the input, which now reads `text`. */
  typing(text: string): void;
  /** Lines go to this room from now on. */
  goTo(title: string): void;
  /**
   * Files were chosen, dropped or pasted: they are offered to the current room, or to NAME alone where `line`, which is
   * being written, begins with `/send @NAME`. Those of a chosen folder are one offer, as a dropped folder is.
   */
  sendFiles(files: readonly (File | FileSystemDirectoryEntry)[], line: string): void;
  /** The words that can stand at the cursor. */
  complete(text: string, cursor: number): PageCompletions;
  /** A link to the current room; undefined where there can be none, and a line says why. */
  invite(): PageInvite | undefined;
  /** Whether the user is called for messages in this room: for all, for those that name them, for none. */
  setNotices(which: "all" | "mention" | "off"): void;
  /** The page is visible again, or the network is back: connect at once. */
  wake(): void;
  /** Leaves the chat. */
  quit(): void;
}
