// Tells somebody who hosts who came and who left. It compares the members with the former ones now and then: changes in
// between cost nothing, and no flood of newcomers scrolls the links away.

import { nameInSentence } from "../../shared/text/names.ts";
import { sanitizeLine } from "../../shared/base/sanitize.ts";

/** Somebody who is connected, or whose connection was lost a moment ago. */
export interface Person {
  readonly id: number;
  readonly name: string;
  readonly isAway: boolean;
}

// More changes at once than this are shown as numbers.
const LINES_MAX = 5;

/** Compares who is here with who was. */
export class PeopleWatch {
  #before = new Map<number, Person>();

  /** What has changed since the last call, a line each. */
  changes(people: readonly Person[]): string[] {
    const before = this.#before;
    const now = new Map(people.map((person) => [person.id, person]));
    this.#before = now;
    const left = [...before.values()].filter(({ id }) => !now.has(id));
    const came = people.filter(({ id }) => !before.has(id));
    const lines = [
      ...left.map(({ name }) => `${shown(name)} left`),
      ...came.map(({ name }) => `${shown(name)} is here`),
      ...people.flatMap((person) => changeOf(before.get(person.id), person)),
    ];
    if (lines.length === 0) return [];
    const count = countText(people.length);
    if (lines.length > LINES_MAX) return [`${came.length} came, ${left.length} left; ${count}`];
    const [last = "", ...rest] = lines.reverse();
    const isCounted = left.length + came.length > 0;
    return [...rest.reverse(), isCounted ? `${last}; ${count}` : last];
  }
}

function countText(count: number): string {
  if (count === 0) return "nobody is here";
  return count === 1 ? "1 person is here" : `${count} people are here`;
}

function changeOf(before: Person | undefined, now: Person): string[] {
  if (before === undefined) return [];
  const renamed = before.name === now.name
    ? []
    : [`${shown(before.name)} is called ${shown(now.name)} now`];
  if (before.isAway === now.isAway) return renamed;
  const returned = now.isAway ? "lost the connection" : "is back";
  return [...renamed, `${shown(now.name)} ${returned}`];
}

function shown(name: string): string {
  return nameInSentence(sanitizeLine(name));
}
