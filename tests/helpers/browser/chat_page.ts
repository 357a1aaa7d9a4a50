/// <reference lib="dom" />
// Somebody who chats in a page: what they do, and what they see.

import type { Page } from "puppeteer-core";
import type { OpenPage, RunningBrowser } from "./browsers.ts";

const POLL_MS = 25;
const PATIENCE_MS = 20_000;

declare global {
  /** Files that the page gave to its user. */
  var savedFiles: Blob[];
  /** What the page's policy forbade. */
  var violations: string[];
}

/** How to open a chat. */
export interface ChatPageOptions {
  /** Address of the page, with a link's part behind `#` where there is one. */
  readonly url: string;
  readonly name: string;
  readonly room?: string;
  readonly token?: string;
}

/** Somebody who chats in a page. */
export class ChatPage implements AsyncDisposable {
  readonly page: Page;
  /** Addresses that were asked for, but for data and blobs of the page's own. */
  readonly asked: string[] = [];
  readonly #opened: OpenPage;

  private constructor(opened: OpenPage) {
    this.#opened = opened;
    this.page = opened.page;
    this.page.on("request", (request) => {
      if (!/^(?:data|blob):/.test(request.url())) this.asked.push(request.url());
    });
  }

  /** Opens a page and fills the form; resolves when the room is there. */
  static async join(browser: RunningBrowser, options: ChatPageOptions): Promise<ChatPage> {
    const chat = await ChatPage.start(browser, options);
    await chat.until(() => document.querySelector(".room[aria-current]") !== null, "the room");
    await chat.untilText(".connection", /^connected/);
    return chat;
  }

  /** Opens a page and fills the form. */
  static async start(browser: RunningBrowser, options: ChatPageOptions): Promise<ChatPage> {
    const { url, name, room, token } = options;
    const chat = new ChatPage(await browser.open());
    const { page } = chat;
    await page.evaluateOnNewDocument(watchPage);
    await page.goto(url);
    await page.waitForSelector("#name");
    await page.type("#name", name);
    if (room !== undefined) {
      await page.$eval("#room", (input) => (input as HTMLInputElement).value = "");
      await page.type("#room", room);
    }
    if (token !== undefined) await page.type("#token", token);
    await page.keyboard.press("Enter");
    return chat;
  }

  /** Enters a message or a command. */
  async enter(text: string): Promise<void> {
    await this.page.focus("textarea");
    await this.page.keyboard.type(text);
    await this.page.keyboard.press("Enter");
  }

  /** The rows of the log that is seen: name or nothing, and text. */
  rows(): Promise<readonly { readonly name: string; readonly text: string }[]> {
    return this.page.evaluate(() =>
      [...document.querySelectorAll(".log:not([hidden]) .line")].map((line) => ({
        name: line.querySelector("header .name")?.textContent ?? "",
        text: line.querySelector(".body")?.textContent ?? "",
      }))
    );
  }

  /** Resolves with the match once a row's text matches. */
  async untilRow(pattern: RegExp): Promise<RegExpExecArray> {
    let found: RegExpExecArray | undefined;
    await this.#poll(async () => {
      for (const { text } of await this.rows()) found ??= pattern.exec(text) ?? undefined;
      return found !== undefined;
    }, String(pattern));
    return found as RegExpExecArray;
  }

  /** Resolves with the match once an element's text matches. */
  async untilText(selector: string, pattern: RegExp): Promise<RegExpExecArray> {
    let found: RegExpExecArray | null = null;
    await this.#poll(async () => {
      const texts = await this.page.$$eval(selector, (all) => all.map((one) => one.textContent));
      for (const text of texts) found ??= pattern.exec(text ?? "");
      return found !== null;
    }, `${selector} ${pattern}`);
    return found as unknown as RegExpExecArray;
  }

  /** Resolves once `condition` holds in the page. */
  until(condition: () => boolean, what: string): Promise<void> {
    return this.#poll(() => this.page.evaluate(condition), what);
  }

  /** SHA-256 of the next file that the page gave to its user, in hex. */
  async savedSha256(): Promise<string> {
    await this.until(() => savedFiles.length > 0, "a received file");
    return await this.page.evaluate(async () => {
      const bytes = await savedFiles.shift()?.arrayBuffer() ?? new ArrayBuffer(0);
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    });
  }

  /** Errors, lines of the console, and what the policy forbade. */
  async complaints(): Promise<readonly string[]> {
    return [...this.#opened.complaints, ...await this.page.evaluate(() => violations)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened[Symbol.asyncDispose]();
  }

  // In steps of its own: what waits within the page would sleep in a tab that is not seen.
  async #poll(condition: () => Promise<boolean>, what: string): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!await condition()) {
      if (performance.now() > deadline) {
        const text = await this.page.evaluate(() => document.body.innerText);
        throw new Error(`${what} did not come; the page shows:\n${text}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

/** Runs in the page before its script: keeps what it saves, and what it may not do. */
function watchPage(): void {
  globalThis.savedFiles = [];
  globalThis.violations = [];
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
    violations.push(`${violatedDirective} ${blockedURI}`);
  });
  const { createObjectURL } = URL;
  URL.createObjectURL = (content: Blob | MediaSource) => {
    if (content instanceof Blob && content.type !== "text/javascript") savedFiles.push(content);
    return createObjectURL.call(URL, content);
  };
  // A test saves nothing.
  HTMLAnchorElement.prototype.click = () => {};
}
