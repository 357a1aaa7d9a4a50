// The admin of a test server: `cmdchat-server admin …` as a process of its own.

import assert from "node:assert/strict";
import { type Finished, type RunningServer, runServer } from "./server_process.ts";

/** The token of servers that have an admin. */
export const ADMIN_TOKEN = "for-the-admin-alone";

/** Environment of servers and admin commands with the token. */
export const WITH_TOKEN = { CMDCHAT_ADMIN_TOKEN: ADMIN_TOKEN };

/** Address of the admin pages of a server that was started with --admin-listen. */
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

/** Output of one command, which must succeed. */
export async function adminAnswer(pages: string, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await runAdmin(pages, words);
  assert.deepEqual([code, stderr], [0, ""], words.join(" "));
  return stdout;
}
