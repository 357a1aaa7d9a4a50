// What stays on the screen and in the scrollback of a real terminal (tmux), and what other programs leave behind.

import assert from "node:assert/strict";
import { startServer } from "../../helpers/programs/server_process.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { clientCommand, startTmux } from "../../helpers/system/tmux.ts";

const test = skipWithout("tmux");

test("Ctrl-L and /clear push no input and no blank rows into the scrollback", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const command = clientCommand("--port", String(server.port), "--name", "alice");
  const pane = await tmux.open({ command, columns: 60, rows: 12 });
  await pane.shows(/- Connected as/);
  await pane.type("draft");
  for (let n = 0; n < 3; n++) {
    await pane.press("C-l");
    await pane.until(async () => (await pane.screen())[0] === "alice@lobby> draft", {
      what: "the top",
    });
  }
  await pane.press("C-u");
  await pane.enter("one");
  await pane.shows(/<alice> one$/m);
  await pane.press("C-l");
  await pane.until(async () => (await pane.screen())[0] === "alice@lobby>", {
    what: "the top again",
  });
  const lines = await pane.lines();
  assert.equal(lines.filter((line) => line.startsWith("alice@lobby>")).length, 1, lines.join("\n"));
  const said = lines.findIndex((line) => line.endsWith("<alice> one"));
  assert.match(
    lines.slice(0, said).findLast((line) => line !== "") ?? "",
    /In "lobby": alice$|completes them\.$/,
  );
  await pane.enter("/clear");
  await pane.enter("two");
  await pane.shows(/<alice> two$/m);
  assert.match((await pane.lines()).join("\n"), /^\S+ #2 <alice> two\nalice@lobby>\nlobby · .*$/);
});

test("a code that is too wide for the terminal is not shown, and it says how many columns it needs", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const command = clientCommand("--port", String(server.port), "--name", "alice");
  const pane = await tmux.open({ command, columns: 40, rows: 40 });
  await pane.shows(/- Connected as/);
  await pane.enter("/invite qr");
  const [, needed] = await pane.shows(
    /The QR code needs (\d+) columns,\s+and this terminal has 40\./,
  );
  assert.doesNotMatch((await pane.lines()).join("\n"), /█/);
  await pane.resize(Number(needed), 40);
  await pane.enter("/invite qr");
  await pane.shows(/^ {4}█{20,}$/m);
  const code = (await pane.lines()).filter((line) => /[█▀▄]/.test(line));
  assert.ok(code.every((line) => line.startsWith("    ")), code.join("\n"));
});

test("/set theme paints the status line again, and NO_COLOR keeps bold and reverse", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const command = clientCommand("--port", String(server.port), "--name", "alice");
  const [colored, plain] = await Promise.all([
    tmux.open({ command, env: { COLORTERM: "truecolor" } }),
    tmux.open({ command, env: { NO_COLOR: "1" } }),
  ]);
  const statusOf = async () => (await colored.screen({ styled: true })).at(-1) ?? "";
  await colored.shows(/connected/);
  await colored.enter("/set theme light");
  await colored.shows(/- theme = light$/m);
  const light = await statusOf();
  await colored.enter("/set theme mono");
  await colored.until(async () => await statusOf() !== light, { what: "another status line" });
  await plain.shows(/- Connected as/);
  const screen = (await plain.screen({ styled: true })).join("\n");
  assert.match(screen, /\[(?:0;)?1m(?:\P{L}\[[34]9m)*alice\S*@lobby>/u);
  assert.doesNotMatch(screen, /\[(?:\d+;)*(?:3|4|9|10)[0-8](?:;\d+)*m/);
});

test("an editor that dies leaves no scroll region, character set or alternate screen behind", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-editor-" });
  const editor = `${folder}/editor`;
  await Deno.writeTextFile(
    editor,
    "#!/bin/sh\nprintf '\\033[?1049h\\033[3;5r\\033(0\\033[4h\\033[?25l'\nkill -9 $$\n",
    {
      mode: 0o700,
    },
  );
  const command = clientCommand("--port", String(server.port), "--name", "alice");
  const env = { VISUAL: editor, XDG_RUNTIME_DIR: folder };
  const pane = await tmux.open({ command, env, columns: 80, rows: 16 });
  await pane.shows(/- Connected as/);
  await pane.press("C-x", "C-e");
  await pane.shows(/no editor: .* exited with code/);
  for (let n = 0; n < 20; n++) {
    await pane.enter(`quiet line ${n}`);
    await pane.holds("");
  }
  await pane.shows(/<alice> quiet line 19$/m);
  const lines = (await pane.lines()).filter((line) => /<alice> quiet line/.test(line));
  assert.deepEqual(
    lines.map((line) => line.replace(/.*> /, "")),
    Array.from({ length: 20 }, (_, n) => `quiet line ${n}`),
  );
  assert.match((await pane.screen()).at(-2) ?? "", /^alice@lobby>$/);
  await Deno.remove(folder, { recursive: true });
});

test("PgUp and /search look back, into the history file too, and --plain prints what /search finds", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-back-" });
  const env = { CMDCHAT_HISTORY_PASSPHRASE: "open sesame" };
  const chat = ["--port", String(server.port), "--name", "alice"];
  const command = clientCommand(...chat, "--history-file", `${folder}/history`);
  const first = await tmux.open({ command, env });
  await first.shows(/- Connected as/);
  await first.enter("said in the call before");
  await first.shows(/<alice> said in the call before/);
  await first.enter("/quit");
  assert.equal(await first.exit(), 0);
  const second = await tmux.open({ command, env });
  await second.shows(/- Connected as/);
  await second.enter("/search the call BEFORE");
  await second.shows(/^\S+ #\d+ <alice> said in the call before$/m);
  await second.shows(/"the call before" 1 of 1/);
  await second.press("q");
  await second.until(async () => /^alice@lobby>/.test((await second.screen()).at(-2) ?? ""), {
    what: "the prompt",
  });
  second.signal("SIGTERM");
  await second.exit();
  const plain = await tmux.open({ command: clientCommand(...chat, "--plain") });
  await plain.shows(/- Connected as/);
  await plain.enter("a word to find");
  await plain.shows(/^<alice> a word to find$/m);
  await plain.enter("/search TO FIND");
  await plain.until(
    async () =>
      (await plain.lines()).filter((line) => line === "#1 <alice> a word to find").length === 1,
    { what: "the line again" },
  );
  await plain.enter("/search nowhere");
  await plain.shows(/^- No line in memory has "nowhere"\.$/m);
  await plain.enter("/search");
  await plain.shows(/^error: Cannot search: the form is \/search WORD$/m);
  await Deno.remove(folder, { recursive: true });
});

test("a client that is ended while one looks back gives the ordinary screen back", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const pane = await tmux.open({ command: clientCommand("--port", String(server.port)) });
  await pane.shows(/- Connected as/);
  await pane.press("PageUp");
  await pane.shows(/q returns/);
  pane.signal("SIGTERM");
  assert.equal(await pane.exit(), 143);
  assert.equal(pane.settingsAfter, pane.settingsBefore);
  await pane.until(async () => !/q returns/.test((await pane.screen()).join("\n")), {
    what: "the shell's screen",
  });
});

test("/unread shows what was said elsewhere, and the title of the window counts it where that is wanted", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const port = ["--port", String(server.port)];
  const pane = await tmux.open({
    command: clientCommand(...port, "--name", "alice", "--set", "title=on; others=count"),
  });
  await pane.shows(/- Connected as/);
  await pane.enter("/join den");
  await pane.shows(/now in den/);
  await pane.until(async () => await pane.title() === "den", { what: "the title" });
  await using bob = await V1Peer.join({ port: server.port, name: "bob" });
  await bob.chat("hello alice");
  await pane.until(async () => await pane.title() === "(1!) den", {
    what: "the title with a mark",
  });
  await pane.enter("/unread");
  // What was only counted stands where it was said: alice made the room before bob could speak to her.
  await pane.shows(
    /── lobby: 1 new ──\n\S+ \* \[lobby\] You made this room: .*\n\S+ #\d+ \[lobby\] <bob> hello alice$/m,
  );
  await pane.until(async () => await pane.title() === "den", { what: "nothing is unread" });
  await pane.enter("/unread");
  await pane.shows(/- Nothing is unread\./);
  await bob.chat("something else");
  await pane.until(async () => await pane.title() === "(1) den", { what: "the title again" });
  await pane.enter("/switch lobby");
  await pane.shows(/now in lobby —\n── new ──\n\S+ #\d+ <bob> something else$/m);
  await pane.enter("/quit");
  assert.equal(await pane.exit(), 0);
  await pane.until(async () => !/lobby|den/.test(await pane.title()), {
    what: "the title of before",
  });
});
