import assert from "node:assert/strict";
import { openPeople } from "../../../client/app/open_people.ts";
import type { ChatConsole } from "../../../client/console/console.ts";
import { deviceKeyText, writeDeviceKey } from "../../../client/people/device_key_file.ts";
import { generateDeviceKey } from "../../../shared/crypto/device_key.ts";

Deno.test("a passphrase for a device key that has none is told to have no effect", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeDeviceKey(`${folder}/key`, await deviceKeyText(generateDeviceKey()));
    const printed: string[] = [];
    const console = { print: (text: string) => printed.push(text) } as unknown as ChatConsole;
    const open = async (passphraseFile: string | undefined) => {
      const config = {
        "device-key": `${folder}/key`,
        "device-key-passphrase-file": passphraseFile,
        "known-people": `${folder}/people`,
      };
      const { device } = await openPeople(config, { console, canAsk: false, isPerson: true });
      assert.ok(device !== undefined);
    };
    await open(undefined);
    assert.deepEqual(printed, []);
    await open(`${folder}/passphrase`);
    assert.match(printed.join("\n"), /^warning: --device-key-passphrase-file has no effect: .*$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
