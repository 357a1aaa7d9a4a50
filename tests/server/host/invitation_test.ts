import assert from "node:assert/strict";
import { invitationText, linksOf, newToken } from "../../../server/host/invitation.ts";
import { readHostConfig } from "../../../server/config/host_options.ts";
import { parseFingerprint } from "../../../shared/crypto/fingerprint.ts";
import { UsageError } from "../../../shared/base/errors.ts";
import { parseLink } from "../../../shared/text/invite_link.ts";

const PARTS = {
  port: 5_051,
  room: "den",
  fingerprint: parseFingerprint(`SHA256:${"A".repeat(43)}`),
  token: newToken(),
  addresses: { reachable: ["192.168.1.7", "2001:db8::7"], areLinkLocal: false },
  publicAddress: undefined,
  client: "cmdchat-client",
};

Deno.test("each link is all that a friend needs: address, room, fingerprint and token", () => {
  const links = linksOf(PARTS).map(parseLink);
  assert.deepEqual(links.map(({ host }) => host), ["192.168.1.7", "2001:db8::7"]);
  for (const { port, room, fingerprint, token } of links) {
    assert.deepEqual([port, room, fingerprint, token], [
      5_051,
      "den",
      PARTS.fingerprint,
      PARTS.token,
    ]);
  }
  assert.ok(PARTS.token.length >= 22, "128 bits");
  assert.notEqual(newToken(), newToken());
});

Deno.test("a public name comes first, with its own port where one was given", () => {
  const read = (name: string) => readHostConfig({ args: ["--name", name], env: () => undefined });
  for (
    const [typed, host, port] of [
      ["chat.example.org", "chat.example.org", 5_051],
      ["Chat.Example.ORG:443", "chat.example.org", 443],
      ["203.0.113.9:6000", "203.0.113.9", 6_000],
      ["2001:db8::9", "2001:db8::9", 5_051],
      ["[2001:db8::9]:6000", "2001:db8::9", 6_000],
    ] as const
  ) {
    const [first = ""] = linksOf({ ...PARTS, publicAddress: read(typed).name });
    assert.deepEqual([parseLink(first).host, parseLink(first).port], [host, port], typed);
  }
  for (
    const typed of ["", "a b", "x/y", "x#y", "cmdchat://x", "x:0", "x:99999", "user@x", "1.2.3"]
  ) {
    assert.throws(() => read(typed), UsageError, typed);
  }
});

Deno.test("options that make no sense are refused with what they must be", () => {
  const read = (...args: string[]) => () => readHostConfig({ args, env: () => undefined });
  assert.throws(read("--port", "x"), /Cannot use --port "x"/);
  assert.throws(read("--room", ""), /^UsageError: Cannot use --room ""/);
  assert.throws(read("--qr=1"), /it is a switch/);
  assert.throws(read("chat.example.org"), /host takes options only/);
  assert.throws(read("--nam", "x"), /there is no such option/);
});

Deno.test("the text has a command for a friend and one for oneself, and says where there is no network", () => {
  const text = invitationText(PARTS, "QR");
  assert.match(
    text,
    /^cmdchat-client 'cmdchat:\/\/192\.168\.1\.7:5051\/den#fp=A{43}&token=[\w-]+'$/m,
  );
  assert.match(text, /^cmdchat-client 'cmdchat:\/\/127\.0\.0\.1:5051\/den#/m);
  assert.match(text, /^QR$/m);
  const alone = invitationText({ ...PARTS, addresses: { reachable: [], areLinkLocal: true } });
  assert.match(alone, /no network now/);
  assert.match(alone, /^cmdchat-client 'cmdchat:\/\/127\.0\.0\.1/m);
  const cable = { reachable: ["fe80::1%eth0"], areLinkLocal: true };
  assert.match(invitationText({ ...PARTS, addresses: cable }), /%25eth0\]:5051.*[^]*after %/);
  for (const row of [...text.split("\n"), ...alone.split("\n")]) {
    assert.ok(row.length <= 80 || row.includes("cmdchat://"), row);
  }
});
