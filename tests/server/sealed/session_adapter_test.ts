import assert from "node:assert/strict";
import { PACE_BURST, PACE_PARTS } from "../../../server/config/limits.ts";
import { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import { RequestBudget } from "../../../server/limits/request_budget.ts";
import { adaptSession } from "../../../server/sealed/session_adapter.ts";
import { configOf } from "../../helpers/peers/relay.ts";

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
