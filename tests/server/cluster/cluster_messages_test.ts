import assert from "node:assert/strict";
import { encode } from "cborg";
import {
  type ClusterMessage,
  decodeClusterMessage,
  encodeClusterMessage,
} from "../../../server/cluster/cluster_messages.ts";

const TICKET = new Uint8Array(16).fill(1);

Deno.test("every message comes back as it was sent, with the number of its server", () => {
  const messages: ClusterMessage[] = [
    { kind: "alive" },
    { kind: "bye" },
    { kind: "hello" },
    { kind: "who", to: 3, sign: TICKET },
    { kind: "here", sign: TICKET, identity: "fingerprint" },
    { kind: "introduced" },
    {
      kind: "session",
      ticket: TICKET,
      digests: [new Uint8Array(32), new Uint8Array(32)],
      client: 2 ** 52,
    },
    { kind: "ended", ticket: TICKET },
    { kind: "take", question: 1, ticket: TICKET, digest: new Uint8Array(32) },
    { kind: "kept", question: 1 },
    { kind: "barred", ticket: TICKET, source: "192.0.2.7", digests: [new Uint8Array(32)] },
    { kind: "given", question: 1, request: 7, mail: [["den", new Uint8Array([1])]] },
    { kind: "unsettled", ticket: TICKET, open: [5, 7], declined: [[6, "Cannot send it"]] },
    { kind: "room_asked", question: 2, title: "den" },
    { kind: "room_known", question: 2, hasMembers: true },
    { kind: "place", host: "chat1.example.org", port: 5050, members: 7, takes: true },
    {
      kind: "direct",
      question: 1,
      title: "den",
      client: 1,
      name: "ann",
      time: 1,
      to: 2,
      toName: "bob",
      request: 3,
      text: "psst",
    },
    { kind: "directed", question: 1 },
    { kind: "sealed_home", rid: TICKET },
    { kind: "sealed_end", rid: TICKET },
    {
      kind: "sealed_ask",
      to: 3,
      peer: 4,
      source: "2001:db8::/64",
      challenge: new Uint8Array(32),
      request: new Uint8Array(5),
    },
    { kind: "sealed_lost", to: 3, peer: 4, left: true },
    { kind: "sealed_tell", to: 3, peer: 4, event: new Uint8Array(5) },
    { kind: "sealed_again", to: 3, peer: 4 },
    { kind: "banned", network: "192.0.2.0/24", until: 2 ** 52 },
    { kind: "unbanned", network: "192.0.2.0/24" },
    { kind: "departed", title: "den", source: "192.0.2.7", mutedUntil: 3, mutedAt: 1, spokeAt: 2 },
    { kind: "room_banned", title: "den", source: "2001:db8::/64", until: 2 ** 52 },
    { kind: "room_unbanned", title: "den" },
    { kind: "announced", text: "back at noon" },
    { kind: "expel", question: 1, client: 2 ** 52 },
    { kind: "expelled", question: 1, address: "192.0.2.7" },
  ];
  for (const message of messages) {
    const sent = { slot: 5, number: 2 ** 40, message };
    assert.deepEqual(decodeClusterMessage(encodeClusterMessage(sent)), sent);
  }
});

Deno.test("what another version says is passed over", () => {
  for (
    const wrong of [
      [5, 1, 99],
      [5, 1, 0, 1],
      [5, 1, 6, 3],
      ["5", 1, 0],
      [5, "1", 0],
      [5, -1, 0],
      [
        5,
      ],
      [],
      [5, 1, "0"],
      [5, 1, null],
      [5, 1, ""],
    ]
  ) {
    assert.equal(decodeClusterMessage(encode(wrong)), undefined);
  }
});

Deno.test("a place that no client would take is passed over", () => {
  const place = { kind: "place", port: 5050, members: 7, takes: true } as const;
  const comes = (changes: { readonly host: string; readonly port?: number }) => {
    const message: ClusterMessage = { ...place, ...changes };
    return decodeClusterMessage(encodeClusterMessage({ slot: 5, number: 1, message })) !==
      undefined;
  };
  assert.ok(comes({ host: "a".repeat(253) }));
  assert.ok(!comes({ host: "a".repeat(254) }));
  assert.ok(!comes({ host: "" }));
  assert.ok(!comes({ host: "chat.example.org\x1b[2J" }));
  assert.ok(!comes({ host: "chat.example.org", port: 65_536 }));
});
