// Row fanout-sealed: the relay's part in a sealed room. It orders frames that it cannot read and hands them on; what
// members do to seal and open them is the row sealed-message.

import { generateIdentity, type ServerIdentity } from "../../../shared/crypto/identity.ts";
import type { EventOf, SealedEvent } from "../../../shared/messages/messages_v2.ts";
import { frameBody, framedBytes } from "../../../shared/channel/record_batch.ts";
import { attachInput, handleOf, ridOf } from "../../../shared/messages/attach_proof.ts";
import { decodeEvent, encodeEvent } from "../../../shared/messages/codec_v2.ts";
import { SEALED_GUESTS_TOLD_MS } from "../../../server/config/limits.ts";
import { makeCertificate, type TestCertificate } from "../../helpers/system/certificates.ts";
import { bodyOf, textOf as textIn } from "../../helpers/peers/sealed_room.ts";
import { throughBroker } from "../load/broker_load.ts";
import { MOSQUITTO } from "../references/mosquitto.ts";
import { RECORD_OVERHEAD, throughServer } from "./fanout_v2.ts";
import {
  checkComplete,
  connectTls,
  cpuOf,
  deliveriesOf,
  describeLoad,
  FAN_OUT,
  FrameCounter,
  type Load,
  type Measurement,
  rateOf,
  runLoad,
  type Size,
  textOf,
  writeAll,
} from "../load/load.ts";
import { startRelay } from "../processes.ts";
import type { Row } from "../row.ts";
import { leaveAll, type LoadKeys, makeLoadKeys, V2Member } from "../load/v2_member.ts";

// What a text of 100 bytes is in a sealed room: padded to 256, with nonce and tag.
const BODY_BYTES = 284;
// Requests of one member before the load: attach, and create or commit.
const ASKED = 2;

/** Measures the row. */
export async function fanoutSealed(size: Size): Promise<Row> {
  const load = FAN_OUT[size];
  await using certificate = await makeCertificate();
  const broker = await throughBroker(MOSQUITTO, load, certificate);
  const plain = await throughServer(load, certificate);
  const sealed = await throughSealedRoom(load, certificate);
  return {
    row: "fanout-sealed",
    value: rateOf(sealed),
    unit: "deliveries/s",
    reference: "mosquitto over TLS, QoS 0, the same texts unsealed",
    referenceValue: rateOf(broker),
    goal: { of: "ratio", limit: 1.5, better: "more" },
    notes: [
      `${describeLoad(load)}, each ${BODY_BYTES} bytes when it is sealed`,
      `the plain room in the same run: ${
        Math.round(rateOf(plain)).toLocaleString("en-US")
      } deliveries/s`,
      `CPU time of the server for a delivery: ${cpuOf(sealed).toFixed(2)} µs`,
    ],
  };
}

async function throughSealedRoom(load: Load, certificate: TestCertificate): Promise<Measurement> {
  await using server = await startRelay(certificate);
  const connect = () => connectTls(server.port, certificate.cert);
  const run = async () => {
    const members = await fillRoom(load.members, connect);
    const epoch = load.members - 1;
    const total = load.senders * load.perSender;
    const loads = members.map((member, i) => {
      const expected = expectedBytes(load, members, i);
      return {
        conn: member.link.conn,
        packets: i < load.senders ? sealTexts(load, member, { sender: i, epoch }) : [],
        counter: new FrameCounter((frames, bytes) => bytes - frames * RECORD_OVERHEAD >= expected),
      };
    });
    const cpuBefore = server.cpuMs();
    const seconds = await runLoad(loads);
    const cpuMs = server.cpuMs() - cpuBefore;
    const peakMemory = server.peakMemory();
    const received = await Promise.all(members.map(async ({ link }, i) => {
      link.open(loads[i]?.counter.chunks ?? []);
      return (await link.take(total)).map((body) => textIn(frameOf(body).body));
    }));
    checkComplete(load, received);
    await leaveAll(members.map(({ link }) => link));
    return { deliveries: deliveriesOf(load), seconds, cpuMs, peakMemory };
  };
  await run();
  return await run();
}

interface SealedMember {
  readonly link: V2Member;
  readonly handle: Uint8Array;
  readonly room: number;
  /** Of how many members the room was when this one last judged a newcomer; 0 = it never did. */
  judgedAt: number;
}

/** One after another: the first makes the group, each of the others commits itself into it. */
async function fillRoom(
  count: number,
  connect: () => Promise<Deno.Conn>,
): Promise<SealedMember[]> {
  const load = await makeLoadKeys();
  const key = await generateIdentity();
  const members: SealedMember[] = [];
  for (let n = 0; n < count; n++) members.push(await joinSealed(members, { load, key, connect }));
  // Until then members are told that no guest is left, which is no part of the load.
  await new Promise((resolve) => setTimeout(resolve, 1.5 * SEALED_GUESTS_TOLD_MS));
  // Each has yet to read the commits that came after its own, and answers; the last of them is that to this vote.
  for (const { link, room } of members) {
    await writeAll(
      link.conn,
      link.seal({ kind: "sealed_vote", ask: LAST, room, seq: 1, ok: true }),
    );
    let { ask } = await until(link, "sealed_done");
    while (ask !== LAST) ({ ask } = await until(link, "sealed_done"));
  }
  return members;
}

// Of no other request while members come in.
const LAST = 4_000_000;

async function joinSealed(
  members: readonly SealedMember[],
  { load, key, connect }: {
    readonly load: LoadKeys;
    readonly key: ServerIdentity;
    readonly connect: () => Promise<Deno.Conn>;
  },
): Promise<SealedMember> {
  const n = members.length;
  const link = await V2Member.join(await connect(), { load, name: `member${n}` });
  const seat = await generateIdentity();
  const [rid, handle] = [ridOf(key.publicKey), handleOf(seat.publicKey)];
  const proven = { rid, handle, challenge: link.challenge };
  const claim = {
    rid,
    key: key.publicKey,
    proof: key.sign(attachInput("link", proven)),
    handleKey: seat.publicKey,
    handleProof: seat.sign(attachInput("handle", proven)),
  };
  const standing = { member: false, epoch: 0, seq: 0 };
  await writeAll(link.conn, link.seal({ kind: "sealed_attach", ask: 1, ...claim, ...standing }));
  const attached = await until(link, n === 0 ? "sealed_none" : "sealed_attached");
  const { room } = attached;
  if (n === 0) {
    const place = { room, epoch: 0, seq: 0, handles: [] };
    await writeAll(link.conn, link.seal({ kind: "sealed_create", ask: ASKED, ...place }));
    await until(link, "sealed_done");
  } else await enterGroup({ link, handle, room }, members);
  return { link, handle, room, judgedAt: 0 };
}

/** Whom the relay asks first: of all but the giver of the GroupInfo, the one that judged longest ago (PROTOCOL, W13). */
function nextJudge(members: readonly SealedMember[]): SealedMember {
  const [first, ...others] = members.slice(0, -1);
  if (first === undefined) return members[0] as SealedMember;
  return others.reduce((judge, next) => next.judgedAt < judge.judgedAt ? next : judge, first);
}

/** The member before lets the next one in. */
async function enterGroup(
  { link, handle, room }: Omit<SealedMember, "judgedAt">,
  members: readonly SealedMember[],
): Promise<void> {
  const n = members.length;
  const { link: giver } = members.at(-1) as SealedMember;
  await writeAll(link.conn, link.seal({ kind: "sealed_join", ask: ASKED, room, fresh: false }));
  const asked = await until(giver, "sealed_group_info_please");
  const info = { room, question: asked.question, epoch: asked.epoch, body: bodyOf("info") };
  await writeAll(giver.conn, giver.seal({ kind: "sealed_group_info", ask: ASKED, ...info }));
  await until(link, "sealed_group_info");
  const handles = [...members.map((member) => member.handle), handle];
  const commit = {
    room,
    epoch: n - 1,
    members: handles,
    locked: false,
    body: bodyOf(`commit ${n}`),
  };
  await writeAll(link.conn, link.seal({ kind: "sealed_commit", ask: ASKED, ...commit }));
  const judge = nextJudge(members);
  judge.judgedAt = n;
  const { question } = await until(judge.link, "sealed_check_please");
  const judged = { ask: ASKED, room, question, ok: true };
  await writeAll(judge.link.conn, judge.link.seal({ kind: "sealed_check", ...judged }));
  const { seq } = await until(link, "sealed_frame");
  for (const voter of members) {
    const vote = { ask: ASKED, room, seq, ok: true };
    await writeAll(voter.link.conn, voter.link.seal({ kind: "sealed_vote", ...vote }));
  }
}

async function until<K extends SealedEvent["kind"]>(
  link: V2Member,
  kind: K,
): Promise<EventOf<K>> {
  for (;;) {
    const event = decodeEvent((await link.take(1))[0] as Uint8Array);
    if (event.kind === kind) return event as EventOf<K>;
    if (event.kind === "sealed_declined") throw new Error(`a member was declined: ${event.why}`);
  }
}

function sealTexts(
  load: Load,
  { link, room }: SealedMember,
  { sender, epoch }: { readonly sender: number; readonly epoch: number },
): Uint8Array[] {
  return Array.from({ length: load.perSender }, (_, index) =>
    link.seal({
      kind: "sealed_app",
      ask: ASKED + 1 + index,
      room,
      epoch,
      body: bodyOf(textOf(load, sender, index), BODY_BYTES),
    }));
}

/** Bytes of all frames at member `i`; only its own ones name its request. */
function expectedBytes(load: Load, members: readonly SealedMember[], i: number): number {
  const first = load.members;
  let bytes = 0;
  for (let n = 0; n < load.senders * load.perSender; n++) {
    const sender = n % load.senders;
    const index = Math.floor(n / load.senders);
    const { handle: from, room } = members[sender] as SealedMember;
    bytes += framedBytes(frameBody(encodeEvent({
      kind: "sealed_frame",
      room,
      seq: first + n,
      type: "app",
      epoch: load.members - 1,
      from,
      ask: sender === i ? ASKED + 1 + index : 0,
      time: Date.now(),
      roster: new Uint8Array(),
      body: bodyOf(textOf(load, sender, index), BODY_BYTES),
    })));
  }
  return bytes;
}

function frameOf(body: Uint8Array): EventOf<"sealed_frame"> {
  const event = decodeEvent(body);
  if (event.kind === "sealed_frame") return event;
  throw new Error(`a member got ${event.kind} in the middle of a load`);
}
