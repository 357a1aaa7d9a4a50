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

/** A session that is attached to nothing, and what it is told; `wait`: what the limit on a group's work says. */
function openSession(wait: () => number = () => 0) {
  const { rooms } = openRooms();
  const told: Event[] = [];
  const session = new Attachments({
    address: "192.0.2.1",
    deliver: ({ event }) => void told.push(event),
    takeMessage: () => 0,
    takeGroupWork: wait,
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
  return { rooms, session, told, attach };
}

Deno.test("what makes work for a whole group counts against its limit; votes and leaving do not", () => {
  let wait = 0;
  const { session, told, attach } = openSession(() => wait);
  attach(1);
  session.handle({ kind: "sealed_create", ask: 2, room: 1, epoch: 0, seq: 0, handles: [] });
  wait = 1_500;
  const body = new Uint8Array(284);
  const about = { room: 1, epoch: 0 } as const;
  session.handle({ kind: "sealed_create", ask: 3, ...about, seq: 0, handles: [] });
  session.handle({ kind: "sealed_join", ask: 4, room: 1, fresh: false });
  session.handle({ kind: "sealed_commit", ask: 5, ...about, members: [], locked: false, body });
  attach(6);
  session.handle({ kind: "sealed_vote", ask: 7, room: 1, seq: 1, ok: true });
  session.handle({ kind: "sealed_leave", ask: 8, room: 1 });
  const answers = told.slice(2);
  const why = answers.map((event) => event.kind === "sealed_declined" ? event.why : event.kind);
  const refused = "Not done: too many at once. Wait 2 s.";
  assert.deepEqual(why, [refused, refused, refused, refused, "sealed_done", "sealed_done"]);
});

Deno.test("a session is in eight sealed rooms and no more, until it leaves one, and a room that it may not enter is not kept", () => {
  const { rooms, session, attach } = openSession();
  for (let n = 1; n <= 8; n++) assert.equal(attach(n)?.kind, "sealed_none");
  const refused = attach(9);
  assert.match(refused?.kind === "sealed_declined" ? refused.why : "", /at most 8 sealed ones/);
  assert.deepEqual([session.size, rooms.size], [8, 8]);
  assert.equal(attach(8)?.kind, "sealed_none", "one where it is already");
  session.handle({ kind: "sealed_leave", ask: 10, room: 1 });
  assert.equal(attach(9)?.kind, "sealed_none");
});
