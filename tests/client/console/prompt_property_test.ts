import assert from "node:assert/strict";
import fc from "fast-check";
import { openPrompt, type PromptContext } from "./terminal_harness.ts";

const STATUS = "lobby | ok";
const PIECES = ["a", "word ", "漢字", "é", "ß ", "\x1b\r", "xyz, "];

/** What a user, a peer and a window manager may do. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("type"), text: fc.constantFrom(...PIECES) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("paste"), text: fc.constantFrom("1\n2", "p") }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("left", "home", "end", "erase") }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("print"), size: fc.nat({ max: 120 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("settle") }) },
);
const resize = fc.record({
  do: fc.constant("resize"),
  columns: fc.constantFrom(20, 40, 80, 200),
  rows: fc.constantFrom(6, 10, 24),
});
type Step = {
  readonly do: string;
  readonly text?: string;
  readonly size?: number;
  readonly columns?: number;
  readonly rows?: number;
};

/** The typed text as an array of characters: a model that is too simple to be wrong. */
class Model {
  text: string[] = [];
  cursor = 0;
  readonly printed: string[] = [];

  apply(action: Step): void {
    switch (action.do) {
      case "type":
      case "paste": {
        const text = [...(action.text === "\x1b\r" ? "\n" : action.text ?? "")];
        this.text.splice(this.cursor, 0, ...text);
        this.cursor += text.length;
        return;
      }
      case "left":
        this.cursor = Math.max(0, this.cursor - 1);
        return;
      case "home":
        this.cursor = this.text.slice(0, this.cursor).lastIndexOf("\n") + 1;
        return;
      case "end": {
        const end = this.text.indexOf("\n", this.cursor);
        this.cursor = end < 0 ? this.text.length : end;
        return;
      }
      case "erase":
        if (this.cursor > 0) this.text.splice(--this.cursor, 1);
        return;
      case "print":
        this.printed.push(message(this.printed.length, action.size ?? 0));
    }
  }

  /** The rows of input and status, wrapped one cell before the edge, and where the cursor is in them. */
  area(
    columns: number,
  ): { readonly rows: string[]; readonly cursor: { row: number; column: number } } {
    const rows = ["alice> "];
    let cursor = { row: 0, column: 7 };
    [...this.text, ""].forEach((character, index) => {
      if (cells(rows.at(-1) as string) + cells(character) > columns - 1) rows.push("");
      if (index === this.cursor) {
        cursor = { row: rows.length - 1, column: cells(rows.at(-1) as string) };
      }
      if (character === "\n") rows.push("");
      else rows[rows.length - 1] += character;
    });
    return { rows: [...rows, STATUS].map((row) => row.trimEnd()), cursor };
  }
}

function cells(text: string): number {
  return [...text].reduce(
    (sum, character) => sum + (character === "\n" ? 0 : character >= "\u4e00" ? 2 : 1),
    0,
  );
}

function message(index: number, size: number): string {
  return `bob: ${index} ${"0123456789".repeat(12).slice(0, size)}.`;
}

const KEYS: Readonly<Record<string, string>> = {
  left: "\x1b[D",
  home: "\x1b[H",
  end: "\x1b[F",
  erase: "\x7f",
};

async function perform(chat: PromptContext, action: Step, index: number): Promise<void> {
  const send = (text: string) => chat.tty.input.push(new TextEncoder().encode(text));
  if (action.do === "type") send(action.text ?? "");
  else if (action.do === "paste") send(`\x1b[200~${action.text}\x1b[201~`);
  else if (action.do === "print") chat.prompt.print(message(index, action.size ?? 0));
  else if (action.do === "resize") chat.tty.resize(action.columns ?? 80, action.rows ?? 24);
  else if (action.do === "settle") await chat.settle();
  else send(KEYS[action.do] ?? "");
}

async function play(chat: PromptContext, steps: readonly Step[]): Promise<Model> {
  const model = new Model();
  chat.prompt.setStatus(STATUS);
  for (const action of steps) {
    await perform(chat, action, model.printed.length);
    model.apply(action);
  }
  await chat.settle();
  return model;
}

for (const columns of [20, 40, 80, 200]) {
  Deno.test(`any mix of keys and messages gives the model's screen at ${columns} columns`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        await using chat = await openPrompt({ columns, rows: 60 });
        const model = await play(chat, steps);
        const { rows, cursor } = model.area(columns);
        assert.deepEqual(chat.tty.logicalLines, [...model.printed, ...rows]);
        const top = chat.tty.screen.length - rows.length;
        assert.deepEqual(chat.tty.cursor, { row: top + cursor.row, column: cursor.column });
        await chat.type("\r");
        const typed = model.text.join("");
        assert.deepEqual(chat.events, typed === "" ? [] : [{ kind: "line", text: typed }]);
        assert.deepEqual(chat.tty.logicalLines, [...model.printed, "alice>", STATUS]);
      }),
      { numRuns: 25 },
    );
  });
}

Deno.test("any mix of keys, messages and resizes loses and doubles no message and no typed text", async () => {
  const steps = fc.array(
    fc.oneof({ weight: 5, arbitrary: step }, { weight: 1, arbitrary: resize }),
    {
      maxLength: 40,
    },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (actions) => {
      await using chat = await openPrompt({ columns: 80, rows: 24 });
      const model = await play(chat, actions);
      const messages = chat.tty.logicalLines.filter((line) => line.startsWith("bob: "));
      assert.deepEqual(messages, model.printed);
      await chat.type("\x1b[1;5F");
      const shown = chat.tty.screen.slice(-2).join("\n");
      const last = model.area(chat.tty.columns).rows.slice(-2).join("\n");
      assert.ok(shown === last || shown.includes("[rows "), `${shown}\n---\n${last}`);
      await chat.type("\r");
      const typed = model.text.join("");
      assert.deepEqual(chat.events, typed === "" ? [] : [{ kind: "line", text: typed }]);
    }),
    { numRuns: 60 },
  );
});
