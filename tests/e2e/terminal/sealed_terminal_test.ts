// A sealed room as people have it: the real server, real clients in terminals and pipes, and what a new user does.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { Program } from "../../helpers/programs/programs.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { TerminalClient } from "../../helpers/system/terminal_client.ts";

const test = skipWithout("script");

const CODE = /Code of "team" now, (\d+) members?: ((?:\d{5} ?){6})/;

/** The link that /seal printed. */
async function sealRoom(client: TerminalClient): Promise<string> {
  await client.shows(/Connected as/);
  await client.type("/seal team\r");
  await client.shows(/cmdchat:\/\/\S+secret=/);
  await client.shows(/In "team": alice/);
  return client.lines.map((line) => /cmdchat:\/\/\S+/.exec(line)?.[0]).find(Boolean) ?? "";
}

/** The codes that were asked for, each with the number of people. */
function codesOf(client: TerminalClient): { people: number; code: string }[] {
  return client.lines.flatMap((line) => {
    const [, people, code] = CODE.exec(line) ?? [];
    return code === undefined ? [] : [{ people: Number(people), code: code.trim() }];
  });
}

/** Asks all for the code: it is the same, and all see so many people. */
async function agree(clients: readonly TerminalClient[], people: number): Promise<string> {
  const codes: string[] = [];
  for (const client of clients) {
    const asked = codesOf(client).length;
    await client.type("/code\r");
    await client.until(() => codesOf(client).length > asked, { what: "a code" });
    const told = codesOf(client).at(-1);
    assert.equal(told?.people, people);
    codes.push(told?.code ?? "");
  }
  const [code = "", ...others] = codes;
  assert.match(code, /^(?:\d{5} ){5}\d{5}$/);
  for (const other of others) assert.equal(other, code);
  return code;
}

function programClient(args: readonly string[], env: Readonly<Record<string, string>>): Program {
  const home = Deno.env.get("HOME") ?? "";
  const denoDir = Deno.env.get("DENO_DIR") ?? `${home}/.cache/deno`;
  return new Program(Deno.execPath(), {
    args: ["run", "--no-check", "-A", "client/main.ts", ...args],
    env: { HOME: home, DENO_DIR: denoDir, ...env },
    cwd: new URL("../../..", import.meta.url).pathname,
  });
}

test("a new user's evening: make a room, pass the link on, compare, send a file, somebody is cut off", async () => {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-sealed-" });
  await using server = await startServer({ args: ["--hold", "2"] });
  const bytes = crypto.getRandomValues(new Uint8Array(50_000));
  await Deno.writeFile(`${folder}/photo.bin`, bytes);
  try {
    await using alice = new TerminalClient({
      args: ["--port", String(server.port), "--name", "alice"],
    });
    const link = await sealRoom(alice);
    await using bob = new TerminalClient({
      args: ["--name", "bob", "--download-dir", `${folder}/bob`],
      env: { CMDCHAT_LINK: link },
    });
    await alice.shows(/\* bob joined\.$/);
    await bob.shows(/alice confirms that you are in the room\.$/);
    await alice.type("hello bob\r");
    await bob.shows(/<alice> hello bob$/);
    await bob.type("hello alice\r");
    await alice.shows(/<bob> hello alice$/);
    await agree([alice, bob], 2);
    await bob.type("/verify alice\r");
    await bob.shows(/Code of you and alice \(made this room\):$/);
    await alice.type("/verify bob\r");
    await alice.shows(/Code of you and bob:$/);
    const codeOn = ({ lines }: TerminalClient) =>
      lines.filter((line) => /^ {2,}(?:\d{5} ){5}\d{5}$|^ {2,}(?:[a-z]+ ){5}[a-z]+$/.test(line))
        .join();
    await alice.shows(/If they are equal/);
    await bob.shows(/If they are equal/);
    assert.equal(codeOn(alice).match(/\d{5}/g)?.length, 12);
    assert.equal(codeOn(alice), codeOn(bob));
    await bob.type("/verify alice yes\r");
    await bob.shows(/alice ✓ is verified on this device/);
    await alice.type("the same\r");
    await bob.shows(/<alice ✓> the same$/);

    await using carol = programClient(["--name", "carol", "--renderer", "json"], {
      CMDCHAT_LINK: link,
    });
    await carol.prints(/"names":\["alice","bob","carol"\]/);
    await alice.shows(/\* carol joined\.$/);
    await carol.type("hello from a pipe");
    await carol.prints(/"text":"hello from a pipe".*"own":true.*"sealed":true/);
    await bob.shows(/<carol> hello from a pipe$/);

    await alice.type(`/send ${folder}/photo.bin\r`);
    await bob.shows(/offers file 1, "photo\.bin"/);
    await bob.type("/accept\r");
    await bob.shows(/Saved "photo\.bin"/);
    const got = await Deno.readFile(`${folder}/bob/photo.bin`);
    const sha256 = (of: Uint8Array) => createHash("sha256").update(of).digest("hex");
    assert.equal(sha256(got), sha256(bytes));

    const before = await agree([alice, bob], 3);
    carol.signal("SIGKILL");
    await alice.shows(/\* carol left\.$/);
    await bob.shows(/\* carol left\.$/);
    assert.notEqual(await agree([alice, bob], 2), before);
    await bob.type("/quit\r");
    await alice.shows(/\* bob left\.$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

test("a server that is killed and comes back finds the room where it was", async () => {
  const identity = await makeIdentity();
  let server = await startServer({ args: ["--identity-file", identity.path] });
  const { port } = server;
  try {
    await using alice = new TerminalClient({ args: ["--port", String(port), "--name", "alice"] });
    const link = await sealRoom(alice);
    await using bob = new TerminalClient({ args: ["--name", "bob"], env: { CMDCHAT_LINK: link } });
    await bob.shows(/alice confirms that you are in the room\.$/);
    await server.stop("SIGKILL");
    await alice.shows(/trying again/);
    await alice.type("said while it was down\r");
    server = await startServer({
      args: ["--identity-file", identity.path, "--port", String(port)],
    });
    await bob.shows(/<alice> said while it was down$/);
    await agree([alice, bob], 2);
  } finally {
    await server[Symbol.asyncDispose]();
    await identity[Symbol.asyncDispose]();
  }
});

test("what a sealed room's user types wrongly is told, and nothing of it reaches the server", async () => {
  await using server = await startServer();
  await using alice = new TerminalClient({
    args: ["--port", String(server.port), "--name", "alice"],
  });
  await alice.shows(/Connected as/);
  await alice.type("/code\r");
  await alice.shows(/"lobby" is not sealed; the server can read it/);
  await alice.type("/verify bob\r");
  await alice.shows(/Cannot find "bob"/);
  await alice.type("/rekey\r");
  const isTold = () => alice.lines.filter((line) => /"lobby" is not sealed/.test(line)).length > 1;
  await alice.until(isTold, { what: "the answer to /rekey" });
  await sealRoom(alice);
  await alice.type("/verify nobody\r");
  await alice.shows(/Cannot find "nobody"/);
  await alice.type("/rekey follow\r");
  await alice.shows(/nobody in this room has created a new link/);
  await alice.type("/topic our secret plan\r");
  await alice.shows(/alice set the topic: our secret plan/);
  await alice.type("/msg alice our secret plan\r");
  await alice.shows(/Cannot send a direct message to yourself/);
  await alice.type("/edit our secret plan\r");
  await alice.shows(/you have sent none here/);
  await alice.type("/leave\r");
  await alice.shows(/^alice@lobby> ?$/);
});
