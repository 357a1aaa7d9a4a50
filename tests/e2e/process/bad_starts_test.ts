// Starts that must fail: one error line that names what is wrong, at most one hint, an exit code, nothing else; with a
// value outside its range for every option that the server has.

import assert from "node:assert/strict";
import { SERVER_OPTIONS } from "../../../server/config/server_options.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { runServer, type ServerOptions } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";

const USAGE = 2;
const CONFIG = 3;
const test = skipWithout("openssl");

interface BadStart extends ServerOptions {
  readonly says: RegExp;
  readonly hint?: RegExp;
  readonly code: number;
}

async function refused({ says, hint, code, ...start }: BadStart): Promise<void> {
  const { stderr, stdout, code: ended } = await runServer(start);
  const about = `${JSON.stringify(start)}: ${stderr}`;
  const [error = "", advice = "", ...more] = stderr.split("\n");
  assert.match(error, /^error: Cannot /, about);
  assert.match(error, says, about);
  if (hint === undefined) assert.deepEqual([advice, more.length], ["", 0], about);
  else {
    assert.match(advice, /^hint: /, about);
    assert.match(advice, hint, about);
    assert.deepEqual(more, [""], about);
  }
  assert.deepEqual([ended, stdout], [code, ""], about);
}

/** Tries so many at once that a test of thirty processes takes seconds. */
async function allRefused(starts: readonly BadStart[]): Promise<void> {
  const left = starts[Symbol.iterator]();
  await Promise.all([1, 2, 3].map(async () => {
    for (const start of left) await refused(start);
  }));
}

/** What each option that is not a file, an address or a word does not take. */
const OUT_OF_RANGE: Partial<Record<keyof typeof SERVER_OPTIONS, readonly string[]>> = {
  port: ["-1", "65536", "http"],
  "metrics-interval": ["-1", "86401"],
  "rate-limit": ["0/5", "12/0", "fast"],
  "max-connections": ["0", "1000001"],
  "max-per-address": ["0", "none"],
  "connection-rate": ["0/5", "fast"],
  "max-message": ["0", "8KiB"],
  "max-file": ["-1", "17GiB"],
  "max-rooms": ["0", "1000001"],
  "nats-replicas": ["0", "1000"],
  backlog: ["-1", "101"],
  hold: ["-1", "3601"],
  "admin-listen": ["nowhere", "127.0.0.1:99999"],
  "take-over": ["nowhere", "127.0.0.1:99999"],
  advertise: ["nowhere", "chat.example.org:0", "localhost:5050"],
  "log-level": ["LOUD"],
  "log-format": ["xml"],
};

test("a value out of range is refused for every option, with what is wanted", async () => {
  const starts = Object.entries(OUT_OF_RANGE).flatMap(([name, values]) =>
    values.map((value) => ({
      args: [`--${name}=${value}`],
      says: new RegExp(`^error: Cannot use --${name} ${JSON.stringify(value)}: it must be `),
      code: USAGE,
    }))
  );
  await allRefused(starts);
  // A new option with a value belongs into one of the lists here.
  const elsewhere =
    /^(?:host|certfile|keyfile|(?:admin-|metrics-)?tokens?-file|(?:identity|bans|settings)-file|web|trusted-proxy|nats|nats-(?:ca|certfile|keyfile))$/;
  const untried = Object.entries(SERVER_OPTIONS).filter(([name, row]) =>
    "value" in row && !(name in OUT_OF_RANGE) && !elsewhere.test(name)
  );
  assert.deepEqual(untried.map(([name]) => name), []);
});

test("invites need tokens", () =>
  allRefused([
    {
      args: ["--invites"],
      says: /--invites: the server needs no token/,
      hint: /CMDCHAT_TOKENS or --tokens-file/,
      code: CONFIG,
    },
  ]));

test("networks and origins that cannot be used are refused, and so is the origin null without tokens", () =>
  allRefused([
    ...["0.0.0.0/0", "::/0", "10.0.0.0/33", "nginx"].map((network) => ({
      args: [`--trusted-proxy=127.0.0.1,${network}`],
      says: new RegExp(`--trusted-proxy "${network}": it must be an address or a network`),
      code: CONFIG,
    })),
    ...["chat.example.org", "https://chat.example.org/", "*"].map((origin) => ({
      args: [`--web=${origin}`],
      says: /--web ".*": it must be an origin as browsers send it/,
      hint: /without a slash/,
      code: CONFIG,
    })),
    {
      args: ["--web-only-socket", "--web=https://chat.example.org,null"],
      says: /--web null: .* the server has no tokens$/,
      hint: /CMDCHAT_TOKENS/,
      code: CONFIG,
    },
    { args: ["--web=,"], says: /--web ",": it must be words/, code: USAGE },
  ]));

test("what is no option is refused with the one that was meant", () =>
  allRefused([
    {
      args: ["--prot", "1"],
      says: /"--prot": there is no such option/,
      hint: /did you mean --port\?/,
      code: USAGE,
    },
    {
      args: ["--max-conections=1"],
      says: /"--max-conections"/,
      hint: /did you mean --max-connections\?/,
      code: USAGE,
    },
    { args: ["--xyzzy"], says: /"--xyzzy"/, hint: /--help lists all options/, code: USAGE },
    { args: ["--port"], says: /--port alone: it needs PORT/, code: USAGE },
    { args: ["--help=yes"], says: /--help with a value: it is a switch/, code: USAGE },
    { args: ["keygn"], says: /"keygn"/, hint: /did you mean keygen\?/, code: USAGE },
    {
      args: ["start"],
      says: /"start": there is no such command/,
      hint: /--help/,
      code: USAGE,
    },
    { env: { CMDCHAT_HOLD: "1m" }, says: /CMDCHAT_HOLD "1m"/, code: USAGE },
    {
      env: { CMDCHAT_TOKENS: " , " },
      says: /CMDCHAT_TOKENS: it is set but holds no token/,
      code: CONFIG,
    },
  ]));

test("an address that is not here, or none, and a port that is taken are refused", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  await allRefused([
    {
      args: [`--port=${port}`],
      says: /another program already uses this port$/,
      hint: /--port/,
      code: CONFIG,
    },
    {
      args: ["--host=203.0.113.5"],
      says: /this machine has no such address$/,
      hint: /--host 127\.0\.0\.1/,
      code: CONFIG,
    },
    { args: ["--host=999.1.2.3"], says: /this is not an address of this machine$/, code: CONFIG },
    { args: ["--host="], says: /--host "": it is empty$/, code: USAGE },
  ]);
});

test("a certificate or key that is missing, something else, damaged, expired or another's is refused", async () => {
  await using good = await makeCertificate();
  await using other = await makeCertificate();
  await using old = await makeCertificate(
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem " +
      "-not_before 20200101000000Z -not_after 20200201000000Z -subj /CN=localhost 2>/dev/null || " +
      "{ openssl genrsa -out key.pem 2048 && openssl req -new -key key.pem -subj /CN=localhost | " +
      "openssl x509 -req -signkey key.pem -days -1 -out cert.pem; }",
  );
  const folder = good.certFile.replace("/cert.pem", "");
  const cut = `${folder}/cut.pem`;
  await Deno.writeTextFile(cut, good.cert.slice(0, good.cert.length / 2));
  const pair = (cert: string, key: string) => [`--certfile=${cert}`, `--keyfile=${key}`];
  await allRefused([
    {
      args: [`--certfile=${good.certFile}`],
      says: /--certfile alone: TLS needs --keyfile/,
      code: CONFIG,
    },
    {
      args: [`--keyfile=${good.keyFile}`],
      says: /--keyfile alone: TLS needs --certfile/,
      code: CONFIG,
    },
    {
      args: pair("/no/such", good.keyFile),
      says: /--certfile "\/no\/such": there is no such file$/,
      code: CONFIG,
    },
    {
      args: pair(good.certFile, folder),
      says: /--keyfile .*: it is a folder, not a file$/,
      code: CONFIG,
    },
    {
      args: pair(good.keyFile, good.keyFile),
      says: /--certfile .* does not hold a certificate in PEM$/,
      code: CONFIG,
    },
    {
      args: pair(cut, good.keyFile),
      says: /--certfile .*: its PEM text is damaged$/,
      code: CONFIG,
    },
    {
      args: pair(good.certFile, other.keyFile),
      says: /--keyfile .*: it is not the key of --certfile/,
      code: CONFIG,
    },
    {
      args: pair(old.certFile, old.keyFile),
      says: /--certfile .*: it expired on \d{4}-\d\d-\d\d$/,
      code: CONFIG,
    },
  ]);
});

test("an identity file that is missing, a folder, open to all or something else is refused", async () => {
  await using open = await makeIdentity(undefined, 0o644);
  await using junk = await makeIdentity(
    "-----BEGIN PRIVATE KEY-----\nc2VjcmV0IHdvcmRz\n-----END PRIVATE KEY-----\n",
  );
  await allRefused([
    {
      args: ["--identity-file=/no/such"],
      says: /--identity-file "\/no\/such": there is no such file$/,
      code: CONFIG,
    },
    {
      args: ["--identity-file=/tmp"],
      says: /--identity-file "\/tmp": it is a folder, not a file$/,
      code: CONFIG,
    },
    {
      args: [`--identity-file=${open.path}`],
      says: /every user of this machine may read or change it$/,
      hint: /chmod 600/,
      code: CONFIG,
    },
    {
      args: [`--identity-file=${junk.path}`],
      says: /^error: Cannot use --identity-file ".*": it must be one Ed25519 private key(?!.*c2Vj)/,
      hint: /keygen/,
      code: CONFIG,
    },
  ]);
});
