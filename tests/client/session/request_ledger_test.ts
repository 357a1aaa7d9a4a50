import assert from "node:assert/strict";
import { RatePacer } from "../../../client/session/rate_pacer.ts";
import { plainSink } from "../../../client/session/session.ts";
import { RequestLedger, type RequestOutcome } from "../../../client/session/request_ledger.ts";
import { FakeSession, ManualClock, turns } from "../../helpers/fakes/chat_fakes.ts";
import type { Rate } from "../../../shared/base/rate.ts";

const ROOM = { id: 3 };
const HELD = { holdSeconds: 60 };

/** Requests of a client whose server allows `rate`. */
function requests(rate?: Rate) {
  const clock = new ManualClock();
  const told: string[] = [];
  const ledger = new RequestLedger({
    clock,
    pacer: new RatePacer(rate),
    onHeld: (why) => told.push(why),
    onChange: () => {},
  });
  const outcomes: Record<string, RequestOutcome> = {};
  const say = (text: string): void => {
    const chat = { kind: "chat", text, action: false, reply: 0 } as const;
    void ledger.add(chat, ROOM).then((outcome) => outcomes[text] = outcome);
  };
  /** Says "a", which leaves and is never answered. */
  const sayAndLoseLink = async (): Promise<void> => {
    ledger.attach(plainSink(new FakeSession(HELD)));
    say("a");
    await turns();
    ledger.detach(HELD.holdSeconds);
  };
  return { clock, ledger, told, outcomes, say, sayAndLoseLink };
}

function textsOf({ sent }: FakeSession): string[] {
  return sent.flatMap((request) =>
    request.kind === "chat" ? [`${request.id} ${request.text}`] : []
  );
}

Deno.test("requests leave in order under their numbers, and each is settled by its own answer", async () => {
  const { ledger, say, outcomes } = requests();
  const session = new FakeSession();
  ledger.attach(plainSink(session));
  for (const text of ["a", "b", "c"]) say(text);
  await turns();
  assert.deepEqual(textsOf(session), ["1 a", "2 b", "3 c"]);
  ledger.answer(2, { why: "no" });
  ledger.answer(1, "confirmed");
  assert.equal(ledger.answer(1, "confirmed"), undefined, "a second answer is nobody's");
  assert.equal(ledger.answer(99, "confirmed"), undefined);
  await turns();
  assert.deepEqual(outcomes, { a: "confirmed", b: { why: "no" } });
  assert.deepEqual([ledger.unsent, ledger.unanswered], [0, 1]);
});

Deno.test("what left is sent again to the same session under its number, what did not leave follows", async () => {
  const { ledger, say, outcomes, sayAndLoseLink } = requests();
  await sayAndLoseLink();
  say("b");
  const again = new FakeSession({ ...HELD, resumed: true });
  ledger.attach(plainSink(again));
  await turns();
  assert.deepEqual(textsOf(again), ["1 a", "2 b"]);
  assert.deepEqual(outcomes, {});
});

Deno.test("what left is lost with another session, and what did not leave begins its numbers anew", async () => {
  const { ledger, say, outcomes, sayAndLoseLink } = requests();
  await sayAndLoseLink();
  say("b");
  const other = new FakeSession(HELD);
  ledger.startAnew();
  ledger.attach(plainSink(other));
  await turns();
  assert.deepEqual([textsOf(other), outcomes], [["1 b"], { a: "lost" }]);
});

Deno.test("what names a person or a message by a number of the former session is given back", async () => {
  const { ledger, told, outcomes } = requests();
  const drafts = [
    [{ kind: "direct", to: 7, text: "psst" }, undefined],
    [{ kind: "revise", sequence: 4, text: "better" }, ROOM],
    [{ kind: "rename", name: "bob" }, undefined],
  ] as const;
  for (const [draft, room] of drafts) {
    void ledger.add(draft, room).then((outcome) => outcomes[draft.kind] = outcome);
  }
  const other = new FakeSession(HELD);
  ledger.startAnew();
  ledger.attach(plainSink(other));
  await turns();
  const why =
    "Not sent: the session ended meanwhile, and the person or message that it was for may be another one now.";
  assert.deepEqual(outcomes, { direct: { why }, revise: { why } });
  assert.deepEqual(told, [why, why], "the user is told");
  assert.deepEqual(other.sent.map(({ kind }) => kind), ["rename"]);
});

Deno.test("what left is lost once the server cannot hold the session any longer, and not before", async () => {
  const { clock, outcomes, sayAndLoseLink } = requests();
  await sayAndLoseLink();
  await clock.pass(59_000);
  assert.deepEqual(outcomes, {});
  await clock.pass(1_001);
  assert.deepEqual(outcomes, { a: "lost" });
});

Deno.test("a further outage before anything was attached loses nothing", async () => {
  const { ledger, outcomes, sayAndLoseLink } = requests();
  await sayAndLoseLink();
  ledger.detach(HELD.holdSeconds);
  await turns();
  assert.deepEqual(outcomes, {});
  const again = new FakeSession({ ...HELD, resumed: true });
  ledger.attach(plainSink(again));
  assert.deepEqual(textsOf(again), ["1 a"]);
});

Deno.test("what is sent again counts against the server's rate: what waits comes behind it, in time", async () => {
  const { ledger, clock, say } = requests({ messages: 2, seconds: 5 });
  ledger.attach(plainSink(new FakeSession(HELD)));
  for (const text of ["a", "b", "c"]) say(text);
  await turns();
  ledger.detach(HELD.holdSeconds);
  await clock.pass(20_000);
  const again = new FakeSession({ ...HELD, resumed: true });
  ledger.attach(plainSink(again));
  await turns();
  assert.deepEqual(textsOf(again), ["1 a", "2 b"]);
  await clock.pass(5_001);
  assert.deepEqual(textsOf(again), ["1 a", "2 b", "3 c"]);
});

Deno.test("what is for a room that we are not in any more is refused, and holds nothing up", async () => {
  const { ledger, told, say, outcomes } = requests();
  void ledger.add({ kind: "chat", text: "gone", action: false, reply: 0 }, { id: undefined })
    .then((outcome) => outcomes["gone"] = outcome);
  say("a");
  const session = new FakeSession();
  ledger.attach(plainSink(session));
  await turns();
  const why = "Not sent: you are not in its room any more.";
  assert.deepEqual(told, [why]);
  assert.deepEqual([textsOf(session), outcomes], [["1 a"], { gone: { why } }]);
});

Deno.test("end() gives back what has not left, and all that has no answer", async () => {
  const { ledger, told, say, outcomes } = requests();
  ledger.attach(plainSink(new FakeSession(HELD)));
  say("left");
  await turns();
  ledger.detach(HELD.holdSeconds);
  say("waits");
  ledger.end("over");
  await turns();
  assert.deepEqual(outcomes, { left: "lost", waits: { why: "over", isUntold: true } });
  assert.deepEqual([ledger.unsent, ledger.unanswered], [0, 0]);
  say("later");
  await turns();
  assert.deepEqual([outcomes["later"], told], [{ why: "over" }, ["over"]], "nothing is kept");
  assert.equal(ledger.unsent, 0);
});
