// How serious a line of the client's own is.

/** How much a note matters; `danger` is a warning that must not be overlooked. */
export type NoteLevel = "info" | "warning" | "danger" | "error";

/** The word before a note of this level. */
export const NOTE_WORDS: Readonly<Record<NoteLevel, string>> = {
  info: "",
  warning: "warning: ",
  danger: "warning: ",
  error: "error: ",
};
