import assert from "node:assert/strict";
import { documentedCertificateLine, makeCertificate } from "../../helpers/system/certificates.ts";
import { findCompileBase } from "../../helpers/programs/executables.ts";
import { runProgram } from "../../helpers/programs/programs.ts";
import { skipIf, skipWithout } from "../../helpers/repo/skip.ts";
import { whyMissing } from "../../helpers/repo/system_needs.ts";
import { talkOverTls } from "../../helpers/programs/tls_talk.ts";

const base = await findCompileBase();
const olderCli = "environment" in base ? base.environment["DENO_COMPILE"] : undefined;

const test = skipWithout("openssl");
const olderTest = skipIf(
  whyMissing("openssl") ?? (olderCli === undefined ? "there is no older runtime here" : undefined),
);

test("the documented openssl line makes a certificate that a client takes by address", async () => {
  await using made = await makeCertificate();
  assert.equal(await talkOverTls({ ...made, hostname: "127.0.0.1" }), "hello");
});

test("the documented openssl line makes a certificate that a client takes by name", async () => {
  await using made = await makeCertificate();
  assert.equal(await talkOverTls({ ...made, hostname: "localhost" }), "hello");
});

olderTest(
  "the documented openssl line makes a certificate that the oldest supported runtime takes",
  async () => {
    await using made = await makeCertificate();
    const script = new URL("../../helpers/programs/tls_talk.ts", import.meta.url).pathname;
    const talk = await runProgram(olderCli ?? "", {
      args: ["run", "-A", "--no-config", script, made.certFile, made.keyFile, "127.0.0.1"],
    });
    assert.equal(talk.stdout, "hello", talk.stderr);
  },
);

test("the documented openssl line needs its CA:FALSE: a CA certificate is refused as a server's", async () => {
  const line = (await documentedCertificateLine())
    .replace(' -addext "basicConstraints=critical,CA:FALSE"', "");
  await using made = await makeCertificate(line);
  await assert.rejects(talkOverTls({ ...made, hostname: "127.0.0.1" }), /CaUsedAsEndEntity/);
});

test("the documented openssl line leaves a key that only its owner can read", async () => {
  await using made = await makeCertificate();
  assert.equal(((await Deno.stat(made.keyFile)).mode ?? 0) & 0o777, 0o600);
});
