import assert from "node:assert/strict";
import { InputHistory } from "../../../client/editing/input_history.ts";

const LINK = "cmdchat://h:1/room#fp=AAAA&token=hunter2";

Deno.test("a command that is only about a link with a secret is not kept; a text with one is", () => {
  const history = new InputHistory();
  for (
    const text of [`/join ${LINK}`, `/JION  ${LINK} `, `/j ${LINK.replace("token", "secret")}`]
  ) {
    history.add(text);
    assert.equal(history.older(""), undefined, text);
    assert.equal(history.search("hunter2"), undefined, text);
  }
  const kept = ["/join cmdchat://h:1/room", "/join lobby", `/msg bob ${LINK}`, LINK, `//x ${LINK}`];
  for (const text of kept) {
    history.add(text);
    assert.equal(history.older(""), text);
    history.leave();
  }
});
