// Folds the reactions to one message since the last other line into one: "#12  👍 2 (bob, carol)  🎉 1 (dave)".

import { nameList, type ReactionCount, type SystemLine } from "../render/text.ts";

/** Shows all reactions to a message at the message; false where the message is not shown any more. */
export type ShowReactions = (
  room: string,
  sequence: number,
  reactions: readonly ReactionCount[],
) => boolean;

const NAMES_SHOWN = 8;

/** Whether a line reports that somebody reacted to a message, or took that back. */
export function isReactionLine(line: SystemLine): boolean {
  return line.event === "reacted" && line.sequence !== undefined;
}

/** All reactions to one message in one line. */
export function reactionSummary(
  sequence: number,
  reactions: readonly ReactionCount[],
): string {
  if (reactions.length === 0) return `#${sequence}  no reactions any more`;
  const kinds = reactions.map(({ emoji, names }) =>
    `${emoji} ${names.length} (${shortList(names)})`
  );
  return [`#${sequence}`, ...kinds].join("  ");
}

function shortList(names: readonly string[]): string {
  const rest = names.length - NAMES_SHOWN;
  const shown = nameList(names.slice(0, NAMES_SHOWN));
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}

/** The reactions to one message, as long as nothing else was shown. */
export class ReactionFold {
  #last: SystemLine | undefined;
  #isEmpty = false;

  /** Whether the line is about the message of those that wait. */
  fits({ room, sequence }: SystemLine): boolean {
    return this.#last === undefined ||
      (this.#last.room === room && this.#last.sequence === sequence);
  }

  /** Takes a line for which fits() holds. */
  add(line: SystemLine): void {
    const { sequence = 0, reactions = [] } = line;
    // What came and went while it could still be changed leaves nothing.
    this.#isEmpty = this.#last !== undefined && reactions.length === 0;
    this.#last = { ...line, text: reactionSummary(sequence, reactions) };
  }

  /** What waits, as one line; undefined if there is nothing. */
  get summary(): SystemLine | undefined {
    return this.#isEmpty ? undefined : this.#last;
  }

  /** Drops it. */
  clear(): void {
    this.#last = undefined;
    this.#isEmpty = false;
  }
}
