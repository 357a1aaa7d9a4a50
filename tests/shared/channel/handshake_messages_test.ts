import assert from "node:assert/strict";
import { encodeBase64 } from "../../../shared/base/base64.ts";
import { HandshakeError } from "../../../shared/channel/handshake_error.ts";
import {
  type ClientHello,
  commonVersion,
  decodeClientHello,
  decodeServerHello,
  encodeClientHello,
  encodeRefusal,
  encodeServerHello,
  offersV2,
  type ServerHello,
  versionError,
} from "../../../shared/channel/handshake_messages.ts";

const CLIENT: ClientHello = {
  versions: [2, 2],
  aeads: ["aes-256-gcm", "chacha20-poly1305"],
  x25519: new Uint8Array(32).fill(1),
  mlkem768: new Uint8Array(1_184).fill(2),
  rsaPem: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
};
const SERVER: ServerHello = {
  version: 2,
  aead: "aes-256-gcm",
  x25519: new Uint8Array(32).fill(3),
  mlkem768: new Uint8Array(1_088).fill(4),
  identity: new Uint8Array(32).fill(5),
  signature: new Uint8Array(64).fill(6),
  encryptedKey: new Uint8Array(256).fill(7),
};
const utf8 = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

Deno.test("both handshake messages are read as they were written", () => {
  assert.deepEqual(decodeClientHello(encodeClientHello(CLIENT)), CLIENT);
  assert.deepEqual(decodeServerHello(encodeServerHello(SERVER)), SERVER);
});

Deno.test("unknown fields and unknown ciphers of a later version are passed over", () => {
  const message = {
    type: "handshake",
    public_key: CLIENT.rsaPem,
    later: 1,
    v2: {
      versions: [2, 9],
      aeads: ["later-cipher", "aes-256-gcm"],
      x25519: encodeBase64(CLIENT.x25519),
      mlkem768: encodeBase64(CLIENT.mlkem768),
      later: {},
    },
  };
  const hello = decodeClientHello(utf8(message));
  assert.deepEqual(hello.aeads, ["aes-256-gcm"]);
  assert.deepEqual(hello.versions, [2, 9]);
  assert.equal(commonVersion(hello.versions), 2);
});

Deno.test("offersV2() is true for every handshake that has the field, and for nothing else", () => {
  const yes = [{ type: "handshake", v2: {} }, { type: "handshake", v2: null }];
  const no = [
    { type: "handshake" },
    { type: "handshake_ok", v2: {} },
    { v2: {} },
    [{ type: "handshake", v2: {} }],
    null,
    "handshake",
    5,
  ];
  for (const message of yes) assert.equal(offersV2(message), true);
  for (const message of no) assert.equal(offersV2(message), false);
  // An own field is asked for: a prototype cannot lend it.
  assert.equal(offersV2(JSON.parse('{"type":"handshake","__proto__":{"v2":{}}}')), false);
});

Deno.test("versionError() names both ranges and says who must be updated", () => {
  const cases = [
    ["server", [2, 3], [1, 1], "server speaks 2 to 3, this client 1", "update the client"],
    ["server", [2, 2], [3, 4], "server speaks 2, this client 3 to 4", "update the server"],
    ["client", [3, 4], [2, 2], "client speaks 3 to 4, this server 2", "update the server"],
    ["client", [1, 1], [2, 2], "client speaks 1, this server 2", "update the client"],
  ] as const;
  for (const [peer, theirs, ours, words, hint] of cases) {
    const error = versionError(peer, theirs, ours);
    assert.equal(error.message, `Cannot open a session: ${words}`);
    assert.equal(error.hint, hint);
    assert.equal(error.failure, "version");
  }
});

Deno.test("encodeRefusal() tells a client why, and which versions it would have taken", () => {
  const failure = (payload: Uint8Array) => {
    try {
      return decodeServerHello(payload);
    } catch (error) {
      assert.ok(error instanceof HandshakeError);
      return `${error.failure}: ${error.message}`;
    }
  };
  assert.equal(
    failure(encodeRefusal("unusable_keys")),
    "refused: Cannot open a session: the server refused, the key shares cannot be used",
  );
  assert.equal(
    failure(encodeRefusal("unsupported_version", [3, 4])),
    "version: Cannot open a session: server speaks 3 to 4, this client 2",
  );
  assert.equal(
    failure(utf8({ type: "handshake_error", reason: "\x1b[2J", v2: { versions: [2, 2] } })),
    "refused: Cannot open a session: the server refused, it gave no known reason",
  );
});
