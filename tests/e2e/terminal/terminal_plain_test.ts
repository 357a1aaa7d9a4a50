// The client for screen readers (--plain), and the user's editor, in real terminals (tmux).

import assert from "node:assert/strict";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { TerminalClient } from "../../helpers/system/terminal_client.ts";
import { clientCommand, startTmux } from "../../helpers/system/tmux.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const tmuxTest = skipWithout("tmux");
const scriptTest = skipWithout("script", "stty");

scriptTest(
  "--plain writes lines and nothing else: no sequence, no color, no row twice",
  async () => {
    await using server = await startServer();
    await using alice = new TerminalClient({
      args: ["--port", String(server.port), "--name", "alice", "--plain"],
    });
    await alice.shows(/In "lobby": alice/);
    await alice.shows(/^- lobby · alice · server can read · connected/);
    await using bob = await V1Peer.join({ port: server.port, name: "bob" });
    await alice.shows(/^\* bob joined/);
    await alice.type("hello\r");
    await bob.hears("hello");
    await alice.shows(/^<alice> hello$/);
    await bob.chat("see https://example.org, alice: `code`\nand a second line");
    await alice.shows(/^<bob> see https:\/\/example\.org, alice: `code`$/);
    await alice.type("/status\r");
    const told = () =>
      alice.lines.filter((line) => /^- lobby · alice · server/.test(line)).length === 2;
    await alice.until(told, { what: "the status, told again" });
    await alice.type("/jion x\r");
    await alice.shows(/did you mean \/join\?/);
    await alice.type("/quit\r");
    await bob.system(/alice left/);
    // The others may learn of it before the terminal does.
    await alice.until(() => alice.raw.includes("\x1b[?2004l"), { what: "the end" });
    // What comes before is the runtime's, which says so when it looks at the packages.
    const written = alice.raw.slice(alice.raw.indexOf("- Connected"));
    // It asks for brackets around a paste, before any text, and takes that back at its end: shells do the same.
    const [lines = "", ...more] = written.split("\x1b[?2004l");
    assert.deepEqual(more, [""]);
    // deno-lint-ignore no-control-regex -- line ends and nothing else
    assert.doesNotMatch(lines, /[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]/);
    assert.doesNotMatch(written, /\r(?!\r*\n)/, "no row is written twice");
  },
);

tmuxTest(
  "Ctrl-X Ctrl-E: an editor in the terminal, its text in the input line, messages not lost",
  async () => {
    await using stack = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "cmdchat-editor-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const editor = `${folder}/editor`;
    // Reads a line from the terminal, as an editor reads keys: every key is its own, the first one too.
    const script = `#!/bin/sh
echo "editor is open"
read line
printf '%s\\n' "$line" >> "$1"
`;
    await Deno.writeTextFile(editor, script, { mode: 0o700 });
    const server = stack.use(await startServer());
    const tmux = stack.use(await startTmux());
    const alice = await tmux.open({
      command: clientCommand("--port", String(server.port), "--name", "alice"),
      env: { VISUAL: editor, XDG_RUNTIME_DIR: folder },
    });
    await alice.shows(/In "lobby": alice/);
    const bob = stack.use(await V1Peer.join({ port: server.port, name: "bob" }));
    await alice.type("draft, ");
    await alice.press("C-x", "C-e");
    await alice.shows(/editor is open/);
    await bob.chat("said meanwhile");
    await alice.enter("and more");
    await alice.shows(/<bob> said meanwhile$/m);
    await alice.holds("draft, and more");
    await alice.press("Enter");
    await bob.hears("draft, and more");
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assert.deepEqual(left, ["editor"]);
    await alice.enter("/quit");
    assert.equal(await alice.exit(), 0);
    assert.equal(alice.settingsAfter, alice.settingsBefore);
  },
);

tmuxTest(
  "--plain takes a line of any length, edits it, and sends a paste as one message",
  async () => {
    await using server = await startServer({ args: ["--max-message", "7KiB"] });
    await using tmux = await startTmux();
    const pane = await tmux.open({
      command: clientCommand("--plain", "--port", String(server.port), "--name", "alice"),
    });
    await pane.shows(/- Connected as/);
    await using bob = await V1Peer.join({ port: server.port, name: "bob" });
    for (const length of [4_094, 4_095, 6_000]) {
      const text = `${"x".repeat(length - 3)}end`;
      await pane.enter(text);
      await bob.hears(text);
    }
    await pane.type("some words here");
    await pane.press("C-w", "BSpace", "BSpace");
    await pane.enter("\u00e9!");
    await bob.hears("some word\u00e9!");
    await pane.type("given up");
    await pane.press("C-u");
    await pane.type("given up too");
    await pane.press("C-c");
    await pane.shows(/given up too\^C$/m);
    await pane.paste("first\nsecond\nthird\n");
    await pane.press("Enter");
    await bob.hears("first\nsecond\nthird");
    await pane.type("half a ");
    await pane.shows(/^half a/m);
    await bob.chat("said meanwhile");
    await pane.shows(/^half a$\n<bob> said meanwhile$/m);
    await pane.enter("thought");
    await bob.hears("half a thought");
    await pane.press("C-d");
    assert.equal(await pane.exit(), 0);
    assert.equal(pane.settingsAfter, pane.settingsBefore);
  },
);

scriptTest(
  "--plain: /last and /search number the messages, for /react, /quote and /pin",
  async () => {
    await using server = await startServer();
    const plain = (name: string, more: readonly string[] = []) =>
      new TerminalClient({
        args: ["--port", String(server.port), "--name", name, "--plain", ...more],
      });
    await using alice = plain("alice");
    await alice.shows(/- Connected as/);
    await using bob = plain("bob", ["--set", "numbers=on"]);
    await alice.shows(/^\* bob joined/);
    for (const room of ["lobby", "team"]) {
      if (room === "team") {
        await alice.type("/seal team\r");
        await alice.shows(/^- Everybody who has this link can join/);
        const link = alice.lines.map((line) => /cmdchat:\/\/\S+/.exec(line)?.[0]).find(Boolean);
        await bob.type(`/join ${link}\r`);
        await bob.shows(/^\* alice confirms that you are in the room/);
      }
      // The numbers of a sealed room count more than messages.
      const numbered = (text: string) =>
        bob.lines.map((line) => /^#(\d+) <\w+> (.*)$/.exec(line)).find((found) =>
          found?.[2] === text
        )?.[1];
      const [question, answer] = [`shall we meet in ${room}?`, `yes, in ${room}`];
      await alice.type(`${question}\r`);
      await bob.until(() => numbered(question) !== undefined, { what: "the question" });
      await bob.type(`${answer}\r`);
      await bob.until(() => numbered(answer) !== undefined, { what: "the answer" });
      const [first, second] = [numbered(question), numbered(answer)];
      await alice.shows(new RegExp(`^<bob> ${answer}$`));
      await alice.type(`/search ${answer}\r`);
      await alice.shows(new RegExp(`^#${second} <bob> ${answer}$`));
      await alice.type(`/react #${second} :+1:\r`);
      await bob.shows(new RegExp(`^\\* alice reacted 👍 to #${second} "${answer}"\\.$`));
      await alice.type(`/quote ${second} good, ${room}\r`);
      const quoted = `^#\\d+ <alice> \\(to #${second} <bob> "${answer}"\\) good, ${room}$`;
      await bob.shows(new RegExp(quoted));
      await alice.type(`/pin #${first}\r`);
      await bob.shows(new RegExp(`^\\* alice pinned #${first} of alice: shall we meet in ${room}`));
    }
  },
);

tmuxTest("commands of the user's own, and /reconnect, in the prompt and in --plain", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-alias-" });
  await Deno.writeTextFile(
    `${folder}/c.toml`,
    '[alias]\nhi = "/me waves at"\n[keys]\n"ctrl-o" = "/names"\n',
    { mode: 0o600 },
  );
  await using bob = await V1Peer.join({ port: server.port, name: "bob" });
  for (const plain of [[], ["--plain"]]) {
    const options = [...plain, "--port", String(server.port), "--config", `${folder}/c.toml`];
    const pane = await tmux.open({ command: clientCommand(...options, "--name", "alice") });
    await pane.shows(/- Connected as/);
    await pane.enter(`/hi bob ${plain.length}`);
    await bob.hears(`* alice waves at bob ${plain.length}`);
    await pane.enter("/reconnect");
    await pane.shows(/Connected again as "alice" in "lobby"/);
    await pane.press("C-o");
    await pane.shows(/In "lobby": bob, alice/);
    await pane.enter("/hii bob");
    await pane.shows(/did you mean \/hi\?/);
    await pane.enter("/q");
    assert.equal(await pane.exit(), 0);
  }
  await Deno.writeTextFile(`${folder}/c.toml`, '[alias]\njoin = "/me"\n', { mode: 0o600 });
  const wrong = await tmux.open({
    command: clientCommand("--port", String(server.port), "--config", `${folder}/c.toml`),
  });
  await wrong.shows(
    /error: Cannot use the alias "join" in line 2 of .*: there is a command \/join/,
  );
  assert.equal(await wrong.exit(), 3);
  await Deno.remove(folder, { recursive: true });
});
