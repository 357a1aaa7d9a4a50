/// <reference lib="dom" />
// The chat of a page: the terminal client's own, over a browser's connection, with a view in place of the terminal.

import { CmdchatError } from "../../shared/base/errors.ts";
import { setWorkerAddress } from "../../shared/platform/web/worker.ts";
import { hostAndPort } from "../../shared/text/host_and_port.ts";
import { isLink } from "../../shared/text/invite_link.ts";
import { parseName, parseTypedRoom } from "../../shared/text/names.ts";
import { FILE_ANSWER_MS } from "../base/limits.ts";
import { Chat } from "../chat/chat.ts";
import { ChatSettings } from "../config/chat_settings.ts";
import { Output } from "../output/output.ts";
import { nameList } from "../render/text.ts";
import { ServerGate } from "../session/server_gate.ts";
import { Style } from "../terminal/style.ts";
import { Transfers } from "../transfers/transfers.ts";
import { ChatActions } from "./chat_actions.ts";
import type { PageActions } from "./page_actions.ts";
import { PAGE_CLOCK } from "./page_clock.ts";
import { PageConsole } from "./page_console.ts";
import { pageDisk } from "./page_disk.ts";
import { createPageRenderer } from "./page_renderer.ts";
import { showState } from "./page_state.ts";
import type { PageFault, PageView } from "./page_view.ts";
import {
  linkBehind,
  type PageStart,
  parseServer,
  readStart,
  serverUrl,
  type StartForm,
  typedLink,
} from "./start_form.ts";
import { WebDialer } from "./web_dialer.ts";

/** Lines kept for `/last`. */
const KEPT_LINES = 1_000;
/** What the output would have to fit into; the page wraps by itself. */
const COLUMNS = 200;
/** What a terminal needs, and a browser decides or the page always has. */
const NOT_HERE = [
  "theme",
  "time",
  "numbers",
  "others",
  "links",
  "notice",
  "title",
  "keys",
  "paste",
] as const;
/** Those with X25519 (RFC 7748) and `URL.parse()`. */
const BROWSERS_NEEDED =
  "it needs Chrome 133, Firefox 130, Safari 18 or newer; the browser's console says more";
const DIRECT = /^(?:localhost|127\.\d+\.\d+\.\d+|::1|.*\.localhost|.*\.onion)$/i;

/** What a page is started with. */
export interface PageOptions {
  /** The address of the page as it is now. */
  readonly page: () => URL;
  /** Where the page's script can be started once more, as a worker. */
  readonly worker: string;
  /** Takes the part behind `#` away from the address bar and the browser's history. */
  readonly forgetLink: () => void;
  /** Loads the page again. */
  readonly restart: () => void;
}

/** Runs chats until the page is closed. */
export async function runPage(
  makeView: (actions: PageActions) => PageView,
  { page, worker, forgetLink, restart }: PageOptions,
): Promise<void> {
  setWorkerAddress(worker);
  const actions = new ChatActions();
  const view = makeView(actions);
  const { start, fault: badLink } = startOf(page());
  forgetLink();
  // Another link was opened in this tab: a browser then only changes the part behind `#`.
  globalThis.addEventListener("hashchange", () => {
    const link = linkBehind(page());
    if (link === undefined) return;
    if (!actions.isChatting) return restart();
    forgetLink();
    if (isLink(link)) actions.entered(`/join ${link}`);
  });
  let [form, fault] = [start.form, badLink];
  for (;;) {
    form = await view.askStart(form, fault);
    const leaving = new AbortController();
    try {
      const chat = new PageChat({ form, start, view });
      actions.attach(chat.chat);
      onPageGone(chat.chat, leaving.signal);
      view.open();
      const outcome = await chat.run();
      if (outcome.hadConnection) return view.ended(outcome.fault);
      fault = outcome.fault;
    } catch (error) {
      fault = faultOf(error);
    } finally {
      leaving.abort();
      actions.attach(undefined);
    }
  }
}

/**
 * Closing the page leaves the rooms: the others must not wait for somebody who cannot come back. Firefox ends
 * connections before it tells that the page goes, so there `bye` is sent when the page may go; if it stays, the chat
 * comes back.
 */
function onPageGone(chat: Chat, signal: AbortSignal): void {
  globalThis.addEventListener("pagehide", (event) => {
    if (!(event as PageTransitionEvent).persisted) chat.end();
  }, { signal });
  if (!navigator.userAgent.includes("Firefox/")) return;
  globalThis.addEventListener("beforeunload", () => {
    if (chat.connected) void chat.requireSession().leave();
  }, { signal });
}

function startOf(page: URL): { readonly start: PageStart; readonly fault?: PageFault } {
  try {
    return { start: readStart(page) };
  } catch (error) {
    const bare = new URL(page);
    bare.hash = "";
    const { text } = faultOf(error);
    return {
      start: readStart(bare),
      fault: { text, hint: "open all of the link, as it was sent" },
    };
  }
}

function faultOf(error: unknown): PageFault {
  if (error instanceof CmdchatError) return { text: error.message, hint: error.hint };
  // Neither a bug nor a browser that is too old may leave a page that looks alive.
  reportError(error);
  const name = error instanceof Error ? error.name : "an error";
  return { text: `This page failed (${name}), and the chat cannot go on`, hint: BROWSERS_NEEDED };
}

/** What one chat is made from. */
interface PageChatOptions {
  readonly form: StartForm;
  readonly start: PageStart;
  readonly view: PageView;
}

/** How a chat ended. */
interface PageOutcome {
  readonly hadConnection: boolean;
  readonly fault: PageFault | undefined;
}

/** One chat. Its constructor throws UsageError for a form that cannot be used. */
class PageChat {
  readonly chat: Chat;
  readonly #view: PageView;
  #isDue = false;
  #hadConnection = false;

  constructor({ form, start, view }: PageChatOptions) {
    this.#view = view;
    const link = start.link ?? typedLink(form);
    const { host, port, tls } = link ?? parseServer(form.server);
    const place = { name: parseName(form.name), room: parseTypedRoom(link?.room ?? form.room) };
    const token = form.token === "" ? link?.token : form.token;
    const console = new PageConsole({ view, changed: () => this.#changed() });
    const output = this.#createOutput(console);
    const gate = new ServerGate({
      address: hostAndPort(host, port),
      token,
      pinned: link?.fingerprint,
      known: undefined,
      isCertified: tls,
      isDirect: DIRECT.test(host),
      tell: (level, text, hint) => output.note(level, text, hint),
    });
    const dialer = new WebDialer({
      url: serverUrl({ host, port, tls }),
      gate,
      clock: PAGE_CLOCK,
      askToken: () => view.ask("The server asks for a token:", { hidden: true }),
    });
    this.chat = new Chat({
      place,
      secret: link?.secret,
      alarms: "hold",
      address: { host, port, tls, webSocket: tls, hasPage: form.served, token },
      dial: (destination, signal) => dialer.dial(destination, signal),
      isProven: () => gate.isProven,
      isCompared: () => gate.isCompared,
      trust: (server) => gate.trust(server),
      console,
      output,
      style: new Style("none"),
      clock: PAGE_CLOCK,
      quiet: false,
      transfers: (host) =>
        new Transfers({
          ...host,
          disk: pageDisk(view),
          answerMs: FILE_ANSWER_MS.person,
        }),
    });
    this.chat.requests.linkGuard.canConfirm = true;
  }

  /** Runs it to its end. Throws what is a bug. */
  async run(): Promise<PageOutcome> {
    void this.chat.whenConnected().then(() => this.#hadConnection = true);
    let fault: PageFault | undefined;
    try {
      await this.chat.run();
    } catch (error) {
      fault = faultOf(error);
    } finally {
      this.chat.end();
      await this.chat.transfers.dispose();
      this.chat.output.flush();
    }
    // A user who left the form's chat on purpose has ended it, even if no server was reached.
    return { hadConnection: this.#hadConnection || fault === undefined, fault };
  }

  #createOutput(console: PageConsole): Output {
    const view = this.#view;
    const settings = new ChatSettings(NOT_HERE);
    settings.set("fold", "0");
    // What a notice is, the view knows.
    settings.set("notice", "osc9");
    const print = (line: Parameters<PageView["print"]>[0]) => {
      // What concerns no room stands in the one that is current now, of which the view may not know yet.
      if (line.room === undefined) this.#showNow();
      view.print(line);
      if (line.kind === "note" && line.level === "danger") alarm(view, line);
      this.#changed();
    };
    return new Output({
      renderer: createPageRenderer(() => settings.get("markup") === "on"),
      print,
      diagnose: print,
      history: undefined,
      bufferSize: KEPT_LINES,
      clock: PAGE_CLOCK,
      settings,
      screen: {
        setLive: (lines) => {
          view.setLive(lines.filter(({ kind }) => kind !== "progress"));
          this.#changed();
        },
        react: (room, sequence, reactions) =>
          view.react(
            room,
            sequence,
            reactions.map(({ emoji, names, own }) => (
              { emoji, count: names.length, names: nameList(names), own }
            )),
          ),
        alert: (alert) => console.alert(alert),
        columns: () => COLUMNS,
      },
    });
  }

  /** Many things change in one turn; the page shows them once. */
  #changed(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => this.#showNow());
  }

  #showNow(): void {
    if (!this.#isDue || this.chat === undefined) return;
    this.#isDue = false;
    showState(this.chat, this.#view);
  }
}

/** What must not be overlooked is said at once. */
function alarm(view: PageView, { rows }: Parameters<PageView["print"]>[0]): void {
  const [text = "", hint] = rows.map((row) =>
    row.filter(({ role }) => role !== "time").map(({ text }) => text).join("")
  );
  view.alarm(text, hint);
}
