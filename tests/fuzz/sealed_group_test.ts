// 1,000 seeded operations on a sealed group: joins, leaves, kicks, locks, other names, updates, lost races, texts, voids,
// members who come back. After each, everybody has one epoch, one code and the same members.

import { SealedGroup } from "../../client/mls/group.ts";
import { join, readInvitation } from "../../client/mls/joining.ts";
import { OrderedRoom, seededRandom, type TestMember } from "../helpers/peers/sealed_group.ts";

const OPERATIONS = Number(Deno.env.get("SEALED_FUZZ_OPERATIONS") ?? 1_000);
const SEED = Number(Deno.env.get("SEALED_FUZZ_SEED") ?? Date.now() % 1_000_000);
const MEMBERS_MAX = 6;

/** Who made the room, while it is there. */
function makerOf(room: OrderedRoom): TestMember | undefined {
  return room.members.find(({ group }) => group.maker?.leaf === group.ownLeaf);
}

Deno.test(`${OPERATIONS} random operations: nobody ever diverges (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const room = await OrderedRoom.create("m0");
  let names = 0;

  const others = (than: TestMember) => room.members.filter((member) => member !== than);
  // Without its maker a room is done with kicks and locks.
  const leavers = (than: TestMember) =>
    others(than).filter((member) => member !== makerOf(room) || random() < 0.02);
  const operations: Record<string, [weight: number, () => Promise<void>]> = {
    join: [2, async () => {
      const isOpen = room.members.every(({ group }) => !group.isLocked);
      if (isOpen && room.members.length < MEMBERS_MAX) {
        await room.join(`m${++names}`, pick(room.members));
      }
    }],
    leave: [1.5, async () => {
      const by = pick(room.members);
      const left = leavers(by);
      if (left.length > 0) await room.commit(by, [pick(left)]);
    }],
    leaveTogether: [0.5, async () => {
      const by = pick(room.members);
      const left = leavers(by).filter(() => random() < 0.4);
      await room.commit(by, left);
    }],
    update: [2, () => room.commit(pick(room.members))],
    rename: [1, () => room.change(pick(room.members), { name: `m${++names}` })],
    lock: [1, async () => {
      const maker = makerOf(room);
      if (maker === undefined) return;
      await room.change(maker, {
        rights: {
          ...maker.group.rights,
          locked: random() < 0.3,
          ops: others(maker).filter(() => random() < 0.3)
            .map(({ identity }) => identity.signature.publicKey),
        },
      });
    }],
    kick: [0.5, async () => {
      const maker = makerOf(room);
      const left = room.members.filter((member) => member !== maker);
      if (maker !== undefined && left.length > 0) {
        await room.change(maker, { kick: "because" }, [pick(left)]);
      }
    }],
    text: [6, () => room.sayToAll(pick(room.members), `text ${random()}`)],
    lostRace: [2, async () => {
      const [winner, loser] = [pick(room.members), pick(room.members)];
      if (winner === loser) return;
      await loser.group.startCommit();
      if (random() < 0.5) await room.sayToAll(loser, "while my commit is under way");
      await room.commit(winner);
      await room.commit(loser);
    }],
    lostJoin: [1, async () => {
      const by = pick(room.members);
      const invitation = readInvitation(by.identity.keys, await by.group.groupInfo());
      const [again] = others(by);
      if (again !== undefined) await join(again.identity, invitation);
      await room.commit(by);
    }],
    lateText: [2, async () => {
      const [by, committer] = [pick(room.members), pick(room.members)];
      const late = await by.group.seal(new TextEncoder().encode("late"));
      await room.commit(committer);
      const outcomes = await room.deliver(room.frame("app", by.identity.me.handle, late));
      for (const [who, { kind }] of Object.entries(outcomes)) {
        const expected = who === by.identity.me.name ? "echo" : "text";
        if (kind !== expected) throw new Error(`${who}: ${JSON.stringify(outcomes[who])}`);
      }
    }],
    voided: [1, async () => {
      const by = pick(room.members);
      const { epoch } = by.group;
      const frame = room.frame("commit", by.identity.me.handle, await by.group.startCommit());
      await room.deliver(frame);
      if (random() < 0.5) await room.sayToAll(pick(room.members), "in the epoch that goes away");
      for (const { group } of room.members) {
        group.goBack({ seq: frame.seq, epoch, last: room.sequence });
        if (group.epoch !== epoch) throw new Error(`still in ${group.epoch}, not ${epoch}`);
      }
    }],
    comeBack: [1, async () => {
      const lost = pick(room.members);
      const [by] = others(lost);
      if (by === undefined) return;
      room.members.splice(room.members.indexOf(lost), 1);
      if (random() < 0.5) await room.commit(by);
      const invitation = readInvitation(by.identity.keys, await by.group.groupInfo());
      const joining = await join(lost.identity, invitation);
      const frame = room.frame("commit", lost.identity.me.handle, joining);
      await room.deliver(frame);
      const group = await SealedGroup.joined(joining, frame.seq);
      room.members.push({ identity: lost.identity, group });
    }],
  };
  const total = Object.values(operations).reduce((sum, [weight]) => sum + weight, 0);

  for (let done = 0; done < OPERATIONS; done++) {
    let at = random() * total;
    const [name, [, operate]] = Object.entries(operations).find(([, [weight]]) =>
      (at -= weight) < 0
    ) ??
      ["text", operations["text"]!] as const;
    try {
      await operate();
      room.assertAgreed();
    } catch (cause) {
      throw new Error(`operation ${done}, ${name}, seed ${SEED}`, { cause });
    }
  }
});
