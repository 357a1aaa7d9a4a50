// What a server knows after a conversation in a sealed room: its whole memory is searched for it, and so is all that
// went over the wire.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { deriveRoomKeys } from "../../../client/mls/room_keys.ts";
import { encodeBase64Url } from "../../../shared/base/base64.ts";
import { ridOf } from "../../../shared/messages/attach_proof.ts";
import { foundInBytes, foundInMemory } from "../../helpers/programs/process_memory.ts";
import { RecordingProxy } from "../../helpers/hostile/recording_proxy.ts";
import { agreed, SealedMember } from "../../helpers/peers/sealed_member.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipUnless } from "../../helpers/repo/skip.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const testLinux = skipUnless(Deno.build.os === "linux", "memory is read through /proc");

// Words that stand nowhere else, not even in this file in one piece.
const word = (...parts: string[]) => parts.join("");
const WORDS = {
  "alice's words": word("quagmire", "-periwinkle", "-714"),
  "bob's words": word("obelisk", "-tangerine", "-208"),
};
const NAMES = { "alice's name": word("Zeb", "ulonia"), "bob's name": word("Quor", "inthia") };

/** A conversation with a file over `port`. Gives all that nobody else may have of it. */
async function converse(port: number): Promise<Record<string, string | Uint8Array>> {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  await using alice = await SealedMember.join({ port }, secret, NAMES["alice's name"]);
  await using bob = await SealedMember.join({ port }, secret, NAMES["bob's name"]);
  await agreed([alice, bob]);
  for (let i = 0; i < 5; i++) {
    await alice.say(`${WORDS["alice's words"]} ${i}`);
    await bob.say(`${WORDS["bob's words"]} ${i}`);
  }
  await alice.until(() => alice.texts.length === 10, "all that was said");
  const content = new Uint8Array(randomBytes(200_000));
  const fileName = word("holiday", "-in-", "zanzibar.jpg");
  await alice.sendFile(fileName, content, bob);
  const keys = deriveRoomKeys(secret);
  return {
    ...WORDS,
    ...NAMES,
    "a file's name": fileName,
    "the room code": alice.status.code,
    "a file's first bytes": content.slice(0, 32),
    "a file's last bytes": content.slice(-32),
    "the secret": secret,
    "the secret in the link": encodeBase64Url(secret),
    "the envelope key": keys.envelope,
    "the admission key": keys.admission,
  };
}

testLinux(
  "a server's memory holds no word, no name, no file and no secret of a sealed room",
  async () => {
    await using server = await startServer();
    assert.deepEqual(await foundInMemory(server.pid, await converse(server.port)), []);
  },
);

Deno.test("without TLS the wire shows nothing of a sealed room either, not even which one it is", async () => {
  await using server = await startServer();
  await using proxy = new RecordingProxy(server.port);
  const needles = await converse(proxy.port);
  const rid = ridOf(deriveRoomKeys(needles["the secret"] as Uint8Array).attach.publicKey);
  const { recorded } = proxy;
  assert.ok(recorded.length > 200_000, `${recorded.length} bytes`);
  // The handshake is in the clear: what is there is found.
  assert.deepEqual(
    foundInBytes(recorded, { ...needles, "the rid": rid, "the handshake": "handshake" }),
    ["the handshake"],
  );
});

testLinux(
  "the search of a server's memory finds what is there: a plain room's words, names, and a sealed room's number",
  async () => {
    await using server = await startServer();
    const plain = { ...WORDS, "alice's name": NAMES["alice's name"] };
    const hello = { name: NAMES["alice's name"] };
    await using peer = await V2Peer.join({ port: server.port, hello });
    await peer.say(plain["alice's words"]);
    await peer.say(plain["bob's words"]);
    await peer.until("chat", ({ text }) => text === plain["bob's words"]);
    const secret = crypto.getRandomValues(new Uint8Array(32));
    await using member = await SealedMember.join(server, secret, "nobody");
    const rid = ridOf(deriveRoomKeys(secret).attach.publicKey);
    const found = await foundInMemory(server.pid, { ...plain, "the rid": rid });
    assert.deepEqual(found, ["alice's name", "alice's words", "bob's words", "the rid"]);
    assert.equal(member.status.phase, "in");
    assert.ok(Buffer.from(rid).length === 16);
  },
);
