// The completion script for PowerShell 5.1 and later: to be dot-sourced, or piped into Invoke-Expression. It is plain
// ASCII, since PowerShell 5.1 reads a script without a byte order mark in the code page of the system.

import type { ProgramSpec } from "./program.ts";
import {
  type CompletedCommand,
  completedCommands,
  type CompletedOption,
  type Offer,
} from "./completion_data.ts";

/** The script for PowerShell. */
export function powershellCompletion(program: ProgramSpec): string {
  const commands = completedCommands(program);
  const named = commands.filter(({ name }) => name !== "");
  return `# PowerShell completion for ${program.name}, made by \`${program.name} completions powershell\`

Register-ArgumentCompleter -Native -CommandName '${program.name}', '${program.name}.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # Words behind each command ('' is the program itself): what they mean, and what follows an option.
    $commands = @{
${named.map(({ name, summary }) => `        ${quoted(name)} = ${quoted(summary)}`).join("\n")}
    }
    $options = @{
${commands.map(optionRows).join("\n")}
    }
    $arguments = @{
${commands.map(argumentRow).filter(Boolean).join("\n")}
    }

    function Select-Result($text, $help) {
        [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $help)
    }

    $quote = [string][char]39
    $typed = ([string]$wordToComplete).TrimStart([char[]]@(39, 34))
    # The words between the program and the one that is completed.
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text.Trim([char[]]@(39, 34)) })
    $isFirst = $words.Count -eq 0
    if ($words.Count -gt 0 -and $words[0] -match '^(@|cmdchat:)') {
        $words = @($words | Select-Object -Skip 1)
    }
    $command = ''
    if ($words.Count -gt 0 -and $commands.ContainsKey($words[0])) { $command = $words[0] }

    $offer = $null
    if ($words.Count -gt 0) {
        $before = $options[$command] | Where-Object { $_.Words -ccontains $words[-1] -and $null -ne $_.Offer }
        if ($before) { $offer = $before.Offer }
    }
    if ($null -eq $offer -and $typed.StartsWith('-')) {
        foreach ($option in $options[$command]) {
            foreach ($word in $option.Words) {
                if ($word.StartsWith($typed)) { Select-Result $word $option.Help }
            }
        }
        return
    }
    if ($null -eq $offer -and $words.Count -eq 0) {
        foreach ($name in ($commands.Keys | Sort-Object)) {
            if ($name.StartsWith($typed)) { Select-Result $name $commands[$name] }
        }
${profileLines(program)}        return
    }
    if ($null -eq $offer) { $offer = $arguments[$command] }
    # Nothing is said of a file: PowerShell completes paths by itself.
    if ($null -eq $offer -or 'file' -eq $offer) { return }
    if ('folder' -eq $offer) {
        Get-ChildItem -Directory -Path ($typed + '*') -ErrorAction SilentlyContinue | ForEach-Object {
            $path = $_.Name
            if ($typed -match '[/\\\\]') { $path = Join-Path (Split-Path $typed) $path }
            if ($path -match '\\s') { $path = $quote + $path.Replace($quote, $quote + $quote) + $quote }
            Select-Result $path $_.FullName
        }
        return
    }
    foreach ($word in $offer) {
        if ($word.StartsWith($typed)) { Select-Result $word $word }
    }
}
`;
}

/** Profiles are quoted: a bare @ would be PowerShell's own. */
function profileLines({ profilesIn }: ProgramSpec): string {
  if (profilesIn === undefined) return "";
  return `        if ($isFirst) {
            $folder = $env:XDG_CONFIG_HOME
            if (-not $folder) { $folder = Join-Path $HOME '.config' }
            Select-String -Path (Join-Path $folder ${quoted(profilesIn)}) \`
                -Pattern '^\\s*\\[server\\.([A-Za-z0-9_-]+)\\]' -ErrorAction SilentlyContinue | ForEach-Object {
                $profileName = '@' + $_.Matches[0].Groups[1].Value
                if ($profileName.StartsWith($typed)) { Select-Result ($quote + $profileName + $quote) 'profile' }
            }
        }
`;
}

function optionRows({ name, options }: CompletedCommand): string {
  const rows = options.map((option) => `            ${optionRow(option)}`);
  return `        ${quoted(name)} = @(\n${rows.join("\n")}\n        )`;
}

function optionRow({ name, short, value, offer, help }: CompletedOption): string {
  const words = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])].map(quoted).join(", ");
  const behind = value === undefined ? "$null" : offered(offer);
  return `@{ Words = @(${words}); Offer = ${behind}; Help = ${quoted(help)} }`;
}

function argumentRow({ name, offer }: CompletedCommand): string {
  return offer === "nothing" ? "" : `        ${quoted(name)} = ${offered(offer)}`;
}

function offered(offer: Offer): string {
  if (offer === "nothing") return "@()";
  return typeof offer === "string" ? quoted(offer) : `@(${offer.map(quoted).join(", ")})`;
}

/** A text in quotes between which PowerShell expands nothing. */
function quoted(text: string): string {
  const plain = text.replaceAll("…", "...").replaceAll(/[^\x20-\x7e]/g, "?");
  return `'${plain.replaceAll("'", "''")}'`;
}
