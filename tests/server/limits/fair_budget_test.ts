import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type BudgetShare,
  FairBudget,
  FirmBudget,
  mayTakeSlot,
} from "../../../server/limits/fair_budget.ts";

/** A payer that gives back all that it holds, and counts how often it paid. */
class Holder {
  readonly share: BudgetShare;
  readonly #budget: FairBudget;
  paid = 0;

  constructor(budget: FairBudget, source: string) {
    this.#budget = budget;
    this.share = budget.open(source, this);
  }

  take(amount: number): void {
    this.#budget.take(this.share, amount);
  }

  pay(): void {
    this.paid++;
    this.#budget.give(this.share, this.share.held);
  }
}

Deno.test("at the bound the heaviest source pays, not the one that asks next", () => {
  const budget = new FairBudget({ most: 1_000, reserve: 10 });
  const attackers = Array.from({ length: 9 }, () => new Holder(budget, "192.0.2.1"));
  for (const attacker of attackers) attacker.take(100);
  const honest = new Holder(budget, "192.0.2.2");
  honest.take(150);
  assert.equal(honest.paid, 0);
  assert.equal(attackers.filter(({ paid }) => paid > 0).length, 1);
  assert.equal(budget.used, 950);
});

for (
  const [whose, nameOf] of [
    ["one source", () => "2001:db8::/64"],
    ["many sources of one IPv6 /48", (n: number) => `2001:db8:7:${n}::/64`],
  ] as const
) {
  Deno.test(`many small shares of ${whose} are heavier than one large share of another`, () => {
    const budget = new FairBudget({ most: 1_000, reserve: 10 });
    const one = new Holder(budget, "192.0.2.2");
    one.take(400);
    const many = Array.from({ length: 12 }, (_, n) => new Holder(budget, nameOf(n)));
    for (const holder of many) holder.take(60);
    assert.equal(one.paid, 0);
    assert.ok(many.some(({ paid }) => paid > 0));
  });
}

Deno.test("a neighbor in the /48 of the source that holds most does not pay, though its share is the largest", () => {
  const budget = new FairBudget({ most: 1_000, reserve: 10 });
  const neighbor = new Holder(budget, "2001:db8:7:1::/64");
  neighbor.take(150);
  const attackers = Array.from({ length: 9 }, () => new Holder(budget, "2001:db8:7:2::/64"));
  for (const attacker of attackers) attacker.take(100);
  assert.equal(neighbor.paid, 0);
  assert.equal(attackers.filter(({ paid }) => paid > 0).length, 1);
});

Deno.test("who asks pays itself where its source is the heaviest", () => {
  const budget = new FairBudget({ most: 100, reserve: 10 });
  const holder = new Holder(budget, "192.0.2.1");
  holder.take(101);
  assert.deepEqual([holder.paid, budget.used], [1, 0]);
});

Deno.test("a share within the reserve never pays, even at the bound", () => {
  const budget = new FairBudget({ most: 100, reserve: 10 });
  const small = Array.from({ length: 20 }, () => new Holder(budget, "192.0.2.1"));
  for (const holder of small) holder.take(10);
  assert.ok(small.every(({ paid }) => paid === 0));
  assert.equal(budget.used, 200);
});

Deno.test("bytes that several shares hold in common count once against the bound", () => {
  const budget = new FairBudget({ most: 100, reserve: 10 });
  const holders = Array.from({ length: 50 }, (_, n) => new Holder(budget, `192.0.2.${n}`));
  for (const [n, { share }] of holders.entries()) budget.take(share, 90, n === 0 ? 90 : 0);
  assert.ok(holders.every(({ paid, share }) => paid === 0 && share.held === 90));
  assert.equal(budget.used, 90);
});

Deno.test("a payer that gives nothing back is asked once", () => {
  const budget = new FairBudget({ most: 100, reserve: 10 });
  let asked = 0;
  const share = budget.open("192.0.2.1", { pay: () => void asked++ });
  budget.take(share, 200);
  assert.equal(asked, 1);
});

Deno.test("whoever takes, all together stay within the bound and the reserves, and end at 0", () => {
  const take = fc.tuple(fc.nat(19), fc.integer({ min: 1, max: 60 }));
  fc.assert(fc.property(fc.array(take, { maxLength: 200 }), (takes) => {
    const budget = new FairBudget({ most: 300, reserve: 5 });
    const holders = Array.from({ length: 20 }, (_, n) => new Holder(budget, `source ${n % 7}`));
    for (const [n, amount] of takes) {
      holders[n]?.take(amount);
      assert.ok(budget.used <= 300 + 20 * 5);
      const held = holders.reduce((sum, { share }) => sum + share.held, 0);
      assert.equal(budget.used, held);
    }
    for (const holder of holders) holder.pay();
    assert.equal(budget.used, 0);
  }));
});

Deno.test("the last sixteenth of all slots is for sources that have one or none", () => {
  assert.ok(mayTakeSlot({ most: 160, used: 149, held: 60 }));
  assert.ok(!mayTakeSlot({ most: 160, used: 150, held: 60 }));
  assert.ok(mayTakeSlot({ most: 160, used: 159, held: 1 }));
  assert.ok(!mayTakeSlot({ most: 160, used: 160, held: 0 }));
  // A server for a few has nothing to keep back.
  assert.ok(mayTakeSlot({ most: 3, used: 2, held: 2 }));
});

Deno.test("above its ceiling, shares within their reserve pay too, the oldest of equal ones first", () => {
  const budget = new FairBudget({ most: 10, reserve: 4, ceiling: 20 });
  const paid: number[] = [];
  for (let n = 0; n < 24; n++) {
    const share: BudgetShare = budget.open(`source ${n}`, {
      pay() {
        paid.push(n);
        budget.give(share, 1);
        budget.close(share);
      },
    });
    budget.take(share, 1);
  }
  assert.deepEqual(paid.slice(0, 4), [0, 1, 2, 3]);
  assert.ok(budget.used <= 20, `${budget.used}`);
});

/** Takes ten bytes for each of these addresses that may; gives how many of them those were. */
function fill(budget: FirmBudget, addresses: readonly string[], end: Promise<void>): number {
  return addresses.filter((address) => {
    const mayTake = budget.mayTake(address, 10);
    if (mayTake) budget.hold(address, 10, end);
    return mayTake;
  }).length;
}

const neighbors = Array.from({ length: 200 }, (_, n) => `2001:db8:7:${n % 9}::1`);

Deno.test("of what cannot be taken back, one IPv6 /48 gets all but a part for those who hold nothing", () => {
  const budget = new FirmBudget(1_600);
  const { promise } = Promise.withResolvers<void>();
  assert.equal(fill(budget, neighbors, promise), 149);
  const others = Array.from({ length: 20 }, (_, n) => `192.0.2.${n}`);
  assert.equal(fill(budget, ["192.0.2.0", "192.0.2.0"], promise), 1, "the second waits");
  assert.equal(fill(budget, others, promise), 9, "all together have a bound");
});

Deno.test("what is held no longer makes room", async () => {
  const budget = new FirmBudget(1_600);
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  assert.equal(fill(budget, neighbors.slice(0, 100), first.promise), 100);
  assert.equal(fill(budget, neighbors, second.promise), 49);
  first.resolve();
  await first.promise;
  assert.equal(fill(budget, neighbors, second.promise), 100);
});
