import assert from "node:assert/strict";
import type { LogRecord } from "@logtape/logtape";
import {
  faultText,
  flushLog,
  formatLine,
  formatRecord,
  openLog,
} from "../../../server/telemetry/log.ts";
import { HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";

const TIME = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const HEAD = /^2026-01-02T03:04:05\.678Z [A-Z]+ /;
// deno-lint-ignore no-control-regex -- what must not be there
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/;

function record(parts: Partial<LogRecord>): LogRecord {
  return {
    category: ["cmdchat"],
    level: "info",
    timestamp: TIME,
    rawMessage: "",
    properties: {},
    message: ["client joined"],
    ...parts,
  };
}

/** What `log` writes to standard error, as lines. */
async function written(log: () => void): Promise<string[]> {
  const { write } = Deno.stderr;
  let text = "";
  Deno.stderr.write = (bytes) => {
    text += new TextDecoder().decode(bytes);
    return Promise.resolve(bytes.length);
  };
  try {
    log();
    await flushLog();
  } finally {
    Deno.stderr.write = write;
  }
  return text.split("\n").slice(0, -1);
}

Deno.test("formatRecord() gives time, level, text and fields", () => {
  const line = formatRecord(record({ properties: { client: 7, why: "it left", tls: true } }));
  assert.equal(
    line,
    '2026-01-02T03:04:05.678Z INFO client joined client=7 why="it left" tls=true\n',
  );
  assert.match(formatRecord(record({ level: "fatal" })), /Z CRITICAL /);
});

Deno.test("a line is one in every format, and does nothing to a terminal, whatever text and values hold", () => {
  const heads = { text: HEAD, journal: new RegExp(`^<6>${HEAD.source.slice(1)}`), json: /^\{"/ };
  for (const { label, text } of HOSTILE_TEXTS) {
    const places = [{ properties: { name: text } }, { message: ["client joined ", text] }];
    for (const parts of [...places, { properties: { [text]: { [text]: [text] } } }]) {
      for (const [format, head] of Object.entries(heads)) {
        const line = formatLine(record(parts), format as keyof typeof heads);
        assert.equal(line.indexOf("\n"), line.length - 1, `${format}: ${label}`);
        assert.doesNotMatch(line.slice(0, -1), CONTROL, `${format}: ${label}`);
        // A line that is moved or turned around shows something else than what it says.
        assert.doesNotMatch(line, /[\u202a-\u202e\u2066-\u2069]/, `${format}: ${label}`);
        assert.match(line, head, `${format}: ${label}`);
      }
    }
    const properties = { name: text, list: [text] };
    const read = JSON.parse(formatLine(record({ properties }), "json"));
    assert.deepEqual([read.name, read.list], [text, [text]], `a program reads it: ${label}`);
  }
});

Deno.test("a value cannot forge a field or a line of its own", () => {
  const name = 'x" level=CRITICAL\n2026-01-02T03:04:05.678Z ERROR forged';
  const line = formatRecord(record({ properties: { name } }));
  assert.match(line, /name="x\\" level=CRITICAL\\n2026-01-02T03:04:05\.678Z ERROR forged"\n$/);
});

Deno.test("fields that carry secrets are masked, whoever logs them", async () => {
  const lines = await written(() => {
    const log = openLog("DEBUG");
    log.info("client joined", { token: "s3cret", passphrase: "s3cret", key: "s3cret", client: 7 });
    log.debug("more", { accessToken: "s3cret", nested: { secretKey: "s3cret" } });
  });
  assert.equal(lines.length, 2);
  assert.doesNotMatch(lines.join(), /s3cret/);
  assert.match(lines[0] ?? "", /token="\*\*\*"/);
  assert.match(lines[0] ?? "", /client=7/);
  const properties = { nested: { secretKey: "s3cret", list: [{ token: "s3cret" }] } };
  assert.doesNotMatch(formatLine(record({ properties }), "json"), /s3cret/);
});

Deno.test("lines below the chosen level are left out", async () => {
  const lines = await written(() => {
    const log = openLog("WARNING");
    log.debug("a");
    log.info("b");
    log.warning("c");
    log.error("d");
  });
  assert.deepEqual(lines.map((line) => line.slice(-1)), ["c", "d"]);
});

Deno.test("faultText() has an error's causes, and a log line of it is still one", () => {
  const text = faultText(new Error("outer", { cause: new TypeError("inner\x1b[2J") }));
  assert.match(text, /outer[\s\S]*caused by TypeError: inner/);
  const line = formatRecord(record({ properties: { fault: text } }));
  assert.doesNotMatch(line.slice(0, -1), CONTROL);
  assert.equal(faultText("thrown text"), "thrown text");
});

Deno.test("--log-format journal puts the priority of sd-daemon(3) before a line, json makes an object of it", () => {
  const levels = { debug: 7, info: 6, warning: 4, error: 3, fatal: 2 } as const;
  for (const [level, priority] of Object.entries(levels) as [keyof typeof levels, number][]) {
    assert.ok(formatLine(record({ level }), "journal").startsWith(`<${priority}>2026-01-02T`));
  }
  const properties = { client: 7, why: "it\nleft", token: "s3cret" };
  const line = formatLine(record({ level: "fatal", properties }), "json");
  assert.equal(line.indexOf("\n"), line.length - 1);
  assert.deepEqual(JSON.parse(line), {
    client: 7,
    why: "it\nleft",
    token: "***",
    time: "2026-01-02T03:04:05.678Z",
    level: "CRITICAL",
    message: "client joined",
  });
});
