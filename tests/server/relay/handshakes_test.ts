import assert from "node:assert/strict";
import { ClientHandshake } from "../../../shared/channel/handshake.ts";
import { HandshakeError } from "../../../shared/channel/handshake_error.ts";
import { generateIdentity } from "../../../shared/crypto/identity.ts";
import { generateRsaKeyPair } from "../../../shared/crypto/rsa.ts";
import { HANDSHAKE_DEADLINE_MS, HANDSHAKE_WORKER } from "../../../server/config/limits.ts";
import {
  type AskedBatch,
  packAnswered,
  packAsked,
  unpackAnswered,
  unpackAsked,
} from "../../../server/relay/handshake_batch.ts";
import { Handshakes } from "../../../server/relay/handshakes.ts";

const identity = await generateIdentity();
const rsa = await generateRsaKeyPair();
const many = () => HANDSHAKE_WORKER.waiting;

/** Waits for the worker, which loads its modules first. */
async function helped(handshakes: Handshakes): Promise<void> {
  const latest = performance.now() + 60_000;
  while (!handshakes.isHelped) {
    assert.ok(performance.now() < latest, "no worker came");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** One client's handshake; the server's and the client's keys. */
async function shakeHands(handshakes: Handshakes) {
  const client = await ClientHandshake.start({ rsa, expected: identity.fingerprint });
  const server = await handshakes.receive(client.firstMessage);
  return { server: server.keys, client: (await client.receive(server.answer)).keys };
}

Deno.test("where many handshakes wait, a worker computes them, and both sides have the same keys", async () => {
  const running = new AbortController();
  const handshakes = new Handshakes(identity, { waiting: many, processors: 2 });
  handshakes.run(running.signal);
  const first = await shakeHands(handshakes);
  assert.deepEqual(first.server, first.client);
  await helped(handshakes);
  const all = await Promise.all(Array.from({ length: 5 }, () => shakeHands(handshakes)));
  for (const { server, client } of all) assert.deepEqual(server, client);
  assert.ok(handshakes.isHelped);
  running.abort();
  assert.ok(!handshakes.isHelped);
});

Deno.test("what the worker refuses has the error that it has without one", async () => {
  const running = new AbortController();
  const handshakes = new Handshakes(identity, { waiting: many, processors: 2 });
  handshakes.run(running.signal);
  const { firstMessage } = await ClientHandshake.start({ rsa });
  const text = new TextDecoder().decode(firstMessage);
  const lowOrder = text.replace(/"x25519":"[^"]+"/, `"x25519":"${btoa("\0".repeat(32))}"`);
  const bad = [text.slice(1), text.replace('"versions":[2,2]', '"versions":[9,9]'), lowOrder];
  const errors = () =>
    Promise.all(bad.map((message) =>
      handshakes.receive(new TextEncoder().encode(message)).then(
        () => assert.fail("it was taken"),
        (error) => error,
      )
    ));
  const without = await errors();
  await helped(handshakes);
  assert.deepEqual(await errors(), without);
  assert.ok(without[0] instanceof HandshakeError);
  running.abort();
});

Deno.test("a worker that ends takes no handshake with it", async () => {
  const running = new AbortController();
  const handshakes = new Handshakes(identity, { waiting: many, processors: 2 });
  handshakes.run(running.signal);
  await shakeHands(handshakes);
  await helped(handshakes);
  const under = shakeHands(handshakes);
  running.abort();
  const { server, client } = await under;
  assert.deepEqual(server, client);
});

Deno.test("a worker that answers nothing is ended, and so is one that nobody asks anything", async () => {
  const { Worker, setInterval } = globalThis;
  let [now, ended, answers, asked] = [0, 0, false, 0];
  let look = () => {};
  globalThis.Worker = class {
    onmessage = (_: unknown) => {};
    postMessage(message: { identity: string } | AskedBatch) {
      if ("identity" in message) return this.onmessage({ data: { ready: true } });
      asked++;
      const refused = unpackAsked(message).map(({ id }) => ({ id, session: undefined }));
      if (answers) this.onmessage({ data: packAnswered(refused) });
    }
    terminate() {
      ended++;
    }
  } as unknown as typeof Worker;
  globalThis.setInterval = ((watch: () => void) => {
    look = watch;
  }) as unknown as typeof setInterval;
  try {
    const handshakes = new Handshakes(identity, { waiting: many, processors: 2, now: () => now });
    handshakes.run(new AbortController().signal);
    await shakeHands(handshakes);
    await helped(handshakes);
    const under = shakeHands(handshakes);
    while (asked === 0) await new Promise((resolve) => setTimeout(resolve));
    while (now < HANDSHAKE_DEADLINE_MS) {
      look();
      assert.equal(ended, 0);
      await new Promise((resolve) => setTimeout(resolve));
      now += HANDSHAKE_DEADLINE_MS / 4;
    }
    look();
    const { server, client } = await under;
    assert.deepEqual(server, client);
    assert.deepEqual([ended, handshakes.isHelped], [1, false]);
    answers = true;
    await shakeHands(handshakes);
    await helped(handshakes);
    await shakeHands(handshakes);
    now += HANDSHAKE_WORKER.idleMs - 1;
    look();
    assert.equal(ended, 1);
    now += 1;
    look();
    assert.equal(ended, 2);
  } finally {
    Object.assign(globalThis, { Worker, setInterval });
  }
});

Deno.test("where a crowd is expected, a worker is ready before it comes, and says what a handshake takes", async () => {
  const running = new AbortController();
  const told: number[] = [];
  const handshakes = new Handshakes(identity, {
    waiting: () => 0,
    onRehearsed: (tookMs) => told.push(tookMs),
    processors: 2,
  });
  handshakes.run(running.signal, { expectsCrowd: true });
  await helped(handshakes);
  assert.ok(told.length === 1 && told[0]! > 0 && told[0]! < 1_000, `${told}`);
  const { server, client } = await shakeHands(handshakes);
  assert.deepEqual(server, client);
  running.abort();
  // And not where the server has ended before.
  handshakes.run(AbortSignal.abort(), { expectsCrowd: true });
  await new Promise((resolve) => setTimeout(resolve, 2 * HANDSHAKE_WORKER.aheadAfterMs));
  assert.ok(!handshakes.isHelped);
});

Deno.test("a worker that was started ahead ends soon where no crowd comes, and stays where one did", async () => {
  const { Worker, setInterval } = globalThis;
  let [now, ended, looks] = [0, 0, () => {}];
  globalThis.Worker = class {
    onmessage = (_: unknown) => {};
    postMessage(message: { identity: string; rehearses: boolean } | AskedBatch) {
      if ("identity" in message) {
        const tookMs = message.rehearses ? 1 : undefined;
        return this.onmessage({ data: { ready: true, tookMs } });
      }
      const refused = unpackAsked(message).map(({ id }) => ({ id, session: undefined }));
      this.onmessage({ data: packAnswered(refused) });
    }
    terminate() {
      ended++;
    }
  } as unknown as typeof Worker;
  globalThis.setInterval = ((look: () => void) => {
    looks = look;
  }) as unknown as typeof setInterval;
  try {
    for (const comes of [false, true]) {
      ended = 0;
      const options = { waiting: () => 0, processors: 2, now: () => now };
      const handshakes = new Handshakes(identity, options);
      handshakes.run(new AbortController().signal, { expectsCrowd: true });
      await helped(handshakes);
      if (comes) await shakeHands(handshakes);
      now += HANDSHAKE_WORKER.aheadIdleMs - 1;
      looks();
      assert.equal(ended, 0);
      now += 1;
      looks();
      assert.equal(ended, comes ? 0 : 1);
      now += HANDSHAKE_WORKER.idleMs;
      looks();
      assert.equal(ended, 1);
    }
  } finally {
    Object.assign(globalThis, { Worker, setInterval });
  }
});

Deno.test("handshakes that begin in one turn share a message, of which nothing stays behind", async () => {
  const first = ["one", "three"].map((text) => new TextEncoder().encode(text));
  const asked = first.map((first, id) => ({ id, first }));
  // Parts of one buffer, of which the rest is not theirs.
  const whole = Uint8Array.from([...first[0]!, ...first[1]!, 7]);
  const parts = [whole.subarray(0, 3), whole.subarray(3, 8)];
  const batch = packAsked(parts.map((first, id) => ({ id, first })));
  assert.equal(batch.bytes.buffer.byteLength, 8);
  assert.deepEqual(unpackAsked(batch), asked);

  const handshakes = new Handshakes(identity, { waiting: () => 0 });
  const messages = await Promise.all([1, 2].map(() => ClientHandshake.start({ rsa })));
  const sessions = await Promise.all(messages.map((m) => handshakes.receive(m.firstMessage)));
  const before = structuredClone(sessions);
  const answered = packAnswered([
    { id: 5, session: sessions[0] },
    { id: 6, session: undefined },
    { id: 7, session: sessions[1] },
  ]);
  assert.deepEqual(unpackAnswered(answered), [
    { id: 5, session: before[0] },
    { id: 6, session: undefined },
    { id: 7, session: before[1] },
  ]);
  for (const { keys: { clientSecret, serverSecret, challenge } } of sessions) {
    for (const secret of [clientSecret, serverSecret, challenge]) {
      assert.ok(secret.every((byte) => byte === 0), "a secret was not wiped");
    }
  }
});

Deno.test("no worker starts for few handshakes, on one processor, or in a server that does not run", async () => {
  const running = new AbortController();
  const few = new Handshakes(identity, { waiting: () => many() - 1, processors: 2 });
  const alone = new Handshakes(identity, { waiting: many, processors: 1 });
  for (const handshakes of [few, alone]) handshakes.run(running.signal);
  const still = new Handshakes(identity, { waiting: many, processors: 2 });
  // Each of these would keep the test's process if it had started one.
  for (const handshakes of [few, alone, still]) {
    await shakeHands(handshakes);
    assert.ok(!handshakes.isHelped);
  }
});
