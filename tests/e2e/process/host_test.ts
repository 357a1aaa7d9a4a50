// `cmdchat-server host` as two people meet it: one command on each side, and nothing else is handed over but the link.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { temporaryHome } from "../../helpers/programs/client_process.ts";
import { Program } from "../../helpers/programs/programs.ts";
import { openNetwork, whyNoNamespaces } from "../../helpers/system/network_namespaces.ts";
import { skipIf, skipWithout } from "../../helpers/repo/skip.ts";
import { startTmux } from "../../helpers/system/tmux.ts";

const ROOT = new URL("../../../", import.meta.url);
const home = temporaryHome();

const HOST = [
  "run",
  "--no-check",
  "--no-prompt",
  "--allow-net",
  "--allow-env",
  "--allow-read",
  "--allow-sys=hostname,uid,networkInterfaces",
  new URL("server/main.ts", ROOT).href,
  "host",
];

interface Start {
  readonly args: readonly string[];
  /** What the command is put behind. */
  readonly under?: readonly string[];
}

function start({ args, under = [] }: Start): Program {
  const [path = "", ...before] = [...under, Deno.execPath()];
  return new Program(path, {
    args: [...before, ...args],
    env: {
      HOME: home,
      DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
      NO_COLOR: "1",
    },
    cwd: home,
  });
}

function client(...args: readonly string[]): readonly string[] {
  return ["run", "--no-check", "-A", new URL("client/main.ts", ROOT).href, ...args];
}

function linkTo(host: string, { stdout }: Program): string {
  const link = stdout.match(/cmdchat:[^'\s]+/g)?.find((link) => link.includes(`//${host}:`));
  assert.ok(link !== undefined, stdout);
  return link;
}

Deno.test("a link of this machine lets in, one with another token does not; Ctrl-C tells everybody and ends with 0", async () => {
  await using hosting = start({ args: [...HOST, "--port", "0", "--room", "den"] });
  await hosting.prints(/You join[^\n]*\n\n[^\n]+cmdchat:/);
  const link = linkTo("127.0.0.1", hosting);
  await using alice = start({ args: client(link, "--name", "alice") });
  await alice.prints(/In "den": alice/);
  await using stranger = start({ args: client(`${link}x`, "--name", "eve") });
  assert.equal(await stranger.end(), 7);
  assert.match(stranger.stderr, /does not accept this token/);
  hosting.signal("SIGINT");
  await alice.prints(/The server is stopping/);
  assert.equal(await hosting.end(), 0);
  assert.match(hosting.stdout, /Stopping, and telling everybody\.\n$/);
  // No terminal shows it, so nobody asked who is in; and its log has no names.
  assert.doesNotMatch(hosting.stdout + hosting.stderr, /\balice\b|\beve\b/);
});

Deno.test("a terminal that is closed ends the server, although nobody can be told in it", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...HOST, "--port", "0"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const link = /cmdchat:\/\/127[^']+/.exec(new TextDecoder().decode(value))?.[0] ?? "";
  await using alice = start({ args: client(link, "--name", "alice") });
  await alice.prints(/In "lobby": alice/);
  await reader.cancel();
  child.kill("SIGHUP");
  await alice.prints(/The server is stopping/);
  assert.equal((await child.status).code, 0);
});

Deno.test("what is wrong is one error with what to do: a port that is taken, a name that is none, nonsense", async () => {
  using taken = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  for (
    const [args, code, error] of [
      [["--port", String(taken.addr.port)], 3, /another program already uses this port\nhint: /],
      [["--name", "not a host"], 2, /Cannot use --name "not a host": it must be a name or an addr/],
      [["--name", "https://chat.example.org/"], 2, /Cannot use --name/],
      [["chat.example.org"], 2, /host takes options only\nhint: --name/],
      [["--host", "0.0.0.0"], 2, /there is no such option/],
    ] as const
  ) {
    await using hosting = start({ args: [...HOST, ...args] });
    assert.equal(await hosting.end(), code, hosting.stderr);
    assert.match(hosting.stderr, error);
    assert.equal(hosting.stderr.match(/^error: /gm)?.length, 1);
    assert.equal(hosting.stdout, "");
  }
});

const inTerminal = skipWithout("tmux");

inTerminal(
  "on a terminal it says who comes and goes; the links and the code fit it; closing it ends the server",
  async () => {
    await using tmux = await startTmux();
    const command = [Deno.execPath(), ...HOST, "--port", "0", "--qr", "--name", "chat.example.org"];
    const hosting = await tmux.open({ command, columns: 80, rows: 50 });
    await hosting.shows(/You join[^]*task client 'cmdchat:\/\/127\.[^']+'/);
    const text = (await hosting.lines()).join("\n");
    const link = /cmdchat:\/\/127[^']+/.exec(text)?.[0] ?? "";
    assert.match(text, /^cmdchat:\/\/chat\.example\.org:\d+\/lobby#fp=/m);
    assert.match(text, /▄▄▄▄▄/);
    await using alice = start({ args: client(link, "--name", "alice b") });
    await hosting.shows(/^\d\d:\d\d {2}"alice b" is here; 1 person is here$/m);
    // The host came by the address of this machine; what others get leads to the public name.
    await alice.type("/invite once");
    await alice.prints(/cmdchat:\/\/chat\.example\.org:\d+\/lobby#fp=[\w-]+&token=/);
    await alice.endInput();
    await alice.end();
    await hosting.shows(/"alice b" left; nobody is here$/m);
    await hosting.signal("SIGHUP");
    assert.equal(await hosting.exit(), 0);
  },
);

inTerminal(
  "task chat --share prints the links and opens the chat in the same room; a friend joins by one",
  async () => {
    await using tmux = await startTmux();
    const task = new URL("scripts/chat_task.ts", ROOT).pathname;
    const command = [
      Deno.execPath(),
      "run",
      "-A",
      "--no-check",
      task,
      "--share",
      "--name",
      "alice",
    ];
    const sharing = await tmux.open({ command, columns: 80, rows: 40 });
    await sharing.shows(/Connected as "alice" in "lobby"/);
    const text = (await sharing.lines()).join("\n");
    assert.doesNotMatch(text, /warning|You join/);
    const link = /cmdchat:[^'\s]+/.exec(text)?.[0];
    // A machine without a network has no links for others.
    if (link === undefined) return;
    await using bob = start({ args: client(link, "--name", "bob") });
    await sharing.shows(/\* bob joined/);
    await sharing.enter("/quit");
    await sharing.enter("/quit");
    assert.equal(await sharing.exit(), 0);
    await bob.prints(/The server is stopping/);
  },
);

const spaces = skipIf(await whyNoNamespaces());

spaces(
  "two machines: one command hosts, one joins by the link alone; they talk, and a file is handed over",
  async () => {
    await using network = await openNetwork({ one: ["front"], two: ["front"] });
    const [one, two] = ["one", "two"].map((name) => network.machines.get(name));
    assert.ok(one !== undefined && two !== undefined);
    await using hosting = start({ args: HOST, under: one.under });
    await hosting.prints(/You join[^\n]*\n\n[^\n]+cmdchat:/);
    const link = linkTo(one.addresses.front ?? "", hosting);
    const own = linkTo("127.0.0.1", hosting);
    await using bob = start({
      args: client(link, "--name", "bob", "--accept-files", "--download-dir", `${home}/got`),
      under: two.under,
    });
    await bob.prints(/In "lobby": bob/);
    await using alice = start({ args: client(own, "--name", "alice"), under: one.under });
    await alice.prints(/In "lobby": bob, alice/);
    await alice.type("hello from the host");
    await bob.prints(/<alice> hello from the host/);
    await bob.type("hello from afar");
    await alice.prints(/<bob> hello from afar/);
    const bytes = randomBytes(100_000);
    await Deno.writeFile(`${home}/photo.bin`, bytes);
    await alice.type("/send photo.bin");
    await bob.prints(/Saved "photo\.bin"/);
    assert.ok(bytes.equals(await Deno.readFile(`${home}/got/photo.bin`)));
    hosting.signal("SIGINT");
    assert.equal(await hosting.end(), 0);
  },
);

spaces("a machine without a network says so, and hosts for itself", async () => {
  await using network = await openNetwork({ one: [] });
  const one = network.machines.get("one");
  assert.ok(one !== undefined);
  await using hosting = start({ args: HOST, under: one.under });
  await hosting.prints(/You join[^\n]*\n\n[^\n]+cmdchat:/);
  assert.match(hosting.stdout, /no network now/);
  await using alice = start({
    args: client(linkTo("127.0.0.1", hosting), "--name", "alice"),
    under: one.under,
  });
  await alice.prints(/In "lobby": alice/);
});
