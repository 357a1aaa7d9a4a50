// Reports the server's state to systemd with sd_notify(3) datagrams. ADR 14 says what this may write to, and why.

import type { Logger } from "@logtape/logtape";
import { faultText } from "./log.ts";

/** The service manager's socket, which cannot be opened as a file. */
export const MANAGER_SOCKET = "/run/systemd/notify";

/** The unit's RuntimeDirectory=: in memory, and gone with the service. */
const RUNTIME_FOLDER = "/run/cmdchat";

/** The sending sockets of server and keeper: the runtime cannot send from a socket without a name. */
export const OWN_SOCKETS = [`${RUNTIME_FOLDER}/notify`, "/run/cmdchat-keeper/notify"] as const;

/** What a datagram may say. */
export type Notice =
  | "READY=1"
  | "RELOADING=1"
  | "STOPPING=1"
  | "WATCHDOG=1"
  | `STATUS=${string}`
  | `EXTEND_TIMEOUT_USEC=${number}`;

/** The service manager, or nobody. */
export interface SystemdNotifier {
  /** Sends notices as one datagram; what cannot be sent is reported once and forgotten. */
  tell(...notices: Notice[]): void;
  /** Ms between two watchdog notices that it expects; undefined where it expects none. */
  readonly watchdogMs: number | undefined;
  close(): void;
}

/** How a process is started by a manager, and what to do where that fails. */
export interface SystemdNotifierOptions {
  readonly env: (name: string) => string | undefined;
  readonly onFault: (error: unknown) => void;
}

const encoder = new TextEncoder();
const NOBODY: SystemdNotifier = { tell() {}, watchdogMs: undefined, close() {} };

/** The service manager that NOTIFY_SOCKET names. Gives up the permission to write to anything else. */
export function findSystemd(options: SystemdNotifierOptions): SystemdNotifier {
  const path = options.env("NOTIFY_SOCKET");
  if (!path) return giveUpWriting(), NOBODY;
  const own = `${options.env("RUNTIME_DIRECTORY") || RUNTIME_FOLDER}/notify`;
  try {
    const socket = Deno.listenDatagram({ transport: "unixpacket", path: own });
    for (const path of [own, ...OWN_SOCKETS]) {
      Deno.permissions.revokeSync({ name: "write", path });
    }
    return overSocket(socket, path, options);
  } catch (error) {
    options.onFault(error);
    giveUpWriting();
    return NOBODY;
  }
}

/** The notifier of the service manager that `env` names; one that does nothing where it names none. */
export function openManager(
  log: Logger,
  env: (name: string) => string | undefined,
): SystemdNotifier {
  return findSystemd({
    env,
    onFault: (error) => log.warning("cannot tell the service manager", { why: faultText(error) }),
  });
}

function giveUpWriting(): void {
  Deno.permissions.revokeSync({ name: "write" });
}

function overSocket(
  socket: Deno.DatagramConn,
  path: string,
  { env, onFault }: SystemdNotifierOptions,
): SystemdNotifier {
  let reported = false;
  const report = (error: unknown) => {
    if (!reported) onFault(error);
    reported = true;
  };
  return {
    tell(...notices) {
      const bytes = encoder.encode(notices.join("\n"));
      socket.send(bytes, { transport: "unixpacket", path }).catch(report);
    },
    watchdogMs: watchdogMs(env),
    close: () => socket.close(),
  };
}

// The variable is inherited; WATCHDOG_PID says which process it is for.
function watchdogMs(env: SystemdNotifierOptions["env"]): number | undefined {
  const [micros, pid] = [Number(env("WATCHDOG_USEC")), env("WATCHDOG_PID")];
  return micros > 0 && (pid === undefined || Number(pid) === Deno.pid) ? micros / 1_000 : undefined;
}
