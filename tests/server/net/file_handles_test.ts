import assert from "node:assert/strict";
import { fileHandlesLeft } from "../../../server/net/file_handles.ts";
import { skipIf } from "../../helpers/repo/skip.ts";
import { whyMissing } from "../../helpers/repo/system_needs.ts";

const test = skipIf(
  Deno.build.os === "linux" ? whyMissing("prlimit") : "limits are set as Linux does",
);

Deno.test("there are handles left now", () => {
  assert.equal(fileHandlesLeft(), true);
});

test("fileHandlesLeft() is false when the process may open nothing more, and true again after a close", async () => {
  const script = `
    import { fileHandlesLeft } from ${
    JSON.stringify(new URL("../../../server/net/file_handles.ts", import.meta.url).href)
  };
    const files = [];
    try {
      for (;;) files.push(Deno.openSync("/dev/null"));
    } catch { /* That is what was wanted. */ }
    const none = fileHandlesLeft();
    files.pop().close();
    console.log(none, fileHandlesLeft());
  `;
  const { stdout, stderr } = await new Deno.Command("prlimit", {
    args: [
      "--nofile=200",
      Deno.execPath(),
      "run",
      "--no-check",
      "--allow-read",
      `data:application/typescript,${encodeURIComponent(script)}`,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  assert.equal(decoder.decode(stdout), "false true\n", decoder.decode(stderr));
});
