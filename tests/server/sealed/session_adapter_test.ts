import assert from "node:assert/strict";
import { PACE_BURST, PACE_PARTS } from "../../../server/config/limits.ts";
import { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import { RequestBudget } from "../../../server/limits/request_budget.ts";
import { Attachments } from "../../../server/sealed/attachments.ts";
import { adaptSession } from "../../../server/sealed/session_adapter.ts";
import { attachProofs, deriveRoomKeys } from "../../../client/mls/room_keys.ts";
import { generateSignatureKeys } from "../../../client/mls/cipher_suite.ts";
import type { Event, RequestOf } from "../../../shared/messages/messages_v2.ts";
import { configOf } from "../../helpers/peers/relay.ts";
import { openRooms } from "../../helpers/peers/sealed_room.ts";

Deno.test("chunks of a sealed file pay for the questions of whoever gets them, and frames do not", () => {
  const requestBudget = new RequestBudget(0);
  const session = adaptSession({
    address: "192.0.2.1",
    deliver() {},
    close() {},
    rateLimit: undefined,
    requestBudget,
    host: { config: configOf(), counters: { rateLimited: 0 } },
  });
  const from = new Uint8Array(16);
  const body = new Uint8Array(100);
  const chunk = new EncodedEvent({ kind: "sealed_chunk", room: 1, from, body }, "");
  const other = new EncodedEvent({ kind: "pong" }, "");
  for (let n = 0; n <= PACE_BURST; n++) session.spendPace();
  for (let n = 0; n < PACE_PARTS; n++) session.deliver(other);
  assert.ok(requestBudget.wait(0) > 0);
  for (let n = 0; n < PACE_PARTS; n++) session.deliver(chunk);
  assert.equal(requestBudget.wait(0), 0);
});

Deno.test("a session is in eight sealed rooms and no more, until it leaves one, and a room that it may not enter is not kept", () => {
  const { rooms } = openRooms();
  const told: Event[] = [];
  const session = new Attachments({
    address: "192.0.2.1",
    deliver: ({ event }) => void told.push(event),
    takeMessage: () => 0,
    takeGroupWork: () => 0,
    spendPace() {},
    takesFiles: true,
    close() {},
  }, rooms);
  const challenge = new Uint8Array(32);
  session.proveBy(challenge);
  const handleKeys = generateSignatureKeys();
  const attach = (n: number) => {
    const keys = deriveRoomKeys(new Uint8Array(32).fill(n));
    const proofs = attachProofs(keys, { handleKeys, challenge });
    const nothing = { epoch: 0, seq: 0, member: false };
    const request = {
      kind: "sealed_attach",
      ask: n,
      rid: keys.rid,
      ...proofs,
      ...nothing,
    } as const;
    session.handle(request as RequestOf<"sealed_attach">);
    return told.at(-1);
  };
  for (let n = 1; n <= 8; n++) assert.equal(attach(n)?.kind, "sealed_none");
  const refused = attach(9);
  assert.match(refused?.kind === "sealed_declined" ? refused.why : "", /at most 8 sealed ones/);
  assert.deepEqual([session.size, rooms.size], [8, 8]);
  assert.equal(attach(8)?.kind, "sealed_none", "one where it is already");
  session.handle({ kind: "sealed_leave", ask: 10, room: 1 });
  assert.equal(attach(9)?.kind, "sealed_none");
});
