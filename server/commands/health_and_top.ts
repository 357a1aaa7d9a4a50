// `cmdchat-server health` and `cmdchat-server top`: how a running server does, asked over its pages.

import { optionHelp } from "../../shared/cli/command_line.ts";
import { CmdchatError } from "../../shared/base/errors.ts";
import { addressText } from "../config/admin_address.ts";
import { ADMIN_OPTIONS, type AdminPeer, fetchPage } from "./admin_client.ts";
import { readSamples } from "../telemetry/prometheus_reader.ts";
import { GRAPH_LOOKS, type Look, topRows } from "./top_view.ts";
import type { CommandIo } from "./command_io.ts";

/** Whether the server answers and takes clients: exit code 0, or 1 with the reason. */
export async function healthCommand(peer: AdminPeer, to: CommandIo): Promise<number> {
  if (peer.help) return help("health", "exit code 0 when the server takes clients, 1 when not", to);
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

/** Draws the server's metrics until `signal`; one look and no drawing where the output is no terminal. */
export async function topCommand(peer: AdminPeer, to: CommandIo): Promise<number> {
  if (peer.help) return help("top", "how the server does, drawn anew every second", to);
  const where = addressText(peer.address);
  const looks: Look[] = [await look(peer)];
  if (!to.terminal) {
    to.write(`${topRows(looks, where).join("\n")}\n`);
    return 0;
  }
  to.write(OTHER_SCREEN);
  try {
    let trouble = "";
    while (!to.signal.aborted) {
      const rows = [...topRows(looks, where), "", trouble || "Ctrl-C ends"];
      to.write(HOME + rows.map((text) => text + CLEAR_LINE).join("\r\n") + CLEAR_BELOW);
      await pause(peer.interval * 1_000, to.signal);
      trouble = await lookAgain(peer, looks);
    }
  } finally {
    to.write(OWN_SCREEN);
  }
  return 0;
}

async function lookAgain(peer: AdminPeer, looks: Look[]): Promise<string> {
  try {
    looks.push(await look(peer));
    if (looks.length > GRAPH_LOOKS) looks.shift();
    return "";
  } catch (error) {
    // It may be starting anew; the last look stays on the screen.
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

function help(command: string, what: string, to: CommandIo): number {
  to.write(`usage: cmdchat-server ${command} [OPTIONS]\n\n${what}\n\n${optionHelp(ADMIN_OPTIONS)}

environment only:
  CMDCHAT_ADMIN_TOKEN  the token that the server asks for, where it has one
`);
  return 0;
}
