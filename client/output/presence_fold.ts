// Folds joins and leaves since the last other line into one: "2 joined (bob, carol), erin left". Each person counts once,
// with what they did last.

import { nameKey } from "../../shared/text/names.ts";
import { nameList, type SystemLine } from "../render/text.ts";

// In the order of the summary.
const VERBS = {
  joined: "joined",
  left: "left",
  away: "lost the connection",
  back: "came back",
} as const;

type Presence = keyof typeof VERBS;

const PRESENCES = Object.keys(VERBS) as Presence[];
const NAMES_SHOWN = 8;
// A server can announce people without end: then one line follows the other.
const PEOPLE_MAX = 10_000;

/** Whether a line reports that somebody came or went. */
export function isPresence(line: SystemLine): boolean {
  return line.event in VERBS && line.name !== undefined && !isMembership(line);
}

/** Whether a line reports a new member of a sealed room, or one less: no setting hides those. */
export function isMembership({ sealed = false, event }: SystemLine): boolean {
  return sealed && (event === "joined" || event === "left");
}

/** Consecutive joins and leaves of one room. Adding is constant in time: a crowd may come at once. */
export class PresenceFold {
  /** Names by their key, for each presence; a person is in one of the maps. */
  readonly #names = new Map(PRESENCES.map((presence) => [presence, new Map<string, string>()]));
  #last: SystemLine | undefined;
  #count = 0;

  /** Whether the line can be folded with those that wait. */
  fits({ room }: SystemLine): boolean {
    if (this.#last === undefined) return true;
    return this.#last.room === room && this.#people < PEOPLE_MAX;
  }

  get #people(): number {
    return PRESENCES.reduce((sum, presence) => sum + (this.#names.get(presence)?.size ?? 0), 0);
  }

  /** Adds a line for which isPresence() and fits() hold. */
  add(line: SystemLine): void {
    const name = line.name ?? "";
    const key = nameKey(name);
    for (const names of this.#names.values()) names.delete(key);
    this.#names.get(line.event as Presence)?.set(key, name);
    this.#last = line;
    this.#count++;
  }

  /** All waiting lines as one; undefined if there are none. */
  get summary(): SystemLine | undefined {
    if (this.#last === undefined || this.#count === 1) return this.#last;
    const parts = [...this.#names].flatMap(([presence, names]) =>
      names.size === 0 ? [] : [partOf(names, VERBS[presence])]
    );
    return { ...this.#last, event: "presence", text: `${parts.join(", ")}.` };
  }

  /** Drops the waiting lines. */
  clear(): void {
    for (const names of this.#names.values()) names.clear();
    this.#last = undefined;
    this.#count = 0;
  }
}

/** A single person is named without a count, as in a line of their own. */
function partOf(names: ReadonlyMap<string, string>, verb: string): string {
  const list = shortList(names);
  return names.size === 1 ? `${list} ${verb}` : `${names.size} ${verb} (${list})`;
}

function shortList(names: ReadonlyMap<string, string>): string {
  const shown = nameList([...names.values().take(NAMES_SHOWN)]);
  const rest = names.size - NAMES_SHOWN;
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
