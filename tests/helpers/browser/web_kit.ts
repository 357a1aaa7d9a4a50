/// <reference lib="dom" />
// Safari's engine, as Debian has it: WebKitGTK's small browser on a display that nobody sees, driven over WebDriver.

import { programPath, whyMissing } from "../repo/system_needs.ts";
import { freePort } from "../web/reverse_proxies.ts";

const START_MS = 20_000;
const PATIENCE_MS = 20_000;
const POLL_MS = 25;

/** Keys that no character stands for, as WebDriver names them. */
export const KEYS = { enter: "\uE007", pageUp: "\uE00E", escape: "\uE00C" } as const;

/** The reason why it cannot be tried here. */
export function whyNoWebKit(): string | undefined {
  return whyMissing("WebKitWebDriver", "Xvfb");
}

/** A browser that runs, at its first window. */
export class WebKit implements AsyncDisposable {
  readonly #session: string;
  readonly #end: AsyncDisposableStack;

  private constructor(session: string, end: AsyncDisposableStack) {
    this.#session = session;
    this.#end = end;
  }

  /** Starts it with an empty profile, and keeps nothing of it. */
  static async start(): Promise<WebKit> {
    await using end = new AsyncDisposableStack();
    const home = await Deno.makeTempDir({ prefix: "cmdchat-webkit-" });
    end.defer(() => Deno.remove(home, { recursive: true }));
    const screen = ["-displayfd", "1", "-screen", "0", "1280x1000x24", "-nolisten", "tcp"];
    const display = end.use(run("Xvfb", screen, {}));
    const { value: number } = await display.stdout.pipeThrough(new TextDecoderStream()).getReader()
      .read();
    const port = freePort();
    end.use(run("WebKitWebDriver", ["-p", String(port)], {
      HOME: home,
      DISPLAY: `:${number?.trim()}`,
      GDK_BACKEND: "x11",
      LIBGL_ALWAYS_SOFTWARE: "1",
      NO_AT_BRIDGE: "1",
    }));
    const driver = `http://127.0.0.1:${port}/session`;
    const { sessionId } = await firstAnswer(driver) as { readonly sessionId: string };
    const session = `${driver}/${sessionId}`;
    end.defer(async () => void await ask(session, { method: "DELETE" }));
    return new WebKit(session, end.move());
  }

  /** Goes to an address. */
  async goTo(url: string): Promise<void> {
    await this.#post("url", { url });
  }

  /** Runs a function in the page. */
  async run<T, A extends readonly unknown[]>(task: (...args: A) => T, ...args: A): Promise<T> {
    return await this.#post("execute/sync", {
      script: `return (${task})(...arguments)`,
      args,
    }) as T;
  }

  /** Presses keys: the characters of each text, or one of KEYS. */
  async press(...texts: readonly string[]): Promise<void> {
    const keys = texts.flatMap((text) => [...text]).flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    await this.#post("actions", { actions: [{ type: "key", id: "keys", actions: keys }] });
  }

  /** Presses an element with the mouse. */
  async click(selector: string): Promise<void> {
    await this.#post(`element/${await this.#find(selector)}/click`, {});
  }

  /** Chooses a file of this machine. */
  async choose(selector: string, path: string): Promise<void> {
    await this.#post(`element/${await this.#find(selector)}/value`, { text: path });
  }

  /** Makes the window so wide and high; the browser has a least width. */
  async resize(width: number, height: number): Promise<void> {
    await this.#post("window/rect", { width, height, x: 0, y: 0 });
  }

  /** Opens another window and goes there; gives what leads back. */
  async openWindow(): Promise<string> {
    const before = await ask(`${this.#session}/window`) as string;
    const { handle } = await this.#post("window/new", { type: "window" }) as { handle: string };
    await this.#post("window", { handle });
    return before;
  }

  /** Closes the window and goes to another. */
  async closeWindow(next: string): Promise<void> {
    await ask(`${this.#session}/window`, { method: "DELETE" });
    await this.#post("window", { handle: next });
  }

  /** Resolves once `condition` holds in the page. */
  async until<A extends readonly unknown[]>(
    condition: (...args: A) => boolean,
    ...args: A
  ): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!await this.run(condition, ...args)) {
      if (performance.now() > deadline) {
        const text = await this.run(() => document.body.innerText);
        throw new Error(`${condition} ${args} did not come; the page shows:\n${text}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Resolves once an element has this text. */
  untilText(selector: string, text: string): Promise<void> {
    return this.until(
      (selector, text) =>
        [...document.querySelectorAll(selector)].some(({ textContent }) =>
          textContent?.includes(text)
        ),
      selector,
      text,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end[Symbol.asyncDispose]();
  }

  async #find(selector: string): Promise<string> {
    const found = await this.#post("element", { using: "css selector", value: selector });
    return Object.values(found as Record<string, string>)[0] ?? "";
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    return await ask(`${this.#session}/${path}`, { method: "POST", body: JSON.stringify(body) });
  }
}

function run(
  name: "Xvfb" | "WebKitWebDriver",
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Deno.ChildProcess & AsyncDisposable {
  return new Deno.Command(programPath(name) ?? name, {
    args: [...args],
    env: { PATH: Deno.env.get("PATH") ?? "", ...env },
    clearEnv: true,
    stdin: "null",
    stdout: name === "Xvfb" ? "piped" : "null",
    stderr: "null",
  }).spawn();
}

async function ask(url: string, init: RequestInit = {}): Promise<unknown> {
  const { value } = await (await fetch(url, init)).json();
  if (value?.error !== undefined) throw new Error(`${url}: ${value.error}: ${value.message}`);
  return value;
}

/** Asks for a session as soon as the driver listens. */
async function firstAnswer(url: string): Promise<unknown> {
  const body = JSON.stringify({ capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
  const deadline = performance.now() + START_MS;
  while (true) {
    try {
      return await ask(url, { method: "POST", body });
    } catch (error) {
      if (!(error instanceof TypeError) || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}
