// Three people, two rooms and what they say to each other alone, each in a real terminal (tmux).

import { makeIdentity } from "../../helpers/fakes/identities.ts";
import assert from "node:assert/strict";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { clientCommand, type Pane, startTmux } from "../../helpers/system/tmux.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const test = skipWithout("tmux");

async function text(pane: Pane): Promise<string> {
  return (await pane.lines()).join("\n");
}

test("three people in two rooms: each hears what is theirs, and what is said to one alone is theirs alone", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const open = (name: string) =>
    tmux.open({ command: clientCommand("--port", String(server.port), "--name", name) });
  const [alice, bob, carol] = [await open("alice"), await open("bob"), await open("carol")];
  await Promise.all([alice, bob, carol].map((pane) => pane.shows(/connected \d+ ms$/m)));
  await using old = await V1Peer.join({ port: server.port, name: "old" });

  // bob and carol have a second room; alice stays in the lobby.
  await bob.enter("/join dev");
  await bob.shows(/^bob@dev>/m);
  await carol.enter("/join dev");
  await bob.shows(/\* carol joined\.$/m);
  await carol.press("M-1");
  await carol.shows(/^carol@lobby>/m);
  await bob.enter("carol: for dev alone");
  await carol.shows(/#1 \[dev\] <bob> carol: for dev alone$/m);
  await carol.shows(/^1:lobby · carol · .*2:dev 1!/m);
  await alice.enter("for the lobby");
  await bob.shows(/#1 \[lobby\] <alice> for the lobby$/m);
  await old.hears("for the lobby");
  assert.doesNotMatch(await text(alice), /for dev alone/);

  // What goes to one alone.
  await carol.enter("/msg bob between us");
  await bob.shows(/<carol → bob> \(server can read\) between us$/m);
  await carol.shows(/<carol → bob> \(server can read\) between us$/m);
  await bob.enter("/reply understood");
  await carol.shows(/<bob → carol> \(server can read\) understood$/m);

  // A name that is somebody else's by now gets nothing of it.
  await carol.enter("/quit");
  assert.equal(await carol.exit(), 0);
  await bob.shows(/carol left/);
  const taker = await open("carol");
  await taker.shows(/Connected as "carol"/);
  await bob.enter("/reply not for the taker");
  await bob.shows(/its receiver is not here any more$/m);

  // What was said is changed, quoted and taken back.
  await alice.enter("/edit for the LOBBY");
  await taker.shows(/\* alice changed #1 to: for the LOBBY$/m);
  await old.system(/^alice edited: for the LOBBY$/);
  await bob.enter("/switch lobby");
  await alice.shows(/\* alice changed #1 from "for the lobby" to: for the LOBBY$/m);
  await bob.enter("/quote 1 heard");
  await alice.shows(/<bob> \(to #1 <alice> "for the LOBBY"\) heard$/m);
  await alice.enter("/delete");
  await bob.shows(/\* alice deleted #1\.$/m);
  await alice.enter("/away lunch");
  await bob.shows(/\* alice is away: lunch$/m);
  await bob.enter("/whois alice");
  await bob.shows(/alice: here, in "lobby"(?: \(made it\))?, .*away: lunch$/m);
  for (const pane of [alice, taker]) {
    assert.doesNotMatch(await text(pane), /between us|understood|not for the taker/);
  }
});

test("the server is killed: both rooms come back, under the same numbers of the user", async () => {
  await using identity = await makeIdentity();
  const same = ["--identity-file", identity.path];
  await using server = await startServer({ args: same });
  await using tmux = await startTmux();
  const options = ["--port", String(server.port), "--name", "alice"];
  const alice = await tmux.open({ command: clientCommand(...options) });
  await alice.shows(/Connected as/);
  await alice.enter("/join dev");
  await alice.shows(/^alice@dev>/m);
  await server.stop("SIGKILL");
  await alice.shows(/trying again/);
  await alice.press("M-1");
  await alice.shows(/^alice@lobby>/m);
  await using _again = await startServer({ args: ["--port", String(server.port), ...same] });
  await alice.shows(/Connected again as "alice" in "lobby", "dev"$/m);
  await alice.shows(/^1:lobby · alice/m);
  await alice.enter("/switch dev");
  await alice.enter("still here");
  await alice.shows(/^\S+ #1 <alice> still here$/m);
});
