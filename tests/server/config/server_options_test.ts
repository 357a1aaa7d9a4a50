import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { SERVER_OPTIONS } from "../../../server/config/server_options.ts";
import { ConfigError, UsageError } from "../../../shared/base/errors.ts";
import { configOf } from "../../helpers/peers/relay.ts";

Deno.test("without options a server is on the loopback, with every limit as documented", () => {
  const config = configOf();
  assert.equal(config.host, "127.0.0.1");
  assert.equal(config.port, 5050);
  assert.equal(config["metrics-interval"], 60);
  assert.deepEqual(config["rate-limit"], { messages: 12, seconds: 5 });
  assert.equal(config["max-connections"], 10_000);
  assert.equal(config["max-per-address"], 64);
  assert.equal(config["max-message"], 4_096);
  assert.equal(config["max-file"], 10 * 1_048_576);
  assert.equal(config["max-rooms"], 10_000);
  assert.equal(config.hold, 60);
  assert.equal(config["log-level"], "INFO");
  assert.equal(config.certfile, undefined);
  assert.deepEqual(config.tokens, []);
});

/** For each option that takes a value: what it takes, and what it refuses. */
const VALUES: Readonly<Record<string, { good: readonly string[]; bad: readonly string[] }>> = {
  host: { good: ["0.0.0.0", "::1", "localhost"], bad: [""] },
  port: { good: ["0", "1", "65535"], bad: ["-1", "65536", "1.5", "http", "", "0x10", "1e3", " 1"] },
  certfile: { good: [], bad: [""] },
  keyfile: { good: [], bad: [""] },
  web: { good: ["https://a.example", "https://a.example, null"], bad: ["", "https://a,", ","] },
  "trusted-proxy": { good: ["127.0.0.1", "10.0.0.0/8,::1"], bad: ["", "::1,,::2"] },
  "metrics-token-file": { good: ["token"], bad: [""] },
  "bans-file": { good: ["bans"], bad: [""] },
  "settings-file": { good: ["settings"], bad: [""] },
  "tokens-file": { good: ["tokens"], bad: [""] },
  "take-over": { good: ["5051", "[::1]:1"], bad: ["", "here", "65536"] },
  "admin-token-file": { good: ["token"], bad: [""] },
  "admin-listen": {
    good: ["0", "5051", "127.0.0.1:5051", "[::1]:0", "localhost:65535"],
    bad: ["", "here", "127.0.0.1", "65536", "::1:5051", "1:2:3", "http://127.0.0.1:1"],
  },
  nats: { good: ["127.0.0.1:4222", "nats://a,nats://b"], bad: [""] },
  "nats-replicas": { good: ["1", "5"], bad: ["0", "6", ""] },
  "nats-ca": { good: ["ca.pem"], bad: [""] },
  "nats-certfile": { good: ["cert.pem"], bad: [""] },
  "nats-keyfile": { good: ["key.pem"], bad: [""] },
  "metrics-interval": { good: ["0", "86400"], bad: ["-1", "86401", "1m", ""] },
  "rate-limit": {
    good: ["1/1", "12/5", "off"],
    bad: ["0/5", "12/0", "-1/5", "12", "12/", "/5", "12/5/5", "a/b", "none", ""],
  },
  "max-connections": { good: ["1", "1000000"], bad: ["0", "1000001", "off", ""] },
  "max-per-address": { good: ["1", "off"], bad: ["0", "1000001", "no", ""] },
  "connection-rate": { good: ["128/10", "off"], bad: ["0/5", "5", "no", ""] },
  "max-message": {
    good: ["1", "4KiB", "7KiB"],
    bad: ["0", "7169", "8KiB", "4 KB per day", "-1", ""],
  },
  "max-file": { good: ["0", "10MiB", "16GiB"], bad: ["17GiB", "1TiB", "-1", "ten", ""] },
  "max-rooms": { good: ["1", "1000000"], bad: ["0", "1000001", ""] },
  // Alone it is refused; below.
  advertise: {
    good: [],
    bad: [
      "",
      "chat1.example.org",
      "5050",
      ":5050",
      "chat1.example.org:0",
      "chat1.example.org:65536",
      "2001:db8::1:5050",
      "0.0.0.0:5050",
      "[::]:5050",
      "fe80::1%eth0:5050",
      "[fe80::1%eth0]:5050",
      "https://chat1.example.org:5050",
      "a b:5050",
      "a:5050,b:5050",
    ],
  },
  backlog: { good: ["0", "20", "100"], bad: ["-1", "101", "all", ""] },
  hold: { good: ["0", "3600"], bad: ["-1", "3601", "1m", ""] },
  "identity-file": { good: ["identity.pem"], bad: [""] },
  "log-level": { good: ["DEBUG", "CRITICAL"], bad: ["TRACE", ""] },
  "log-format": { good: ["text", "json", "journal"], bad: ["xml", ""] },
};

Deno.test("every option is tried, with values that it takes and values that it refuses", () => {
  const valued = Object.entries(SERVER_OPTIONS).filter(([, row]) => "value" in row);
  assert.deepEqual(valued.map(([name]) => name).sort(), Object.keys(VALUES).sort());
  for (const [name, { good, bad }] of Object.entries(VALUES)) {
    for (const value of good) configOf([`--${name}=${value}`]);
    for (const value of bad) {
      assert.throws(
        () => configOf([`--${name}=${value}`]),
        (error) => error instanceof UsageError && error.message.startsWith(`Cannot use --${name} `),
        `--${name}=${value}`,
      );
    }
  }
});

Deno.test("a variable is held to the same rules as its option, and an empty one is none", () => {
  for (const [name, { bad }] of Object.entries(VALUES)) {
    const row = SERVER_OPTIONS[name as keyof typeof SERVER_OPTIONS];
    assert.ok("env" in row, `${name} has a variable`);
    configOf([], { [row.env]: "" });
    for (const value of bad.filter((value) => value !== "")) {
      assert.throws(
        () => configOf([], { [row.env]: value }),
        (error) => error instanceof UsageError && error.message.includes(row.env),
        `${row.env}=${value}`,
      );
    }
  }
});

Deno.test("an option that is none is refused, with the one that was meant", () => {
  for (
    const [typed, meant] of [["--prot", "--port"], ["--max-room", "--max-rooms"], [
      "--indentity-file",
      "--identity-file",
    ]]
  ) {
    assert.throws(
      () => configOf([`${typed}=1`]),
      (error) => error instanceof UsageError && error.hint === `did you mean ${meant}?`,
      typed,
    );
  }
  assert.throws(() => configOf(["serve"]), /Cannot use "serve": there is no such command/);
});

Deno.test("options go before variables, variables before what is set by itself", () => {
  const env = { CMDCHAT_PORT: "6000", CMDCHAT_HOLD: "5" };
  const config = configOf(["--port", "7000"], env);
  assert.deepEqual([config.port, config.hold], [7_000, 5]);
});

Deno.test("a certificate without its key, or a key alone, is refused with what is missing", () => {
  assert.throws(() => configOf(["--certfile", "c.pem"]), {
    name: "ConfigError",
    message: "Cannot use --certfile alone: TLS needs --keyfile as well",
  });
  assert.throws(() => configOf(["--keyfile", "k.pem"]), /Cannot use --keyfile alone/);
});

Deno.test("where clients reach a server of several is read in one spelling, and refused where there is one", () => {
  const hosts = [
    ["Chat1.Example.org:5050", "chat1.example.org"],
    ["bücher.example:5050", "xn--bcher-kva.example"],
    ["[2001:DB8::1]:5050", "2001:db8::1"],
    ["192.0.2.7:5050", "192.0.2.7"],
  ] as const;
  for (const [typed, host] of hosts) {
    const config = configOf(["--nats", "127.0.0.1", "--advertise", typed]);
    assert.deepEqual(config.advertise, { host, port: 5050 });
  }
  assert.throws(() => configOf(["--advertise", "chat1.example.org:5050"]), {
    name: "ConfigError",
    message: "Cannot use --advertise alone: other servers are told over --nats",
  });
});

Deno.test("tokens are kept as digests only, without the spaces around them", () => {
  const { tokens } = configOf([], { CMDCHAT_TOKENS: " first, second ,," });
  const wanted = ["first", "second"].map((token) => createHash("sha256").update(token).digest());
  assert.deepEqual(
    tokens.map(({ digest }) => Array.from(digest)),
    wanted.map((d) => Array.from(d)),
  );
});

Deno.test("tokens that are all empty do not open the server, and one that is too long is not repeated", () => {
  for (const text of [",", " , "]) {
    assert.throws(() => configOf([], { CMDCHAT_TOKENS: text }), ConfigError);
  }
  const long = "secret".repeat(50);
  assert.throws(() => configOf([], { CMDCHAT_TOKENS: `good,${long}` }), (error) => {
    assert.ok(error instanceof ConfigError);
    return !error.message.includes("secret") && error.message.includes("256 bytes");
  });
  configOf([], { CMDCHAT_TOKENS: "x".repeat(256) });
});

Deno.test("CMDCHAT_METRICS switches the line off, and what it cannot mean is refused", () => {
  assert.equal(configOf([], { CMDCHAT_METRICS: "0" })["metrics-interval"], 0);
  assert.equal(configOf([], { CMDCHAT_METRICS: "1" })["metrics-interval"], 60);
  assert.throws(
    () => configOf([], { CMDCHAT_METRICS: "perhaps" }),
    /Cannot use CMDCHAT_METRICS "perhaps"/,
  );
});
