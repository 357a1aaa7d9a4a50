// The line of figures that a server writes into its log at each `--metrics-interval`.

import type { RunningServer } from "../programs/server_process.ts";

/** A number of the last metrics line. */
export function gauge(server: RunningServer, name: string): number {
  const values = [...server.log.matchAll(new RegExp(`\\b${name}=(\\d+(?:\\.\\d+)?)`, "g"))];
  return Number(values.at(-1)?.[1]);
}

/** Resolves once there is a further one. */
export async function nextMetrics(server: RunningServer): Promise<void> {
  const lines = server.log.match(/ metrics /g)?.length ?? 0;
  // What stands between two of them cannot hold one: nothing is tried twice, however long the log is.
  const upToNext = "(?:(?! metrics )[^])*";
  await server.logged(new RegExp(`^${upToNext}(?: metrics ${upToNext}){${lines + 1}}`));
}
