import assert from "node:assert/strict";
import { readConfig } from "../../../client/config/read_options.ts";
import { readProxy } from "../../../client/net/proxy_choice.ts";
import { CmdchatError, ConfigError, UsageError } from "../../../shared/base/errors.ts";
import type { Setting } from "../../../shared/cli/command_line.ts";

interface Given {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
  readonly profile?: Readonly<Record<string, string>>;
}

/** The proxy for chat.example.org unless `args` name another host, as text. */
async function chosen(
  { args = [], env = {}, settings = {}, profile = {} }: Given,
): Promise<string> {
  const setting = (name: string): Setting | undefined => {
    const own = profile[name];
    const text = own ?? settings[name];
    return text === undefined ? undefined : { text, place: "line 1", chosen: own !== undefined };
  };
  const host = args.includes("--host") ? [] : ["--host", "chat.example.org"];
  const read = (name: string) => env[name];
  const config = readConfig({ args: [...host, ...args], env: read, setting, readLine: () => "" });
  const proxy = await readProxy(config, read);
  if (proxy === undefined) return "none";
  const auth = proxy.auth === undefined ? "" : `${proxy.auth.user}:${proxy.auth.password}@`;
  return `${proxy.kind}://${auth}${proxy.host}:${proxy.port}`;
}

const SOCKS = "socks5://127.0.0.1:9050";
const WSS = ["--transport", "wss"];

Deno.test("the option counts over the variables of all programs, and HTTPS_PROXY is for wss alone", async () => {
  const table: [Given, string][] = [
    [{}, "none"],
    [{ args: ["--proxy", SOCKS] }, SOCKS],
    [{ env: { CMDCHAT_PROXY: SOCKS } }, SOCKS],
    [{ settings: { proxy: SOCKS } }, SOCKS],
    [{ env: { ALL_PROXY: "socks5h://h:1" } }, "socks5://h:1"],
    [{ env: { ALL_PROXY: "h:1", all_proxy: "http://low:2" } }, "http://low:2"],
    [
      { env: { HTTPS_PROXY: "http://h:1", HTTP_PROXY: "http://h:2", http_proxy: "http://h:2" } },
      "none",
    ],
    [{ env: { HTTPS_PROXY: "http://h:1", ALL_PROXY: SOCKS } }, SOCKS],
    [{ args: WSS, env: { HTTPS_PROXY: "http://h:1", ALL_PROXY: SOCKS } }, "http://h:1"],
    [
      { args: WSS, env: { https_proxy: "http://low:1", HTTPS_PROXY: "http://h:1" } },
      "http://low:1",
    ],
    [{ args: WSS, env: { ALL_PROXY: SOCKS } }, SOCKS],
    [{ args: ["--proxy", "none"], env: { ALL_PROXY: SOCKS } }, "none"],
    [{ settings: { proxy: "none" }, env: { ALL_PROXY: SOCKS } }, "none"],
    [{ args: ["--proxy", SOCKS], env: { ALL_PROXY: "http://h:1" } }, SOCKS],
    [{ env: { ALL_PROXY: "http://al:pw@h:1" } }, "http://al:pw@h:1"],
  ];
  for (const [given, expected] of table) {
    assert.equal(await chosen(given), expected, JSON.stringify(given));
  }
});

Deno.test("this machine and what NO_PROXY names are reached without a proxy, unless one was typed or stands in the profile", async () => {
  const env = { ALL_PROXY: SOCKS, NO_PROXY: "example.org" };
  assert.equal(await chosen({ env }), "none");
  assert.equal(await chosen({ env: { ...env, no_proxy: "other.test" } }), SOCKS);
  assert.equal(await chosen({ env: { ...env, CMDCHAT_PROXY: "http://h:1" } }), "none");
  assert.equal(await chosen({ args: ["--host", "127.0.0.1"], env: { ALL_PROXY: SOCKS } }), "none");
  assert.equal(await chosen({ args: ["--host", "localhost"], settings: { proxy: SOCKS } }), "none");
  assert.equal(await chosen({ args: ["--proxy", SOCKS], env }), SOCKS);
  assert.equal(await chosen({ args: ["--proxy", SOCKS, "--host", "127.0.0.1"] }), SOCKS);
  assert.equal(await chosen({ profile: { proxy: SOCKS }, env }), SOCKS);
});

Deno.test("user and password come from a variable or a file, go to the proxy that was given here, and never from a command line", async () => {
  const CMDCHAT_PROXY_AUTH = "al:pw";
  const own = await chosen({ args: ["--proxy", SOCKS], env: { CMDCHAT_PROXY_AUTH } });
  assert.equal(own, "socks5://al:pw@127.0.0.1:9050");
  assert.equal(await chosen({ env: { ALL_PROXY: SOCKS, CMDCHAT_PROXY_AUTH } }), SOCKS);
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "carl:secret\n");
  await Deno.chmod(file, 0o600);
  const settings = { proxy: "http://home:1", "proxy-auth-file": file };
  assert.equal(await chosen({ settings }), "http://carl:secret@home:1");
  assert.equal(await chosen({ settings, args: ["--proxy", SOCKS] }), SOCKS);
  const typed = ["--proxy", SOCKS, "--proxy-auth-file", file];
  assert.equal(await chosen({ args: typed }), "socks5://carl:secret@127.0.0.1:9050");
  await Deno.remove(file);
  await assert.rejects(chosen({ args: ["--proxy", "http://al:SECRET@h:1"] }), (error) => {
    assert.ok(error instanceof UsageError);
    assert.doesNotMatch(`${error.message}${error.hint}`, /SECRET/);
    return true;
  });
});

Deno.test("a proxy that cannot be used is an error, never a reason to go without, and is not repeated", async () => {
  const cases: [Given, RegExp][] = [
    [{ env: { ALL_PROXY: "socks4://al:SECRET@h" } }, /proxy in ALL_PROXY: it must be socks5:/],
    [{ args: WSS, env: { https_proxy: "https://SECRET", ALL_PROXY: SOCKS } }, /in https_proxy/],
    [{ args: ["--proxy", "socks4://SECRET"] }, /^Cannot use --proxy: it must be socks5:/],
    [{ env: { CMDCHAT_PROXY: "SECRET://x" } }, /^Cannot use CMDCHAT_PROXY: it must be socks5:/],
    [{ args: ["--proxy", SOCKS], env: { CMDCHAT_PROXY_AUTH: "SECRET" } }, /USER:PASSWORD/],
  ];
  for (const [given, message] of cases) {
    await assert.rejects(chosen(given), (error) => {
      assert.ok(error instanceof CmdchatError);
      assert.ok(error instanceof ConfigError || error instanceof UsageError);
      assert.match(error.message, message);
      assert.doesNotMatch(`${error.message}${error.hint}`, /SECRET/);
      return true;
    });
  }
});
