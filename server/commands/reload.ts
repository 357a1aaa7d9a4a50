// What a running server does with files that it reads again, and what it says of its certificate.

import type { Logger } from "@logtape/logtape";
import { CmdchatError } from "../../shared/base/errors.ts";
import { readAgain } from "../config/reloadable_files.ts";
import { SERVER_OPTIONS, type ServerConfig } from "../config/server_options.ts";
import type { CheckedTls } from "../config/tls_files.ts";
import { NetworkSet, readBansFile } from "../limits/network_set.ts";
import { faultText, setLogLevel } from "../telemetry/log.ts";
import type { ServedRelay } from "./served_relay.ts";

const DAY_MS = 86_400_000;
/** Let's Encrypt renews at 30 days: below two weeks a renewal has failed for long. */
const EXPIRES_SOON_DAYS = 14;

/** Options that a running server takes from the settings when it reads them again. */
const LIVE_OPTIONS = [
  "connection-rate",
  "log-level",
  "max-connections",
  "max-file",
  "max-message",
  "max-per-address",
  "max-rooms",
  "rate-limit",
] as const satisfies readonly (keyof ServerConfig)[];

/** The parts of a server that a reload concerns. */
export interface ReloadParts {
  /** The configuration of the start, of which what is not live stays. */
  readonly config: ServerConfig;
  /** Reads the configuration again. Throws CmdchatError. */
  readonly configAgain: () => ServerConfig;
  readonly served: ServedRelay;
  readonly log: Logger;
}

/** Reads files and settings again, each on its own: a bad certificate does not keep a revoked token valid. */
export function reload(parts: ReloadParts): void {
  const { config, served, log } = parts;
  const whys: string[] = [];
  const attempt = <T>(act: () => T): T | undefined => {
    try {
      return act();
    } catch (error) {
      whys.push(error instanceof CmdchatError ? error.message : faultText(error));
      return undefined;
    }
  };
  const settings = attempt(() => useSettings(parts));
  const files = { ...config, tokens: settings?.tokens ?? config.tokens };
  const { tls, tokens, faults } = readAgain(files, Date.now());
  whys.push(...faults.map(({ message }) => message));
  if (tls !== undefined) {
    attempt(() => {
      served.useCertificate(tls);
      reportCertificate(tls, log, Date.now());
    });
  }
  const revoked = tokens === undefined ? 0 : served.useTokens(tokens);
  if (revoked > 0) log.info("ended the sessions of revoked tokens", { sessions: revoked });
  const banned = attempt(() => served.useBans(readBans(config))) ?? 0;
  if (banned > 0) log.info("ended the sessions of banned networks", { sessions: banned });
  for (const why of whys) {
    log.error("cannot read a file again, its former content stays in effect", { why });
  }
  if (whys.length === 0) log.info("read certificate, tokens, bans and settings again");
}

/** The networks of --bans-file; none without it. Throws ConfigError. */
export function readBans({ "bans-file": path }: ServerConfig): NetworkSet {
  return path === undefined ? new NetworkSet() : readBansFile(path);
}

/** Uses the settings that take effect at once, and names those that do not. */
function useSettings({ config, configAgain, served, log }: ReloadParts): ServerConfig {
  const now = configAgain();
  const live: Record<string, unknown> = {};
  for (const name of LIVE_OPTIONS) live[name] = now[name];
  served.useLimits({ ...config, ...live });
  setLogLevel(now["log-level"], config["log-format"]);
  const isLive = (name: string) => (LIVE_OPTIONS as readonly string[]).includes(name);
  const waiting = Object.entries(SERVER_OPTIONS).map(([name]) => name as keyof ServerConfig)
    .filter((name) => !isLive(name) && JSON.stringify(now[name]) !== JSON.stringify(config[name]));
  if (waiting.length > 0) {
    log.warning("settings that take effect at the next start", { options: waiting.join(", ") });
  }
  return now;
}

/** Says how long the certificate is good, and whether clients may miss a part of its chain. */
export function reportCertificate(
  { expiresAt, lacksIssuer }: CheckedTls,
  log: Logger,
  now: number,
): void {
  if (!warnOfExpiry(expiresAt, log, now)) log.info("certificate", expiry(expiresAt, now));
  if (!lacksIssuer) return;
  const hint = "give --certfile the whole chain, such as fullchain.pem";
  log.warning("the certificate's issuer is missing, many clients will refuse it", { hint });
}

/** Warns every day once the certificate in use expires soon, until `signal` aborts. */
export function watchCertificate(
  { served, log }: { readonly served: Pick<ServedRelay, "files">; readonly log: Logger },
  { signal, now = Date.now, dayMs = DAY_MS }: {
    readonly signal: AbortSignal;
    readonly now?: () => number;
    readonly dayMs?: number;
  },
): void {
  const timer = setInterval(() => {
    const { tls } = served.files;
    if (tls !== undefined) warnOfExpiry(tls.expiresAt, log, now());
  }, dayMs);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

function warnOfExpiry(expiresAt: number, log: Logger, now: number): boolean {
  const fields = expiry(expiresAt, now);
  if (fields.days >= EXPIRES_SOON_DAYS) return false;
  if (expiresAt > now) log.warning("the certificate expires soon", fields);
  else log.error("the certificate has expired", fields);
  return true;
}

function expiry(
  expiresAt: number,
  now: number,
): { readonly expires: string; readonly days: number } {
  return {
    expires: new Date(expiresAt).toISOString().slice(0, 10),
    days: Math.floor((expiresAt - now) / DAY_MS),
  };
}
