// The view of the page alone, in a browser, with a core that a test speaks for.

import type { Page } from "puppeteer-core";
import { builtOnce } from "../repo/built_once.ts";
import { buildPage } from "../../../scripts/build/page.ts";
import { startBrowser } from "./browsers.ts";
import type {} from "./fake_entry.ts";
import type { RenderedLine } from "../../../client/render/shown.ts";
import type { PageRoom, PageStatus } from "../../../client/web/page_view.ts";
import type { StartForm } from "../../../client/web/start_form.ts";

/** A start from a page that a server sent. */
export const START: StartForm = {
  name: "bob",
  room: "den",
  server: "wss://chat.example.org",
  token: "",
  invited: false,
  sealed: false,
  served: true,
};

/** A room, the current one unless said otherwise. */
export function roomOf(title: string, parts: Partial<PageRoom> = {}): PageRoom {
  const rest = { topic: "", current: true, sealed: false, unread: 0, mentions: 0 };
  return { title, label: title, ...rest, ...parts };
}

/** A status of a plain room. */
export const STATUS: PageStatus = {
  room: "den",
  name: "bob",
  connected: true,
  connection: "connected, 12 ms",
  privacy: "the server can read",
  privacyLevel: "open",
  roomCode: undefined,
  waiting: [],
  typing: "",
};

/** A message, as the page's renderer gives it. */
export function messageOf(
  name: string,
  text: string,
  parts: Partial<RenderedLine> = {},
): RenderedLine {
  const time = parts.time ?? "2026-03-01T10:00:00.000Z";
  const [first = "", ...rest] = text.split("\n");
  return {
    kind: "chat",
    room: "den",
    time,
    rows: [
      [
        { role: "time", text: time.slice(11, 16) },
        { role: "number", text: "#1" },
        { role: "name", text: name, color: 7 },
        { role: "about", text: "" },
        { role: "text", text: first },
      ],
      ...rest.map((row) => [{ role: "text" as const, text: row }]),
    ],
    ...parts,
  };
}

/** A browser with the view, at a fresh page for each use. */
export interface ViewBrowser extends AsyncDisposable {
  /** A page that shows the conversation in the room "den", and takes a message. */
  chat(use: (page: Page) => Promise<void>): Promise<void>;
  /** A page before its start. */
  blank(use: (page: Page) => Promise<void>): Promise<void>;
}

async function writeView(path: string): Promise<void> {
  await Deno.writeTextFile(path, await buildPage({ entry: "tests/helpers/browser/fake_entry.ts" }));
}

/** Starts Chromium with the view. Each use fails where the page complained about something. */
export async function startView(): Promise<ViewBrowser> {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-view-" });
  const file = await builtOnce("view.html", writeView) ?? `${folder}/page.html`;
  if (file.startsWith(folder)) await writeView(file);
  const browser = await startBrowser("chromium");
  const blank = async (use: (page: Page) => Promise<void>) => {
    await using opened = await browser.open();
    const { page, complaints } = opened;
    await page.goto(`file://${file}`);
    await use(page);
    const forbidden = await page.evaluate(() => violations);
    const found = [...complaints, ...forbidden];
    if (found.length > 0) throw new Error(`the page complained: ${found.join("; ")}`);
  };
  return {
    blank,
    chat: (use) =>
      blank(async (page) => {
        await page.evaluate(
          (start, room, status) => {
            void view.askStart(start);
            view.open();
            view.setRooms([room]);
            view.setStatus(status);
          },
          START,
          roomOf("den"),
          STATUS,
        );
        await use(page);
      }),
    async [Symbol.asyncDispose]() {
      await browser[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
