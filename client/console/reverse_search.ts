// Ctrl-R: finds the newest entry of the input history that contains the typed text; Ctrl-R again finds older ones.
import type { UserKey } from "../terminal/key_reader.ts";
import type { InputHistory } from "./input_history.ts";
import { previousBoundary } from "../terminal/width.ts";

/** What a key does: stays in the search, ends it with the found text, or ends it without. */
export type SearchStep = "stay" | "accept" | "cancel";

const CANCEL = new Set(["ctrl-c", "ctrl-g", "escape"]);

/** One search, from Ctrl-R to the key that ends it. */
export class ReverseSearch {
  readonly #history: InputHistory;
  #query = "";
  #match: { readonly index: number; readonly text: string } | undefined;
  #failed = false;

  constructor(history: InputHistory) {
    this.#history = history;
  }

  /** The prompt during the search. */
  get prompt(): string {
    return `${this.#failed ? "no match" : "search"} "${this.#query}": `;
  }

  /** The found entry; "" before there is one. */
  get text(): string {
    return this.#match?.text ?? "";
  }

  /** Index of the found text in the entry. */
  get cursor(): number {
    const at = this.text.toLowerCase().indexOf(this.#query.toLowerCase());
    return Math.max(0, at);
  }

  /** Handles a key; after "accept" the caller handles the same key as an ordinary one. */
  handle(event: UserKey): SearchStep {
    if (event.kind === "pause") return "stay";
    if (event.kind !== "key") {
      this.#find(this.#query + event.text.replaceAll("\n", " "), undefined);
    } else if (event.key === "ctrl-r") {
      this.#find(this.#query, this.#match?.index);
    } else if (event.key === "backspace") {
      this.#find(
        this.#query.slice(0, previousBoundary(this.#query, this.#query.length)),
        undefined,
      );
    } else {
      return CANCEL.has(event.key) ? "cancel" : "accept";
    }
    return "stay";
  }

  #find(query: string, before: number | undefined): void {
    this.#query = query;
    const found = this.#history.search(query, before);
    this.#failed = found === undefined && query !== "";
    if (found !== undefined || query === "") this.#match = found;
  }
}
