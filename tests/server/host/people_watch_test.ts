import assert from "node:assert/strict";
import { PeopleWatch } from "../../../server/host/people_watch.ts";

function person(id: number, name: string, isAway = false) {
  return { id, name, isAway };
}

Deno.test("who comes, leaves, is renamed, loses the connection and is back has a line each", () => {
  const watch = new PeopleWatch();
  assert.deepEqual(watch.changes([]), []);
  assert.deepEqual(watch.changes([person(1, "alice")]), ["alice is here; 1 person is here"]);
  assert.deepEqual(watch.changes([person(1, "alice")]), []);
  assert.deepEqual(watch.changes([person(1, "alice"), person(2, "bob"), person(3, "eve")]), [
    "bob is here",
    "eve is here; 3 people are here",
  ]);
  assert.deepEqual(watch.changes([person(1, "al"), person(3, "eve", true)]), [
    "bob left",
    "alice is called al now",
    "eve lost the connection; 2 people are here",
  ]);
  assert.deepEqual(watch.changes([person(1, "al"), person(3, "eve")]), ["eve is back"]);
});

Deno.test("a flood of people is one line, and no name acts on the terminal or passes for a sentence", () => {
  const watch = new PeopleWatch();
  const crowd = Array.from({ length: 1_000 }, (_, n) => person(n, `p${n}`));
  assert.deepEqual(watch.changes(crowd), ["1000 came, 0 left; 1000 people are here"]);
  assert.deepEqual(watch.changes([]), ["0 came, 1000 left; nobody is here"]);
  const [line = ""] = watch.changes([person(1, "\x1b[2Jbob left;\n0 people")]);
  assert.match(line, /^".*bob left;.*" is here; 1 person is here$/);
  // deno-lint-ignore no-control-regex -- what must not be there
  assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f]/);
});
