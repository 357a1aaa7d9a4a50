// What a running server does with files that it reads again, and what it says of its certificate.

import type { Logger } from "@logtape/logtape";
import { CmdchatError } from "../../shared/base/errors.ts";
import { readAgain } from "../config/reloadable_files.ts";
import type { ServerConfig } from "../config/server_options.ts";
import type { CheckedTls } from "../config/tls_files.ts";
import { faultText } from "../telemetry/log.ts";
import type { ServedRelay } from "./served_relay.ts";

const DAY_MS = 86_400_000;
/** Let's Encrypt renews at 30 days: below two weeks a renewal has failed for long. */
const EXPIRES_SOON_DAYS = 14;

/** The parts of a server that a reload concerns. */
export interface ReloadParts {
  readonly config: ServerConfig;
  readonly served: ServedRelay;
  readonly log: Logger;
}

/** Reads certificate, key and tokens again, each by itself: a bad certificate keeps no revoked token in. */
export function reload({ config, served, log }: ReloadParts): void {
  const { tls, tokenDigests, faults } = readAgain(config, Date.now());
  const whys: string[] = faults.map(({ message }) => message);
  try {
    if (tls !== undefined) {
      served.useCertificate(tls);
      reportCertificate(tls, log, Date.now());
    }
  } catch (error) {
    whys.push(error instanceof CmdchatError ? error.message : faultText(error));
  }
  const ended = tokenDigests === undefined ? 0 : served.useTokens(tokenDigests);
  if (ended > 0) log.info("ended the sessions of revoked tokens", { sessions: ended });
  for (const why of whys) {
    log.error("cannot read certificate and tokens again, the old ones stay", { why });
  }
  if (whys.length === 0) log.info("read certificate and tokens again");
}

/** Says how long the certificate is good, and whether clients may miss a part of its chain. */
export function reportCertificate(
  { expiresAt, lacksIssuer }: CheckedTls,
  log: Logger,
  now: number,
): void {
  const fields = {
    expires: new Date(expiresAt).toISOString().slice(0, 10),
    days: Math.floor((expiresAt - now) / DAY_MS),
  };
  if (fields.days < EXPIRES_SOON_DAYS) log.warning("the certificate expires soon", fields);
  else log.info("certificate", fields);
  if (!lacksIssuer) return;
  const hint = "give --certfile the whole chain, such as fullchain.pem";
  log.warning("the certificate's issuer is missing, many clients will refuse it", { hint });
}
