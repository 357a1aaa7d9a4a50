import assert from "node:assert/strict";
import fc from "fast-check";
import { UsageError } from "../../../shared/base/errors.ts";
import { fingerprintOf } from "../../../shared/crypto/fingerprint.ts";
import {
  formatLink,
  formatWebLink,
  type InviteLink,
  parseLink,
} from "../../../shared/text/invite_link.ts";

const FP = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U";

Deno.test("parseLink() reads every part", () => {
  const link = parseLink(
    `cmdchat://Chat.Example:5051/caf%C3%A9?tls#fp=${FP}&secret=${SECRET}&token=a%26b`,
  );
  assert.deepEqual(link, {
    host: "chat.example",
    port: 5051,
    room: "café",
    tls: true,
    fingerprint: `SHA256:${FP}`,
    secret: new TextEncoder().encode("secretsecretsecretsecretsecretse"),
    token: "a&b",
  });
});

Deno.test("a link to a page says the same, all but the address behind #", () => {
  const link: InviteLink = {
    host: "chat.example",
    port: 443,
    room: "café & co",
    tls: true,
    wss: true,
    fingerprint: `SHA256:${FP}` as never,
    secret: new TextEncoder().encode("secretsecretsecretsecretsecretse"),
    token: "a&b",
  };
  const text = formatWebLink(link);
  assert.equal(
    text,
    `https://chat.example/#room=caf%C3%A9%20%26%20co&fp=${FP}&secret=${SECRET}&token=a%26b`,
  );
  assert.deepEqual(parseLink(text), { ...link, hasPage: true });
  const local = { host: "::1", port: 5050, room: "lobby", tls: false };
  assert.equal(formatWebLink(local), "http://[::1]:5050/#room=lobby");
  assert.deepEqual(parseLink("http://[::1]:5050/#room=lobby"), { ...local, hasPage: true });
  assert.deepEqual(parseLink("https://h"), {
    ...local,
    hasPage: true,
    host: "h",
    port: 443,
    tls: true,
    wss: true,
  });
  for (
    const wrong of [
      "https://h/x#room=a",
      "https://h/?room=a",
      "https://h/#secret",
      "https://h/#room=a/b",
      "https://u@h/",
    ]
  ) {
    assert.throws(() => parseLink(wrong), UsageError, wrong);
  }
});

Deno.test("parseLink() fills in port, room and no TLS", () => {
  const expected = { host: "h", port: 5050, room: "lobby", tls: false };
  for (const text of ["cmdchat://h", "cmdchat://h/", " CMDCHAT://H:5050/lobby\n"]) {
    assert.deepEqual(parseLink(text), expected);
  }
});

Deno.test("parseLink() reads hosts of every kind in one spelling", () => {
  const hosts = {
    "127.0.0.1": "127.0.0.1",
    "[::1]": "::1",
    "[2001:DB8:0::1]": "2001:db8::1",
    "[::ffff:192.0.2.1]": "::ffff:c000:201",
    "chat_server": "chat_server",
    "bücher.example": "xn--bcher-kva.example",
    "a.b-c.9d": "a.b-c.9d",
  };
  for (const [written, host] of Object.entries(hosts)) {
    assert.equal(parseLink(`cmdchat://${written}:1/x`).host, host);
  }
});

const FAULTS: Readonly<Record<string, readonly string[]>> = {
  "the beginning": ["", "hello", "http://h/x", "cmdchat:/h", "cmdchat//h", "xcmdchat://h"],
  "the whole": [
    "cmdchat://h/a b",
    "cmdchat://h/a\nb",
    "cmdchat://h/\x1b[2J",
    "cmdchat://h/\u202ea",
    `cmdchat://h/${"a".repeat(3000)}`,
  ],
  "the host": [
    "cmdchat://",
    "cmdchat:///x",
    "cmdchat://user@h/x",
    "cmdchat://-a/x",
    "cmdchat://a-/x",
    "cmdchat://a..b",
    "cmdchat://h./x",
    "cmdchat://0x7f.1",
    "cmdchat://1.2.3",
    "cmdchat://256.1.1.1",
    "cmdchat://1.2.3.04",
    "cmdchat://2130706433",
    "cmdchat://::1/x",
    "cmdchat://[::1",
    "cmdchat://[::1]x",
    "cmdchat://%41/x",
    `cmdchat://${"a".repeat(64)}`,
    "cmdchat://bü%41",
    `cmdchat://${"a.".repeat(130)}a`,
  ],
  "the address in brackets": [
    "cmdchat://[]",
    "cmdchat://[h]",
    "cmdchat://[::1%eth0]",
    "cmdchat://[1:2]",
  ],
  "the port": [
    "cmdchat://h:",
    "cmdchat://h:0",
    "cmdchat://h:65536",
    "cmdchat://h:080",
    "cmdchat://h:+80",
    "cmdchat://h:80a",
    "cmdchat://[::1]:x",
  ],
  "the room": [
    "cmdchat://h/a/b",
    "cmdchat://h/%",
    "cmdchat://h/%ff",
    "cmdchat://h/%00",
    "cmdchat://h/%0a",
    "cmdchat://h/%e2%80%ae",
    "cmdchat://h/%e2%80%a8",
    `cmdchat://h/${"a".repeat(65)}`,
  ],
  'the part after "?"': [
    "cmdchat://h?",
    "cmdchat://h?tls=1",
    "cmdchat://h?ws",
    "cmdchat://h?wss=1",
    "cmdchat://h?tls&wss",
    "cmdchat://h/x?token=SECRETS",
    "cmdchat://h?tls?tls",
  ],
  'the part after "#"': [
    "cmdchat://h#",
    "cmdchat://h#SECRETS",
    "cmdchat://h#a=SECRETS",
    "cmdchat://h#token=a&token=SECRETS",
    "cmdchat://h#token=a&",
    "cmdchat://h#__proto__=SECRETS",
  ],
  'the fingerprint after "fp="': [
    "cmdchat://h#fp=",
    "cmdchat://h#fp=SECRETS",
    `cmdchat://h#fp=${FP}=`,
    `cmdchat://h#fp=${FP.slice(1)}B`,
  ],
  'the secret after "secret="': [
    "cmdchat://h#secret=",
    "cmdchat://h#secret=SECRETS",
    `cmdchat://h#secret=${SECRET}A`,
  ],
  'the token after "token="': [
    "cmdchat://h#token=",
    "cmdchat://h#token=SECRETS%",
    "cmdchat://h#token=SECRETS%0a",
    `cmdchat://h#token=${"SECRETS".repeat(40)}`,
  ],
};

for (const [place, texts] of Object.entries(FAULTS)) {
  Deno.test(`parseLink() names ${place} when that is at fault, and repeats nothing`, () => {
    for (const text of texts) {
      assert.throws(() => parseLink(text), (error) => {
        assert.ok(error instanceof UsageError, text);
        assert.ok(
          error.message.startsWith(`Cannot read the link: ${place} must be`),
          `${text}: ${error.message}`,
        );
        assert.ok(!`${error.message}${error.cause}`.includes("SECRETS"));
        return true;
      });
    }
  });
}

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/);
const host = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join(".")),
  fc.ipV4(),
  fc.ipV6().map((text) => new URL(`http://[${text}]/`).hostname.slice(1, -1)),
);
const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter((value) =>
    !/[\p{C}\p{Zl}\p{Zp}]/u.test(value) && new TextEncoder().encode(value).length <= 64
  );
const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
const links: fc.Arbitrary<InviteLink> = fc.record({
  host,
  port: fc.integer({ min: 1, max: 65535 }),
  room: text,
  tls: fc.boolean(),
  fingerprint: bytes.map(fingerprintOf),
  secret: bytes,
  token: text,
}, { requiredKeys: ["host", "port", "room", "tls"], noNullPrototype: true });
// WebSocket is always inside TLS.
const anyLinks = fc.tuple(links, fc.boolean()).map(([link, wss]): InviteLink =>
  wss ? { ...link, tls: true, wss } : link
);

Deno.test("parseLink() gives back what formatLink() wrote, which is safe between single quotes", () => {
  fc.assert(fc.property(anyLinks, (link) => {
    const written = formatLink(link);
    assert.match(written, /^[!-&(-~]+$/);
    assert.deepEqual(parseLink(written), link);
  }));
});

Deno.test("formatLink() is one text for one link, however it was written", () => {
  fc.assert(
    fc.property(links, fc.nat(), fc.string({ minLength: 1, maxLength: 3 }), (link, at, noise) => {
      const good = formatLink(link);
      const cut = at % good.length;
      const text = good.slice(0, cut) + noise + good.slice(cut + 1);
      try {
        const first = formatLink(parseLink(text));
        assert.equal(formatLink(parseLink(first)), first);
      } catch (error) {
        assert.ok(error instanceof UsageError, String(error));
      }
    }),
  );
});
