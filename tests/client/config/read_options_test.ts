import assert from "node:assert/strict";
import { readConfig, readHistoryConfig } from "../../../client/config/read_options.ts";
import { CLIENT_OPTIONS } from "../../../client/config/client_options.ts";
import { SEND_FILE_OPTIONS } from "../../../client/config/headless_options.ts";
import { CmdchatError } from "../../../shared/base/errors.ts";

const NO_INPUT = { readLine: () => "" };

function read(args: string[], env: Record<string, string> = {}) {
  return readConfig({ ...NO_INPUT, args, env: (name: string) => env[name] });
}

function faultOf(...args: string[]): CmdchatError {
  let fault: unknown;
  try {
    read(args);
  } catch (error) {
    fault = error;
  }
  assert.ok(fault instanceof CmdchatError, args.join(" "));
  return fault;
}

Deno.test("readConfig() gives the documented defaults", () => {
  const config = read([]);
  const { host, port, name, room, renderer } = config;
  assert.deepEqual({ host, port, name, room, renderer }, {
    host: "127.0.0.1",
    port: 5050,
    name: "anonymous",
    room: "lobby",
    renderer: "rich",
  });
  assert.equal(config["buffer-size"], 200);
  assert.equal(config.tls, false);
  assert.equal(config.token, undefined);
});

Deno.test("every option that is not a secret or dangerous has a variable, which the option overrides", () => {
  const without = ["token", "history-passphrase", "tls-insecure", "json", "help", "version"];
  for (const [name, row] of Object.entries(CLIENT_OPTIONS)) {
    const variable = "env" in row ? row.env : undefined;
    const wanted = `CMDCHAT_${name.toUpperCase().replaceAll("-", "_")}`;
    assert.equal(variable, without.includes(name) ? undefined : wanted);
  }
  const env = { CMDCHAT_NAME: "bob", CMDCHAT_PORT: "6000", CMDCHAT_TLS: "1", CMDCHAT_ROOM: "" };
  const config = read(["--name", "alice"], env);
  assert.deepEqual([config.name, config.port, config.tls], ["alice", 6000, true]);
  assert.equal(config.room, "lobby");
});

Deno.test("readConfig() refuses each value out of range and says what is wanted", () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [["--port", "0"], /^Cannot use --port "0": it must be a whole number from 1 to 65535$/],
    [["--port", "65536"], /1 to 65535/],
    [["--port", "http"], /1 to 65535/],
    [["--host", ""], /--host "": it is empty/],
    [["--host", "cmdchat://h/r#secret=geheim"], /^Cannot use --host: it is a link$/],
    [["--name", ""], /--name "": it is empty, and must have 1 to 32/],
    [["--name", "a<b"], /^Cannot use --name "a<b": the character < cannot/],
    [["--name", "x".repeat(33)], /33 characters, at most 32/],
    [["--name", "server"], /one of the program's own words/],
    [["--room", "a/b"], /^Cannot use --room "a\/b": the character \/ cannot/],
    [["--renderer", "fancy"], /one of rich, minimal, json/],
    [["--buffer-size", "9"], /10 to 1000/],
    [["--buffer-size", "1001"], /10 to 1000/],
    [["--tls=maybe"], /--tls with a value: it is a switch/],
    [["--ca-file", ""], /it is empty/],
    [["--port"], /--port alone: it needs PORT/],
    [["--ca-file", "x", "--tls-insecure"], /contradict/],
    [["--accept-files", "--no-downloads"], /contradict/],
    [["cmdchat"], /Cannot use "cmdchat"/],
  ];
  for (const [args, pattern] of cases) {
    const fault = faultOf(...args);
    assert.match(fault.message, pattern);
    assert.ok([2, 3, 6].includes(fault.exitCode));
  }
});

Deno.test("an unknown option is met with the one that was probably meant", () => {
  assert.match(faultOf("--rom", "x").hint ?? "", /did you mean --room\?/);
  assert.match(faultOf("--zzzzzz").hint ?? "", /--help/);
});

Deno.test("no error repeats a secret", () => {
  for (const args of [["--token"], ["--history-passphrase"]]) {
    assert.ok(!faultOf(...args).message.includes("s3cret"));
  }
  assert.equal(read(["--token", "s3cret"]).token, "s3cret");
});

Deno.test("history takes one file", () => {
  const env = () => undefined;
  const config = readHistoryConfig({ args: ["chat.history", "-s", "hello", "--json"], env });
  assert.deepEqual([config.path, config.search, config.json], ["chat.history", "hello", true]);
  assert.throws(() => readHistoryConfig({ args: [], env }), /expected history FILE/);
  assert.throws(() => readHistoryConfig({ args: ["a", "b"], env }), /takes one FILE/);
  assert.equal(readHistoryConfig({ args: ["--help"], env }).path, undefined);
});

Deno.test("history shows unless it is told to export, which may go to a file", () => {
  const env = () => undefined;
  const of = (...args: string[]) => readHistoryConfig({ args, env });
  assert.deepEqual([of("f").action, of("f").path], ["show", "f"]);
  assert.deepEqual([of("show", "export").action, of("show", "export").path], ["show", "export"]);
  const exported = of("export", "f", "--output", "new.txt", "--since", "yesterday");
  assert.deepEqual([exported.action, exported.path, exported.output], ["export", "f", "new.txt"]);
  assert.throws(() => of("f", "--output", "new.txt"), /expected `history export FILE`/);
  assert.throws(() => of("f", "--since", "tomorrow"), /--since "tomorrow": expected a time/);
  assert.throws(() => of("export"), /expected history FILE/);
});

Deno.test("--transport wss implies TLS, a link may ask for it, and the old protocol is not spoken over it", () => {
  const carrier = ({ tls, transport }: ReturnType<typeof read>) => [tls, transport];
  assert.deepEqual(carrier(read([])), [false, "auto"]);
  assert.deepEqual(carrier(read(["--transport", "wss"])), [true, "wss"]);
  assert.deepEqual(carrier(read(["--tls", "--transport", "raw"])), [true, "raw"]);
  assert.deepEqual(carrier(read(["cmdchat://h?wss"])), [true, "wss"]);
  assert.deepEqual(carrier(read(["https://h/#room=den"])), [true, "wss"]);
  const pages = [["https://h/#room=den"], ["cmdchat://h?wss"], []].map((args) =>
    read(args).hasPage
  );
  assert.deepEqual(pages, [true, false, false]);
  assert.deepEqual(carrier(read(["cmdchat://h?tls"])), [true, "auto"]);
  assert.deepEqual(carrier(read(["cmdchat://h?wss", "--transport", "raw"])), [true, "raw"]);
  assert.deepEqual(carrier(read(["cmdchat://h"], { CMDCHAT_TRANSPORT: "wss" })), [true, "wss"]);
  assert.match(faultOf("--legacy", "--transport", "wss").message, /carries only the new protocol/);
  assert.match(
    faultOf("--legacy", "cmdchat://h?wss").message,
    /says that already|carries only the new protocol/,
  );
  assert.match(faultOf("--transport", "ws").message, /one of auto, raw, wss/);
});

Deno.test("of two links none is used, and nothing of either is repeated", () => {
  const link = "cmdchat://h/r#secret=geheim";
  for (const args of [["--", link, link], ["--link", link, "--", link]]) {
    assert.equal(faultOf(...args).message, "Cannot use two links: expected one, or --link");
  }
  const { message } = faultOf("--", link, "word");
  assert.equal(message, 'Cannot use "word": expected options, a link or a command');
});

Deno.test("a name of a file that does not fit into its offer is refused before anything is sent", () => {
  const { parse } = SEND_FILE_OPTIONS.as;
  assert.equal(parse("é".repeat(512)).length, 512);
  assert.throws(() => parse("é".repeat(513)), /it has 1026 bytes, at most 1024 are allowed/);
});
