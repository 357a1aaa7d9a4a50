import assert from "node:assert/strict";
import type { Logger } from "@logtape/logtape";
import { reportCertificate, watchCertificate } from "../../../server/commands/reload.ts";

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

Deno.test("a running server warns every day once its certificate expires soon, and says when it has expired", async () => {
  const lines: string[] = [];
  const all = Promise.withResolvers<void>();
  const note = (level: string) => (text: string, { days }: { days: number }) => {
    if (lines.push(`${level} ${text} ${days}`) === 3) all.resolve();
  };
  const log = { info: note("INFO"), warning: note("WARNING"), error: note("ERROR") };
  const tls = { cert: "", key: "", expiresAt: NOW + 15.5 * DAY_MS, lacksIssuer: true };
  const daysOver = [0, 1, 2, 15, 16];
  const stop = new AbortController();
  watchCertificate({ served: { files: { tls, tokens: [] } }, log: log as unknown as Logger }, {
    signal: stop.signal,
    now: () => NOW + DAY_MS * (daysOver.shift() ?? 17),
    dayMs: 1,
  });
  await all.promise;
  stop.abort();
  assert.deepEqual(lines, [
    "WARNING the certificate expires soon 13",
    "WARNING the certificate expires soon 0",
    "ERROR the certificate has expired -1",
  ]);
});
