// The vectors of session v2 and of sealed rooms, and those of the MLS working group, in real browsers on their twins of
// the platform: the tests themselves, as they run elsewhere.

import assert from "node:assert/strict";
import { BROWSERS, startBrowser, whyNoBrowser } from "../../helpers/browser/browsers.ts";
import { bundleTests, runInBrowser } from "../../helpers/browser/tests_in_browser.ts";
import { skipIf } from "../../helpers/repo/skip.ts";

const FILES = [
  "tests/shared/channel/handshake_test.ts",
  "tests/shared/channel/record_batch_test.ts",
  "tests/shared/channel/record_cipher_test.ts",
  "tests/shared/crypto/x25519_test.ts",
  "tests/shared/crypto/kem_test.ts",
  "tests/client/mls/vectors_test.ts",
  "tests/client/mls/mls_vectors_test.ts",
];

let bundle: Promise<string> | undefined;

for (const name of BROWSERS) {
  skipIf(whyNoBrowser(name))(`${name}: the vectors of v2, sealed rooms and MLS`, async () => {
    await using browser = await startBrowser(name);
    const outcomes = await runInBrowser(browser, await (bundle ??= bundleTests(FILES)));
    assert.ok(outcomes.length > 100, `${outcomes.length} tests ran`);
    const faults = outcomes.filter(({ fault }) => fault !== undefined);
    assert.deepEqual(faults, []);
  });
}
