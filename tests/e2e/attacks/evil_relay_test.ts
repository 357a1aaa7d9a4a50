// Shares the machine: runs beside another file of whole programs.

// Somebody in between who repeats, swaps, reflects, drops, cuts and changes what passes, who answers in the server's
// place, or who takes the new protocol out: each is found out, named in plain words, and gets no token. The real
// client, the real server, real sockets.

import assert from "node:assert/strict";
import { generateIdentity } from "../../../shared/crypto/identity.ts";
import { parseFingerprint } from "../../../shared/crypto/fingerprint.ts";
import { ServerHandshake } from "../../../shared/channel/handshake.ts";
import { encodeRefusal } from "../../../shared/channel/handshake_messages.ts";
import { encodeBase64 } from "../../../shared/base/base64.ts";
import { runClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import {
  type Evil,
  EvilRelay,
  honest,
  type Passing,
  type Way,
} from "../../helpers/hostile/evil_relay.ts";
import { LiveChat } from "../../helpers/fakes/live_chat.ts";
import type { Ended } from "../../helpers/programs/programs.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { V1Server } from "../../helpers/peers/v1_server.ts";

const TOKEN = "open-sesame-1234";
const home = temporaryHome();
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Changes the JSON of the first frame that goes `way`. */
function edit(way: Way, change: (message: Record<string, unknown>) => unknown): Evil {
  return (passing) => {
    if (passing.way !== way || passing.index > 0) return honest(passing);
    const message = JSON.parse(decoder.decode(passing.body));
    return passing.on(encoder.encode(JSON.stringify(change(message))));
  };
}

function withV2(change: Record<string, unknown>) {
  return (message: Record<string, unknown>) => ({
    ...message,
    v2: { ...message["v2"] as object, ...change },
  });
}

const stranger = await generateIdentity();
const strangersHandshake = new ServerHandshake(stranger);

/** Answers first messages itself, as a server of its own. */
const inItsPlace: Evil = async ({ way, index, body, back }) => {
  if (way === "up" && index === 0) await back((await strangersHandshake.receive(body)).answer);
};

/** One way to stand in between, and what a client that expects a fingerprint says to it. */
interface Attack {
  readonly what: string;
  readonly evil: Evil;
  readonly says: RegExp;
  readonly code: number;
}

const without = (field: string) => (message: Record<string, unknown>) => {
  const { [field]: _, ...rest } = message;
  return rest;
};

const OPENING_ATTACKS: readonly Attack[] = [
  {
    what: "answers in the server's place with a key of its own",
    evil: inItsPlace,
    says:
      /^error: Cannot trust this server: its fingerprint is SHA256:\S+, expected was SHA256:\S+$/m,
    code: 7,
  },
  {
    what: "puts its own key into the server's answer",
    evil: edit("down", withV2({ identity: encodeBase64(stranger.publicKey) })),
    says: /^error: Cannot trust this server: its fingerprint is /m,
    code: 7,
  },
  {
    what: "exchanges the server's share",
    evil: edit("down", withV2({ x25519: encodeBase64(new Uint8Array(32).fill(9)) })),
    says: /^error: Cannot trust this server: its signature does not fit this handshake$/m,
    code: 7,
  },
  {
    what: "exchanges the client's share",
    evil: edit("up", withV2({ x25519: encodeBase64(new Uint8Array(32).fill(9)) })),
    says: /^error: Cannot trust this server: its signature does not fit this handshake$/m,
    code: 7,
  },
  {
    what: "takes a cipher out of the client's offer",
    evil: edit("up", withV2({ aeads: ["aes-256-gcm"] })),
    says: /^error: Cannot trust this server: its signature does not fit this handshake$/m,
    code: 7,
  },
  {
    what: "takes the new protocol out of what the client asks for",
    evil: edit("up", without("v2")),
    says:
      /^error: Cannot trust this server: it answered without session v2, which the expected server speaks$/m,
    code: 5,
  },
  {
    what: "takes the new protocol out of what the server answers",
    evil: edit("down", without("v2")),
    says: /^error: Cannot trust this server: it answered without session v2/m,
    code: 5,
  },
  {
    what: "says that the server speaks other versions",
    evil: async ({ way, back }) => {
      if (way === "up") await back(encodeRefusal("unsupported_version", [3, 4]));
    },
    says:
      /^error: Cannot open a session: server speaks 3 to 4, this client 2$\nhint: update the client$/m,
    code: 5,
  },
  {
    what: "says that the server is older than session v2",
    evil: async ({ way, back }) => {
      if (way === "up") await back(encodeRefusal("unsupported_version", [1, 1]));
    },
    says:
      /^error: Cannot open a session: server speaks 1, this client 2$\nhint: update the server$/m,
    code: 5,
  },
];

/** Runs a client through `relay` with a token and secrets of its own; none of them may leave it. */
async function attacked(relay: EvilRelay, ...args: readonly string[]): Promise<Ended> {
  const ended = await runClient(home, {
    args: ["--port", String(relay.port), "--name", "secret-name", "--room", "secret-room", ...args],
    env: { CMDCHAT_TOKEN: TOKEN },
  }, "a secret text");
  const sent = new Uint8Array(relay.sent.flatMap((bytes) => Array.from(bytes)));
  if (sent.length > 0) {
    const first = 4 + new DataView(sent.buffer).getUint32(0);
    assert.equal(sent.length, first, "the client sends nothing behind its first message");
  }
  assert.doesNotMatch(decoder.decode(sent), /secret|sesame/);
  assert.doesNotMatch(ended.stdout + ended.stderr, /sesame/);
  return ended;
}

Deno.test("whoever stands in between when a session is opened is named, and gets no token", async (t) => {
  await using server = await startServer({ env: { CMDCHAT_TOKENS: TOKEN } });
  const fingerprint = await fingerprintFrom(server);
  for (const { what, evil, says, code } of OPENING_ATTACKS) {
    await t.step(`who ${what}`, async () => {
      await using relay = new EvilRelay(server.port, evil);
      const ended = await attacked(relay, "--fingerprint", fingerprint);
      assert.match(ended.stderr, says);
      assert.equal(ended.code, code, ended.stderr);
      assert.equal(ended.stdout, "");
    });
  }
});

/** The fingerprint that a server printed. */
async function fingerprintFrom(server: RunningServer): Promise<string> {
  const [fingerprint] = await server.printed(/SHA256:[\w-]{43}/);
  return fingerprint;
}

Deno.test("an old server gets no token from a client that expects none, and is told of with the way out", async () => {
  await using server = new V1Server();
  const joined = server.join().catch(() => undefined);
  await using relay = new EvilRelay(server.port);
  const ended = await attacked(relay);
  assert.match(
    ended.stderr,
    /^error: Cannot open a protected session: the server answered without session v2, so it is an old one or someone in between removed it$/m,
  );
  assert.match(ended.stderr, /^hint: only if you know that this server is old: --legacy/m);
  assert.equal(ended.code, 5);
  await joined;
});

Deno.test("a server that is another than the one remembered is refused loudly, and gets no token", async () => {
  const [known, env] = [`${home}/known`, { CMDCHAT_TOKENS: TOKEN }];
  await using first = await startServer({ env });
  await using relay = new EvilRelay(first.port);
  const args = ["--port", String(relay.port), "--known-servers", known];
  const welcome = await runClient(home, { args, env: { CMDCHAT_TOKEN: TOKEN } }, "hello");
  assert.equal(welcome.code, 0, welcome.stderr);
  assert.match(welcome.stderr, /127\.0\.0\.1:\d+ is remembered as SHA256:/);
  const remembered = await Deno.readTextFile(known);
  await using second = await startServer({ env });
  relay.target = second.port;
  relay.sent.length = 0;
  const ended = await attacked(relay, "--known-servers", known);
  assert.match(
    ended.stderr,
    /^error: 127\.0\.0\.1:\d+ is another than before: its fingerprint is SHA256:\S+, it was SHA256:\S+$/m,
  );
  assert.match(
    ended.stderr,
    /^hint: it was restarted without --identity-file, or somebody intercepts the connection: ask its admin/m,
  );
  assert.equal(ended.code, 7);
  assert.equal(await Deno.readTextFile(known), remembered, "and nothing is remembered of it");
});

/** What is done to one record in the middle of a session. */
const RECORD_ATTACKS: Readonly<
  Record<string, (passing: Passing, kept: Uint8Array[]) => Promise<void>>
> = {
  async repeats({ on, body }) {
    await on(body);
    await on(body);
  },
  async swaps({ on, body }, kept) {
    const [before] = kept.splice(0);
    if (before === undefined) return void kept.push(body);
    await on(body);
    await on(before);
  },
  async reflects({ on, back, body }) {
    await on(body);
    await back(body);
  },
  async drops() {},
  async truncates({ on, body }) {
    await on(body.subarray(0, -1));
  },
  async lengthens({ on, body }) {
    await on(new Uint8Array([...body, 0]));
  },
  async changes({ on, body }) {
    await on(body.with(5, (body[5] ?? 0) ^ 1));
  },
  async invents({ on, body }) {
    await on(crypto.getRandomValues(new Uint8Array(body.length)));
    await on(body);
  },
  async "repeats an old one of"({ on, body }, kept) {
    kept.push(body);
    await on(kept.length < 3 ? body : kept[0] as Uint8Array);
  },
};

const NAMED = "Cannot open a record: it was changed, repeated, lost or sent out of order";
// Behind the handshake, hello and what comes with the welcome.
const FIRST_TARGET = 4;

Deno.test("records that are repeated, swapped, reflected, dropped, cut or changed are named, and nothing is lost or seen twice", async (t) => {
  await using identity = await makeIdentity();
  await using server = await startServer({
    args: ["--rate-limit", "off", "--max-per-address", "off", "--identity-file", identity.path],
    env: { CMDCHAT_TOKENS: TOKEN },
  });
  const expected = parseFingerprint(await fingerprintFrom(server));
  for (const [name, attack] of Object.entries(RECORD_ATTACKS)) {
    for (const way of ["up", "down"] as const) {
      await t.step(
        `${name} a record ${way === "up" ? "of the client" : "of the server"}`,
        async () => {
          const room = `${name.replaceAll(" ", "-")} ${way}`;
          let [strikes, connections] = [0, 0];
          const kept: Uint8Array[] = [];
          await using relay = new EvilRelay(server.port, async (passing) => {
            if (passing.way === "up" && passing.index === 0) connections++;
            const struck = connections === 1 && passing.way === way &&
              passing.index >= FIRST_TARGET;
            if (!struck) return await honest(passing);
            const done = name === "swaps" ? 2 : name.includes("old") ? 3 : 1;
            if (strikes >= done) return await honest(passing);
            strikes++;
            await attack(passing, kept);
          });
          const common = { room, token: TOKEN, expected };
          await using alice = new LiveChat({ ...common, name: "alice", port: () => relay.port });
          await alice.until(() => alice.chat.connected, "alice");
          await using bob = new LiveChat({ ...common, name: "bob", port: () => server.port });
          await bob.until(() => bob.chat.connected, "bob");
          const logged = server.log.length;
          const outcomes: Promise<string>[] = [];
          for (let n = 0; n < 12; n++) {
            outcomes.push(alice.chat.say(`alice ${n}`), bob.chat.say(`bob ${n}`));
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
          assert.ok((await Promise.all(outcomes)).every((outcome) => outcome === "confirmed"));
          for (
            const { heard, until } of [alice, bob].map((chat) => ({
              heard: () => chat.heard,
              until: chat.until,
            }))
          ) {
            await until(() => heard().length >= 24, "all messages");
            const texts = heard().map(({ text }) => String(text));
            assert.equal(new Set(texts).size, 24, "each once");
            assert.equal(texts.length, 24);
            for (const who of ["alice", "bob"]) {
              const own = texts.filter((text) => text.startsWith(who));
              assert.deepEqual(own, own.map((_, n) => `${who} ${n}`), "in order");
            }
          }
          assert.ok(
            strikes > 0 && connections === 2,
            `${strikes} strikes, ${connections} connections`,
          );
          const byClient = alice.notes.some((note) => note.includes(NAMED));
          const byServer = server.log.slice(logged).includes(NAMED);
          const victim = (way === "up") === (name !== "reflects") ? "server" : "client";
          assert.equal(
            victim === "client" ? byClient : byServer,
            true,
            `${alice.notes.join("\n")}\n${server.log.slice(logged)}`,
          );
          assert.equal(
            bob.notes.some((note) => note === "alice left."),
            false,
            "and alice never left",
          );
        },
      );
    }
  }
  assert.doesNotMatch(server.log, /unexpected fault|sesame/);
});
