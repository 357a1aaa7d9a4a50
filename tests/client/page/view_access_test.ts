// The view for everybody: hostile text stays text, and no eye, hand or width is left out.

import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "puppeteer-core";
import { whyNoBrowser } from "../../helpers/browser/browsers.ts";
import { messageOf, roomOf, START, startView, STATUS } from "../../helpers/browser/view_page.ts";
import { CONTROL_CHARACTERS, HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";
import { skipIf } from "../../helpers/repo/skip.ts";

const missing = whyNoBrowser("chromium");
const test = skipIf(missing);
const browser = missing === undefined ? await startView() : undefined;

/** What a page that parsed its texts would run. */
const MARKUP = [
  "<script>owned = true</script>",
  "<img src=x onerror='owned = true'>",
  '"><svg onload="owned = true">',
  "<iframe srcdoc='<script>parent.owned = true</script>'></iframe>",
  "<style>* { display: none }</style>",
  "</textarea><script>owned = true</script>",
  "javascript:owned=true",
  "data:text/html,<script>owned=true</script>",
  'https://example.org/" onmouseover="owned = true',
  "{{constructor.constructor('owned = true')()}}",
  "<!--",
  "]]>",
  "&lt;script&gt;",
];

test("hostile text on every field is text, and nothing else", async () => {
  await browser?.chat(async (page) => {
    // The core makes control characters safe; here is what HTML could make of the rest.
    const hostile = HOSTILE_TEXTS.filter((text) => !CONTROL_CHARACTERS.includes(text));
    const texts = ["harmless", ...MARKUP, ...hostile.map(({ text }) => text)];
    const [expected, ...seen] = await page.evaluate(fillAll, {
      texts,
      dialogs: MARKUP.length + 1,
      line: messageOf("alice", "hi"),
      room: roomOf("den"),
      status: STATUS,
    });
    assert.ok(expected !== undefined && expected.elements.length > 10);
    const known = new Set(expected.elements);
    for (const [n, { elements, links, isOwned }] of seen.entries()) {
      const what = JSON.stringify(texts[n + 1]?.slice(0, 80));
      assert.deepEqual(elements.filter((tag) => !known.has(tag)), [], what);
      assert.deepEqual(links.filter((href) => !/^https?:\/\//.test(href)), [], what);
      assert.equal(isOwned, false, what);
    }
  });
});

interface Fill {
  readonly texts: readonly string[];
  /** How many of them are put into dialogs too, which takes longer. */
  readonly dialogs: number;
  readonly line: ReturnType<typeof messageOf>;
  readonly room: ReturnType<typeof roomOf>;
  readonly status: typeof STATUS;
}

/** Runs in the page: puts each text into every field, and gives what the page then consists of. */
function fillAll({ texts, dialogs, line, room, status }: Fill) {
  const roles = ["time", "number", "room", "mark", "name", "about", "text", "code"] as const;
  const more = ["hint", "more", "gap", "added", "removed", "strong", "emphasis"] as const;
  return texts.map((text, n) => {
    view.clear();
    view.setRooms([{ ...room, label: text, topic: text }]);
    view.setStatus({
      ...status,
      connection: text,
      privacy: text,
      waiting: [text],
      typing: text,
      roomCode: text,
    });
    const marks = { code: text, key: "questioned", knownAs: text } as const;
    const person = { name: text, typed: text, own: false, color: 1, here: false, note: text };
    view.setPeople([{ ...person, ...marks }]);
    const rows = [
      [...roles, ...more].map((role) => ({ role, text })),
      [{ role: "link" as const, text, target: text }],
      [{ role: "fence" as const, text }],
      [{ role: "code" as const, text }],
    ];
    view.print({ ...line, rows });
    for (const kind of ["system", "note", "file", "connection", "progress", "day"] as const) {
      view.print({ ...line, kind, rows, level: "danger", time: text });
      view.setLive([{ ...line, kind, rows }]);
    }
    view.print({ ...line, sequence: n });
    view.react("den", n, [{ emoji: text, count: 1, names: text, own: true }]);
    const transfer = { n: 1, direction: "in", size: 1, done: 0, state: "offered" } as const;
    view.setTransfers([]);
    view.setTransfers([{ ...transfer, name: text, sender: text, room: text, waiting: text }]);
    document.querySelector(".alarm")?.remove();
    view.alarm(text, text);
    view.setInput(text);
    view.notify(text);
    if (n < dialogs) {
      void view.ask(text, { hidden: false });
      document.querySelector<HTMLElement>(".person")?.click();
    }
    const tags = [...document.querySelectorAll("#app *, dialog *")].map(({ tagName }) => tagName);
    const links = [...document.querySelectorAll("a")].map(({ href }) => href);
    document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
    return {
      elements: [...new Set(tags)].filter((tag) => tag !== "A").sort(),
      links,
      isOwned: "owned" in globalThis,
    };
  });
}

/** Fills the conversation with one of everything. */
async function fill(page: Page): Promise<void> {
  await page.evaluate(
    (lines, rooms, status) => {
      const marks = { code: "1234 5678", key: "verified" } as const;
      const person = { own: false, color: 3, here: true };
      view.setRooms(rooms);
      view.setStatus(status);
      view.setPeople([
        { ...person, name: "alice", typed: "alice", ...marks },
        { ...person, name: "carol", typed: "carol", note: "away", here: false },
        { ...person, name: "dave2", typed: "dave2", key: "questioned", knownAs: "dave" },
        { ...person, name: "bob", typed: "bob", own: true },
      ]);
      lines.forEach((line) => view.print(line));
      const reaction = { emoji: "👍", count: 12, names: "alice, carol and 10 more" };
      view.react("den", 7, [{ ...reaction, own: true }, { ...reaction, emoji: "🎉", own: false }]);
      const transfer = { name: `${"plan".repeat(20)}.pdf`, size: 40, done: 10, room: "den" };
      const both = { ...transfer, sender: "alice", waiting: undefined };
      view.setTransfers([
        { ...both, n: 1, direction: "in", state: "offered" },
        { ...both, n: 2, direction: "out", state: "sending" },
      ]);
      view.alarm(`Another server answers ${"w".repeat(100)}`, "Ask.");
    },
    [
      messageOf("alice", "hello\nhttps://example.org", { sequence: 7 }),
      {
        ...messageOf("alice", ""),
        rows: [
          [{ role: "fence" as const, text: "```diff" }],
          [{ role: "hunk" as const, text: "@@ -1 +1 @@" }],
          [{ role: "removed" as const, text: `-${"a".repeat(300)}` }],
          [{ role: "added" as const, text: "+b" }],
          [{ role: "fence" as const, text: "```" }],
          [{ role: "strong" as const, text: "*bold*" }, {
            role: "emphasis" as const,
            text: "_it_",
          }],
        ],
      },
      messageOf("alice", "w".repeat(300), { mention: true }),
      messageOf("carol", "said before", { backlog: true }),
      messageOf("n".repeat(32), "a\n\nb", { direct: true }),
      ...(["info", "warning", "danger", "error"] as const).map((level) => ({
        ...messageOf("", "a note of the client's"),
        kind: "note" as const,
        level,
      })),
    ],
    [
      roomOf("den", { topic: "t".repeat(200), label: "den ".repeat(8) }),
      roomOf("pub", { current: false, unread: 120, mentions: 2, sealed: true }),
    ],
    { ...STATUS, privacy: "sealed, nobody has confirmed you", privacyLevel: "sealed" as const },
  );
}

/** The screens that there are, by what leads to them. */
const SCREENS: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  start: (page) =>
    page.evaluate((start) => void view.askStart(start, { text: "No.", hint: "Ask." }), START),
  invited: async (page) => {
    const start = { ...START, invited: true, sealed: true };
    await page.evaluate((start) => void view.askStart(start), start);
    await page.click("summary");
  },
  chat: fill,
  privacy: async (page) => {
    await fill(page);
    await page.click("button.privacy");
  },
  invite: async (page) => {
    await fill(page);
    await page.click('[aria-label="Invite"]');
  },
  notices: async (page) => {
    await fill(page);
    await page.click('[aria-label="Notices"]');
  },
  join: async (page) => {
    await fill(page);
    await page.evaluate(() => {
      document.querySelector<HTMLElement>('[aria-label="Join or create a room"]')?.click();
    });
  },
  person: async (page) => {
    await fill(page);
    await page.evaluate(() => document.querySelector<HTMLElement>(".person")?.click());
  },
  message: async (page) => {
    await fill(page);
    await page.evaluate((line) => view.print(line), {
      ...messageOf("bob", "mine", { sequence: 8 }),
      own: true,
    });
    await page.evaluate(() => {
      document.querySelector<HTMLElement>(".own .number")?.click();
    });
  },
  question: (page) => page.evaluate(() => void view.ask("Trust it?", { hidden: false })),
  ended: (page) => page.evaluate(() => view.ended({ text: "The server said no." })),
};

const SIZES = [[320, 568], [800, 700], [1440, 900]] as const;

for (const [name, show] of Object.entries(SCREENS)) {
  test(`${name}: axe finds nothing, nothing is wider than the window, every target has 44 px`, async () => {
    await browser?.chat(async (page) => {
      await page.evaluate(axe.source);
      await show(page);
      for (const scheme of ["light", "dark"]) {
        await page.emulateMediaFeatures([
          { name: "prefers-color-scheme", value: scheme },
          { name: "prefers-reduced-motion", value: "reduce" },
        ]);
        for (const [width, height] of SIZES) {
          await page.setViewport({ width, height });
          const what = `${scheme} ${width}`;
          assert.deepEqual(await page.evaluate(layoutFaults), [], what);
          if (width !== 800) assert.deepEqual(await page.evaluate(axeFaults), [], what);
        }
      }
    });
  });
}

/** Runs in the page: violations of axe's rules. */
async function axeFaults(): Promise<readonly string[]> {
  const { axe } = globalThis as unknown as {
    axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
  };
  const { violations } = await axe.run();
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** Runs in the page: parts that are too wide, and targets that are too small. */
function layoutFaults(): readonly string[] {
  const boxes = [...document.querySelectorAll("html, #app, .log, dialog")];
  const wide = boxes.filter((box) => box.scrollWidth > box.clientWidth);
  const small = [...document.querySelectorAll("button, summary, input:not([type=checkbox])")]
    .filter((target) => target.checkVisibility({ visibilityProperty: true }))
    .filter((target) => {
      const { width, height } = target.getBoundingClientRect();
      // In a line of text, and what it leads to can be had by a command as well.
      const least = target.matches(".number") ? 24 : 44;
      return width < least || height < least;
    });
  return [
    ...wide.map(({ tagName, className, id }) => `${className || id || tagName} scrolls sideways`),
    ...small.map(({ outerHTML }) => `too small: ${outerHTML.slice(0, 120)}`),
  ];
}

test("the keyboard alone reaches everything that is seen, and nothing that is not", async () => {
  await browser?.chat(async (page) => {
    await fill(page);
    for (const [width, height] of SIZES) {
      await page.setViewport({ width, height });
      await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
      await page.focus("textarea");
      const reached = new Set<string>();
      for (let n = 0; n < 40; n++) {
        await page.keyboard.press("Tab");
        const [name, isSeen] = await page.evaluate(() => {
          const at = document.activeElement;
          const isSeen = at?.checkVisibility({ visibilityProperty: true }) ?? false;
          const name = at?.getAttribute("aria-label") ?? at?.textContent ?? "";
          return [at === document.body ? "" : name, isSeen] as const;
        });
        assert.ok(isSeen, name);
        reached.add(name);
      }
      const wanted = await page.$$eval(
        "button:not([tabindex='-1']), textarea, [tabindex='0'], a",
        (found) =>
          found.filter((at) => at.checkVisibility({ visibilityProperty: true }))
            .map((at) => at.getAttribute("aria-label") ?? at.textContent ?? ""),
      );
      assert.deepEqual(wanted.filter((name) => !reached.has(name)), [], String(width));
    }
  });
});

/** What a screen reader is given: role and name of each part, and what else it says of it. */
async function heardParts(page: Page): Promise<readonly string[]> {
  const cdp = await page.createCDPSession();
  const { nodes } = await cdp.send("Accessibility.getFullAXTree");
  await cdp.detach();
  const said = ["live", "hasPopup", "level", "focused"];
  return nodes.filter(({ ignored }) => !ignored).map(({ role, name, properties = [] }) => {
    const more = properties.filter((property) => said.includes(property.name)).map((property) =>
      ` ${property.name}=${property.value.value}`
    );
    return `${role?.value} "${name?.value ?? ""}"${more.join("")}`;
  });
}

test("a screen reader is given each part by its role and name", async () => {
  await browser?.chat(async (page) => {
    await page.setViewport({ width: 1440, height: 900 });
    await page.evaluate((lines) => lines.forEach((line) => view.print(line)), [
      messageOf("alice", "said before", { sequence: 1, backlog: true }),
      messageOf("alice", "hello", { sequence: 2 }),
    ]);
    await page.evaluate(() => view.alarm("Another server answers.", "Ask."));
    const parts = await heardParts(page);
    for (
      const wanted of [
        'navigation "Rooms"',
        'main ""',
        'heading "den" level=1',
        'heading "People" level=2',
        'region "People"',
        'log "Messages of den" live=polite',
        'button "#1" hasPopup=dialog',
        'alert "" live=assertive',
        'form "Write a message"',
        'textbox "Message" focused=true',
        'button "Send"',
      ]
    ) assert.ok(parts.includes(wanted), `${wanted} is not in\n${parts.join("\n")}`);
    assert.equal(parts.filter((part) => /^button "#1"/.test(part)).length, 2);
    assert.equal(parts.filter((part) => /^(?:button|textbox|link) ""/.test(part)).length, 0);
    // New messages are said; those of before the user came are read by who wants to.
    const live = await page.$$eval("article", (all) => all.map(({ ariaLive }) => ariaLive));
    assert.deepEqual(live, ["off", null]);
  });
});

test("by keyboard one goes from message to message, says what to do with one, and comes back", async () => {
  await browser?.chat(async (page) => {
    await page.evaluate((lines) => lines.forEach((line) => view.print(line)), [
      messageOf("alice", "first", { sequence: 6 }),
      { ...messageOf("", "a note"), kind: "note" as const },
      messageOf("alice", "second", { sequence: 7 }),
      messageOf("bob", "mine", { sequence: 8, own: true }),
    ]);
    const at = () =>
      page.evaluate(() => document.activeElement?.ariaLabel ?? document.activeElement?.tagName);
    const press = async (...keys: readonly ("PageUp" | "ArrowUp" | "ArrowDown" | "Escape")[]) => {
      const seen = [];
      for (const key of keys) {
        await page.keyboard.press(key);
        seen.push(await at());
      }
      return seen;
    };
    const [first, second, mine] = ["alice", "alice", "bob"].map((name, n) =>
      `${name} 10:00 #1 ${["first", "second", "mine"][n]}`
    );
    assert.deepEqual(
      await press("PageUp", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "Escape"),
      [mine, second, first, first, second, "Message"],
    );
    await press("PageUp", "ArrowUp");
    await page.keyboard.press("Enter");
    const heading = () => page.$$eval("dialog h2", (all) => all.map((one) => one.textContent));
    assert.deepEqual(await heading(), ["Message #7"]);
    const closed = () => page.waitForFunction(() => document.querySelector("dialog") === null);
    await page.keyboard.press("Escape");
    await closed();
    assert.equal(await at(), second);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await closed();
    assert.deepEqual(await page.evaluate(() => told.at(-1)), ["entered", "/react #7 👍"]);
    assert.equal(await at(), second);
    // Whoever begins to write writes; and in a draft of several rows, PageUp is the draft's.
    await page.keyboard.type("x");
    await page.$eval("textarea", (input) => input.value = "a\nb");
    assert.deepEqual(await press("PageUp"), ["Message"]);
  });
});

test("however many alarms and offers come, the input is in the window, and none is said twice", async () => {
  await browser?.chat(async (page) => {
    await page.evaluate(() => {
      const offer = { name: "a.txt", size: 1, done: 0, sender: "eve", room: "den" } as const;
      const state = { direction: "in", state: "offered", waiting: undefined } as const;
      view.setTransfers(Array.from({ length: 50 }, (_, n) => ({ ...offer, ...state, n })));
      for (let n = 0; n < 100; n++) view.alarm(`alarm ${n % 50}`, "Ask.");
    });
    assert.equal((await page.$$(".alarm")).length, 50);
    for (const [width, height] of [[320, 256], [640, 360], [1440, 900]] as const) {
      await page.setViewport({ width, height });
      const bottom = await page.$eval("textarea", (input) => input.getBoundingClientRect().bottom);
      assert.ok(bottom <= height, `${bottom} of ${height}`);
    }
  });
});

test("on paper there is all that was said, and nothing to press", async () => {
  await browser?.chat(async (page) => {
    await page.evaluate((lines) => {
      for (const line of lines) view.print(line);
    }, Array.from({ length: 200 }, (_, n) => messageOf("alice", `hello ${n}`)));
    await page.emulateMediaType("print");
    const seen = await page.evaluate(() => ({
      lines: [...document.querySelectorAll(".line")].filter((line) => {
        const { top, bottom } = line.getBoundingClientRect();
        return top >= 0 && bottom <= document.documentElement.scrollHeight;
      }).length,
      isCut: getComputedStyle(document.body).overflow !== "visible",
      buttons: [...document.querySelectorAll("button, textarea")].filter((at) =>
        at.checkVisibility()
      ).length,
    }));
    assert.deepEqual(seen, { lines: 200, isCut: false, buttons: 0 });
  });
});

test("where no script runs, the page says what it needs", async () => {
  await browser?.blank(async (page) => {
    const text = () => page.$eval("body", ({ innerText }) => innerText);
    assert.doesNotMatch(await text(), /needs JavaScript/);
    await page.setJavaScriptEnabled(false);
    await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
    await page.goto(page.url());
    assert.match(await text(), /needs JavaScript, and Chrome 133, Firefox 130, Safari 18 or newer/);
    await page.setJavaScriptEnabled(true);
    await page.goto(page.url());
  });
});

test("drawers open and close by keyboard, and give it back", async () => {
  await browser?.chat(async (page) => {
    await fill(page);
    await page.setViewport({ width: 320, height: 568 });
    const focused = () => page.evaluate(() => document.activeElement?.className);
    for (const [side, inside] of [["rooms", "Join or create a room"], ["people", null]] as const) {
      await page.focus(`.toggle.${side}`);
      await page.keyboard.press("Enter");
      const expanded = `.toggle.${side}[aria-expanded=true]`;
      assert.equal((await page.$$(expanded)).length, 1);
      const label = await page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
      assert.equal(label ?? null, inside);
      await page.keyboard.press("Escape");
      assert.equal(await focused(), `toggle ${side}`);
      assert.equal((await page.$$(expanded)).length, 0);
    }
  });
});

Deno.test("the browser ends", async () => await browser?.[Symbol.asyncDispose]());
