import assert from "node:assert/strict";
import type { Logger } from "@logtape/logtape";
import { reportCertificate } from "../../../server/commands/reload.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 0, 1);

/** What is logged of a certificate that expires in so many days. */
function logged(days: number, lacksIssuer = false): string[] {
  const lines: string[] = [];
  const note = (level: string) => (text: string, fields: unknown) =>
    void lines.push(`${level} ${text} ${JSON.stringify(fields)}`);
  const log = { info: note("INFO"), warning: note("WARNING") } as unknown as Logger;
  const tls = { cert: "", key: "", expiresAt: NOW + days * DAY_MS, lacksIssuer };
  reportCertificate(tls, log, NOW);
  return lines;
}

Deno.test("the log says how long a certificate is good, and warns below two weeks", () => {
  assert.deepEqual(logged(14), ['INFO certificate {"expires":"2026-01-15","days":14}']);
  assert.deepEqual(logged(13.9), [
    'WARNING the certificate expires soon {"expires":"2026-01-14","days":13}',
  ]);
});

Deno.test("a certificate without its issuer's is told with what to do", () => {
  const [, warning] = logged(90, true);
  assert.match(warning ?? "", /^WARNING the certificate's issuer is missing.*fullchain\.pem/);
});
