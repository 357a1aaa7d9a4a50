import assert from "node:assert/strict";
import { RelayClusterHost } from "../../../server/admin/cluster_host.ts";
import { JOIN_RATE } from "../../../server/config/limits.ts";
import { REQUEST_RULES } from "../../../server/handlers/request_rules.ts";
import { excludeFrom } from "../../../server/session/room_access.ts";
import { EVENTS } from "../../../shared/messages/messages_v2.ts";
import { makeRelay, seat, type Seated } from "../../helpers/peers/relay.ts";

const EVE = "198.51.100.7";

async function scene() {
  const relay = await makeRelay(["--rate-limit", "off"]);
  const ann = seat(relay, { name: "ann" });
  const eve = seat(relay, { name: "eve", address: EVE });
  const about = { room: ann.room(), seconds: 0, text: "" };
  const decide = (what: "mute" | "unmute", whom: Seated) =>
    ann.ask({ kind: "moderate", ...about, what, whom: whom.session.id });
  const say = (who: Seated, text: string): string | undefined => {
    who.ask({ kind: "chat", room: who.room(), text, action: false, reply: 0 });
    return who.take("declined")[0]?.why;
  };
  return { relay, ann, eve, decide, say };
}

Deno.test("every request whose event shows a text or a name of its sender is judged as speech", () => {
  const shown = Object.entries(EVENTS).flatMap(([kind, fields]) =>
    "client" in fields && ("text" in fields || "filename" in fields || "emoji" in fields)
      ? [kind]
      : []
  );
  assert.deepEqual(
    shown.toSorted(),
    ["chat", "direct", "moderated", "offer", "pinned", "reacted", "revised", "status", "topic"],
  );
  const judged = Object.entries(REQUEST_RULES).flatMap(([kind, { reaches }]) =>
    reaches === undefined ? [] : [kind]
  );
  assert.deepEqual(
    judged.toSorted(),
    ["chat", "direct", "offer", "pin", "react", "rename", "revise", "status", "topic", "typing"],
    "and who moderates may do that in silence",
  );
});

Deno.test("a newcomer of a silenced member's address is silenced, those who were there are not, and the maker ends it", async () => {
  const { relay, decide, eve, say } = await scene();
  const neighbor = seat(relay, { name: "neighbor", address: EVE });
  const guest = seat(relay, { name: "guest", address: EVE, rooms: [] });
  await new Promise((resolve) => setTimeout(resolve, 2)); // A later millisecond.
  decide("mute", eve);
  relay.expire(eve.session);
  assert.equal(say(neighbor, "I was here before"), undefined);
  guest.session.enter(relay.rooms.open("lobby")).announce(0);
  assert.equal(say(guest, "I was on the server before"), undefined);
  const other = seat(relay, { name: "zoe", address: EVE });
  assert.match(say(other, "me again") ?? "said", /muted/);
  decide("unmute", other);
  assert.equal(say(other, "thank you"), undefined);
  assert.equal(say(seat(relay, { name: "yan", address: EVE }), "hello"), undefined);
});

Deno.test("a member that another server silenced is silenced here as well", async () => {
  const { relay, say } = await scene();
  const host = new RelayClusterHost(relay);
  const mutedUntil = Date.now() + 60_000;
  const about = { title: "lobby", source: EVE };
  host.followRoom({ kind: "departed", ...about, mutedUntil, mutedAt: 0, spokeAt: 0 });
  assert.match(say(seat(relay, { name: "zoe", address: EVE }), "me again") ?? "said", /muted/);
});

Deno.test("where a member is silenced in one room of two, its new name and away message show in the other alone", async () => {
  const { relay, ann, decide } = await scene();
  const eve = seat(relay, { name: "mallory", address: EVE, rooms: ["lobby", "den"] });
  const dan = seat(relay, { name: "dan", rooms: ["den"] });
  decide("mute", eve);
  ann.port.events.splice(0);
  eve.ask({ kind: "rename", name: "trent" });
  eve.ask({ kind: "status", text: "lunch" });
  assert.equal(eve.take("declined").length, 0);
  assert.deepEqual(dan.take("renamed").map(({ name }) => name), ["trent"]);
  assert.deepEqual(dan.take("status").map(({ text }) => text), ["lunch"]);
  assert.deepEqual(ann.port.events, []);
  assert.match(eve.take("notice").map(({ text }) => text).join(), /Cannot use the name in this/);
});

Deno.test("a direct message goes by a room where its sender may speak, and where there is none, not at all", async () => {
  const { relay, ann, eve, decide } = await scene();
  decide("mute", eve);
  eve.ask({ kind: "direct", to: ann.session.id, text: "psst" });
  assert.match(eve.take("declined")[0]?.why ?? "sent", /muted/);
  for (const one of [ann, eve]) one.session.enter(relay.rooms.open("den")).announce(0);
  eve.ask({ kind: "direct", to: ann.session.id, text: "psst" });
  assert.equal(eve.take("declined").length, 0);
  assert.deepEqual(ann.take("direct").map(({ room }) => room), [ann.room("den")]);
});

Deno.test("an address that comes and goes is seen each five seconds in the long run", async () => {
  const { relay, ann, eve } = await scene();
  const room = relay.rooms.open("lobby");
  const newcomer = { id: 0, address: EVE, tokenName: undefined, since: 0, host: relay };
  for (let n = 0; n < JOIN_RATE.messages; n++) excludeFrom(room, newcomer, 0);
  assert.deepEqual(excludeFrom(room, newcomer, 0)?.isBrief, true);
  assert.equal(excludeFrom(room, { ...newcomer, address: "198.51.100.8" }, 0), undefined);
  assert.equal(excludeFrom(relay.rooms.open("den"), newcomer, 0), undefined);
  eve.ask({ kind: "leave", room: eve.room() });
  eve.ask({ kind: "join", title: "lobby" });
  assert.match(eve.take("declined")[0]?.why ?? "in", /too many joined from your address/);
  assert.equal(ann.take("joined").filter(({ name }) => name === "eve").length, 1);
});

Deno.test("a ban by address that was decided at another server holds here, until it is lifted there", async () => {
  const { relay } = await scene();
  const host = new RelayClusterHost(relay);
  const room = relay.rooms.open("lobby");
  const newcomer = { id: 0, address: EVE, tokenName: undefined, since: 0, host: relay };
  const until = Date.now() + 60_000;
  host.followRoom({ kind: "room_banned", title: "lobby", source: EVE, until });
  assert.match(excludeFrom(room, newcomer, Date.now())?.why ?? "in", /you are banned/);
  assert.deepEqual([...host.standing()], [
    { kind: "room_banned", title: "lobby", source: EVE, until },
  ], "a server that starts later is told");
  host.followRoom({ kind: "room_unbanned", title: "lobby" });
  assert.equal(excludeFrom(room, newcomer, Date.now()), undefined);
});
