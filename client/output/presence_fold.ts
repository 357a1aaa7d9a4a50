// Who came and went since the last other line, as one line: "3 joined (bob, carol, dave), 1 left (erin)".

import { nameList, type SystemLine } from "../render/text.ts";

// In the order of the summary.
const VERBS = {
  joined: "joined",
  left: "left",
  away: "lost the link",
  back: "came back",
} as const;

type Coming = keyof typeof VERBS;

const NAMES_SHOWN = 8;

/** Whether a line tells of somebody's coming or going. */
export function isPresence(line: SystemLine): boolean {
  return line.event in VERBS && line.name !== undefined && !isMembership(line);
}

/** Whether a line tells who is in a sealed room: nobody may come into one unseen, whatever the settings say. */
export function isMembership({ sealed = false, event }: SystemLine): boolean {
  return sealed && (event === "joined" || event === "left");
}

/** Comings and goings in a row, all in one room. */
export class PresenceFold {
  #lines: SystemLine[] = [];

  /** Whether the line may be counted with those that wait. */
  fits({ room }: SystemLine): boolean {
    return this.#lines.every((line) => line.room === room);
  }

  /** Counts a line for which isPresence() and fits() hold. */
  add(line: SystemLine): void {
    this.#lines.push(line);
  }

  /** All that waits as one line; undefined where nothing does. */
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

  /** Forgets what waits. */
  clear(): void {
    this.#lines = [];
  }
}

function shortList(names: readonly string[]): string {
  const different = [...new Set(names)];
  const rest = different.length - NAMES_SHOWN;
  return nameList(different.slice(0, NAMES_SHOWN)) + (rest > 0 ? ` and ${rest} more` : "");
}
