/// <reference lib="dom" />
// Where the page's script begins: the page, and in a worker the part of a sealed room that seals.

import "../sealed_engine/worker.ts";
import { runPage } from "../web/page_chat.ts";
import { DomView } from "./dom_view.ts";
import { workerUrl } from "../web/worker_url.ts";

if ("document" in globalThis) {
  const worker = workerUrl(document.currentScript?.textContent ?? "");
  const forgetLink = () => history.replaceState(null, "", location.pathname);
  void runPage((actions) => new DomView(actions), {
    page: () => new URL(location.href),
    worker,
    forgetLink,
    restart: () => location.reload(),
  });
}
