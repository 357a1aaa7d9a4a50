import assert from "node:assert/strict";
import { KnownServers } from "../../../client/net/known_servers.ts";
import { ServerGate, type ServerGateOptions } from "../../../client/session/server_gate.ts";
import type { Ticket } from "../../../client/session/session.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import type { Fingerprint } from "../../../shared/crypto/fingerprint.ts";
import { ConnectionError } from "../../../shared/base/errors.ts";
import { IdentityError } from "../../../shared/channel/handshake_error.ts";

const [A, B] = ["A", "B"].map((letter) => `SHA256:${letter.repeat(42)}A` as Fingerprint) as [
  Fingerprint,
  Fingerprint,
];

const OF_A: Ticket = { server: A, session: new Uint8Array(16), secret: new Uint8Array(32) };

function gateOf(options: Partial<ServerGateOptions> = {}) {
  const told: string[] = [];
  const gate = new ServerGate({
    address: "a:1",
    token: "secret",
    pinned: undefined,
    known: undefined,
    isCertified: false,
    isDirect: true,
    tell: (level, text, hint) =>
      told.push(`${level}: ${text}${hint === undefined ? "" : ` (${hint})`}`),
    ...options,
  });
  /** What a server of this fingerprint is told. */
  const introduce = (server: Fingerprint | undefined, ticket: Ticket | undefined = undefined) =>
    gate.introduce(server, { name: "alice", rooms: [["lobby", 0]], ticket });
  return { gate, introduce, told };
}

Deno.test("TLS with an unknown certificate is good for a fingerprint that was known before, and for nothing else", async () => {
  const hello = { name: "alice", rooms: [["lobby", 0]] as const, ticket: undefined };
  const over = { isUnverified: true };
  const pinned = gateOf({ isCertified: true, pinned: A }).gate;
  assert.equal(await pinned.knowsServer(), true);
  assert.equal((await pinned.introduce(A, hello, over)).token, "secret");
  assert.equal(pinned.isUnverified, true);
  await assertStranger(pinned.introduce(B, hello, over), B);
  for (const server of [A, undefined]) {
    const { gate } = gateOf({ isCertified: true });
    assert.equal(await gate.knowsServer(), false);
    await assert.rejects(gate.introduce(server, hello, over), ConnectionError);
  }
  await withKnown(async (known) => {
    await known.remember("127.0.0.1:5050", A);
    const { gate } = gateOf({ isCertified: true, known, address: "127.0.0.1:5050" });
    assert.equal(await gate.knowsServer(), true);
    assert.equal((await gate.introduce(A, hello, over)).token, "secret");
    await assertStranger(gate.introduce(B, hello, over), B);
  });
});

async function assertStranger(introducing: Promise<unknown>, seen: Fingerprint): Promise<void> {
  await assert.rejects(
    introducing,
    (error) => error instanceof IdentityError && error.seen === seen,
  );
}

/** A file of known servers for one test. */
async function withKnown(
  test: (known: KnownServers, path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "cmdchat-known-" });
  try {
    await test(new KnownServers(path), path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("the first server on this machine gets name and token, with no line about nothing to compare", async () => {
  const { introduce, told } = gateOf();
  const { name, token } = await introduce(A);
  assert.deepEqual([name, token], ["alice", "secret"]);
  await introduce(A);
  assert.deepEqual(told, []);
});

Deno.test("another server than before gets nothing, with a token or without, until it is trusted", async () => {
  for (const token of ["secret", undefined]) {
    const { gate, introduce } = gateOf({ token });
    await introduce(A);
    await assertStranger(introduce(B), B);
    await introduce(A);
    await gate.trust(B);
    assert.equal((await introduce(B)).token, token);
    await assertStranger(introduce(A), A);
  }
});

Deno.test("a ticket goes to the server that issued it, and to no other", async () => {
  const { gate, introduce } = gateOf();
  assert.equal((await introduce(A, OF_A)).ticket, OF_A);
  await gate.trust(B);
  assert.equal((await introduce(B, OF_A)).ticket, undefined);
  const certified = gateOf({ isCertified: true });
  await certified.introduce(A);
  assert.equal(
    (await certified.introduce(B, OF_A)).ticket,
    undefined,
    "certified, yet another key",
  );
});

Deno.test("a certificate that was verified makes another key the same server, and says so", async () => {
  const { introduce, told } = gateOf({ isCertified: true });
  await introduce(A);
  assert.equal((await introduce(B)).token, "secret");
  assert.match(told[0] ?? "", new RegExp(`^info: The server has another key now: ${B}`));
});

Deno.test("where a link names the server no other passes, whatever its certificate, until it is trusted", async () => {
  const { gate, introduce, told } = gateOf({ pinned: A, isCertified: true });
  await introduce(A);
  await assertStranger(introduce(B), B);
  assert.deepEqual(told, []);
  await gate.trust(B);
  assert.equal(gate.expected, B);
  assert.equal((await introduce(B)).token, "secret");
});

Deno.test("with known servers a new one is remembered, a known one is not told, another one gets nothing", () =>
  withKnown(async (known, path) => {
    const { gate, introduce, told } = gateOf({ known, isCertified: true });
    await introduce(A);
    await introduce(A);
    assert.deepEqual(told, [`info: a:1 is remembered as ${A}`]);
    await assertStranger(introduce(B), B);
    assert.equal(await known.find("a:1"), A, "what was refused is not remembered");
    await gate.trust(B);
    assert.equal(await known.find("a:1"), B);
    assert.equal((await introduce(B)).token, "secret");
    // A later run knows it from the file.
    assert.equal((await gateOf({ known }).introduce(B)).token, "secret");
    await Deno.writeTextFile(path, "a:1 line\n");
    await assert.rejects(introduce(B), ConfigError);
  }));

Deno.test("a file of known servers that loses its line does not make another server pass", () =>
  withKnown(async (known, path) => {
    const { introduce } = gateOf({ known });
    await introduce(A);
    await Deno.writeTextFile(path, "");
    await assertStranger(introduce(B), B);
    assert.equal(await Deno.readTextFile(path), "");
  }));

Deno.test("a v1 server, which cannot tell who it is, gets name and token, and never a ticket", async () => {
  const { gate, introduce } = gateOf({ token: undefined });
  gate.takeToken("typed");
  const { token, ticket } = await introduce(undefined, OF_A);
  assert.deepEqual([token, ticket], ["typed", undefined]);
});

/** What is known of the server A, what is told at its first answer, and whether it is proven then. */
const PROOFS:
  readonly (readonly [string, Partial<ServerGateOptions>, RegExp | undefined, boolean])[] = [
    [
      "nothing, over a network",
      { isDirect: false },
      /^warning: Nothing proves that this is your server.*: SHA256:A+ /,
      false,
    ],
    [
      "nothing but a token, which anybody may take",
      { isDirect: false, token: "t" },
      /^warning: Nothing proves/,
      false,
    ],
    ["nothing, on this machine", { isDirect: true }, undefined, true],
    ["its certificate", { isDirect: false, isCertified: true }, undefined, true],
    ["its fingerprint, from a link or an option", { isDirect: false, pinned: A }, undefined, true],
  ];

for (const [what, options, says, isProven] of PROOFS) {
  Deno.test(`a server of which is known ${what} is ${isProven ? "proven" : "not proven, and that is told once"}`, async () => {
    const { gate, introduce, told } = gateOf(options);
    await introduce(A);
    await introduce(A);
    assert.equal(gate.isProven, isProven);
    assert.equal(gate.isCompared, options.pinned !== undefined);
    assert.equal(told.length, says === undefined ? 0 : 1);
    if (says !== undefined) assert.match(told[0] ?? "", says);
  });
}

Deno.test("a remembered server is proven from the next start on, and what v1 says proves nothing", async () => {
  await withKnown(async (known) => {
    const first = gateOf({ known, isDirect: false });
    await first.introduce(A);
    await first.introduce(A);
    assert.equal(first.gate.isProven, false);
    assert.deepEqual(first.told.map((line) => line.split(" ")[0]), ["info:", "warning:"]);
    const second = gateOf({ known, isDirect: false });
    await second.introduce(A);
    assert.deepEqual([second.gate.isProven, second.gate.isCompared], [true, true]);
    assert.deepEqual(second.told, []);
  });
  const v1 = gateOf({ isDirect: false });
  await v1.introduce(undefined);
  assert.equal(v1.gate.isProven, false);
});

Deno.test("a server that the user vouches for is proven, and another one in its place is not", async () => {
  const { gate, introduce } = gateOf({ isDirect: false });
  await introduce(A);
  await gate.trust(A);
  assert.equal(gate.isProven, true);
  await assertStranger(introduce(B), B);
});

Deno.test("nothing is remembered unasked; what the user had remembered is asked about when it changes", async () => {
  await withKnown(async (known, path) => {
    const first = gateOf({ known, remembersAll: false, isDirect: false });
    await first.introduce(A);
    await first.gate.trust(A);
    assert.equal(await Deno.readTextFile(path), "");
    await first.gate.remember(A);
    assert.equal(await Deno.readTextFile(path), `a:1 ${A}\n`);
    const second = gateOf({ known, remembersAll: false, isDirect: false });
    await assertStranger(second.introduce(B), B);
    await second.gate.trust(B);
    assert.equal((await second.introduce(B)).token, "secret");
    assert.equal(await known.find("a:1"), B);
  });
});
