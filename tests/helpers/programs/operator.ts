// The operator of a test's server: `cmdchat-server admin …` as a process of its own.

import assert from "node:assert/strict";
import { type Finished, type RunningServer, runServer } from "./server_process.ts";

/** The token of servers that have an operator. */
export const OPERATOR_TOKEN = "for-the-operator";

/** What servers and operators are started with. */
export const WITH_TOKEN = { CMDCHAT_ADMIN_TOKEN: OPERATOR_TOKEN };

/** Where the pages of a server that was started with --admin-listen are. */
export async function pagesOf(server: RunningServer): Promise<string> {
  return (await server.printed(/^admin pages on http:\/\/(\S+)$/m))[1] as string;
}

/** Runs `cmdchat-server admin …` against `pages`. */
export function runAdmin(
  pages: string,
  words: readonly string[],
  env: Record<string, string> = WITH_TOKEN,
): Promise<Finished> {
  const permissions = ["--allow-net", "--allow-env", "--allow-read"];
  return runServer({
    command: {
      path: Deno.execPath(),
      args: ["run", "--no-check", "--no-prompt", ...permissions, "server/main.ts", "admin"],
    },
    bare: true,
    args: ["--admin-listen", pages, ...words],
    env,
  });
}

/** What one command prints, which must work. */
export async function adminAnswer(pages: string, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await runAdmin(pages, words);
  assert.deepEqual([code, stderr], [0, ""], words.join(" "));
  return stdout;
}
