/// <reference lib="dom" />
// The ways to the page: over TLS, and from a file with a whole link, which names its server and gets nowhere else.

import assert from "node:assert/strict";
import { BROWSERS, startBrowser, whyNoBrowser } from "../../helpers/browser/browsers.ts";
import { ChatPage } from "../../helpers/browser/chat_page.ts";
import { startPageServer } from "../../helpers/browser/served_page.ts";
import { skipIf } from "../../helpers/repo/skip.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";

const PAGE_FILE = new URL("../../../dist/page.html", import.meta.url);
const TOKEN = "a-token-of-twenty-characters";

for (const name of BROWSERS) {
  const test = skipIf(whyNoBrowser(name));

  test(`${name}: a page over TLS connects by wss`, async () => {
    await using certificate = await makeCertificate();
    const { certFile, keyFile } = certificate;
    const args = ["--certfile", certFile, "--keyfile", keyFile];
    await using web = await startPageServer({ scheme: "https", args });
    await using browser = await startBrowser(name);
    await using page = await ChatPage.join(browser, { url: web.origin, name: "pia" });
    await page.enter("over TLS");
    await page.untilRow(/^over TLS$/);
    assert.deepEqual(await page.complaints(), []);
  });

  test(`${name}: a page from a file takes a whole link; for another server than that, nothing is sent`, async () => {
    const tokens = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(tokens, `${TOKEN}\n`);
      await Deno.chmod(tokens, 0o600);
      const args = ["--tokens-file", tokens];
      await using web = await startPageServer({ origins: ["null"], args });
      await using browser = await startBrowser(name);
      const [, fingerprint = ""] = await web.server.printed(/SHA256:(\S{43})/);
      const url = (fp: string) =>
        `${PAGE_FILE.href}#cmdchat://localhost:${web.server.port}/den#fp=${fp}&token=${TOKEN}`;
      await using page = await ChatPage.join(browser, { url: url(fingerprint), name: "pia" });
      assert.equal(await page.page.evaluate(() => location.hash), "");
      await page.enter("from a file");
      await page.untilRow(/^from a file$/);
      assert.deepEqual(await page.complaints(), []);
      const joined = () => web.server.log.match(/client joined/g)?.length;
      assert.equal(joined(), 1);

      await using other = await ChatPage.start(browser, { url: url("A".repeat(43)), name: "eve" });
      await other.untilText("[role=alert]", /SHA256:AAAA/);
      assert.equal(joined(), 1);
    } finally {
      await Deno.remove(tokens);
    }
  });
}
