/// <reference lib="dom" />
// Dialogs over the chat. The browser keeps the keyboard in them and gives it back.

import type { PageInvite, PagePerson, PageStatus } from "../web/page_view.ts";
import { button, type Child, element, iconButton } from "./element.ts";
import { icon, type IconName, qrCode } from "./icons.ts";
import { trustLadder } from "./trust_ladder.ts";

let shownDialogs = 0;

/** Opens a dialog; resolves with its answer, undefined where it was closed without one. */
function openDialog<T>(
  title: string,
  content: (answer: (value: T) => void) => readonly Child[],
): Promise<T | undefined> {
  const id = `dialog-${++shownDialogs}`;
  const dialog = element("dialog", { attributes: { "aria-labelledby": id } });
  return new Promise((resolve) => {
    let result: T | undefined;
    const answer = (value: T) => {
      result = value;
      dialog.close();
    };
    dialog.append(
      element(
        "div",
        { class: "dialog-head" },
        element("h2", { attributes: { id } }, title),
        iconButton(icon("close"), "Close", { onClick: () => dialog.close() }),
      ),
      ...content(answer).filter((child) => child !== undefined),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    // A press on what is behind the dialog.
    dialog.addEventListener("pointerdown", (event) => {
      if (event.target === dialog) dialog.close();
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector<HTMLElement>("[autofocus]")?.focus();
  });
}

/** Asks one question; undefined if the user refused it. */
export function askQuestion(question: string, isHidden: boolean): Promise<string | undefined> {
  return openDialog<string>("A question", (answer) => {
    const input = element("input", {
      attributes: {
        type: isHidden ? "password" : "text",
        autocomplete: "off",
        autofocus: true,
        id: "answer",
        spellcheck: "false",
      },
    });
    const form = element(
      "form",
      {},
      element("label", { class: "question", attributes: { for: "answer" } }, question),
      input,
      element("div", { class: "buttons" }, submitButton("Answer")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      answer(input.value);
    });
    return [form];
  });
}

/** Asks which room to join or to create: a line to enter. */
export function askRoom(): Promise<string | undefined> {
  return openDialog<string>("Join or create a room", (answer) => {
    const input = element("input", {
      attributes: {
        id: "which",
        autocomplete: "off",
        autofocus: true,
        required: true,
        spellcheck: "false",
      },
    });
    const sealed = element("input", { attributes: { type: "checkbox", id: "sealed" } });
    const form = element(
      "form",
      {},
      field("Name of the room, or an invite link", input),
      element(
        "label",
        { class: "check", attributes: { for: "sealed" } },
        sealed,
        element(
          "span",
          {},
          "Create a sealed room: the server cannot read it, and a link is needed to join",
        ),
      ),
      element("div", { class: "buttons" }, submitButton("Go")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      answer(`/${sealed.checked ? "seal" : "join"} ${input.value.trim()}`);
    });
    return [form];
  });
}

/** Shows an invite link. */
export function showInvite({ terminal, web, modules, notes }: PageInvite): void {
  void openDialog("Invite to this room", () => [
    ...notes.map((note) => element("p", { class: "warning" }, note)),
    web === undefined ? undefined : copyField("Link for a browser", web),
    copyField("Link for the terminal client", terminal),
    modules.length === 0 ? undefined : element("div", { class: "qr-frame" }, qrCode(modules)),
  ]);
}

/** Shows who can read the room, and how far the page can be trusted. */
export function showPrivacy(
  { privacy, privacyLevel, roomCode }: PageStatus,
  isServed: boolean,
): void {
  void openDialog("Who can read this room", () => [
    element(
      "p",
      { class: `privacy ${privacyLevel}` },
      icon(privacyIcon(privacyLevel)),
      privacy,
    ),
    ...(roomCode === undefined ? [] : [
      element(
        "p",
        {},
        "Everybody in the room sees the same code. If yours differs, somebody is in between.",
      ),
      element("p", { class: "code-words", attributes: { translate: "no" } }, roomCode),
    ]),
    element("h3", {}, "How far you can trust this page"),
    trustLadder(isServed),
  ]);
}

/** What the user wants of somebody. */
export type PersonWish = {
  readonly kind: "write" | "file" | "folder" | "compare" | "verified" | "profile";
};

/** Shows somebody, and asks what to do. */
export function askPerson(
  { name, own, note, key, knownAs, code }: PagePerson,
): Promise<PersonWish | undefined> {
  const isVerified = key === "verified";
  return openDialog<PersonWish>(name, (answer) => [
    note === undefined ? undefined : element("p", { attributes: { dir: "auto" } }, note),
    knownAs === undefined
      ? undefined
      : element("p", {}, "You know this person as ", element("bdi", {}, knownAs), "."),
    ...(code === undefined ? [] : [
      element(
        "h3",
        {},
        own ? "Your key" : isVerified ? "Their key, which you verified" : "Their key",
      ),
      element("p", { class: "code-words", attributes: { translate: "no" } }, code),
    ]),
    code === undefined && isVerified
      ? element("p", {}, "They have the device key that you verified.")
      : undefined,
    key === "questioned"
      ? element(
        "p",
        { class: "danger" },
        code === undefined
          ? "This name had another device key before, or shows none now. Ask its owner over another channel."
          : "This name had another key before. Ask its owner over another channel.",
      )
      : undefined,
    code === undefined || own || isVerified ? undefined : element(
      "p",
      {},
      "Compare it over a channel that nobody can fake, on the phone for example. Both of you must see the same.",
    ),
    own ? undefined : element(
      "div",
      { class: "buttons" },
      button("About", { class: "quiet", onClick: () => answer({ kind: "profile" }) }),
      code === undefined
        ? key === "questioned"
          ? button("Compare keys", { class: "quiet", onClick: () => answer({ kind: "compare" }) })
          : undefined
        : isVerified
        ? undefined
        : button("It is the same", { class: "quiet", onClick: () => answer({ kind: "verified" }) }),
      button("Send a file", { class: "quiet", onClick: () => answer({ kind: "file" }) }),
      button("Send a folder", { class: "quiet", onClick: () => answer({ kind: "folder" }) }),
      button("Write privately", { class: "primary", onClick: () => answer({ kind: "write" }) }),
    ),
  ]);
}

/** What the user wants of a message: an emoji under it, or to go on with a command. */
export type MessageWish =
  | { readonly kind: "react"; readonly emoji: string }
  | { readonly kind: "command"; readonly command: string };

const EMOJI = ["👍", "❤️", "😂", "🎉", "👀", "🙏"] as const;

/** Asks what to do with a message of the room. */
export function askMessage(sequence: number, isOwn: boolean): Promise<MessageWish | undefined> {
  return openDialog<MessageWish>(`Message #${sequence}`, (answer) => {
    const choice = (label: string, command: string) =>
      button(label, { class: "quiet", onClick: () => answer({ kind: "command", command }) });
    return [
      element(
        "div",
        { class: "emoji", attributes: { role: "group", "aria-label": "React" } },
        ...EMOJI.map((emoji) => button(emoji, { onClick: () => answer({ kind: "react", emoji }) })),
      ),
      element(
        "div",
        { class: "buttons" },
        ...(isOwn
          ? [choice("Delete", `/delete #${sequence}`), choice("Change", `/edit #${sequence}`)]
          : []),
        choice("Answer", `/quote ${sequence}`),
      ),
    ];
  });
}

/** When the user is called. */
export type Notices = "all" | "mention" | "off";

/** Asks when to call the user; `now`: what is set. */
export function askNotices(now: Notices): Promise<Notices | undefined> {
  const choices: readonly (readonly [Notices, string, string])[] = [
    [
      "all",
      "Every message",
      "A notice of the browser for every message here, while you look elsewhere",
    ],
    ["mention", "My name only", "A notice for direct messages and those that name you"],
    ["off", "Nothing", "Only the count in the tab"],
  ];
  return openDialog<Notices>("Notices for this room", (answer) => [
    element("p", {}, "A notice names sender and room, never what was said."),
    element(
      "div",
      { class: "choices" },
      ...choices.map(([value, name, words]) =>
        element(
          "button",
          {
            class: "choice",
            attributes: { type: "button", "aria-pressed": value === now ? "true" : "false" },
            onClick: () => answer(value),
          },
          element("strong", {}, name),
          element("span", {}, words),
        )
      ),
    ),
  ]);
}

/** A label above an input. */
export function field(label: string, input: HTMLInputElement, hint?: string): HTMLElement {
  if (hint !== undefined) input.setAttribute("aria-describedby", `${input.id}-hint`);
  return element(
    "div",
    { class: "field" },
    element("label", { attributes: { for: input.id } }, label),
    input,
    hint === undefined
      ? undefined
      : element("p", { class: "hint", attributes: { id: `${input.id}-hint` } }, hint),
  );
}

/** The button that ends a form. */
export function submitButton(label: string): HTMLButtonElement {
  return button(label, { class: "primary", attributes: { type: "submit" } });
}

/** The icon beside who can read. */
export function privacyIcon(level: PageStatus["privacyLevel"]): IconName {
  switch (level) {
    case "open":
      return "eye";
    case "sealed":
      return "lock";
    case "warning":
    case "danger":
      return "shield";
  }
}

function copyField(label: string, text: string): HTMLElement {
  const id = `copy-${label.replace(/\W+/g, "-")}`;
  const input = element("input", { attributes: { id, readonly: true, translate: "no" } });
  input.value = text;
  input.addEventListener("focus", () => input.select());
  const copy = button("Copy", {
    class: "quiet",
    attributes: { "aria-label": `Copy: ${label}` },
    onClick: () => {
      void navigator.clipboard?.writeText(text).then(
        () => {
          copy.textContent = "Copied";
          copy.ariaLabel = `Copied: ${label}`;
        },
        () => input.select(),
      );
    },
  });
  return element(
    "div",
    { class: "field" },
    element("label", { attributes: { for: id } }, label),
    element("div", { class: "copy" }, input, copy),
  );
}
