// The editing keys. Keys that act on the program are in prompt.ts.
import { ConfigError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { Setting } from "../../shared/cli/command_line.ts";
import { closest } from "../../shared/text/closest.ts";
import type { LineEditor } from "./line_editor.ts";

/** Editing keys by name, after readline's Emacs mode. */
export const BINDINGS: Readonly<Record<string, (editor: LineEditor) => void>> = {
  "left": (editor) => editor.move("back", "cluster"),
  "right": (editor) => editor.move("forward", "cluster"),
  "ctrl-b": (editor) => editor.move("back", "cluster"),
  "ctrl-f": (editor) => editor.move("forward", "cluster"),
  "ctrl-left": (editor) => editor.move("back", "word"),
  "ctrl-right": (editor) => editor.move("forward", "word"),
  "alt-left": (editor) => editor.move("back", "word"),
  "alt-right": (editor) => editor.move("forward", "word"),
  "alt-b": (editor) => editor.move("back", "word"),
  "alt-f": (editor) => editor.move("forward", "word"),
  "home": (editor) => editor.move("back", "line"),
  "end": (editor) => editor.move("forward", "line"),
  "ctrl-a": (editor) => editor.move("back", "line"),
  "ctrl-e": (editor) => editor.move("forward", "line"),
  "ctrl-home": (editor) => editor.move("back", "all"),
  "ctrl-end": (editor) => editor.move("forward", "all"),
  "alt-<": (editor) => editor.move("back", "all"),
  "alt->": (editor) => editor.move("forward", "all"),
  "backspace": (editor) => editor.delete("back"),
  "shift-backspace": (editor) => editor.delete("back"),
  "ctrl-backspace": (editor) => editor.kill("back", "word"),
  "shift-left": (editor) => editor.move("back", "cluster"),
  "shift-right": (editor) => editor.move("forward", "cluster"),
  "delete": (editor) => editor.delete("forward"),
  "ctrl-k": (editor) => editor.kill("forward", "line"),
  "ctrl-u": (editor) => editor.kill("back", "line"),
  "ctrl-w": (editor) => editor.kill("back", "blank"),
  "alt-d": (editor) => editor.kill("forward", "word"),
  "ctrl-delete": (editor) => editor.kill("forward", "word"),
  "alt-backspace": (editor) => editor.kill("back", "word"),
  "ctrl-y": (editor) => editor.yank(),
  "alt-y": (editor) => editor.yankOlder(),
  "alt-u": (editor) => editor.recase("upper"),
  "alt-l": (editor) => editor.recase("lower"),
  "alt-c": (editor) => editor.recase("capital"),
  "ctrl-t": (editor) => editor.transpose(),
  "ctrl-_": (editor) => editor.undo(),
  "alt-enter": (editor) => void editor.insert("\n"),
  "shift-enter": (editor) => void editor.insert("\n"),
  "ctrl-enter": (editor) => void editor.insert("\n"),
};

/** Which of the user's rooms a key means: one by its number, the one to read next, or a neighbor of this one. */
export type RoomChoice = number | "unread" | "before" | "after";

const DIGITS = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [`alt-${n}`, n] as const);

/** Keys that go to another of the user's rooms. */
export const ROOM_KEYS: ReadonlyMap<string, RoomChoice> = new Map<string, RoomChoice>([
  ...DIGITS,
  ["alt-a", "unread"],
  ["alt-up", "before"],
  ["alt-down", "after"],
]);

/** Keys of the prompt that act on the program, as another key may. */
const OF_PROGRAM =
  "enter tab shift-tab up down ctrl-p ctrl-n ctrl-r ctrl-c ctrl-d ctrl-l ctrl-z page-up".split(" ");
/** Keys that keep their meaning: whatever a file says, a line can be sent, dropped and left. */
const FIXED = new Set(["enter", "escape", "ctrl-c", "ctrl-d", "backspace"]);
const KEY =
  /^(?:ctrl-)?(?:alt-)?(?:shift-)?(?:[\x21-\x7e]|up|down|left|right|home|end|insert|delete|page-up|page-down|tab|enter|escape|backspace|space)$/;

/**
 * `[keys]` of the settings file: what each key does instead, as another key does, or as a line that begins with a slash.
 * Throws ConfigError for what is no key, and for keys that keep their meaning.
 */
export function readKeys(table: ReadonlyMap<string, Setting>): ReadonlyMap<string, string> {
  const targets = [...Object.keys(BINDINGS), ...ROOM_KEYS.keys(), ...OF_PROGRAM];
  return new Map(
    [...table].map(([key, { text, place }]) => {
      const trouble = (what: string, hint?: string) =>
        new ConfigError(
          `Cannot use the key ${quote(key)} in ${place}: ${what}`,
          hint === undefined ? {} : { hint },
        );
      if (!KEY.test(key) || key.length === 1) {
        throw trouble("expected a key such as ctrl-o, alt-p or page-down");
      }
      if (FIXED.has(key)) throw trouble("it keeps its meaning");
      if (!text.startsWith("/") && !targets.includes(text)) {
        const meant = closest(text, targets);
        const hint = meant === undefined ? undefined : `did you mean ${meant}?`;
        throw trouble(
          `${quote(text)} is neither a key that does something nor a line such as /names`,
          hint,
        );
      }
      return [key, text] as const;
    }),
  );
}
