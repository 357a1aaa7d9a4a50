// The real client in a real terminal emulator while 1,000 messages come and 200 characters are typed: nothing is
// missing, the typed text is whole, and what it costs is measured and bounded.

import assert from "node:assert/strict";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipIf } from "../../helpers/repo/skip.ts";
import { whyMissing } from "../../helpers/repo/system_needs.ts";
import { TerminalClient } from "../../helpers/system/terminal_client.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const test = skipIf(
  Deno.build.os === "linux" ? whyMissing("script", "stty") : "processes are read through /proc",
);

const COUNT = 1_000;
const TYPED = "the quick brown fox jumps over the lazy dog, ".repeat(5).slice(0, 199) + "!";
// Clock ticks a second of /proc/PID/stat: fixed in Linux's user interface.
const TICKS = 100;
/** Bytes that a message may cost beside its own text. */
const BYTES_MAX = 150;

/** Processor time of a process and of those that it started, in seconds. */
function processorTime(pid: number): number {
  let ticks = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const isOurs = Number(name) === pid || Number(fields[1]) === pid;
      if (isOurs) ticks += Number(fields[11]) + Number(fields[12]);
    } catch (error) {
      // It ended while we looked.
      if (!(error instanceof Deno.errors.NotFound) && !/No such process/.test(String(error))) {
        throw error;
      }
    }
  }
  return ticks / TICKS;
}

async function report(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
}

for (const columns of [40, 80, 200]) {
  test(`1,000 messages while 200 characters are typed, at ${columns} columns: all there, few bytes, little time`, async () => {
    await using server = await startServer({ args: ["--rate-limit", "off"] });
    await using alice = new TerminalClient({
      args: ["--port", String(server.port), "--name", "alice"],
      columns,
    });
    await alice.shows(/In "lobby": alice/);
    await using bob = await V1Peer.join({ port: server.port, name: "bob" });
    await alice.shows(/bob joined/);
    const [timeBefore, rawBefore] = [processorTime(alice.pid), alice.raw.length];
    let text = 0;
    for (let index = 0; index < COUNT; index++) {
      const message = `message ${index} of the storm.`;
      text += message.length;
      await bob.chat(message);
      if (index % 5 === 0) await alice.type(TYPED[index / 5] ?? "");
    }
    await alice.shows(/message 999 of the/, 60_000);
    const typed = () => alice.lines.slice(-14).join("").replaceAll(/\s/g, "");
    const isTyped = () => typed().includes(TYPED.replaceAll(/\s/g, ""));
    await alice.until(isTyped, { what: "the typed text" });
    await alice.settled();

    const shown = alice.lines.join("\n").replaceAll(/\n {4}/g, " ")
      .match(/<bob> message \d+ of the storm\./g);
    assert.deepEqual(
      shown,
      Array.from({ length: COUNT }, (_, index) => `<bob> message ${index} of the storm.`),
    );
    const bytes = (new TextEncoder().encode(alice.raw.slice(rawBefore)).length - text) / COUNT;
    const time = 1e6 * (processorTime(alice.pid) - timeBefore) / COUNT;
    await report(
      `${columns} columns: ${bytes.toFixed(0)} bytes a message beside its text, ${
        time.toFixed(0)
      } µs of processor time`,
    );
    assert.ok(bytes < BYTES_MAX, `${bytes} bytes a message`);
    await alice.type("\r");
    await bob.hears(TYPED);
  });
}
