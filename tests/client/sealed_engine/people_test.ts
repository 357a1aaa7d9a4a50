// What is known of people who come and go without end.

import assert from "node:assert/strict";
import type { GroupMember } from "../../../client/mls/commit_rules.ts";
import { People } from "../../../client/sealed_engine/people.ts";

/** Somebody called `name`, with a handle and a key of number `n`. */
function member(name: string, n: number): GroupMember {
  const signatureKey = new Uint8Array(32);
  new DataView(signatureKey.buffer).setUint32(0, n);
  return { name, handle: n.toString(16).padStart(32, "0"), signatureKey } as GroupMember;
}

Deno.test("whoever comes and goes without end is forgotten; who is here, and whose key was compared, is not", () => {
  const people = new People("own");
  const [bob, carol] = [member("bob", 1), member("carol", 2)];
  people.meet(bob);
  people.meet(carol);
  people.accept("carol", { verified: true, digits: people.show(carol).digits });
  const number = people.numberOf(bob.handle);
  for (let n = 10; n < 20_000; n++) {
    const passer = member(`passer ${n}`, n);
    people.numberOf(passer.handle);
    people.meet(passer);
    people.trim([bob]);
  }
  assert.equal(people.meet(bob), undefined, "bob is here, and known");
  assert.equal(people.numberOf(bob.handle), number);
  assert.equal(people.meet(member("carol", 3)), "session", "another carol is an alarm");
  assert.equal(people.meet(member("passer 10", 4)), undefined, "long gone");
  assert.equal(people.handleOf(people.numberOf(member("x", 19_999).handle)) !== undefined, true);
});
