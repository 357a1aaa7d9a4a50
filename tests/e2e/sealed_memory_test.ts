// What a server knows after a conversation in a sealed room: its whole memory is searched for it, and so is all that
// went over the wire.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { deriveRoomKeys } from "../../client/sealed/room_keys.ts";
import { encodeBase64Url } from "../../shared/base64.ts";
import { ridOf } from "../../shared/sealed_attach.ts";
import { foundInMemory } from "../helpers/process_memory.ts";
import { agreed, SealedMember } from "../helpers/sealed_member.ts";
import { startServer } from "../helpers/server_process.ts";
import { skipUnless } from "../helpers/skip.ts";
import { V2Peer } from "../helpers/v2_peer.ts";

const testLinux = skipUnless(Deno.build.os === "linux", "memory is read through /proc");

// Words that stand nowhere else, not even in this file in one piece.
const word = (...parts: string[]) => parts.join("");
const WORDS = {
  "alice's words": word("quagmire", "-periwinkle", "-714"),
  "bob's words": word("obelisk", "-tangerine", "-208"),
};
const NAMES = { "alice's name": word("Zeb", "ulonia"), "bob's name": word("Quor", "inthia") };

testLinux(
  "a server's memory holds no word, no name, no file and no secret of a sealed room",
  async () => {
    await using server = await startServer();
    const secret = crypto.getRandomValues(new Uint8Array(32));
    const alice = await SealedMember.join(server, secret, NAMES["alice's name"]);
    const bob = await SealedMember.join(server, secret, NAMES["bob's name"]);
    await using _ = alice;
    await using __ = bob;
    await agreed([alice, bob]);
    for (let i = 0; i < 5; i++) {
      await alice.say(`${WORDS["alice's words"]} ${i}`);
      await bob.say(`${WORDS["bob's words"]} ${i}`);
    }
    await alice.until(() => alice.texts.length === 10, "all that was said");
    const content = new Uint8Array(randomBytes(200_000));
    const file = { "a file's name": word("holiday", "-in-", "zanzibar.jpg") };
    await alice.sendFile(file["a file's name"], content, 1);
    const keys = deriveRoomKeys(secret);
    const secrets = {
      "a file's first bytes": content.slice(0, 32),
      "a file's last bytes": content.slice(-32),
      "the secret": secret,
      "the secret in the link": encodeBase64Url(secret),
      "the envelope key": keys.envelope,
      "the admission key": keys.admission,
    };
    const code = alice.status.code;
    assert.deepEqual(
      await foundInMemory(server.pid, {
        ...WORDS,
        ...NAMES,
        ...file,
        ...secrets,
        "the room code": code,
      }),
      [],
    );
  },
);

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
