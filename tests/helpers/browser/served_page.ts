// A server with the page, as a browser reaches it.

import { writePage } from "../../../scripts/build/page.ts";
import { builtOnce } from "../repo/built_once.ts";
import { type RunningServer, startServer } from "../programs/server_process.ts";
import { freePort } from "../web/reverse_proxies.ts";

/** A server that serves the page. */
export interface PageServer extends AsyncDisposable {
  readonly server: RunningServer;
  /** Where browsers reach it; a name of this machine, so that they give the page cryptography. */
  readonly origin: string;
}

let built: Promise<string> | undefined;

/** The page where the server looks for it, built once for all servers of a run. */
export function builtPage(): Promise<string> {
  return built ??= writeOnce();
}

async function writeOnce(): Promise<string> {
  const kept = await builtOnce(
    "page.html",
    async (path) => await Deno.writeTextFile(path, await writePage()),
  );
  return kept === undefined ? await writePage() : await Deno.readTextFile(kept);
}

/** Starts a server that serves the page, with further options. */
export async function startPageServer(
  { args = [], origins = [], scheme = "http" }: {
    readonly args?: readonly string[];
    /** Further origins, besides its own. */
    readonly origins?: readonly string[];
    readonly scheme?: "http" | "https";
  } = {},
): Promise<PageServer> {
  await builtPage();
  const port = freePort();
  const origin = `${scheme}://localhost:${port}`;
  const server = await startServer({
    args: ["--port", String(port), "--web", [origin, ...origins].join(","), ...args],
  });
  return { server, origin, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
