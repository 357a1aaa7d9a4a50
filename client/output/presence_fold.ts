// Folds joins and leaves since the last other line into one: "3 joined (bob, carol, dave), 1 left (erin)".

import { nameList, type SystemLine } from "../render/text.ts";

// In the order of the summary.
const VERBS = {
  joined: "joined",
  left: "left",
  away: "lost the connection",
  back: "came back",
} as const;

type Coming = keyof typeof VERBS;

const NAMES_SHOWN = 8;

/** Whether a line reports that somebody came or went. */
export function isPresence(line: SystemLine): boolean {
  return line.event in VERBS && line.name !== undefined && !isMembership(line);
}

/** Whether a line reports a new member of a sealed room, or one less: no setting hides those. */
export function isMembership({ sealed = false, event }: SystemLine): boolean {
  return sealed && (event === "joined" || event === "left");
}

/** Consecutive joins and leaves of one room. */
export class PresenceFold {
  #lines: SystemLine[] = [];

  /** Whether the line can be folded with those that wait. */
  fits({ room }: SystemLine): boolean {
    return this.#lines.every((line) => line.room === room);
  }

  /** Adds a line for which isPresence() and fits() hold. */
  add(line: SystemLine): void {
    this.#lines.push(line);
  }

  /** All waiting lines as one; undefined if there are none. */
  get summary(): SystemLine | undefined {
    const last = this.#lines.at(-1);
    if (last === undefined || this.#lines.length === 1) return last;
    const parts = (Object.keys(VERBS) as Coming[]).flatMap((event) => {
      const names = this.#lines.filter((line) => line.event === event).map(({ name }) =>
        name ?? ""
      );
      return names.length === 0 ? [] : [`${names.length} ${VERBS[event]} (${shortList(names)})`];
    });
    return { ...last, event: "presence", text: `${parts.join(", ")}.` };
  }

  /** Drops the waiting lines. */
  clear(): void {
    this.#lines = [];
  }
}

function shortList(names: readonly string[]): string {
  const different = [...new Set(names)];
  const rest = different.length - NAMES_SHOWN;
  return nameList(different.slice(0, NAMES_SHOWN)) + (rest > 0 ? ` and ${rest} more` : "");
}
