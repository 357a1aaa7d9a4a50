/// <reference lib="dom" />
// Where the page's script begins, in the page and in its worker.

import { icon } from "./icons.ts";
import { byId, element } from "./element.ts";
import { tabTitle } from "./tab.ts";
import { workerUrl } from "./worker_url.ts";

workerUrl(document.currentScript?.textContent ?? "");
document.title = tabTitle({ unread: 0, mentions: 0 }, undefined);
byId("app", HTMLElement).append(
  element("p", {}, icon("lock"), " Join this server with the terminal client, cmdchat-client."),
);
