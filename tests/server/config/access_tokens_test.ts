import assert from "node:assert/strict";
import { readConfig } from "../../../server/config/server_options.ts";
import { readReloadable } from "../../../server/config/reloadable_files.ts";
import {
  type AccessToken,
  tokenDigest,
  tokensFromFile,
  tokensFromVariable,
} from "../../../server/config/access_tokens.ts";
import { ConfigError } from "../../../shared/base/errors.ts";

interface Folder extends AsyncDisposable {
  write(text: string, mode?: number): Promise<string>;
}

function digests(tokens: readonly AccessToken[]): Uint8Array[] {
  return tokens.map(({ digest }) => digest);
}

async function folder(): Promise<Folder> {
  const path = await Deno.makeTempDir();
  return {
    async write(text, mode = 0o600) {
      await Deno.writeTextFile(`${path}/tokens`, text);
      await Deno.chmod(`${path}/tokens`, mode);
      return `${path}/tokens`;
    },
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

Deno.test("tokens come one a line from a file, separated by commas from the variable", async () => {
  await using place = await folder();
  const expected = [tokenDigest("first"), tokenDigest("with,comma")];
  assert.deepEqual(
    digests(tokensFromFile(await place.write("first\n\n  with,comma \r\n"))),
    expected,
  );
  assert.deepEqual(digests(tokensFromVariable("a, b")), [tokenDigest("a"), tokenDigest("b")]);
  assert.deepEqual(tokensFromVariable(" "), []);
});

Deno.test("a tokens file that is empty, open to all, missing or too long is refused, without its text", async () => {
  await using place = await folder();
  const long = "s3cret".repeat(100);
  for (
    const [text, mode, why] of [
      ["\n \n", 0o600, /holds no token/],
      ["a\n", 0o644, /every user/],
      [`${long}\n`, 0o600, /more than the 256 bytes/],
    ] as const
  ) {
    const path = await place.write(text, mode);
    assert.throws(
      () => tokensFromFile(path),
      (error: Error) =>
        error instanceof ConfigError && why.test(error.message) &&
        !error.message.includes("s3cret"),
    );
  }
  assert.throws(() => tokensFromFile("/nowhere/tokens"), /there is no such file/);
});

Deno.test("what is read anew adds the file's tokens to the variable's, or changes nothing", async () => {
  await using place = await folder();
  const path = await place.write("from-file\n");
  const config = readConfig({
    args: ["--tokens-file", path],
    env: (name) => name === "CMDCHAT_TOKENS" ? "from-variable" : undefined,
  });
  const now = Date.now();
  const both = [tokenDigest("from-variable"), tokenDigest("from-file")];
  assert.deepEqual(digests(readReloadable(config, now).tokens), both);
  await place.write("another\n");
  assert.deepEqual(readReloadable(config, now).tokens[1]?.digest, tokenDigest("another"));
  await place.write("");
  assert.throws(() => readReloadable(config, now), ConfigError);
});

const NONE = /holds no token$/;

/** What stands in a tokens file, and how many tokens it has, or why it is refused. */
const FILES: readonly (readonly [text: string, result: number | RegExp])[] = [
  ["one\ntwo\n", 2],
  ["\ufeffone\r\ntwo\r\n", 2],
  ["# of alice\none\n\n  # of bob\n\ttwo  \n", 2],
  ["one # no comment\n", 1],
  ["# nothing else\n", NONE],
  ["\r\n \r\n", NONE],
  ['one\n\n"two"\n', /: line 3 is in quotes, which would be a part of it$/],
  ["one\ntw\0o\n", /: line 2 has a NUL character$/],
  ["alice:one\n# bob's\nbob:two\nthree\n", 3],
  ["alice:one\nalice:two\n", 2],
  ["one\n\nal ice:two\n", /: line 3 has a colon that may be a part of its token$/],
  ["a:b:c\n", /: line 1 has a colon that may be a part of its token$/],
  ["alice:\n", /: line 1 has no token after its colon$/],
  [":\n", /: line 1 has no token after its colon$/],
  ["alice:one\nbob:one\n", /: line 2 has the token of line 1 under another name$/],
  ["one\n\nbob:one\n", /: line 3 has the token of line 1 under another name$/],
];

/** A line of a tokens file, the name and the token that it gives. */
const NAMED: readonly (readonly [line: string, name: string | undefined, token: string])[] = [
  ["alice:s3cret", "alice", "s3cret"],
  ["  build-7.ci : s3cret ", "build-7.ci", "s3cret"],
  ["s3cret", undefined, "s3cret"],
  [":s3cret", undefined, "s3cret"],
  [":a:b", undefined, "a:b"],
  ["alice:with,comma/+=", "alice", "with,comma/+="],
];

Deno.test("what stands before the only colon of a line is the token's name, and a colon at its start says there is none", async () => {
  await using place = await folder();
  for (const [line, name, token] of NAMED) {
    const [read, ...more] = tokensFromFile(await place.write(`${line}\n`));
    assert.deepEqual([read?.name, read?.digest, more], [name, tokenDigest(token), []], line);
  }
  const [first, second] = tokensFromVariable("alice:one,:a:b");
  assert.deepEqual([first?.name, second?.digest], ["alice", tokenDigest("a:b")]);
  assert.throws(() => tokensFromVariable("one,a:b:c"), {
    message: "Cannot use CMDCHAT_TOKENS: token 2 has a colon that may be a part of its token",
  });
});

Deno.test("a token that the variable and the file name differently is refused", async () => {
  await using place = await folder();
  const path = await place.write("bob:one\n");
  const config = readConfig({
    args: ["--tokens-file", path],
    env: (name) => name === "CMDCHAT_TOKENS" ? "alice:one" : undefined,
  });
  assert.throws(() => readReloadable(config, Date.now()), {
    message: "Cannot use --tokens-file besides CMDCHAT_TOKENS: line 1 has the token of token 1 " +
      "under another name",
  });
});

for (const [text, result] of FILES) {
  Deno.test(`a tokens file ${JSON.stringify(text)} ${result instanceof RegExp ? "is refused" : "is read"}`, async () => {
    const path = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(path, text);
      if (result instanceof RegExp) assert.throws(() => tokensFromFile(path), { message: result });
      else assert.equal(tokensFromFile(path).length, result);
    } finally {
      await Deno.remove(path);
    }
  });
}

Deno.test("a variable holds tokens separated by commas or ends of lines, as a .env file with CR gives them", () => {
  const digestsOf = (text: string) =>
    tokensFromVariable(text).map(({ digest }) => Array.from(digest));
  const both = ["one", "two"].map((token) => Array.from(tokenDigest(token)));
  for (const text of ["one,two", "one, two\r", "one\r\ntwo\r\n", "\ufeffone,\n two ,"]) {
    assert.deepEqual(digestsOf(text), both, JSON.stringify(text));
  }
  assert.throws(() => tokensFromVariable('"one"'), {
    message: /^Cannot use CMDCHAT_TOKENS: line 1 /,
  });
});

Deno.test("a tokens file in a folder that everybody may change is refused, by its path and behind a link", async () => {
  await using place = await folder();
  const path = await place.write("one\n");
  const above = path.replace(/\/tokens$/, "");
  const linked = await Deno.makeTempDir();
  await Deno.symlink(path, `${linked}/tokens`);
  assert.equal(tokensFromFile(`${linked}/tokens`).length, 1);
  await Deno.chmod(above, 0o777);
  for (const named of [path, `${linked}/tokens`]) {
    assert.throws(() => tokensFromFile(named), {
      message: /: every user of this machine may replace it, in a folder above it$/,
      hint: `chmod o-w ${JSON.stringify(above)}`,
    });
  }
  await Deno.remove(linked, { recursive: true });
});

Deno.test("nearly all random tokens are known as such, and no word, count or row of keys", () => {
  const isRandom = (token: string) => tokensFromVariable(`:${token}`)[0]?.isRandom;
  const bytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));
  const kinds = {
    "openssl rand -base64 24": () => bytes(24).toBase64(),
    "openssl rand -hex 16": () => bytes(16).toHex(),
    "a token of host": () => bytes(16).toBase64({ alphabet: "base64url", omitPadding: true }),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    const known = Array.from({ length: 1_000 }, make).filter(isRandom).length;
    assert.ok(known >= 850, `${kind}: ${known} of 1,000`);
  }
  const made = [
    "secret",
    "Vx2hQ0m9uT7kZb4Lr8sNp",
    "correct horse battery staple",
    "CorrectHorseBatteryStaple2026!",
    "CorrectHorseBatteryStapleFridayEvening2026!",
    "PasswordPassword123456",
    "1234567890123456789012",
    "aB3aB3aB3aB3aB3aB3aB3aB3",
    "qwertzuiopasdfghjklyxcvbnm",
    "the-token-of-the-friday-round",
    "1qaz2wsx3edc4rfv5tgb6yhn",
    "1q2w3e4r5t6y7u8i9o0p1q2w",
    "Z9y8X7w6V5u4T3s2R1q0P9o8",
    "a1B2c3D4e5F6g7H8i9J0k1",
    "Pass1Word2Pass3Word4Pass5",
    "P4ssw0rd1P4ssw0rd2P4ssw0rd3",
  ];
  assert.deepEqual(made.filter(isRandom), []);
});
