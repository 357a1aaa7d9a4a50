import assert from "node:assert/strict";
import { openPrompt } from "./terminal_harness.ts";

const MESSAGES = Array.from({ length: 1_000 }, (_, index) => `bob: message ${index} of the storm`);
const TYPED = "the quick brown fox jumps over the lazy dog. ".repeat(5).slice(0, 200).trimEnd() +
  "!";

/** One line of measurement in the test's output. */
async function report(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
}

for (const columns of [20, 80]) {
  Deno.test(`1,000 messages while 200 characters are typed: all there, few bytes (${columns} columns)`, async () => {
    await using chat = await openPrompt({ columns, rows: 24 });
    chat.prompt.setStatus("lobby | connected | server can read");
    const writesBefore = chat.tty.writes.length;
    for (const [index, message] of MESSAGES.entries()) {
      chat.prompt.print(message);
      const key = index % 5 === 0 ? TYPED[index / 5] : undefined;
      if (key !== undefined) chat.tty.input.push(new TextEncoder().encode(key));
      if (index % 50 === 0) await chat.settle();
    }
    await chat.settle();
    assert.deepEqual(chat.tty.logicalLines.slice(0, 1_000), MESSAGES);
    const storm = chat.tty.writes.slice(writesBefore);
    await chat.type("\r");
    assert.deepEqual(chat.events, [{ kind: "line", text: TYPED }]);
    const bytes = new TextEncoder().encode(storm.join("")).length;
    const text = MESSAGES.join("\r\n").length;
    const perMessage = (bytes - text) / MESSAGES.length;
    await report(
      `${storm.length} writes, ${bytes} bytes, ${perMessage.toFixed(1)} beside the text`,
    );
    assert.ok(perMessage < 40, `${perMessage} bytes a message beside its text`);
  });
}

Deno.test("one message alone costs its text, the area and a bounded rest, in one write", async () => {
  await using chat = await openPrompt({ columns: 80, rows: 24 });
  chat.prompt.setStatus("lobby | connected");
  await chat.type("hello");
  const before = chat.tty.writes.length;
  chat.prompt.print("bob: hi");
  await chat.settle();
  const writes = chat.tty.writes.slice(before);
  assert.equal(writes.length, 1);
  const area = "alice> hello\r\nlobby | connected".length;
  assert.ok((writes[0]?.length ?? 0) - area - "bob: hi\r\n".length <= 50, writes[0]);
});

Deno.test("messages that come within a frame leave as one write", async () => {
  await using chat = await openPrompt({ columns: 80, rows: 24 });
  const before = chat.tty.writes.length;
  for (const message of MESSAGES) chat.prompt.print(message);
  await chat.settle();
  assert.equal(chat.tty.writes.length - before, 1);
});
