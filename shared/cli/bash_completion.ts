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
  # Not COMP_WORDS: bash takes words apart at @ and : as well.
  local line=\${COMP_LINE:0:COMP_POINT} cur=\${COMP_WORDS[COMP_CWORD]} prev command= options= first=1
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local last=$(( \${#words[@]} - 1 ))
  prev=\${words[last-1]}
  (( last > 1 )) && [[ \${words[1]} == @* || \${words[1]} == cmdchat:* ]] && first=2
  if (( last > first )); then
    case \${words[first]} in
      ${names.join("|")}) command=\${words[first]} ;;
    esac
  fi
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
  elif (( last == first )); then
    mapfile -t COMPREPLY < <(compgen -W "${names.join(" ")}" -- "\${words[last]}")
${profileLines(program)}  fi
}
complete -F ${functionName(program)} ${program.name}
`;
}

function profileLines(program: ProgramSpec): string {
  const lister = profileLister(program);
  if (lister === "") return "";
  return `    if (( first == 1 )) && [[ -z $cur || \${words[1]} == @* ]]; then
      local profile
      while read -r profile; do
        [[ $profile == "\${words[1]}"* ]] || continue
        # Where bash took the @ for a word of its own, it stands there already.
        [[ \${words[1]} == @* && $2 != @* ]] && profile=\${profile#@}
        COMPREPLY+=("$profile")
      done < <(${lister})
    fi
`;
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
  return [...byOffer].map(([what, words]) => `      ${words.join("|")}) ${what} return ;;`).join(
    "\n",
  );
}

function optionCase({ name, options }: CompletedCommand): string {
  return `    ${name === "" ? '""' : name}) options="${options.flatMap(flags).join(" ")}" ;;`;
}

function argumentCase({ name, offer: what }: CompletedCommand): string {
  return what === "nothing" ? "" : `      ${name}) ${offer(what)} return ;;`;
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
