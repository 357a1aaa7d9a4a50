/// <reference lib="dom" />
// The page and the terminal's own chat in the same rooms, over a real server, in both browsers: served in the clear, over
// TLS, and from a file.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  type BrowserName,
  BROWSERS,
  type RunningBrowser,
  startBrowser,
  whyNoBrowser,
} from "../../helpers/browser/browsers.ts";
import { ChatPage } from "../../helpers/browser/chat_page.ts";
import { type PageServer, startPageServer } from "../../helpers/browser/served_page.ts";
import { LiveChat } from "../../helpers/fakes/live_chat.ts";
import { skipIf } from "../../helpers/repo/skip.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";

const MIB = 1_048_576;
const PAGE_FILE = new URL("../../../dist/page.html", import.meta.url);
const TOKEN = "a-token-of-twenty-characters";
const LINK = /(cmdchat:\/\/\S+)/;

const missing = BROWSERS.map(whyNoBrowser).find((reason) => reason !== undefined);
const test = skipIf(missing);
const browsers = missing === undefined ? await startBoth() : undefined;
const home = await Deno.makeTempDir({ prefix: "cmdchat-page-chat-" });

async function startBoth(): Promise<Readonly<Record<BrowserName, RunningBrowser>>> {
  const [chromium, firefox] = await Promise.all(BROWSERS.map(startBrowser));
  return { chromium: chromium as RunningBrowser, "firefox-esr": firefox as RunningBrowser };
}

/** A test in each of the browsers. */
function inEach(name: string, run: (browser: RunningBrowser) => Promise<void>): void {
  for (const kind of BROWSERS) {
    test(`${kind}: ${name}`, async () => {
      if (browsers !== undefined) await run(browsers[kind]);
    });
  }
}

/** The terminal's chat, connected; what is entered in its console is read. */
async function liveChat({ server }: PageServer, name: string): Promise<LiveChat> {
  const folder = await Deno.makeTempDir({ dir: home });
  const endpoint = () => ({ host: "localhost", port: server.port });
  const chat = new LiveChat({ name, room: "lobby", endpoint, folder });
  await chat.until(() => chat.chat.connected, "the session");
  chat.read();
  return chat;
}

async function makeFile(
  name: string,
  size: number,
): Promise<{ readonly path: string; readonly sha256: string }> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  const path = `${home}/${name}`;
  await Deno.writeFile(path, bytes);
  return { path, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Each gives the other a file, and one without a byte. */
async function exchangeFiles(page: ChatPage, live: LiveChat, prefix: string): Promise<void> {
  for (const size of [MIB + 7, 0]) {
    const name = (way: string) => `${prefix}-${way}-${size}.bin`;
    const up = await makeFile(name("up"), size);
    const input = await page.page.$("input[type=file]");
    assert.ok(input !== null);
    await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(up.path);
    const saved = () =>
      live.lines.find((line) => line.event === "saved" && line["sha256"] === up.sha256);
    await live.until(() => saved() !== undefined, `${name("up")} from the page`, 30_000);

    const down = await makeFile(name("down"), size);
    await live.console.enter(`/send ${down.path}`);
    await page.untilText(".transfer .file-name", new RegExp(name("down").replace(".", "\\.")));
    await page.page.click(`[aria-label="Accept ${name("down")}"]`);
    assert.equal(await page.savedSha256(), down.sha256);
  }
}

/** The code that a page shows of its user and somebody else. */
async function pairCodeOf({ page }: ChatPage, name: string): Promise<string | null | undefined> {
  return await page.evaluate((name) => {
    const people = [...document.querySelectorAll<HTMLElement>(".person")];
    people.find(({ textContent }) => textContent?.startsWith(name))?.click();
    const code = document.querySelector("dialog .code-words")?.textContent;
    document.querySelector("dialog")?.close();
    return code;
  }, name);
}

inEach(
  "a page and a terminal client talk in a plain room and give each other files",
  async (browser) => {
    await using served = await startPageServer();
    await using live = await liveChat(served, "tess");
    await using page = await ChatPage.join(browser, { url: served.origin, name: "pia" });
    await page.enter("hello from the page");
    await live.until(
      () => live.heard.some(({ text }) => text === "hello from the page"),
      "the text",
    );
    await live.console.enter("hello from the terminal");
    await page.untilRow(/^hello from the terminal$/);
    await live.console.enter("<img src=x onerror=owned=1>");
    await page.untilRow(/^<img src=x onerror=owned=1>$/);
    await page.untilText(".privacy", /server can read/);
    await page.untilText(".person .name", /^tess$/);
    await exchangeFiles(page, live, `${browser.name}-plain`);
    assert.deepEqual(await page.complaints(), []);
    const others = page.asked.filter((url) =>
      !url.startsWith(served.origin) && !url.startsWith("ws")
    );
    assert.deepEqual(others, []);
    assert.equal(
      await page.page.evaluate(() =>
        localStorage.length + sessionStorage.length + document.cookie.length
      ),
      0,
    );
  },
);

test("a terminal client and both browsers are in one sealed room, with equal codes", async () => {
  if (browsers === undefined) return;
  await using served = await startPageServer();
  await using live = await liveChat(served, "tess");
  await using first = await ChatPage.join(browsers.chromium, { url: served.origin, name: "pia" });
  await first.enter("/seal den");
  await first.untilText(".room[aria-current] .label", /^den$/);
  // The link is there once its maker is in.
  await first.untilText(".side-head .count", /^1$/);
  await first.page.click('[aria-label="Invite"]');
  const link = await first.page.$$eval(
    "dialog input",
    (inputs) => inputs.map(({ value }) => value),
  );
  await first.page.keyboard.press("Escape");
  const web = link.find((text) => text.startsWith("http"));
  const terminal = link.map((text) => LINK.exec(text)?.[1]).find((text) => text !== undefined);
  assert.ok(web !== undefined && terminal !== undefined, link.join());
  assert.ok(web.startsWith(`${served.origin}/#`));
  await live.console.enter(`/join ${terminal}`);
  await using second = await ChatPage.start(browsers["firefox-esr"], { url: web, name: "fay" });
  await second.untilText(".room[aria-current] .label", /^den$/);
  assert.equal(await second.page.evaluate(() => location.href), `${served.origin}/`);
  for (const page of [first, second]) {
    await page.untilText(".side-head .count", /^3$/);
  }
  await first.enter("sealed hello");
  await second.untilRow(/^sealed hello$/);
  await live.until(() => live.heard.some(({ text }) => text === "sealed hello"), "the text");
  await live.console.enter("/code");
  const code = /: ([\d ]{20,})$/;
  await live.until(() => live.notes.some((text) => code.test(text)), "the code");
  const expected = live.notes.map((text) => code.exec(text)?.[1]).find((text) =>
    text !== undefined
  );
  for (const page of [first, second]) {
    await page.enter("/code");
    assert.equal((await page.untilRow(code))[1], expected);
    await page.untilText(".origin", /sealed by a page that this server sent/);
    assert.deepEqual(await page.complaints(), []);
  }
  const pair = [await pairCodeOf(first, "fay"), await pairCodeOf(second, "pia")];
  assert.match(pair[0] ?? "", /^[\d \n]{20,}$/);
  assert.equal(pair[0], pair[1]);
  await first.page.evaluate(() => {
    const person = [...document.querySelectorAll<HTMLElement>(".person")];
    person.find(({ textContent }) => textContent?.startsWith("fay"))?.click();
    const buttons = [...document.querySelectorAll<HTMLElement>("dialog button")];
    buttons.find(({ textContent }) => textContent === "It is the same")?.click();
  });
  await first.untilText(".person", /^fay, verified/);
  await first.untilText(".person", /^tess, not verified/);
  await first.untilText(".person", /^piayou/);
  await exchangeFiles(first, live, "sealed");
  assert.doesNotMatch(served.server.log, /sealed hello|"den"|pia|fay|tess/);
});

inEach(
  "what was written for a room goes with it, and the arrow up brings it back",
  async (browser) => {
    await using served = await startPageServer();
    await using page = await ChatPage.join(browser, { url: served.origin, name: "pia" });
    const goTo = async (room: string) => {
      await page.enter(`/switch ${room}`);
      await page.untilText("h1", new RegExp(room));
    };
    const typed = () => page.page.$eval("textarea", (input) => input.value);
    await page.enter("/join den");
    await page.untilText("h1", /den/);
    await goTo("lobby");
    // A draft stays while its room does.
    await page.page.click(".room:not([aria-current])");
    await page.untilText("h1", /den/);
    await page.page.keyboard.type("for the den");
    await page.page.click(".room:not([aria-current])");
    await page.untilText("h1", /lobby/);
    assert.equal(await typed(), "");
    await page.enter("/leave den");
    await page.until(() => document.querySelectorAll(".room").length === 1, "the end of den");
    await page.enter("/join den");
    await page.untilText("h1", /den/);
    assert.equal(await typed(), "", "the draft went with the room");
    for (let n = 0; n < 3; n++) await page.page.keyboard.press("ArrowUp");
    await page.page.keyboard.press("ArrowUp");
    const seen: string[] = [await typed()];
    for (let n = 0; n < 4; n++) {
      await page.page.keyboard.press("ArrowDown");
      seen.push(await typed());
    }
    assert.ok(seen.includes("for the den"), seen.join(" | "));
  },
);

inEach("after a refusal the keyboard is where the fault is", async (browser) => {
  await Deno.writeTextFile(`${home}/token`, "right-token-of-the-room\n", { mode: 0o600 });
  await using served = await startPageServer({ args: ["--tokens-file", `${home}/token`] });
  await using page = await ChatPage.start(browser, {
    url: served.origin,
    name: "pia",
    token: "wrong",
  });
  await page.untilText("[role=alert]", /does not accept this token/);
  const focused = () => page.page.evaluate(() => document.activeElement?.id);
  assert.equal(await focused(), "token");
  await page.page.$eval(
    "#token",
    (input) => (input as HTMLInputElement).value = "right-token-of-the-room",
  );
  await served.server.stop("SIGKILL");
  await page.page.keyboard.press("Enter");
  await page.untilText("[role=alert]", /Cannot connect/);
  const pressed = await page.page.evaluate(() => document.activeElement?.textContent);
  assert.equal(pressed, "Join", "nothing that was typed is wrong");
});

inEach("a link with the fingerprint of another server sends it nothing", async (browser) => {
  await using served = await startPageServer();
  const wrong = "A".repeat(43);
  await using page = await ChatPage.start(browser, {
    url: `${served.origin}/#room=lobby&fp=${wrong}`,
    name: "pia",
  });
  await page.untilText("[role=alert]", /./);
  assert.doesNotMatch(served.server.log, /client joined/);
});

inEach("a page over TLS connects by wss", async (browser) => {
  await using certificate = await makeCertificate();
  const { certFile, keyFile } = certificate;
  const args = ["--certfile", certFile, "--keyfile", keyFile];
  await using served = await startPageServer({ scheme: "https", args });
  await using page = await ChatPage.join(browser, { url: served.origin, name: "pia" });
  await page.enter("over TLS");
  await page.untilRow(/^over TLS$/);
  assert.deepEqual(await page.complaints(), []);
});

inEach(
  "a page from a file takes a whole link; for another server than that, nothing is sent",
  async (browser) => {
    const tokens = `${home}/tokens`;
    await Deno.writeTextFile(tokens, `${TOKEN}\n`, { mode: 0o600 });
    const args = ["--tokens-file", tokens];
    await using served = await startPageServer({ origins: ["null"], args });
    const { server } = served;
    const [, fingerprint = ""] = await server.printed(/SHA256:(\S{43})/);
    const url = (fp: string) =>
      `${PAGE_FILE.href}#cmdchat://localhost:${server.port}/den#fp=${fp}&token=${TOKEN}`;
    await using page = await ChatPage.join(browser, { url: url(fingerprint), name: "pia" });
    assert.equal(await page.page.evaluate(() => location.hash), "");
    await page.enter("from a file");
    await page.untilRow(/^from a file$/);
    assert.deepEqual(await page.complaints(), []);
    const joined = () => server.log.match(/client joined/g)?.length;
    assert.equal(joined(), 1);

    await using other = await ChatPage.start(browser, { url: url("A".repeat(43)), name: "eve" });
    await other.untilText("[role=alert]", /SHA256:AAAA/);
    assert.equal(joined(), 1);
  },
);

Deno.test("the browsers end", async () => {
  for (const browser of Object.values(browsers ?? {})) await browser[Symbol.asyncDispose]();
  await Deno.remove(home, { recursive: true });
});
