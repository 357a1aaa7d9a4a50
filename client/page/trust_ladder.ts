/// <reference lib="dom" />
// How far a page can be trusted, said plainly: a server can send a different page, once, to one person.

import { element } from "./element.ts";

interface Rung {
  readonly name: string;
  readonly words: string;
}

const RUNGS = {
  terminal: {
    name: "The terminal client",
    words: "A program that you installed. No server can change it.",
  },
  kept: {
    name: "A page that you keep as a file",
    words:
      "No server can change it after you saved it. It is the right one if its SHA-256 is the one that the release publishes.",
  },
  served: {
    name: "A page that a server sends you",
    words:
      "Encryption happens in it, but whoever runs the server, or breaks into it, can send you another page that gives your messages away, just once and only to you. You would not notice.",
  },
} as const satisfies Record<string, Rung>;

/** The ladder of trust, the step on which this page stands marked. */
export function trustLadder(isServed: boolean): HTMLElement {
  const here = isServed ? "served" : "kept";
  return element(
    "ol",
    { class: "ladder", attributes: { role: "list" } },
    ...Object.entries(RUNGS).map(([key, { name, words }]) =>
      element(
        "li",
        {
          class: key === here ? "here" : "",
          attributes: { "aria-current": key === here ? "step" : undefined },
        },
        element("strong", {}, name),
        key === here ? element("span", { class: "you" }, "you are here") : undefined,
        element("p", {}, words),
      )
    ),
  );
}
