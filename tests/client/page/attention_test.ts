import assert from "node:assert/strict";
import { tabIcon, tabTitle } from "../../../client/page/attention.ts";

Deno.test("the tab's title counts what waits, and says whether it names the user", () => {
  assert.equal(tabTitle({ unread: 0, mentions: 0 }, undefined), "cmdchat");
  assert.equal(tabTitle({ unread: 0, mentions: 0 }, "den"), "den · cmdchat");
  assert.equal(tabTitle({ unread: 3, mentions: 0 }, "den"), "(3) den · cmdchat");
  assert.equal(tabTitle({ unread: 3, mentions: 1 }, "den"), "(3!) den · cmdchat");
  assert.equal(tabTitle({ unread: 100, mentions: 0 }, "den"), "(99+) den · cmdchat");
});

Deno.test("the tab's icon has a dot where something waits, of another color for the user's name", () => {
  const icons = [[0, 0], [1, 0], [1, 1]].map(([unread = 0, mentions = 0]) =>
    tabIcon({ unread, mentions })
  );
  assert.equal(new Set(icons).size, 3);
  assert.ok(icons.every((icon) => /^data:image\/svg\+xml,<svg [^#"]*<\/svg>$/.test(icon)));
});
