/// <reference lib="dom" />

// What a browser makes of the page that a server sends: it obeys the policy, asks for nothing else and keeps nothing.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Frame, Page } from "puppeteer-core";
import { pageFields } from "../../../server/web/page_policy.ts";
import { BROWSERS, startBrowser, whyNoBrowser } from "../../helpers/browser/browsers.ts";
import { builtPage, startPageServer } from "../../helpers/browser/served_page.ts";
import { skipIf, skipWithout } from "../../helpers/repo/skip.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";

/** What comes of what the page may not do. */
interface Outcome {
  /** Directives that were violated. */
  readonly violated: readonly string[];
  /** Attempts that were not refused on the spot. */
  readonly made: readonly string[];
  /** Whether a script of somebody else ran, and whether a style of theirs is in use. */
  readonly isOwned: boolean;
  readonly isHidden: boolean;
  readonly baseURI: string;
}

/** Runs in the page: tries what it may not do. `elsewhere`: another server. */
async function tryForbidden(elsewhere: string): Promise<Outcome> {
  const violated = new Set<string>();
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
    violated.add(effectiveDirective);
  });
  const made: string[] = [];
  const add = (tag: string, change: (element: HTMLElement) => void) => {
    const element = document.createElement(tag);
    change(element);
    document.body.append(element);
    return new Promise((resolve) => {
      element.addEventListener("error", () => resolve(undefined));
      element.addEventListener("load", () => resolve(undefined));
      setTimeout(resolve, 300);
    });
  };
  const attempts: Readonly<Record<string, () => unknown>> = {
    "inline script": () => add("script", (script) => script.append("owned = true")),
    "foreign script": () => add("script", (script) => script.setAttribute("src", elsewhere)),
    style: () => add("style", (style) => style.append("h1 { display: none }")),
    attribute: () => add("b", (bold) => bold.setAttribute("onclick", "owned = true")),
    picture: () => add("img", (picture) => picture.setAttribute("src", elsewhere)),
    frame: () => add("iframe", (frame) => frame.setAttribute("src", elsewhere)),
    object: () => add("object", (object) => object.setAttribute("data", elsewhere)),
    film: () => add("video", (film) => film.setAttribute("src", elsewhere)),
    "foreign style": () =>
      add("link", (link) => {
        link.setAttribute("rel", "stylesheet");
        link.setAttribute("href", elsewhere);
      }),
    prefetch: () =>
      add("link", (link) => {
        link.setAttribute("rel", "prefetch");
        link.setAttribute("href", elsewhere);
      }),
    form: () => {
      const form = document.createElement("form");
      form.action = elsewhere;
      document.body.append(form);
      form.submit();
    },
    "link to a script": () =>
      add("a", (link) => {
        link.setAttribute("href", "javascript:owned=true");
        link.click();
      }),
    // As if somebody opened a file that they got: it has the page's origin, and its policy.
    "file of somebody": () =>
      new Promise((resolve) => {
        const script = "<script>try { opener.owned = true } catch {} ; owned = true</script>";
        const address = URL.createObjectURL(new Blob([script], { type: "text/html" }));
        const opened = open(address);
        setTimeout(() => {
          if (opened !== null && "owned" in opened) Object.assign(globalThis, { owned: true });
          opened?.close();
          resolve(undefined);
        }, 300);
      }),
    font: () => new FontFace("f", `url(${elsewhere})`).load(),
    beacon: () => navigator.sendBeacon(elsewhere, "x"),
    events: () =>
      new Promise((resolve, reject) => {
        const source = new EventSource(elsewhere);
        source.onopen = resolve;
        source.onerror = () => (source.close(), reject(new Error("refused")));
      }),
    base: () => add("base", (base) => base.setAttribute("href", elsewhere)),
    request: () => fetch(elsewhere),
    socket: () =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(elsewhere.replace("http", "ws"));
        socket.onopen = resolve;
        socket.onerror = reject;
      }),
    worker: () => new Worker("data:text/javascript,1"),
    markup: () => document.body.insertAdjacentHTML("beforeend", "<b>x</b>"),
    eval: () => globalThis.eval("owned = true"),
    policy: () => {
      const { trustedTypes } = globalThis as unknown as {
        trustedTypes: { createPolicy(name: string, rules: object): unknown };
      };
      trustedTypes.createPolicy("another", {});
    },
  };
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
      made.push(name);
    } catch {
      // Refused.
    }
  }
  document.querySelectorAll("b").forEach((bold) => bold.click());
  const heading = document.querySelector("h1");
  return {
    violated: [...violated],
    made,
    isOwned: "owned" in globalThis,
    isHidden: heading !== null && getComputedStyle(heading).display === "none",
    baseURI: document.baseURI,
  };
}

/** Another server, which answers nothing and counts what it is asked. */
class Elsewhere implements Disposable {
  bytes = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns: Deno.Conn[] = [];

  constructor() {
    void this.#serve().catch(() => {});
  }

  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}/`;
  }

  async #serve(): Promise<void> {
    for await (const conn of this.#listener) {
      this.#conns.push(conn);
      void conn.read(new Uint8Array(1_024)).then((count) => this.bytes += count ?? 0, () => {});
    }
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    this.#conns.forEach((conn) => conn.close());
  }
}

/** Runs in the page: everything that could outlive it. */
async function keptThings(): Promise<readonly unknown[]> {
  return [
    document.cookie,
    localStorage.length,
    sessionStorage.length,
    (await indexedDB.databases()).length,
    (await caches.keys()).length,
    (await navigator.serviceWorker.getRegistrations()).length,
  ];
}

/** Whether the form is there in frames of another site's page: of the page at `origin`, and of a copy without its headers. */
async function framed(page: Page, origin: string): Promise<readonly boolean[]> {
  const copy = await builtPage();
  const around = `<iframe src="${origin}"></iframe><iframe src="/copy"></iframe>`;
  const headers = { "content-type": "text/html" };
  await using site = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    ({ url }) => new Response(url.endsWith("/copy") ? copy : around, { headers }),
  );
  await page.goto(`http://127.0.0.1:${site.addr.port}/`);
  const hasForm = (frame: Frame) => frame.evaluate(() => document.querySelector("#name") !== null);
  return await Promise.all(page.frames().slice(1).map(hasForm));
}

skipWithout("openssl")(
  "every field of the page's policy reaches a client over TLS, and the page is the one that was built",
  async () => {
    await using certificate = await makeCertificate();
    const { certFile, keyFile, cert } = certificate;
    await using served = await startPageServer({
      scheme: "https",
      args: ["--certfile", certFile, "--keyfile", keyFile],
    });
    using client = Deno.createHttpClient({ caCerts: [cert] });
    const response = await fetch(served.origin, { client });
    const html = await response.text();
    assert.ok(html === await builtPage());
    // Else Chromium looks up the host of each link that somebody sends, which tells its owner who reads it.
    assert.match(html, /<meta http-equiv="x-dns-prefetch-control" content="off">/);
    const [, script = ""] = /<script>([^]*)<\/script>/.exec(html) ?? [];
    const [, style = ""] = /<style>([^]*?)<\/style>/.exec(html) ?? [];
    for (const [name, value] of pageFields({ script, style })) {
      assert.equal(response.headers.get(name), value, name);
    }
    assert.equal(response.headers.get("set-cookie"), null);
    const hash = createHash("sha256").update(html).digest("hex");
    await served.server.printed(new RegExp(`^page for ${served.origin}, SHA-256 ${hash}$`, "m"));
  },
);

for (const name of BROWSERS) {
  const missing = whyNoBrowser(name);
  skipIf(missing)(
    `${name}: the page asks for nothing else, keeps nothing, and is alone in its process`,
    async () => {
      await using served = await startPageServer();
      await using browser = await startBrowser(name);
      await using opened = await browser.open();
      const { page, complaints } = opened;
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      await page.goto(served.origin);
      await page.waitForSelector("h1");
      assert.deepEqual(complaints, []);
      assert.deepEqual(asked.filter((url) => !/^(?:data|blob|wss?):/.test(url)), [
        `${served.origin}/`,
      ]);
      assert.deepEqual(await page.evaluate(keptThings), ["", 0, 0, 0, 0, 0]);
      assert.equal(await page.evaluate(() => crossOriginIsolated), true);
      using elsewhere = new Elsewhere();
      const outcome = await page.evaluate(tryForbidden, elsewhere.url);
      // A browser may connect before it looks whether it may ask.
      assert.equal(elsewhere.bytes, 0);
      const { violated, made, isOwned, isHidden, baseURI } = outcome;
      assert.deepEqual({ isOwned, isHidden, baseURI }, {
        isOwned: false,
        isHidden: false,
        baseURI: `${served.origin}/`,
      });
      for (
        const name of ["request", "socket", "events", "font", "worker", "markup", "eval", "policy"]
      ) {
        assert.ok(!made.includes(name), name);
      }
      for (const name of ["img-src", "style-src-elem", "base-uri", "form-action"]) {
        assert.ok(violated.includes(name), `${name} is not in ${violated}`);
      }
      // Firefox never says that a page whose frame it refused is loaded.
      if (name === "chromium") assert.deepEqual(await framed(page, served.origin), [false, true]);
    },
  );
}
