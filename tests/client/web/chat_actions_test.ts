import assert from "node:assert/strict";
import { ChatActions } from "../../../client/web/chat_actions.ts";
import { FakeSession, startChat } from "../../helpers/fakes/chat_fakes.ts";

Deno.test("a page that wakes asks the server for a sign of life where there is a connection", async () => {
  const session = new FakeSession();
  const { chat } = await startChat([session]);
  const actions = new ChatActions();
  actions.wake();
  actions.attach(chat);
  actions.wake();
  assert.equal(session.woken, 1);
  await session.drop();
  actions.wake();
  assert.equal(session.woken, 1);
  chat.end();
});
