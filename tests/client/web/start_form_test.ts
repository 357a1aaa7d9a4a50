import assert from "node:assert/strict";
import { UsageError } from "../../../shared/base/errors.ts";
import { parseServer, readStart, serverUrl } from "../../../client/web/start_form.ts";

const FP = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U";

Deno.test("a served page knows its server; a link behind # brings the rest", () => {
  const bare = readStart(new URL("https://chat.example/"));
  assert.deepEqual([bare.link, bare.form.server, bare.form.served, bare.form.invited], [
    undefined,
    "wss://chat.example",
    true,
    false,
  ]);
  const { form, link } = readStart(
    new URL(`http://localhost:5050/#room=den&fp=${FP}&secret=${SECRET}`),
  );
  assert.deepEqual(
    [form.room, form.server, form.sealed, form.invited, link?.fingerprint],
    ["den", "ws://localhost:5050", true, true, `SHA256:${FP}`],
  );
});

Deno.test("a page from a file knows no server, and takes a whole link of either kind", () => {
  const bare = readStart(new URL("file:///tmp/page.html"));
  assert.deepEqual([bare.form.server, bare.form.served], ["", false]);
  for (
    const link of [
      `https://chat.example/#room=den&fp=${FP}`,
      `cmdchat://chat.example:443/den?wss#fp=${FP}`,
    ]
  ) {
    for (const written of [link, encodeURIComponent(link)]) {
      const { form } = readStart(new URL(`file:///tmp/page.html#${written}`));
      assert.deepEqual([form.room, form.server, form.served], [
        "den",
        "wss://chat.example:443",
        false,
      ]);
    }
  }
});

Deno.test("a link that is none is refused, and nothing of it is repeated", () => {
  for (const fragment of ["secret=short", "room=a&room=b", "x", "fp=1"]) {
    assert.throws(
      () => readStart(new URL(`https://chat.example/#${fragment}`)),
      (error) => error instanceof UsageError && !error.message.includes("short"),
      fragment,
    );
  }
  for (const fragment of ["cmdchat%3A%2F%2Fchat.example%2F%E0", "https%3A%"]) {
    assert.throws(() => readStart(new URL(`file:///tmp/page.html#${fragment}`)), UsageError);
  }
});

Deno.test("a typed server is an address with a scheme or without", () => {
  const read = (typed: string) => serverUrl(parseServer(typed));
  assert.equal(read("chat.example"), "wss://chat.example:443");
  assert.equal(read(" ws://localhost:5050 "), "ws://localhost:5050");
  assert.equal(read("wss://[::1]:7443/"), "wss://[::1]:7443");
  for (
    const wrong of ["", "https://a", "wss://u:p@a", "wss://a/path", "wss://a?x", "wss://a#x", "a b"]
  ) {
    assert.throws(() => parseServer(wrong), UsageError, wrong);
  }
});
