// vi's commands as they are typed: a count, an operator, another count, and a command or a motion.

import { isLineMotion } from "./vi_motions.ts";

/** A command, with 0 for no count and "" for no operator. */
export interface ViCommand {
  readonly count: number;
  readonly operator: string;
  /** The command, or where an operator leads: a motion, or the operator once more for whole lines. */
  readonly rest: string;
}

/** Largest count: what is above types itself forever. */
const MAX_COUNT = 999;
/** What more keys belong to: a letter that is searched or put, a motion of two letters, a word around the cursor. */
const BEGINNINGS = /^[fFtTrg]$/;
const BEGINNINGS_OF_RANGES = /^[fFtTgia]$/;
const CHANGES = /^[xXDCsSrpPiIaAoO~]/;

/** Whether a command changes the text, so that `.` does it again. */
export function isChange({ operator, rest }: ViCommand): boolean {
  return operator === "" ? CHANGES.test(rest) : operator !== "y";
}

/** A command that is complete; undefined where more is to come. What is no command does nothing. */
export function parseCommand(typed: string): ViCommand | undefined {
  const [, first = "", operator = "", second = "", rest = ""] =
    /^([1-9]\d*)?([dcy])?([1-9]\d*)?(.*)$/su.exec(typed) ?? [];
  if (rest === "" || (operator === "" ? BEGINNINGS : BEGINNINGS_OF_RANGES).test(rest)) {
    return undefined;
  }
  // Counts multiply, as in 2d3w.
  const count = first === "" && second === "" ? 0 : Number(first || 1) * Number(second || 1);
  return { count: isLineMotion(rest) ? count : Math.min(MAX_COUNT, count), operator, rest };
}

/** A key right behind Escape comes as Alt and that key. Alt and a digit goes to a room, and Alt-Enter to a new row. */
export function keyBehindEscape(key: string): string | undefined {
  return /^alt-([^1-9])$/u.exec(key)?.[1];
}
