import assert from "node:assert/strict";
import { RecentAuthors } from "../../../server/room/recent_authors.ts";
import { AUTHORS_REMEMBERED } from "../../../server/config/limits.ts";

const said = (sequence: number, client: number, text = "") => (
  { sequence, client, name: "ann", text }
);

Deno.test("who said a message is known for the last ones only", () => {
  const authors = new RecentAuthors();
  assert.equal(authors.of(1), undefined);
  const last = AUTHORS_REMEMBERED + 5;
  for (let sequence = 1; sequence <= last; sequence++) authors.add(said(sequence, sequence % 7));
  assert.equal(authors.of(5), undefined);
  assert.equal(authors.of(6), 6);
  assert.equal(authors.of(last), last % 7);
  assert.equal(authors.of(last + 1), undefined);
  assert.equal(authors.of(0), undefined);
});

Deno.test("what was taken back is nobody's any more", () => {
  const authors = new RecentAuthors();
  authors.add(said(1, 3, "soup"));
  authors.forget(1);
  authors.forget(2);
  assert.equal(authors.of(1), undefined);
  assert.equal(authors.says({ sequence: 1, name: "ann", text: "soup" }), false);
});

Deno.test("says() knows who said what, as it is now, also in the process that goes on", () => {
  const authors = new RecentAuthors();
  authors.add(said(1, 3, "soup"));
  authors.add(said(2, 4, "bread"));
  authors.revise({ sequence: 2, name: "bob", text: "cake" });
  authors.revise({ sequence: 9, name: "bob", text: "cake" });
  const next = new RecentAuthors();
  next.restore(authors.snapshot);
  for (const each of [authors, next]) {
    assert.equal(each.says({ sequence: 1, name: "ann", text: "soup" }), true);
    assert.equal(each.says({ sequence: 1, name: "bob", text: "soup" }), false);
    assert.equal(each.says({ sequence: 1, name: "ann", text: "bread" }), false);
    assert.equal(each.says({ sequence: 2, name: "ann", text: "bread" }), false);
    assert.equal(each.says({ sequence: 2, name: "bob", text: "cake" }), true);
    assert.equal(each.says({ sequence: 3, name: "ann", text: "" }), false);
  }
  assert.deepEqual(next.snapshot, authors.snapshot);
});

Deno.test("says() does not take the beginning of a text for the end of its author's name", () => {
  const authors = new RecentAuthors();
  authors.add(said(1, 3, "no\nsoup"));
  for (const [name, text] of [["ann\nno", "soup"], ["an", "nno\nsoup"], ["annno\n", "soup"]]) {
    assert.equal(authors.says({ sequence: 1, name: name!, text: text! }), false);
  }
  assert.equal(authors.says({ sequence: 1, name: "ann", text: "no\nsoup" }), true);
});
