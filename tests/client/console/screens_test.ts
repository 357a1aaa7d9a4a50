// Whole screens as text, at 40, 80 and 200 columns: what a person sees, judged by a person. The expectations are
// tests/client/console/screens/SCENE-COLUMNS.txt; CMDCHAT_WRITE_SCREENS=1 writes them again, to be read before they
// are committed.
import assert from "node:assert/strict";
import { COMMAND_GROUPS, COMMANDS } from "../../../client/commands/dispatcher.ts";
import { helpText } from "../../../client/commands/screen_commands.ts";
import { settingsTable } from "../../../client/commands/setting_commands.ts";
import { Output } from "../../../client/output/output.ts";
import { paint, paintedRows } from "../../../client/render/paint.ts";
import type { RenderedLine } from "../../../client/render/shown.ts";
import { createRichRenderer } from "../../../client/render/rich.ts";
import type { ChatLine } from "../../../client/render/text.ts";
import { JoinedRooms } from "../../../client/rooms/joined_rooms.ts";
import { ChatSettings } from "../../../client/config/chat_settings.ts";
import { statusLine } from "../../../client/output/status_line.ts";
import type { StatusPart } from "../../../client/console/status_fit.ts";
import { Style } from "../../../client/terminal/style.ts";
import type { TransferRef } from "../../../client/transfer_base/transfer_event.ts";
import { ManualClock } from "../../helpers/fakes/chat_fakes.ts";
import { openPrompt, type PromptContext } from "./terminal_harness.ts";

/** The status line of alice in the first of these rooms, by title, unread and mentions. */
function statusOf(...states: readonly (readonly [string, number?, number?])[]): StatusPart[] {
  const rooms = new JoinedRooms();
  for (const [title, unread = 0, mentions = 0] of states) {
    Object.assign(rooms.add(title, "alice"), { unread, mentions });
  }
  const link = { connected: true, connection: "connected", delayMs: 12, isProven: true };
  const waiting = { typing: [], unsent: 0, overdue: 0 };
  return statusLine({ rooms, name: "alice", ...link, ...waiting }, new Style("true"));
}

/** A chat as far as it is seen. */
interface Scene {
  readonly chat: PromptContext;
  readonly output: Output;
  readonly clock: ManualClock;
  /** bob, or whoever is named, says something. */
  says(text: string, fields?: Partial<ChatLine>): void;
  comes(event: "joined" | "left", name: string): void;
}

/** Local time, so that the clock on the screen is the same everywhere. */
function at(day: number, hour: number, minute = 0): string {
  return new Date(2026, 10, day, hour, minute).toISOString();
}

function sceneOf(chat: PromptContext): Scene {
  const clock = new ManualClock();
  const settings = new ChatSettings();
  const { prompt, tty } = chat;
  const style = new Style("true");
  const print = (shown: RenderedLine) => prompt.print(paint(shown, { style }));
  const output = new Output({
    renderer: createRichRenderer({ columns: () => tty.columns }),
    print,
    diagnose: print,
    history: undefined,
    bufferSize: 100,
    settings,
    clock: { ...clock, now: () => clock.now(), utc: () => at(23, 18, 30) } as never,
    screen: {
      setLive: (lines) => prompt.setLive(lines.flatMap((line) => paintedRows(line, { style }))),
      alert: (alert) => prompt.alert(alert),
      columns: () => tty.columns,
      paint: (line) => paint(line, { style }),
    },
  });
  prompt.setStatus(statusOf(["lobby"]));
  let sequence = 0;
  return {
    chat,
    output,
    clock,
    says(text, fields = {}) {
      const about = { room: "lobby", time: at(23, 18), sequence: ++sequence };
      output.chat({ ...about, sender: "bob", text, own: false, mention: false, ...fields });
    },
    comes(event, name) {
      const line = { event, name, text: `${name} ${event}.` };
      output.system({ ...line, room: "lobby", time: at(23, 18) });
    },
  };
}

const SCENES: Readonly<Record<string, (scene: Scene) => void | Promise<void>>> = {
  reading(scene) {
    const { output } = scene;
    for (const name of ["carol", "dave", "erin"]) scene.comes("joined", name);
    scene.comes("left", "erin");
    scene.says(
      "good evening, everybody: the deployment of tonight begins in ten minutes, as planned.",
    );
    scene.says("alice, are you there?", { sender: "carol", mention: true });
    scene.says("waves", { action: true, sender: "dave" });
    scene.says("yes", {
      own: true,
      sender: "alice",
      quote: { sequence: 2, sender: "carol", text: "are you there?" },
    });
    scene.says("see https://chat.example.org/runbook/deploy?step=3, and `make deploy` then:");
    scene.says("```\nfor host in a b c; do\n    ssh $host  systemctl   restart app\ndone\n```");
    scene.says("漢字 and 👍 wrap where the row ends: 漢字漢字漢字漢字漢字漢字漢字漢字漢字");
    scene.says("this is for you alone", { sender: "carol", to: "alice" });
    scene.says("lunch is here", { room: "kitchen", elsewhere: true, sender: "erin" });
    output.system({
      event: "topic",
      name: "bob",
      text: "bob set the topic: release 2.0",
      room: "lobby",
      time: at(23, 18),
    });
    scene.says("and this is the next day", { time: at(24, 9) });
    scene.comes("joined", "frank");
    scene.comes("joined", "grace");
  },

  folded(scene) {
    const log = Array.from(
      { length: 60 },
      (_, n) => `12:00:${String(n).padStart(2, "0")} request ${n}`,
    );
    scene.says(log.join("\n"));
    scene.says("that was the log");
  },

  /** A wider terminal than the one in which it was said: /last and /more fill it. */
  async again(scene) {
    const { output, chat } = scene;
    const { columns } = chat.tty;
    chat.tty.resize(30, 40);
    scene.says("good evening, everybody: the deployment of tonight begins in ten minutes.");
    const log = Array.from({ length: 24 }, (_, n) => `${n}: request ${n} took ${n} milliseconds`);
    scene.says(log.join("\n"), { room: "kitchen", elsewhere: true });
    await chat.settle();
    chat.prompt.clear();
    chat.tty.resize(columns, 40);
    await chat.settle();
    output.showLast(2, "lobby");
    output.showMore();
  },

  async typing(scene) {
    scene.says("one");
    await scene.chat.type(
      "the quick brown fox jumps over the lazy dog and runs on through the wood",
    );
    scene.says("two, while the input wraps");
    await scene.chat.type("\x1b\ra second line\x1b[A\x1b[D\x1b[D");
    scene.says("three, while the cursor is in the middle");
  },

  async paste(scene) {
    scene.says("paste it here");
    const text = Array.from({ length: 7 }, (_, n) => `line ${n + 1}`).join("\r");
    await scene.chat.type(`\x1b[200~${text}\x1b[201~\r`);
  },

  async files(scene) {
    const { output, clock, chat } = scene;
    const film = { n: 1, direction: "out", name: "a film.bin", size: 10_485_760 } as TransferRef;
    const notes = {
      n: 2,
      direction: "in",
      name: "notes.txt",
      size: 40_960,
      sender: "bob",
    } as const;
    output.file({ kind: "sending", file: film }, "lobby");
    output.file({ kind: "offered", file: notes, accepted: false }, "lobby");
    for (let step = 1; step <= 6; step++) {
      output.file({ kind: "progress", file: film, done: step * 1_048_576 }, "lobby");
      output.file({ kind: "progress", file: notes, done: step * 4_096 }, "lobby");
      await clock.pass(400);
      scene.says(`message ${step}`);
    }
    await chat.type("typed meanwhile");
  },

  rooms(scene) {
    const { output, chat } = scene;
    const elsewhere = { room: "dev", elsewhere: true } as const;
    scene.says("good morning");
    scene.says("alice: the build is red", { ...elsewhere, mention: true });
    const joins = { event: "joined", name: "carol", text: "carol joined.", time: at(23, 18) };
    output.system({ ...joins, ...elsewhere });
    output.system({ ...joins, ...elsewhere, name: "dave" });
    output.moveTo("dev");
    scene.says("which one?", { room: "dev", own: true, sender: "alice" });
    scene.says("lunch is here, come down before it is cold", { elsewhere: true });
    chat.prompt.setPrompt("alice@dev> ");
    chat.prompt.setStatus(statusOf(["dev"], ["lobby", 1], ["operations", 12, 2], ["kitchen", 3]));
  },

  async completing(scene) {
    scene.says("which command was it?");
    await scene.chat.type("/s\t\t\t");
  },

  help({ output }) {
    output.answer(helpText(COMMAND_GROUPS, ""));
  },

  settings({ output }) {
    output.answer(`settings:\n${settingsTable(output.settings)}`);
  },

  async resize(scene) {
    const { chat } = scene;
    const { columns } = chat.tty;
    await chat.type("the quick brown fox jumps over the lazy dog, ".repeat(6));
    for (const [index, width] of [columns - 13, 33, columns + 27, columns].entries()) {
      scene.says(`before resize ${index}`);
      chat.tty.resize(width, 24);
      scene.says(`after resize ${index}`);
      await chat.settle();
      scene.says(`later ${index}`);
      await chat.settle();
    }
  },
};

function shown({ tty }: PromptContext): string {
  const { row, column } = tty.cursor;
  const edge = "─".repeat(tty.columns);
  return `${edge}\n${tty.screen.join("\n")}\n${edge}\ncursor: row ${row}, column ${column}\n`;
}

async function expectation(name: string, text: string): Promise<string> {
  const url = new URL(`screens/${name}.txt`, import.meta.url);
  if (Deno.env.get("CMDCHAT_WRITE_SCREENS") === "1") await Deno.writeTextFile(url, text);
  return await Deno.readTextFile(url);
}

for (const [name, play] of Object.entries(SCENES)) {
  for (const columns of [40, 80, 200]) {
    Deno.test(`the screen of "${name}" at ${columns} columns is the one that was judged`, async () => {
      await using chat = await openPrompt({
        columns,
        rows: 40,
        prompt: "alice@lobby> ",
        complete: (text) => ({
          start: 0,
          candidates: COMMANDS.map(({ name }) => `/${name}`).filter((name) =>
            name.startsWith(text)
          ),
        }),
      });
      await play(sceneOf(chat));
      await chat.settle();
      const text = shown(chat);
      assert.equal(text, await expectation(`${name}-${columns}`, text));
    });
  }
}
