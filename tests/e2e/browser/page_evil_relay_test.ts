// The same somebody in between as evil_relay_test.ts, where a WebSocket carries the session and the page's own transport
// and core are at the other end.

import "../../helpers/fakes/ready_key_pair.ts";
import assert from "node:assert/strict";
import { SYSTEM_CLOCK } from "../../../client/base/clock.ts";
import { ServerGate } from "../../../client/session/server_gate.ts";
import { runPage } from "../../../client/web/page_chat.ts";
import { WebDialer } from "../../../client/web/web_dialer.ts";
import { FakePageView } from "../../helpers/fakes/fake_page_view.ts";
import {
  fingerprintFrom,
  OPENING_ATTACKS,
  strikeRecords,
  TOKEN,
} from "../../helpers/web/evil_attacks.ts";
import { EvilWebRelay } from "../../helpers/hostile/evil_relay.ts";
import { startServer } from "../../helpers/programs/server_process.ts";

const decoder = new TextDecoder();

Deno.test("whoever stands in between when a page opens a session is named, and gets no token", async (t) => {
  await using server = await startServer({
    args: ["--web-only-socket"],
    env: { CMDCHAT_TOKENS: TOKEN },
  });
  const fingerprint = await fingerprintFrom(server);
  for (const { what, evil, says, saysInWeb = says } of OPENING_ATTACKS) {
    await t.step(`who ${what}`, async () => {
      await using relay = new EvilWebRelay(server.port, evil);
      // The form is shown again with what was wrong; nobody answers it.
      const view = new FakePageView((form) => ({ ...form, name: "secret-name", token: TOKEN }));
      const link = new URLSearchParams({ room: "secret-room", fp: fingerprint.slice(7) });
      void runPage(() => view, {
        page: () => new URL(`http://127.0.0.1:${relay.port}/#${link}`),
        worker: "",
        forgetLink: () => {},
        restart: () => {},
      });
      await view.until(() => view.faults.length > 1);
      const { text, hint } = view.faults[1] ?? { text: "" };
      assert.match(`error: ${text}${hint === undefined ? "" : `\nhint: ${hint}`}`, saysInWeb);
      const sent = new Uint8Array(relay.sent.flatMap((bytes) => Array.from(bytes)));
      const first = 4 + new DataView(sent.buffer).getUint32(0);
      assert.equal(sent.length, first, "the page sends nothing behind its first message");
      assert.doesNotMatch(decoder.decode(sent), /secret|sesame/);
    });
  }
});

Deno.test("records in a WebSocket that are repeated, swapped, reflected, dropped, cut or changed are named, and nothing is lost or seen twice", async (t) => {
  await strikeRecords(t, {
    args: ["--web-only-socket"],
    between: (target, evil) => new EvilWebRelay(target, evil),
    reach(port, { token, expected }) {
      const gate = new ServerGate({
        address: `127.0.0.1:${port}`,
        token,
        pinned: expected,
        known: undefined,
        isCertified: false,
        isDirect: true,
        tell: () => {},
      });
      const dialer = new WebDialer({
        url: `ws://127.0.0.1:${port}`,
        gate,
        clock: SYSTEM_CLOCK,
        askToken: () => Promise.resolve(undefined),
      });
      return { dialer: { dial: (place, signal) => dialer.dial(place, signal) } };
    },
  });
});
