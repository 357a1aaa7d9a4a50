import assert from "node:assert/strict";
import { OUTBOX_BUDGET, PRESENCE } from "../../../server/config/limits.ts";
import { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import { openWriterV2 } from "../../../server/delivery/event_writer.ts";
import { FairBudget } from "../../../server/limits/fair_budget.ts";
import { RecordCipher } from "../../../shared/channel/record_cipher.ts";
import type { Event } from "../../../shared/messages/messages_v2.ts";
import { FakeLink } from "../../helpers/peers/relay.ts";

const ABOUT = { room: 1, at: 1, client: 1, name: "alice", time: 1 };

Deno.test("who comes and goes may be told later, and nothing else", () => {
  const events: Event[] = [
    { kind: "joined", ...ABOUT, old: false },
    { kind: "left", ...ABOUT },
    { kind: "away", ...ABOUT },
    { kind: "back", ...ABOUT },
    { kind: "topic", ...ABOUT, text: "cats" },
    { kind: "notice", room: 1, text: "hello" },
    { kind: "ping" },
  ];
  const may = events.filter((event) => new EncodedEvent(event, "lobby").v2.mayWait === true);
  assert.deepEqual(may.map(({ kind }) => kind), ["joined", "left", "away", "back"]);
  const [, left] = events as [Event, Event];
  assert.equal(new EncodedEvent(left, "lobby").v1?.mayWait, true);
});

/** Clients of one server, who are told the same. */
function readers(count: number) {
  const events = { budget: new FairBudget(OUTBOX_BUDGET), onSlow() {}, onWritten() {} };
  return Array.from({ length: count }, (_, client) => {
    const secret = () => new Uint8Array(32).fill(1);
    const cipher = new RecordCipher({
      aead: "aes-256-gcm",
      clientSecret: secret(),
      serverSecret: secret(),
    }, { role: "server", now: () => 0 });
    const connection = new FakeLink();
    return { connection, writer: openWriterV2({ connection, client, events }, cipher) };
  });
}

Deno.test("of who comes so many hear at once, the others a second later, and all of what is said at once", async () => {
  const clients = readers(PRESENCE.atOnce + 10);
  const told = () => clients.filter(({ connection }) => connection.written.length > 0).length;
  const tell = (event: Event) => {
    const broadcast = new EncodedEvent(event, "lobby");
    for (const { writer } of clients) writer.deliver(broadcast);
  };
  const until = async (deadlineMs: number, isDone: () => boolean) => {
    const start = performance.now();
    while (!isDone() && performance.now() - start < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.ok(isDone());
    return performance.now() - start;
  };
  tell({ kind: "joined", ...ABOUT, old: false });
  await until(PRESENCE.waitMs / 2, () => told() > 0);
  assert.equal(told(), PRESENCE.atOnce);
  await until(20 * PRESENCE.waitMs, () => told() === clients.length);
  const lines = () => clients.filter(({ connection }) => connection.written.length > 1).length;
  tell({ kind: "notice", room: 1, text: "hello" });
  await until(20 * PRESENCE.waitMs, () => lines() === clients.length);
  for (const { writer } of clients) writer.close();
});
