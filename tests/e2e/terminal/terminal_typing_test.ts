// The input line in a real terminal (tmux): keys, pastes, wrapping, wide characters, other sizes.

import assert from "node:assert/strict";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { clientCommand, type Pane, startTmux } from "../../helpers/system/tmux.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const test = skipWithout("tmux");

const STATUS = /^lobby · alice · server can read · connected/;
const LONG = "the quick brown fox jumps over the lazy dog and runs on through the wood ".repeat(3)
  .trim();

/** alice in a terminal, and bob who hears and says what a test wants. */
interface Scene extends AsyncDisposable {
  readonly alice: Pane;
  readonly bob: V1Peer;
}

async function openScene({ columns = 100, rows = 30, serverArgs = [] as string[] } = {}): Promise<
  Scene
> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startServer({ args: ["--rate-limit", "off", ...serverArgs] }));
  const tmux = stack.use(await startTmux());
  const alice = await tmux.open({
    command: clientCommand("--port", String(server.port), "--name", "alice"),
    columns,
    rows,
  });
  await alice.shows(/\* In "lobby": alice$/m);
  const bob = stack.use(await V1Peer.join({ port: server.port, name: "bob" }));
  await alice.shows(/\* bob joined/);
  const all = stack.move();
  return { alice, bob, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** All of a text's characters but the gaps, where rows may end. */
function solid(text: string): string {
  return text.replaceAll(/\s/g, "");
}

function holdsSolid(pane: Pane, text: string): Promise<void> {
  const isThere = async () => solid(await pane.typed()) === solid(text);
  return pane.until(isThere, { what: `"${text}" typed` });
}

/** The prompt stands once on the screen, the status line once and last. */
async function assertOneArea(pane: Pane): Promise<void> {
  const screen = await pane.screen();
  assert.equal(screen.filter((row) => row.startsWith("alice@lobby>")).length, 1, screen.join("\n"));
  assert.equal(screen.filter((row) => row.startsWith("lobby · al")).length, 1, screen.join("\n"));
  assert.match(screen.at(-1) ?? "", /^lobby · al/);
}

test("the keys of a shell edit the line", async () => {
  await using scene = await openScene();
  const { alice, bob } = scene;
  await alice.type("one two three");
  await alice.press("C-w");
  await alice.holds("one two");
  await alice.press("C-u");
  await alice.holds("");
  await alice.press("C-y"); // Cuts in a row are one, as in readline.
  await alice.holds("one two three");
  await alice.press("C-a");
  await alice.type("zero ");
  await alice.press("C-e", "BSpace");
  await alice.press("Left", "Left");
  await alice.type("!");
  await alice.holds("zero one two th!re");
  await alice.press("C-c");
  await alice.holds("");
  await alice.enter("sent");
  await bob.hears("sent");
  await alice.press("Up");
  await alice.holds("sent");
  await alice.press("Down");
  await alice.holds("");

  await bob.chat("before the screen is cleared");
  await alice.shows(/before the screen is cleared$/m);
  await alice.type("kept");
  await alice.press("C-l");
  const isClear = async () => (await alice.screen()).length === 2;
  await alice.until(isClear, { what: "a clear screen" });
  await alice.holds("kept");
  await alice.shows(/before the screen is cleared$/m); // In the scrollback.

  await alice.press("C-d"); // Deletes forward, of which there is nothing.
  await alice.holds("kept");
  await alice.press("C-u", "C-d");
  assert.equal(await alice.exit(), 0);
  await bob.system(/alice left/);
});

test("Tab completes commands, names, rooms and paths", async () => {
  await using scene = await openScene();
  const { alice, bob } = scene;
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-tab-" });
  await Deno.writeTextFile(`${folder}/quarterly.txt`, "x");
  try {
    await alice.type("/ni");
    await alice.press("Tab");
    await alice.type("x");
    await alice.holds("/nick x");
    await alice.press("C-u");
    await alice.type("bo");
    await alice.press("Tab");
    await alice.type("hi");
    await alice.holds("bob: hi");
    await alice.press("Enter");
    await bob.hears("bob: hi");
    await alice.type(`/send ${folder}/qu`);
    await alice.press("Tab");
    await alice.holds(`/send ${folder}/quarterly.txt`);
    await alice.press("C-u");
    await alice.enter("/join den");
    await alice.shows(/^alice@den>/m);
    await alice.type("/join lo");
    await alice.press("Tab");
    await alice.holds("/join lobby");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

test("commands: help, clear, and one that does not exist leaves the input line", async () => {
  await using scene = await openScene();
  const { alice, bob } = scene;
  await alice.enter("/help");
  await alice.shows(/talking +\/nick \/me/);
  await alice.enter("/help nick");
  await alice.shows(/\/nick NAME +change your name/);
  await alice.enter("/help keys");
  await alice.shows(/Ctrl-L +clear the screen/);
  await alice.enter("/hlep");
  await alice.shows(
    /error: Cannot use "\/hlep": there is no such command\n +hint: did you mean \/help\?/,
  );
  await alice.holds("");
  await alice.enter("//not a command");
  assert.equal((await bob.next("chat"))["message"], "/not a command");
  await alice.shows(/<alice> \/not a command$/m);
  await alice.enter("/clear");
  const isClear = async () => (await alice.lines()).length === 2;
  await alice.until(isClear, { what: "a clear screen and scrollback" });
  await assertOneArea(alice);
});

test("a message above the limit is refused with both numbers and stays in the input line", async () => {
  await using scene = await openScene({ serverArgs: ["--max-message", "64"] });
  const { alice, bob } = scene;
  const text = "ä".repeat(33);
  await alice.enter(text);
  await alice.shows(/Cannot send the message: it has 66 bytes, at most 64 are allowed/);
  await alice.holds(text);
  await alice.press("BSpace", "Enter");
  await bob.hears("ä".repeat(32));
});

test("a paste of several lines waits for Enter and is one message", async () => {
  await using scene = await openScene();
  const { alice, bob } = scene;
  const lines = Array.from({ length: 12 }, (_, index) => `line ${index} of the paste`);
  await alice.type("look: ");
  await alice.paste(`${lines.join("\n")}\n`);
  await alice.until(
    async () => (await alice.screen()).some((row) => row.includes("line 11 of the paste")),
    { what: "the last pasted line" },
  );
  await bob.chat("nothing was sent");
  await alice.shows(/<bob> nothing was sent$/m);
  assert.deepEqual((await bob.settled()).filter(({ type }) => type === "chat").length, 1);
  await alice.type("!");
  await alice.press("Enter");
  // So many lines are asked about once.
  await alice.shows(/12 lines/);
  await alice.press("Enter");
  await bob.hears(`look: ${lines.join("\n")}!`);
  await alice.shows(/<alice> look: line 0 of the paste\n +line 1 of the paste\n/);
});

test("messages come in while the typed line wraps: all are shown, the text stays whole", async () => {
  await using scene = await openScene({ columns: 80, rows: 24 });
  const { alice, bob } = scene;
  const messages = Array.from({ length: 40 }, (_, index) => `message ${index}.`);
  const sending = (async () => {
    for (const message of messages) await bob.chat(message);
  })();
  for (const word of LONG.split(" ")) await alice.type(`${word} `);
  await sending;
  await alice.shows(/message 39\.$/m);
  await holdsSolid(alice, LONG);
  const shown = (await alice.lines()).flatMap((line) =>
    /<bob> (message \d+\.)$/.exec(line)?.[1] ?? []
  );
  assert.deepEqual(shown, messages);
  await assertOneArea(alice);
  await alice.press("BSpace", "Enter");
  await bob.hears(LONG);
});

test("CJK and emoji keep their width while typed, deleted and received", async () => {
  await using scene = await openScene({ columns: 60 });
  const { alice, bob } = scene;
  await bob.chat("会議は三時から 🎉 e\u0301té");
  await alice.shows(/<bob> 会議は三時から 🎉 \S+té$/m);
  await alice.type("你好，世界 🚀");
  await alice.holds("你好，世界 🚀");
  await alice.press("Left", "Left");
  await alice.type("X");
  await alice.holds("你好，世界X 🚀");
  await alice.press("BSpace", "BSpace");
  await alice.holds("你好，世 🚀");
  await alice.press("Enter");
  await bob.hears("你好，世 🚀");
  const wide = "東京特許許可局".repeat(8);
  await alice.type(wide);
  await bob.chat("in between");
  await alice.shows(/<bob> in between$/m);
  await holdsSolid(alice, wide);
  await assertOneArea(alice);
  await alice.press("Enter");
  await bob.hears(wide);
  await alice.shows(new RegExp(`<alice> [\\s\\S]*局\n`));
});

test("a resize in the middle of a wrapped line keeps messages and text", async () => {
  await using scene = await openScene();
  const { alice, bob } = scene;
  const messages = Array.from({ length: 10 }, (_, index) => `message ${index}.`);
  for (const message of messages) await bob.chat(message);
  await alice.shows(/message 9\.$/m);
  await alice.type(LONG);
  await holdsSolid(alice, LONG);
  await alice.press("Home", "Right", "Right");
  for (const [columns, rows] of [[61, 30], [40, 12], [140, 20], [80, 24]] as const) {
    await alice.resize(columns, rows);
    const isPainted = async () => STATUS.test((await alice.screen()).at(-1) ?? "");
    if (columns > 45) await alice.until(isPainted, { what: "a status line" });
    await holdsSolid(alice, LONG);
    await assertOneArea(alice);
  }
  const lines = await alice.lines();
  const shown = lines.flatMap((line) => /<bob> (message \d\.)$/.exec(line)?.[1] ?? []);
  assert.deepEqual(shown, messages);
  await alice.press("Enter");
  await bob.hears(LONG);
});

for (const columns of [40, 80, 200]) {
  test(`at ${columns} columns a conversation is readable`, async () => {
    await using scene = await openScene({ columns, rows: 24 });
    const { alice, bob } = scene;
    await bob.chat(LONG);
    await alice.enter(LONG);
    await alice.shows(/#2 <alice> [\s\S]*through\s+the\s+wood\n/);
    const rows = await alice.screen();
    assert.ok(rows.every((row) => row.length <= columns), rows.join("\n"));
    const text = solid(rows.join(""));
    assert.ok(text.includes(`#1<bob>${solid(LONG)}`), rows.join("\n"));
    // Words stay whole, and no row of a message begins where the time of a line does.
    const [first, ...rest] = rows.slice(rows.findIndex((row) => row.includes("<bob>")));
    assert.match(first ?? "", /^\d\d:\d\d:\d\d #1 <bob> the quick/);
    const further = rest.slice(0, rest.findIndex((row) => row.includes("<alice>")));
    assert.ok(further.every((row) => /^ {4}\S/.test(row)), further.join("\n"));
    await alice.type("a word");
    await alice.holds("a word");
    await assertOneArea(alice);
  });
}
