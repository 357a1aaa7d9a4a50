// `cmdchat-client doctor` against real servers, good and bad ones.

import assert from "node:assert/strict";
import { failed, warn } from "../../../client/doctor/check.ts";
import { checksExitCode, checkText } from "../../../client/doctor/check.ts";
import { openSettings } from "../../../client/config/settings_file.ts";
import { checkFolder, checkSettings } from "../../../client/doctor/local_checks.ts";
import { runDoctor } from "../../../client/doctor/run_doctor.ts";
import { openIdentity } from "../../../server/config/identity_file.ts";
import { ConnectionError, UsageError } from "../../../shared/base/errors.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import { at, runClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { assertPrinted } from "../../helpers/repo/json_schema.ts";
import type { Ended } from "../../helpers/programs/programs.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const tlsTest = skipWithout("openssl");
const home = temporaryHome();

function doctor(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return runClient(home, { args: ["doctor", ...args], env });
}

/** State of each check by name. */
function states({ stdout }: Ended): Record<string, string> {
  const found = [...stdout.matchAll(/^(ok|warn|fail|skip) +(\S+)/gm)];
  return Object.fromEntries(found.map(([, state, name]) => [name ?? "", state ?? ""]));
}

Deno.test("a good server is looked at from its address to its clock, and nobody in the room sees it", async () => {
  await using identity = await makeIdentity();
  const { fingerprint } = await openIdentity(identity.path);
  await using server = await startServer({ args: ["--identity-file", identity.path] });
  await using bob = await V1Peer.join({ port: server.port, name: "bob" });
  const ended = await doctor([...at(server), "--fingerprint", fingerprint]);
  assert.deepEqual([ended.code, ended.stderr], [0, ""], ended.stdout);
  const found = states(ended);
  const names = [
    "version",
    "settings",
    "downloads",
    "address",
    "port",
    "certificate",
    "protocol",
    "fingerprint",
    "token",
    "clock",
    "limits",
  ];
  assert.deepEqual(names.filter((name) => found[name] !== "ok"), [], ended.stdout);
  assert.equal(found["terminal"], "skip");
  await bob.chat("done");
  const heard = await bob.hears("done");
  assert.equal(heard["sequence"], 1);
  assert.deepEqual((await bob.settled()).filter(({ type }) => type === "system"), []);
});

Deno.test("--json prints what the schema says", async () => {
  await using server = await startServer();
  const ended = await doctor(["--json", ...at(server)]);
  assert.equal(ended.code, 0);
  const checks = assertPrinted(ended.stdout);
  assert.ok(checks.length > 10);
  assert.ok(checks.every(({ kind, check }) => kind === "check" && typeof check === "string"));
  const fingerprint = checks.find(({ check }) => check === "fingerprint");
  assert.equal(fingerprint?.["state"], "warn");
  assert.match(String(fingerprint?.["hint"]), /invite link/);
});

Deno.test("each way in which a server cannot be reached fails with its exit code and what to do", async () => {
  await using server = await startServer({ env: { CMDCHAT_TOKENS: "s3cret" } });
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const nobody = String(free.addr.port);
  free.close();
  const other = `SHA256:${"A".repeat(43)}`;
  const cases: readonly (readonly [readonly string[], string, number, RegExp])[] = [
    [["--host", "no-such-host.invalid"], "address", 4, /hint: check the name/],
    [["--port", nobody], "port", 4, /nothing listens there\n +hint: /],
    [["--port", String(silent.addr.port), "-t", "1"], "protocol", 4, /no answer within 1 s/],
    [at(server), "token", 7, /needs a token\n +hint: /],
    [[...at(server), "--fingerprint", other], "fingerprint", 7, /fingerprint/],
  ];
  for (const [args, name, code, pattern] of cases) {
    const ended = await doctor(args);
    assert.equal(ended.code, code, ended.stdout);
    assert.equal(states(ended)[name], "fail", ended.stdout);
    assert.match(ended.stdout, pattern);
    assert.equal(ended.stderr, "");
  }
  const token = await doctor(at(server), { CMDCHAT_TOKEN: "wr0ng" });
  assert.equal(token.code, 7);
  assert.ok(!token.stdout.includes("wr0ng"));
});

tlsTest(
  "a certificate that is not known fails, with its name and its days all the same",
  async () => {
    await using made = await makeCertificate();
    await using server = await startServer({
      args: ["--certfile", made.certFile, "--keyfile", made.keyFile],
    });
    const unknown = await doctor([...at(server), "--tls"]);
    assert.equal(unknown.code, 4, unknown.stdout);
    assert.equal(states(unknown)["certificate"], "fail");
    assert.match(unknown.stdout, /good for \d+ days/);
    const known = await doctor([...at(server), "--ca-file", made.certFile]);
    assert.equal(known.code, 0, known.stdout);
    const found = states(known);
    assert.deepEqual([found["name"], found["certificate"], found["protocol"]], ["ok", "ok", "ok"]);
    const insecure = await doctor([...at(server), "--tls-insecure"]);
    assert.equal(states(insecure)["certificate"], "warn", insecure.stdout);
    const [, fingerprint = ""] = await server.printed(/^fingerprint (\S+)/m);
    const proven = await doctor([...at(server), "--tls", "--fingerprint", fingerprint]);
    assert.equal(proven.code, 0, proven.stdout);
    assert.match(proven.stdout, /certificate +not known here, and need not be/);
    const other = `SHA256:${"A".repeat(43)}`;
    const stranger = await doctor([...at(server), "--tls", "--fingerprint", other]);
    assert.deepEqual([stranger.code, states(stranger)["fingerprint"]], [7, "fail"]);
  },
);

/** A certificate for 127.0.0.1 of an authority's authority, alone in cert.pem and with its issuer's in full.pem. */
const CHAIN = `set -e
new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -subj /CN=$1 "$\{@:2\}"; }
sign() { openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 30 -extfile $1.ext -out $3; }
new root -x509 -days 30 -out root.pem
echo basicConstraints=critical,CA:TRUE > middle.ext; new middle -out middle.csr; sign middle root middle.pem
printf 'subjectAltName=IP:127.0.0.1\\nbasicConstraints=critical,CA:FALSE\\n' > key.ext
echo 'authorityInfoAccess=caIssuers;URI:http://ca.example/middle.der' >> key.ext
new key -out key.csr; sign key middle cert.pem
mv key.key key.pem; cat cert.pem middle.pem > full.pem`.replaceAll("\\{", "{").replaceAll(
  "\\}",
  "}",
);

tlsTest("a chain without its middle is told apart from a server of one's own", async () => {
  await using made = await makeCertificate(`bash -c '${CHAIN.replaceAll("'", "'\\''")}'`);
  const folder = made.certFile.replace(/cert\.pem$/, "");
  const look = async (cert: string) => {
    await using server = await startServer({
      args: ["--certfile", `${folder}${cert}`, "--keyfile", made.keyFile],
    });
    return await doctor([...at(server), "--ca-file", `${folder}root.pem`]);
  };
  const alone = await look("cert.pem");
  assert.equal(alone.code, 4, alone.stdout);
  assert.match(alone.stdout, /sends its own certificate alone, and not that of its issuer/);
  assert.match(alone.stdout, /--certfile fullchain\.pem/);
  const whole = await look("full.pem");
  assert.equal(states(whole)["certificate"], "ok", whole.stdout);
});

Deno.test("a server that is remembered is compared, and doctor writes nothing itself", async () => {
  await using server = await startServer();
  const file = `${home}/known`;
  const first = await doctor([...at(server), "--known-servers", file]);
  assert.equal(states(first)["fingerprint"], "warn", first.stdout);
  await assert.rejects(Deno.stat(file), Deno.errors.NotFound);
  await Deno.writeTextFile(file, `127.0.0.1:${server.port} SHA256:${"A".repeat(43)}\n`);
  const changed = await doctor([...at(server), "--known-servers", file]);
  assert.equal(changed.code, 7, changed.stdout);
});

Deno.test("doctor compares what /remember kept beside the settings, without an option for it", async () => {
  await using server = await startServer();
  const folder = await Deno.makeTempDir({ dir: home });
  const env = { XDG_CONFIG_HOME: folder };
  await Deno.mkdir(`${folder}/cmdchat`);
  const remember = (port: number) =>
    Deno.writeTextFile(
      `${folder}/cmdchat/known_servers`,
      `127.0.0.1:${port} SHA256:${"A".repeat(43)}\n`,
      { mode: 0o600 },
    );
  await remember(1);
  assert.equal((await doctor(at(server), env)).code, 0);
  await remember(server.port);
  const changed = await doctor(at(server), env);
  assert.equal(changed.code, 7, changed.stdout);
});

Deno.test("wrong settings and a folder that cannot be written to are told, and the rest is looked at", async () => {
  await using server = await startServer();
  const config = `${home}/wrong.toml`;
  await Deno.writeTextFile(config, "prot = 1\n");
  await Deno.writeTextFile(`${home}/blocked`, "");
  const args = [...at(server), "--config", config, "--download-dir", `${home}/blocked`];
  const ended = await doctor(args);
  assert.equal(ended.code, 3, ended.stdout);
  const found = states(ended);
  assert.deepEqual([found["settings"], found["downloads"], found["protocol"]], [
    "fail",
    "fail",
    "ok",
  ]);
  assert.match(ended.stdout, /line 1 of .*\n +hint: did you mean port\?/);
});

Deno.test("commands and keys of one's own in the settings are looked at as the chat would", async () => {
  const config = `${home}/habits.toml`;
  const settingsOf = async (text: string) => {
    await Deno.writeTextFile(config, text);
    const settings = await openSettings({ args: ["--config", config], env: () => undefined });
    return checkSettings(settings, undefined);
  };
  const good = await settingsOf(
    '[alias]\nhi = "/me waves"\n[keys]\n"ctrl-o" = "/names"\n"alt-o" = "left"',
  );
  assert.deepEqual([good.state, good.text.split(": ").at(-1)], [
    "ok",
    "no profiles; 1 command of your own; 2 keys of your own",
  ]);
  for (
    const [text, says] of [
      ['[alias]\njoin = "/me waves"', /the alias "join" in line 2 .*there is a command \/join/],
      ['[keys]\n"ctrl-c" = "/names"', /the key "ctrl-c" in line 2 .*it keeps its meaning/],
      ['[keys]\n"ctrl-o" = "lefft"', /"lefft" is neither a key that does something/],
    ] as const
  ) {
    const wrong = await settingsOf(text);
    assert.equal(wrong.state, "fail", text);
    assert.match(wrong.text, says);
  }
});

Deno.test("a folder that is made later is looked at where it would be made", async () => {
  const folder = await Deno.makeTempDir({ dir: home });
  const check = await checkFolder(`${folder}/a/b`);
  assert.deepEqual([check.state, await Array.fromAsync(Deno.readDir(folder))], ["ok", []]);
});

Deno.test("a check is one safe line, a hint below it, and the first failure gives the code", () => {
  const check = failed("port", new ConnectionError("no\x1b[2J\nway", { hint: "go" }));
  assert.equal(checkText(check), `fail  port         no␛[2J⏎way\n      hint: go`);
  assert.equal(checksExitCode([warn("a", "b", "c"), check]), 4);
  assert.equal(checksExitCode([warn("a", "b", "c")]), 0);
});

Deno.test("words that are no link are refused", async () => {
  const input = { args: ["hello"], env: () => undefined, readLine: () => "" };
  await assert.rejects(runDoctor(input, undefined), UsageError);
});
