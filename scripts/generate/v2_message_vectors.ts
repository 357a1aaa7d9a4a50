// Vectors of message bodies (docs/PROTOCOL.md §7): one of each kind, its number and fields in the order of the tables.
// The few kinds of CBOR (RFC 8949) that bodies have are written here a second time.

import { Buffer } from "node:buffer";

type Value = number | string | boolean | null | Uint8Array | readonly Value[];
type Message = readonly [kind: string, body: readonly Value[]];

const bytes = (length: number, byte: number) => new Uint8Array(length).fill(byte);

const REQUESTS: readonly Message[] = [
  ["hello", [0, "bob", null, bytes(16, 9), bytes(32, 7), [["lobby", 4], ["dev", 0]]]],
  ["join", [1, 3, "kitchen"]],
  ["leave", [2, 4, 5]],
  ["chat", [3, 1, 5, "héllo 你好 👋", false, 2]],
  ["revise", [4, 6, 5, 2, null]],
  ["rename", [5, 2, "carol"]],
  ["direct", [6, 7, 2, "psst"]],
  ["topic", [7, 8, 5, "soup"]],
  ["status", [8, 9, "lunch"]],
  ["typing", [9, 5]],
  ["offer", [10, 5, 5, "f1", "a.txt", 5, 1, bytes(32, 7), 2, true]],
  ["chunk", [11, "f1", 0, Uint8Array.of(1, 2, 3), true]],
  ["ping", [12]],
  ["pong", [13]],
  ["bye", [14]],
  ["sealed_attach", [
    15,
    1,
    bytes(16, 9),
    bytes(32, 7),
    bytes(64, 5),
    bytes(32, 7),
    bytes(64, 6),
    true,
    3,
    70,
  ]],
  ["sealed_create", [16, 2, 1, 3, 70, [bytes(16, 4)]]],
  ["sealed_join", [17, 3, 1, false]],
  ["sealed_group_info", [18, 4, 1, 1, 3, bytes(284, 6)]],
  ["sealed_commit", [19, 5, 1, 3, [bytes(16, 4)], true, bytes(284, 6)]],
  ["sealed_app", [20, 6, 1, 4, bytes(284, 6)]],
  ["sealed_vote", [21, 7, 1, 71, true]],
  ["sealed_leave", [22, 8, 1]],
  ["sealed_pull", [23, 9, 1, bytes(16, 4), 32, bytes(284, 6)]],
  ["sealed_chunk", [24, 9, 1, [bytes(16, 4)], bytes(284, 6)]],
  ["sealed_check", [25, 10, 1, 2, true]],
  ["moderate", [26, 9, 5, "ban", 3, 60, "noise"]],
  ["pull", [27, 5, 2, "f1", 3, 32]],
  ["part", [28, [2, 3], "f1", 3, Uint8Array.of(1, 2, 3)]],
  ["receipt", [29, 5, 2, "f1", "saved"]],
  ["react", [30, 10, 5, 2, "👍", true]],
  ["pin", [31, 10, 5, 3, "bob", "soup is ready"]],
  ["bans", [32, 11, 5]],
  ["moving", [33]],
  ["invite", [34, 9, "kitchen", 1, 7200]],
  ["invites", [35, 9]],
  ["uninvite", [36, 9, 3]],
  ["backlog", [37, 12, 5, 20]],
  ["ask_proof", [38, 5, 2, bytes(32, 5)]],
  ["proof", [39, 5, 2, bytes(32, 6), bytes(64, 7)]],
];

const EVENTS: readonly Message[] = [
  ["welcome", [0, 1, bytes(16, 9), bytes(32, 7), false, 2, 4096, 10485760, 12, 5, 60, true]],
  ["refused", [1, "unauthorized"]],
  ["done", [2, 1]],
  ["declined", [3, 1, "too long"]],
  ["entered", [4, 1, 5, "kitchen", "bob-2", 8, false, "soup"]],
  ["members", [5, 5, [[1, "bob", "here", 1_790_000_000_000, null], [
    2,
    "amy",
    "old",
    1_790_000_000_000,
    "lunch",
  ]], false]],
  ["chat", [6, 5, 3, 2, "bob", 1_790_000_000_000, 1, 1, "hi", true, 0]],
  ["revised", [7, 5, 3, 2, "bob", 1_790_000_000_000, 1, 1, "ho"]],
  ["joined", [8, 5, 3, 2, "bob", 1_790_000_000_000, true]],
  ["left", [9, 5, 3, 2, "bob", 1_790_000_000_000]],
  ["renamed", [10, 5, 3, 2, "bob", 1_790_000_000_000, "rob"]],
  ["away", [11, 5, 3, 2, "bob", 1_790_000_000_000]],
  ["back", [12, 5, 3, 2, "bob", 1_790_000_000_000]],
  ["topic", [13, 5, 3, 2, "bob", 1_790_000_000_000, "soup"]],
  ["status", [14, 5, 3, 2, "bob", 1_790_000_000_000, null]],
  ["typing", [15, 5, 2, "bob"]],
  ["direct", [16, 5, 2, "bob", 1_790_000_000_000, 1, "amy", 7, "psst"]],
  ["undelivered", [17, 5, 2, "bob", 1_790_000_000_000, 7]],
  ["offer", [18, 5, 2, "bob", 1_790_000_000_000, 1, "f1", "a.txt", 5, 1, bytes(32, 7), 2, true]],
  ["chunk", [19, 5, 2, "bob", 1_790_000_000_000, "f1", 0, Uint8Array.of(1, 2, 3), true]],
  ["notice", [20, 0, "mind the gap"]],
  ["closing", [21, "the server stops", true]],
  ["ping", [22]],
  ["pong", [23]],
  ["sealed_attached", [24, 1, 1, 3, 70, "messages", [[bytes(16, 4), true]]]],
  ["sealed_none", [25, 1, 1]],
  ["sealed_done", [26, 2]],
  ["sealed_declined", [27, 3, 1, "not now"]],
  ["sealed_conflict", [28, 4, 4, 71]],
  ["sealed_stale", [29, 5, 4]],
  ["sealed_group_info", [30, 3, 4, bytes(284, 6)]],
  ["sealed_group_info_please", [31, 1, 1, 4]],
  ["sealed_frame", [
    32,
    1,
    72,
    "app",
    4,
    bytes(16, 4),
    6,
    1_790_000_000_000,
    bytes(32, 7),
    bytes(284, 6),
  ]],
  ["sealed_void", [33, 1, 71, 72, 3]],
  ["sealed_gone", [34, 1, bytes(16, 4), true]],
  ["sealed_back", [35, 1, bytes(16, 4)]],
  ["sealed_evict_please", [36, 1, [bytes(16, 4), bytes(16, 4)]]],
  ["sealed_pull", [37, 1, bytes(16, 4), 32, bytes(284, 6)]],
  ["sealed_chunk", [38, 1, bytes(16, 4), bytes(284, 6)]],
  ["sealed_check_please", [39, 1, 2, 4, bytes(16, 4), bytes(32, 7), bytes(284, 6)]],
  ["sealed_here", [40, 1, [bytes(16, 4)]]],
  ["sealed_guests", [41, 1, 2]],
  ["moderated", [42, 5, 3, 2, "bob", 1_790_000_000_000, 9, "ban", 3, "eve", 60, "noise"]],
  ["rules", [43, 5, 2, [3], true, 10, 3, 2, "bob", "soup is ready", 20]],
  ["taken", [44, "f1", 3]],
  ["pull", [45, 5, 2, "f1", 3, 32]],
  ["receipt", [46, 5, 2, "bob", 1_790_000_000_000, "f1", "refused"]],
  ["reacted", [47, 5, 3, 2, "bob", 1_790_000_000_000, 10, 1, "👍", false]],
  ["pinned", [48, 5, 3, 2, "bob", 1_790_000_000_000, 9, 3, 2, "bob", "soup is ready"]],
  ["bans", [49, 5, [[3, "eve", 1_790_000_000_000, "amy"]], false]],
  ["servers", [50, [["chat2.example.org", 5050], ["2001:db8::2", 443]]]],
  ["move", [51, "chat2.example.org", 5050]],
  ["invited", [52, 9, 3, "s3cret", 1, 1_790_000_000_000, ["chat.example.org", 5050]]],
  ["invites", [53, 9, [[3, "bob", "kitchen", 1, 1_790_000_000_000]]]],
  ["backlog", [54, 5, 3, 2, "bob", 1_790_000_000_000, 12, 20]],
  ["earlier", [55, 5, [[3, 2, "bob", 1_790_000_000_000, "soup is ready", false, 0]]]],
  ["proof_asked", [56, 5, 2, bytes(32, 5)]],
  ["proof", [57, 5, 2, bytes(32, 6), bytes(64, 7)]],
];

const MAJOR = { unsigned: 0, bytes: 2, text: 3, array: 4 } as const;
const SIMPLE = { false: 0xf4, true: 0xf5, null: 0xf6 } as const;
// Additional information: the length itself, or that it follows in 1, 2, 4 or 8 bytes.
const WIDTHS = [[0xff, 24, 2], [0xffff, 25, 4], [0xffff_ffff, 26, 8]] as const;

function head(major: number, count: number): string {
  const first = (low: number) => (major << 5 | low).toString(16).padStart(2, "0");
  if (count < 24) return first(count);
  const [, low, digits] = WIDTHS.find(([most]) => count <= most) ?? [0, 27, 16];
  return first(low) + count.toString(16).padStart(digits, "0");
}

function cbor(value: Value): string {
  if (typeof value === "number") return head(MAJOR.unsigned, value);
  if (typeof value === "boolean" || value === null) return SIMPLE[`${value}`].toString(16);
  if (typeof value === "string") {
    const text = Buffer.from(value);
    return head(MAJOR.text, text.length) + text.toString("hex");
  }
  if (value instanceof Uint8Array) {
    return head(MAJOR.bytes, value.length) + Buffer.from(value).toString("hex");
  }
  return head(MAJOR.array, value.length) + value.map(cbor).join("");
}

/** A value as JSON: bytes are `{ "bytes": hex }`. */
function json(value: Value): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString("hex") };
  return Array.isArray(value) ? value.map(json) : value;
}

/** A vector for each message of both directions, as a JSON value. */
export function makeMessageVectors(): Record<string, unknown> {
  const vectorsOf = (messages: readonly Message[]) =>
    messages.map(([kind, body]) => ({ kind, array: body.map(json), body: cbor(body) }));
  return { requests: vectorsOf(REQUESTS), events: vectorsOf(EVENTS) };
}
