import assert from "node:assert/strict";
import { readTlsSettings } from "../../../client/net/tls_trust.ts";
import { ConfigError } from "../../../shared/base/errors.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

function settings(options: { tls?: boolean; "ca-file"?: string; "tls-insecure"?: boolean }) {
  return readTlsSettings({ tls: false, "ca-file": undefined, "tls-insecure": false, ...options });
}

Deno.test("TLS is off unless one of its options asks for it", async () => {
  assert.equal(await settings({}), undefined);
  assert.deepEqual(await settings({ tls: true }), { caCerts: [], insecure: false });
  assert.deepEqual(await settings({ "tls-insecure": true }), { caCerts: [], insecure: true });
});

Deno.test("--ca-file gives every certificate of the file and implies TLS", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, `about\n${PEM}between\n${PEM}`);
    const tls = await settings({ "ca-file": path });
    assert.equal(tls?.caCerts.length, 2);
    await Deno.writeTextFile(path, "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n");
    await assert.rejects(settings({ "ca-file": path }), /it holds no certificate in PEM/);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("--ca-file that is missing, a folder or too large is one clear error", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await assert.rejects(settings({ "ca-file": `${folder}/none` }), /there is no such file/);
    await assert.rejects(settings({ "ca-file": folder }), /it is a folder/);
    await Deno.writeFile(`${folder}/big`, new Uint8Array(4_194_305));
    await assert.rejects(settings({ "ca-file": `${folder}/big` }), ConfigError);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
