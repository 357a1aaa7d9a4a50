// The completion script for bash, version 4 or later; it needs no package of completions.

import type { ProgramSpec } from "./program.ts";
import {
  type CompletedCommand,
  completedCommands,
  type CompletedOption,
  functionName,
  type Offer,
  profileLister,
} from "./completion_data.ts";

/** The script for bash. */
export function bashCompletion(program: ProgramSpec): string {
  const commands = completedCommands(program);
  const names = commands.map(({ name }) => name).filter((name) => name !== "");
  return `# bash completion for ${program.name}, made by \`${program.name} completions bash\`

${functionName(program)}() {
  # Not COMP_WORDS: bash takes words apart at @, = and : as well. What it completes is $2, the end of the word.
  local line=\${COMP_LINE:0:COMP_POINT} prev command= options= place= i
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local last=$(( \${#words[@]} - 1 ))
  local cur=\${words[last]}
  prev=\${words[last-1]}
  # The value behind --option= is completed like a word of its own.
  [[ $cur == --*=* ]] && prev=\${cur%%=*} cur=\${cur#*=}
  # What bash leaves as it stands, in front of what it completes.
  local head=
  [[ $cur == *"$2" ]] && head=\${cur%"$2"} || cur=$2
  for (( i = 1; i < last; i++ )); do
    case \${words[i]} in
      --) break ;;
      ${valuedFlags(commands).join("|")}) (( i++ )) ;;
      -*) ;;
      ${names.join("|")}) command=\${words[i]}; break ;;
      *) [[ -z $place ]] || break; place=\${words[i]} ;;
    esac
  done
  COMPREPLY=()
  case $command in
${commands.map(optionCase).join("\n")}
  esac
  if [[ " $options " == *" $prev "* ]]; then
    case $prev in
${valueCases(commands)}
    esac
  fi
  if [[ $cur != -* ]]; then
    case $command in
${commands.map(argumentCase).filter(Boolean).join("\n")}
    esac
  fi
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
  elif [[ -z $command ]] && (( i == last )); then
    mapfile -t COMPREPLY < <(compgen -W "${names.join(" ")}" -- "$cur")
${profileLines(program)}  fi
  ${STRIP}
}
complete -F ${functionName(program)} ${program.name}
`;
}

/** What stands in front of what bash completes is not to be written again. */
const STRIP = 'COMPREPLY=("${COMPREPLY[@]#"$head"}")';

function profileLines(program: ProgramSpec): string {
  const lister = profileLister(program);
  if (lister === "") return "";
  return `    if [[ -z $place ]] && [[ -z $cur || $cur == @* ]]; then
      local profile
      while read -r profile; do
        [[ $profile == "$cur"* ]] && COMPREPLY+=("$profile")
      done < <(${lister})
    fi
`;
}

function valuedFlags(commands: readonly CompletedCommand[]): string[] {
  const valued = commands.flatMap(({ options }) => options)
    .filter(({ value }) => value !== undefined);
  return [...new Set(valued.flatMap(flags))];
}

/** The value of an option; options of one name mean the same in every command. */
function valueCases(commands: readonly CompletedCommand[]): string {
  const byOffer = new Map<string, string[]>();
  const seen = new Set<string>();
  for (const option of commands.flatMap((command) => command.options)) {
    if (option.value === undefined || seen.has(option.name)) continue;
    seen.add(option.name);
    const what = offer(option.offer);
    byOffer.set(what, [...byOffer.get(what) ?? [], ...flags(option)]);
  }
  return [...byOffer].map(([what, words]) =>
    `      ${words.join("|")}) ${what} ${STRIP}; return ;;`
  ).join(
    "\n",
  );
}

function optionCase({ name, options }: CompletedCommand): string {
  return `    ${name === "" ? '""' : name}) options="${options.flatMap(flags).join(" ")}" ;;`;
}

function argumentCase({ name, offer: what }: CompletedCommand): string {
  return what === "nothing" ? "" : `      ${name}) ${offer(what)} ${STRIP}; return ;;`;
}

function offer(what: Offer): string {
  if (what === "nothing") return "";
  if (what === "file") return filled("-f");
  if (what === "folder") return filled("-d");
  return `mapfile -t COMPREPLY < <(compgen -W "${what.join(" ")}" -- "$cur");`;
}

function filled(flag: string): string {
  return `compopt -o filenames; mapfile -t COMPREPLY < <(compgen ${flag} -- "$cur");`;
}

function flags({ name, short }: CompletedOption): string[] {
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
}
