import assert from "node:assert/strict";
import fc from "fast-check";
import { CmdchatError } from "../../../shared/base/errors.ts";
import { SEALED_RING } from "../../../server/config/limits.ts";
import type { EventOf } from "../../../shared/messages/messages_v2.ts";
import { openRooms, Recorder } from "../../helpers/peers/sealed_room.ts";

const PEOPLE = 5;
const person = fc.nat(PEOPLE - 1);

/** What anybody may ask for at any moment, sensible or not. */
const step = fc.oneof(
  fc.record({ do: fc.constant("attach"), who: person, member: fc.boolean(), back: fc.nat(2) }),
  fc.record({ do: fc.constant("create"), who: person, epoch: fc.nat(3) }),
  fc.record({ do: fc.constant("commit"), who: person, back: fc.nat(2), evict: person }),
  fc.record({ do: fc.constant("app"), who: person, back: fc.nat(3) }),
  fc.record({ do: fc.constant("join"), who: person, fresh: fc.boolean() }),
  fc.record({ do: fc.constant("give"), who: person }),
  fc.record({ do: fc.constant("vote"), who: person, back: fc.nat(2), ok: fc.boolean() }),
  fc.record({ do: fc.constant("pull"), who: person, from: person }),
  fc.record({ do: fc.constant("chunk"), who: person, to: person }),
  fc.record({ do: fc.constant("lose"), who: person }),
  fc.record({ do: fc.constant("leave"), who: person }),
  fc.record({ do: fc.constant("wait"), ms: fc.constantFrom(500, 3_000, 5_000, 61_000) }),
) as fc.Arbitrary<Step>;

interface Step {
  readonly do: string;
  readonly who: number;
  readonly from: number;
  readonly to: number;
  readonly evict: number;
  readonly back: number;
  readonly epoch: number;
  readonly ms: number;
  readonly member: boolean;
  readonly fresh: boolean;
  readonly ok: boolean;
}

/** The room and what its people believe of it. */
class Story {
  readonly parts = openRooms();
  readonly people: (Recorder | undefined)[] = new Array(PEOPLE).fill(undefined);
  #commits = 0;

  get epoch(): number {
    return Math.max(
      0,
      ...this.#frames().filter(({ type }) => type === "commit").map(({ epoch }) => epoch + 1),
    );
  }

  get seq(): number {
    return Math.max(0, ...this.#frames().map(({ seq }) => seq));
  }

  take(step: Step): void {
    if (step.do === "wait") return this.parts.clock.turn(step.ms);
    if (step.do === "attach") return this.#attach(step);
    const one = this.people[step.who];
    if (one === undefined) return;
    const at = Math.max(0, this.epoch - (step.back ?? 0));
    switch (step.do) {
      case "create":
        return one.create(step.epoch);
      case "commit":
        return one.commit(at, `commit ${this.#commits++}`, this.#handle(step.evict));
      case "app":
        return one.app(at, "message");
      case "join":
        return one.join(step.fresh);
      case "give":
        return one.last("sealed_group_info_please") === undefined ? undefined : one.give();
      case "vote":
        return one.vote(Math.max(1, this.seq - step.back), step.ok);
      case "pull":
        return this.people[step.from] && one.pull(this.people[step.from] as Recorder, 2);
      case "chunk":
        return void (this.people[step.to] && one.chunk(this.people[step.to] as Recorder, "chunk"));
      case "lose":
        one.room.loseConnection(one.seat);
        break;
      case "leave":
        one.room.leave(one.seat);
        break;
    }
    this.people[step.who] = undefined;
  }

  #attach({ who, member, back }: Step): void {
    // A room that is forgotten is another one when somebody comes again.
    const room = this.parts.rooms.open(new Uint8Array(16).fill(7));
    this.people.forEach((one, n) => {
      if (one !== undefined && one.room !== room) this.people[n] = undefined;
    });
    const standing = { epoch: Math.max(0, this.epoch - back), seq: Math.max(0, this.seq - back) };
    const known = this.people[who];
    if (known === undefined) {
      this.people[who] = Recorder.attach(room, who + 1, member ? standing : undefined);
    } else known.attach(member ? standing : undefined);
  }

  #handle(n: number): Uint8Array[] {
    return [new Uint8Array(8).fill(n + 1)];
  }

  #frames(): EventOf<"sealed_frame">[] {
    return this.people.flatMap((one) => one?.all("sealed_frame") ?? []);
  }
}

/** One member's frames, as they came: places grow but for what is replayed to one who came back. */
function checkOrder(one: Recorder): void {
  const places = new Map<number, string>();
  for (const event of one.events) {
    // The group was given up for lack of anybody who could come in: whoever makes it anew begins the places anew.
    if (event.kind === "sealed_none" && event.ask === 0) places.clear();
    if (event.kind !== "sealed_frame") continue;
    const { seq, body } = event;
    const text = `${body}`;
    assert.equal(places.get(seq) ?? text, text, `place ${seq} has two frames`);
    places.set(seq, text);
  }
}

Deno.test("whatever people ask for in whatever order: one frame a place, all bounds kept, and nothing is left behind", () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 40, maxLength: 150, size: "max" }),
      fc.boolean(),
      (steps, stops) => {
        const story = new Story();
        for (const each of steps) {
          try {
            story.take(each);
          } catch (error) {
            assert.ok(error instanceof CmdchatError, String(error));
          }
          assert.ok(story.parts.rooms.bytes <= SEALED_RING.bytes);
        }
        for (const one of story.people) if (one !== undefined) checkOrder(one);
        if (stops) story.parts.rooms.close();
        else for (const one of story.people) if (one !== undefined) one.room.leave(one.seat);
        // The grace time of those whose connection was lost, in small steps: what is left then was forgotten by the room.
        for (let i = 0; i < 620 && story.parts.rooms.size > 0; i++) story.parts.clock.turn(100);
        assert.equal(story.parts.rooms.size, 0, "a room is left");
        assert.equal(story.parts.rooms.bytes, 0, "bytes are left");
        assert.equal(story.parts.clock.timers, 0, "a timer is left");
      },
    ),
    { numRuns: 1_000 },
  );
});
