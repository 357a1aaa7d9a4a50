// A server that says one thing without end, each time about somebody else: what the client keeps of it is bounded, for
// every kind of message that there is.

import assert from "node:assert/strict";
import type * as z from "zod/mini";
import { CmdchatError } from "../../../shared/base/errors.ts";
import { SERVER_MESSAGES, type ServerMessage } from "../../../shared/messages/messages_v1.ts";
import { type Event, EVENTS } from "../../../shared/messages/messages_v2.ts";
import { handleEvent } from "../../../client/events/dispatch.ts";
import { V1Translation } from "../../../client/session/v1_translation.ts";
import { FakeSession, LOBBY, startChat } from "../../helpers/fakes/chat_fakes.ts";
import { filled, isNothing, keptOfEach, valueOf } from "../../helpers/hostile/endless.ts";

async function scene() {
  const session = new FakeSession();
  const { chat, console, history, clock } = await startChat([session]);
  chat.output.settings.set("typing", "on");
  const settle = async () => {
    for (const list of [console.printed, console.alerts, history, session.sent]) list.length = 0;
    await clock.pass(1_000);
  };
  const take = (event: Event) => {
    try {
      handleEvent(chat, event);
    } catch (error) {
      // Its session would end by it, with all that is kept of it.
      if (!(error instanceof CmdchatError)) throw error;
    }
  };
  return { take, settle, end: () => chat.end() };
}

Deno.test("any event of a server, said without end, leaves nothing behind in a client but what is bounded", async () => {
  const growing: Record<string, number> = {};
  for (const [kind, row] of Object.entries(EVENTS)) {
    const { take, settle, end } = await scene();
    const kept = await keptOfEach((n) => {
      const about = "room" in row ? { room: LOBBY } : {};
      const fields = filled(row as Readonly<Record<string, z.ZodMiniType>>, n);
      take({ kind, ...fields, ...about } as unknown as Event);
    }, settle);
    end();
    if (!isNothing(kept)) growing[kind] = kept;
  }
  assert.deepEqual(growing, {});
});

Deno.test("any message of an old server, said without end, leaves nothing behind in a client but what is bounded", async () => {
  const growing: Record<string, number> = {};
  for (const [type, schema] of Object.entries(SERVER_MESSAGES)) {
    const { take, settle, end } = await scene();
    const place = { client: 7, name: "alice", wantedName: "alice", room: "lobby" };
    const view = new V1Translation(place, () => Date.now());
    const kept = await keptOfEach((n) => {
      const message = valueOf(schema, type, n) as ServerMessage;
      for (const event of view.fromV1(message)) take({ ...event, room: LOBBY } as Event);
    }, settle);
    end();
    if (!isNothing(kept)) growing[type] = kept;
  }
  assert.deepEqual(growing, {});
});

Deno.test("a growth of one small entry for each message is seen", async () => {
  // The map itself does not grow in each part that is measured: what it has of an entry is not there every time.
  const kept = new Map<number, readonly [string, string]>();
  assert.equal(isNothing(await keptOfEach((n) => kept.set(n, [`${n}`, `text ${n}`]))), false);
  assert.equal(isNothing(await keptOfEach((n) => `${n}`)), true);
});
