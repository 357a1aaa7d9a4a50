// What strangers and members can do to the log: nothing, whatever they say; and a log that nobody reads.

import assert from "node:assert/strict";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { skipIf } from "../../helpers/repo/skip.ts";
import { whyMissing } from "../../helpers/repo/system_needs.ts";
import { pagesOf, WITH_TOKEN } from "../../helpers/programs/admin.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { frameOf, handshakeOf, V1Peer, within } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { ROOT } from "../../helpers/repo/sources.ts";
import type { Request } from "../../../shared/messages/messages_v2.ts";

const other = Deno.build.os === "linux" ? undefined : "pipes are filled as on Linux";
const test = skipIf(other ?? whyMissing("sh"));
const testPython = skipIf(other ?? whyMissing("/usr/bin/python3"));
const PROGRAM = `"${Deno.execPath()}" run --no-check --no-prompt -A server/main.ts`;
const SERVER = `${PROGRAM} --port 0`;
const PIPE_BYTES = 65_536;

test("a log that nobody reads never stops the chat, and SIGTERM ends the server", async () => {
  const fill = `head -c ${PIPE_BYTES} /dev/zero >&2; exec ${SERVER} --log-level DEBUG`;
  const child = new Deno.Command("sh", {
    args: ["-c", fill],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  let banner = "";
  while (!/fingerprint .*\n/.test(banner)) {
    const { value } = await within(reader.read(), "the banner");
    banner += new TextDecoder().decode(value);
  }
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(banner)?.[1]);
  for (let n = 0; n < 3; n++) {
    await using alice = await V1Peer.join({ port, name: "alice" });
    await alice.chat(`hello ${n}`);
    await alice.hears(`hello ${n}`);
  }
  child.kill("SIGTERM");
  const { code } = await within(child.status, "the end of the server", 10_000);
  assert.equal(code, 0);
  await reader.cancel();
  await child.stderr.cancel();
});

const UNWRITABLE = {
  ">/dev/full": "Cannot write the output: the disk is full",
  "| true": "Cannot print: standard output is closed",
} as const;

for (const [to, why] of Object.entries(UNWRITABLE)) {
  test(`a server whose standard output is ${to} ends with an error, and leaves no open port`, async () => {
    const run = `{ ${SERVER} --admin-listen 0; echo "code $?" >&2; } ${to}`;
    const child = new Deno.Command("sh", { args: ["-c", run], cwd: ROOT, stdin: "null" }).output();
    const { stderr } = await within(child, "the end of the server");
    const said = new TextDecoder().decode(stderr);
    assert.match(said, new RegExp(`error: ${why}\\ncode 3\\n`));
  });
}

const COMMANDS = ["--help", "--version", "keygen", "check", "page --hash", "completions bash"];

for (const command of COMMANDS) {
  test(`${command} to a full disk is one error and exit code 3; a wrong call keeps its code where nobody can be told`, async () => {
    const run = `${PROGRAM} ${command} >/dev/full; echo "code $?" >&2
${PROGRAM} ${command} --nothing-such 2>/dev/full; echo "wrong: $?" >&2`;
    const child = new Deno.Command("sh", { args: ["-c", run], cwd: ROOT, stdin: "null" }).output();
    const { stderr } = await within(child, "the end of the command", 30_000);
    const said = new TextDecoder().decode(stderr);
    assert.match(said, /^error: Cannot write the output: the disk is full\ncode 3\n/, said);
    // Help is given whatever else is asked.
    const wrong = command === "--help" ? 0 : 2;
    assert.match(said, new RegExp(`wrong: ${wrong}\\n$`), said);
  });
}

testPython("a non-blocking pipe that is full loses nothing of the output", async () => {
  // python3 leaves the pipe as another program may have left it, and reads only when the server has had to wait.
  const script = `
import fcntl, os, subprocess, sys, time
r, w = os.pipe()
fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 4096)
os.set_blocking(w, False)
child = subprocess.Popen(sys.argv[1:], stdout=w, stderr=w)
os.close(w)
time.sleep(1)
got = b""
while part := os.read(r, 1024):
    got += part
    time.sleep(0.001)
sys.stdout.write(f"{child.wait()} {got[:16]} {got[-16:]} {len(got)}")
`;
  const program = [Deno.execPath(), "run", "--no-check", "-A", "server/main.ts"];
  const run = async (args: readonly string[]) => {
    const child = new Deno.Command("/usr/bin/python3", {
      args: ["-c", script, ...args],
      cwd: ROOT,
    });
    return new TextDecoder().decode((await within(child.output(), "the output", 60_000)).stdout);
  };
  const whole = await new Deno.Command(program[0] as string, {
    args: [...program.slice(1), "--help"],
    cwd: ROOT,
  }).output();
  assert.ok(whole.stdout.length > 5_000);
  const said = await run([...program, "--help"]);
  assert.match(said, new RegExp(`^0 .* ${whole.stdout.length}$`), said);
});

const TOKEN = "the token of the server 4711";
const TIME = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;
const LINES = {
  text: new RegExp(`^${TIME} (?:DEBUG|INFO|WARNING|ERROR) [a-z]`),
  journal: new RegExp(`^<[3467]>${TIME} (?:DEBUG|INFO|WARNING|ERROR) [a-z]`),
  json: /^\{"[^]*"level":"(?:DEBUG|INFO|WARNING|ERROR)","message":"[^"]+"\}$/,
};
// In all that follows: a secret, and what would end a line, begin another one, and act on a terminal.
const EVIL = "s3cret\r\n2026-01-01T00:00:00.000Z ERROR forged\u009b2J\x1b[2J\u202e\u2028";
const LATIN = "s3cret-forged\x9b2J";

/** What strangers say first, and whether over the port of the admin. */
const FIRST_WORDS: readonly string[] = [
  `GET /?token=${LATIN} HTTP/1.1\r\nHost: ${LATIN}\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: ${LATIN}\r\nOrigin: https://${LATIN}\r\nUpgrade: websocket\r\n` +
  `Connection: Upgrade\r\nSec-WebSocket-Key: ${LATIN}\r\nSec-WebSocket-Version: 13\r\n` +
  `Sec-WebSocket-Protocol: ${LATIN}\r\nX-Forwarded-For: ${LATIN}\r\nCookie: ${LATIN}\r\n\r\n`,
  `${LATIN}\r\n\r\n`,
  `PROXY TCP4 ${LATIN} 127.0.0.1 1 2\r\n`,
  `PUT /${LATIN} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${LATIN}\r\n\r\n`,
  `POST /admin HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
  `Authorization: Bearer ${LATIN}\r\nContent-Length: 20\r\n\r\n{"kind":"s3cret"}   `,
  `GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${LATIN}\r\n\r\n`,
];

let strangers = 0;

/** The header by which a proxy names another client each time: each has a line of its own. */
function fromElsewhere(): Uint8Array<ArrayBuffer> {
  return bytesOf(`PROXY TCP4 192.0.2.${++strangers} 127.0.0.1 1 2\r\n`);
}

function bytesOf(latin: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(latin, (character) => character.charCodeAt(0));
}

/** Says something on a connection of its own, and reads to its end. */
async function tell(port: number, ...parts: Uint8Array[]): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    await conn.write(concatBytes(parts));
    await conn.closeWrite();
    await within(new Response(conn.readable).arrayBuffer(), "the end of a connection");
  } catch (error) {
    // A reset is an end as well.
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
}

async function sayEvil(alice: V2Peer, port: number): Promise<void> {
  const room = alice.room();
  const file = new Uint8Array(16);
  const offered = { file, name: EVIL, size: 1, chunks: 1, digest: new Uint8Array(32), to: 0 };
  const requests = [
    { kind: "chat", room, text: EVIL, action: false, reply: 0 },
    { kind: "rename", name: EVIL },
    { kind: "join", title: EVIL },
    { kind: "topic", room, text: EVIL },
    { kind: "status", text: EVIL },
    { kind: "direct", to: alice.welcome.client, text: EVIL },
    { kind: "react", room, sequence: 1, emoji: "s3cret", on: true },
    { kind: "moderate", room, what: "kick", whom: 999, seconds: 0, text: EVIL },
    { kind: "pin", room, sequence: 1, authorName: EVIL, text: EVIL },
    { kind: "invite", title: EVIL, uses: 1, seconds: 60 },
    { kind: "offer", room, ...offered },
  ] as unknown as Request[];
  for (const request of requests) {
    try {
      await alice.send({ ...request, id: alice.nextId() } as Request);
    } catch {
      // Our own encoder refuses it: then nobody can say it in that form.
    }
  }
  await alice.send({
    kind: "hello",
    name: EVIL,
    token: EVIL,
    session: null,
    secret: null,
    rooms: [],
  });
  await within(alice.ended, "the end of a session that broke the protocol");
  await using _old = await V1Peer.join({ port, name: "old", token: TOKEN });
}

for (const [format, line] of Object.entries(LINES)) {
  Deno.test(`whatever strangers and members say, the log as ${format} has its own lines alone, and no word of theirs`, async () => {
    strangers = 0;
    await using server = await startServer({
      args: ["--log-format", format, "--log-level", "DEBUG", "--web-only-socket"]
        .concat(["--admin-listen", "0", "--trusted-proxy", "127.0.0.1"]),
      env: { ...WITH_TOKEN, CMDCHAT_TOKENS: TOKEN },
    });
    const { port } = server;
    const admin = Number((await pagesOf(server)).split(":")[1]);
    const over = async (conn: Deno.Conn) => {
      await conn.write(fromElsewhere());
      return conn;
    };
    for (const words of FIRST_WORDS) {
      await tell(port, fromElsewhere(), bytesOf(words));
      await tell(admin, bytesOf(words));
    }
    // Whom no header names, a field may.
    await tell(port, bytesOf(FIRST_WORDS[1] as string));
    for (
      const about of [{ name: EVIL, token: TOKEN }, { room: EVIL, token: TOKEN }, { token: EVIL }]
    ) {
      await tell(port, fromElsewhere(), frameOf(await handshakeOf(about)));
      const { name = "alice", room = "lobby", token } = about;
      const hello = { name, token, rooms: [[room, 0]] as [string, number][] };
      await using peer = await V2Peer.connect({ port, over, hello });
      await within(peer.ended, "the end of a refused client");
    }
    await using alice = await V2Peer.join({ port, hello: { name: "alice", token: TOKEN } });
    await sayEvil(alice, port);
    const { stderr } = await server.stop();
    const lines = stderr.split("\n").slice(0, -1);
    assert.equal(lines.filter((one) => one.includes("refused")).length, strangers + 1, stderr);
    assert.deepEqual(lines.filter((one) => !line.test(one)), []);
    assert.doesNotMatch(stderr, /s3cret|forged|4711|for-the-admin|alice|lobby/);
    // deno-lint-ignore no-control-regex -- what must not be there
    assert.doesNotMatch(stderr, /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]/);
  });
}
