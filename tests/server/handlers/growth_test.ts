// A member that asks for one thing without end, and members that come and go without end: what the server keeps of it is
// bounded, for every kind of request that there is.

import assert from "node:assert/strict";
import type * as z from "zod/mini";
import { fromV1 } from "../../../server/delivery/v1_translation.ts";
import { dispatchRequest } from "../../../server/handlers/dispatch.ts";
import { tokenDigest } from "../../../server/config/access_tokens.ts";
import type { Relay } from "../../../server/relay/relay.ts";
import { CmdchatError } from "../../../shared/base/errors.ts";
import { CLIENT_MESSAGES, type ClientMessage } from "../../../shared/messages/messages_v1.ts";
import { type EventOf, type Request, REQUESTS } from "../../../shared/messages/messages_v2.ts";
import { filled, isNothing, keptOfEach, valueOf } from "../../helpers/hostile/endless.ts";
import { makeRelay, seat, type Seated } from "../../helpers/peers/relay.ts";
import { openRooms, Recorder, roomOf } from "../../helpers/peers/sealed_room.ts";

type Row = Readonly<Record<string, z.ZodMiniType>>;

interface Scene {
  readonly relay: Relay;
  readonly eve: Seated;
  readonly ann: Seated;
  readonly settle: () => void;
}

async function scene(): Promise<Scene> {
  const relay = await makeRelay(["--rate-limit", "off", "--invites"], { CMDCHAT_TOKENS: "one" });
  const [eve, ann] = [seat(relay, { name: "eve" }), seat(relay, { name: "ann" })];
  for (const { session } of [eve, ann]) relay.access.noteToken(session, "one");
  const settle = () => {
    for (const { port } of [eve, ann]) port.events.length = 0;
  };
  return { relay, eve, ann, settle };
}

/** Does it, whatever is refused of it. */
function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof CmdchatError)) throw error;
  }
}

function saysFirst({ eve }: Scene, n: number) {
  const text = `text ${n}`;
  eve.ask({ kind: "chat", room: eve.room(), text, action: false, reply: 0 });
  const { sequence } = eve.take("chat").at(-1) as EventOf<"chat">;
  return { sequence, authorName: "eve", text };
}

/** What must fit what is there already, or every one of these requests is refused alike. */
const FITTING: { readonly [K in Request["kind"]]?: (scene: Scene, n: number) => object } = {
  join: (_, n) => ({ title: `room ${n}` }),
  leave({ eve }, n) {
    eve.ask({ kind: "join", title: `room ${n}` });
    return { room: eve.room(`room ${n}`) };
  },
  rename: (_, n) => ({ name: `eve ${n}` }),
  revise: saysFirst,
  react: saysFirst,
  pin: saysFirst,
  direct: ({ ann }) => ({ to: ann.session.id }),
  offer: () => ({ to: 0, size: 5, chunks: 1 }),
  invite: () => ({ title: "lobby" }),
  uninvite({ relay, eve }) {
    eve.ask({ kind: "invite", title: "lobby", uses: 1, seconds: 60 });
    return { invite: relay.inviting.list(eve.session).at(-1)?.number };
  },
};

Deno.test("any request of a member, made without end, leaves nothing behind in the server but what is bounded", async () => {
  const growing: Record<string, number> = {};
  const refused: string[] = [];
  for (const [kind, row] of Object.entries(REQUESTS)) {
    // Of these a session takes one.
    if (kind === "hello" || kind === "bye" || kind === "moving") continue;
    const here = await scene();
    const { eve, settle } = here;
    const room = eve.room();
    let done = 0;
    const kept = await keptOfEach((n) => {
      const { id: _, ...fields } = filled(row as Row, n);
      const place = "room" in row && !kind.startsWith("sealed") ? { room } : {};
      const fitting = FITTING[kind as Request["kind"]]?.(here, n);
      const request = { kind, ...fields, ...place, ...fitting };
      const id = "id" in row ? { id: eve.session.requests.last + 1 } : {};
      attempt(() => dispatchRequest(eve.session, { ...request, ...id } as Request));
      if (eve.take("declined").length === 0) done++;
      // What has piled up would be looked through for each request.
      settle();
    });
    if (!isNothing(kept)) growing[kind] = kept;
    if (done === 0) refused.push(kind);
  }
  assert.deepEqual(growing, {});
  assert.deepEqual(refused, []);
});

Deno.test("any message of an old client, sent without end, leaves nothing behind in the server but what is bounded", async () => {
  const growing: Record<string, number> = {};
  for (const [type, schema] of Object.entries(CLIENT_MESSAGES)) {
    const { relay, settle } = await scene();
    const old = seat(relay, { name: "old", old: true });
    const kept = await keptOfEach((n) => {
      const message = valueOf(schema, type, n) as ClientMessage;
      const room = old.session.memberships[0]?.room.id ?? 0;
      const request = fromV1(message, { id: old.session.requests.last + 1, room });
      if (request !== undefined) attempt(() => dispatchRequest(old.session, request));
    }, () => {
      settle();
      old.port.events.length = 0;
    });
    if (!isNothing(kept)) growing[type] = kept;
  }
  assert.deepEqual(growing, {});
});

const addressOf = (n: number) => `10.${n >> 16 & 255}.${n >> 8 & 255}.${n & 255}`;

/** What somebody can do again and again, as somebody new each time. */
const CYCLES: Readonly<
  Record<string, (relay: Relay, parts: { readonly maker: Seated; readonly n: number }) => void>
> = {
  "comes and goes": (relay, { n }) => {
    relay.expire(seat(relay, { name: `m${n}`, address: addressOf(n) }).session);
  },
  "makes a room and leaves": (relay, { n }) => {
    relay.expire(seat(relay, { rooms: [`room ${n}`], address: addressOf(n) }).session);
  },
  "is muted and leaves": (relay, { maker, n }) => decide(relay, { maker, n, what: "mute" }),
  "is banned": (relay, { maker, n }) => decide(relay, { maker, n, what: "ban" }),
  "is banned from a room of somebody's own, who leaves": (relay, { n }) => {
    const maker = seat(relay, { name: "maker", rooms: [`own ${n}`], address: addressOf(n) });
    const { session } = seat(relay, { name: "sock", rooms: [`own ${n}`], address: "192.0.2.99" });
    const about = { room: maker.room(`own ${n}`), whom: session.id, seconds: 0, text: "" };
    maker.ask({ kind: "moderate", what: "ban", ...about });
    for (const one of [session, maker.session]) relay.expire(one);
  },
  "is ended by the admin": (relay, { n }) => {
    relay.expel(seat(relay, { address: addressOf(n) }).session, "enough");
  },
  "is refused with a wrong token": (relay, { n }) => {
    relay.access.judgeToken("wrong", { address: addressOf(n), returning: undefined });
    relay.noteRefusal(addressOf(n), "unauthorized");
  },
  "has invites made, uses them and leaves": (relay, { n }) => {
    const { session } = seat(relay, { name: `m${n}`, address: addressOf(n) });
    relay.access.noteToken(session, "one");
    attempt(() => {
      const digest = tokenDigest(`invite ${n}`);
      const maker = {
        client: session.id,
        name: "m",
        source: addressOf(n),
        token: tokenDigest("one"),
      };
      const until = Date.now() + 1_000;
      const wish = { maker, title: `r${n}`, until, uses: n % 2 || undefined };
      const { known } = relay.access.invites;
      known.take({ kind: "mint", digest, wish, now: Date.now() });
      const invite = known.take({ kind: "use", digest, now: Date.now() });
      const guest = seat(relay, { name: `g${n}`, address: addressOf(n) });
      relay.access.noteToken(guest.session, `invite ${n}`);
      if (typeof invite === "object") relay.access.noteInvite(guest.session, invite);
      relay.expire(guest.session);
    });
    relay.expire(session);
  },
  "is refused at the door": (relay, { n }) => relay.access.admit(addressOf(n))?.release(),
};

function decide(
  relay: Relay,
  { maker, n, what }: { readonly maker: Seated; readonly n: number; readonly what: "mute" | "ban" },
): void {
  const { session } = seat(relay, { name: `m${n}`, address: addressOf(n) });
  const about = { room: maker.room(), whom: session.id, seconds: 0, text: "" };
  attempt(() => maker.ask({ kind: "moderate", what, ...about }));
  relay.expire(session);
}

Deno.test("members who come and go without end leave nothing behind in the server but what is bounded", async () => {
  const growing: Record<string, number> = {};
  for (const [what, cycle] of Object.entries(CYCLES)) {
    const { relay, eve, settle } = await scene();
    const kept = await keptOfEach((n) => cycle(relay, { maker: eve, n }), settle);
    if (!isNothing(kept)) growing[what] = kept;
  }
  assert.deepEqual(growing, {});
});

Deno.test("a sealed room keeps nothing but what is bounded of guests, frames and changes without end", async () => {
  const growing: Record<string, number> = {};
  const cycles = {
    guests() {
      const { room, members } = roomOf(2);
      return (n: number) => {
        attempt(() => room.leave(Recorder.attach(room, 10 + n, undefined, addressOf(n)).seat));
        for (const { events } of members) events.length = 0;
      };
    },
    "a member's messages"() {
      const { members } = roomOf(2);
      return (n: number) => {
        members[0].app(1, `text ${n}`);
        for (const { events } of members) events.length = 0;
      };
    },
    "a member's changes"() {
      const { members, clock } = roomOf(2);
      return (n: number) => {
        members[0].commit(1 + n, `change ${n}`);
        clock.turn(11_000);
        for (const { events } of members) events.length = 0;
      };
    },
    rooms() {
      const { rooms } = openRooms();
      return (n: number) => {
        const rid = new Uint8Array(16);
        new DataView(rid.buffer).setUint32(0, n);
        rooms.open(rid, addressOf(n)).tidy();
      };
    },
  };
  for (const [what, begin] of Object.entries(cycles)) {
    const kept = await keptOfEach(begin());
    if (!isNothing(kept)) growing[what] = kept;
  }
  assert.deepEqual(growing, {});
});
