import assert from "node:assert/strict";
import { type CheckedTls, readTlsFiles } from "../../../server/config/tls_files.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import { makeCertificate, type TestCertificate } from "../../helpers/system/certificates.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";

const test = skipWithout("openssl");
const DAY_MS = 86_400_000;

/** The error of a start with these files; none of them may be repeated in it. */
function faultOf(cert: string, key: string, now = Date.now()): ConfigError {
  try {
    readTlsFiles(cert, key, now);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.doesNotMatch(error.message, /-----|[\n\r]/, "one line, and nothing of a key");
    return error;
  }
  throw new Error("nothing was refused");
}

async function rewritten(file: string, change: (text: string) => string): Promise<string> {
  const path = `${file}.changed`;
  await Deno.writeTextFile(path, change(await Deno.readTextFile(file)));
  return path;
}

function read({ certFile, keyFile }: TestCertificate, now = Date.now()) {
  return readTlsFiles(certFile, keyFile, now);
}

function pairOf(files: TestCertificate): Pick<CheckedTls, "cert" | "key"> {
  const { cert, key } = read(files);
  return { cert, key };
}

test("certificate and key that belong together are given as they are, RSA and elliptic", async () => {
  await using rsa = await makeCertificate();
  assert.deepEqual(pairOf(rsa), { cert: rsa.cert, key: rsa.key });
  await using elliptic = await makeCertificate(
    "openssl ecparam -genkey -name prime256v1 -noout -out key.pem && " +
      "openssl req -x509 -key key.pem -out cert.pem -days 2 -subj /CN=localhost",
  );
  assert.deepEqual(pairOf(elliptic), { cert: elliptic.cert, key: elliptic.key });
});

test("a chain is held to its first certificate", async () => {
  await using own = await makeCertificate();
  await using other = await makeCertificate();
  const chain = await rewritten(own.certFile, (text) => text + other.cert);
  readTlsFiles(chain, own.keyFile, Date.now());
  const reversed = await rewritten(own.certFile, (text) => other.cert + text);
  assert.match(faultOf(reversed, own.keyFile).message, /it is not the key of --certfile/);
});

test("a file that is missing, a folder, or not for this user is named with its reason", async () => {
  await using own = await makeCertificate();
  const folder = own.certFile.replace("/cert.pem", "");
  assert.match(
    faultOf("/no/such.pem", own.keyFile).message,
    /^Cannot use --certfile "\/no\/such\.pem": there is no such file$/,
  );
  assert.match(
    faultOf(own.certFile, "/no/such.pem").message,
    /^Cannot use --keyfile .*no such file$/,
  );
  assert.match(faultOf(folder, own.keyFile).message, /--certfile .* it is a folder, not a file$/);
  const pipe = `${folder}/pipe`;
  assert.ok((await new Deno.Command("sh", { args: ["-c", `mkfifo "${pipe}"`] }).output()).success);
  assert.match(
    faultOf(pipe, own.keyFile).message,
    /--certfile .* it is a pipe, which may never be/,
  );
  if (Deno.uid() !== 0) {
    await Deno.chmod(own.keyFile, 0);
    assert.match(faultOf(own.certFile, own.keyFile).message, /this user may not read it/);
  }
});

test("a file that holds something else, or PEM that is damaged, is refused", async () => {
  await using own = await makeCertificate();
  assert.match(
    faultOf(own.keyFile, own.keyFile).message,
    /--certfile .* does not hold a certificate/,
  );
  const asKey = await rewritten(own.certFile, (text) => text);
  await Deno.chmod(asKey, 0o600);
  assert.match(
    faultOf(own.certFile, asKey).message,
    /--keyfile .* does not hold a private key/,
  );
  const empty = await rewritten(own.certFile, () => "");
  assert.match(faultOf(empty, own.keyFile).message, /does not hold a certificate/);
  const cut = await rewritten(own.certFile, (text) => text.slice(0, text.length / 2));
  assert.match(faultOf(cut, own.keyFile).message, /--certfile .* is damaged/);
  const cutKey = await rewritten(own.keyFile, (text) => text.slice(0, text.length / 2));
  await Deno.chmod(cutKey, 0o600);
  assert.match(faultOf(own.certFile, cutKey).message, /--keyfile .* is damaged/);
});

test("a key under a passphrase is refused, since nobody is there to be asked", async () => {
  await using own = await makeCertificate();
  const locked = `${own.keyFile}.locked`;
  const { success } = await new Deno.Command("openssl", {
    args: ["pkcs8", "-topk8", "-in", own.keyFile, "-out", locked, "-passout", "pass:x"],
    stderr: "null",
  }).output();
  assert.ok(success);
  const { message, hint } = faultOf(own.certFile, locked);
  assert.match(message, /--keyfile .*: it is protected by a passphrase$/);
  assert.match(hint ?? "", /openssl pkey/);
});

test("the key of another certificate is refused with both names", async () => {
  await using own = await makeCertificate();
  await using other = await makeCertificate();
  const { message } = faultOf(own.certFile, other.keyFile);
  assert.ok(message.includes(own.certFile) && message.includes(other.keyFile), message);
});

test("a certificate that has expired, or is not valid yet, is refused with the day", async () => {
  await using own = await makeCertificate(
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost",
  );
  const now = Date.now();
  read(own, now + DAY_MS);
  const expired = faultOf(own.certFile, own.keyFile, now + 3 * DAY_MS);
  assert.match(expired.message, /: it expired on \d{4}-\d\d-\d\d$/);
  const early = faultOf(own.certFile, own.keyFile, now - DAY_MS);
  assert.match(early.message, /: it is valid only from \d{4}-\d\d-\d\d on$/);
  assert.match(early.hint ?? "", /clock/);
});

const GENERATED: Readonly<Record<string, { options: string; says: RegExp | undefined }>> = {
  "RSA with 2048 bits": { options: "RSA -pkeyopt rsa_keygen_bits:2048", says: undefined },
  "EC on P-256": { options: "EC -pkeyopt ec_paramgen_curve:P-256", says: undefined },
  "EC on P-384": { options: "EC -pkeyopt ec_paramgen_curve:P-384", says: undefined },
  "EC on P-521": { options: "EC -pkeyopt ec_paramgen_curve:P-521", says: undefined },
  Ed25519: { options: "ED25519", says: undefined },
  "RSA with 1024 bits": {
    options: "RSA -pkeyopt rsa_keygen_bits:1024",
    says: /cannot use its key \(RSA with 1024 bits\)$/,
  },
  // A key of 8192 bits takes openssl 20 s.
  "RSA with 4160 bits": { options: "RSA -pkeyopt rsa_keygen_bits:4160", says: undefined },
  "RSA-PSS": {
    options: "RSA-PSS -pkeyopt rsa_keygen_bits:2048",
    says: /cannot use its key \(RSA-PSS\)$/,
  },
  secp256k1: {
    options: "EC -pkeyopt ec_paramgen_curve:secp256k1",
    says: /cannot use its key \(EC on secp256k1\)$/,
  },
  Ed448: { options: "ED448", says: /cannot use its key \(Ed448\)$/ },
};

/** A certificate made by openssl's genpkey and `request`, in a folder of its own. */
async function generated(
  options: string,
  request = REQUEST,
): Promise<AsyncDisposable & { folder: string }> {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-key-" });
  const script =
    `cd "$0" && umask 077 && openssl genpkey -out key.pem -algorithm ${options} && ${request}`;
  const { success, stderr } = await new Deno.Command("sh", { args: ["-c", script, folder] })
    .output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return { folder, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

const REQUEST = "openssl req -x509 -new -key key.pem -days 30 -subj /CN=localhost -out cert.pem";

for (const [name, { options, says }] of Object.entries(GENERATED)) {
  test(`a key of the kind ${name} is ${says === undefined ? "served" : "refused in words of its own"}`, async () => {
    await using made = await generated(options);
    const [cert, key] = [`${made.folder}/cert.pem`, `${made.folder}/key.pem`];
    if (says === undefined) readTlsFiles(cert, key, Date.now());
    else {
      const fault = faultOf(cert, key);
      assert.match(fault.message, says);
      assert.match(fault.hint ?? "", /^use a key of EC/);
    }
  });
}

test("a certificate of X.509 version 1 is refused in words of its own", async () => {
  const request = "openssl req -new -key key.pem -subj /CN=localhost -out csr.pem && " +
    "openssl x509 -req -in csr.pem -signkey key.pem -days 30 -out cert.pem";
  await using made = await generated("ED25519", request);
  assert.match(
    faultOf(`${made.folder}/cert.pem`, `${made.folder}/key.pem`).message,
    /it is an X\.509 version 1 certificate$/,
  );
});

test("a byte order mark, bag attributes, other blocks, and key and certificate in one file are read", async () => {
  const request = `${REQUEST} && openssl ecparam -name prime256v1 -out params.pem && ` +
    "(printf '\\357\\273\\277Bag Attributes\\n    friendlyName: a-b\\n'; " +
    "cat cert.pem params.pem key.pem) > all.pem";
  await using made = await generated("EC -pkeyopt ec_paramgen_curve:P-256", request);
  const all = `${made.folder}/all.pem`;
  const { cert, key } = readTlsFiles(all, all, Date.now());
  assert.match(cert, /^-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n$/);
  assert.match(key, /^-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n$/);
});

test("a certificate of an authority without its issuer is told from a whole chain and from one of one's own", async () => {
  const issue = "openssl req -x509 -new -key key.pem -days 30 -subj /CN=authority -out ca.pem && " +
    "openssl req -new -key key.pem -subj /CN=localhost -out csr.pem && " +
    "printf 'authorityInfoAccess=caIssuers;URI:http://ca.example/\\nsubjectAltName=DNS:localhost\\n' > ext && " +
    "openssl x509 -req -in csr.pem -CA ca.pem -CAkey key.pem -days 30 -extfile ext -out leaf.pem && " +
    "cat leaf.pem ca.pem > chain.pem && cp leaf.pem cert.pem";
  await using made = await generated("ED25519", issue);
  const lacks = (name: string) =>
    readTlsFiles(`${made.folder}/${name}`, `${made.folder}/key.pem`, Date.now()).lacksIssuer;
  assert.deepEqual([lacks("leaf.pem"), lacks("chain.pem"), lacks("ca.pem")], [true, false, false]);
});
