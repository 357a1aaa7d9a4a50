// The client as a person meets it: on a pseudo-terminal, judged in a terminal emulator.

import assert from "node:assert/strict";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { TerminalClient } from "../../helpers/system/terminal_client.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const test = skipWithout("script");

function open(port: number, ...args: string[]): TerminalClient {
  return new TerminalClient({ args: ["--port", String(port), ...args], columns: 80, rows: 24 });
}

test("what is typed survives a killed server, and is sent when it is back", async () => {
  await using identity = await makeIdentity();
  const args = ["--identity-file", identity.path];
  const server = await startServer({ args });
  await using alice = open(server.port, "--name", "alice");
  await alice.shows(/^lobby · alice · .*connected/);
  await alice.type("half a th");
  await alice.shows(/^alice@lobby> half a th/);
  await server.stop("SIGKILL");
  await alice.shows(/reconnecting in \d s…/);
  await alice.type("ought");
  await using again = await startServer({ args: [...args, "--port", String(server.port)] });
  await using bob = await V1Peer.join({ port: again.port, name: "bob" });
  await alice.shows(/Connected again as "alice" in "lobby"/);
  await alice.shows(/^alice@lobby> half a thought$/);
  await alice.type("\r");
  await bob.hears("half a thought");
  await alice.shows(/^\d\d:\d\d:\d\d #\d+ <alice> half a thought$/);
});

test("a message that is too long stays in the input line, a wrong command does not", async () => {
  await using server = await startServer({ args: ["--max-message", "16"] });
  await using alice = open(server.port, "--name", "alice");
  await alice.shows(/connected/);
  await alice.type("seventeen letters!\r");
  await alice.shows(/error: Cannot send the message: it has 18 bytes, at most 16 are/);
  await alice.shows(/^alice@lobby> seventeen letters!$/);
  await alice.type("\x15/jion dev\r");
  await alice.shows(/hint: did you mean \/join\?/);
  await alice.shows(/^alice@lobby> $/);
  await alice.type("\x1b[A");
  await alice.shows(/^alice@lobby> \/jion dev$/);
});

test("two people talk: names by Tab, mentions in color, rename, another room, quit", async () => {
  await using server = await startServer();
  await using alice = open(server.port, "--name", "alice");
  await alice.shows(/connected/);
  await using bob = open(server.port, "--name", "bob");
  await bob.shows(/In "lobby": alice, bob/);
  await bob.type("al\t");
  await bob.shows(/^bob@lobby> alice:/);
  await bob.type("hello\r");
  await alice.shows(/#1 <bob> alice: hello$/);
  assert.ok(alice.raw.includes("\x1b[7m<bob>"), "the mention is not highlighted");
  await alice.type("/nick alicia\r");
  await alice.shows(/^alicia@lobby>/);
  await bob.shows(/\* alice is now known as alicia/);
  await alice.type("/join dev\r");
  await alice.shows(/^alicia@dev>/);
  await bob.type("/join dev\r");
  await bob.shows(/In "dev": alicia, bob/);
  await alice.shows(/^\S+ \* bob joined\.$/);
  await alice.type("hi here\r");
  await bob.shows(/#1 <alicia> hi here$/);
  await bob.type("/switch lobby\r");
  await bob.shows(/^bob@lobby>/);
  await alice.type("and now?\r");
  await bob.shows(/#2 \[dev\] <alicia> and now\?$/);
  await alice.type("/quit\r");
  await bob.shows(/\* alicia left/);
  await bob.shows(/\* \[dev\] alicia left/);
});

test("a server that wants a token makes the client ask for it, and nothing of it is shown", async () => {
  await using server = await startServer({ env: { CMDCHAT_TOKENS: "s3cret" } });
  await using alice = open(server.port, "--name", "alice");
  await alice.shows(/^Token:/);
  await alice.type("s3cret\r");
  await alice.shows(/Connected as "alice"/);
  assert.ok(!alice.raw.includes("s3cret"));
});

test("NO_COLOR leaves the color of the text alone", async () => {
  await using server = await startServer();
  await using alice = new TerminalClient({
    args: ["--port", String(server.port), "--name", "alice"],
    env: { NO_COLOR: "1" },
  });
  await alice.shows(/connected/);
  await alice.type("hello\r");
  await alice.shows(/<alice> hello$/);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(alice.raw, /\x1b\[(?!(?:0|1|2|4|7)?m)[\d;]+m/);
});
