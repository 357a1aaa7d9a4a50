import assert from "node:assert/strict";
import { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import { Mailbox } from "../../../server/session/mailbox.ts";
import { MAILBOX_MAX_BYTES, OUTBOX_TOTAL_MAX_BYTES } from "../../../server/config/limits.ts";

function directOf(text: string): EncodedEvent {
  const about = { room: 1, client: 1, name: "alice", time: 0, to: 2, toName: "bob", request: 1 };
  return new EncodedEvent({ kind: "direct", ...about, text }, "lobby");
}

Deno.test("a mailbox keeps messages in order, counts their bytes, and gives them once", () => {
  const budget = { queuedBytes: 0 };
  const mailbox = new Mailbox(budget);
  const messages = [directOf("one"), directOf("two")];
  for (const message of messages) assert.ok(mailbox.add(message));
  assert.ok(budget.queuedBytes > 0);
  assert.deepEqual(mailbox.empty(), messages);
  assert.deepEqual(mailbox.empty(), []);
  assert.equal(budget.queuedBytes, 0);
});

Deno.test("a mailbox refuses what is too much, for one client and for the server", () => {
  const budget = { queuedBytes: 0 };
  const mailbox = new Mailbox(budget);
  const large = directOf("x".repeat(MAILBOX_MAX_BYTES / 2));
  assert.ok(mailbox.add(large));
  assert.equal(mailbox.add(large), false);
  assert.ok(mailbox.add(directOf("small")));
  budget.queuedBytes = OUTBOX_TOTAL_MAX_BYTES;
  assert.equal(new Mailbox(budget).add(directOf("small")), false);
});
