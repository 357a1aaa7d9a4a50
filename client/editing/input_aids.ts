// Tab completion and Ctrl-R over the input line: while one of them is open it sees each key first.

import type { UserKey } from "../terminal/key_reader.ts";
import { candidateLine, type Completer, Completion } from "./completion.ts";
import type { InputHistory } from "./input_history.ts";
import type { LineEditor } from "./line_editor.ts";
import { previousBoundary } from "../terminal/width.ts";

/** What completion and search work on. */
export interface InputAidsOptions {
  readonly editor: LineEditor;
  readonly history: InputHistory;
  readonly complete: Completer | undefined;
}

/** At most one open completion or search. */
export class InputAids {
  readonly #options: InputAidsOptions;
  #search: ReverseSearch | undefined;
  #completion: Completion | undefined;

  constructor(options: InputAidsOptions) {
    this.#options = options;
  }

  /** The open search, which is shown in place of the input. */
  get search(): ReverseSearch | undefined {
    return this.#search;
  }

  /** The candidates of the open completion in one line; undefined if none is open. */
  candidates(columns: number): string | undefined {
    if (this.#completion === undefined) return undefined;
    const { labels, index } = this.#completion;
    return candidateLine(labels, { chosen: index, columns });
  }

  /** Handles a key if a search or a completion is open and the key belongs to it. */
  takes(event: UserKey): boolean {
    if (this.#search !== undefined && this.#searchTakes(this.#search, event)) return true;
    if (this.#completion !== undefined && this.#completionTakes(this.#completion, event)) {
      return true;
    }
    this.#completion = undefined;
    return false;
  }

  /** Opens a search. */
  beginSearch(): void {
    this.#search = new ReverseSearch(this.#options.history);
  }

  /** Begins a completion at the cursor. */
  tab(direction: 1 | -1): void {
    const { complete, editor } = this.#options;
    if (complete === undefined) return;
    const found = Completion.find(complete, editor);
    if (found === undefined) return;
    this.#show(found.begin(direction));
    if (found.candidates.length > 1) this.#completion = found;
  }

  #searchTakes(search: ReverseSearch, event: UserKey): boolean {
    const step = search.handle(event);
    if (step === "stay") return true;
    this.#search = undefined;
    if (step === "accept" && search.text !== "") {
      this.#options.editor.set(search.text, search.cursor);
    }
    return step === "cancel";
  }

  #completionTakes(completion: Completion, event: UserKey): boolean {
    const key = event.kind === "key" ? event.key : "";
    if (key === "tab") this.#show(completion.step(1));
    else if (key === "shift-tab") this.#show(completion.step(-1));
    else if (key === "escape" || key === "ctrl-g") {
      this.#show(completion.undo());
      this.#completion = undefined;
    } else return false;
    return true;
  }

  #show({ text, cursor }: { readonly text: string; readonly cursor: number }): void {
    this.#options.editor.set(text, cursor);
  }
}

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
