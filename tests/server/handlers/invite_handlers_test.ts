// Answers that other servers must agree to first.

import assert from "node:assert/strict";
import { dispatchRequest } from "../../../server/handlers/dispatch.ts";
import { LimitError } from "../../../shared/base/errors.ts";
import { makeRelay, seat } from "../../helpers/peers/relay.ts";

for (const agree of [true, false]) {
  Deno.test(`a repeat of what the servers have not decided yet is told nothing before they ${agree ? "agree" : "refuse"}`, async () => {
    const relay = await makeRelay(["--invites"], { CMDCHAT_TOKENS: "one" });
    const { session, port } = seat(relay, { name: "alice" });
    relay.access.noteToken(session, "one");
    const decision = Promise.withResolvers<void>();
    relay.access.invites.revoke = () => decision.promise;
    const request = { kind: "uninvite", id: session.requests.last + 1, invite: 1 } as const;
    const answers = () => port.events.filter(({ kind }) => kind === "done" || kind === "declined");
    dispatchRequest(session, request);
    dispatchRequest(session, request);
    assert.deepEqual(answers(), []);
    if (agree) decision.resolve();
    else decision.reject(new LimitError("Cannot end invite 1: no other server is there"));
    while (answers().length === 0) await Promise.resolve();
    dispatchRequest(session, request);
    const [first, repeated] = answers();
    assert.equal(first?.kind, agree ? "done" : "declined");
    assert.deepEqual(repeated, first);
    assert.equal(answers().length, 2);
  });
}
