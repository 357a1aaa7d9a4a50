// The file of a device key: what is written, what is read, and what is refused.

import assert from "node:assert/strict";
import { join } from "node:path";
import {
  deviceKeyText,
  openDeviceKey,
  readDeviceKey,
  writeDeviceKey,
} from "../../../client/people/device_key_file.ts";
import { ConfigError, CryptoError } from "../../../shared/base/errors.ts";
import { deviceKeyOf, generateDeviceKey } from "../../../shared/crypto/device_key.ts";

const CHEAP = { memoryKib: 64, passes: 1, lanes: 1 };

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a key that was written is read again, for its owner alone, and never overwritten", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "device_key");
    const key = generateDeviceKey();
    await writeDeviceKey(path, await deviceKeyText(key));
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    assert.deepEqual(await readDeviceKey(path), { kind: "open", key });
    await assert.rejects(writeDeviceKey(path, "another"), (error: ConfigError) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /there is a file already, which is never overwritten/);
      return true;
    });
    assert.deepEqual(await readDeviceKey(path), { kind: "open", key });
    const link = join(folder, "link");
    await Deno.symlink(join(folder, "nowhere"), link);
    await assert.rejects(writeDeviceKey(link, "x"), /there is a file already/);
  });
});

Deno.test("a key under a passphrase opens with it, and with no other one", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "device_key");
    const key = deviceKeyOf(new Uint8Array(32).fill(5));
    const text = await deviceKeyText(key, "correct horse", CHEAP);
    assert.doesNotMatch(text, /BQUFBQUF/);
    await writeDeviceKey(path, text);
    const stored = await readDeviceKey(path);
    assert.equal(stored.kind, "sealed");
    if (stored.kind !== "sealed") return;
    assert.deepEqual(await openDeviceKey(stored.bytes, "correct horse"), key);
    await assert.rejects(openDeviceKey(stored.bytes, "correct hors"), CryptoError);
    // Each byte counts: of the cost, the salt, the nonce and the key.
    for (const at of [1, 5, 9, 10, 26, 38, 69, 85]) {
      const changed = stored.bytes.slice();
      changed[at] = (changed[at] as number) ^ 1;
      await assert.rejects(openDeviceKey(changed, "correct horse"), /device key/, String(at));
    }
    const costly = stored.bytes.slice();
    costly[2] = 0xff;
    await assert.rejects(openDeviceKey(costly, "correct horse"), /asks for more work than allowed/);
  });
});

Deno.test("a key's file that others may read, or that is something else, is refused and not repeated", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "device_key");
    await writeDeviceKey(path, await deviceKeyText(generateDeviceKey()));
    await Deno.chmod(path, 0o644);
    await assert.rejects(readDeviceKey(path), (error: ConfigError) => {
      assert.match(error.message, /every user of this machine may read or change it/);
      assert.equal(error.hint, `chmod 600 "${path}"`);
      return true;
    });
    const bad = [
      "",
      "secret-text",
      "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
      "-----BEGIN CMDCHAT DEVICE KEY-----\nAQ==\n-----END CMDCHAT DEVICE KEY-----\n",
      "x".repeat(5_000),
    ];
    for (const text of bad) {
      const other = join(folder, "other");
      await Deno.writeTextFile(other, text, { mode: 0o600 });
      await assert.rejects(readDeviceKey(other), (error: ConfigError) => {
        assert.ok(error instanceof ConfigError);
        assert.doesNotMatch(error.message, /secret-text/);
        return true;
      });
    }
    await assert.rejects(readDeviceKey(join(folder, "none")), /there is no such file/);
  });
});
