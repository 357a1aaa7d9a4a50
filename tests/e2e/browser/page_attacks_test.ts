/// <reference lib="dom" />
// Somebody between a page and its server: what they change is named and never believed. And what a page does when it is
// seen again, or closed.

import assert from "node:assert/strict";
import { BROWSERS, startBrowser, whyNoBrowser } from "../../helpers/browser/browsers.ts";
import type { Page } from "puppeteer-core";
import { ChatPage } from "../../helpers/browser/chat_page.ts";
import { startPageServer } from "../../helpers/browser/served_page.ts";
import { LiveChat } from "../../helpers/fakes/live_chat.ts";
import { Between } from "../../helpers/hostile/between.ts";
import { FaultyNetwork } from "../../helpers/hostile/faulty_network.ts";
import { closeQuietly, isGone } from "../../helpers/peers/conn_ends.ts";
import { skipIf } from "../../helpers/repo/skip.ts";

/** Changes one byte of what passes; a WebSocket's payload is as it is, or masked byte by byte. */
class ChangingNetwork extends Between {
  /** Where in the stream down of each WebSocket a byte is changed; undefined = nowhere. */
  changeAt: number | undefined;
  /** Whether the last byte of what comes next down is changed, once. */
  changeNext = false;
  changed = 0;

  protected async between(near: Deno.Conn, far: Deno.Conn): Promise<void> {
    const conn = { isSocket: false };
    await Promise.all([this.#pump(near, far, conn), this.#pump(far, near, conn, true)]);
  }

  async #pump(
    from: Deno.Conn,
    to: Deno.Conn,
    conn: { isSocket: boolean },
    isDown = false,
  ): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (
        let [n, passed] = [await from.read(buffer), 0];
        n !== null;
        n = await from.read(buffer)
      ) {
        const bytes = buffer.subarray(0, n);
        conn.isSocket ||= /^Upgrade: websocket/im.test(new TextDecoder().decode(bytes));
        if (isDown && conn.isSocket) this.#change(bytes, passed);
        passed += n;
        for (let at = 0; at < n;) at += await to.write(buffer.subarray(at, n));
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    [from, to].forEach(closeQuietly);
  }

  #change(bytes: Uint8Array, passed: number): void {
    const at = this.changeNext ? bytes.length - 1 : (this.changeAt ?? -1) - passed;
    if (at < 0 || at >= bytes.length) return;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    this.changed++;
    this.changeNext = false;
  }
}

for (const name of BROWSERS) {
  const test = skipIf(whyNoBrowser(name));

  test(`${name}: whoever changes what passes between a page and its server is named, and nothing is lost`, async () => {
    await using network = new ChangingNetwork(0);
    const url = `http://localhost:${network.port}`;
    await using web = await startPageServer({ origins: [url] });
    network.target = web.server.port;
    await using browser = await startBrowser(name);
    await using tess = new LiveChat({ name: "tess", port: () => web.server.port });
    await tess.until(() => tess.chat.connected, "tess");

    await using page = await ChatPage.join(browser, { url, name: "pia" });
    network.changeNext = true;
    await tess.chat.say("changed on its way");
    await page.untilRow(
      /Cannot open a record: it was changed, repeated, lost or sent out of order/,
    );
    await page.untilRow(/^Connected again as "pia"/);
    await page.enter("still here");
    await tess.until(() => tess.heard.some(({ text }) => text === "still here"), "pia's line");
    const rows = await page.rows();
    assert.deepEqual(rows.filter(({ name }) => name === "tess").map(({ text }) => text), [
      "changed on its way",
    ]);
    assert.equal(network.changed, 1);

    // In the answer of the handshake, behind the head of the upgrade: nobody comes in, and nothing is said.
    network.changeAt = 1_500;
    const joined = () => web.server.log.match(/client joined/g)?.length ?? 0;
    const before = joined();
    await using other = await ChatPage.start(browser, { url, name: "eve" });
    await other.untilText(
      "[role=alert]",
      /signature does not fit this handshake|is not as|must be base64/,
    );
    assert.equal(joined(), before);
  });

  test(`${name}: a page comes back at once when it is seen again, shown again or online`, async () => {
    await using network = new FaultyNetwork(0);
    const url = `http://localhost:${network.port}`;
    await using web = await startPageServer({ origins: [url], args: ["--hold", "120"] });
    network.target = web.server.port;
    await using browser = await startBrowser(name);
    await using page = await ChatPage.join(browser, { url, name: "pia" });
    network.target = 1;
    network.cutAll();
    const pause = async () => {
      const [, seconds] = await page.untilText(".connection", /reconnecting in ([4-9]|\d\d) s/);
      return Number(seconds);
    };
    for (const event of ["visibilitychange", "pageshow", "online"]) {
      network.target = 1;
      network.cutAll();
      const seconds = await pause();
      const start = performance.now();
      network.target = web.server.port;
      await page.page.evaluate((event) => {
        const target = event === "visibilitychange" ? document : globalThis;
        target.dispatchEvent(new Event(event));
      }, event);
      await page.untilText(".connection", /^connected/);
      const took = (performance.now() - start) / 1_000;
      assert.ok(took < seconds - 1, `${event}: ${took} s of ${seconds} s`);
    }
  });
}

/** How somebody leaves a page; without the question before it, Firefox ends the connection first. */
const WAYS_OUT = {
  "closes the page": (page: Page) => page.close({ runBeforeUnload: true }),
  "goes elsewhere": (page: Page) => page.goto("about:blank"),
};

for (const kind of BROWSERS) {
  skipIf(whyNoBrowser(kind))(
    `${kind}: who closes the page, or goes elsewhere, leaves the room`,
    async () => {
      await using web = await startPageServer({ args: ["--hold", "600"] });
      await using browser = await startBrowser(kind);
      await using tess = new LiveChat({ name: "tess", port: () => web.server.port });
      for (const [way, leave] of Object.entries(WAYS_OUT)) {
        await using page = await ChatPage.join(browser, { url: web.origin, name: "pia" });
        await tess.until(() => tess.chat.room.roster.names.includes("pia"), "pia");
        await leave(page.page);
        const gone = () => tess.notes.filter((text) => /^pia (left|lost)/.test(text));
        await tess.until(() => gone().length > 0, `the end of a pia who ${way}`);
        assert.deepEqual(gone(), ["pia left."], way);
        tess.lines.length = 0;
      }
    },
  );
}

skipIf(whyNoBrowser("firefox-esr"))(
  "firefox-esr: a page that could have gone and did not comes back by itself",
  async () => {
    await using web = await startPageServer({ args: ["--hold", "600"] });
    await using browser = await startBrowser("firefox-esr");
    await using tess = new LiveChat({ name: "tess", port: () => web.server.port });
    await using page = await ChatPage.join(browser, { url: web.origin, name: "pia" });
    await tess.until(() => tess.chat.room.roster.names.includes("pia"), "pia");
    await page.page.evaluate(() => void globalThis.dispatchEvent(new Event("beforeunload")));
    await tess.until(() => tess.notes.includes("pia left."), "the goodbye");
    await tess.until(
      () => tess.notes.filter((text) => text === "pia joined.").length === 2,
      "pia again",
    );
    await page.untilText(".connection", /^connected/);
    await page.enter("still here");
    await tess.until(() => tess.heard.some(({ text }) => text === "still here"), "her words");
  },
);
