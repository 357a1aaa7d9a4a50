import assert from "node:assert/strict";
import {
  looksLegacy,
  openLegacyEnvelope,
  parseLegacyEnvelope,
} from "../../../client/history/legacy_history.ts";
import vectors from "../../vectors/v1.json" with { type: "json" };
import { sealLegacy } from "../../helpers/fakes/history.ts";

const { file, passphrase } = vectors.history_v1;
const fileBytes = new TextEncoder().encode(JSON.stringify(file));

Deno.test("the old file of the test vectors opens with its passphrase", async () => {
  assert.ok(looksLegacy(fileBytes));
  const content = await openLegacyEnvelope(parseLegacyEnvelope(fileBytes)!, passphrase);
  const time = "2026-11-23T18:00:00.123456Z";
  assert.deepEqual(content, {
    entries: [
      { kind: "chat", time, room: "lobby", sender: "bob", text: "hi", sequence: 1, client_id: 2 },
      { kind: "system", time, room: "lobby", text: "bob joined the chat.", client_id: 2 },
    ],
    skipped: 0,
  });
});

Deno.test("an old file does not open with another passphrase or a changed bit", async () => {
  const envelope = parseLegacyEnvelope(fileBytes)!;
  assert.equal(await openLegacyEnvelope(envelope, "correct horsE"), undefined);
  for (const part of ["salt", "nonce", "ciphertext"] as const) {
    const changed = envelope[part].slice();
    changed[0]! ^= 1;
    assert.equal(await openLegacyEnvelope({ ...envelope, [part]: changed }, passphrase), undefined);
  }
});

Deno.test("what is no message is counted, what has no usable time keeps its place", async () => {
  const payloads = [
    {
      type: "chat",
      message: "a",
      sender: "x",
      room: "r",
      timestamp: "2026-01-02T03:04:05Z",
      kind: 7,
    },
    { type: "ping", timestamp: "2026-01-02T03:04:05Z" },
    { type: "chat", message: "b", sender: "x", room: "r", timestamp: "yesterday" },
    { type: "file_init", filename: "log.txt", filesize: 5, sender: "x", room: "r" },
    { type: "chat", message: "c", sender: "x", room: "r", timestamp: "2026-01-02T05:04:05+02:00" },
    "nonsense",
  ];
  const content = await openLegacyEnvelope(await sealLegacy(payloads, "p"), "p");
  assert.equal(content?.skipped, 2);
  assert.deepEqual(content?.entries.map(({ kind, time, text }) => [kind, time, text]), [
    ["chat", "2026-01-02T03:04:05Z", "a"],
    ["chat", "2026-01-02T03:04:05Z", "b"],
    ["file", "2026-01-02T03:04:05Z", "log.txt"],
    ["chat", "2026-01-02T03:04:05.000Z", "c"],
  ]);
});

Deno.test("parseLegacyEnvelope() refuses what is no old file", () => {
  const wrong = [
    "{}",
    "[]",
    "{",
    JSON.stringify({ ...file, nonce: "AAAA" }),
    JSON.stringify({ ...file, salt: "not base64!" }),
    JSON.stringify({ ...file, ciphertext: "AAAA" }),
    JSON.stringify({ salt: file.salt, nonce: file.nonce }),
  ];
  for (const text of wrong) {
    assert.equal(parseLegacyEnvelope(new TextEncoder().encode(text)), undefined, text);
  }
});
