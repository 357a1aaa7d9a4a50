import assert from "node:assert/strict";
import { encodeBase64 } from "../../../shared/base/base64.ts";
import { CmdchatError, LimitError } from "../../../shared/base/errors.ts";
import { HandshakeError } from "../../../shared/channel/handshake_error.ts";
import {
  aeadField,
  aeadsField,
  bytesField,
  decodeObject,
  isObject,
  objectField,
  textField,
  versionField,
  versionsField,
  wrappedKeyField,
} from "../../../shared/channel/handshake_fields.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const base64 = (size: number) => encodeBase64(new Uint8Array(size));
const STRANGE = [undefined, null, true, 5, 1.5, "SECRETS", [], ["SECRETS"], {}];

/** Every reader with a value that it takes. */
const READERS: Readonly<Record<string, { read: (value: unknown) => unknown; good: unknown }>> = {
  objectField: { read: (f) => objectField({ f }, "f"), good: {} },
  textField: { read: (f) => textField({ f }, "f"), good: "text" },
  bytesField: { read: (f) => bytesField({ f }, "f", 32), good: base64(32) },
  wrappedKeyField: {
    read: (encrypted_key) => wrappedKeyField({ encrypted_key }),
    good: base64(256),
  },
  versionsField: { read: (versions) => versionsField({ versions }), good: [1, 65_535] },
  versionField: { read: (version) => versionField({ version }), good: 2 },
  aeadsField: { read: (aeads) => aeadsField({ aeads }), good: ["x", "aes-256-gcm"] },
  aeadField: { read: (aead) => aeadField({ aead }), good: "aes-256-gcm" },
};

for (const [name, { read, good }] of Object.entries(READERS)) {
  Deno.test(`${name}() takes its type and refuses all others without repeating them`, () => {
    read(good);
    const kind = (value: unknown) => Array.isArray(value) ? "array" : typeof value;
    for (const value of STRANGE.filter((strange) => kind(strange) !== kind(good))) {
      if (name === "objectField" && isObject(value)) continue;
      assert.throws(() => read(value), (error) => {
        assert.ok(error instanceof HandshakeError);
        assert.equal(error.failure, "field");
        assert.match(error.message, /^Cannot read the handshake field "[\w.]+": it must be /);
        assert.ok(!error.message.includes("SECRETS"));
        return true;
      });
    }
  });
}

Deno.test("bytesField() wants exactly the bytes, in the one spelling of base64", () => {
  const read = (f: string) => bytesField({ f }, "f", 32);
  assert.deepEqual(read(base64(32)), new Uint8Array(32));
  const faults = [base64(31), base64(33), "", ` ${base64(32)}`, base64(32).replace("=", "")];
  for (const text of [...faults, base64(32).replace("A=", "B="), base64(32).replace("A", "_")]) {
    assert.throws(() => read(text), HandshakeError, text);
  }
});

Deno.test("wrappedKeyField() takes the sizes of RSA keys from 2,048 to 4,096 bits", () => {
  for (const size of [256, 384, 512]) {
    assert.equal(wrappedKeyField({ encrypted_key: base64(size) }).length, size);
  }
  for (const size of [0, 255, 513]) {
    assert.throws(() => wrappedKeyField({ encrypted_key: base64(size) }), HandshakeError);
  }
});

Deno.test("aeadsField() keeps the client's order and looks at no more than 8", () => {
  const aeads = ["later", "aes-256-gcm", "chacha20-poly1305"];
  assert.deepEqual(aeadsField({ aeads }), ["aes-256-gcm", "chacha20-poly1305"]);
  const nine = Array.from({ length: 9 }, () => "aes-256-gcm");
  assert.throws(() => aeadsField({ aeads: nine }), HandshakeError);
  assert.equal(aeadsField({ aeads: nine.slice(1) }).length, 8);
});

Deno.test("decodeObject() reads an object of at most 8,192 bytes and nothing else", () => {
  const object = (length: number) => utf8(`{"a":"${"x".repeat(length - 8)}"}`);
  assert.equal(object(8_192).length, 8_192);
  assert.ok(isObject(decodeObject(object(8_192))));
  assert.throws(() => decodeObject(object(8_193)), LimitError);
  const faults = ["", "{", "[]", "null", "5", '"x"', "{} {}", "\ufeff{}", "[".repeat(8_000)];
  for (const text of faults) {
    assert.throws(() => decodeObject(utf8(text)), { failure: "frame" }, text.slice(0, 9));
  }
  assert.throws(() => decodeObject(Uint8Array.of(0x7b, 0xff, 0x7d)), { failure: "frame" });
});

Deno.test("decodeObject() keeps the peer's text out of the error and its cause", () => {
  try {
    decodeObject(utf8("SECRETS"));
    assert.fail("it was read");
  } catch (error) {
    assert.ok(error instanceof CmdchatError);
    assert.ok(!`${error.message}${error.cause}${error.stack}`.includes("SECRETS"));
  }
});
