// Tab completion: first the prefix that all candidates share, then each candidate in turn.

/** Replacements for the text from `start` to the cursor; no candidates = nothing fits. */
export interface Completions {
  /** Index into the text, in UTF-16 units, where the completed word begins. */
  readonly start: number;
  /** Whole replacements, in the order in which Tab shows them. */
  readonly candidates: readonly string[];
  /** The candidates in the form that is listed, if that differs. */
  readonly labels?: readonly string[];
}

/** Looks up completions of the text before the cursor (UTF-16 index); must not throw. */
export interface Completer {
  (text: string, cursor: number): Completions;
}

/** One round of completion, from the first Tab to the next key that is not Tab. */
export class Completion {
  readonly candidates: readonly string[];
  /** The candidates in the form that is listed. */
  readonly labels: readonly string[];
  /** Index of the candidate in the text; -1 while the text has only the shared prefix. */
  #index = -1;
  readonly #head: string;
  readonly #word: string;
  readonly #tail: string;

  private constructor(
    parts: { head: string; word: string; tail: string },
    found: readonly string[],
    labels: readonly string[] = found,
  ) {
    this.#head = parts.head;
    this.#word = parts.word;
    this.#tail = parts.tail;
    this.candidates = found;
    this.labels = labels;
  }

  /** Looks up candidates at the cursor; undefined if there are none. */
  static find(
    complete: Completer,
    input: { readonly text: string; readonly cursor: number },
  ): Completion | undefined {
    const { start, candidates, labels } = complete(input.text, input.cursor);
    if (candidates.length === 0 || start < 0 || start > input.cursor) return undefined;
    const parts = {
      head: input.text.slice(0, start),
      word: input.text.slice(start, input.cursor),
      tail: input.text.slice(input.cursor),
    };
    return labels === undefined
      ? new Completion(parts, [...new Set(candidates)])
      : new Completion(parts, candidates, labels);
  }

  /** Index of the candidate in the text; -1 while it has none of them. */
  get index(): number {
    return this.#index;
  }

  /** The text after the first Tab: the only candidate, the shared prefix, or (backwards) the last candidate. */
  begin(direction: 1 | -1): { readonly text: string; readonly cursor: number } {
    if (this.candidates.length === 1) return this.step(1);
    const shared = sharedStart(this.candidates);
    const grows = shared.length > this.#word.length && direction === 1;
    return grows ? this.#with(shared) : this.step(direction);
  }

  /** The text with the next or the previous candidate. */
  step(direction: 1 | -1): { readonly text: string; readonly cursor: number } {
    const count = this.candidates.length;
    const from = this.#index < 0 && direction < 0 ? count : this.#index;
    this.#index = (from + direction + count) % count;
    return this.#with(this.candidates[this.#index] as string);
  }

  /** The text as it was before the first Tab. */
  undo(): { readonly text: string; readonly cursor: number } {
    return this.#with(this.#word);
  }

  #with(word: string): { readonly text: string; readonly cursor: number } {
    const before = this.#head + word;
    return { text: before + this.#tail, cursor: before.length };
  }
}

function sharedStart(words: readonly string[]): string {
  const [first = "", ...others] = words;
  let length = first.length;
  for (const word of others) {
    while (!word.startsWith(first.slice(0, length))) length--;
  }
  // Never half of a surrogate pair.
  return first.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}

/** Candidates of a completion as one line; the chosen one is in brackets and always visible. */
export function candidateLine(
  candidates: readonly string[],
  options: { readonly chosen: number; readonly columns: number },
): string {
  const words = candidates.map((word, index) => index === options.chosen ? `[${word}]` : word);
  const all = words.join("  ");
  if (options.chosen <= 0 || all.length < options.columns) return all;
  return `… ${words.slice(options.chosen).join("  ")}`;
}
