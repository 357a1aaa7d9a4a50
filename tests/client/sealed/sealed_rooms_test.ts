import assert from "node:assert/strict";
import { contextOf, deliver } from "../../../client/app/pipe_input.ts";
import { handleEvent } from "../../../client/events/dispatch.ts";
import { readTerminal } from "../../../client/app/terminal_input.ts";
import { ProtocolError } from "../../../shared/base/errors.ts";
import { formatLink, type InviteLink, parseLink } from "../../../shared/text/invite_link.ts";
import type { Event, EventOf, SealedRequest } from "../../../shared/messages/messages_v2.ts";
import { decodeEvent, encodeEvent } from "../../../shared/messages/codec_v2.ts";
import {
  enteredOf,
  eventOf,
  type FakeChat,
  FakeSession,
  startChat,
  turns,
} from "../../helpers/fakes/chat_fakes.ts";
import type { SealedRoomRequest } from "../../../client/sealed_engine/engine_protocol.ts";
import {
  type FakeEngine,
  fakeEngines,
  personOf,
  statusOf,
} from "../../helpers/fakes/fake_engine.ts";

const secret = new Uint8Array(32).fill(7);
const challenge = new Uint8Array(32).fill(9);
const fingerprint = "SHA256:gfCOkTpYGNqX3fuCtWaOvS-Ow2v8pz3NjflTPAJix68" as never;
const handle = new Uint8Array(8).fill(5);

const SAID = { time: 0, sequence: 1, request: 0, action: false, reply: 0 };

interface Story extends FakeChat {
  readonly session: FakeSession;
  readonly engines: FakeEngine[];
}

function sessionWith(...rooms: string[]): FakeSession {
  const entered = rooms.map((title, index) => ({ title, room: index + 3 }));
  const session = new FakeSession({ challenge, fingerprint, rooms: rooms.length }, ...entered);
  return session;
}

/** A chat that joined by the link of a sealed room called "team". */
async function sealedChat(...attempts: FakeSession[]): Promise<Story> {
  const { engines, openEngine } = fakeEngines();
  const session = attempts[0] ?? nameless();
  const fake = await startChat(attempts.length > 0 ? attempts : [session], {
    place: { name: "alice", room: "team" },
    secret,
    openEngine,
  });
  void readTerminal({ chat: fake.chat, downloads: false, clock: fake.clock });
  return { ...fake, session, engines };
}

/** A session in no plain room. */
function nameless(): FakeSession {
  return new FakeSession({ challenge, fingerprint, rooms: 0 });
}

/** A chat in the plain lobby that has made a sealed room called "team". */
async function mixedChat(): Promise<Story> {
  const { engines, openEngine } = fakeEngines();
  const session = sessionWith("lobby");
  const fake = await startChat([session], { openEngine });
  void readTerminal({ chat: fake.chat, downloads: false, clock: fake.clock });
  await fake.console.enter("/seal team");
  // Whoever followed a link sooner could be there first, and be the maker.
  assert.doesNotMatch(fake.console.printed.join("\n"), /cmdchat:/);
  engines[0]?.enter();
  await turns();
  return { ...fake, session, engines };
}

function first({ engines }: Story): FakeEngine {
  return engines[0] as FakeEngine;
}

Deno.test("a link with a secret leads into a sealed room, and the server hears neither name nor room", async () => {
  const story = await sealedChat();
  assert.deepEqual(story.asked[0], { name: "sealed", rooms: [], ticket: undefined });
  const engine = first(story);
  assert.deepEqual(engine.options.secret, secret);
  assert.equal(engine.options.name, "alice");
  assert.deepEqual(engine.handled, [{ kind: "online", challenge }]);
  story.chat.end();
});

Deno.test("what is said in a sealed room goes to the engine and nowhere else", async () => {
  const story = await sealedChat();
  first(story).enter("bob");
  await story.console.enter("the secret plan");
  assert.deepEqual(first(story).handled.at(-1), {
    kind: "say",
    request: 1,
    text: "the secret plan",
    action: false,
    reply: 0,
  });
  assert.deepEqual(story.session.sent, []);
  first(story).tell({
    kind: "text",
    client: 1,
    name: "alice",
    text: "the secret plan",
    time: 0,
    sequence: 4,
    request: 1,
    action: false,
    reply: 0,
  });
  assert.match(story.console.printed.at(-1) ?? "", /<alice> the secret plan/);
  assert.equal(story.history.at(-1)?.room, "team");
  assert.match(story.console.status, /^team · alice · sealed · connected$/);
  story.chat.end();
});

Deno.test("who talks, comes, goes and loses the link shows as in any room", async () => {
  const story = await sealedChat();
  const engine = first(story);
  engine.enter("bob");
  const bob = { client: 2, name: "bob" };
  engine.tell({ kind: "text", ...bob, text: "hi alice", ...SAID });
  engine.tell({ kind: "joined", client: 3, name: "carol" });
  engine.tell({ kind: "away", ...bob });
  engine.tell({ kind: "back", ...bob });
  engine.tell({ kind: "left", ...bob });
  const shown = story.console.printed.slice(-6).map((line) => line.replace(/^(?:\* |\d\S+ )/, ""));
  assert.deepEqual(shown, [
    'In "team": alice, bob',
    "<bob> hi alice",
    "carol joined.",
    "bob lost the connection.",
    "bob is back.",
    "bob left.",
  ]);
  story.chat.end();
});

Deno.test("nobody comes into a sealed room unseen, even where comings are not shown, or who comes is ignored", async () => {
  const story = await sealedChat();
  const { output } = story.chat;
  first(story).enter();
  output.settings.set("joins", "off");
  output.ignored.add("mallory");
  first(story).tell({ kind: "joined", client: 4, name: "mallory" });
  first(story).tell({ kind: "left", client: 4, name: "mallory" });
  assert.match(story.console.printed.at(-2) ?? "", /mallory joined/);
  assert.match(story.console.printed.at(-1) ?? "", /mallory left/);
  story.chat.end();
});

Deno.test("the history keeps of a sealed room's lines that they were sealed", async () => {
  const story = await mixedChat();
  const about = { client: 2, name: "bob", ...SAID };
  first(story).tell({ kind: "text", text: "sealed", ...about });
  await story.session.deliver(eventOf("chat", { name: "bob", client: 9, text: "plain" }));
  const marks = story.history.filter(({ kind }) => kind === "chat")
    .map(({ text, sealed }) => [text, sealed]);
  assert.deepEqual(marks, [["sealed", true], ["plain", undefined]]);
  story.chat.end();
});

Deno.test("the status line tells how sealed a room is", async () => {
  const story = await sealedChat();
  const people = [personOf(1, "alice"), personOf(2, "bob")];
  const engine = first(story);
  const lines = [
    statusOf({ phase: "entering" }),
    statusOf({ phase: "in", confirmed: false, people }),
    statusOf({ phase: "in", people }),
    statusOf({ phase: "in", people, locked: true }),
    statusOf({ phase: "out" }),
  ].map((status) => {
    engine.tell(status);
    return story.console.status.split(" · ")[2];
  });
  assert.deepEqual(lines, [
    "sealed, entering",
    "sealed, nobody has confirmed you",
    "sealed",
    "sealed, locked",
    "sealed, you are not in it",
  ]);
  story.chat.end();
});

Deno.test("/seal makes a room beside the plain one, prints its link, and lines go there", async () => {
  const story = await mixedChat();
  const link = parseLink(
    story.console.printed.map((line) => /cmdchat:\S+/.exec(line)?.[0]).find(Boolean) ?? "",
  );
  assert.equal(link.room, "team");
  assert.deepEqual(link.secret, first(story).options.secret);
  await story.console.enter("sealed words", "/switch lobby", "plain words");
  assert.equal(first(story).handled.at(-1)?.kind, "say");
  assert.deepEqual(story.session.sent.map((request) => "text" in request && request.text), [
    "plain words",
  ]);
  await story.console.enter("/switch team");
  assert.match(story.console.prompt, /^alice@team> $/);
  await story.console.enter("/switch lobby");
  assert.match(story.console.status, /lobby · alice · server can read/);
  story.chat.end();
});

Deno.test("the server can neither speak in a sealed room nor lead the next line out of it", async () => {
  const story = await mixedChat();
  const words = { name: "bob", client: 9, text: "forged", sequence: 1, request: 0 };
  const forged = eventOf("chat", words as Partial<EventOf<"chat">>);
  assert.equal(decodeEvent(encodeEvent({ ...forged, room: 1 } as Event)).kind, "chat");
  for (const room of [story.chat.room.id, -1] as number[]) {
    assert.throws(() => decodeEvent(encodeEvent({ ...forged, room } as Event)), ProtocolError);
  }
  await story.session.deliver({ ...forged, room: 1 } as Event);
  assert.doesNotMatch(story.console.printed.join("\n"), /forged/);
  await story.session.deliver(enteredOf({ id: 44, room: 12, title: "elsewhere" }));
  assert.equal(story.chat.room.title, "team");
  await story.session.deliver(enteredOf({ id: 0, room: 13, title: "team" }));
  assert.match(story.console.printed.at(-1) ?? "", /called "team", like your sealed one/);
  await story.console.enter("still sealed");
  assert.equal(first(story).handled.at(-1)?.kind, "say");
  assert.deepEqual(story.session.sent, []);
  story.chat.end();
});

Deno.test("commands of plain rooms send nothing of a sealed one to the server", async () => {
  const story = await sealedChat();
  first(story).enter();
  await story.console.enter("/nick mallory", "/topic our plan", "/edit our plan", "/del");
  assert.deepEqual(story.session.sent, []);
  story.chat.end();
});

Deno.test("an away text that is typed in a sealed room does not go to the server by a plain one", async () => {
  const story = await mixedChat();
  const { console, session, chat } = story;
  await console.enter("/away with our lawyer");
  assert.equal(
    console.printed.at(-1),
    "error: Cannot set an away text in a sealed room: the server would read it\n" +
      "hint: /switch to a plain room, and set it there",
  );
  assert.deepEqual(session.sent, []);
  await console.enter("/switch lobby", "/away lunch");
  assert.deepEqual(session.sent.map(({ kind }) => kind), ["status"]);
  await session.deliver({ kind: "done", id: session.lastId });
  await console.enter("/switch team", "/away");
  assert.equal(session.sent.length, 2, "that one is back is no secret");
  chat.end();
});

Deno.test("a word to one member of a sealed room goes to the engine; one to ourselves is refused, as in a plain room", async () => {
  const story = await mixedChat();
  await story.console.enter("/seal other");
  const other = story.engines[1] as FakeEngine;
  other.enter("bob");
  await story.console.enter("/msg bob only you", "/msg alice a note to myself");
  assert.deepEqual(other.handled.slice(-1), [
    { kind: "whisper", request: 1, to: 2, text: "only you" },
  ]);
  assert.equal(story.console.printed.at(-1), "error: Cannot send a direct message to yourself");
  assert.deepEqual(story.session.sent, []);
  const about = { client: 2, name: "bob", to: 1, toName: "alice", time: 0, request: 0 };
  other.tell({ kind: "direct", ...about, text: "I heard" });
  assert.match(story.console.printed.at(-1) ?? "", /bob.*I heard/);
  assert.doesNotMatch(story.console.printed.at(-1) ?? "", /server can read/);
  await story.console.enter("/reply good");
  assert.deepEqual(other.handled.at(-1), { kind: "whisper", request: 2, to: 2, text: "good" });
  story.chat.end();
});

Deno.test("who comes by a link and finds nobody is told what that may mean; who makes a room is not", async () => {
  const [joined, made] = [await sealedChat(), await mixedChat()];
  first(joined).enter();
  assert.match(
    joined.console.printed.at(-1) ?? "",
    /team: nobody else is here\. If there should be/,
  );
  assert.doesNotMatch(made.console.printed.join("\n"), /nobody else is here/);
  joined.chat.end();
  made.chat.end();
});

Deno.test("who goes from sealed rooms alone into a plain one gets the name first", async () => {
  const story = await sealedChat();
  await story.console.enter("/join lobby");
  assert.deepEqual(story.session.sent, [
    { kind: "rename", name: "alice", id: 1 },
    { kind: "join", title: "lobby", id: 2 },
  ]);
  story.chat.end();
});

Deno.test("rooms that share a session get the answers to their own questions", async () => {
  const story = await mixedChat();
  await story.console.enter("/seal other");
  const [team, other] = story.engines as [FakeEngine, FakeEngine];
  const join = { kind: "sealed_join", ask: 1, room: 5, fresh: false } as const;
  team.options.send(join);
  other.options.send({ ...join, room: 6 });
  await turns();
  const asks = story.session.sent.map((request) =>
    (request as SealedRequest & { ask: number }).ask
  );
  assert.deepEqual(asks, [1, 2]);
  await story.session.deliver(
    { kind: "sealed_none", ask: 2, room: 6 },
    { kind: "sealed_none", ask: 1, room: 5 },
    { kind: "sealed_done", ask: 77 },
    { kind: "sealed_back", room: 6, handle },
    { kind: "sealed_back", room: 99, handle },
  );
  assert.deepEqual(team.received, [{ kind: "sealed_none", ask: 1, room: 5 }]);
  assert.deepEqual(other.received, [
    { kind: "sealed_none", ask: 1, room: 6 },
    { kind: "sealed_back", room: 6, handle },
  ]);
  story.chat.end();
});

Deno.test("over an outage nothing is asked of the engine twice, and the room is brought online again", async () => {
  const [before, after] = [nameless(), nameless()];
  const story = await sealedChat(before, after);
  first(story).enter("bob");
  await story.console.enter("said in time");
  await before.drop();
  await story.console.enter("said offline");
  for (let second = 0; second < 5; second++) await story.clock.pass(1_000);
  const kinds = first(story).handled.map((request) =>
    request.kind === "say" ? request.text : request.kind
  );
  assert.deepEqual(kinds, ["online", "said in time", "offline", "said offline", "online"]);
  first(story).tell({ kind: "done", request: 1 });
  first(story).tell({ kind: "declined", request: 2, why: "Not sent: bob has another key." });
  assert.match(story.console.printed.join("\n"), /bob has another key/);
  await turns();
  assert.match(story.console.printed.join("\n"), /Not delivered: "said offline"/);
  story.chat.end();
});

Deno.test("a file goes through the engine in both directions, once somebody wants it, and so do the answers", async () => {
  const story = await mixedChat();
  const engine = first(story);
  engine.enter("bob");
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "a small file");
  try {
    await story.console.enter(`/send ${path}`);
    await until(() => engine.handled.at(-1)?.kind === "offer");
    const offer = engine.handled.at(-1) as Extract<SealedRoomRequest, { kind: "offer" }>;
    engine.tell({ kind: "done", request: offer.request });
    const bob = { client: 2, name: "bob", file: offer.file };
    engine.tell({ kind: "pull", ...bob, index: 0, count: 1 });
    await until(() => engine.handled.at(-1)?.kind === "part");
    const part = engine.handled.at(-1) as Extract<SealedRoomRequest, { kind: "part" }>;
    assert.deepEqual([part.to, new TextDecoder().decode(part.data)], [[2], "a small file"]);
    engine.tell({ kind: "taken", file: offer.file, index: 0 });
    assert.doesNotMatch(story.console.printed.join("\n"), /Sent /);
    engine.tell({ kind: "receipt", ...bob, state: "saved" });
    await until(() => /Sent .*: bob saved it/.test(story.console.printed.join("\n")));
    const { name, size, hash } = offer;
    const offered = (id: string) => {
      const file = { id, name, size, chunks: 1, hash, folder: false };
      engine.tell({ kind: "file", client: 2, name: "bob", time: 0, file, to: 0 });
    };
    offered("aa");
    assert.equal(engine.handled.at(-1)?.kind, "part", "nothing is fetched unasked");
    await story.console.enter("/reject");
    const refusal = { kind: "receipt", client: 2, file: "aa", state: "refused" } as const;
    assert.deepEqual(engine.handled.at(-1), refusal);
    offered("bb");
    story.chat.transfers.accept();
    await until(() => engine.handled.at(-1)?.kind === "pull");
    const pull = { kind: "pull", client: 2, file: "bb", index: 0, count: 1 } as const;
    assert.deepEqual(engine.handled.at(-1), pull);
    assert.deepEqual(story.session.sent, []);
  } finally {
    await Deno.remove(path);
    await story.chat.transfers.dispose();
    story.chat.end();
  }
});

async function until(fits: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !fits(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(fits());
}

Deno.test("/code tells the code, and in a plain room that there is none", async () => {
  const story = await mixedChat();
  await story.console.enter("/code");
  assert.match(story.console.printed.at(-1) ?? "", /"team" now, 1 member: 12345 67890 12345/);
  await story.console.enter("/switch lobby", "/code");
  assert.match(story.console.printed.join("\n"), /"lobby" is not sealed; the server can read it/);
  story.chat.end();
});

Deno.test("/rekey makes a new room and tells the old one; a member follows it", async () => {
  const story = await sealedChat();
  const engine = first(story);
  engine.enter("bob");
  const other = new Uint8Array(32).fill(8);
  await story.console.enter("/rekey follow");
  assert.match(story.console.printed.join("\n"), /nobody in this room has created a new link/);
  engine.tell({ kind: "moved", client: 2, name: "bob", secret: other });
  assert.match(story.console.printed.join("\n"), /bob has made a new link for "team"/);
  await story.console.enter("/rekey follow");
  assert.deepEqual(story.engines[1]?.options.secret, other);
  assert.equal(story.chat.room.title, "team-sealed");
  await story.console.enter("/rekey");
  story.engines[1]?.enter();
  await turns();
  const third = story.engines[2];
  const isTold = () => story.engines[1]?.handled.some(({ kind }) => kind === "move");
  assert.equal(isTold(), false, "nobody else is to be there first");
  third?.enter();
  await turns();
  const secretOfThird = third?.options.secret;
  assert.deepEqual(story.engines[1]?.handled.at(-1), {
    kind: "move",
    request: 1,
    secret: secretOfThird,
  });
  const shown = () => story.console.printed.join("\n");
  assert.match(shown(), /cmdchat:/);
  assert.doesNotMatch(shown(), /were told/, "not before it is so");
  story.engines[1]?.tell({ kind: "done", request: 1 });
  await turns();
  assert.match(shown(), /Nobody else was in "team-sealed": there was nobody to tell/);
  story.chat.end();
});

Deno.test("/rekey says why the members were not told, in the words of whoever refused it", async () => {
  const story = await sealedChat();
  first(story).enter("bob");
  await story.console.enter("/rekey");
  story.engines[1]?.enter();
  await turns();
  const why = "Not sent: bob may be somebody else.";
  first(story).tell({ kind: "declined", request: 1, why });
  await turns();
  const last = story.console.printed.at(-1) ?? "";
  assert.equal(
    last,
    'error: The members of "team" were not told of the new link: bob may be somebody else\n' +
      "hint: send them the new link yourself",
  );
  story.chat.end();
});

Deno.test("/rekey says that the members were told where they were, and that they were not where the room is left", async () => {
  const story = await sealedChat();
  const last = () => story.console.printed.at(-1) ?? "";
  first(story).enter("bob");
  await story.console.enter("/rekey");
  story.engines[1]?.enter();
  await turns();
  first(story).tell({ kind: "done", request: 1 });
  await turns();
  assert.match(last(), /The members of "team" were told. Leave that room once they are here/);
  await story.console.enter("/switch team", "/rekey", "/switch team", "/leave");
  first(story).tell(statusOf({ phase: "out" }));
  story.engines[2]?.enter();
  await turns();
  assert.match(story.console.printed.at(-3) ?? "", /cmdchat:/, "the link is there all the same");
  assert.match(
    last(),
    /The members of "team" were not told of the new link: you are not in "team" any more\nhint: send/,
  );
  await story.console.enter("/switch team-sealed", "/rekey");
  story.engines[1]?.enter("bob");
  story.engines[3]?.enter();
  await turns();
  await story.console.enter("/switch team-sealed", "/leave");
  story.engines[1]?.tell(statusOf({ phase: "out" }));
  await turns();
  assert.match(last(), /Perhaps the members of "team-sealed" were not told/);
  story.chat.end();
});

Deno.test("/rekey in a room that we are not in makes no room and no link, and says so to a program too", async () => {
  const story = await sealedChat();
  const { chat, clock } = story;
  first(story).enter("bob");
  first(story).tell(statusOf({ phase: "out" }));
  const context = contextOf({ chat, downloads: false, clock }, () => {});
  const why = /^UsageError: Cannot make a new link for "team": you are not in it/;
  await assert.rejects(deliver("/rekey", context, { clock }), why);
  first(story).options.fail(new Error("no memory"));
  await assert.rejects(deliver("/rekey", context, { clock }), why);
  assert.equal(story.engines.length, 1);
  chat.end();
});

Deno.test("/rekey of a program waits until it is in, and fails where the members were not told", async () => {
  const story = await sealedChat();
  const { chat, clock } = story;
  const context = contextOf({ chat, downloads: false, clock }, () => {});
  const refused = deliver("/rekey", context, { clock });
  await turns();
  assert.equal(story.engines.length, 1, "not before we are in");
  first(story).enter("bob");
  await turns();
  first(story).tell(statusOf({ phase: "catching up" }));
  story.engines[1]?.enter();
  await turns();
  const shown = () => story.console.printed.join("\n");
  assert.match(shown(), /members of "team" are told as soon as you are back there/);
  first(story).tell({ kind: "declined", request: 1, why: "no" });
  await assert.rejects(
    refused,
    /^RefusalError: The members of "team" were not told of the new link: no$/,
  );
  const lost = deliver("/rekey", context, { clock, room: "team" });
  await turns();
  story.engines[2]?.enter();
  await turns();
  first(story).options.fail(new Error("no memory"));
  await assert.rejects(lost, /^ConnectionError: Perhaps the members of "team" were not told/);
  chat.end();
});

Deno.test("/join LINK leads into the link's room on this server, and nowhere else", async () => {
  const story = await mixedChat();
  const link = (parts: Partial<InviteLink>) =>
    formatLink({ host: "127.0.0.1", port: 5050, tls: false, room: "den", fingerprint, ...parts });
  await story.console.enter(`/join ${link({ secret })}`);
  assert.deepEqual(story.engines[1]?.options.secret, secret);
  assert.equal(story.chat.room.title, "den");
  await story.console.enter(`/join ${link({ secret })}`, `/join ${link({ room: "kitchen" })}`);
  assert.equal(story.engines.length, 2, "it is there already");
  assert.deepEqual(story.session.sent.map((request) => "title" in request && request.title), [
    "kitchen",
  ]);
  const other = ("SHA256:" + "A".repeat(43)) as never;
  await story.console.enter(
    `/join ${link({ secret, port: 5051 })}`,
    `/join ${link({ secret, fingerprint: other })}`,
  );
  assert.match(story.console.printed.join("\n"), /it leads to another server/);
  assert.match(story.console.printed.join("\n"), /expects another server at this address/);
  assert.equal(story.engines.length, 2);
  story.chat.end();
});

Deno.test("/leave tells the engine, and the room goes when it is out", async () => {
  const story = await mixedChat();
  await story.console.enter("/leave");
  assert.equal(first(story).handled.at(-1)?.kind, "leave");
  assert.equal(first(story).closed, false);
  first(story).tell(statusOf({ phase: "out" }));
  assert.equal(first(story).closed, true);
  assert.deepEqual(story.chat.rooms.titles, ["lobby"]);
  story.chat.end();
});

Deno.test("an engine that breaks is told, and the program goes on", async () => {
  const story = await mixedChat();
  first(story).options.fail(new Error("The sealed room has stopped: no memory"));
  assert.match(story.console.printed.join("\n"), /"team" cannot continue: .* no memory/);
  await story.console.enter("/switch lobby", "still here");
  assert.equal(story.session.sent.length, 1);
  await story.console.enter("/switch team", "/leave");
  assert.deepEqual(story.chat.rooms.titles, ["lobby"]);
  story.chat.end();
});

Deno.test("whatever is typed into a room whose engine has stopped is answered, also what was on its way", async () => {
  const story = await mixedChat();
  const { console } = story;
  const engine = first(story);
  engine.tell(statusOf({ people: [personOf(1, "alice"), personOf(2, "bob")] }));
  await console.enter("on its way", "/me is on its way");
  const handled = engine.handled.length;
  console.printed.length = 0;
  engine.options.fail(new Error("The sealed room has stopped: no memory"));
  await turns();
  const [about, ...lost] = console.printed;
  assert.match(about ?? "", /"team" cannot continue: .* no memory\n.*\/leave it, and join again/);
  assert.deepEqual(lost.map((line) => line.split("\n")[0]), [
    'warning: Perhaps not delivered: "on its way"',
    'warning: Perhaps not done: "/me is on its way"',
  ]);
  const why =
    "* Not sent: The sealed room has stopped: no memory. To go on, /leave the room, and " +
    "join again by its link.";
  const typed = ["/me waves", "/msg bob hi", "/topic new", "/rename x", "/kick bob", "/lock"];
  for (const text of typed) {
    console.printed.length = 0;
    await console.enter(text);
    await turns();
    assert.ok(console.printed.length > 0, text);
    if (text !== "/rename x") assert.deepEqual(console.printed, [why], text);
  }
  console.printed.length = 0;
  await console.enter("hello?");
  await turns();
  assert.deepEqual(console.printed, [
    why,
    'warning: Not delivered: "hello?"\nhint: the up key brings it back',
  ]);
  assert.equal(engine.handled.length, handled, "nothing was asked of it");
  assert.doesNotMatch(console.status, /unsent|unanswered/);
  await story.chat.sealed.flushed();
  story.chat.end();
});

Deno.test("what waits for its turn when the engine stops is given back with the reason, commands too", async () => {
  const rate = { messages: 1, seconds: 5 };
  const story = await sealedChat(new FakeSession({ challenge, fingerprint, rooms: 0, rate }));
  const { console, chat } = story;
  first(story).enter("bob");
  await console.enter("left", "waits", "/topic waits", "/me waits", "/kick bob", "/rekey");
  story.engines[1]?.enter();
  await turns();
  console.printed.length = 0;
  first(story).options.fail(new Error("no memory"));
  await turns();
  const why = "no memory. To go on, /leave the room, and join again by its link";
  assert.deepEqual(
    console.printed.slice(1).sort(),
    [
      'warning: Perhaps not delivered: "left"\nhint: the up key brings it back',
      `warning: Not delivered: "waits": ${why}\nhint: the up key brings it back`,
      `warning: Not done: "/topic waits": ${why}`,
      `warning: Not done: "/me waits": ${why}`,
      `warning: Not done: "/kick bob": ${why}`,
      `error: The members of "team" were not told of the new link: ${why}\n` +
      "hint: send them the new link yourself",
    ].sort(),
  );
  chat.end();
});

Deno.test("what waits for its turn when the room is left is given back with the reason", async () => {
  const rate = { messages: 1, seconds: 5 };
  const story = await sealedChat(new FakeSession({ challenge, fingerprint, rooms: 0, rate }));
  const { console, chat } = story;
  first(story).enter("bob");
  await console.enter("left", "/topic waits", "/leave");
  console.printed.length = 0;
  first(story).tell(statusOf({ phase: "out" }));
  await turns();
  assert.match(
    console.printed.join("\n"),
    /Not done: "\/topic waits": you are not in "team" any more/,
  );
  chat.end();
});

Deno.test("/code and /names of a room that we are not in any more do not pass for its present state", async () => {
  const story = await sealedChat();
  const { console, chat } = story;
  first(story).enter("bob");
  first(story).tell(statusOf({ phase: "catching up", people: [personOf(1, "alice")] }));
  await console.enter("/code");
  assert.match(
    console.printed.at(-1) ?? "",
    /^error: Cannot show the code: you are not in "team" now/,
  );
  first(story).options.fail(new Error("no memory"));
  await console.enter("/code", "/names");
  assert.match(console.printed.at(-2) ?? "", /^error: Cannot show the code/);
  assert.equal(console.printed.at(-1), '- Not in it now; last seen in "team": alice');
  chat.end();
});

Deno.test("the link of a room whose engine has stopped leads into it again, without leaving it before", async () => {
  const story = await sealedChat();
  first(story).enter("bob");
  first(story).options.fail(new Error("no memory"));
  const link = { host: "127.0.0.1", port: 5050, tls: false, room: "team", fingerprint, secret };
  await story.console.enter(`/join ${formatLink(link)}`);
  story.engines[1]?.enter("bob");
  assert.deepEqual(story.chat.rooms.titles, ["team"]);
  assert.doesNotMatch(story.console.printed.join("\n"), /You are in no room now/);
  await story.console.enter("back again");
  assert.equal(story.engines[1]?.handled.at(-1)?.kind, "say");
  story.chat.end();
});

Deno.test("whose program breaks the protocol is told by a name that /ignore and /kick take", async () => {
  const story = await sealedChat();
  const { console, chat } = story;
  const engine = first(story);
  engine.enter("bob", "b o b");
  const broken = (name: string) =>
    engine.tell({ kind: "note", level: "warning", text: "It cannot be read.", of: name });
  broken("b o b");
  assert.equal(
    console.printed.at(-1),
    'warning: team: It cannot be read.\nhint: if it goes on: /ignore "b o b" hides it; ' +
      'members who moderate the room can /kick "b o b"',
  );
  await console.enter('/ignore "b o b"');
  const lines = console.printed.length;
  broken("b o b");
  assert.equal(console.printed.length, lines);
  broken("bob");
  assert.equal(console.printed.length, lines + 1);
  chat.end();
});

Deno.test("a line for a sealed room that lets nobody in is told to wait", async () => {
  const story = await sealedChat();
  first(story).tell(statusOf({ phase: "out" }));
  await story.console.enter("is anybody there?");
  assert.match(
    story.console.printed.at(-1) ?? "",
    /^- Not yet sent: ".*" waits until you are in this room/,
  );
  story.chat.end();
});

Deno.test("of two refusals at once each tells its own reason, in a sealed room as in a plain one", async () => {
  const story = await mixedChat();
  const { chat, clock } = story;
  const context = contextOf({ chat, downloads: false, clock }, () => {});
  const run = (line: string, room: string) => deliver(line, context, { clock, room });
  const told = Promise.allSettled(["lobby", "team"].flatMap((room) => [
    run("one", room),
    run("two", room),
  ])).then((all) => all.map((one) => one.status === "rejected" && String(one.reason.message)));
  await turns();
  for (const id of [2, 1]) {
    const declined = { kind: "declined", why: `Not sent: plain ${id}.` } as const;
    handleEvent(chat, { ...declined, id });
    first(story).tell({ kind: "declined", why: `Not sent: sealed ${id}.`, request: id });
  }
  assert.deepEqual(await told, [
    'Not delivered: "one": plain 1',
    'Not delivered: "two": plain 2',
    'Not delivered: "one": sealed 1',
    'Not delivered: "two": sealed 2',
  ]);
  chat.end();
});

Deno.test("no link leads to a room that is not made yet, and a program hears why it was not", async () => {
  const { engines, openEngine } = fakeEngines();
  const { chat, clock, console } = await startChat([sessionWith("lobby")], { openEngine });
  const context = contextOf({ chat, downloads: false, clock }, () => {});
  const run = (line: string) => deliver(line, context, { clock });
  const failed = assert.rejects(run("/seal team"), /Not done: "\/seal team": no memory$/);
  await assert.rejects(run("/invite"), /you are not in "team" yet/);
  engines[0]?.options.fail(new Error("no memory"));
  await failed;
  assert.match(console.printed.join("\n"), /\/leave it, and make another one/);
  await run("/leave");
  const made = run("/seal team");
  await turns();
  engines[1]?.enter();
  await made;
  assert.equal(console.printed.filter((line) => line.includes("secret=")).length, 1);
  await run("/invite");
  chat.end();
});

Deno.test("a room that the server does not make ends no program: /seal alone fails, and the room is gone", async () => {
  const { engines, openEngine } = fakeEngines();
  const session = sessionWith("lobby");
  const { chat, clock } = await startChat([session], { openEngine, alarms: "stop" });
  const context = contextOf({ chat, downloads: false, clock }, () => {});
  const failed = assert.rejects(
    deliver("/seal team", context, { clock }),
    /^RefusalError: Not done: "\/seal team": at most 8$/,
  );
  await turns();
  engines[0]?.tell({ kind: "shut", text: "The server does not let you in", why: "at most 8" });
  await failed;
  assert.deepEqual(chat.rooms.titles, ["lobby"]);
  assert.equal(chat.finish.over, false);
  chat.end();
});

Deno.test("a server of the old protocol has no sealed rooms, and is told nothing", async () => {
  const session = new FakeSession({ isV1: true, rooms: 0 });
  const story = await sealedChat(session);
  assert.match(story.console.printed.join("\n"), /this server speaks the old protocol only/);
  assert.deepEqual(first(story).handled, []);
  story.chat.end();
});

Deno.test("/rekey again and again makes rooms that are told apart, with links of one name", async () => {
  const story = await sealedChat();
  first(story).enter();
  for (let n = 1; n <= 3; n++) {
    await story.console.enter("/rekey");
    story.engines[n]?.enter();
    await turns();
  }
  assert.deepEqual(story.chat.rooms.titles, [
    "team",
    "team-sealed",
    "team-sealed-3",
    "team-sealed-4",
  ]);
  const links = story.console.printed.filter((line) => line.includes("cmdchat://"));
  assert.equal(links.length, 3);
  for (const link of links) assert.match(link, /cmdchat:\/\/[^/]+\/team#/);
  story.chat.end();
});

Deno.test("while a sealed room has too much to work off, the chat reads no more", async () => {
  const story = await sealedChat();
  const engine = first(story);
  const worked = Promise.withResolvers<void>();
  engine.caughtUp = worked.promise;
  const printed = () => story.console.printed.join("\n");
  await story.session.deliver({ kind: "notice", room: 0, text: "the last" });
  await story.session.deliver({ kind: "notice", room: 0, text: "held back" });
  await turns();
  assert.match(printed(), /the last/);
  assert.doesNotMatch(printed(), /held back/);
  engine.caughtUp = undefined;
  worked.resolve();
  await turns();
  assert.match(printed(), /held back/);
  story.chat.end();
});
