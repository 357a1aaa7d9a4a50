// Tells a pasted text from typed keys where the terminal does not (no bracketed paste, `tmux paste-buffer`): keys that
// come faster than fingers are a burst. Enter with more text behind it in a burst is a line break of that text, so that
// no part of a paste is sent unasked.

import type { UserKey } from "../terminal/key_reader.ts";
import type { Timers } from "../terminal/paint_scheduler.ts";

/** Keys with a shorter pause belong to one burst: far below two keys of a person, above what a terminal splits. */
const BURST_MS = 30;
/** A burst that turned out to be a paste ends after this pause: a slow connection delivers it in pieces. */
const PASTE_MS = 500;

/** What it needs. */
export interface KeyBurstOptions {
  readonly timers: Timers;
  /** Receives the keys; line breaks and tabs of a paste as text. */
  readonly deliver: (keys: readonly UserKey[]) => void;
}

/** Passes keys on, with what ends a burst, Enter or a key that ends the program, held back until nothing follows it. */
export class KeyBurst {
  readonly #options: KeyBurstOptions;
  #state: "idle" | "burst" | "paste" = "idle";
  #held: readonly UserKey[] = [];
  #cancel: (() => void) | undefined;

  constructor(options: KeyBurstOptions) {
    this.#options = options;
  }

  /** Takes the keys of one read. */
  take(keys: readonly UserKey[]): void {
    if (keys.length === 0) return;
    this.#cancel?.();
    const all = [...this.#held, ...keys];
    // What is held had text before it.
    let isAfterText = this.#held.length > 0 || this.#state !== "idle";
    const held: UserKey[] = [];
    if (hasLineBreak(all, isAfterText)) this.#state = "paste";
    const passed: UserKey[] = [];
    const lastText = all.findLastIndex(({ kind }) => kind === "text");
    for (const [index, key] of all.entries()) {
      const next = all[index + 1];
      if (this.#state === "paste" && isEnding(key)) {
        if (index > lastText) held.push(key);
      } else if (!isKey(key, "enter")) passed.push(this.#state === "paste" ? asPasted(key) : key);
      else if (this.#state === "paste") passed.push({ kind: "text", text: "\n" });
      else if (next === undefined && isAfterText) held.push(key);
      else passed.push(key);
      if (key.kind === "text") isAfterText = true;
      if (isAfterText && this.#state === "idle") this.#state = "burst";
    }
    this.#held = held;
    this.#wait();
    this.#options.deliver(passed);
  }

  /** Stops the timer. */
  stop(): void {
    this.#cancel?.();
  }

  #wait(): void {
    const pause = this.#state === "paste" ? PASTE_MS : BURST_MS;
    this.#cancel = this.#options.timers.after(pause, () => this.#end());
  }

  #end(): void {
    this.#state = "idle";
    const held = this.#held;
    this.#held = [];
    if (held.length > 0) this.#options.deliver(held);
  }
}

/** Whether there is an Enter between two texts. */
function hasLineBreak(keys: readonly UserKey[], isAfterText: boolean): boolean {
  const first = isAfterText ? 0 : keys.findIndex(({ kind }) => kind === "text");
  const last = keys.findLastIndex(({ kind }) => kind === "text");
  return first >= 0 &&
    keys.some((key, index) => index >= first && index < last && isKey(key, "enter"));
}

function isKey(event: UserKey, key: string): boolean {
  return event.kind === "key" && event.key === key;
}

/** Keys that end or stop the program: in the midst of a paste they are bytes of a file, and its rest would be commands of the shell. */
function isEnding(event: UserKey): boolean {
  return event.kind === "key" && ["ctrl-c", "ctrl-d", "ctrl-z"].includes(event.key);
}

function asPasted(key: UserKey): UserKey {
  return isKey(key, "tab") ? { kind: "text", text: "\t" } : key;
}
