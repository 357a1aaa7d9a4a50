import assert from "node:assert/strict";
import { loadedWith } from "../../helpers/repo/loaded_with.ts";

Deno.test("the client loads the protocol and its packages after its prompt, and for --version no chat either", async () => {
  const protocol = [
    "client/session/dialer.ts",
    "client/session/session_v2.ts",
    "shared/messages/messages_v1.ts",
    "shared/messages/messages_v2.ts",
    "shared/messages/cbor_reader.ts",
    "ipaddr.js",
    "string-width",
    "zod",
    "zod/mini",
  ];
  const withDialer = await loadedWith("client/session/dialer.ts");
  for (const path of protocol.filter((one) => !["string-width", "zod"].includes(one))) {
    assert.ok(withDialer.has(path), `the dialer loads ${path}`);
  }
  const withPrompt = await loadedWith("client/app/run_chat.ts");
  assert.ok(withPrompt.has("client/console/prompt.ts"));
  assert.deepEqual(protocol.filter((path) => withPrompt.has(path)), []);
  const withMain = await loadedWith("client/main.ts");
  assert.ok(withMain.has("client/config/program.ts"));
  const chat = ["client/app/run_chat.ts", "client/chat/chat.ts", "client/commands/dispatcher.ts"];
  assert.deepEqual([...protocol, ...chat].filter((path) => withMain.has(path)), []);
});
