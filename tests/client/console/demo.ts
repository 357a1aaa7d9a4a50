// The terminal UI without a server, for a look by hand in any terminal:
//   deno run -A tests/client/console/demo.ts [messages a second]
// Lines are echoed; /storm prints 1,000 messages, /ask asks for a secret, /throw fails, /quit leaves.
import { detectColorDepth, Style } from "../../../client/terminal/style.ts";
import { LineConsole } from "../../../client/console/line_console.ts";
import { Prompt } from "../../../client/console/prompt.ts";
import { detectReflow, isInteractive, openLineIo, openTty } from "../../../client/terminal/tty.ts";

const COMMANDS = ["/ask", "/clear", "/quit", "/storm", "/throw"];
const getEnv = (name: string) => Deno.env.get(name);
const style = new Style(detectColorDepth(getEnv, Deno.stdout.isTerminal()));
const ui = isInteractive(getEnv)
  ? Prompt.open(openTty(), {
    prompt: `${style.paint("alice", "bold", "info")}> `,
    reflow: detectReflow(getEnv),
    complete: (text, cursor) => ({
      start: 0,
      candidates: COMMANDS.filter((command) => command.startsWith(text.slice(0, cursor))),
    }),
  })
  : new LineConsole(openLineIo());
ui.setStatus(style.paint("lobby | connected | server can read | 12 members", "inverse"));

const perSecond = Number(Deno.args[0] ?? 0);
let count = 0;
const ticker = perSecond > 0
  ? setInterval(
    () => ui.print(`${style.name("bob", 3)}: message ${++count} 漢字 👍`),
    1_000 / perSecond,
  )
  : undefined;

for await (const event of ui.events) {
  if (event.kind !== "line" || event.text === "/quit") break;
  if (event.text === "/clear") ui.clear();
  else if (event.text === "/throw") {
    setTimeout(() => {
      throw new Error("thrown on purpose");
    });
  } else if (event.text === "/ask") {
    ui.print(`answer: ${await ui.ask("Passphrase:", { hidden: true })}`);
  } else if (event.text === "/storm") { for (let i = 1; i <= 1_000; i++) ui.print(`storm ${i}`); }
  else ui.print(event.text);
}
clearInterval(ticker);
await ui.close();
Deno.exit(0);
