/// <reference lib="dom" />
// Where the page's script begins.

import { TabAttention } from "./attention.ts";
import { byId, element } from "./element.ts";
import { brand } from "./start_screen.ts";

new TabAttention();
byId("app", HTMLElement).replaceChildren(
  element(
    "main",
    { class: "start" },
    brand(),
    element("p", { class: "lead" }, "Join this server with the terminal client, cmdchat-client."),
  ),
);
