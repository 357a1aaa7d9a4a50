/// <reference lib="dom" />
// The page in Safari's engine: one person with a phone or a Mac, and somebody at a terminal.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { startPageServer } from "../../helpers/browser/served_page.ts";
import { KEYS, WebKit, whyNoWebKit } from "../../helpers/browser/web_kit.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { LiveChat } from "../../helpers/fakes/live_chat.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipIf } from "../../helpers/repo/skip.ts";

const BYTES = crypto.getRandomValues(new Uint8Array(60_000));
const SHA256 = createHash("sha256").update(BYTES).digest("hex");

declare global {
  /** What the page complained about. */
  var complaints: string[];
  /** SHA-256 of the file that the page gave to its user. */
  var savedHash: string | undefined;
}

/** Runs in the page before anybody joins. */
function watch(): void {
  globalThis.complaints = [];
  addEventListener("error", ({ message }) => complaints.push(message));
  addEventListener("unhandledrejection", ({ reason }) => complaints.push(String(reason)));
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
    complaints.push(`${violatedDirective} ${blockedURI}`);
  });
  // A test saves nothing.
  HTMLAnchorElement.prototype.click = () => {};
  const { createObjectURL } = URL;
  URL.createObjectURL = (content: Blob) => {
    if (content.type !== "text/javascript") {
      void content.arrayBuffer().then((bytes) => crypto.subtle.digest("SHA-256", bytes)).then(
        (digest) => {
          const bytes = [...new Uint8Array(digest)];
          savedHash = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
        },
      );
    }
    return createObjectURL.call(URL, content);
  };
}

skipIf(whyNoWebKit())("webkit: the whole chat, from the form to the goodbye", async (t) => {
  await using stack = new AsyncDisposableStack();
  const home = await Deno.makeTempDir({ prefix: "cmdchat-webkit-chat-" });
  stack.defer(() => Deno.remove(home, { recursive: true }));
  const identity = stack.use(await makeIdentity());
  const args = ["--identity-file", identity.path];
  const web = stack.use(await startPageServer({ args }));
  const { port } = web.server;
  const live = stack.use(
    new LiveChat({ name: "tess", endpoint: () => ({ host: "localhost", port }), folder: home }),
  );
  await live.until(() => live.chat.connected, "tess");
  live.read();
  const page = stack.use(await WebKit.start());
  const heard = (text: string) => () =>
    live.heard.filter((line) => line.text === text).length === 1;
  const enter = (text: string) => page.press(text, KEYS.enter);
  const join = async (url: string, name: string) => {
    await page.goTo(url);
    await page.run(watch);
    await page.press(name, KEYS.enter);
    await page.until(() =>
      document.querySelector(".connection")?.textContent.startsWith("connected") ?? false
    );
  };

  await t.step(
    "the keyboard alone leads from the form into the room, and to a message",
    async () => {
      await join(web.origin, "wanda");
      assert.equal(await page.run(() => crossOriginIsolated), true);
      await enter("hello from WebKit");
      await live.until(heard("hello from WebKit"), "the message");
      await live.console.enter("hello from the terminal");
      await page.untilText(".body", "hello from the terminal");
    },
  );

  await t.step("by keyboard, a message's menu opens, and gives the keyboard back", async () => {
    await page.press(KEYS.pageUp, KEYS.enter);
    await page.untilText("dialog h2", "Message #2");
    await page.press(KEYS.escape);
    await page.until(() => document.querySelector("dialog") === null);
    const focused = await page.run(() => document.activeElement?.textContent);
    assert.match(focused ?? "", /^tess.*hello from the terminal$/);
  });

  await t.step("files go both ways", async () => {
    await Deno.writeFile(`${home}/picture.bin`, BYTES);
    await page.choose("input[type=file]", `${home}/picture.bin`);
    const saved = () => live.lines.some(({ sha256 }) => sha256 === SHA256);
    await live.until(saved, "the file from the page");
    await live.console.enter(`/send ${home}/picture.bin`);
    await page.untilText(".file-name", "picture.bin");
    await page.until(() => document.querySelector('[aria-label="Accept picture.bin"]') !== null);
    await page.click('[aria-label="Accept picture.bin"]');
    await page.until((hash) => globalThis.savedHash === hash, SHA256);
  });

  await t.step(
    "what is written while the server is dead goes once, when it is there again",
    async () => {
      await web.server.stop("SIGKILL");
      await page.untilText(".connection", "reconnecting");
      await page.click("textarea");
      await enter("written meanwhile");
      await page.untilText(".notes", "1 unsent");
      stack.use(
        await startServer({
          args: ["--port", String(port), "--web", web.origin, ...args],
        }),
      );
      await live.until(heard("written meanwhile"), "what was written", 20_000);
      await page.untilText(".connection", "connected");
      await page.until(() => document.querySelector(".notes")?.textContent === "");
    },
  );

  let link = "";
  await t.step("a sealed room: its link leaves the address bar, and all see one code", async () => {
    await enter("/seal den");
    await page.until(() => document.querySelector(".side-head .count")?.textContent === "1");
    await page.untilText(".room[aria-current] .label", "den");
    await page.click('[aria-label="Invite"]');
    const links = await page.run(() =>
      [...document.querySelectorAll<HTMLInputElement>("dialog input")].map(({ value }) => value)
    );
    await page.press(KEYS.escape);
    await page.until(() => document.querySelector("dialog") === null);
    link = links.find((text) => text.startsWith("http")) ?? "";
    await live.console.enter(`/join ${links.find((text) => text.startsWith("cmdchat:"))}`);
    await page.until(() => document.querySelector(".side-head .count")?.textContent === "2");
    const first = await page.openWindow();
    await join(link, "wolf");
    assert.equal(await page.run(() => location.href), `${web.origin}/`);
    await page.until(() => document.querySelector(".side-head .count")?.textContent === "3");
    await enter("sealed hello");
    await live.until(heard("sealed hello"), "the sealed message");
    await live.console.enter("/code");
    const code = /: ([\d ]{20,})$/;
    await live.until(() => live.notes.some((text) => code.test(text)), "the code");
    const note = live.notes.find((text) => code.test(text)) ?? "";
    await enter("/code");
    await page.untilText(".body", code.exec(note)?.[1] ?? "no code");
    assert.deepEqual(await page.run(() => complaints), []);
    await page.closeWindow(first);
    await page.untilText(".body", "sealed hello");
  });

  await t.step("who closes the window leaves the room", async () => {
    await live.until(() => live.notes.some((text) => text === "wolf left."), "the goodbye");
  });

  await t.step("in a narrow window people are a drawer, which Escape closes", async () => {
    await page.resize(450, 700);
    await page.until(() => innerWidth < 500);
    assert.equal(await page.run(() => document.documentElement.scrollWidth - innerWidth), 0);
    await page.run(() => document.querySelector<HTMLElement>(".toggle.people")?.focus());
    await page.press(KEYS.enter);
    const focused = () =>
      page.run(() => document.activeElement?.closest(".side, .toggle")?.className);
    assert.equal(await focused(), "side people");
    await page.press(KEYS.escape);
    assert.equal(await focused(), "toggle people");
  });

  await t.step("nothing was forbidden, and nothing is kept", async () => {
    assert.deepEqual(await page.run(() => complaints), []);
    const kept = () => localStorage.length + sessionStorage.length + document.cookie.length;
    assert.equal(await page.run(kept), 0);
  });
});
