// The completion script for fish.

import type { ProgramSpec } from "./program.ts";
import {
  type CompletedCommand,
  completedCommands,
  type CompletedOption,
  functionName,
  type Offer,
  profileLister,
} from "./completion_data.ts";

/** The script for fish. */
export function fishCompletion(program: ProgramSpec): string {
  const commands = completedCommands(program);
  const named = commands.filter(({ name }) => name !== "");
  const is = `_${functionName(program)}_is`;
  const start = `complete -c ${program.name}`;
  return `# fish completion for ${program.name}, made by \`${program.name} completions fish\`

# Whether the command on the line is this one: "" for the program itself, "first" before there is any word.
function ${is}
    set -l words (commandline -opc)
    set -e words[1]
    if string match -qr '^(@|cmdchat:)' -- "$words[1]"
        set -e words[1]
    end
    switch $argv[1]
        case first
            test (count $words) -eq 0
        case ''
            not contains -- "$words[1]" ${named.map(({ name }) => name).join(" ")}
        case '*'
            test "$words[1]" = $argv[1]
    end
end

${start} -f
${profileLines(program, is)}${
    named.map(({ name, summary }) => `${start} -n '${is} first' -a ${name} -d ${quoted(summary)}\n`)
      .join("")
  }
${commands.map((command) => commandLines(command, { start, is })).join("\n")}`;
}

function profileLines(program: ProgramSpec, is: string): string {
  const lister = profileLister(program);
  if (lister === "") return "";
  // The line is one of sh; in it, fish would read other things.
  const listing = `(sh -c ${quoted(lister)})`;
  return `complete -c ${program.name} -n '${is} first; and test (count (commandline -opc)) -eq 1' -a ${
    quoted(listing)
  } -d profile\n`;
}

function commandLines(
  { name, options, offer }: CompletedCommand,
  { start, is }: { readonly start: string; readonly is: string },
): string {
  const when = `-n ${quoted(`${is} ${name === "" ? "''" : name}`)}`;
  const lines = options.map((option) => `${start} ${when} ${optionWords(option)}`);
  if (offer !== "nothing") lines.push(`${start} ${when}${argumentWords(offer)}`);
  return lines.map((line) => `${line}\n`).join("");
}

function optionWords({ name, short, value, offer, help }: CompletedOption): string {
  const flags = `-l ${name}${short === undefined ? "" : ` -s ${short}`}`;
  const behind = value === undefined
    ? ""
    : offer === "nothing"
    ? " -x"
    : ` -r${argumentWords(offer)}`;
  return `${flags}${behind} -d ${quoted(help)}`;
}

function argumentWords(offer: Exclude<Offer, "nothing">): string {
  if (offer === "file") return " -F";
  if (offer === "folder") return " -f -a '(__fish_complete_directories)'";
  return ` -f -a ${quoted(offer.join(" "))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
