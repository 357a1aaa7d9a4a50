// `cmdchat-server health` and `cmdchat-server top`: the state of a running server, read from its admin pages.

import { CmdchatError } from "../../shared/base/errors.ts";
import { addressText } from "../config/admin_address.ts";
import { type AdminPeer, fetchPage, type TopPeer } from "./admin_client.ts";
import { readSamples } from "../telemetry/prometheus_reader.ts";
import { fitRows, GRAPH_LOOKS, type Look, topRows } from "./top_view.ts";
import type { CommandIo } from "./command_io.ts";

/** Whether the server accepts clients: exit code 0, or 1 with the reason. */
export async function healthCommand(peer: AdminPeer, to: CommandIo): Promise<number> {
  try {
    to.write(await fetchPage(peer, "/ready"));
    return 0;
  } catch (error) {
    if (!(error instanceof CmdchatError)) throw error;
    to.warn(`error: ${error.message}\n`);
    return 1;
  }
}

const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";
const OTHER_SCREEN = "\x1b[?1049h\x1b[?25l";
const OWN_SCREEN = "\x1b[?25h\x1b[?1049l";

/** Draws the server's metrics until q is pressed or `signal` aborts; prints them once if the output is not a terminal. */
export async function topCommand(peer: TopPeer, to: CommandIo): Promise<number> {
  const { terminal } = to;
  const where = addressText(peer.address);
  const looks: Look[] = [await look(peer)];
  if (terminal === undefined) {
    to.write(`${topRows(looks, where).join("\n")}\n`);
    return 0;
  }
  const quit = new AbortController();
  const signal = AbortSignal.any([to.signal, quit.signal]);
  const release = terminal.listen(() => quit.abort());
  to.write(OTHER_SCREEN);
  try {
    let trouble = "";
    while (!signal.aborted) {
      const rows = fitRows(topRows(looks, where), trouble || "q quits", terminal.size());
      // A row that fills the screen leaves the cursor on its last character, which must not be cleared.
      to.write(HOME + rows.map((text) => CLEAR_LINE + text).join("\r\n") + CLEAR_BELOW);
      await pause(peer.interval * 1_000, signal);
      if (!signal.aborted) trouble = await lookAgain(peer, looks);
    }
  } finally {
    to.write(OWN_SCREEN);
    release();
  }
  return 0;
}

async function lookAgain(peer: AdminPeer, looks: Look[]): Promise<string> {
  try {
    looks.push(await look(peer));
    if (looks.length > GRAPH_LOOKS) looks.shift();
    return "";
  } catch (error) {
    // The server may be restarting; the last values stay on the screen.
    if (error instanceof CmdchatError) return error.message;
    throw error;
  }
}

async function look(peer: AdminPeer): Promise<Look> {
  const page = await fetchPage(peer, "/metrics");
  return { samples: readSamples(page), at: performance.now() };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
