import assert from "node:assert/strict";
import { UsageError } from "../../../shared/base/errors.ts";
import {
  type EventOf,
  type Moderation,
  MODERATIONS,
} from "../../../shared/messages/messages_v2.ts";
import { moderationText, pinnedText } from "../../../shared/messages/moderation_text.ts";
import { PIN_TEXT_MAX_BYTES } from "../../../shared/base/limits.ts";
import { pinText } from "../../../shared/text/pin_text.ts";
import { durationText, parseDuration } from "../../../shared/text/duration.ts";

Deno.test("parseDuration() takes a number and a unit, up to 30 days", () => {
  assert.deepEqual(["10s", "30m", "2h", "30d"].map(parseDuration), [10, 1_800, 7_200, 2_592_000]);
  for (const bad of ["", "10", "m", "0s", "-1m", "1.5h", "31d", "10 m", "9999999d", "1w"]) {
    assert.throws(() => parseDuration(bad), UsageError, bad);
  }
});

Deno.test("durationText() names the two largest units that fit, the smaller one rounded up", () => {
  const seconds = [0, 1, 59, 60, 61, 3_600, 5_400, 7_199, 7_201, 86_400, 86_399, 356_400, 200_000];
  const texts = seconds.map(durationText);
  assert.deepEqual(texts, [
    "0 seconds",
    "1 second",
    "59 seconds",
    "1 minute",
    "1 minute 1 second",
    "1 hour",
    "1 hour 30 minutes",
    "2 hours",
    "2 hours 1 minute",
    "1 day",
    "1 day",
    "4 days 3 hours",
    "2 days 8 hours",
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
    "ann muted eve for 1 minute: noise",
    "ann lets eve speak again.",
    "ann locked the room: nobody can join.",
    "ann unlocked the room.",
    "ann asks for 1 minute between two messages of one member.",
    "ann made eve an op of this room.",
    "ann took the op's rights from eve.",
  ]);
  const own = { ...event("deop", 0), whomName: "ann" };
  assert.equal(moderationText(own), "ann is no longer an op of this room.");
});

Deno.test("a pin is one line that says who pinned what of whom", () => {
  const pin = { name: "ann", sequence: 12, authorName: "bob b", text: "soup at eight" };
  assert.equal(pinnedText(pin), 'ann pinned #12 of "bob b": soup at eight');
  assert.equal(pinnedText({ ...pin, sequence: 0, text: "" }), "ann removed the pin.");
});

Deno.test("pinText() cuts what is too long between two characters", () => {
  assert.equal(pinText("short"), "short");
  assert.equal(pinText("x".repeat(PIN_TEXT_MAX_BYTES)), "x".repeat(PIN_TEXT_MAX_BYTES));
  for (const text of ["é", "你", "👋", "x"]) {
    const cut = pinText(text.repeat(2 * PIN_TEXT_MAX_BYTES));
    assert.ok(new RegExp(`^(?:${text})+…$`, "u").test(cut), text);
    const bytes = new TextEncoder().encode(cut).length;
    assert.ok(bytes <= PIN_TEXT_MAX_BYTES && bytes > PIN_TEXT_MAX_BYTES - 7, `${bytes} bytes`);
  }
});
