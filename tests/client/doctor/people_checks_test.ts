// doctor and the files of people who are known again.

import assert from "node:assert/strict";
import { join } from "node:path";
import { checkPeople } from "../../../client/doctor/people_checks.ts";
import { deviceKeyText, writeDeviceKey } from "../../../client/people/device_key_file.ts";
import { deviceKeyOf } from "../../../shared/crypto/device_key.ts";

Deno.test("doctor looks at the device key and the known people that are in use, and says what is wrong", async () => {
  const folder = await Deno.makeTempDir();
  try {
    assert.deepEqual(await checkPeople({ device: undefined, known: undefined }), []);
    const [device, known] = [join(folder, "key"), join(folder, "known_people")];
    const key = deviceKeyOf(new Uint8Array(32).fill(1));
    await writeDeviceKey(device, await deviceKeyText(key));
    const good = await checkPeople({ device, known });
    assert.deepEqual(good.map(({ check, state }) => [check, state]), [
      ["device key", "ok"],
      ["known people", "ok"],
    ]);
    assert.match(good[0]?.text ?? "", /no passphrase, (?:\d{5} ){5}\d{5}$/);
    assert.match(good[1]?.text ?? "", /: 0 people$/);
    await Deno.chmod(device, 0o644);
    await Deno.writeTextFile(known, "nonsense");
    const bad = await checkPeople({ device, known });
    assert.deepEqual(bad.map(({ state }) => state), ["fail", "fail"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
