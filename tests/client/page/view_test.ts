// What the view makes of what it is told, and what it tells, in a real browser.

import assert from "node:assert/strict";
import type { Page } from "puppeteer-core";
import { whyNoBrowser } from "../../helpers/browser/browsers.ts";
import type { PageReaction } from "../../../client/web/page_view.ts";
import { createPageRenderer } from "../../../client/web/page_renderer.ts";
import { messageOf, roomOf, START, startView, STATUS } from "../../helpers/browser/view_page.ts";
import { skipIf } from "../../helpers/repo/skip.ts";

const missing = whyNoBrowser("chromium");
const test = skipIf(missing);
const browser = missing === undefined ? await startView() : undefined;

/** A test of the conversation. */
function testChat(name: string, use: (page: Page) => Promise<void>): void {
  test(name, async () => await browser?.chat(use));
}

const textOf = (page: Page, selector: string) =>
  page.$$eval(selector, (found) => found.map(({ textContent }) => textContent));

testChat(
  "Enter sends, Shift-Enter begins a new row, and the keyboard stays where it is",
  async (page) => {
    await page.keyboard.type("hello");
    await page.keyboard.down("Shift");
    await page.keyboard.press("Enter");
    await page.keyboard.up("Shift");
    await page.keyboard.type("again");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await page.keyboard.type("x");
    await page.click(".send");
    await page.keyboard.type("y");
    const entered = await page.evaluate(() => told.filter(([what]) => what === "entered"));
    assert.deepEqual(entered, [["entered", "hello\nagain"], ["entered", "x"]]);
    assert.equal(await page.$eval("textarea", ({ value }) => value), "y");
  },
);

testChat(
  "the arrow keys bring back what was entered, and only from an empty input",
  async (page) => {
    const value = () => page.$eval("textarea", ({ value }) => value);
    for (const text of ["one", "two"]) {
      await page.keyboard.type(text);
      await page.keyboard.press("Enter");
    }
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    assert.equal(await value(), "one");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    assert.equal(await value(), "");
    await page.keyboard.type("new");
    await page.keyboard.press("ArrowUp");
    assert.equal(await value(), "new");
  },
);

testChat("Tab completes, goes on to the next word, and leaves an empty input", async (page) => {
  const value = () => page.$eval("textarea", ({ value }) => value);
  await page.keyboard.type("hi bo");
  await page.keyboard.press("Tab");
  assert.equal(await value(), "hi bob");
  await page.$eval("textarea", (input) => input.value = "");
  await page.keyboard.type("al");
  await page.keyboard.press("Tab");
  assert.deepEqual(await textOf(page, ".candidate"), ["alice", "alan"]);
  await page.keyboard.press("Tab");
  assert.equal(await value(), "alan");
  await page.keyboard.press("Escape");
  assert.equal(await page.$eval(".candidates", (box) => (box as HTMLElement).hidden), true);
  await page.$eval("textarea", (input) => input.value = "");
  await page.keyboard.press("Tab");
  assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), "TEXTAREA");
});

testChat("each room keeps its draft", async (page) => {
  const show = (current: string) =>
    page.evaluate(
      (rooms) => view.setRooms(rooms),
      ["den", "pub"].map((title) => roomOf(title, { current: title === current })),
    );
  await page.keyboard.type("for the den");
  await show("pub");
  assert.equal(await page.$eval("textarea", ({ value }) => value), "");
  await page.keyboard.type("for the pub");
  await show("den");
  assert.equal(await page.$eval("textarea", ({ value }) => value), "for the den");
});

testChat(
  "messages of one member stand together for five minutes, and a day has its line",
  async (page) => {
    const times = ["10:00", "10:04", "10:10"].map((clock) => `2026-03-01T${clock}:00.000Z`);
    await page.evaluate(
      (lines) => lines.forEach((line) => view.print(line)),
      [
        ...times.map((time) => messageOf("alice", "hi", { time })),
        messageOf("bob", "hi", { time: times[2] as string }),
        messageOf("bob", "hi", { time: "2026-03-02T10:00:00.000Z" }),
        messageOf("bob", "hi", { time: "not a time" }),
      ],
    );
    const classes = await page.$$eval(
      ".line",
      (lines) => lines.map((line) => line.classList.contains("continues")),
    );
    assert.deepEqual(classes, [false, true, false, false, false, false]);
    assert.equal((await textOf(page, ".day")).length, 2);
    // The name is heard although it is not seen.
    assert.deepEqual(await textOf(page, ".line.continues .name"), ["alice"]);
  },
);

testChat(
  "the log follows its end while the user is there, and counts what comes while they are not",
  async (page) => {
    const fill = (count: number) =>
      page.evaluate(
        (line, count) => {
          for (let n = 0; n < count; n++) view.print(line);
        },
        messageOf("alice", "hello"),
        count,
      );
    const isAtEnd = () =>
      page.$eval(
        ".log:not([hidden])",
        (log) => log.scrollHeight - log.scrollTop - log.clientHeight < 2,
      );
    const settled = () =>
      page.evaluate(() =>
        new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      );
    await fill(100);
    await settled();
    assert.ok(await isAtEnd());
    await page.$eval(".log:not([hidden])", (log) => log.scrollTop = 100);
    await settled();
    await fill(3);
    await settled();
    assert.equal(await page.$eval(".log:not([hidden])", (log) => log.scrollTop), 100);
    assert.deepEqual(await textOf(page, ".jump"), ["3 new"]);
    await page.click(".jump");
    await settled();
    assert.ok(await isAtEnd());
    assert.equal(await page.$eval(".jump", (jump) => (jump as HTMLElement).hidden), true);
    await fill(2_000);
    assert.equal(
      await page.$eval(".log:not([hidden]) .lines", (lines) => lines.childElementCount),
      2_000,
    );
  },
);

testChat("a lower window and lines that come at once leave the log at its end", async (page) => {
  const isAtEnd = () =>
    page.$eval(
      ".log:not([hidden])",
      (log) => log.scrollHeight - log.scrollTop - log.clientHeight < 2,
    );
  const transfer = { n: 1, name: "a", size: 1, done: 0, sender: "alice", room: "den" } as const;
  for (let n = 0; n < 6; n++) {
    await page.evaluate(
      (line, transfers) => {
        for (let n = 0; n < 100; n++) view.print(line);
        view.setTransfers(transfers);
      },
      messageOf("alice", "hello"),
      n % 2 === 0
        ? [{ ...transfer, direction: "in" as const, state: "offered" as const, waiting: undefined }]
        : [],
    );
  }
  await page.evaluate(() =>
    new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
  );
  assert.ok(await isAtEnd());
  assert.equal(await page.$eval(".jump", (jump) => (jump as HTMLElement).hidden), true);
});

testChat("who begins to write elsewhere writes a message", async (page) => {
  for (const selector of [".log:not([hidden])", '[aria-label="Invite"]', ".privacy"]) {
    await page.focus(selector);
    await page.keyboard.type("hi");
    await page.keyboard.press("Enter");
  }
  const entered = await page.evaluate(() => told.filter(([what]) => what === "entered"));
  assert.deepEqual(entered, Array.from({ length: 3 }, () => ["entered", "hi"]));
  assert.equal(await page.$("dialog"), null);
});

testChat("what came into another room stands below a line, and the tab counts it", async (page) => {
  const rooms = (current: string, unread: number) =>
    ["den", "pub"].map((title) =>
      roomOf(title, {
        current: title === current,
        unread: title === "pub" ? unread : 0,
        mentions: title === "pub" ? unread : 0,
      })
    );
  const show = (current: string, unread: number) =>
    page.evaluate((rooms) => view.setRooms(rooms), rooms(current, unread));
  await show("pub", 0);
  await page.evaluate((line) => view.print(line), messageOf("alice", "old", { room: "pub" }));
  await show("den", 0);
  await page.evaluate((line) => view.print(line), messageOf("alice", "new", { room: "pub" }));
  await show("den", 1);
  assert.equal(await page.title(), "(1!) den · cmdchat");
  assert.deepEqual(await textOf(page, ".badge"), ["1 unread, with your name"]);
  await show("pub", 0);
  const seen = await page.$$eval(
    ".log:not([hidden]) .lines > *",
    (lines) => lines.map(({ className }) => className.split(" ").at(-1)),
  );
  assert.deepEqual(seen.filter((name) => name !== "day"), ["level-info", "unread", "level-info"]);
  assert.equal(await page.title(), "pub · cmdchat");
  await page.evaluate(
    (line) => view.print(line),
    messageOf("bob", "mine", { room: "pub", own: true }),
  );
  assert.equal((await page.$$(".divider.unread")).length, 0);
});

testChat(
  "code in a message is shown without its marks, links lead to the web alone",
  async (page) => {
    await page.evaluate((line) => view.print(line), {
      ...messageOf("alice", ""),
      rows: [
        [
          { role: "name" as const, text: "alice", color: 1 },
          { role: "text" as const, text: "see " },
          { role: "code" as const, text: "`a < b`" },
          { role: "link" as const, text: "https://example.org/x", target: "https://example.org/x" },
          { role: "link" as const, text: "evil", target: "javascript:alert(1)" },
        ],
        [{ role: "fence" as const, text: "```js" }],
        [{ role: "code" as const, text: "let a;" }],
        [{ role: "fence" as const, text: "```" }],
      ],
    });
    assert.deepEqual(await textOf(page, ".line code"), ["a < b", "let a;"]);
    assert.equal(await page.$eval(".line pre", ({ dataset }) => dataset["language"]), "js");
    assert.deepEqual(
      await page.$$eval(
        ".line a",
        (links) => links.map(({ href, rel, target }) => [href, rel, target]),
      ),
      [["https://example.org/x", "noopener noreferrer nofollow", "_blank"]],
    );
  },
);

testChat("how serious a line is can be seen and heard without its color", async (page) => {
  const levels = ["info", "warning", "danger", "error"] as const;
  await page.evaluate(
    (lines) => lines.forEach((line) => view.print(line)),
    levels.map((level) => ({
      kind: "note" as const,
      level,
      rows: [[{ role: "text" as const, text: "hello" }]],
    })),
  );
  assert.deepEqual(await textOf(page, ".line .body"), [
    "hello",
    "warning: hello",
    "warning: hello",
    "error: hello",
  ]);
  assert.equal((await page.$$(".line p > .icon")).length, 3);
});

testChat(
  "files come by drop and paste, and each transfer has what can be done about it",
  async (page) => {
    await page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(["abc"], "a.txt"));
      for (const type of ["dragover", "drop"]) {
        document.querySelector(".conversation")?.dispatchEvent(
          new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }),
        );
      }
      document.querySelector("textarea")?.dispatchEvent(
        new ClipboardEvent("paste", {
          clipboardData: dataTransfer,
          bubbles: true,
          cancelable: true,
        }),
      );
    });
    const transfer = {
      name: "plan.pdf",
      size: 4_000,
      done: 1_000,
      sender: "alice",
      room: "den",
      waiting: undefined,
    };
    await page.evaluate((transfers) => view.setTransfers(transfers), [
      { ...transfer, n: 1, direction: "in" as const, state: "offered" as const },
      {
        ...transfer,
        n: 2,
        direction: "out" as const,
        state: "sending" as const,
        sender: undefined,
      },
    ]);
    assert.deepEqual(await textOf(page, ".transfer .words"), [
      "3.9 KiB from alice",
      "25% of 3.9 KiB",
    ]);
    for (const label of ["Accept plan.pdf", "Reject plan.pdf", "Cancel plan.pdf"]) {
      await page.click(`[aria-label="${label}"]`);
    }
    assert.deepEqual(
      await page.evaluate(() => told.filter(([what]) => what !== "typing" && what !== "wake")),
      [
        ["sendFiles", "", "a.txt 3"],
        ["sendFiles", "", "a.txt 3"],
        ["entered", "/accept 1"],
        ["entered", "/reject 1"],
        ["entered", "/cancel 2"],
      ],
    );
    await page.evaluate(() => view.setTransfers([]));
    assert.equal((await page.$$(".transfer")).length, 0);
  },
);

testChat(
  "a question is answered, or refused with Escape, and the keyboard comes back",
  async (page) => {
    for (const [key, expected] of [["Enter", "yes"], ["Escape", undefined]] as const) {
      await page.evaluate(() => {
        void view.ask("Trust it?", { hidden: true }).then((answer) =>
          told.push(["answer", answer])
        );
      });
      assert.equal(await page.$eval("dialog input", ({ type }) => type), "password");
      await page.keyboard.type("yes");
      await page.keyboard.press(key);
      await page.waitForFunction(() => document.querySelector("dialog") === null);
      assert.deepEqual(await page.evaluate(() => told.at(-1)?.[1] ?? undefined), expected);
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), "TEXTAREA");
    }
  },
);

testChat("an alarm is said at once and stays until it is closed", async (page) => {
  await page.evaluate(() => view.alarm("Another server answers.", "Leave, and ask."));
  assert.deepEqual(await textOf(page, "[role=alert] p"), [
    "Another server answers.",
    "Leave, and ask.",
  ]);
  await page.click('[aria-label="I have read it"]');
  assert.equal((await page.$$("[role=alert]")).length, 0);
});

testChat("somebody can be written to and verified from the list of people", async (page) => {
  const marks = { code: "1234 5678", key: "unknown" } as const;
  await page.evaluate((people) => view.setPeople(people), [
    { name: "alice b", typed: '"alice b"', own: false, color: 1, here: true, ...marks },
    { name: "bob", typed: "bob", own: true, color: 2, here: true },
  ]);
  const choose = async (label: string) => {
    await page.evaluate(() => document.querySelector<HTMLElement>(".person")?.click());
    assert.deepEqual(await textOf(page, "dialog .code-words"), ["1234 5678"]);
    await page.evaluate((label) => {
      [...document.querySelectorAll("dialog button")].find(({ textContent }) =>
        textContent === label
      )
        ?.dispatchEvent(new MouseEvent("click"));
    }, label);
    await page.waitForFunction(() => document.querySelector("dialog") === null);
  };
  await choose("It is the same");
  assert.deepEqual(await page.evaluate(() => told.slice(-2)), [
    ["entered", '/verify "alice b"'],
    ["entered", '/verify "alice b" yes'],
  ]);
  await choose("Send a file");
  assert.deepEqual(await page.evaluate(() => told.at(-1)), ["entered", '/send @"alice b"']);
  await choose("Send a folder");
  assert.deepEqual(await page.evaluate(() => told.at(-1)), ["entered", '/send @"alice b" /']);
  await page.type("textarea", "half a thought");
  await choose("Write privately");
  assert.equal(await page.$eval("textarea", ({ value }) => value), '/msg "alice b" ');
  await page.$eval("textarea", (input) => input.value = "");
  await page.keyboard.press("ArrowUp");
  assert.equal(await page.$eval("textarea", ({ value }) => value), "half a thought");
});

testChat(
  "what is dropped on somebody, or chosen behind /send @NAME, is for nobody else",
  async (page) => {
    await page.evaluate((people) => view.setPeople(people), [
      { name: "alice", typed: "alice", own: false, color: 1, here: true },
      { name: "bob b", typed: '"bob b"', own: false, color: 2, here: true },
    ]);
    const drop = (selector: string) =>
      page.evaluate((selector) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(["abc"], "a.txt"));
        document.querySelector(selector)?.dispatchEvent(
          new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }),
        );
      }, selector);
    await page.type("textarea", "a draft");
    await drop(".people li:last-child .name");
    await drop("textarea");
    assert.equal(await page.$eval("textarea", ({ value }) => value), "a draft");
    await page.$eval("textarea", (input) => input.value = "");
    for (const at of ["textarea", "input[type=file]"]) {
      await page.type("textarea", "/send @alice");
      if (at === "textarea") await drop(at);
      else {
        const input = await page.$(`.composer ${at}`);
        const path = await Deno.makeTempFile({ suffix: "chosen" });
        await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(path);
        await page.waitForFunction(() =>
          told.filter(([what]) => what === "sendFiles").length === 4
        );
        await Deno.remove(path);
      }
      assert.equal(await page.$eval("textarea", ({ value }) => value), "");
    }
    assert.deepEqual(
      await page.evaluate(() => told.flatMap(([what, line]) => what === "sendFiles" ? [line] : [])),
      ['/send @"bob b"', "a draft", "/send @alice", "/send @alice"],
    );
  },
);

test("what a refusal is about is marked, and says why", async () => {
  await browser?.blank(async (page) => {
    await page.evaluate((start) => void view.askStart(start, { text: "Wrong token." }), START);
    const marks = await page.$$eval("input", (all) =>
      all.map((input) => [
        input.id,
        input.ariaInvalid,
        (input.getAttribute("aria-describedby") ?? "").split(" ")
          .map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim(),
      ]));
    assert.deepEqual(marks.filter(([, invalid]) => invalid === "true"), [
      ["token", "true", "Wrong token. Only if the server asks for one."],
    ]);
  });
});

testChat(
  "a message of thousands of rows or marks is a few hundred elements, and all of its text",
  async (page) => {
    const renderer = createPageRenderer(() => true);
    for (const text of ["x\n".repeat(3_584), "`a`".repeat(2_389), "```\n" + "y\n".repeat(3_000)]) {
      const line = { kind: "chat", room: "den", sequence: 1, sender: "eve", own: false } as const;
      const shown = renderer.chat({
        ...line,
        text,
        time: "2026-03-01T10:00:00.000Z",
        mention: false,
        action: false,
      });
      const [elements, said] = await page.evaluate((line) => {
        view.clear();
        view.print(line);
        const body = document.querySelector(".body");
        return [body?.querySelectorAll("*").length ?? 0, body?.textContent ?? ""] as const;
      }, shown);
      assert.ok(elements < 250, `${elements} elements`);
      const letters = (text: string) => text.replaceAll(/[^axy]/g, "");
      assert.equal(letters(said), letters(text));
    }
  },
);

testChat("a plain room shows whose device key the user knows, and a changed one", async (page) => {
  const person = { own: false, color: 1, here: true } as const;
  await page.evaluate(
    (people) => view.setPeople(people),
    [
      { ...person, name: "alice", typed: "alice", key: "verified" },
      { ...person, name: "bobby", typed: "bobby", key: "verified", knownAs: "bob" },
      { ...person, name: "carol", typed: "carol", key: "questioned" },
      { ...person, name: "dave", typed: "dave" },
    ] as const,
  );
  assert.deepEqual(await textOf(page, ".person"), [
    "alice, verified",
    "bobby, verifiedknown to you as bob",
    "carol, another key now",
    "dave",
  ]);
  await page.evaluate(() => document.querySelectorAll<HTMLElement>(".person")[2]?.click());
  assert.match(String(await textOf(page, "dialog .danger")), /^This name had another device key/);
  await page.evaluate(() => {
    [...document.querySelectorAll("dialog button")].find(({ textContent }) =>
      textContent === "Compare keys"
    )?.dispatchEvent(new MouseEvent("click"));
  });
  await page.waitForFunction(() => document.querySelector("dialog") === null);
  assert.deepEqual(await page.evaluate(() => told.at(-1)), ["entered", "/verify carol"]);
});

testChat(
  "leaving the page is asked about while something is written, unsent or on its way",
  async (page) => {
    const asks = () =>
      page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));
    const show = (current: string) =>
      page.evaluate(
        (rooms) => view.setRooms(rooms),
        ["den", "pub"].map((title) => roomOf(title, { current: title === current })),
      );
    assert.equal(await asks(), false);
    await show("den");
    await page.type("textarea", "half a sent");
    assert.equal(await asks(), true);
    await show("pub");
    assert.equal(await asks(), true, "a draft in another room");
    await show("den");
    await page.keyboard.press("Enter");
    assert.equal(await asks(), false);
    await page.evaluate((status) => view.setStatus({ ...status, waiting: ["1 unsent"] }), STATUS);
    assert.equal(await asks(), true);
    await page.evaluate((status) => view.setStatus({ ...status, waiting: [] }), STATUS);
    const transfer = { n: 1, name: "plan", size: 4, done: 1, sender: undefined, room: "den" };
    const both = { ...transfer, direction: "out", waiting: undefined } as const;
    await page.evaluate((file) => view.setTransfers([{ ...file, state: "offered" }]), both);
    assert.equal(await asks(), false);
    await page.evaluate((file) => view.setTransfers([{ ...file, state: "sending" }]), both);
    assert.equal(await asks(), true);
    await page.evaluate(() => view.ended());
    assert.equal(await asks(), false);
  },
);

testChat("a drawer has a button that closes it, and gives the keyboard back", async (page) => {
  await page.setViewport({ width: 320, height: 560 });
  for (const [side, label] of [["rooms", "Rooms"], ["people", "People"]] as const) {
    // A narrower window hides what was open, and not at once.
    await page.waitForSelector(`.side.${side}`, { hidden: true });
    await page.click(`.toggle.${side}`);
    await page.waitForSelector(`.side.${side} .close-side`, { visible: true });
    await page.$eval(`.side.${side} .close-side`, (close) => (close as HTMLElement).click());
    assert.equal(await page.$eval(`.toggle.${side}`, (it) => it.ariaExpanded), "false");
    assert.equal(
      await page.evaluate(() => document.activeElement?.getAttribute("aria-label")),
      label,
    );
  }
});

testChat(
  "who comes, goes or is away changes one row, however many people there are",
  async (page) => {
    await page.setViewport({ width: 1440, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
    const changes = await page.evaluate(() => {
      const people = Array.from({ length: 500 }, (_, n) => {
        const name = `person${n}`;
        return { name, typed: name, own: n === 0, color: n, here: true };
      });
      const show = (given: readonly (typeof people)[number][]) => {
        // As the core gives them: nothing of the last call but what they say.
        view.setPeople(structuredClone(given) as typeof people);
      };
      show(people);
      const list = document.querySelector(".people ul") as HTMLElement;
      document.querySelectorAll<HTMLElement>(".person")[7]?.focus();
      const observer = new MutationObserver(() => {});
      observer.observe(list, { childList: true, subtree: true, attributes: true });
      const one = { name: "new", typed: "new", own: false, color: 1, here: true };
      const shows: Record<string, readonly typeof one[]> = {
        nothing: people,
        comes: [...people, one],
        goes: people,
        away: people.with(3, { ...one, name: "person3", here: false }),
        leaves: people.toSpliced(3, 1),
      };
      const counts = Object.entries(shows).map(([what, given]) => {
        show(given);
        // How many rows, or which one.
        const moved = observer.takeRecords().map(({ target, addedNodes, removedNodes }) =>
          target === list ? addedNodes.length + removedNodes.length : target.textContent
        );
        return [what, ...new Set(moved)];
      });
      return { counts, focused: document.activeElement?.textContent };
    });
    assert.deepEqual(changes, {
      counts: [
        ["nothing"],
        ["comes", 1],
        ["goes", 1],
        ["away", "person3, connection lost"],
        ["leaves", 1],
      ],
      focused: "person7",
    });
    const order = await textOf(page, ".person");
    assert.deepEqual([order.length, order[2], order[3]], [499, "person2", "person4"]);
  },
);

testChat("nobody is verified by a key that is another one since it was shown", async (page) => {
  const show = (code: string) =>
    page.evaluate((people) => view.setPeople(people), [
      { name: "alice", typed: "alice", own: false, color: 1, here: true, ...keyOf(code) },
    ]);
  const keyOf = (code: string) => ({ code, key: "unknown" }) as const;
  await show("1234 5678");
  await page.evaluate(() => document.querySelector<HTMLElement>(".person")?.click());
  await show("8765 4321");
  await page.evaluate(() => {
    [...document.querySelectorAll("dialog button")].find(({ textContent }) =>
      textContent === "It is the same"
    )?.dispatchEvent(new MouseEvent("click"));
  });
  await page.waitForSelector("[role=alert]");
  assert.match(String(await textOf(page, "[role=alert] p")), /^Not verified: the key of alice is/);
  assert.deepEqual(await page.evaluate(() => told.filter(([what]) => what === "entered")), []);
});

testChat(
  "a room that is pressed while messages come in is the one that is opened",
  async (page) => {
    const show = (unread: number) =>
      page.evaluate(
        (rooms) => view.setRooms(rooms),
        ["den", "pub"].map((title) => roomOf(title, { current: title === "den", unread })),
      );
    await show(0);
    const box = await (await page.$$(".room"))[1]?.boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + 60, box.y + box.height / 2);
    await page.mouse.down();
    await show(1);
    await page.mouse.up();
    assert.deepEqual(await page.evaluate(() => told.at(-1)), ["goTo", "pub"]);
    // And the keyboard stays on it.
    await page.focus(".room:not([aria-current])");
    await show(2);
    assert.match(await page.evaluate(() => document.activeElement?.textContent ?? ""), /pub2/);
  },
);

testChat("a sealed room says that a server sent the page, and shows the ladder", async (page) => {
  await page.evaluate((status) => view.setStatus(status), {
    ...STATUS,
    privacy: "sealed",
    privacyLevel: "sealed" as const,
    roomCode: "1234 5678",
  });
  assert.match((await textOf(page, ".status"))[0] ?? "", /sealed by a page that this server sent/);
  await page.click("button.privacy");
  assert.deepEqual(await textOf(page, "dialog .code-words"), ["1234 5678"]);
  assert.match(
    (await textOf(page, "[aria-current=step]"))[0] ?? "",
    /^A page that a server sends you/,
  );
});

test("the form gives back what was typed, and a link's room cannot be changed", async () => {
  await browser?.blank(async (page) => {
    const answer = page.evaluate((start) => view.askStart(start), {
      ...START,
      name: "",
      room: "",
      served: false,
      server: "",
    });
    for (
      const [id, text] of [["name", "eve"], ["room", "den"], ["server", "ws://localhost:5050"], [
        "token",
        "t",
      ]]
    ) {
      await page.type(`#${id}`, text ?? "");
    }
    await page.keyboard.press("Enter");
    const { name, room, server, token } = await answer;
    assert.deepEqual([name, room, server, token], ["eve", "den", "ws://localhost:5050", "t"]);
    await page.evaluate((start) => {
      void view.askStart(start, { text: "Cannot join: no.", hint: "Ask." });
    }, { ...START, invited: true, sealed: true });
    assert.equal(await page.$("#room"), null);
    assert.deepEqual(await textOf(page, "[role=alert] p"), ["Cannot join: no.", "Ask."]);
    assert.match((await textOf(page, ".invitation"))[0] ?? "", /den at chat\.example\.org/);
  });
});

testChat(
  "reactions are chips under their message: a click or Space chooses one, and the keyboard stays",
  async (page) => {
    const react = (sequence: number, reactions: readonly PageReaction[]) =>
      page.evaluate((n, list) => view.react("den", n, list), sequence, reactions);
    await page.evaluate((line) => view.print(line), messageOf("ann", "shall we?", { sequence: 7 }));
    const up = { emoji: "👍", count: 2, names: "bob, <b>carol</b>", own: false };
    assert.equal(await react(7, [up, { emoji: "🎉", count: 1, names: "eve", own: true }]), true);
    assert.equal(await react(8, [up]), false, "there is no such message");
    assert.deepEqual(await textOf(page, "[data-sequence='7'] .chip"), ["👍 2", "🎉 1"]);
    const states = await page.$$eval(
      ".chip",
      (chips) =>
        chips.map((chip) => [chip.getAttribute("aria-pressed"), chip.getAttribute("aria-label")]),
    );
    assert.deepEqual(states, [["false", "👍 2: bob, <b>carol</b>"], ["true", "🎉 1: eve"]]);
    await page.click(".chip");
    await page.keyboard.press("Space");
    const entered = await page.evaluate(() => told.filter(([what]) => what === "entered"));
    assert.deepEqual(entered, [["entered", "/react #7 👍"], ["entered", "/react #7 👍"]]);
    await react(7, [{ ...up, count: 3, own: true }]);
    assert.equal(
      await page.evaluate(() => document.activeElement?.textContent),
      "👍 3",
      "the keyboard is where it was",
    );
    await react(7, []);
    assert.deepEqual(await textOf(page, ".chips"), []);
    assert.equal(await page.evaluate(() => document.activeElement?.className), "log");
  },
);

testChat(
  "notices that the browser has and does not make cost nothing but themselves",
  async (page) => {
    await page.evaluate(() => {
      class Refusing {
        static permission = "granted";
        constructor() {
          throw new TypeError(
            "Illegal constructor. Use ServiceWorkerRegistration.showNotification()",
          );
        }
      }
      Object.defineProperty(globalThis, "Notification", { value: Refusing });
      Object.defineProperty(document, "hidden", { value: true });
      view.notify("cmdchat: alice in den");
    });
    await page.click('[aria-label="Notices"]');
    await page.click(".choice");
    await page.waitForSelector("[role=alert]");
    assert.match(String(await textOf(page, "[role=alert] p")), /does not allow notices/);
  },
);

testChat(
  "a file or a link that misses its place does not lead away from the chat",
  async (page) => {
    await page.click('[aria-label="Invite"]');
    const isRefused = await page.evaluate(() => {
      const dropped = (kind: "dragover" | "drop", on: string, isFile: boolean) => {
        const dataTransfer = new DataTransfer();
        if (isFile) dataTransfer.items.add(new File(["abc"], "a.txt"));
        else dataTransfer.items.add("https://example.org", "text/uri-list");
        const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
        document.querySelector(on)?.dispatchEvent(event);
        return event.defaultPrevented;
      };
      const places = [["body", true], ["dialog", true], ["dialog input", true], ["main", false]];
      return [
        ...places.flatMap(([on, isFile]) =>
          (["dragover", "drop"] as const).map((kind) => dropped(kind, String(on), isFile === true))
        ),
        // A text belongs into an input.
        dropped("drop", "textarea", false),
      ];
    });
    assert.deepEqual(isRefused, [...Array(8).fill(true), false]);
    assert.deepEqual(await page.evaluate(() => told.filter(([what]) => what === "sendFiles")), []);
  },
);

testChat(
  "the keyboard is not lost with what had it, and writing goes on from anywhere",
  async (page) => {
    const show = (state: "offered" | "accepted" | undefined) =>
      page.evaluate((state) => {
        const file = { n: 1, name: "plan.pdf", size: 4, done: 1, sender: "alice", room: "den" };
        const more = { direction: "in", waiting: undefined } as const;
        view.setTransfers(state === undefined ? [] : [{ ...file, ...more, state }]);
      }, state);
    const focused = () => page.evaluate(() => document.activeElement?.className);
    await show("offered");
    await page.focus('[aria-label="Accept plan.pdf"]');
    await show("accepted");
    assert.equal(await focused(), "transfer", "not Cancel, which a second Enter would press");
    await show(undefined);
    assert.equal(await focused(), "log");
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.type("hi");
    assert.equal(await page.$eval("textarea", ({ value }) => value), "hi");
    await page.setViewport({ width: 320, height: 560 });
    await page.waitForSelector(".side.rooms", { hidden: true });
    await page.click(".toggle.rooms");
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.press("Escape");
    assert.equal(await page.$eval(".toggle.rooms", (it) => it.ariaExpanded), "false");
  },
);

testChat(
  "a message's number leads to what can be done about it, also below another message",
  async (page) => {
    await page.evaluate((lines) => lines.forEach((line) => view.print(line)), [
      messageOf("alice", "hello", { sequence: 6 }),
      messageOf("alice", "again", { sequence: 7 }),
      messageOf("bob", "mine", { sequence: 8, own: true }),
    ]);
    const choose = async (sequence: number, label: string) => {
      await page.hover(`[data-sequence='${sequence}'] .body`);
      await page.click(`[data-sequence='${sequence}'] .number`);
      const labels = await textOf(page, "dialog .buttons button");
      await page.evaluate((label) => {
        [...document.querySelectorAll<HTMLElement>("dialog button")].find(({ textContent }) =>
          textContent === label
        )?.click();
      }, label);
      await page.waitForFunction(() => document.querySelector("dialog") === null);
      return labels;
    };
    assert.deepEqual(await choose(7, "👍"), ["Answer"]);
    assert.deepEqual(await page.evaluate(() => told.at(-1)), ["entered", "/react #7 👍"]);
    await choose(7, "Answer");
    assert.equal(await page.$eval("textarea", ({ value }) => value), "/quote 7 ");
    await page.$eval("textarea", (input) => input.value = "");
    assert.deepEqual(await choose(8, "Change"), ["Delete", "Change", "Answer"]);
    assert.equal(await page.$eval("textarea", ({ value }) => value), "/edit #8 ");
    await page.$eval("textarea", (input) => input.value = "");
    await choose(8, "Delete");
    assert.equal(await page.$eval("textarea", ({ value }) => value), "/delete #8 ");
  },
);

testChat(
  "the rows of a QR code have no gap between them, and its light parts are light",
  async (page) => {
    await page.evaluate(() => {
      const row = { role: "text", text: "█▀▄ ".repeat(10) } as const;
      view.print({ kind: "note", rows: [[{ role: "text", text: "a link" }], [row], [row]] });
    });
    const [above, below] = await page.$$eval(".qr-row", (rows) =>
      rows.map((row) => {
        const { top, bottom } = row.getBoundingClientRect();
        const { fontSize, color, backgroundColor } = getComputedStyle(row);
        return { top, bottom, size: parseFloat(fontSize), color, backgroundColor };
      }));
    assert.ok(above !== undefined && below !== undefined);
    assert.ok(Math.abs(above.bottom - below.top) < 0.1);
    assert.ok(above.bottom - above.top <= above.size + 0.1, "no row is higher than its blocks");
    assert.deepEqual([above.color, above.backgroundColor], ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]);
  },
);

testChat(
  "what was written and not sent stays after the end of the chat, to be copied",
  async (page) => {
    const rooms = (current: string) =>
      ["den", "pub"].map((title) => roomOf(title, { current: title === current }));
    await page.type("textarea", "for the den");
    await page.evaluate((rooms) => view.setRooms(rooms), rooms("pub"));
    await page.type("textarea", "for the pub");
    await page.evaluate(() => view.ended({ text: "The server said no." }));
    assert.equal(await page.$eval("textarea", ({ value }) => value), "for the pub\nfor the den");
    await page.focus("textarea");
    await page.keyboard.press("Enter");
    await page.keyboard.press("ArrowUp");
    assert.equal(await page.$eval("textarea", ({ value }) => value), "for the pub\nfor the den");
    assert.deepEqual(await textOf(page, "footer button"), ["Start again"]);
  },
);

testChat("Enter that an input method takes sends nothing, in Safari too", async (page) => {
  await page.keyboard.type("ni");
  await page.$eval("textarea", (input) => {
    const key = { key: "Enter", bubbles: true, cancelable: true };
    input.dispatchEvent(new KeyboardEvent("keydown", { ...key, isComposing: true }));
    input.dispatchEvent(new KeyboardEvent("keydown", { ...key, keyCode: 229 }));
  });
  assert.deepEqual(await page.evaluate(() => told.filter(([what]) => what === "entered")), []);
});

test("the form cuts nothing off a name or a room that is too long", async () => {
  await browser?.blank(async (page) => {
    const answer = page.evaluate((start) => view.askStart(start), { ...START, name: "", room: "" });
    await page.type("#name", "n".repeat(40));
    await page.type("#room", "r".repeat(40));
    await page.keyboard.press("Enter");
    const { name, room } = await answer;
    assert.deepEqual([name.length, room.length], [40, 40]);
  });
});

Deno.test("the browser ends", async () => await browser?.[Symbol.asyncDispose]());
