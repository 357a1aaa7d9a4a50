import assert from "node:assert/strict";
import { UsageError } from "../../../shared/base/errors.ts";
import {
  type EventOf,
  type Moderation,
  MODERATIONS,
} from "../../../shared/messages/messages_v2.ts";
import { moderationText } from "../../../shared/messages/moderation_text.ts";
import { durationText, parseDuration } from "../../../shared/text/duration.ts";

Deno.test("parseDuration() takes a number and a unit, up to 30 days", () => {
  assert.deepEqual(["10s", "30m", "2h", "30d"].map(parseDuration), [10, 1_800, 7_200, 2_592_000]);
  for (const bad of ["", "10", "m", "0s", "-1m", "1.5h", "31d", "10 m", "9999999d", "1w"]) {
    assert.throws(() => parseDuration(bad), UsageError, bad);
  }
});

Deno.test("durationText() names the largest unit that fits, rounded up", () => {
  const texts = [1, 59, 60, 61, 3_600, 7_000, 86_400, 200_000].map(durationText);
  assert.deepEqual(texts, [
    "1 second",
    "59 seconds",
    "1 minute",
    "2 minutes",
    "1 hour",
    "2 hours",
    "1 day",
    "3 days",
  ]);
});

Deno.test("every decision is one line that says who, what, whom, how long and why", () => {
  const event = (what: Moderation, seconds: number): EventOf<"moderated"> => ({
    kind: "moderated",
    room: 1,
    at: 1,
    client: 1,
    name: "ann",
    time: 0,
    request: 1,
    what,
    whom: 2,
    whomName: "eve",
    seconds,
    text: "noise",
  });
  assert.deepEqual(MODERATIONS.map((what) => moderationText(event(what, 60))), [
    "ann removed eve: noise",
    "ann banned eve for 1 minute: noise",
    "ann lifted the ban of eve.",
    "ann silenced eve for 1 minute: noise",
    "ann lets eve speak again.",
    "ann locked the room: nobody can join.",
    "ann unlocked the room.",
    "ann asks for 1 minute between two messages of one member.",
  ]);
});
