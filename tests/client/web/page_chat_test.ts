// The core of the page over a real server: its own connection, the terminal client's chat, and a view that only remembers.
import assert from "node:assert/strict";
import { runPage } from "../../../client/web/page_chat.ts";
import type { PageActions } from "../../../client/web/page_actions.ts";
import type { StartForm } from "../../../client/web/start_form.ts";
import { plainText } from "../../../client/render/shown.ts";
import { parseLink } from "../../../shared/text/invite_link.ts";
import { FakePageView } from "../../helpers/fakes/fake_page_view.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";

/** What the entry of a page brings; the link behind its `#` is forgotten as a browser does it. */
function entryOf(address: string) {
  const page = new URL(address);
  const entry = { page: () => page, worker: "", forgetLink: () => void (page.hash = "") };
  return { ...entry, address: page, restart: () => {} };
}

interface OpenPage {
  /** What stands in the address bar. */
  readonly address: URL;
  readonly view: FakePageView;
  readonly actions: PageActions;
  readonly ended: Promise<void>;
}

/** A page of the server, whose user answers the form with `name`. */
function openPage(
  server: RunningServer,
  name: string,
  { hash = "", change = {} }: { readonly hash?: string; readonly change?: Partial<StartForm> } = {},
): OpenPage {
  const view = new FakePageView((form) => ({ ...form, name, ...change }));
  const held: { actions?: PageActions } = {};
  const { address, ...entry } = entryOf(`http://127.0.0.1:${server.port}/${hash}`);
  const ended = runPage((given) => {
    held.actions = given;
    return view;
  }, entry);
  return { view, actions: held.actions as PageActions, ended, address };
}

async function web(...args: string[]): Promise<RunningServer> {
  return await startServer({ args: ["--port", "0", "--web-only-socket", ...args] });
}

async function leave(...pages: readonly OpenPage[]): Promise<void> {
  for (const { actions } of pages) actions.quit();
  await Promise.all(pages.map(({ ended }) => ended));
}

Deno.test("two pages talk: lines, people, unread rooms, commands, notices", async () => {
  await using server = await web();
  const [alice, bob] = [openPage(server, "alice"), openPage(server, "bob")];
  await alice.view.line(/^\d\d:\d\dConnected as "alice"/);
  await bob.view.line(/Connected as "bob"/);
  await alice.view.until(() => alice.view.people.length === 2);
  assert.deepEqual(alice.view.people.map(({ name, own }) => [name, own]).sort(), [
    ["alice", true],
    ["bob", false],
  ]);
  bob.actions.entered("hello alice, see `x`");
  const line = await alice.view.line(/hello alice/);
  assert.match(line, /^\d\d:\d\d#\d+bobhello alice, see `x`$/);
  assert.ok(alice.view.lines.some(({ mention, room }) => mention && room === "lobby"));
  assert.deepEqual(alice.view.notices, ["cmdchat: bob in lobby"]);
  alice.actions.entered("/join den");
  await alice.view.until(() => alice.view.rooms.length === 2);
  alice.actions.goTo("den");
  await alice.view.until(() => alice.view.status?.room === "den");
  bob.actions.entered("are you there?");
  await alice.view.until(() => alice.view.rooms.some(({ unread }) => unread === 1));
  assert.deepEqual(
    alice.view.rooms.map(({ title, current, unread }) => [title, current, unread]),
    [["lobby", false, 1], ["den", true, 0]],
  );
  assert.equal(alice.view.status?.privacy, "server can read");
  alice.actions.entered("/nosuch");
  await alice.view.line(/error: .*nosuch|Cannot .*nosuch/);
  assert.deepEqual(alice.actions.complete("/jo", 3).candidates, ["/join "]);
  await leave(alice, bob);
  assert.ok(alice.view.over);
});

Deno.test("a sealed room by link: equal codes, and a file with equal bytes", async () => {
  await using server = await web();
  const alice = openPage(server, "alice");
  await alice.view.line(/Connected as/);
  alice.actions.entered("/seal den");
  await alice.view.until(() => alice.view.rooms.some(({ sealed }) => sealed));
  alice.actions.goTo("den");
  await alice.view.until(() => alice.view.status?.roomCode !== undefined);
  const links = alice.view.lines.filter((line) => plainText(line).includes("secret="));
  assert.deepEqual(links.map(({ room }) => room), ["den"]);
  const invite = alice.actions.invite();
  assert.ok(invite?.web?.includes("#room=den&fp="), invite?.web);
  const { hasPage, ...rest } = parseLink(invite?.web ?? "");
  assert.equal(hasPage, true);
  assert.deepEqual(rest, parseLink(invite?.terminal ?? ""));
  assert.equal(invite?.modules.length, invite?.modules[0]?.length);
  const bob = openPage(server, "bob", { hash: new URL(invite?.web ?? "").hash });
  await bob.view.until(() => bob.view.status?.roomCode !== undefined);
  const codes = () => [alice, bob].map(({ view }) => view.status?.roomCode);
  await alice.view.until(() => codes()[0] === codes()[1]);
  await alice.view.until(() => alice.view.status?.privacy === "sealed");
  const pairs = [alice, bob].map(({ view }) => view.people.find(({ own }) => !own)?.code);
  assert.equal(pairs[0], pairs[1]);
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  alice.actions.sendFiles([new File([bytes], "a b.bin")], "a draft");
  await bob.view.line(/<alice> offers file 1/);
  bob.actions.entered("/accept 1");
  await bob.view.until(() => bob.view.saved.length === 1);
  const saved = bob.view.saved[0];
  assert.equal(saved?.name, "a b.bin");
  assert.deepEqual(new Uint8Array(await saved.content.arrayBuffer()), bytes);
  alice.view.chosen = [new File(["x"], "private.txt")];
  alice.actions.entered("/send @bob");
  await alice.view.line(/Offering file 2, "private.txt" \(1 byte\) to bob alone/);
  await bob.view.line(/<alice> offers you alone file 2, "private.txt"/);
  const inside = (path: string) =>
    Object.defineProperty(new File(["xyz"], "a.txt"), "webkitRelativePath", { value: path });
  alice.view.chosenFolder = [inside("plans/a.txt")];
  alice.actions.entered("/send @bob /");
  await bob.view.line(/<alice> offers you alone folder 3, "plans"/);
  alice.actions.sendFiles([inside("trip/b/a.txt")], "/send @bob ");
  await bob.view.line(/<alice> offers you alone folder 4, "trip"/);
  alice.actions.sendFiles([new File(["x"], "c.txt")], "/send @bbo");
  await alice.view.line(/Cannot find "bbo"/);
  alice.actions.sendFiles([new File(["x"], "c.txt")], "/send @alice");
  await alice.view.line(/Cannot send a file to yourself/);
  alice.actions.entered("/set theme dark");
  await alice.view.line(/Cannot set theme here: it is for terminals/);
  alice.actions.entered("/set");
  assert.doesNotMatch(await alice.view.line(/settings:/), /theme/);
  alice.actions.entered("/set markup on");
  await alice.view.line(/markup = on/);
  alice.actions.sendFiles([new File(["x"], "d.txt")], "");
  await bob.view.line(/<alice> offers file 5, "d.txt"/);
  for (const n of [2, 3]) alice.actions.entered(`/cancel ${n}`);
  alice.actions.sendFiles([new File(["x"], "e.txt")], "/Send @bob");
  await bob.view.line(/<alice> offers you alone file 6, "e.txt"/);
  alice.view.chosen = [new File(["x"], "f.txt")];
  alice.actions.entered("/send");
  await bob.view.line(/<alice> offers file 7, "f.txt"/);
  await leave(alice, bob);
});

Deno.test("what cannot start shows the form again, with what was wrong", async () => {
  await using server = await web();
  const view = new FakePageView(
    (form) => ({ ...form, name: "alice", server: "nowhere in particular" }),
    (form) => ({ ...form, name: "", server: "ws://127.0.0.1:1" }),
    (form) => ({ ...form, name: "alice" }),
    (form) => ({ ...form, server: `ws://127.0.0.1:${server.port}` }),
  );
  const held: { actions?: PageActions } = {};
  const ended = runPage((given) => {
    held.actions = given;
    return view;
  }, entryOf("file:///page.html#secret=x"));
  await view.line(/Connected as "alice"/);
  const [link, typed, name, address] = view.faults;
  assert.match(link?.text ?? "", /^Cannot read the link/);
  assert.match(typed?.text ?? "", /^Cannot use that server/);
  assert.match(name?.text ?? "", /name/);
  assert.match(address?.text ?? "", /^Cannot connect/);
  held.actions?.quit();
  await ended;
});

Deno.test("a link that names another server sends neither name nor token", async () => {
  await using server = await web();
  const wrong = `#room=den&fp=${"A".repeat(43)}&token=secret-token`;
  const mallory = openPage(server, "alice", { hash: wrong });
  await mallory.view.until(() => mallory.view.faults.length === 2);
  assert.match(mallory.view.faults[1]?.text ?? "", /SHA256:AAAA/);
  assert.deepEqual(mallory.view.lines.filter(({ kind }) => kind === "chat"), []);
});

Deno.test("a link that is opened in the tab of a chat is joined, and does not stay in the address", async () => {
  await using server = await web();
  const alice = openPage(server, "alice");
  await alice.view.line(/Connected as/);
  const fp = new URL(alice.actions.invite()?.web ?? "").hash.slice("#room=lobby".length);
  alice.address.hash = `room=den${fp}`;
  globalThis.dispatchEvent(new Event("hashchange"));
  await alice.view.until(() => alice.view.rooms.some(({ title }) => title === "den"));
  assert.equal(alice.address.hash, "");
  await leave(alice);
});

Deno.test("before a chat, a link that is opened in the tab loads the page again with it", async () => {
  const entry = entryOf("http://127.0.0.1:1/");
  const restarted = Promise.withResolvers<void>();
  void runPage(() => new FakePageView(), { ...entry, restart: restarted.resolve });
  entry.address.hash = "room=den";
  globalThis.dispatchEvent(new Event("hashchange"));
  await restarted.promise;
  assert.equal(entry.address.hash, "#room=den");
  entry.address.hash = "";
});

Deno.test("commands speak of the page's own keys, and of nothing that only a terminal has", async () => {
  await using server = await web();
  const alice = openPage(server, "alice");
  await alice.view.line(/Connected as/);
  alice.actions.entered("/help keys");
  const keys = await alice.view.line(/keys:/);
  assert.match(keys, /Shift-Enter/);
  assert.doesNotMatch(keys, /Ctrl|\$EDITOR|Alt-1/);
  alice.actions.entered("/set");
  assert.doesNotMatch(await alice.view.line(/settings:/), /notice|others|osc/);
  alice.actions.entered("/alias");
  await alice.view.line(/There is no settings file here/);
  alice.actions.entered("/remember");
  await alice.view.line(/Cannot remember the server: nothing is kept here/);
  await leave(alice);
});

Deno.test("an invite link in place of a room is followed, to the page's own server only", async () => {
  await using server = await web();
  const alice = openPage(server, "alice");
  await alice.view.line(/Connected as/);
  const { terminal = "", web: browser = "" } = alice.actions.invite() ?? {};
  for (const link of [terminal, browser]) {
    const bob = openPage(server, "bob", { change: { room: link.replace("lobby", "den") } });
    await bob.view.line(/Connected as "bob" in "den"/);
    await leave(bob);
  }
  const eve = openPage(server, "eve", { change: { room: "https://chat.example/#room=den" } });
  await eve.view.until(() => eve.view.faults.length === 2);
  assert.match(eve.view.faults[1]?.text ?? "", /leads to another server/);
  await leave(alice);
});

Deno.test("a browser without the cryptography is told so, and no page looks alive that is not", async () => {
  await using server = await web();
  const { generateKey } = crypto.subtle;
  const reported: unknown[] = [];
  const report = (event: ErrorEvent) => {
    event.preventDefault();
    reported.push(event.error);
  };
  globalThis.addEventListener("error", report);
  const missing = new DOMException("Unrecognized name.", "NotSupportedError");
  crypto.subtle.generateKey =
    ((algorithm: string, ...rest: [boolean, KeyUsage[]]) =>
      algorithm === "X25519"
        ? Promise.reject(missing)
        : generateKey.call(crypto.subtle, algorithm, ...rest)) as typeof generateKey;
  try {
    const alice = openPage(server, "alice");
    await alice.view.until(() => alice.view.faults.length === 2);
    const { text, hint } = alice.view.faults[1] ?? {};
    assert.equal(text, "This page failed (NotSupportedError), and the chat cannot go on");
    assert.match(hint ?? "", /^it needs Chrome \d+, Firefox \d+, Safari \d+ or newer/);
    assert.deepEqual(reported, [missing]);
  } finally {
    crypto.subtle.generateKey = generateKey;
    globalThis.removeEventListener("error", report);
  }
});
