// A server that has another key now, in place of the one that was meant: what it gets, and what the user keeps.

import assert from "node:assert/strict";
import { runClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { EvilRelay } from "../../helpers/hostile/evil_relay.ts";
import { HostileServer } from "../../helpers/hostile/hostile_server.ts";
import { LiveChat } from "../../helpers/fakes/live_chat.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import type { Request, RequestOf } from "../../../shared/messages/messages_v2.ts";

const TOKEN = "open-sesame-1234";
const home = temporaryHome();

/** A hostile server, and all that clients asked of it. */
async function listening(welcome: { readonly resumed: boolean }) {
  const server = await HostileServer.start();
  const asked: Request[] = [];
  server.onRequest = (link, request) => {
    asked.push(request);
    if (request.kind !== "hello") return true;
    link.send(
      {
        kind: "welcome",
        client: 1,
        resumed: welcome.resumed,
        rooms: 1,
        messageLimit: 4_096,
        session: new Uint8Array(16),
        secret: new Uint8Array(32),
        fileLimit: 0,
        rateMessages: 0,
        rateSeconds: 0,
        hold: 60,
        page: false,
      } as Parameters<typeof link.send>[0],
      {
        kind: "entered",
        id: 0,
        room: 1,
        title: "lobby",
        name: "bob",
        at: 0,
        complete: true,
        topic: "",
      } as Parameters<typeof link.send>[0],
    );
    return false;
  };
  const hellos = () =>
    asked.filter((request): request is RequestOf<"hello"> => request.kind === "hello");
  return { server, asked, hellos };
}

Deno.test("doctor sends nothing of its user to a server whose key is not the remembered one", async () => {
  const [known, env] = [`${home}/known`, { CMDCHAT_TOKENS: TOKEN }];
  await using first = await startServer({ env });
  await using relay = new EvilRelay(first.port);
  const args = ["--port", String(relay.port), "--known-servers", known];
  const met = await runClient(home, { args, env: { CMDCHAT_TOKEN: TOKEN } }, "hello");
  assert.equal(met.code, 0, met.stderr);
  await using second = await startServer({ env });
  relay.target = second.port;
  relay.sent.length = 0;
  const ended = await runClient(home, {
    args: ["doctor", ...args, "--name", "secret-name"],
    env: { CMDCHAT_TOKEN: TOKEN },
  });
  assert.equal(ended.code, 7, ended.stdout);
  assert.match(ended.stdout, /^fail +fingerprint /m);
  assert.match(ended.stdout, /^skip +token /m);
  const sent = new Uint8Array(relay.sent.flatMap((bytes) => Array.from(bytes)));
  const first4 = 4 + new DataView(sent.buffer).getUint32(0);
  assert.equal(sent.length, first4, "nothing leaves behind the first message");
});

Deno.test("another server gets nothing until the user trusts it; then what waits goes there, in order", async () => {
  const first = await listening({ resumed: false });
  const second = await listening({ resumed: false });
  let { port } = first.server;
  await using _second = second.server;
  await using bob = new LiveChat({
    port: () => port,
    name: "bob",
    token: TOKEN,
    trustsAnyone: false,
  });
  await bob.until(() => bob.chat.connected, "the first connection");
  port = second.server.port;
  await first.server[Symbol.asyncDispose]();
  await bob.until(() => bob.chat.connection.asksTrust, "the question");
  assert.ok(bob.notes.some((text) => text.startsWith("The server has another key now")));
  void bob.chat.say("one");
  void bob.chat.say("two");
  assert.deepEqual(second.asked, [], "neither name nor token, nor a text");
  await bob.chat.connection.trust(undefined);
  await bob.until(() => bob.chat.connected, "the connection");
  const [hello, ...more] = second.hellos();
  assert.deepEqual([hello?.name, hello?.token, more.length], ["bob", TOKEN, 0]);
  assert.deepEqual([hello?.session, hello?.secret], [null, null], "a ticket of the first server");
  const texts = () =>
    second.asked.flatMap((request) => request.kind === "chat" ? [request.text] : []);
  await bob.until(() => texts().length === 2, "what was typed");
  assert.deepEqual(texts(), ["one", "two"]);
});

Deno.test("a server that says that it resumed what another one held gets neither ticket nor unanswered texts", async () => {
  await using honest = await startServer();
  let { port } = honest;
  const liar = await listening({ resumed: true });
  await using _liar = liar.server;
  await using bob = new LiveChat({ port: () => port, name: "bob", trustsAnyone: true });
  await bob.until(() => bob.chat.connected, "the first connection");
  port = liar.server.port;
  void bob.chat.say("for the honest one only");
  await honest.stop("SIGKILL");
  await bob.until(() => liar.hellos().length > 2, "three attempts");
  assert.ok(liar.hellos().every(({ session, secret }) => session === null && secret === null));
  assert.deepEqual(liar.asked.filter(({ kind }) => kind === "chat"), []);
  assert.equal(bob.chat.connected, false);
});

Deno.test("a sealed room goes on at another server once its members trust that, and nothing of it goes there before", async () => {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const first = await startServer();
  await using second = await startServer();
  let { port } = first;
  const join = (name: string) =>
    new LiveChat({ port: () => port, name, room: "den", secret, trustsAnyone: false });
  await using alice = join("alice");
  const people = ({ chat }: LiveChat) => chat.sealed.all[0]?.status?.people.length;
  await alice.until(() => people(alice) === 1, "the room");
  await using bob = join("bob");
  for (const one of [alice, bob]) await one.until(() => people(one) === 2, "both");
  port = second.port;
  await first.stop("SIGKILL");
  for (const one of [alice, bob]) {
    await one.until(() => one.chat.connection.asksTrust, "the question");
  }
  const said = alice.chat.say("typed meanwhile");
  assert.doesNotMatch(second.log, /client joined/);
  for (const one of [alice, bob]) await one.chat.connection.trust(undefined);
  await bob.until(() => bob.heard.some(({ text }) => text === "typed meanwhile"), "the line");
  assert.equal(await said, "confirmed");
  for (const one of [alice, bob]) assert.equal(people(one), 2, "nobody had to come in anew");
});
