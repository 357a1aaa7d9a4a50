// The service manager that started a command, where one did.

import type { Logger } from "@logtape/logtape";
import { faultText } from "../telemetry/log.ts";
import { findSystemd, type SystemdNotifier } from "../telemetry/systemd_notify.ts";

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
