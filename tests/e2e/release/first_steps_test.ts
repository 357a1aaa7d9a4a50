// What README, CONTRIBUTING.md and CLIENT.md have newcomers type first, typed as it stands there. Replaced are names of the
// examples alone: addresses, a link, the port of a proxy; and npx, which starts the Deno of the tests.

import assert from "node:assert/strict";
import { ownAddresses } from "../../../server/host/own_addresses.ts";
import { DocumentShell } from "../../helpers/programs/document_shell.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { blocksBelow } from "../../helpers/repo/document_blocks.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import { startMicrosocks, startTinyproxy } from "../../helpers/web/forward_proxies.ts";
import { freePort } from "../../helpers/web/reverse_proxies.ts";

const CLIENT = "docs/CLIENT.md";
const PROXY_SOURCE = "127.0.0.7";
const test = skipWithout("sh", "setsid");

test("README: the same command in two terminals is a server and two people who talk", async () => {
  using shell = await DocumentShell.open({ port: freePort() });
  await shell.provideNpx();
  const [block = ""] = await blocksBelow("README.md", "## Two people on this machine", "sh");
  const [again = ""] = await blocksBelow("CONTRIBUTING.md", "# Contributing", "sh");
  const first = shell.start(block, "one");
  await first.complains(/Started a server on 127\.0\.0\.1:\d+/);
  await first.complains(/Connected as "one" in "lobby"/);
  const second = shell.start(again.split("\n")[0] ?? "", "two");
  await second.complains(/Connected as "two" in "lobby"/);
  await second.type("hello");
  await first.prints(/<two> hello/);
});

test("README: one command hosts and chats, the other one joins by the link that it prints", async () => {
  using shell = await DocumentShell.open({ port: freePort() });
  await shell.provideNpx();
  const [block = ""] = await blocksBelow("README.md", "## A friend on another machine", "sh");
  const [hosts = "", joins = ""] = block.split("\n");
  const host = shell.start(hosts, "ann");
  await host.complains(/Connected as "ann" in "lobby"/);
  const link = /cmdchat:\/\/[^'\s]+/.exec(host.stderr)?.[0];
  if (link === undefined) {
    const { reachable } = ownAddresses(Deno.networkInterfaces(), { hasIpv6: false });
    assert.deepEqual(reachable, [], "a machine with a network has a link for others");
    return;
  }
  const friend = shell.start(joins.replace(/cmdchat:[^']+/, link), "friend");
  await friend.complains(/Connected as "friend" in "lobby"/);
  await friend.type("here I am");
  await host.prints(/<friend> here I am/);
});

test("CLIENT.md: a device key is made, and shown to others from then on", async () => {
  await using server = await startServer();
  using shell = await DocumentShell.open(server);
  const env = { CMDCHAT_DEVICE_KEY_PASSPHRASE: "correct horse" };
  const [block = ""] = await blocksBelow(CLIENT, "## People you know", "sh");
  const [keygen = "", use = ""] = block.trimEnd().split("\n");
  const made = await shell.run(keygen, "x", { env });
  assert.equal(made.code, 0, made.stderr);
  const digits = /(?:\d{5} ){5}\d{5}/.exec(made.stdout + made.stderr)?.[0] ?? "no digits";
  const asked = await shell.run(
    `echo /people | ${use.replace("chat.example.org", "127.0.0.1")}`,
    "alice",
    { env },
  );
  assert.equal(asked.code, 0, asked.stderr);
  assert.ok((asked.stdout + asked.stderr).includes(digits), asked.stdout + asked.stderr);
});

const withProxies = skipWithout("sh", "setsid", "microsocks", "tinyproxy", "openssl");

withProxies("CLIENT.md: the client goes through a SOCKS and a web proxy as it says", async () => {
  await using certificate = await makeCertificate();
  const { certFile, keyFile } = certificate;
  await using server = await startServer();
  await using secure = await startServer({
    args: ["--certfile", certFile, "--keyfile", keyFile, "--web-only-socket"],
  });
  await using socks = await startMicrosocks(PROXY_SOURCE);
  await using web = await startTinyproxy(PROXY_SOURCE);
  const [block = ""] = await blocksBelow(CLIENT, "## Through a proxy", "sh");
  const [bySocks = "", byWeb = ""] = block.trimEnd().split("\n").map((line) =>
    line.replace(/ +#.*$/, "").replace(/xyz\.onion|chat\.example\.org/, "localhost")
      .replace("127.0.0.1:9050", `127.0.0.1:${socks.port}`)
      .replace("proxy.corp:3128", `127.0.0.1:${web.port}`)
  );
  for (
    const [line, to, env] of [
      [bySocks, server, {}],
      [byWeb, secure, { CMDCHAT_CA_FILE: certFile }],
    ] as const
  ) {
    using shell = await DocumentShell.open(to);
    const sent = await shell.run(`echo hi | ${line}`, "ada", { env });
    assert.equal(sent.code, 0, `${line}\n${sent.stderr}`);
    await to.logged(new RegExp(`client joined .*address="${PROXY_SOURCE}"`));
  }
});
