import assert from "node:assert/strict";
import { UsageError } from "../../../shared/base/errors.ts";
import {
  ADMIN_COMMANDS,
  checkAdminRequest,
  readAdminRequest,
} from "../../../server/admin/admin_commands.ts";

function read(line: string, names = false) {
  return readAdminRequest(line === "" ? [] : line.split(" "), { names });
}

Deno.test("readAsk() reads every command, and the server takes what it makes", () => {
  const asks = [
    ["sessions", { command: "sessions", names: false }],
    ["rooms", { command: "rooms", names: false }],
    ["kick 12", { command: "kick", session: 12 }],
    ["ban 12 2h", { command: "ban", whom: 12, seconds: 7_200 }],
    ["ban 192.0.2.0/24", { command: "ban", whom: "192.0.2.0/24", seconds: 0 }],
    ["unban 2001:db8::1", { command: "unban", network: "2001:db8::1" }],
    ["bans", { command: "bans" }],
    ["notice back at noon", { command: "notice", text: "back at noon" }],
    ["close open:3", { command: "close", room: "open:3" }],
    ["drain", { command: "drain", on: true }],
    ["drain off", { command: "drain", on: false }],
    ["cluster", { command: "cluster" }],
  ] as const;
  assert.deepEqual(new Set(asks.map(([, { command }]) => command)), new Set(ADMIN_COMMANDS));
  for (const [line, ask] of asks) {
    assert.deepEqual(read(line), ask, line);
    assert.deepEqual(checkAdminRequest(JSON.parse(JSON.stringify(ask))), ask, line);
  }
  assert.deepEqual(read("rooms", true), { command: "rooms", names: true });
});

Deno.test("readAsk() refuses what is no command, or has too little, too much or something else behind it", () => {
  const wrong = [
    "",
    "frob",
    "toString",
    "sessions 1",
    "kick",
    "kick 0",
    "kick -1",
    "kick alice",
    "kick 1 2",
    "kick 99999999999999999",
    "ban",
    "ban 1 forever",
    "ban 1 31d",
    "ban 1 1h x",
    "unban",
    "notice",
    `notice ${"x".repeat(513)}`,
    `notice ${"ü".repeat(300)}`,
    "close",
    "drain on",
    `close ${"x".repeat(257)}`,
  ];
  for (const line of wrong) assert.throws(() => read(line), UsageError, line);
  const longest = "ü".repeat(256);
  assert.deepEqual(read(`notice ${longest}`), { command: "notice", text: longest });
});
