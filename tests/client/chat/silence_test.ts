// A server that does not answer shows at once, long before its connection is given up.

import assert from "node:assert/strict";
import { FakeSession, startChat } from "../../helpers/fakes/chat_fakes.ts";

const ROOM = "lobby · alice · server can read";

Deno.test("the status line counts how long the server has not answered, and stops when it does", async () => {
  const session = new FakeSession();
  session.roundTripMs = 3;
  const { chat, console } = await startChat([session]);
  const shown = [undefined, 5_200, 44_000, undefined].map((ms) => {
    session.silence(ms);
    return console.status;
  });
  assert.deepEqual(shown, [
    `${ROOM} · connected 3 ms`,
    `${ROOM} · no answer for 5 s`,
    `${ROOM} · no answer for 44 s`,
    `${ROOM} · connected 3 ms`,
  ]);
  assert.doesNotMatch(console.printed.join("\n"), /answer/);
  session.silence(9_000);
  await session.drop();
  assert.doesNotMatch(console.status, /no answer/);
  chat.end();
});

Deno.test("where no status line shows it, one line says so, and one when the server speaks again", async () => {
  const cases = [
    [{ tellsSilence: true }, [
      "warning: The server has not answered for 5 s.",
      "- The server answers again.",
    ]],
    [{ tellsSilence: true, quiet: true }, []],
    [{}, []],
  ] as const;
  for (const [options, lines] of cases) {
    const session = new FakeSession();
    const { chat, console } = await startChat([session], options);
    const before = console.printed.length;
    for (const ms of [5_000, 6_000, 7_000, undefined]) session.silence(ms);
    assert.deepEqual(console.printed.slice(before), lines);
    chat.end();
  }
});

Deno.test("typing asks the server for a sign of life", async () => {
  const session = new FakeSession();
  const { chat } = await startChat([session]);
  chat.entered("h");
  assert.equal(session.nudged, 1);
  await session.drop();
  chat.entered("he");
  chat.end();
});
