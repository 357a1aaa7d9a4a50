// The completion script for zsh: to be sourced, or put into a folder of $fpath as _PROGRAM.

import type { ProgramSpec } from "./program.ts";
import {
  type CompletedCommand,
  completedCommands,
  type CompletedOption,
  functionName,
  type Offer,
  profileLister,
} from "./completion_data.ts";

/** The script for zsh. */
export function zshCompletion(program: ProgramSpec): string {
  const commands = completedCommands(program);
  const name = functionName(program);
  const lister = profileLister(program);
  return `#compdef ${program.name}
# zsh completion for ${program.name}, made by \`${program.name} completions zsh\`

${name}() {
  local -a commands profiles
  local place=1 curcontext=$curcontext
  commands=(
${
    commands.filter(({ name }) => name !== "")
      .map(({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(":", "\\:")}`)}`)
      .join("\n")
  }
  )
  (( CURRENT > 2 )) && [[ \${words[2]} == (@|cmdchat:)* ]] && place=2
  if (( CURRENT == place + 1 )) && [[ \${words[CURRENT]} != -* ]]; then
    _describe -t commands command commands
${
    lister === ""
      ? ""
      : `    profiles=(\${(f)"$(${lister})"})\n    (( place == 1 && $#profiles )) && compadd -X profile -a profiles\n`
  }    return
  fi
  local command=\${words[place+1]}
  case $command in
${commands.filter(({ name }) => name !== "").map((command) => branch(command)).join("\n")}
    *)
      _arguments -s -S \\
${specs(commands[0])}
      ;;
  esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  ${name} "$@"
else
  compdef ${name} ${program.name}
fi
`;
}

function branch(command: CompletedCommand): string {
  return `    ${command.name})
      words=("\${(@)words[place+1,-1]}")
      (( CURRENT -= place ))
      _arguments -s -S \\
${specs(command)}
      ;;`;
}

function specs(command: CompletedCommand | undefined): string {
  if (command === undefined) return "";
  // An argument without an offer would be a message, beside which zsh completes no option.
  const rest = command.offer === "nothing" ? [] : [`'*:argument:${action(command.offer)}'`];
  return [...command.options.map(spec), ...rest].map((text) => `        ${text}`).join(" \\\n");
}

function spec({ name, short, value, offer, help }: CompletedOption): string {
  const text = `[${help.replaceAll(/[[\]:\\]/g, "\\$&")}]`;
  const behind = value === undefined ? "" : `:${value.replaceAll(":", "\\:")}:${action(offer)}`;
  const long = `--${name}${value === undefined ? "" : "="}`;
  if (short === undefined) return quoted(`${long}${text}${behind}`);
  const exclusive = quoted(`(-${short} --${name})`);
  const sign = value === undefined ? "" : "+";
  return `${exclusive}{-${short}${sign},${long}}${quoted(text + behind)}`;
}

function action(offer: Offer): string {
  if (offer === "nothing") return " ";
  if (offer === "file") return "_files";
  return offer === "folder" ? "_files -/" : `(${offer.join(" ")})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
