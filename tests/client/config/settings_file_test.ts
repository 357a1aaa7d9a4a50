import assert from "node:assert/strict";
import { type ClientConfig, readConfig } from "../../../client/config/read_options.ts";
import { readToken } from "../../../client/config/read_secrets.ts";
import { defaultSettingsPath, openSettings } from "../../../client/config/settings_file.ts";
import { CmdchatError } from "../../../shared/base/errors.ts";

interface Case {
  readonly text?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly mode?: number;
}

const home = await Deno.makeTempDir({ prefix: "cmdchat-settings-" });
globalThis.addEventListener("unload", () => Deno.removeSync(home, { recursive: true }));
await Deno.mkdir(`${home}/.config/cmdchat`, { recursive: true });
const path = `${home}/.config/cmdchat/config.toml`;

/** What a chat would be told with this file at its usual place. */
async function configOf({ text, args = [], env = {}, mode = 0o600 }: Case): Promise<ClientConfig> {
  await Deno.remove(path).catch(() => {});
  if (text !== undefined) {
    await Deno.writeTextFile(path, text);
    await Deno.chmod(path, mode);
  }
  const variables: Record<string, string> = { HOME: home, ...env };
  const input = { args, env: (name: string) => variables[name] };
  const settings = await openSettings(input);
  return readConfig({ ...input, setting: settings?.find, readLine: () => "" });
}

async function faultOf(wrong: Case): Promise<CmdchatError> {
  const fault = await configOf(wrong).then(() => undefined, (error) => error);
  assert.ok(fault instanceof CmdchatError, `${JSON.stringify(wrong)} was taken`);
  return fault;
}

function tokenOf(config: ClientConfig, env: Record<string, string> = {}) {
  return readToken(config, { env: (name) => env[name], warn: (text) => assert.fail(text) });
}

const WORK = `name = "alice"
port = 6000
tls = true

[server.work]
host = "work.example"
token = "work-token"
room = "den"
`;

Deno.test("[set] is what /set sets, of a profile too, and its mistakes have lines", async () => {
  const text =
    '[set]\ntheme = "dark"\nfold = 5\nnumbers = false\n[server.work.set]\nbell = "all"\n';
  assert.equal((await configOf({ text })).set, "theme=dark;fold=5;numbers=off");
  assert.equal((await configOf({ text, args: ["--profile", "work"] })).set, "bell=all");
  assert.equal((await configOf({ text: 'set = "bell=off"' })).set, "bell=off");
  const wrong = async (line: string) => await faultOf({ text: `[set]\n${line}\n` });
  assert.match((await wrong('thme = "dark"')).message, /"thme".*, in line 2 of /);
  assert.equal((await wrong('thme = "dark"')).hint, "did you mean theme?");
  assert.match((await wrong('bell = "loud"')).message, /mention, all, in line 2 of /);
  assert.match((await wrong('highlight = "a;bell=off"')).message, /expected one value/);
  assert.match((await wrong("fold = [1]")).message, /expected one value/);
});

Deno.test("without a file everything is as before", async () => {
  const { host, name } = await configOf({});
  assert.deepEqual([host, name], ["127.0.0.1", "anonymous"]);
});

Deno.test("typed options count over the environment, and the environment over the file", async () => {
  const config = await configOf({
    text: WORK,
    args: ["--name", "al"],
    env: { CMDCHAT_NAME: "bob", CMDCHAT_PORT: "7000" },
  });
  assert.deepEqual([config.name, config.port, config.tls, config.host], [
    "al",
    7000,
    true,
    "127.0.0.1",
  ]);
});

Deno.test("a profile that was asked for counts over the environment, and typed options over it", async () => {
  const config = await configOf({
    text: WORK,
    args: ["--profile", "work", "--room", "ops"],
    env: { CMDCHAT_HOST: "elsewhere.example", CMDCHAT_NAME: "bob" },
  });
  assert.deepEqual([config.host, config.room, config.name, config.port], [
    "work.example",
    "ops",
    "bob",
    6000,
  ]);
  assert.equal(await tokenOf(config, { CMDCHAT_TOKEN: "of-the-environment" }), "work-token");
  const chosen = await configOf({ text: WORK, env: { CMDCHAT_PROFILE: "work" } });
  assert.equal(chosen.host, "work.example");
});

Deno.test("a token of the file goes to the server beside it and to no other that was asked for", async () => {
  const away = ["--host", "evil.example"];
  const link = ["cmdchat://evil.example/x"];
  const general = 'host = "mine.example"\ntoken = "mine"\n';
  assert.equal(await tokenOf(await configOf({ text: general })), "mine");
  for (const args of [away, link]) {
    assert.equal(await tokenOf(await configOf({ text: general, args })), undefined);
    const args2 = [...args, "--profile", "work"];
    assert.equal(await tokenOf(await configOf({ text: WORK, args: args2 })), undefined);
  }
  const env = { CMDCHAT_HOST: "evil.example" };
  assert.equal(await tokenOf(await configOf({ text: general, env })), undefined);
  assert.equal(await tokenOf(await configOf({ text: general, args: ["--room", "x"] })), "mine");
});

Deno.test("a link of the file names the server: another room there may be asked for", async () => {
  const link = "cmdchat://linked.example:6000/den#token=t";
  const placeOf = ({ host, port, room, linkToken }: ClientConfig) => [host, port, room, linkToken];
  const there = ["linked.example", 6000, "ops", "t"];
  const args = ["--room", "ops"];
  assert.deepEqual(placeOf(await configOf({ text: `link = "${link}"\n`, args })), there);
  const env = { CMDCHAT_ROOM: "ops" };
  assert.deepEqual(placeOf(await configOf({ text: `link = "${link}"\n`, env })), there);
  const profile = `[server.work]\nlink = "${link}"\n`;
  const chosen = ["--profile", "work"];
  assert.deepEqual(placeOf(await configOf({ text: profile, args: [...chosen, ...args] })), there);
  assert.equal((await configOf({ text: profile, args: chosen, env })).room, "den");
  const typed = await faultOf({ args: [link, ...args] });
  assert.match(typed.message, /--room with a link/);
  const secret = `link = "cmdchat://h/den#secret=${"A".repeat(43)}"\n`;
  assert.match((await faultOf({ text: secret, args })).message, /its secret is of one room/);
});

Deno.test("of two settings that contradict each other the stronger one counts", async () => {
  const text = 'accept-files = true\nlink = "cmdchat://linked.example/den"\n';
  const config = await configOf({ text, args: ["--no-downloads", "--host", "other.example"] });
  assert.deepEqual([config["accept-files"], config["no-downloads"], config.host, config.room], [
    false,
    true,
    "other.example",
    "lobby",
  ]);
  assert.equal((await configOf({ text })).host, "linked.example");
  const both = await faultOf({ text: "accept-files = true\nno-downloads = true\n" });
  assert.match(both.message, /contradict/);
});

Deno.test("what is wrong in the file is told with its line and what was probably meant", async () => {
  const cases: readonly (readonly [string, RegExp, RegExp?])[] = [
    [
      'name = "a"\nprot = 1\n',
      /^Cannot use "prot" in line 2 of ".*config\.toml": there is no such setting$/,
      /^did you mean port\?$/,
    ],
    ['title = "on"\n', /"title" in line 1 .*: it belongs below \[set\]$/],
    ['keys = "vi"\n', /keys in line 1 .*: it belongs below \[set\]$/],
    ["keys = 1\n", /keys in line 1 .*: expected \[keys\] and lines such as/],
    ['[server.work]\nhots = "x"\n', /"hots" in line 2/, /did you mean host\?/],
    ['[sever.work]\nhost = "x"\n', /"sever" in line 1/, /did you mean \[server\.NAME\]\?/],
    ['[server]\nwork = "x"\n', /"work" in line 2 .*\[server\.NAME\]/],
    ["server = 1\n", /server in line 1 .*\[server\.NAME\]/],
    [
      "\nport = 70000\n",
      /^Cannot use port "70000" in line 2 of ".*": it must be a whole number from 1 to 65535/,
    ],
    ["port = [1]\n", /port in line 1 .*: expected a text in quotes, a number, true or false/],
    ["name = 2026-01-01\n", /name in line 1/],
    ["tls-insecure = true\n", /"tls-insecure" in line 1 .* command line only/],
    ['config = "x"\n', /"config" in line 1 .* command line only/],
    ["\n\nname = alice\n", /^Cannot read line 3 of ".*config\.toml": /, /name = "alice"/],
    ['name = "a"\nname = "b"\n', /^Cannot read line 2 of /],
    ['renderer = "fancy"\n', /renderer "fancy" in line 1 .* rich, minimal, json/],
  ];
  for (const [text, message, hint] of cases) {
    const fault = await faultOf({ text });
    assert.match(fault.message, message);
    if (hint !== undefined) assert.match(fault.hint ?? "", hint);
    assert.ok([2, 3].includes(fault.exitCode));
  }
});

Deno.test("a file with a secret must be closed to others; without one it need not be", async () => {
  const token = await faultOf({ text: 'token = "s3cret"\n', mode: 0o640 });
  assert.match(token.message, /others may read the token in line 1/);
  assert.match(token.hint ?? "", /^chmod 600 /);
  assert.equal(token.exitCode, 3);
  const link = 'link = "cmdchat://h/r#token=s3cret"\n';
  const inProfile = `[server.work]\n${link}`;
  assert.match((await faultOf({ text: inProfile, mode: 0o604 })).message, /the link in line 2/);
  for (const fault of [token, await faultOf({ text: link, mode: 0o644 })]) {
    assert.ok(!`${fault.message}${fault.hint}`.includes("s3cret"));
  }
  const proxy = await faultOf({ text: 'proxy = "http://al:s3cret@h:1"\n', mode: 0o644 });
  assert.match(proxy.message, /others may read the proxy in line 1/);
  assert.ok(!`${proxy.message}${proxy.hint}`.includes("s3cret"));
  const open = await configOf({ text: 'proxy = "http://h:1"\n', mode: 0o644 });
  assert.equal(open.proxy?.host, "h");
  assert.equal((await configOf({ text: 'name = "al"\n', mode: 0o644 })).name, "al");
  assert.equal((await configOf({ text: 'link = "cmdchat://h/r"\n', mode: 0o644 })).host, "h");
  assert.match((await faultOf({ text: "", mode: 0o666 })).message, /every user .* may change/);
});

Deno.test("no error repeats a secret of the file", async () => {
  for (const text of ['token = "s3cret', 'history-passphrase = ["s3cret"]', 'link = "s3cret"']) {
    const fault = await faultOf({ text });
    assert.ok(!`${fault.message}${fault.hint}`.includes("s3cret"), fault.message);
  }
});

Deno.test("a file or profile that was asked for must be there", async () => {
  assert.match((await faultOf({ args: ["--config", "none.toml"] })).message, /no such file/);
  assert.match((await faultOf({ args: ["--profile", "work"] })).message, /no \[server\.NAME\]/);
  assert.equal(
    (await faultOf({ text: WORK, args: ["--profile", "wrok"] })).hint,
    "did you mean @work?",
  );
  assert.equal((await faultOf({ text: WORK, args: ["--profile", "x"] })).hint, "there are: @work");
});

Deno.test("--config names another file, and an empty one is a way to have none", async () => {
  const other = `${home}/other.toml`;
  await Deno.writeTextFile(other, 'name = "other"\n');
  assert.equal((await configOf({ text: WORK, args: ["--config", other] })).name, "other");
  assert.equal(
    (await configOf({ text: WORK, env: { CMDCHAT_CONFIG: "/dev/null" } })).name,
    "anonymous",
  );
});

Deno.test("XDG_CONFIG_HOME counts where it is absolute", () => {
  const at = (env: Record<string, string>) => defaultSettingsPath((name) => env[name]);
  assert.equal(at({ HOME: "/h" }), "/h/.config/cmdchat/config.toml");
  assert.equal(at({ HOME: "/h", XDG_CONFIG_HOME: "/x" }), "/x/cmdchat/config.toml");
  assert.equal(at({ HOME: "/h", XDG_CONFIG_HOME: "x" }), "/h/.config/cmdchat/config.toml");
  assert.equal(at({}), undefined);
});

Deno.test("[alias] is read with the line of each, and its mistakes have lines", async () => {
  await Deno.writeTextFile(path, '[alias]\nhi = "/me waves"\n\nb = " /msg bob "\n');
  const settings = await openSettings({
    args: [],
    env: (name) => name === "HOME" ? home : undefined,
  });
  const read = [...settings?.aliases ?? []].map(([name, { text, place }]) => [name, text, place]);
  assert.deepEqual(read.map(([name, text]) => [name, text]), [["hi", "/me waves"], [
    "b",
    "/msg bob",
  ]]);
  assert.match(String(read[1]?.[2]), /^line 4 of /);
  const wrong = {
    "alias = 3": /Cannot use alias in line 1 of .*expected \[alias\]/,
    "[alias]\nhi = 3": /Cannot use "hi" in line 2 of .*expected \[alias\] and lines such as/,
    '[alias]\nhi = " "': /Cannot use "hi" in line 2/,
  };
  for (const [text, says] of Object.entries(wrong)) {
    assert.match((await faultOf({ text })).message, says);
  }
  await Deno.writeTextFile(path, '[keys]\n"ctrl-o" = "/names"\n');
  const { keys } =
    await openSettings({ args: [], env: (name) => name === "HOME" ? home : undefined }) ?? {};
  assert.deepEqual([...keys ?? []].map(([key, { text }]) => [key, text]), [["ctrl-o", "/names"]]);
  assert.match(
    (await faultOf({ text: "keys = 1" })).message,
    /expected \[keys\] and lines such as/,
  );
  assert.equal((await faultOf({ text: '[alais]\nhi = "x"' })).hint, "did you mean alias?");
});
