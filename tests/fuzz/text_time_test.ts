// Drawing, folding and checking a peer's text takes time that is linear in it: a text of four times the length may take
// at most RATIO_MAX times as long. The corpus holds what each scan is worst at; random mixes of it look for more.
import assert from "node:assert/strict";
import { formatLink, parseLink } from "../../shared/text/invite_link.ts";
import { nameKey, parseName } from "../../shared/text/names.ts";
import { safeDownloadName } from "../../shared/text/download_name.ts";
import { namedRows } from "../../client/headless/recv.ts";
import { mentions } from "../../client/output/attention.ts";
import { lastRows, readingLength } from "../../client/output/shown_line.ts";
import { createJsonRenderer } from "../../client/render/json.ts";
import { createMinimalRenderer } from "../../client/render/minimal.ts";
import { createRichRenderer } from "../../client/render/rich.ts";
import { shortLabel } from "../../client/render/text.ts";
import { InputFlow } from "../../client/editing/input_flow.ts";
import { parseStyled } from "../../client/terminal/layout.ts";
import { noticeSequence } from "../../client/terminal/terminal_modes.ts";
import { Style } from "../../client/terminal/style.ts";
import { plainRow } from "../../client/render/shown.ts";
import { painted, type PaintedRenderer } from "../helpers/fakes/painted_renderer.ts";
import { casesFor } from "../helpers/hostile/hostile_input.ts";
import { SLOW_TEXTS } from "../helpers/hostile/hostile_text.ts";
import { startStopwatch } from "../helpers/system/own_time.ts";
import { SeededRandom, seedOfRun } from "../helpers/fakes/random.ts";

// Four times the length of SHORT: a linear scan takes some 4 times as long, and up to 8 where long strings keep the
// garbage collector busy; a quadratic one takes 16 times as long.
const [SHORT, LONG] = [8_192, 32_768];
const RATIO_MAX = 10;
// What takes no longer is fast enough, and too short to measure. A quadratic scan takes seconds.
const FAST_MS = 60;
const TRIALS = 3;
const ROUNDS = 4;
const RANDOM_TEXTS = casesFor(0.0003);
const TIME = "2026-01-02T03:04:05.678Z";

const MESSAGE = {
  sender: "mallory",
  text: "hello",
  room: "lobby",
  time: TIME,
  sequence: 7,
  own: false,
  mention: false,
};

const RENDERERS: Readonly<Record<string, PaintedRenderer>> = {
  rich: painted(createRichRenderer({ columns: () => 40 }), {
    style: new Style("true"),
    links: () => true,
  }),
  "rich with blocks and markup": painted(
    createRichRenderer({ columns: () => 40, blocks: true, markup: () => true }),
    { style: new Style("true") },
  ),
  "rich in a pipe": painted(createRichRenderer({}), { style: new Style("true") }),
  minimal: painted(createMinimalRenderer({ columns: () => 40 })),
  json: painted(createJsonRenderer()),
};

function draw(renderer: PaintedRenderer, text: string): void {
  const file = {
    n: 1,
    direction: "in",
    name: safeDownloadName(text),
    size: 1,
    sender: text,
  } as const;
  renderer.chat({ ...MESSAGE, text });
  renderer.chat({ ...MESSAGE, text: `\`\`\`\n${text}\n\`\`\`` });
  renderer.chat({ ...MESSAGE, sender: text, quote: { sequence: 1, sender: text, text } });
  renderer.system({ text, room: text, time: TIME, event: "notice", elsewhere: true });
  renderer.system({ text, room: text, time: TIME, event: "names", names: [text, text] });
  renderer.note({ level: "info", text: `list:\n${text}`, hint: text, time: TIME });
  renderer.note({ level: "error", text, time: TIME });
  renderer.file({ kind: "offered", file, accepted: false }, TIME);
  renderer.roomSwitch?.(text);
}

/** Everything that scans texts, names or file names of peers. */
const SCANS: Readonly<Record<string, (text: string) => void>> = {
  ...Object.fromEntries(
    Object.entries(RENDERERS).map(([name, renderer]) => [name, (text) => draw(renderer, text)]),
  ),
  "recv --names": (text) => void namedRows({ sender: text, text }, 40),
  "mentions()": (text) => void [mentions(text, "alice"), mentions(text, "a")],
  "names": (text) => void [nameKey(text), shortLabel(text), refused(() => parseName(text))],
  "file names": (text) => void safeDownloadName(text),
  "links": (text) => refused(() => formatLink(parseLink(`cmdchat://host/${text}`))),
  "folding": (text) => {
    const rows = text.split("\n").map((row) => plainRow(row));
    lastRows(rows, readingLength(rows));
  },
  "painting": (text) => new InputFlow().update(parseStyled(text), { text, cursor: 0, columns: 40 }),
  "notices": (text) => void noticeSequence({ form: "osc777", text }),
};

function refused(parse: () => unknown): void {
  try {
    parse();
  } catch {
    // What is no name or no link is refused; how long that takes is what counts.
  }
}

/** The least of `trials` times, in ms: what other programs did meanwhile is not the scan's. */
function timeOf(scan: (text: string) => void, text: string, trials: number): number {
  let least = Infinity;
  for (let trial = 0; trial < trials && (trial === 0 || least > FAST_MS); trial++) {
    const elapsed = startStopwatch();
    scan(text);
    least = Math.min(least, elapsed());
  }
  return least;
}

function assertLinear(scan: (text: string) => void, make: (length: number) => string): void {
  let [long, short] = [0, 0];
  // Once is enough where it shows that the scan is linear: a delay makes the long text look worse, and of the short one
  // the least time counts. A busy machine may delay some measurements; a scan that is not linear fails all of them.
  for (let round = 0; round < ROUNDS; round++) {
    long = timeOf(scan, make(LONG), round === 0 ? 1 : TRIALS);
    if (long <= FAST_MS) return;
    short = timeOf(scan, make(SHORT), round === 0 ? 2 : TRIALS);
    if (long <= RATIO_MAX * short) return;
  }
  assert.fail(`${long.toFixed(1)} ms for ${LONG} characters, ${short.toFixed(1)} ms for ${SHORT}`);
}

for (const [name, scan] of Object.entries(SCANS)) {
  Deno.test(`the time grows with the length of the text, not with its square: ${name}`, async (t) => {
    for (const [label, make] of Object.entries(SLOW_TEXTS)) {
      await t.step(label, () => assertLinear(scan, make));
    }
  });
}

Deno.test("eleven texts that are slow to draw, as many as the rate allows, delay nobody by a second", () => {
  const make = SLOW_TEXTS["a link behind dots before closing brackets"] as (n: number) => string;
  const renderer = RENDERERS["rich"] as PaintedRenderer;
  const elapsed = startStopwatch();
  for (let n = 0; n < 11; n++) renderer.chat({ ...MESSAGE, text: make(4_096) });
  assert.ok(elapsed() < 1_000);
});

Deno.test("mixes of slow texts take time that is linear in them", () => {
  const random = new SeededRandom(seedOfRun());
  const makers = Object.values(SLOW_TEXTS);
  for (let n = 0; n < RANDOM_TEXTS; n++) {
    const parts = Array.from({ length: random.between(2, 4) }, () => random.of(makers));
    const make = (length: number) => parts.map((part) => part(length / 4)).join(" ");
    for (const [name, scan] of Object.entries(SCANS)) {
      try {
        assertLinear(scan, make);
      } catch (cause) {
        throw new Error(`SEED=${random.seed}, text ${n}, ${name}`, { cause });
      }
    }
  }
});
