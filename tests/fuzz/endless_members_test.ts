// deno-lint-ignore-file no-console -- the figure is what is looked for.
// A server that never ends the list of a room's members: the client that is told does not grow.

import assert from "node:assert/strict";
import type { Event, EventOf } from "../../shared/messages/messages_v2.ts";
import { type HostileLink, HostileServer, welcome } from "../helpers/hostile/hostile_server.ts";
import { startClient, temporaryHome } from "../helpers/programs/client_process.ts";
import { residentBytes } from "../helpers/programs/process_memory.ts";
import { skipWithoutProc } from "../helpers/repo/skip.ts";

const MIB = 1_048_576;
const PART = 2_000;
// Some 100 KB each: 100 MB in all, kept whole more than four times as much.
const PARTS = 1_000;
const GROWTH_MAX = 200 * MIB;

const testLinux = skipWithoutProc();
const home = temporaryHome();

const ENTERED: EventOf<"entered"> = {
  kind: "entered",
  id: 0,
  room: 1,
  title: "lobby",
  name: "alice",
  at: 0,
  complete: true,
  topic: "",
};

function part(n: number): Event {
  const list = Array.from({ length: PART }, (_, index) => {
    const client = n * PART + index + 1;
    return [client, `somebody ${client}`, "here", 0, null] as EventOf<"members">["list"][number];
  });
  return { kind: "members", room: 1, list, more: true };
}

testLinux("a list of members without end leaves the memory of a client as it was", async () => {
  await using server = await HostileServer.start();
  const said = Promise.withResolvers<void>();
  let [before, pid] = [0, 0];
  const sayAll = async (link: HostileLink) => {
    link.send(welcome(5, 1), ENTERED);
    for (let n = 0; n < PARTS; n++) {
      // Its first parts fill what is bounded, and warm the program.
      if (n === PARTS / 10) before = residentBytes(pid);
      link.send(part(n));
      await link.written();
    }
    link.send({ kind: "notice", room: 0, text: "the end" });
  };
  server.onRequest = (link, { kind }) => {
    if (kind === "hello") sayAll(link).then(said.resolve, said.reject);
    return kind !== "hello";
  };
  await using client = startClient(home, {
    args: ["--port", String(server.port), "--renderer", "json"],
  });
  ({ pid } = client);
  await said.promise;
  await client.prints(/the end/);
  const grown = residentBytes(pid) - before;
  console.log(`${PARTS * PART} members; the client grew by ${(grown / MIB).toFixed(1)} MiB`);
  assert.ok(grown < GROWTH_MAX, `it grew by ${(grown / MIB).toFixed(0)} MiB`);
});
