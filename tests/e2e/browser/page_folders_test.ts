/// <reference lib="dom" />
// Folders between a page and the terminal's own chat, in both browsers: chosen, dropped, and received.

import assert from "node:assert/strict";
import { unpackFolder } from "../../../client/files/unpack_folder.ts";
import {
  BROWSERS,
  type RunningBrowser,
  startBrowser,
  whyNoBrowser,
} from "../../helpers/browser/browsers.ts";
import { ChatPage } from "../../helpers/browser/chat_page.ts";
import { startPageServer } from "../../helpers/browser/served_page.ts";
import { LiveChat } from "../../helpers/fakes/live_chat.ts";
import { skipIf } from "../../helpers/repo/skip.ts";

const CONTENT: Readonly<Record<string, string>> = {
  "a.txt": "alpha",
  "sub/deep/b.bin": "b".repeat(150_000),
  "sub/ü.txt": "umlaut",
};

/** Files of a folder by their paths in it. */
async function contentOf(folder: string, inside = ""): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${inside}`)) {
    const path = `${inside}${name}`;
    if (isDirectory) Object.assign(found, await contentOf(folder, `${path}/`));
    else found[path] = await Deno.readTextFile(`${folder}/${path}`);
  }
  return found;
}

async function makeFolder(home: string): Promise<string> {
  const folder = `${home}/plans`;
  await Deno.mkdir(`${folder}/sub/deep`, { recursive: true });
  for (const [path, text] of Object.entries(CONTENT)) {
    await Deno.writeTextFile(`${folder}/${path}`, text);
  }
  // What lies outside of a folder is not sent with it.
  await Deno.writeTextFile(`${home}/secret`, "not meant for anybody");
  await Deno.symlink(`${home}/secret`, `${folder}/link`);
  return folder;
}

/** Chooses a folder in the input of the button. */
async function choose({ page }: ChatPage, folder: string): Promise<void> {
  const input = await page.$("input[webkitdirectory]");
  assert.ok(input !== null);
  await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(folder);
}

/** The same where a test cannot choose a folder: the input has its files. */
async function choosePretended({ page }: ChatPage): Promise<void> {
  await page.evaluate((content) => {
    const input = document.querySelector<HTMLInputElement>("input[webkitdirectory]");
    const files = Object.entries(content).map(([path, text]) => {
      const file = new File([text], path.slice(path.lastIndexOf("/") + 1));
      return Object.defineProperty(file, "webkitRelativePath", { value: `plans/${path}` });
    });
    if (input === null) throw new Error("no input for folders");
    Object.defineProperty(input, "files", { value: files, configurable: true });
    input.dispatchEvent(new Event("change"));
  }, CONTENT);
}

/** Drops it on the conversation, as a file manager does; only Chromium lets a test do that. */
async function drop({ page }: ChatPage, folder: string): Promise<void> {
  const session = await page.createCDPSession();
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "dragOver", "drop"] as const) {
    await session.send("Input.dispatchDragEvent", { type, x: 400, y: 300, data });
  }
}

for (const name of BROWSERS) {
  skipIf(whyNoBrowser(name))(
    `${name}: folders go from a page to a terminal client and back`,
    async () => {
      const home = await Deno.makeTempDir({ prefix: "cmdchat-page-folders-" });
      try {
        await using browser = await startBrowser(name);
        await talk(browser, home);
      } finally {
        await Deno.remove(home, { recursive: true });
      }
    },
  );
}

async function talk(browser: RunningBrowser, home: string): Promise<void> {
  const folder = await makeFolder(home);
  await using served = await startPageServer();
  const endpoint = () => ({ host: "localhost", port: served.server.port });
  await using live = new LiveChat({ name: "tess", room: "lobby", endpoint, folder: `${home}/in` });
  await live.until(() => live.chat.connected, "the session");
  live.read();
  await using page = await ChatPage.join(browser, { url: served.origin, name: "pia" });
  const ways = browser.name === "chromium" ? [choose, drop] : [choosePretended];
  const saved = () => live.lines.filter(({ event }) => event === "saved");
  for (const [n, way] of ways.entries()) {
    await way(page, folder);
    await live.until(() => saved().length > n, `${way.name}: the folder`, 30_000);
    const path = String(saved()[n]?.["path"]);
    assert.deepEqual(await contentOf(path), CONTENT, way.name);
  }
  // To one person alone: the button "Send a folder" beside a name, or "/send @NAME" in the input.
  await page.page.type("textarea", "/send @tess");
  await (browser.name === "chromium" ? choose : choosePretended)(page, folder);
  const offers = () => live.lines.filter(({ event }) => event === "offered");
  await live.until(() => saved().length > ways.length, "the folder for one alone", 30_000);
  assert.deepEqual(offers().map(({ to }) => to), [...ways.map(() => undefined), "tess"]);
  await live.console.enter(`/send ${folder}`);
  // The page's own files are called so too: only what is offered has the button.
  const accept = await page.page.waitForSelector('.transfer [aria-label^="Accept"]');
  await accept?.click();
  await page.until(() => savedFiles.length > 0, "the folder from the terminal");
  await Deno.mkdir(`${home}/out`);
  const bytes = await page.page.evaluate(async () => [...await savedFiles[0]?.bytes() ?? []]);
  await Deno.writeFile(`${home}/out/plans.tar`, new Uint8Array(bytes));
  await unpackFolder(`${home}/out/plans.tar`, `${home}/out`, "plans");
  assert.deepEqual(await contentOf(`${home}/out/plans`), CONTENT);
  assert.deepEqual(await page.complaints(), []);
}
