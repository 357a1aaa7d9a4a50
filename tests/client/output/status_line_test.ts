// What of the status line is left where the terminal is narrow, judged as text at 20, 40, 80 and 200 columns.
import assert from "node:assert/strict";
import { JoinedRooms } from "../../../client/rooms/joined_rooms.ts";
import { type StatusFacts, statusLine, titleText } from "../../../client/output/status_line.ts";
import { fitStatus, wholeStatus } from "../../../client/console/status_fit.ts";
import { Style } from "../../../client/terminal/style.ts";
import { textWidth } from "../../../client/terminal/width.ts";

/** Rooms by title, unread and mentions; the first one is the current one. */
function roomsOf(...states: readonly (readonly [string, number?, number?])[]): JoinedRooms {
  const rooms = new JoinedRooms();
  for (const [title, unread = 0, mentions = 0] of states) {
    Object.assign(rooms.add(title, "alice"), { unread, mentions });
  }
  return rooms;
}

function lines(rooms: JoinedRooms, fields: Partial<StatusFacts> = {}): Record<number, string> {
  const status: StatusFacts = {
    rooms,
    name: "alice",
    connected: true,
    connection: "connected",
    delayMs: 12,
    isProven: true,
    typing: [],
    unsent: 0,
    overdue: 0,
    ...fields,
  };
  const parts = statusLine(status, new Style("none"));
  const widths = [20, 40, 80, 200];
  const shown = widths.map((columns) => [columns, fitStatus(parts, columns - 1)] as const);
  for (const [columns, line] of shown) assert.ok(textWidth(line) < columns, line);
  assert.equal(shown.at(-1)?.[1], wholeStatus(parts));
  return Object.fromEntries(shown);
}

const BUSY = roomsOf(["lobby"], ["ops", 12], ["dev", 5, 1], ["kitchen", 3]);

Deno.test("in a narrow terminal the status line keeps mentions, what is unread and who can read", () => {
  assert.deepEqual(lines(BUSY), {
    20: "3:dev 5! · 2 unread",
    40: "server can read · 3:dev 5! · 2 unread",
    80: "1:lobby · alice · server can read · 3:dev 5! · 2:ops 12 · 4:kitchen 3",
    200: "1:lobby · alice · server can read · connected 12 ms · 3:dev 5! · 2:ops 12 · 4:kitchen 3",
  });
  assert.deepEqual(lines(roomsOf(["lobby"])), {
    20: "server can read",
    40: "lobby · alice · server can read",
    80: "lobby · alice · server can read · connected 12 ms",
    200: "lobby · alice · server can read · connected 12 ms",
  });
});

Deno.test("in a narrow terminal a lost or slow link and messages that wait are seen before room and name", () => {
  const lost = {
    connected: false,
    connection: "reconnecting in 12 s…",
    delayMs: undefined,
    unsent: 3,
  };
  assert.deepEqual(lines(roomsOf(["lobby"], ["dev", 5, 1]), lost), {
    20: "offline · 2:dev 5!",
    40: "1:lobby · offline · 2:dev 5! · 3 unsent",
    80: "1:lobby · alice · server can read · reconnecting in 12 s… · 2:dev 5! · 3 unsent",
    200: "1:lobby · alice · server can read · reconnecting in 12 s… · 2:dev 5! · 3 unsent",
  });
  const slow = lines(roomsOf(["lobby"]), { delayMs: 1_500, typing: ["bob"] });
  assert.equal(slow[20], "connected 1.5 s");
  assert.equal(slow[40], "server can read · connected 1.5 s");
  assert.equal(slow[80], "lobby · alice · server can read · connected 1.5 s · bob is typing");
});

Deno.test("in a narrow terminal what is wrong with a sealed room is said in fewer words, not left out", () => {
  const rooms = new JoinedRooms();
  const room = rooms.addSealed("team", "alice", "sealed 1");
  const people = ["alice", "bob"].map((name) => ({ name })) as never;
  room.seal = { phase: "in", confirmed: false, people } as never;
  assert.equal(lines(rooms)[20], "sealed, unconfirmed");
  assert.equal(lines(rooms)[40], "team · sealed, nobody has confirmed you");
  room.seal = { phase: "out" } as never;
  assert.equal(lines(rooms)[20], "team · not in it");
});

Deno.test("the status line of many busy rooms says how many there are beyond those that it names", () => {
  const many = Array.from({ length: 9 }, (_, n) => [`team-number-${n}`, n + 1, 1] as const);
  const shown = lines(roomsOf(["lobby"], ...many));
  assert.equal(shown[20], "alice · 9 name you");
  assert.equal(shown[40], "1:lobby · server can read · 9 name you");
  assert.match(shown[200] ?? "", / · 7:team-number-5 6! · 3 more$/);
});

Deno.test("fitStatus() shows the part of the highest priority even if it does not fit, and cuts no text", () => {
  const topmost = { priority: 2, forms: ["longest", "longer"] };
  const first = { priority: 1, forms: ["first"] };
  const shown = (isRequired: boolean, columns: number) =>
    fitStatus([{ ...first, isRequired }, topmost], columns);
  assert.equal(shown(false, 3), "longer");
  assert.equal(shown(false, 7), "longest");
  assert.equal(shown(false, 14), "longest");
  assert.equal(shown(true, 13), "longest");
  assert.equal(shown(true, 14), "first · longer");
  assert.equal(shown(false, 15), "first · longest");
  assert.equal(fitStatus("a text", 3), "a text");
});

Deno.test("a server that nothing proves is named beside who can read", () => {
  const shown = lines(roomsOf(["lobby"]), { isProven: false });
  assert.equal(shown[200], "lobby · alice · server can read · server not proven · connected 12 ms");
  assert.equal(shown[40], "server can read · server not proven");
});

Deno.test("a question about the server stays in a narrow terminal, where an outage is only named", () => {
  const asked = { connected: false, connection: "another server: /trust or /quit" };
  assert.match(lines(roomsOf(["lobby"]), asked)[20] ?? "", /another server/);
  const waiting = { connected: false, connection: "reconnecting in 30 s…" };
  assert.match(lines(roomsOf(["lobby"]), waiting)[20] ?? "", /offline/);
});

Deno.test("the title counts what is unread, with a mark where somebody named the user", () => {
  assert.equal(titleText({ rooms: roomsOf(["lobby"]) }), "lobby");
  assert.equal(titleText({ rooms: roomsOf(["den"], ["ops", 2]) }), "(2) den");
  assert.equal(titleText({ rooms: BUSY }), "(20!) lobby");
  assert.equal(titleText({ rooms: new JoinedRooms() }), "cmdchat");
});
