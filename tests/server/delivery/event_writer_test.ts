import assert from "node:assert/strict";
import { EncodedBurst } from "../../../server/delivery/burst.ts";
import { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import {
  type EventWriter,
  type EventWriterEvents,
  openWriterV1,
  openWriterV2,
} from "../../../server/delivery/event_writer.ts";
import {
  OUTBOX_BUDGET,
  OUTBOX_BULK_MAX_BYTES,
  OUTBOX_MAX_BYTES,
  OUTBOX_V1_WRITE_BODIES,
} from "../../../server/config/limits.ts";
import { FairBudget } from "../../../server/limits/fair_budget.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { FrameReader } from "../../../shared/channel/frame.ts";
import type { Event } from "../../../shared/messages/messages_v2.ts";
import { BatchReader } from "../../../shared/channel/record_batch.ts";
import { RecordCipher } from "../../../shared/channel/record_cipher.ts";
import { EnvelopeV1 } from "../../../shared/channel/envelope_v1.ts";
import { decodeEvent } from "../../../shared/messages/codec_v2.ts";
import { eventOf, turns } from "../../helpers/fakes/chat_fakes.ts";
import { LiveLink } from "../../helpers/peers/relay.ts";

const CLIENT = 7;

function notice(text: string): EncodedEvent {
  return new EncodedEvent({ kind: "notice", room: 0, text }, "lobby");
}

/** A part of a file. */
function part(bytes: number): EncodedEvent {
  const data = new Uint8Array(bytes);
  return new EncodedEvent(eventOf("chunk", { file: "f", index: 0, data, last: false }), "lobby");
}

function reports() {
  const told = { slow: 0, written: 0 };
  const events: EventWriterEvents = {
    budget: new FairBudget(OUTBOX_BUDGET),
    onSlow: (client) => {
      assert.equal(client, CLIENT);
      told.slow++;
    },
    onWritten: (bytes) => void (told.written += bytes),
  };
  return { events, told };
}

function ciphers(): { server: RecordCipher; client: RecordCipher } {
  const keys = () => ({
    aead: "aes-256-gcm" as const,
    challenge: new Uint8Array(32),
    clientSecret: new Uint8Array(32).fill(1),
    serverSecret: new Uint8Array(32).fill(2),
  });
  const now = () => 0;
  return {
    server: new RecordCipher(keys(), { role: "server", now }),
    client: new RecordCipher(keys(), { role: "client", now }),
  };
}

Deno.test("a v2 writer seals what waits into one record, in order, and tells the bytes", async () => {
  const [link, { events, told }, { server, client }] = [new LiveLink(), reports(), ciphers()];
  const writer = openWriterV2({ connection: link, client: CLIENT, events }, server);
  writer.deliver(notice("one"));
  writer.deliver(new EncodedBurst([notice("two"), notice("three")]));
  await writer.drained();
  assert.equal(link.written.length, 1);
  const batches = new BatchReader();
  const seen: Event[] = [...new FrameReader().push(concatBytes(link.written))]
    .flatMap((record) => batches.push(client.open(record)).map(decodeEvent));
  assert.deepEqual(seen.map((event) => event.kind === "notice" && event.text), [
    "one",
    "two",
    "three",
  ]);
  assert.equal(told.written, link.written[0]?.length);
});

Deno.test("a buffer that is still being written is used by no other write, and afterwards it is", async () => {
  const [{ events }, slow, quick] = [reports(), new LiveLink(), new LiveLink()];
  const ended = Promise.withResolvers<void>();
  const inFlight: Uint8Array[] = [];
  slow.write = (bytes) => {
    inFlight.push(bytes);
    return ended.promise;
  };
  const [one, other] = [ciphers(), ciphers()];
  const slowWriter = openWriterV2({ connection: slow, client: CLIENT, events }, one.server);
  const quickWriter = openWriterV2({ connection: quick, client: CLIENT, events }, other.server);
  slowWriter.deliver(notice("s".repeat(2_000)));
  await turns();
  const before = inFlight[0]?.slice();
  quick.write = (bytes) => {
    inFlight.push(bytes);
    return Promise.resolve();
  };
  const write = async () => {
    quickWriter.deliver(notice("q".repeat(2_000)));
    await quickWriter.drained();
  };
  await write();
  await write();
  assert.deepEqual(inFlight[0], before);
  assert.equal(inFlight[1]?.buffer, inFlight[2]?.buffer);
  ended.resolve();
  await slowWriter.drained();
  assert.notEqual(inFlight[0]?.buffer, inFlight[1]?.buffer);
});

Deno.test("a v1 writer seals each in an envelope of its own, and leaves out what v1 has no message for", async () => {
  const [link, { events }] = [new LiveLink(), reports()];
  const key = new Uint8Array(32).fill(3);
  const writer = openWriterV1(
    { connection: link, client: CLIENT, events },
    new EnvelopeV1(key.slice()),
  );
  writer.deliver(notice("one"));
  writer.deliver(new EncodedEvent({ kind: "pong" }, "lobby"));
  writer.deliver(new EncodedBurst([notice("two"), notice("three")]));
  await writer.drained();
  const wire = new EnvelopeV1(key.slice());
  const seen = [...new FrameReader().push(concatBytes(link.written))].map((frame) =>
    wire.open(frame)
  );
  assert.deepEqual(seen.map((payload) => (payload as { message?: string }).message), [
    "one",
    "two",
    "three",
  ]);
});

Deno.test("a v1 writer seals a part of what waits for each write, and a v2 writer all of it", async () => {
  const count = 2 * OUTBOX_V1_WRITE_BODIES + 1;
  const writesOf = async (open: (link: LiveLink) => EventWriter) => {
    const link = new LiveLink();
    const writer = open(link);
    for (let n = 0; n < count; n++) writer.deliver(notice(`${n}`));
    await writer.drained();
    return link.written.map((bytes) => [...new FrameReader().push(bytes)].length);
  };
  const { events } = reports();
  const v1 = await writesOf((connection) =>
    openWriterV1({ connection, client: CLIENT, events }, new EnvelopeV1(new Uint8Array(32).fill(3)))
  );
  assert.deepEqual(v1, [OUTBOX_V1_WRITE_BODIES, OUTBOX_V1_WRITE_BODIES, 1]);
  const v2 = await writesOf((connection) =>
    openWriterV2({ connection, client: CLIENT, events }, ciphers().server)
  );
  assert.deepEqual(v2, [1]);
});

Deno.test("a client that does not read is disconnected, and that is reported once", async () => {
  const [link, { events, told }, { server }] = [new LiveLink(), reports(), ciphers()];
  link.write = () => new Promise(() => {});
  const writer = openWriterV2({ connection: link, client: CLIENT, events }, server);
  const text = "x".repeat(1_000);
  for (let n = 0; n < OUTBOX_MAX_BYTES / 1_000 + 200; n++) writer.deliver(notice(text));
  await turns();
  assert.deepEqual([told.slow, link.closed, events.budget.used], [1, true, 0]);
});

Deno.test("a connection that breaks closes its writer; after that nothing waits", async () => {
  const [link, { events, told }, { server }] = [new LiveLink(), reports(), ciphers()];
  const writer = openWriterV2({ connection: link, client: CLIENT, events }, server);
  link.close();
  writer.deliver(notice("lost"));
  await writer.drained();
  writer.deliver(notice("lost as well"));
  writer.close();
  writer.close();
  assert.deepEqual([events.budget.used, told.written, link.written.length], [0, 0, 0]);
});

/** A writer of either protocol over `link`, and the kinds of what it wrote. */
function writersOver(link: LiveLink, events: EventWriterEvents) {
  const { server, client } = ciphers();
  const key = new Uint8Array(32).fill(3);
  const options = { connection: link, client: CLIENT, events };
  const frames = () => [...new FrameReader().push(concatBytes(link.written))];
  return {
    v1: () => {
      const writer = openWriterV1(options, new EnvelopeV1(key.slice()));
      const wire = new EnvelopeV1(key.slice());
      const kinds = () =>
        frames().map((frame) => {
          const { type } = wire.open(frame) as { type?: string };
          return type === "file_chunk" ? "part" : "talk";
        });
      return { writer, kinds };
    },
    v2: () => {
      const writer = openWriterV2(options, server);
      const batches = new BatchReader();
      const kinds = () =>
        frames().flatMap((record) => batches.push(client.open(record)).map(decodeEvent))
          .map(({ kind }) => kind === "chunk" ? "part" : "talk");
      return { writer, kinds };
    },
  };
}

for (const version of ["v1", "v2"] as const) {
  Deno.test(`${version}: talk leaves before the parts of files that came first, and parts keep their order`, async () => {
    const [link, { events }] = [new LiveLink(), reports()];
    const { writer, kinds } = writersOver(link, events)[version]();
    for (let n = 0; n < 3; n++) assert.ok(writer.deliver(part(100)));
    for (let n = 0; n < 2; n++) assert.ok(writer.deliver(notice("hi")));
    await writer.drained();
    assert.deepEqual(kinds(), ["talk", "talk", "part", "part", "part"]);
  });

  Deno.test(`${version}: parts of files for which there is no room are refused, and cost no connection`, async () => {
    const [link, { events, told }] = [new LiveLink(), reports()];
    link.write = () => new Promise(() => {});
    const { writer } = writersOver(link, events)[version]();
    writer.deliver(notice("in flight"));
    await turns();
    const taken = Array.from(
      { length: 33 },
      () => writer.deliver(part(OUTBOX_BULK_MAX_BYTES / 32)),
    );
    assert.equal(taken.at(0), true);
    assert.equal(taken.at(-1), false);
    assert.ok(writer.deliver(notice("talk has its own room")));
    assert.deepEqual([told.slow, link.closed], [0, false]);
    writer.close();
    assert.equal(events.budget.used, 0);
  });
}
