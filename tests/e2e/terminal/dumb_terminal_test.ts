// The client in a terminal of which nothing is known but lines.

import assert from "node:assert/strict";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { TerminalClient } from "../../helpers/system/terminal_client.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const scriptTest = skipWithout("script", "stty");

scriptTest(
  "in a terminal that can only show lines (TERM=dumb) a person is asked and answered as with --plain",
  async () => {
    await using server = await startServer();
    await using alice = new TerminalClient({
      args: ["--port", String(server.port)],
      env: { TERM: "dumb" },
    });
    await alice.shows(/Your name/);
    await alice.type("alice\r");
    await alice.shows(/In "lobby": alice/);
    await using bob = await V1Peer.join({ port: server.port, name: "bob" });
    await alice.type("hello\n");
    await bob.hears("hello");
    await alice.shows(/#1 <alice> hello$/);
    // A person is asked; a program would leave.
    await server.stop("SIGKILL");
    await alice.shows(/trying again/);
    await using _again = await startServer({ args: ["--port", String(server.port)] });
    await alice.shows(/warning: The server has another key now/);
    await alice.type("/trust\r");
    await alice.shows(/Connected again as "alice"/);
    // deno-lint-ignore no-control-regex -- the terminal takes no sequence
    assert.doesNotMatch(alice.raw.slice(alice.raw.indexOf("- Connected")), /\x1b/);
    await alice.type("/quit\r");
  },
);
