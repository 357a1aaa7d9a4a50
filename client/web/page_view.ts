// What the core of the page tells its view. Every text is safe to show as text, and only as text: a view makes text
// nodes of it and never parses it. The view holds no state of the chat beyond what it was told last.

import type { RenderedLine } from "../render/shown.ts";
import type { KeyTrust } from "../rooms/roster.ts";
import type { StartForm } from "./start_form.ts";

/** The page as its core sees it. */
export interface PageView {
  /**
   * Asks for name, room and server; `given` fills the form, `fault` says why the form is shown again. The core
   * calls it first, and again when a start failed.
   */
  askStart(given: StartForm, fault?: PageFault): Promise<StartForm>;
  /** The chat begins: the form gives way to the conversation. */
  open(): void;
  /**
   * Adds one line to the log of its room (`line.room`); without one to the log of the current room. A line's time is in
   * `line.time`; it may be no valid time, since a peer can send it. Days are the view's to show.
   */
  print(line: RenderedLine): void;
  /**
   * Shows all reactions to a message under it, in place of those of the last call; false where the log of that room has
   * no such message any more.
   */
  react(room: string, sequence: number, reactions: readonly PageReaction[]): boolean;
  /** The lines after the last one that still change: who came and went. They replace those of the last call. */
  setLive(lines: readonly RenderedLine[]): void;
  /** Empties the log of the current room. */
  clear(): void;
  /** All rooms in the user's order, the current one among them. */
  setRooms(rooms: readonly PageRoom[]): void;
  /** The people of the current room. */
  setPeople(people: readonly PagePerson[]): void;
  /** The state of room and connection. */
  setStatus(status: PageStatus): void;
  /** All transfers that are not over, in both directions. */
  setTransfers(transfers: readonly PageTransfer[]): void;
  /** Puts text back into the input, for example a message that could not be sent. */
  setInput(text: string): void;
  /** Asks one question; undefined if the user refused it. */
  ask(question: string, options: { readonly hidden: boolean }): Promise<string | undefined>;
  /** Says at once, also to a screen reader, what must not be overlooked: another server, another key behind a name. */
  alarm(text: string, hint?: string): void;
  /** Somebody wants the user's attention; `text` names sender and room, and never has the message. */
  notify(text: string): void;
  /** Has the user choose files, or all of a folder, because of what they just did; none where they do not want to. */
  chooseFiles(isFolder: boolean): Promise<readonly File[]>;
  /** Gives the user a received file; the browser asks or saves. */
  save(name: string, content: Blob): void;
  /** The chat is over, and only a reload begins another one. */
  ended(fault?: PageFault): void;
}

/** What went wrong, and what may help. */
export interface PageFault {
  readonly text: string;
  readonly hint?: string | undefined;
}

/** What some reacted to a message with. */
export interface PageReaction {
  /** What a command takes, and what is shown. */
  readonly emoji: string;
  readonly count: number;
  /** Who, as it is shown. */
  readonly names: string;
  /** Whether the user is one of them. */
  readonly own: boolean;
}

/** A room in the list. */
export interface PageRoom {
  /** As the core knows it; two rooms never have the same. NOT for showing. */
  readonly title: string;
  /** As it is shown. */
  readonly label: string;
  readonly topic: string;
  readonly current: boolean;
  readonly sealed: boolean;
  readonly unread: number;
  /** How many of the unread messages name the user. */
  readonly mentions: number;
}

/** Somebody in the current room. */
export interface PagePerson {
  /** As it is shown. */
  readonly name: string;
  /** What a command takes, for example in `/msg NAME`: quoted where it has blanks. */
  readonly typed: string;
  readonly own: boolean;
  /** Selects the color of the name, as in the spans of lines. */
  readonly color: number;
  /** False while the connection is lost and the place in the room is held. */
  readonly here: boolean;
  readonly note?: string | undefined;
  /** Moderates the room: who made it, or one whom that one made an op. */
  readonly rank?: "maker" | "op" | undefined;
  /** What the user knows of their key; absent where nothing is known, and nothing has to be: in a plain room. */
  readonly key?: KeyTrust | undefined;
  /** The other name under which the user remembers their device key, as it is shown. */
  readonly knownAs?: string | undefined;
  /** Of a sealed room: four groups of digits or words that both read to each other (`/verify NAME`). */
  readonly code?: string | undefined;
}

/** How room and connection are. */
export interface PageStatus {
  /** Title of the current room; undefined if there is none. */
  readonly room: string | undefined;
  readonly name: string;
  readonly connected: boolean;
  /** `connected 12 ms`, `reconnecting in 3 s…` */
  readonly connection: string;
  /** Who can read: `server can read`, `sealed`, `sealed, nobody has confirmed you`. */
  readonly privacy: string;
  readonly privacyLevel: "open" | "sealed" | "warning" | "danger";
  /** Of a sealed room: the code that every member sees, in groups. */
  readonly roomCode: string | undefined;
  /** `3 unsent`, `2 unconfirmed`; empty if nothing waits. */
  readonly waiting: readonly string[];
  /** `bob is typing`; empty if nobody is. */
  readonly typing: string;
}

/** A file on its way. */
export interface PageTransfer {
  /** What `/accept N`, `/reject N` and `/cancel N` take. */
  readonly n: number;
  readonly direction: "in" | "out";
  readonly name: string;
  readonly size: number;
  readonly done: number;
  /** Who sends it, safe to show; undefined for our own. */
  readonly sender: string | undefined;
  readonly room: string | undefined;
  readonly state: "offered" | "accepted" | "saving" | "sending";
  /** Why it does not move, in words. */
  readonly waiting: string | undefined;
}

/** What Tab shows for the text before the cursor. */
export interface PageCompletions {
  /** Index into the text, in UTF-16 units, where the completed word begins. */
  readonly start: number;
  readonly candidates: readonly string[];
}

/** An invite link to the current room. */
export interface PageInvite {
  /** `cmdchat://…` for the terminal client. */
  readonly terminal: string;
  /** `https://HOST/#…` for a browser; undefined where no server of this address has a page, as from a file. */
  readonly web: string | undefined;
  /** The QR code of the link to show, as rows of modules: true is dark. */
  readonly modules: readonly (readonly boolean[])[];
  /** What the link gives away, for example the secret of the room. */
  readonly notes: readonly string[];
}
