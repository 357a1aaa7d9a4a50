/// <reference lib="dom" />
// A page whose connection is killed and stalled anywhere, in handshakes and in the middle of records; and one that comes
// back at once when it is seen again or the network is back.

import assert from "node:assert/strict";
import { BROWSERS, startBrowser, whyNoBrowser } from "../../helpers/browser/browsers.ts";
import { ChatPage } from "../../helpers/browser/chat_page.ts";
import { startPageServer } from "../../helpers/browser/served_page.ts";
import { LiveChat } from "../../helpers/fakes/live_chat.ts";
import { SeededRandom, seedOfRun } from "../../helpers/fakes/random.ts";
import { type Fault, FaultyNetwork } from "../../helpers/hostile/faulty_network.ts";
import { skipIf } from "../../helpers/repo/skip.ts";

// A connection of a browser takes a key pair and an upgrade: 1,000 cuts take minutes.
const CUTS = Number(Deno.env.get("CUTS") ?? 40);
const UNLIMITED = ["--rate-limit", "off", "--max-per-address", "off", "--hold", "600"];

declare global {
  /** What was shown, in order: sender and text. */
  var seen: [name: string, text: string][];
  /** What the page's user said. */
  var said: string[];
  var talking: ReturnType<typeof setInterval>;
}

/** Bytes of the upgrade and the handshake, some 2.8 KB each way, and of some records behind them. */
function faultFor(random: SeededRandom): Fault {
  const after = random.of(["up", "down"] as const);
  const bytes = random.next() < 0.2 ? random.between(1, 2_800) : random.between(2_800, 4_000);
  if (random.next() < 0.9) return { kind: "kill", after, bytes };
  return { kind: "stall", after, bytes, ms: random.between(20, 300) };
}

/** Runs in the page: notes each message that is shown, and says one after the other. */
function talk(): void {
  globalThis.seen = [];
  globalThis.said = [];
  new MutationObserver((changes) => {
    for (const node of changes.flatMap(({ addedNodes }) => [...addedNodes])) {
      if (!(node instanceof HTMLElement) || !node.matches(".line")) continue;
      const name = node.querySelector("header .name")?.textContent ?? "";
      const text = node.querySelector(".body")?.textContent ?? "";
      if (/^\w+ \d+ x/.test(text)) seen.push([name, text]);
    }
  }).observe(document.body, { childList: true, subtree: true });
  const input = document.querySelector("textarea") as HTMLTextAreaElement;
  let n = 0;
  globalThis.talking = setInterval(() => {
    // The end of a pause must not be waited for a thousand times.
    dispatchEvent(new Event("online"));
    // What is cut faster than it is said would wait in an ever longer queue, and the end of the test for all of it.
    if (document.querySelector(".notes")?.textContent?.match(/\d\d unsent/)) return;
    const text = `pia ${n++} ${"x".repeat(1 + n * 37 % 200)}`;
    said.push(text);
    input.value = text;
    input.form?.requestSubmit();
  }, 30);
}

for (const name of BROWSERS) {
  const test = skipIf(whyNoBrowser(name));

  test(`${name}: cuts of every kind lose nothing, repeat nothing and change no order`, async () => {
    const random = new SeededRandom(seedOfRun());
    const seed = `seed ${random.seed}`;
    let calm = true;
    await using network = new FaultyNetwork(0, () => calm ? undefined : faultFor(random));
    const url = `http://localhost:${network.port}`;
    await using web = await startPageServer({ origins: [url], args: UNLIMITED });
    network.target = web.server.port;
    await using browser = await startBrowser(name);
    await using tess = new LiveChat({ name: "tess", port: () => web.server.port });
    await using page = await ChatPage.join(browser, { url, name: "pia" });
    await tess.until(() => tess.chat.room.roster.names.includes("pia"), "pia");
    await page.page.evaluate(talk);
    const mine: string[] = [];
    const cuts = () => network.damage.kills + network.damage.stalls;
    calm = false;
    network.cutAll();
    while (cuts() < CUTS) {
      const text = `tess ${mine.length} x`;
      // On a busy machine the server answers late.
      if (tess.chat.requests.unsent < 20) {
        mine.push(text);
        void tess.chat.say(text);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    calm = true;
    network.cutAll();
    const spoken = await page.page.evaluate(() => {
      clearInterval(talking);
      setInterval(() => dispatchEvent(new Event("online")), 100);
      return said;
    });
    const byPia = () => tess.heard.filter(({ sender }) => sender === "pia").map(({ text }) => text);
    await tess.until(
      () => byPia().length >= spoken.length,
      `all of pia's messages, ${seed}`,
      30_000,
    );
    assert.deepEqual(byPia(), spoken, seed);
    let shown: [string, string][] = [];
    for (let looks = 0; looks < 200 && shown.length < spoken.length + mine.length; looks++) {
      shown = await page.page.evaluate(() => seen);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (const [who, texts] of [["pia", spoken], ["tess", mine]] as const) {
      assert.deepEqual(shown.filter(([name]) => name === who).map(([, text]) => text), texts, seed);
    }
    assert.doesNotMatch(web.server.log, /unexpected fault/, seed);
    assert.ok(cuts() >= CUTS, `${cuts()} cuts`);
  });
}
