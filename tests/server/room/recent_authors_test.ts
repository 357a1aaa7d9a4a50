import assert from "node:assert/strict";
import { RecentAuthors } from "../../../server/room/recent_authors.ts";
import { AUTHORS_REMEMBERED } from "../../../server/config/limits.ts";

Deno.test("who said a message is known for the last ones only", () => {
  const authors = new RecentAuthors();
  assert.equal(authors.of(1), undefined);
  const last = AUTHORS_REMEMBERED + 5;
  for (let sequence = 1; sequence <= last; sequence++) authors.add(sequence, sequence % 7);
  assert.equal(authors.of(5), undefined);
  assert.equal(authors.of(6), 6);
  assert.equal(authors.of(last), last % 7);
  assert.equal(authors.of(last + 1), undefined);
  assert.equal(authors.of(0), undefined);
});

Deno.test("what was taken back is nobody's any more", () => {
  const authors = new RecentAuthors();
  authors.add(1, 3);
  authors.forget(1);
  authors.forget(2);
  assert.equal(authors.of(1), undefined);
});
