// What a sealed room goes through in life: many come at once, links break, people vanish, the server is restarted.
// Real sockets, a real server, real cryptography; the members live in this process, so that there can be many.

import assert from "node:assert/strict";
import { agreed, SealedMember } from "../../helpers/peers/sealed_member.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";

const NO_LIMIT = ["--rate-limit", "off", "--connection-rate", "off"];

function newSecret(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32));
}

async function dispose(members: readonly SealedMember[]): Promise<void> {
  await Promise.all(members.map((member) => member[Symbol.asyncDispose]()));
}

Deno.test("twelve people who come at once end up in one epoch, with one code, and hear each other", async () => {
  await using server = await startServer({ args: NO_LIMIT });
  const secret = newSecret();
  const names = Array.from({ length: 12 }, (_, n) => `p${n}`);
  const members = await Promise.all(names.map((name) => SealedMember.join(server, secret, name)));
  try {
    await agreed(members);
    await Promise.all(members.map((member) => member.say(`hello from ${member.name}`)));
    for (const member of members) {
      await member.until(() => member.texts.length === 12, "twelve hellos");
      assert.deepEqual(member.texts, members[0]?.texts, "one order for all");
    }
    const alarms = members.flatMap(({ notes }) => notes.filter((note) => !/^info/.test(note)));
    assert.deepEqual(alarms, []);
  } finally {
    await dispose(members);
  }
});

/** Alice, who makes the room, bob and a third one. */
async function joinThree(
  server: RunningServer,
  secret: ReturnType<typeof newSecret>,
  third: string,
): Promise<[SealedMember, SealedMember, SealedMember]> {
  return [
    await SealedMember.join(server, secret, "alice"),
    await SealedMember.join(server, secret, "bob"),
    await SealedMember.join(server, secret, third),
  ];
}

Deno.test("who vanishes is removed by another after the hold time, and is not in the next epoch", async () => {
  await using server = await startServer({ args: [...NO_LIMIT, "--hold", "1"] });
  const secret = newSecret();
  const [alice, bob, carol] = await joinThree(server, secret, "carol");
  try {
    await agreed([alice, bob, carol]);
    const { epoch } = alice.status;
    await carol.cut();
    await agreed([alice, bob]);
    assert.ok(alice.status.epoch > epoch);
    assert.ok(bob.events.some((event) => event.kind === "left" && event.name === "carol"));
    await alice.say("just us");
    await bob.until(() => bob.texts.includes("alice: just us"), "the message");
    await carol.connect(server);
    await agreed([alice, bob, carol]);
    assert.ok(!carol.texts.includes("alice: just us"));
  } finally {
    await dispose([alice, bob, carol]);
  }
});

Deno.test("over a link that drops 200 times every message arrives once, in order", async () => {
  await using server = await startServer({ args: NO_LIMIT });
  const secret = newSecret();
  const alice = await SealedMember.join(server, secret, "alice");
  const bob = await SealedMember.join(server, secret, "bob");
  try {
    await agreed([alice, bob]);
    const sent: string[] = [];
    for (let drop = 0; drop < 200; drop++) {
      const text = `message ${drop}`;
      sent.push(`alice: ${text}`);
      const request = alice.start(text);
      // Now and then before, while and after it is on its way.
      if (drop % 3 === 1) await new Promise((resolve) => setTimeout(resolve, drop % 7));
      if (drop % 3 === 2) await alice.until(() => alice.isAcknowledged(request), "the echo");
      await alice.cut();
      await alice.connect(server);
    }
    await bob.until(() => bob.texts.length >= 200, "200 messages");
    await alice.until(() => alice.texts.length >= 200, "200 echoes");
    assert.deepEqual(bob.texts, sent);
    assert.deepEqual(alice.texts, sent);
    await agreed([alice, bob]);
  } finally {
    await dispose([alice, bob]);
  }
});

Deno.test("the server restarted ten times in the middle of talk: one epoch, one code, every acknowledged message once and in order", async () => {
  const secret = newSecret();
  let server = await startServer({ args: NO_LIMIT });
  const members: SealedMember[] = [];
  for (const name of ["alice", "bob", "carol"]) {
    members.push(await SealedMember.join(server, secret, name));
  }
  const acknowledged: { who: SealedMember; text: string }[] = [];
  try {
    await agreed(members);
    for (let round = 0; round < 10; round++) {
      const asked = members.map((who) => {
        const text = `round ${round} of ${who.name}`;
        return { who, text, request: who.start(text) };
      });
      // In order, and without any.
      await server.stop(round % 2 === 0 ? "SIGTERM" : "SIGKILL");
      await Promise.all(members.map((member) => member.cut()));
      server = await startServer({ args: NO_LIMIT });
      await Promise.all(members.map((member) => member.connect(server)));
      await agreed(members);
      for (const { who, text, request } of asked) {
        await who.until(() => who.isAcknowledged(request), `the echo of ${text}`);
        acknowledged.push({ who, text });
      }
    }
    for (const member of members) {
      for (const { who, text } of acknowledged) {
        const line = `${who.name}: ${text}`;
        await member.until(() => member.texts.includes(line), line);
        assert.equal(member.texts.filter((each) => each === line).length, 1, line);
      }
      for (const { name } of members) {
        const own = member.texts.filter((line) => line.startsWith(`${name}: `));
        assert.deepEqual(own, own.toSorted((a, b) => roundOf(a) - roundOf(b)), `order of ${name}`);
      }
    }
    assert.equal(acknowledged.length, 30);
  } finally {
    await dispose(members);
    await server[Symbol.asyncDispose]();
  }
});

function roundOf(line: string): number {
  return Number(/round (\d+)/.exec(line)?.[1]);
}

Deno.test("whom the maker removes is out over a real relay, which asks nobody about its place any more", async () => {
  await using server = await startServer({ args: [...NO_LIMIT, "--hold", "1"] });
  const secret = newSecret();
  const [alice, bob, carol] = await joinThree(server, secret, "carol");
  try {
    await agreed([alice, bob, carol]);
    alice.ask({ kind: "kick", request: 1, whom: alice.numberOf("bob"), reason: "enough" });
    await bob.until(() => bob.status.phase === "out", "being out");
    await agreed([alice, carol]);
    for (const member of [alice, bob, carol]) {
      assert.ok(
        member.events.some((event) => event.kind === "moderated" && event.reason === "enough"),
        member.name,
      );
    }
    alice.ask({ kind: "lock", request: 2, locked: true });
    await carol.until(() => carol.status.locked, "the lock");
    // The relay's question about bob's place, if one were open, comes every five seconds and would make an epoch.
    await agreed([alice, carol]);
    const { epoch } = alice.status;
    for (let i = 0; i < 3; i++) await carol.say(`still here ${i}`);
    assert.equal(alice.status.epoch, epoch);
    await using again = new SealedMember(secret, "bob");
    await again.connect(server);
    await again.until(
      () => again.events.some((event) => event.kind === "shut" && /locked/.test(event.text)),
      "the refusal",
    );
    assert.equal(again.status.phase, "out");
    await agreed([alice, carol]);
  } finally {
    await dispose([alice, bob, carol]);
  }
});

Deno.test("a member that led the room nowhere while the others were away cannot keep them out of it", async () => {
  await using server = await startServer({ args: NO_LIMIT });
  const secret = newSecret();
  const [alice, bob, mallory] = await joinThree(server, secret, "mallory");
  try {
    await agreed([alice, bob, mallory]);
    await Promise.all([alice.cut(), bob.cut()]);
    // Nobody is here to vote against it.
    await mallory.commitGarbage();
    await mallory.cut();
    await alice.connect(server);
    await bob.connect(server);
    const refused = /A change of the room was refused/;
    for (const member of [alice, bob]) {
      await member.until(() => member.notes.some((note) => refused.test(note)), "the garbage");
    }
    await Promise.all([alice.skip(11_000), bob.skip(11_000)]);
    // Each asks the other in vain, and asks again.
    for (let i = 0; i < 40 && (alice.status.phase !== "in" || bob.status.phase !== "in"); i++) {
      await alice.skip(1_000);
      await bob.skip(1_000);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    await alice.until(() => alice.status.phase === "in", "being in again");
    await bob.until(() => bob.status.phase === "in", "being in again");
    assert.equal(alice.status.code, bob.status.code);
    await alice.say("here we are");
    await bob.until(() => bob.texts.includes("alice: here we are"), "the message");
    const told = [...alice.notes, ...bob.notes].filter((note) =>
      /Most members could not follow/.test(note)
    );
    assert.equal(told.length, 1);
  } finally {
    await dispose([alice, bob, mallory]);
  }
});
