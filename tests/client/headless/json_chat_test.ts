// `cmdchat-client --json`: a program as the user. What it prints is held against docs/cmdchat.schema.json.

import assert from "node:assert/strict";
import { jsonScript } from "../../../client/headless/json_chat.ts";
import {
  at,
  runClient,
  startClient,
  temporaryHome,
} from "../../helpers/programs/client_process.ts";
import { assertPrinted, isRequest } from "../../helpers/repo/json_schema.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const home = temporaryHome();

Deno.test("requests are done in order, and each has its result", async () => {
  await using server = await startServer();
  await using bob = await V1Peer.join({ port: server.port, name: "bob" });
  const requests = [
    '{"id":1,"say":"hello"}',
    '{"id":"two","say":"/no command"}',
    '{"nick":"robot"}',
    '{"id":3,"sya":"x"}',
    "nonsense",
    '{"id":4,"nick":"bob"}',
    `{"id":5,"say":"${"x".repeat(5_000)}"}`,
    '{"id":6,"command":"/names"}',
    '{"id":7,"quit":true}',
    '{"id":8,"say":"never"}',
  ];
  const ended = await runClient(
    home,
    { args: ["--json", ...at(server), "--name", "al"] },
    requests.join("\n"),
  );
  assert.equal(ended.stderr, "");
  const objects = assertPrinted(ended.stdout);
  const results = objects.filter(({ kind }) => kind === "result");
  assert.deepEqual(results.map(({ id, ok, code }) => [id, ok, code]), [
    [1, true, undefined],
    ["two", true, undefined],
    [undefined, true, undefined],
    [3, false, 2],
    [undefined, false, 2],
    [4, false, 9],
    [5, false, 6],
    [6, true, undefined],
    [7, true, undefined],
  ]);
  assert.equal(results[3]?.["hint"], "did you mean say?");
  assert.match(String(results[5]?.["error"]), /: Cannot use the name "bob": somebody in "lobby"/);
  assert.equal(ended.code, 2, "the code of the first fault");
  for (const text of ["hello", "/no command"]) await bob.hears(text);
  assert.ok(objects.some(({ kind, state }) => kind === "connection" && state === "connected"));
  assert.ok(objects.some(({ kind, own, text }) => kind === "chat" && own && text === "hello"));
});

Deno.test("a request with a room is done there, and the current room stays the current one", async () => {
  await using server = await startServer();
  await Deno.writeTextFile(`${home}/for-ops.txt`, "for ops");
  await using ann = await V1Peer.join({ port: server.port, name: "ann", room: "lobby" });
  await using bob = await V1Peer.join({ port: server.port, name: "bob", room: "ops" });
  const requests = [
    '{"join":"ops"}',
    '{"room":"lobby","say":"to lobby"}',
    '{"say":"to ops"}',
    '{"room":"ops","send":"for-ops.txt"}',
    '{"room":"Lobby","command":"/topic lunch"}',
    '{"id":1,"room":"2","say":"a number is no name"}',
    '{"id":2,"room":"den","say":"nobody is there"}',
    '{"room":"lobby","command":"/leave"}',
    '{"say":"still in ops"}',
  ];
  for (const line of requests) assert.ok(isRequest(line), line);
  await using robot = startClient(home, { args: ["--json", ...at(server), "--name", "robot"] });
  await robot.prints(/"state":"connected"/);
  for (const line of requests) await robot.type(line);
  await ann.hears("to lobby");
  await ann.system(/robot set the topic: lunch/);
  await ann.system(/robot left/);
  await bob.hears("to ops");
  await bob.hears("still in ops");
  await robot.type('{"quit":true}');
  await robot.end();
  const objects = assertPrinted(robot.stdout);
  const refused = objects.filter(({ kind, ok }) => kind === "result" && ok === false);
  assert.deepEqual(refused.map(({ id, code }) => [id, code]), [[1, 2], [2, 2]]);
  const own = objects.filter(({ kind, own }) => kind === "chat" && own);
  assert.deepEqual(own.map(({ room, text }) => [room, text]), [
    ["lobby", "to lobby"],
    ["ops", "to ops"],
    ["ops", "still in ops"],
  ]);
  assert.ok(
    objects.some(({ kind, room, name }) =>
      kind === "file" && room === "ops" && name === "for-ops.txt"
    ),
  );
});

Deno.test("a refusal says why, in the words of who refused, and what is so already is told to the user alone", async () => {
  await using server = await startServer();
  await using robot = startClient(home, { args: ["--json", ...at(server), "--name", "robot"] });
  await robot.prints(/"state":"connected"/);
  const lines = ["/slow 1h", "/lock", "/lock", "/unlock", "/unlock", "/nick robot", "/kick robot"];
  for (const [id, command] of lines.entries()) await robot.type(JSON.stringify({ id, command }));
  await robot.prints(new RegExp(`"id":${lines.length - 1},`));
  const resultOf = (id: number) =>
    assertPrinted(robot.stdout).find((object) =>
      object["kind"] === "result" && object["id"] === id
    );
  assert.equal(resultOf(6)?.["error"], 'Not done: "/kick robot": Cannot kick yourself');
  const textsOf = (kind: string) =>
    assertPrinted(robot.stdout).flatMap((object) =>
      object["kind"] === kind ? [object["text"]] : []
    );
  assert.deepEqual(textsOf("note"), [
    '"lobby" is locked already: nobody else can join.',
    '"lobby" is not locked: people can join.',
    'Your name is "robot" already.',
  ]);
  assert.equal(textsOf("system").filter((text) => /locked the room/.test(String(text))).length, 2);
  const sent = await runClient(home, { args: ["send", "--lines", ...at(server)] }, "one\ntwo\n");
  assert.equal(sent.code, 9);
  assert.match(sent.stderr, /^error: Not delivered: "two": .*this room is slow: wait 1 hour$/m);
  await robot.type('{"id":"seal","command":"/seal team"}');
  await robot.prints(/"room":"team"/);
  for (const [n, command] of ["/lock", "/lock", "/kick robot"].entries()) {
    await robot.type(JSON.stringify({ id: `team ${n}`, room: "team", command }));
  }
  await robot.prints(/"id":"team 2"/);
  assert.equal(textsOf("note").at(-1), '"team" is locked already: nobody else can join.');
  assert.match(robot.stdout, /Not done: \\"\/kick robot\\": that is you; \/leave/);
});

Deno.test("what /last repeats is marked", async () => {
  await using server = await startServer();
  const requests = ['{"say":"hello"}', '{"command":"/last 2"}'].join("\n");
  const ended = await runClient(home, { args: ["--json", ...at(server)] }, requests);
  const said = assertPrinted(ended.stdout).filter(({ kind }) => kind === "chat");
  assert.deepEqual(said.map(({ text, again }) => [text, again]), [
    ["hello", undefined],
    ["hello", true],
  ]);
});

Deno.test("what others say and files that are offered come as objects, and a request takes a file", async () => {
  await using server = await startServer();
  const folder = `${home}/received`;
  await Deno.writeTextFile(`${home}/note.txt`, "a note");
  await using robot = startClient(home, {
    args: ["--json", ...at(server), "--name", "robot", "--download-dir", folder],
  });
  await robot.prints(/"state":"connected"/);
  await using bob = await V1Peer.join({ port: server.port, name: "bob" });
  await bob.chat("\x1b[31mred\u2028 robot");
  await robot.prints(/"kind":"chat"/);
  const args = ["--json", ...at(server), "--name", "giver"];
  const sending = runClient(home, { args }, '{"send":"note.txt"}');
  await robot.prints(/"event":"offered"/);
  await robot.type('{"id":1,"accept":1}');
  await robot.prints(/"event":"saved"/);
  const sent = await sending;
  assert.equal(sent.code, 0, sent.stdout);
  await robot.endInput();
  assert.equal(await robot.end(), 0, robot.stdout);
  const objects = assertPrinted(robot.stdout);
  assertPrinted(sent.stdout);
  const chat = objects.find(({ kind }) => kind === "chat");
  assert.deepEqual([chat?.["text"], chat?.["mention"]], ["\x1b[31mred\u2028 robot", true]);
  assert.ok(!robot.stdout.includes("\x1b"), "an escape sequence reached the output");
  assert.equal(await Deno.readTextFile(`${folder}/note.txt`), "a note");
});

Deno.test("recv, send, send-file and recv-file print what the schema says", async () => {
  await using server = await startServer();
  await Deno.writeTextFile(`${home}/small.txt`, "small");
  const more = (name: string) => [...at(server), "--json", "--timeout", "20", "--name", name];
  await using watcher = await V1Peer.join({ port: server.port, name: "watcher" });
  await using heard = await V1Peer.join({ port: server.port, name: "listener" });
  await using taker = startClient(home, { args: ["recv-file", ...more("taker")] });
  await using hearer = startClient(home, { args: ["recv", "--count", "1", ...more("hearer")] });
  // Who sends waits for somebody, not for this one.
  await Promise.all([watcher.system(/taker joined/), heard.system(/hearer joined/)]);
  await using giver = startClient(home, { args: ["send-file", ...more("giver"), "small.txt"] });
  const codes = [await giver.end(), await taker.end()];
  assert.deepEqual(codes, [0, 0], giver.stderr + taker.stderr);
  const said = await runClient(home, { args: ["send", ...more("al"), "hi"] });
  assert.equal(await hearer.end(), 0);
  const outputs = [taker.stdout, hearer.stdout, giver.stdout, said.stdout];
  const counts = outputs.map((text) => assertPrinted(text).length);
  assert.ok(counts.every((count) => count > 0), String(counts));
});

Deno.test("a program that is not there to take files takes none", () => {
  assert.equal(jsonScript(false).receives, false);
});

Deno.test("the schema takes the requests that the client takes, and no others", () => {
  for (const line of ['{"say":"x"}', '{"id":1,"accept":2}', '{"quit":true}']) {
    assert.ok(isRequest(line), line);
  }
  for (const line of ['{"nick":"x","room":"ops"}', '{"say":"x","room":2}']) {
    assert.ok(!isRequest(line), line);
  }
  for (const line of ['{"sya":"x"}', '{"accept":"1"}', "{}", '{"say":"x","nick":"y"}']) {
    assert.ok(!isRequest(line), line);
  }
});
