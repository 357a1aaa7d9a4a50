import assert from "node:assert/strict";
import {
  createHeader,
  HEAD_BYTES,
  HEADER_BYTES,
  isAuthenticHead,
  openBody,
  parseHead,
  parseHeader,
  sealRecord,
  TAG_BYTES,
  unlockHeader,
} from "../../../client/history/history_format.ts";
import { CHEAP } from "../../helpers/fakes/history.ts";

const COST = CHEAP.unsafeTestOnlyCost;
const PLACE = { index: 0, offset: HEADER_BYTES };

Deno.test("a header is read back with its cost, and opens with its passphrase alone", async () => {
  const { bytes, keys } = await createHeader("secret", COST);
  const header = parseHeader(bytes);
  assert.ok(typeof header !== "string");
  assert.deepEqual(header.cost, COST);
  assert.deepEqual((await unlockHeader(header, "secret"))?.bodyKey, keys.bodyKey);
  assert.equal(await unlockHeader(header, "Secret"), undefined);
});

Deno.test("parseHeader() names what is wrong before anything is derived", async () => {
  const { bytes } = await createHeader("secret", COST);
  const cases: [number, number, string][] = [
    [0, 0x00, "foreign"],
    [15, 0x00, "foreign"],
    [17, 2, "version"],
    [16, 1, "version"],
    [18, 2, "version"],
    [19, 0, "bounds"],
    [19, 255, "bounds"],
    [20, 0xff, "bounds"],
    [24, 0x01, "bounds"],
    [27, 0, "bounds"],
  ];
  for (const [offset, value, fault] of cases) {
    const changed = bytes.slice();
    changed[offset] = value;
    assert.equal(parseHeader(changed), fault, `byte ${offset}`);
  }
  assert.equal(parseHeader(bytes.slice(0, HEADER_BYTES - 1)), "foreign");
});

Deno.test("every byte of a header is bound to the passphrase by the key check", async () => {
  const { bytes } = await createHeader("secret", COST);
  for (let offset = 0; offset < HEADER_BYTES; offset++) {
    const changed = bytes.slice();
    changed[offset]! ^= 1;
    const header = parseHeader(changed);
    if (typeof header === "string") continue;
    assert.equal(await unlockHeader(header, "secret"), undefined, `byte ${offset}`);
  }
});

Deno.test("a record opens at its place only", async () => {
  const { keys } = await createHeader("secret", COST);
  const plaintext = new TextEncoder().encode("hello");
  const record = await sealRecord(keys, PLACE, plaintext);
  const head = parseHead(record.slice(0, HEAD_BYTES));
  const body = record.slice(HEAD_BYTES);
  assert.equal(head.bodyLength, plaintext.length + TAG_BYTES);
  assert.deepEqual(new Uint8Array(openBody(keys, PLACE, { head, body })!), plaintext);
  assert.ok(await isAuthenticHead(keys, PLACE, head));
  for (const elsewhere of [{ ...PLACE, index: 1 }, { ...PLACE, offset: PLACE.offset + 1 }]) {
    assert.equal(openBody(keys, elsewhere, { head, body }), undefined);
    assert.equal(await isAuthenticHead(keys, elsewhere, head), false);
  }
});

Deno.test("nonces are unique, also where the same place is written again and again", async () => {
  const { keys } = await createHeader("secret", COST);
  const nonces = new Set<string>();
  for (let index = 0; index < 2_000; index++) {
    const record = await sealRecord(keys, index % 2 ? PLACE : { index, offset: 76 + index }, PLAIN);
    nonces.add(record.slice(4, 16).join());
  }
  assert.equal(nonces.size, 2_000);
});

Deno.test("two files under one passphrase share no key", async () => {
  const [one, two] = [await createHeader("secret", COST), await createHeader("secret", COST)];
  assert.notDeepEqual(one.keys.bodyKey, two.keys.bodyKey);
  assert.notDeepEqual(one.keys.headerHash, two.keys.headerHash);
});

const PLAIN = new TextEncoder().encode("the same text");
