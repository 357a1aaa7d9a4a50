import { localDisk } from "../../../client/transfers/local_disk.ts";
import assert from "node:assert/strict";
import type { ReceiverAnswer } from "../../../client/transfer_base/transfer_event.ts";
import { FILE_OFFER_MS } from "../../../client/base/limits.ts";
import {
  ANSWER_MS,
  eventsOf,
  type Member,
  type MemberOptions,
  offerOf,
  ROOM,
  someBytes,
  TransferRoom,
} from "../../helpers/peers/transfer_room.ts";
import { turns } from "../../helpers/fakes/chat_fakes.ts";

const SMALL = someBytes(100_000);

/** Alice has offered a file to members with these options. */
async function offered(room: TransferRoom, ...others: MemberOptions[]): Promise<Member[]> {
  const members = [room.join(), ...others.map((options) => room.join(options))];
  const path = await room.file("a.bin", SMALL);
  await members[0]!.transfers.offerFile(path, ROOM);
  await turns();
  return members;
}

function answersOf(receivers: readonly ReceiverAnswer[] = []): string[] {
  return receivers.map(({ name, answer }) => `${name} ${answer}`);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 0));
}

const TAKES: MemberOptions = { acceptAll: true };
const CANNOT_WRITE: MemberOptions = {
  acceptAll: true,
  disk: localDisk({ folder: "/dev/null/nowhere" }),
};
const TAKES_NONE: MemberOptions = { disk: localDisk({ folder: undefined }) };

Deno.test("a sending ends once all have answered, and its end says what each did", async () => {
  const cases: readonly [readonly MemberOptions[], string, readonly string[]][] = [
    [[TAKES], "sent", ["member2 saved"]],
    [[TAKES, TAKES_NONE], "sent", ["member2 saved", "member3 refused"]],
    [[TAKES, CANNOT_WRITE], "sent", ["member2 saved", "member3 failed"]],
    [[TAKES_NONE, TAKES_NONE], "refused", ["member2 refused", "member3 refused"]],
    [[CANNOT_WRITE, TAKES_NONE], "unsaved", ["member2 failed", "member3 refused"]],
    [[], "nobody", []],
  ];
  for (const [others, end, answers] of cases) {
    await using room = await TransferRoom.open();
    const [alice] = await offered(room, ...others) as [Member];
    await alice.transfers.settled();
    const [sent, failed] = [eventsOf(alice, "sent")[0], eventsOf(alice, "failed")[0]];
    assert.equal(sent?.kind ?? failed?.fault.code, end);
    assert.deepEqual(answersOf((sent ?? failed)?.receivers), answers, end);
  }
});

Deno.test("/reject and /cancel are told to the sender at once, and a user who does not answer only at the end", async () => {
  await using room = await TransferRoom.open();
  const [alice, bob, carol, dave] = await offered(room, {}, {}, {}) as [
    Member,
    Member,
    Member,
    Member,
  ];
  bob.transfers.reject();
  carol.transfers.accept();
  await until(() => eventsOf(carol, "saved").length === 1);
  assert.deepEqual(eventsOf(alice, "answered").map(({ by }) => answersOf([by])[0]), [
    "member2 refused",
    "member3 accepted",
    "member3 saved",
  ]);
  assert.deepEqual(eventsOf(alice, "sent"), [], "dave has not answered");
  room.pass(ANSWER_MS);
  await alice.transfers.settled();
  assert.deepEqual(answersOf(eventsOf(alice, "sent")[0]?.receivers), [
    "member2 refused",
    "member3 saved",
    "member4 open",
  ]);
  dave.transfers.accept();
  await until(() => eventsOf(alice, "answered").some(({ by }) => by.name === "member4"));
  await until(() => eventsOf(alice, "answered").at(-1)?.by.answer === "saved");
  assert.ok(eventsOf(alice, "answered").at(-1)?.isLate);
});

Deno.test("who accepted and lost the connection is waited for, and who left is not", async () => {
  await using room = await TransferRoom.open();
  const [alice, bob, carol] = await offered(room, {}, TAKES) as [Member, Member, Member];
  await until(() => eventsOf(alice, "answered").at(-1)?.by.answer === "saved");
  room.cut(bob);
  room.pass(ANSWER_MS);
  await turns();
  assert.deepEqual(eventsOf(alice, "sent"), [], "bob may come back and accept");
  alice.transfers.memberLeft(bob.id, ROOM.id);
  await alice.transfers.settled();
  assert.deepEqual(answersOf(eventsOf(alice, "sent")[0]?.receivers), [
    "member2 left",
    "member3 saved",
  ]);
  assert.equal(eventsOf(carol, "saved").length, 1);
});

Deno.test("an answer that was lost with a connection is said again over the next one", async () => {
  await using room = await TransferRoom.open();
  const lost: string[] = [];
  const intercept: MemberOptions["intercept"] = (message, relay) => {
    if (message.kind === "receipt" && message.state === "saved" && lost.length === 0) {
      lost.push(message.state);
    } else relay();
  };
  const [alice, bob] = await offered(room, { acceptAll: true, intercept }) as [Member, Member];
  await until(() => eventsOf(bob, "saved").length === 1);
  assert.deepEqual([lost, eventsOf(alice, "sent")], [["saved"], []]);
  room.cut(bob);
  room.mend(bob);
  await alice.transfers.settled();
  assert.deepEqual(answersOf(eventsOf(alice, "sent")[0]?.receivers), ["member2 saved"]);
});

Deno.test("an offer that nobody answers ends after a while, and names who did not", async () => {
  await using room = await TransferRoom.open();
  const [alice] = await offered(room, {}) as [Member];
  room.pass(FILE_OFFER_MS);
  await alice.transfers.settled();
  const [failed] = eventsOf(alice, "failed");
  assert.equal(failed?.fault.code, "expired");
  assert.deepEqual(answersOf(failed?.receivers), ["member2 open"]);
});

Deno.test("what is refused without the user is answered seldom, however many offers come", async () => {
  await using room = await TransferRoom.open();
  let said = 0;
  const intercept: MemberOptions["intercept"] = ({ kind }) =>
    void (said += Number(kind === "receipt"));
  const bob = room.join({ disk: localDisk({ folder: undefined }), intercept });
  const hash = new Uint8Array(32);
  for (let n = 0; n < 1_000; n++) {
    bob.transfers.handleOffer(offerOf(7, { id: `f${n}`, size: 5, hash }));
  }
  assert.ok(said >= 16 && said <= 64, `${said} answers to 1,000 offers`);
  bob.transfers.handleOffer(offerOf(8, { id: "v1", size: 5 }));
  room.pass(60_000);
  const before = said;
  bob.transfers.handleOffer(offerOf(8, { id: "v1 again", size: 5 }));
  assert.equal(said, before, "a v1 sender takes no answers");
});

Deno.test("answers of those who were not offered the file, and what is said twice, change nothing", async () => {
  await using room = await TransferRoom.open();
  const [alice] = await offered(room, {}) as [Member];
  const eve = room.join();
  const file = alice.files.state[0]![0];
  const receipt = { kind: "receipt", room: ROOM.id, to: alice.id, file } as const;
  room.relay(eve.id, { ...receipt, state: "saved" });
  room.relay(2, { ...receipt, state: "accepted" });
  room.relay(2, { ...receipt, state: "accepted" });
  assert.deepEqual(
    eventsOf(alice, "answered").map(({ by }) => answersOf([by])[0]),
    ["member2 accepted"],
  );
  assert.deepEqual(eventsOf(alice, "sent"), []);
});
