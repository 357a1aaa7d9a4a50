// Man pages of both programs, made from the tables that the programs read themselves. `deno task man` writes them to
// docs/man/; tests/docs_test.ts compares and lints. The language is mdoc(7).

import { slashUsage } from "../../client/commands/command.ts";
import { COMMANDS } from "../../client/commands/dispatcher.ts";
import { COMMON_OPTIONS, CONNECTION_OPTIONS } from "../../client/config/connection_options.ts";
import { CLIENT_PROGRAM } from "../../client/config/program.ts";
import { SERVER_PROGRAM } from "../../server/commands/program.ts";
import type { OptionRow, OptionTable } from "../../shared/cli/command_line.ts";
import type { CommandSpec, ProgramSpec } from "../../shared/cli/program.ts";

/** When the text of the pages outside the tables was last changed. */
const DATE = "November 25, 2026";

/** Text of every page by its path. */
export function manPages(): Readonly<Record<string, string>> {
  return {
    "docs/man/cmdchat-client.1": clientPage(),
    "docs/man/cmdchat-server.1": serverPage(),
  };
}

function clientPage(): string {
  const program = CLIENT_PROGRAM;
  const commands = COMMANDS.map((row) => item(`Ic ${plain(slashUsage(row))}`, row.help));
  return page(program, {
    about: [
      "joins a room of a cmdchat server and talks there, with messages in the terminal's own " +
      "scrollback. With pipes in place of a terminal it sends each line of its input and prints " +
      "what is said. A first word that is a command does one thing and leaves.",
    ],
    more: [section("IN THE CHAT", list(commands))],
    files: [
      section(
        "FILES",
        list([item(
          "Pa ~/.config/cmdchat/config.toml",
          "settings: options by their long names, and sections [server.NAME] for @NAME. It is " +
            "only read. With a token or passphrase in it, it must have mode 0600.",
        )]),
      ),
    ],
    examples: [
      ["Talk, as alice, in the room den:", "cmdchat-client --name alice --room den"],
      ["Say something from a script:", 'cmdchat-client send --room ops "backup done"'],
      ["Say each line of a log as it comes:", "tail -F app.log | cmdchat-client send --lines"],
      [
        "Wait at most a minute for one message of alice:",
        "cmdchat-client recv --count 1 --timeout 60 --from alice",
      ],
      ["Hand over a file:", "cmdchat-client send-file dump.sql"],
    ],
    seeAlso: "cmdchat-server",
  });
}

function serverPage(): string {
  return page(SERVER_PROGRAM, {
    about: [
      "relays messages and files between clients. It keeps everything in memory and writes " +
      "nothing: what was said is gone when the process ends. SIGINT and SIGTERM end it in order, " +
      "a second one at once; SIGHUP has it read certificate, key, tokens, bans and settings again.",
    ],
    more: [],
    files: [],
    examples: [
      [
        "Serve every IPv4 network of this machine over TLS:",
        "cmdchat-server --host 0.0.0.0 --certfile cert.pem --keyfile key.pem",
      ],
      [
        "Make an identity that outlives restarts:",
        "umask 077; cmdchat-server keygen > identity.pem",
      ],
    ],
    seeAlso: "cmdchat-client",
  });
}

interface PageParts {
  /** The first one goes on behind the program's name. */
  readonly about: readonly string[];
  readonly more: readonly string[];
  readonly files: readonly string[];
  readonly examples: readonly (readonly [what: string, line: string])[];
  readonly seeAlso: string;
}

function page(program: ProgramSpec, { about, more, files, examples, seeAlso }: PageParts): string {
  const { name, summary, usage, variables, exitCodes } = program;
  const own = sharedOptions(program);
  const variableItems = Object.entries(variables).map(([key, help]) => item(`Ev ${key}`, help));
  return [
    '.\\" Made by "deno task man"; do not edit.',
    `.Dd ${DATE}`,
    `.Dt ${name.toUpperCase()} 1`,
    ".Os",
    section("NAME", `.Nm ${name}\n.Nd ${plain(summary)}`),
    section("SYNOPSIS", usage.map(([form]) => `.Nm ${name}\n${synopsis(form)}`).join("\n")),
    section("DESCRIPTION", `.Nm\n${about.map(paragraph).join("\n.Pp\n")}`),
    section("COMMANDS", program.commands.map((command) => commandText(command, own)).join("\n")),
    section("OPTIONS", optionList(program.options)),
    ...more,
    section(
      "ENVIRONMENT",
      `Options name their variables above; an empty variable counts as unset.\nBeside them:\n${
        list(variableItems)
      }`,
    ),
    ...files,
    section(
      "EXIT STATUS",
      list(exitCodes.map(([code, meaning]) => item(`Er ${code}`, meaning)), "8n"),
    ),
    section(
      "EXAMPLES",
      examples.map(([what, line]) => `${plain(what)}\n.Pp\n.Dl ${quoteWords(line)}`).join(
        "\n.Pp\n",
      ),
    ),
    section("SEE ALSO", `.Xr ${seeAlso} 1`),
    "",
  ].join("\n");
}

function section(title: string, body: string): string {
  return `.Sh ${title}\n${body}`;
}

/** Options that the OPTIONS section has anyway. */
function sharedOptions(program: ProgramSpec): ReadonlySet<string> {
  if (program !== CLIENT_PROGRAM) return new Set();
  return new Set([...Object.keys(CONNECTION_OPTIONS), ...Object.keys(COMMON_OPTIONS)]);
}

function commandText(command: CommandSpec, shared: ReadonlySet<string>): string {
  const { name, argument, summary, about = [], options } = command;
  const own = Object.fromEntries(
    Object.entries<OptionRow<unknown>>(options)
      .filter(([option]) => !shared.has(option) && option !== "help" && option !== "version"),
  );
  const reach = Object.keys(options).some((option) => option === "host" && shared.has(option));
  const form = argument === undefined ? "" : ` Ar ${plain(argument)}`;
  return [
    `.Ss ${name}`,
    `.Ic ${name}${form}`,
    ".Pp",
    sentence(summary),
    ...about.map((text) => `.Pp\n${paragraph(text)}`),
    ...(reach ? [".Pp\nIt takes the options that say where the server is and who you are."] : []),
    ...(Object.keys(own).length === 0 ? [] : [optionList(own)]),
  ].join("\n");
}

function optionList(options: OptionTable): string {
  return list(
    Object.entries<OptionRow<unknown>>(options).map(([name, row]) => {
      const short = row.short === undefined ? "" : `Fl ${row.short} , `;
      const value = row.value === undefined ? "" : ` Ar ${plain(row.value)}`;
      return item(`${short}Fl Fl ${name}${value}`, row.help, notesOf(row));
    }),
  );
}

function notesOf({ fallback, env }: OptionRow<unknown>): string[] {
  return [
    ...(fallback === undefined ? [] : [`The default is ${plain(fallback)}.`]),
    ...(env === undefined ? [] : [`The variable is\n.Ev ${env} .`]),
  ];
}

function list(items: readonly string[], width = "Ds"): string {
  return `.Bl -tag -width ${width}\n${items.join("\n")}\n.El`;
}

function item(head: string, text: string, notes: readonly string[] = []): string {
  return [`.It ${head}`, sentence(text), ...notes].join("\n");
}

function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return paragraph(/[.\])]$/.test(whole) ? whole : `${whole}.`);
}

/** One sentence a line, as mdoc wants it, and no line that is longer than it likes. */
function paragraph(text: string): string {
  return plain(text).replaceAll(/([.;:]) +(?=[A-Z(])/g, "$1\n").split("\n").map(folded).join("\n")
    .replaceAll(/^[.']/gm, "\\&$&");
}

function folded(line: string): string {
  const lines: string[] = [];
  for (const word of line.split(/ +/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > 79) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join("\n");
}

/** `[LINK] COMMAND …` as macros: a word in capitals is an argument. */
function synopsis(form: string): string {
  return form.split(" ").map((word) => {
    const optional = /^\[(.*)\]$/.exec(word)?.[1];
    return optional === undefined ? `.Ar ${plain(word)}` : `.Op Ar ${plain(optional)}`;
  }).join("\n");
}

function quoteWords(line: string): string {
  // In a macro's arguments, quotes and words that are macros themselves need care.
  return plain(line).replaceAll('"', "\\(dq").replaceAll(/(^| )([;|>])(?= |$)/g, "$1\\&$2");
}

/** Text without what mdoc would act on; ASCII, since not every formatter reads more. */
function plain(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("…", "\\&...").replaceAll("—", "\\(em")
    .replaceAll("-", "\\-").replaceAll("~", "\\(ti").replaceAll(
      /[^\x20-\x7e\n]/g,
      (character) =>
        `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`,
    );
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(manPages())) {
    await Deno.writeTextFile(new URL(`../../${path}`, import.meta.url), text);
  }
}
