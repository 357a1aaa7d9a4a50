import assert from "node:assert/strict";
import { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import { FairBudget } from "../../../server/limits/fair_budget.ts";
import { Mailbox } from "../../../server/session/mailbox.ts";
import { MAILBOX_MAX_BYTES, OUTBOX_BUDGET } from "../../../server/config/limits.ts";

function directOf(text: string): EncodedEvent {
  const about = { room: 1, client: 1, name: "alice", time: 0, to: 2, toName: "bob", request: 1 };
  return new EncodedEvent({ kind: "direct", ...about, text }, "lobby");
}

function mailboxIn(budget: FairBudget) {
  const lost: EncodedEvent[] = [];
  const onLost = (mail: readonly EncodedEvent[]) => void lost.push(...mail);
  return { mailbox: new Mailbox({ budget, source: "192.0.2.1", onLost }), lost };
}

Deno.test("a mailbox keeps messages in order, counts their bytes, and gives them once", () => {
  const budget = new FairBudget(OUTBOX_BUDGET);
  const { mailbox, lost } = mailboxIn(budget);
  const messages = [directOf("one"), directOf("two")];
  for (const message of messages) assert.ok(mailbox.add(message));
  assert.ok(budget.used > 0);
  assert.deepEqual(mailbox.empty(), messages);
  assert.deepEqual(mailbox.empty(), []);
  assert.equal(budget.used, 0);
  assert.deepEqual(lost, []);
});

Deno.test("a mailbox refuses what is too much for one client", () => {
  const { mailbox } = mailboxIn(new FairBudget(OUTBOX_BUDGET));
  const large = directOf("x".repeat(MAILBOX_MAX_BYTES / 2));
  assert.ok(mailbox.add(large));
  assert.equal(mailbox.add(large), false);
  assert.ok(mailbox.add(directOf("small")));
});

Deno.test("a mailbox that the budget empties hands back what it kept", () => {
  const budget = new FairBudget({ most: 10_000, reserve: 0 });
  const { mailbox, lost } = mailboxIn(budget);
  const message = directOf("x".repeat(8_000));
  mailbox.add(message);
  const other = budget.open("192.0.2.2", { pay() {} });
  budget.take(other, 7_000);
  assert.deepEqual(lost, [message]);
  assert.deepEqual(mailbox.empty(), []);
  assert.equal(budget.used, 7_000);
});
