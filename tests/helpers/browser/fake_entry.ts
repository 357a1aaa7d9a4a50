/// <reference lib="dom" />
// The page with a core that does nothing but remember: a test says what the view is told, and reads what it did.

import { DomView } from "../../../client/page/dom_view.ts";
import type { PageActions } from "../../../client/web/page_actions.ts";

declare global {
  /** The view. */
  var view: DomView;
  /** What the view told the core: name of the action, and what it was given. */
  var told: unknown[][];
  /** What the page's policy forbade. */
  var violations: string[];
}

globalThis.told = [];
globalThis.violations = [];
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  violations.push(`${violatedDirective} ${blockedURI}`);
});

const INVITE = {
  terminal: "cmdchat://chat.example.org/den#fp=KjGkPq4mVvBgW1Qhp7YvX2N5dLr0sTzUcEfA9oIw3Mk",
  web: "https://chat.example.org/#den&fp=KjGkPq4mVvBgW1Qhp7YvX2N5dLr0sTzUcEfA9oIw3Mk",
  modules: Array.from(
    { length: 25 },
    (_, y) => Array.from({ length: 25 }, (_, x) => (x * 7 + y * 11 + x * y) % 3 === 0),
  ),
  notes: ["Whoever has this link can join and read: give it to nobody else."],
};

const actions: PageActions = {
  entered: (text) => void told.push(["entered", text]),
  typing: (text) => void told.push(["typing", text]),
  goTo: (title) => void told.push(["goTo", title]),
  sendFiles: (files, line) =>
    void told.push([
      "sendFiles",
      line,
      ...files.map((file) => `${file.name} ${"size" in file ? file.size : "folder"}`),
    ]),
  complete: (text, cursor) => {
    const start = text.slice(0, cursor).lastIndexOf(" ") + 1;
    const words = ["alice", "alan", "bob", "/join"];
    return {
      start,
      candidates: words.filter((word) => word.startsWith(text.slice(start, cursor))),
    };
  },
  invite: () => INVITE,
  setNotices: (which) => void told.push(["setNotices", which]),
  wake: () => void told.push(["wake"]),
  quit: () => void told.push(["quit"]),
};

globalThis.view = new DomView(actions);
