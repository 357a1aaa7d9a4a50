/// <reference lib="dom" />
// The form before the chat: name, room, server and token, and how far the page can be trusted.

import type { PageFault } from "../web/page_view.ts";
import type { StartForm } from "../web/start_form.ts";
import { field, submitButton } from "./dialogs.ts";
import { type Child, element, setAttribute } from "./element.ts";
import { icon } from "./icons.ts";
import { trustLadder } from "./trust_ladder.ts";

/** The program's name, as a heading where the page has no other. */
export function brand(tag: "h1" | "p" = "h1"): HTMLElement {
  return element(
    "div",
    { class: "brand" },
    element("span", { class: "prompt", attributes: { "aria-hidden": "true" } }, ">_"),
    element(tag, {}, "cmdchat"),
  );
}

/** A fault, and what may help. */
export function faultBox({ text, hint }: PageFault): HTMLElement {
  return element(
    "div",
    { class: "fault", attributes: { role: "alert", id: "fault" } },
    element("p", {}, text),
    hint === undefined ? undefined : hintText(hint),
  );
}

/** What may help: behind a colon it begins small, and here it stands alone. */
export function hintText(hint: string): HTMLElement {
  return element("p", { class: "hint" }, hint.charAt(0).toUpperCase() + hint.slice(1));
}

/** Shows the form in `root` and resolves with its answers. */
export function askStart(
  root: HTMLElement,
  given: StartForm,
  fault: PageFault | undefined,
): Promise<StartForm> {
  const inputs = {
    name: textInput("name", given.name, { required: true }),
    room: textInput("room", given.room, { required: true }),
    server: textInput("server", given.server, {
      inputmode: "url",
      placeholder: "wss://chat.example.org",
    }),
    token: textInput("token", given.token, { type: "password" }),
  };
  const { invited, served, sealed } = given;
  const join = submitButton("Join");
  const form = element(
    "form",
    { class: "start-form", attributes: { autocomplete: "off" } },
    fault === undefined ? undefined : faultBox(fault),
    ...(invited ? [invitation(given)] : []),
    field("Your name", inputs.name),
    invited
      ? undefined
      : field("Room", inputs.room, "A new name creates a room. An invite link works too."),
    invited || served ? undefined : field("Server", inputs.server),
    field("Token", inputs.token, "Only if the server asks for one."),
    join,
  );
  const about = element(
    "details",
    { class: "about-trust" },
    element("summary", {}, "How far can I trust this page?"),
    trustLadder(served),
  );
  root.replaceChildren(
    element(
      "main",
      { class: "start" },
      brand(),
      element("p", { class: "lead" }, lead(sealed)),
      ...secureOrNot(form, join),
      about,
      element(
        "p",
        { class: "foot" },
        "No account, no cookie, nothing stored: a reload makes you a new person.",
      ),
    ),
  );
  const first = [inputs.name, inputs.room, inputs.server].find((input) =>
    input.isConnected && input.value === ""
  );
  const wrong = wrongInput(inputs, fault);
  if (wrong !== undefined) {
    wrong.ariaInvalid = "true";
    setAttribute(
      wrong,
      "aria-describedby",
      `fault ${wrong.getAttribute("aria-describedby") ?? ""}`,
    );
  }
  (first ?? wrong ?? join).focus();
  return new Promise((resolve) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      join.disabled = true;
      join.textContent = "Joining…";
      resolve({
        ...given,
        name: inputs.name.value.trim(),
        room: inputs.room.value.trim(),
        server: inputs.server.value.trim(),
        token: inputs.token.value,
      });
    });
  });
}

/** The field that a fault is about; undefined where it is about none of those that are shown. */
function wrongInput(
  inputs: Readonly<Record<string, HTMLInputElement>>,
  fault: PageFault | undefined,
): HTMLInputElement | undefined {
  // Names and rooms may be words like these.
  const text = fault?.text.replace(/"[^"]*"/g, "") ?? "";
  const word = ["token", "room", "name"].find((each) => text.includes(each));
  const input = word === undefined ? undefined : inputs[word];
  return input?.isConnected ? input : undefined;
}

function lead(isSealed: boolean): string {
  return isSealed
    ? "A sealed room: only its members can read it, and the server cannot."
    : "An encrypted chat that lives in memory only.";
}

function invitation({ room, server, sealed }: StartForm): HTMLElement {
  return element(
    "div",
    { class: "invitation" },
    sealed
      ? icon("lock")
      : element("span", { class: "hash", attributes: { "aria-hidden": "true" } }, "#"),
    element(
      "p",
      {},
      "You are invited to ",
      element("bdi", { class: "strong" }, room),
      element("span", { class: "where" }, ` at ${server.replace(/^wss?:\/\//, "")}`),
    ),
  );
}

// Over plain HTTP from another machine browsers give a page no cryptography.
function secureOrNot(form: HTMLFormElement, join: HTMLButtonElement): Child[] {
  if (globalThis.isSecureContext) return [form];
  join.disabled = true;
  const fault = faultBox({
    text: "This page cannot encrypt: browsers allow it only over https, or on the same machine.",
    hint: "Ask for the server's https address, or use the terminal client.",
  });
  return [fault, form];
}

function textInput(
  id: string,
  value: string,
  attributes: Readonly<Record<string, string | boolean>>,
): HTMLInputElement {
  const input = element("input", {
    attributes: {
      id,
      type: "text",
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
      ...attributes,
    },
  });
  input.value = value;
  return input;
}
