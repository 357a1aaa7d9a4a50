// `keygen`: what it writes, and what it refuses before it asks for anything.

import assert from "node:assert/strict";
import { join } from "node:path";
import { runKeygen } from "../../../client/headless/keygen.ts";
import { openDeviceKey, readDeviceKey } from "../../../client/people/device_key_file.ts";

const PASSPHRASE = "correct horse";

function call(args: readonly string[], variables: Record<string, string> = {}): Promise<number> {
  return runKeygen({ args: [...args], env: (name) => variables[name], readLine: () => "" });
}

Deno.test("keygen writes a key under the passphrase of the variable, beside the settings unless told", async () => {
  const home = await Deno.makeTempDir();
  try {
    assert.equal(await call([], { HOME: home, CMDCHAT_DEVICE_KEY_PASSPHRASE: PASSPHRASE }), 0);
    const path = join(home, ".config", "cmdchat", "device_key");
    const stored = await readDeviceKey(path);
    assert.equal(stored.kind, "sealed");
    if (stored.kind === "sealed") await openDeviceKey(stored.bytes, PASSPHRASE);
    const before = await Deno.readTextFile(path);
    await assert.rejects(
      call([], { HOME: home, CMDCHAT_DEVICE_KEY_PASSPHRASE: PASSPHRASE }),
      /there is a file already, which is never overwritten/,
    );
    assert.equal(await Deno.readTextFile(path), before);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("keygen refuses two files, a folder that is not there, and no home", async () => {
  const key = { CMDCHAT_DEVICE_KEY_PASSPHRASE: PASSPHRASE };
  await assert.rejects(call(["one", "two"], key), /keygen takes one FILE/);
  await assert.rejects(call(["-"], key), /Cannot write the device key to standard output/);
  await assert.rejects(call(["/nowhere/at/all/key"], key), /its folder does not exist/);
  await assert.rejects(call([], key), /there is no home folder/);
});
