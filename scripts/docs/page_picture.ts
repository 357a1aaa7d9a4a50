// The pictures of the page in the README (docs/page.png and docs/page-dark.png), taken of a real run: the server, a page
// in Chromium and two terminal clients in a sealed room. `deno task pictures` makes them again.

import { startBrowser } from "../../tests/helpers/browser/browsers.ts";
import { ChatPage } from "../../tests/helpers/browser/chat_page.ts";
import { startPageServer } from "../../tests/helpers/browser/served_page.ts";
import { LiveChat } from "../../tests/helpers/fakes/live_chat.ts";

const SIZE = { width: 1080, height: 640, deviceScaleFactor: 1.5 };
const FILES = { light: "docs/page.png", dark: "docs/page-dark.png" } as const;
const PLAN_BYTES = 2_400_000;

/** What is said, by whom; the page's own user is bea. */
const TALK: readonly (readonly [string, string])[] = [
  ["alice", "Morning. The crane is up again, we can lift at ten."],
  ["alice", "Weather looks fine until the afternoon."],
  ["bea", "I will bring the cables. Anybody seen the long one?"],
  ["dora", "bea: in the van, left side"],
  ["alice", "Before we start: `tide --at 10:00` says 1.8 m."],
];

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const served = stack.use(await startPageServer());
  const browser = stack.use(await startBrowser("chromium"));
  const url = served.origin;
  const bea = stack.use(await ChatPage.join(browser, { url, name: "bea" }));
  await bea.page.setViewport(SIZE);
  await bea.enter("/seal harbor");
  await bea.untilText(".room[aria-current] .label", /^harbor$/);
  const link = await inviteOf(bea);
  const endpoint = () => ({ host: "localhost", port: served.server.port });
  const others = new Map<string, LiveChat>();
  for (const name of ["alice", "dora"]) {
    const chat = stack.use(new LiveChat({ name, endpoint, folder }));
    await chat.until(() => chat.chat.connected, "the session");
    chat.read();
    await chat.console.enter(`/join ${link}`);
    others.set(name, chat);
    await bea.untilText(".side-head .count", new RegExp(`^${others.size + 1}$`));
  }
  await bea.enter("/clear");
  for (const [name, text] of TALK) {
    await (others.get(name)?.console.enter(text) ?? bea.enter(text));
    await bea.untilText(".line.chat .body", new RegExp(text.slice(0, 8)));
  }
  await Deno.writeFile(`${folder}/pier-plan.pdf`, new Uint8Array(PLAN_BYTES));
  await others.get("dora")?.console.enter(`/send ${folder}/pier-plan.pdf`);
  await bea.untilText(".transfer .file-name", /pier-plan/);
  await others.get("alice")?.console.enter("/switch lobby");
  await bea.page.mouse.move(0, 0);
  for (const [scheme, path] of Object.entries(FILES)) {
    await bea.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    const url = new URL(`../../${path}`, import.meta.url);
    await Deno.writeFile(url, await bea.page.screenshot({ type: "png" }));
  }
}

/** The link of the room in which somebody is, for a terminal client. */
async function inviteOf({ page }: ChatPage): Promise<string> {
  await page.click('[aria-label="Invite"]');
  const links = await page.$$eval("dialog input", (inputs) => inputs.map(({ value }) => value));
  await page.keyboard.press("Escape");
  return links.find((link) => link.startsWith("cmdchat:")) ?? "";
}

await main();
