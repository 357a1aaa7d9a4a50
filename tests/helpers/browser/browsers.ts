// Stock browsers of Debian, without a window, driven by puppeteer: Chromium over its own protocol, Firefox over
// WebDriver BiDi.

import puppeteer, { type Browser, type BrowserContext, type Page } from "puppeteer-core";
import { programPath, whyMissing } from "../repo/system_needs.ts";

/** The browsers in which the page is tried. */
export const BROWSERS = ["chromium", "firefox-esr"] as const;

/** One of BROWSERS. */
export type BrowserName = typeof BROWSERS[number];

/** The reason why a browser cannot be tried here. */
export function whyNoBrowser(name: BrowserName): string | undefined {
  return whyMissing(name);
}

// Nothing but the page may use the network, and as root there is no sandbox.
const CHROMIUM = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser that runs, with an empty profile. */
export interface RunningBrowser extends AsyncDisposable {
  readonly name: BrowserName;
  /** A page in a context of its own: nothing is shared with the others. */
  open(): Promise<OpenPage>;
}

/** A page, and what it complained about. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors, and everything on the console. */
  readonly complaints: readonly string[];
}

/** Starts a browser. */
export async function startBrowser(name: BrowserName): Promise<RunningBrowser> {
  const executablePath = programPath(name);
  if (executablePath === undefined) throw new Error(`${name} is not installed`);
  const browser = await puppeteer.launch({
    browser: name === "chromium" ? "chrome" : "firefox",
    executablePath,
    headless: true,
    acceptInsecureCerts: true,
    args: name === "chromium" ? CHROMIUM : [],
  });
  // A run may leave out the test that ends it (--filter).
  addEventListener("unload", () => void browser.process()?.kill("SIGKILL"));
  return {
    name,
    open: () => openPage(browser),
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

async function openPage(browser: Browser): Promise<OpenPage> {
  const context: BrowserContext = await browser.createBrowserContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  return {
    page,
    complaints,
    [Symbol.asyncDispose]: () => context.close(),
  };
}
