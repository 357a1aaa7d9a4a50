// The name of the hand-over's format follows its shape: whoever changes what one process tells the next is stopped here
// until the name is another one, so that processes of two versions refuse each other instead of misunderstanding.

import { decode, encode } from "cborg";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  decodeHandOver,
  encodeHandOver,
  HAND_OVER_FORMAT,
} from "../../../server/relay/hand_over_state.ts";
import { handOver } from "../../../server/relay/succession.ts";
import { SEALED_FORMAT } from "../../../server/sealed/room_contract.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import { decodeEvent } from "../../../shared/messages/codec_v2.ts";
import { makeRelay, seat } from "../../helpers/peers/relay.ts";
import { roomOf } from "../../helpers/peers/sealed_room.ts";

/** What a value is made of: keys, kinds and orders, and no content. `key`: under which it stands. */
function shapeOf(value: unknown, key = ""): string {
  if (value instanceof Uint8Array) {
    if (key === "view") return `cbor ${shapeOf(decode(value), "row")}`;
    if (key === "mail" || key === "event") return `event ${shapeOf(decodeEvent(value))}`;
    return "bytes";
  }
  if (Array.isArray(value)) {
    // The third of what a room remembers is the event; the others are known by their key.
    const shapes = value.map((one, n) =>
      shapeOf(one, key === "events" && n === 2 && !Array.isArray(one) ? "event" : key)
    );
    return `[${[...new Set(shapes)].sort().join("|")} ${isTuple(value) ? shapes.join() : ""}]`;
  }
  if (typeof value === "object" && value !== null) {
    const rows = Object.entries(value).sort(([one], [other]) => one < other ? -1 : 1);
    return `{${rows.map(([name, one]) => `${name}:${shapeOf(one, name)}`).join(",")}}`;
  }
  return value === null || value === undefined ? "nothing" : typeof value;
}

// One of values of several kinds has an order that matters; one of equal kinds is a list.
function isTuple(values: readonly unknown[]): boolean {
  const kinds = values.map((value) => value instanceof Uint8Array ? "bytes" : typeof value);
  return new Set(kinds).size > 1;
}

function nameOf(shape: string): string {
  return createHash("sha256").update(shape).digest("hex").slice(0, 8);
}

/** A relay that has something of each kind. */
async function fullState() {
  const args = ["--invites", "--backlog", "5", "--rate-limit", "off"];
  const relay = await makeRelay(args, { CMDCHAT_TOKENS: "one" });
  const names = ["ann", "bob", "dan", "eve"];
  const [ann, bob, dan, eve] = names.map((name, n) =>
    seat(relay, { name, address: `192.0.2.${n}` })
  );
  assert.ok(ann && bob && dan && eve);
  for (const { session } of [ann, bob, dan, eve]) relay.access.noteToken(session, "one");
  const room = ann.room();
  const moderate = { kind: "moderate", room, text: "" } as const;
  ann.ask({ kind: "topic", room, text: "tea" });
  bob.ask({ kind: "status", text: "lunch" });
  ann.ask({ kind: "chat", room, text: "hello", action: false, reply: 0 });
  const [chat] = ann.take("chat");
  assert.ok(chat);
  ann.ask({ kind: "react", room, sequence: chat.sequence, emoji: "👍", on: true });
  ann.ask({ kind: "pin", room, sequence: chat.sequence, authorName: "ann", text: "hello" });
  ann.ask({ ...moderate, what: "op", whom: bob.session.id, seconds: 0 });
  ann.ask({ ...moderate, what: "mute", whom: dan.session.id, seconds: 60 });
  ann.ask({ ...moderate, what: "ban", whom: eve.session.id, seconds: 60 });
  const hash = new Uint8Array(32);
  ann.ask({
    kind: "offer",
    room,
    to: 0,
    file: "f".repeat(32),
    filename: "a.txt",
    size: 5,
    chunks: 1,
    hash,
    folder: false,
  });
  relay.expire(dan.session);
  bob.session.loseConnection();
  relay.held.hold(bob.session, performance.now());
  ann.ask({ kind: "direct", to: bob.session.id, text: "for you" });
  ann.ask({ kind: "chat", room: 999, text: "nowhere", action: false, reply: 0 });
  relay.access.bans.snapshot = [["198.51.100.0/24", 0]];
  relay.expel(seat(relay, { name: "mal", address: "192.0.2.9" }).session, "enough");
  const { ticket } = ann.session;
  assert.ok(ticket);
  ann.session.renewTicket(ticket.secret);
  const { invite } = await relay.inviting.mint(ann.session, { title: "den", seconds: 60, uses: 2 });
  relay.access.noteInvite(bob.session, invite);
  const sealed = roomOf(3);
  sealed.members[0].app(2, "one");
  return { ...await handOver(relay), sealed: sealed.rooms.state };
}

Deno.test("what one process hands to the next has a name that follows its shape", async () => {
  const { sealed, ...rest } = await fullState();
  // A sample that lacks something would not notice a change of it.
  for (const [part, value] of [...Object.entries(rest), ...Object.entries(sealed)]) {
    if (Array.isArray(value) && part !== "closed") assert.ok(value.length > 0, `no ${part}`);
  }
  const shape = shapeOf(rest);
  for (const part of ["files:[[", "mail:[event", "declined:[[number", "former:[bytes"]) {
    assert.ok(shape.includes(part), `no ${part} in ${shape}`);
  }
  const { format: _, ...sealedParts } = sealed;
  const names = [`cmdchat hand-over ${nameOf(shape)}`, nameOf(shapeOf(sealedParts))];
  assert.deepEqual(
    [HAND_OVER_FORMAT, SEALED_FORMAT],
    names,
    "the shape is another: so is its name",
  );
});

Deno.test("another shape has another name: a part more, a part less, and another kind of value", () => {
  const shapes = [
    { a: 1, b: [[1, "x"]] },
    { a: 1 },
    { a: 1, b: [[1, "x"]], c: null },
    { a: "1", b: [[1, "x"]] },
    { a: 1, b: [["x", 1]] },
    { a: 1, b: [[1, "x", 1]] },
  ].map((value) => nameOf(shapeOf(value)));
  assert.equal(new Set(shapes).size, shapes.length);
  assert.equal(shapeOf({ b: [[2, "y"], [3, "z"]], a: 7 }), shapeOf({ a: 1, b: [[1, "x"]] }));
});

Deno.test("bytes of an older, a newer or no format at all are refused, and what they are is said", async () => {
  const state = { identity: "", relay: await fullState() };
  assert.deepEqual(Object.keys(decodeHandOver(encodeHandOver(state))).sort(), [
    "format",
    "identity",
    "relay",
  ]);
  const others = ["cmdchat hand-over 1", "cmdchat hand-over ffffffff", 7, undefined]
    .map((format) => encode({ ...state, format: format ?? null }));
  for (const bytes of [...others, encode([]), new Uint8Array(), new Uint8Array([255, 1, 2])]) {
    assert.throws(() => decodeHandOver(bytes), ConfigError);
    assert.throws(() => decodeHandOver(bytes), /hands over in another format/);
  }
});
