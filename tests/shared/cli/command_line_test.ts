import { closest } from "../../../shared/text/closest.ts";
import assert from "node:assert/strict";
import {
  optionHelp,
  type OptionTable,
  parseCommandLine,
} from "../../../shared/cli/command_line.ts";
import { UsageError } from "../../../shared/base/errors.ts";
import { parseFingerprint } from "../../../shared/crypto/fingerprint.ts";
import { parseTypedRoom } from "../../../shared/text/names.ts";
import { integer, orOff, word } from "../../../shared/cli/option_values.ts";

const TABLE = {
  port: {
    value: "PORT",
    env: "TEST_PORT",
    short: "p",
    fallback: "5050",
    parse: integer(1, 65_535),
    help: "Port to listen on",
  },
  token: { value: "TOKEN", env: "TEST_TOKEN", parse: secret, help: "Token", secret: true },
  name: { value: "NAME", parse: word, help: "Your name" },
  tls: { env: "TEST_TLS", parse: word, help: "Use TLS" },
} as const satisfies OptionTable;

function secret(text: string): string {
  if (text.length < 3) throw new UsageError("it must have at least 3 characters");
  return text;
}

function parse(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return parseCommandLine(TABLE, { args, env: (name) => env[name] });
}

function refusal(args: readonly string[], env: Readonly<Record<string, string>> = {}): UsageError {
  try {
    parse(args, env);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error;
  }
  assert.fail(`${args.join(" ")} was accepted`);
}

Deno.test("what is not given falls back, is undefined, or is a switch that is off", () => {
  const { values, positionals } = parse([]);
  assert.deepEqual(values, { port: 5050, token: undefined, name: undefined, tls: false });
  assert.deepEqual(positionals, []);
});

Deno.test("an option goes over its variable, and its variable over the fallback", () => {
  const env = { TEST_PORT: "6060", TEST_TOKEN: "abc", TEST_TLS: "1" };
  assert.deepEqual(parse([], env).values, { port: 6060, token: "abc", name: undefined, tls: true });
  assert.equal(parse(["--port", "7070"], env).values.port, 7070);
  assert.equal(parse(["--tls"], { TEST_TLS: "0" }).values.tls, true);
});

Deno.test("an empty variable counts as unset", () => {
  assert.equal(parse([], { TEST_PORT: "", TEST_TLS: "" }).values.port, 5050);
});

Deno.test("options are read in every usual form, and the last one counts", () => {
  for (
    const args of [["--port", "7"], ["--port=7"], ["-p", "7"], ["-p7"], ["--port=6", "-p", "7"]]
  ) {
    assert.equal(parse(args).values.port, 7, args.join(" "));
  }
  const { values, positionals } = parse(["a", "--name=x=y", "--", "--port", "b"]);
  assert.equal(values.name, "x=y");
  assert.deepEqual(positionals, ["a", "--port", "b"]);
});

const REFUSALS: ReadonlyArray<
  readonly [
    args: string[],
    message: string,
    hint?: string | undefined,
    env?: Record<string, string>,
  ]
> = [
  [
    ["--prot", "7"],
    'Cannot use the option "--prot": there is no such option',
    "did you mean --port?",
  ],
  [["--prot=7"], 'Cannot use the option "--prot": there is no such option', "did you mean --port?"],
  [
    ["--xyzzy"],
    'Cannot use the option "--xyzzy": there is no such option',
    "--help lists all options",
  ],
  [
    ["--__proto__"],
    'Cannot use the option "--__proto__": there is no such option',
    "--help lists all options",
  ],
  [["-x"], 'Cannot use the option "-x": there is no such option', "--help lists all options"],
  [["--port"], "Cannot use --port alone: it needs PORT"],
  [["-p"], "Cannot use -p alone: it needs PORT"],
  [["--tls=yes"], "Cannot use --tls with a value: it is a switch"],
  [["--port", "0"], 'Cannot use --port "0": it must be a whole number from 1 to 65535'],
  [["--name", ""], 'Cannot use --name "": it is empty'],
  // It may hold a token or a room's secret.
  [
    ["--port", "cmdchat://h/r#token=t"],
    "Cannot use --port: it must be a whole number from 1 to 65535",
  ],
  [[], "Cannot use TEST_PORT: it must be a whole number from 1 to 65535", undefined, {
    TEST_PORT: "https://h/#room=r&secret=s",
  }],
  [[], 'Cannot use TEST_PORT "x": it must be a whole number from 1 to 65535', undefined, {
    TEST_PORT: "x",
  }],
  [[], 'Cannot use TEST_TLS "maybe": it must be 1 or 0', undefined, { TEST_TLS: "maybe" }],
  [["--token", "ab"], "Cannot use --token: it must have at least 3 characters"],
  [[], "Cannot use TEST_TOKEN: it must have at least 3 characters", undefined, {
    TEST_TOKEN: "ab",
  }],
];

for (const [args, message, hint, env] of REFUSALS) {
  Deno.test(`${JSON.stringify(args)} ${JSON.stringify(env ?? {})} is refused in clear words`, () => {
    const error = refusal(args, env);
    assert.equal(error.message, message);
    assert.equal(error.hint, hint);
  });
}

Deno.test("a value in an error is one quoted line of at most 80 characters", () => {
  const { message } = refusal(["--port", `\x1b[2J\n${"9".repeat(500)}`]);
  assert.match(message, /^Cannot use --port "\\u001b\[2J\\n9{75}": it must be a whole number/);
});

Deno.test("optionHelp() has one aligned line for each option, with default and variable", () => {
  assert.deepEqual(optionHelp(TABLE).split("\n"), [
    "  -p, --port PORT    Port to listen on [default 5050, env TEST_PORT]",
    "      --token TOKEN  Token [env TEST_TOKEN]",
    "      --name NAME    Your name",
    "      --tls          Use TLS [env TEST_TLS]",
  ]);
});

Deno.test("closest() finds what was meant by a slip, and nothing for another word", () => {
  const words = ["nick", "join", "send", "clear", "help", "quit", "max-connections"];
  const meant: Readonly<Record<string, string | undefined>> = {
    nick: "nick",
    nikc: "nick",
    jion: "join",
    hlep: "help",
    quti: "quit",
    qit: "quit",
    clearr: "clear",
    "max-conections": "max-connections",
    "max-connectoins": "max-connections",
    dance: undefined,
    x: undefined,
    "": undefined,
  };
  for (const [typed, expected] of Object.entries(meant)) {
    assert.equal(closest(typed, words), expected, typed);
  }
  assert.equal(closest("nick", []), undefined);
});

Deno.test("a value that is undefined counts over the fallback", () => {
  const table = {
    limit: { value: "N", fallback: "5", parse: orOff(integer(1, 9)), help: "Limit" },
  } as const;
  const env = () => undefined;
  assert.equal(parseCommandLine(table, { args: ["--limit", "off"], env }).values.limit, undefined);
});

Deno.test("typed over the chosen profile over the environment over the settings file", () => {
  const setting = (chosen: boolean) => (option: string) =>
    option === "port" ? { text: "7777", place: 'line 3 of "x.toml"', chosen } : undefined;
  const from = (args: string[], env: Record<string, string>, chosen: boolean) => {
    const line = parseCommandLine(TABLE, {
      args,
      env: (name: string) => env[name],
      setting: setting(chosen),
    });
    return [line.values.port, line.sources.get("port")];
  };
  const env = { TEST_PORT: "6060" };
  assert.deepEqual(from([], {}, false), [7777, "settings"]);
  assert.deepEqual(from([], env, false), [6060, "environment"]);
  assert.deepEqual(from([], env, true), [7777, "profile"]);
  assert.deepEqual(from(["-p", "1"], env, true), [1, "typed"]);
});

Deno.test("a bad value of the settings file is refused with its line, a secret one without itself", () => {
  const setting = () => ({ text: "ab", place: 'line 3 of "x.toml"', chosen: false });
  const parseWith = (option: string) =>
    parseCommandLine(TABLE, {
      args: [],
      env: () => undefined,
      setting: (name) => name === option ? setting() : undefined,
    });
  assert.throws(
    () => parseWith("port"),
    /^UsageError: Cannot use port "ab" in line 3 of "x.toml": it must be a whole/,
  );
  assert.throws(
    () => parseWith("token"),
    /^UsageError: Cannot use token in line 3 of "x.toml": it must have at least/,
  );
});

Deno.test("why a value cannot be used is said once, also where it is read elsewhere as well", () => {
  const row = { value: "TEXT", help: "" };
  const table = {
    fingerprint: { ...row, parse: parseFingerprint },
    room: { ...row, parse: parseTypedRoom },
  };
  const cases = [
    ["--fingerprint", "abc", /^UsageError: Cannot use --fingerprint "abc": it must be "SHA256:"/],
    ["--room", "#A/b", /^UsageError: Cannot use --room "#A\/b": the character \/ cannot/],
  ] as const;
  for (const [option, text, message] of cases) {
    const call = { args: [option, text], env: () => undefined };
    assert.throws(() => parseCommandLine(table, call), message);
  }
});
