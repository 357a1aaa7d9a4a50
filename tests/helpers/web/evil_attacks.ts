// What somebody in between does to the frames of a session, whatever carries them, and what the client says of it.

import type { RequestOutcome } from "../../../client/session/request_ledger.ts";
import assert from "node:assert/strict";
import { encodeBase64 } from "../../../shared/base/base64.ts";
import { ServerHandshake } from "../../../shared/channel/handshake.ts";
import { encodeRefusal } from "../../../shared/channel/handshake_messages.ts";
import { type Fingerprint, parseFingerprint } from "../../../shared/crypto/fingerprint.ts";
import { generateIdentity } from "../../../shared/crypto/identity.ts";
import { LiveChat, type LiveChatOptions } from "../fakes/live_chat.ts";
import { makeIdentity } from "../fakes/identities.ts";
import { type RunningServer, startServer } from "../programs/server_process.ts";
import { type Evil, honest, type Passing, type Way } from "../hostile/evil_relay.ts";

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
export interface Attack {
  readonly what: string;
  readonly evil: Evil;
  readonly says: RegExp;
  /** Where a WebSocket carries it, if that is something else. */
  readonly saysInWeb?: RegExp;
  readonly code: number;
}

const without = (field: string) => (message: Record<string, unknown>) => {
  const { [field]: _, ...rest } = message;
  return rest;
};

/** At the opening of a session. */
export const OPENING_ATTACKS: readonly Attack[] = [
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
    // Through the web the server speaks v2 alone.
    saysInWeb: /^error: Cannot open a session: the server refused, the handshake has a field/m,
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

/** The fingerprint that a server printed. */
export async function fingerprintFrom(server: RunningServer): Promise<string> {
  const [fingerprint] = await server.printed(/SHA256:[\w-]{43}/);
  return fingerprint;
}

// What is done to one record in the middle of a session.
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

/** A token that nobody in between may learn. */
export const TOKEN = "open-sesame-1234";

/** What carries a session past somebody in between. */
export interface Carrier {
  /** Options of the server. */
  readonly args: readonly string[];
  readonly between: (target: number, evil: Evil) => AsyncDisposable & { readonly port: number };
  /** How a client reaches what stands in between. */
  readonly reach: (
    port: number,
    of: { readonly token: string; readonly expected: Fingerprint },
  ) => Pick<LiveChatOptions, "port" | "dialer">;
}

/** Strikes records of a session in every way: each is named, and nothing is lost or seen twice. */
export async function strikeRecords(
  t: Deno.TestContext,
  { args, between, reach }: Carrier,
): Promise<void> {
  await using identity = await makeIdentity();
  await using server = await startServer({
    args: [
      "--rate-limit",
      "off",
      "--max-per-address",
      "off",
      "--identity-file",
      identity.path,
      ...args,
    ],
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
          await using relay = between(server.port, async (passing) => {
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
          await using alice = new LiveChat({
            ...common,
            name: "alice",
            ...reach(relay.port, { token: TOKEN, expected }),
          });
          await alice.until(() => alice.chat.connected, "alice");
          await using bob = new LiveChat({ ...common, name: "bob", port: () => server.port });
          await bob.until(() => bob.chat.connected, "bob");
          const logged = server.log.length;
          const outcomes: Promise<RequestOutcome>[] = [];
          for (let n = 0; n < 12; n++) {
            outcomes.push(alice.chat.say(`alice ${n}`), bob.chat.say(`bob ${n}`));
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
          assert.ok((await Promise.all(outcomes)).every((outcome) => outcome === "confirmed"));
          for (const chat of [alice, bob]) {
            await chat.until(() => chat.heard.length >= 24, "all messages");
            const texts = chat.heard.map(({ text }) => String(text));
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
}
