import assert from "node:assert/strict";
import fc from "fast-check";
import { CmdchatError, LimitError, UsageError } from "../../../shared/base/errors.ts";
import { NAME_MAX_BYTES, NAME_MAX_CHARACTERS } from "../../../shared/base/limits.ts";
import { nameKey, nextFreeName, parseName, parseRoom } from "../../../shared/text/names.ts";
import { sanitizeLine } from "../../../shared/base/sanitize.ts";
import { codePoint } from "../../helpers/fakes/code_point.ts";
import { HOSTILE_TEXTS, LOOKALIKE_NAMES } from "../../helpers/hostile/hostile_text.ts";

const encoder = new TextEncoder();

/** What people and attackers type: letters of many scripts, marks, blanks, and anything else. */
const typed = fc.array(
  fc.oneof(
    fc.string({ unit: codePoint, maxLength: 3 }),
    fc.string({ unit: "grapheme", maxLength: 6 }),
    fc.constantFrom(
      "alice",
      " ",
      "-",
      "_",
      ".",
      "\u0411\u043e\u0431",
      "\u0301",
      "\ufb01",
      "\u03c2",
    ),
    fc.constantFrom("\u6f22\u5b57", "\u0915\u094d\u0937", "\u1100\u1161", "\u{1d400}", "\u200d"),
  ),
  { maxLength: 10 },
).map((pieces) => pieces.join(""));

const names = typed.map((text) => tryParse(parseName, text)).filter((name) => name !== undefined);

function tryParse(parse: (raw: string) => string, text: string): string | undefined {
  try {
    return parse(text);
  } catch (error) {
    assert.ok(error instanceof CmdchatError, String(error));
    return undefined;
  }
}

function takenBy(...taken: string[]): (key: string) => boolean {
  const keys = new Set(taken.map(nameKey));
  return (key) => keys.has(key);
}

Deno.test("parseName() takes names of every script", () => {
  const taken = [
    "a",
    "7",
    "anonymous-2",
    "Ann Lee",
    "j.r_r-t",
    "x".repeat(NAME_MAX_CHARACTERS),
    "\u0410\u043d\u043d\u0430",
    "\u039d\u03af\u03ba\u03bf\u03c2",
    "\u6f22\u5b57",
    "\uae40\uc601\ud76c",
    "\u05e9\u05dc\u05d5\u05dd",
    "\u0645\u0631\u062d\u0628\u0627",
    "\u0928\u092e\u0938\u094d\u0924\u0947",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
    "Nguy\u1ec5n",
    "Jos\u00e9",
    "\u0967\u0968",
  ];
  for (const name of taken) assert.equal(parseName(name), name);
});

Deno.test("parseName() gives one form to what is written in several", () => {
  assert.equal(parseName("  Ann   Lee "), "Ann Lee");
  assert.equal(parseName("Jose\u0301"), "Jos\u00e9");
  assert.equal(parseName("\uff41\uff4c\uff49\uff43\uff45"), "alice");
  assert.equal(parseName("\ufb01n"), "fin");
});

Deno.test("parseName() refuses what cannot be in a name and says which character it is", () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ["", /it is empty, and must have 1 to 32 characters/],
    ["   ", /it is empty/],
    ["...", /no letter and no digit/],
    ["bob\u2713", /U\+2713/],
    ["bob\u{1f600}", /U\+1F600/],
    ["a/b", /: the character \/ cannot be in it/],
    ["a:b", /: the character : cannot be in it/],
    ["a\u02d0", /U\+02D0|the character :/],
    ["<bob>", /: the character < cannot be in it/],
    ["a\nb", /: a line break cannot be in it/],
    ["a\tb", /: a tab cannot be in it/],
    ["a\x1b[2J", /U\+001B/],
    ["a\u202eb", /U\+202E/],
    ["a\u200bb", /U\+200B/],
    ["a\u3164", /U\+1160|U\+3164/],
    ["\u0301a", /accent without a letter/],
    ["a-\u0301b", /accent without a letter/],
    ["\u3161\u3161", /accent without a letter/],
    [`\u1100${"\u1161".repeat(5)}`, /too many accents/],
    [`a${"\u0301\u0302\u0303\u0304\u0305"}`, /too many accents/],
    ["a\u0323\u0323", /too many accents/],
  ];
  for (const [name, reason] of refused) {
    assert.throws(() => parseName(name), (error) => {
      assert.ok(error instanceof UsageError, name);
      assert.match(error.message, /^Cannot use the name "/);
      assert.match(error.message, reason);
      return true;
    });
  }
});

Deno.test("parseName() refuses the program's own words, however they are written", () => {
  const forged = [
    "server",
    "SERVER",
    "Server",
    "s\u0435rver",
    "-server-",
    "server.",
    "1server",
    "server2",
    "system",
    "\uff33ystem",
    "sy stem",
    "error",
    "err0r",
    "cmdchat",
    "cmdchat-server",
    "Hint",
    "admin",
    "Operator",
    "0perator",
    "you",
    "Server Notice",
    "server-notice",
    "moderator",
  ];
  for (const name of forged) {
    assert.throws(() => parseName(name), /one of the program's own words/, name);
  }
  for (
    const name of ["observer", "servers are fun", "systematic", "ann error", "young", "admina"]
  ) {
    assert.equal(parseName(name), name);
  }
});

Deno.test("parseName() names both numbers of a limit", () => {
  assert.throws(
    () => parseName("x".repeat(33)),
    (error) =>
      error instanceof UsageError && /33 characters, at most 32 are allowed/.test(error.message),
  );
  assert.throws(
    () => parseName("\u6f22".repeat(22)),
    (error) =>
      error instanceof UsageError && /66 bytes, at most 64 are allowed/.test(error.message),
  );
  // What NFKC makes longer counts as long as it becomes; what is huge is not even normalized.
  assert.throws(() => parseName("\ufdfa".repeat(2)), UsageError);
  assert.throws(() => parseName("\ufdfa".repeat(1_000_000)), UsageError);
});

Deno.test("parseName() takes no hostile text but honest right-to-left letters and what a sentence puts in quotes", () => {
  const taken = HOSTILE_TEXTS.filter(({ text }) => tryParse(parseName, text) !== undefined);
  assert.deepEqual(taken.map(({ label }) => label), [
    "name that ends a sentence",
    "right-to-left name",
    "right-to-left text",
  ]);
});

Deno.test("an error about a name carries nothing of it that a terminal would obey", () => {
  for (const { label, text } of HOSTILE_TEXTS) {
    for (const parse of [parseName, parseRoom]) {
      try {
        parse(text);
      } catch (error) {
        assert.ok(error instanceof CmdchatError);
        assert.equal(error.message, sanitizeLine(error.message), label);
        assert.ok(error.message.length < 300, label);
      }
    }
  }
});

Deno.test("a name is safe for terminals and logs, within its limits, and a fixed point", () => {
  fc.assert(
    fc.property(typed, (text) => {
      const name = tryParse(parseName, text);
      if (name === undefined) return;
      assert.equal(parseName(name), name);
      assert.equal(sanitizeLine(name), name);
      assert.ok([...name].length >= 1 && [...name].length <= NAME_MAX_CHARACTERS);
      assert.ok(encoder.encode(name).length <= NAME_MAX_BYTES);
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("a room's name is in lower case, safe, within its limits, and a fixed point", () => {
  assert.equal(parseRoom("Lobby"), "lobby");
  assert.equal(parseRoom("\u0410\u041d\u041d\u0410"), "\u0430\u043d\u043d\u0430");
  assert.equal(
    parseRoom("\u03a3\u039f\u03a6\u039f\u03a3"),
    parseRoom("\u03c3\u03bf\u03c6\u03bf\u03c2"),
  );
  assert.equal(parseRoom("server"), "server");
  fc.assert(
    fc.property(typed, (text) => {
      const room = tryParse(parseRoom, text);
      if (room === undefined) return;
      assert.equal(parseRoom(room), room);
      assert.equal(sanitizeLine(room), room);
      assert.ok(encoder.encode(room).length <= NAME_MAX_BYTES);
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("names that look alike or differ by case have one key", () => {
  for (const [one, other] of LOOKALIKE_NAMES) {
    assert.equal(nameKey(one), nameKey(other), `${one} ${other}`);
    assert.equal(nameKey(parseName(one)), nameKey(parseName(other)), `${one} ${other}`);
  }
});

Deno.test("names that differ have different keys", () => {
  const different = [
    "alice",
    "alicia",
    "bob",
    "rob",
    "bobby",
    "ann",
    "anna",
    "eve",
    "dave",
    "peggy",
    "v",
    "n",
    "u",
    "y",
    "r",
    "h",
    "b",
    "d",
    "p",
    "q",
    "g",
    "o",
    "l",
    "ann-2",
    "ann-3",
    "ann2",
    "an n",
    "\u0418\u0432\u0430\u043d",
    "\u0418\u0433\u043e\u0440\u044c",
    "\u0410\u043d\u044f",
    "\u042f\u043d\u0430",
    "\u039d\u03af\u03ba\u03bf\u03c2",
    "\u0391\u03bb\u03ad\u03be\u03b7\u03c2",
    "\u6f22",
    "\u5b57",
    "Jos\u00e9",
    "Jose",
    "\u05d3\u05df",
    "\u05e8\u05df",
  ];
  const keys = new Map(different.map((name) => [nameKey(name), name]));
  assert.equal(keys.size, different.length, [...keys.values()].join(" "));
});

Deno.test("a key does not depend on how a name was normalized", () => {
  fc.assert(
    fc.property(names, (name) => {
      for (const form of ["NFC", "NFD", "NFKC", "NFKD"] as const) {
        assert.equal(nameKey(name.normalize(form)), nameKey(name));
      }
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("nextFreeName() counts from 2 where the name or a lookalike is taken", () => {
  assert.equal(nextFreeName("anonymous", takenBy()), "anonymous");
  assert.equal(nextFreeName("anonymous", takenBy("anonymous")), "anonymous-2");
  assert.equal(nextFreeName("anonymous", takenBy("anonymous", "Anonymous-2")), "anonymous-3");
  assert.equal(nextFreeName("\u0430lice", takenBy("alice")), "\u0430lice-2");
});

Deno.test("nextFreeName() stays within both limits and gives a name that is free", () => {
  const long = fc.oneof(
    names,
    fc.constantFrom("\u6f22", "x", "\u0915\u094d", "\u1100\u1161", "e\u0323").map((unit) => {
      for (let count = 64;; count--) {
        const name = tryParse(parseName, unit.repeat(count));
        if (name !== undefined) return name;
      }
    }),
  );
  fc.assert(
    fc.property(long, fc.integer({ min: 0, max: 300 }), (name, count) => {
      const taken = new Set<string>();
      for (let round = 0; round < count; round++) {
        const next = nextFreeName(name, (key) => taken.has(key));
        assert.ok(!taken.has(nameKey(next)), next);
        taken.add(nameKey(next));
        assert.equal(parseName(next), next);
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("nextFreeName() asks few times where thousands have the name, and ends where all do", () => {
  const taken = new Set([nameKey("anonymous")]);
  for (let n = 2; n <= 10_000; n++) taken.add(nameKey(`anonymous-${n}`));
  let asked = 0;
  const free = nextFreeName("anonymous", (key) => {
    asked++;
    return taken.has(key);
  });
  assert.equal(free, "anonymous-10001");
  assert.ok(asked < 60, `asked ${asked} times`);
  assert.throws(() => nextFreeName("x", () => true), LimitError);
});
