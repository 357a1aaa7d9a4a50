import assert from "node:assert/strict";
import { ConfigError, UsageError } from "../../../shared/base/errors.ts";
import {
  bytes,
  integer,
  oneOf,
  orOff,
  rate,
  seconds,
  toggle,
  word,
} from "../../../shared/cli/option_values.ts";
import { formatBytes } from "../../../shared/text/byte_size.ts";

interface Parser {
  readonly parse: (text: string) => unknown;
  readonly good: Readonly<Record<string, unknown>>;
  readonly bad: readonly string[];
  readonly refusal: string;
}

const PARSERS: Readonly<Record<string, Parser>> = {
  "seconds(0, 7200)": {
    parse: seconds(0, 7_200),
    good: { "0": 0, "90": 90, "90s": 90, "5m": 300, "2h": 7_200 },
    bad: ["", "-1", "7201", "3h", "5 m", "1d", "m", "1.5", "5M", "9".repeat(400)],
    refusal: "it must be a time from 0 to 7200 seconds, such as 90, 5m or 2h",
  },
  "integer(1, 65535)": {
    parse: integer(1, 65_535),
    good: { "1": 1, "5050": 5_050, "65535": 65_535, "007": 7 },
    bad: ["", "0", "65536", "-1", "+1", "1.5", "1e3", "0x10", " 1", "1 ", "١", "9".repeat(400)],
    refusal: "it must be a whole number from 1 to 65535",
  },
  "bytes(1, 10 MiB)": {
    parse: bytes(1, 10 * 1_048_576),
    good: {
      "1": 1,
      "4096": 4_096,
      "4KiB": 4_096,
      "4 kib": 4_096,
      "4k": 4_096,
      "4KB": 4_096,
      "10MiB": 10_485_760,
      "10m": 10_485_760,
      "512b": 512,
    },
    bad: [
      "",
      "0",
      "10485761",
      "11MiB",
      "-1",
      "1.5MiB",
      "KiB",
      "4 G",
      "4constructor",
      "1e3",
      "4KiBs",
    ],
    refusal: "it must be a size from 1 byte to 10 MiB, such as 4096, 4KiB or 10MiB",
  },
  "orOff(integer(1, 9))": {
    parse: orOff(integer(1, 9)),
    good: { off: undefined, OFF: undefined, "9": 9 },
    bad: ["", "0", "none", "off "],
    refusal: "it must be a whole number from 1 to 9, or off",
  },
  "oneOf(rich, JSON)": {
    parse: oneOf(["rich", "JSON"]),
    good: { rich: "rich", Rich: "rich", json: "JSON" },
    bad: ["", "ric", "rich ", "toString"],
    refusal: "it must be one of rich, JSON",
  },
  rate: {
    parse: rate,
    good: {
      "12/5": { messages: 12, seconds: 5 },
      "999999/3600": { messages: 999_999, seconds: 3_600 },
    },
    bad: [
      "",
      "12",
      "12/",
      "/5",
      "0/5",
      "12/0",
      "12/3601",
      "1.5/5",
      "-1/5",
      "12/5/5",
      "12 / 5",
      "off",
    ],
    refusal: "it must be messages/seconds, such as 12/5",
  },
  toggle: {
    parse: toggle,
    good: {
      "1": true,
      TRUE: true,
      yes: true,
      on: true,
      "0": false,
      False: false,
      no: false,
      off: false,
    },
    bad: ["", "2", "y", "true ", "enabled"],
    refusal: "it must be 1 or 0",
  },
  word: {
    parse: word,
    good: { a: "a", " ": " ", "two words": "two words" },
    bad: [""],
    refusal: "it is empty",
  },
};

for (const [name, { parse, good, bad, refusal }] of Object.entries(PARSERS)) {
  Deno.test(`${name} reads what it should`, () => {
    for (const [text, value] of Object.entries(good)) assert.deepEqual(parse(text), value, text);
  });

  Deno.test(`${name} refuses all else and says what it must be`, () => {
    for (const text of bad) {
      assert.throws(
        () => parse(text),
        { name: "UsageError", message: refusal },
        JSON.stringify(text),
      );
    }
  });
}

Deno.test("orOff() passes on what is no fault of the text", () => {
  const broken = orOff(() => {
    throw new ConfigError("the file is gone");
  });
  assert.throws(() => broken("x"), ConfigError);
  assert.throws(() => orOff(word)(""), UsageError);
});

Deno.test("formatBytes() writes sizes as people read them", () => {
  const sizes: ReadonlyArray<readonly [number, string]> = [
    [0, "0 bytes"],
    [1, "1 byte"],
    [1_023, "1023 bytes"],
    [1_024, "1 KiB"],
    [1_536, "1.5 KiB"],
    [1_048_576, "1 MiB"],
    [10 * 1_048_576, "10 MiB"],
    [1_572_864, "1.5 MiB"],
    [2 * 1_073_741_824, "2 GiB"],
  ];
  for (const [count, text] of sizes) assert.equal(formatBytes(count), text);
});
