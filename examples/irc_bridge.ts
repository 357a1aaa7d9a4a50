// A bridge between a room and an IRC channel:
//   deno run -A examples/irc_bridge.ts irc.example.org:6667 '#channel' NICK [OPTIONS or a link]
// Everybody on IRC, and the IRC server, can read what is said in the room: tell its members.

import { JsonClient, linesOf } from "./json_client.ts";

// A message has 512 bytes with the server's prefix (RFC 2812 §2.3).
const TEXT_MAX_BYTES = 350;
// deno-lint-ignore no-control-regex -- exactly these
const CONTROL = /[\x00-\x1f\x7f]/g;

/** A text as lines that IRC takes: a line break or a control character must not become another command. */
export function ircLines(text: string): string[] {
  const rows = text.split("\n").map((row) => row.replaceAll(CONTROL, " ").trimEnd());
  return rows.filter((row) => row !== "").flatMap(cut);
}

function cut(row: string): string[] {
  const encoder = new TextEncoder();
  const parts = [""];
  for (const letter of row) {
    const last = parts.at(-1) ?? "";
    if (encoder.encode(last + letter).length <= TEXT_MAX_BYTES) {
      parts[parts.length - 1] = last + letter;
    } else parts.push(letter);
  }
  return parts;
}

/** Who said what in a line of the IRC server; undefined for other lines, and for what only one person gets. */
export function saidOnIrc(
  line: string,
  channel: string,
): { who: string; text: string } | undefined {
  const [, who, target, text] = /^:([^!\s]+)!\S+ PRIVMSG (\S+) :(.*)$/.exec(line) ?? [];
  if (who === undefined || text === undefined) return undefined;
  return target?.toLowerCase() === channel.toLowerCase() ? { who, text } : undefined;
}

if (import.meta.main) {
  const [address = "", channel = "", nick = "", ...options] = Deno.args;
  const [, hostname = "", port = "6667"] = /^(.+?)(?::(\d+))?$/.exec(address) ?? [];
  if (nick === "") throw new Error("the form is irc_bridge.ts HOST:PORT '#channel' NICK [OPTIONS]");
  const irc = await Deno.connect({ hostname, port: Number(port) });
  const writer = irc.writable.getWriter();
  const send = (line: string) => writer.write(new TextEncoder().encode(`${line}\r\n`));
  const client = new JsonClient(options);
  await send(`NICK ${nick}`);
  await send(`USER ${nick} 0 * :bridge to a cmdchat room`);

  const fromRoom = (async () => {
    for await (const { kind, own, sender, text = "", action } of client.lines()) {
      if (kind !== "chat" || own) continue;
      const who = (action ? `* ${sender}` : `<${sender}>`).replaceAll(CONTROL, " ");
      for (const row of ircLines(text)) {
        await send(`PRIVMSG ${channel} :${who} ${row}`);
        // IRC servers disconnect whoever floods.
        await new Promise((resolve) => setTimeout(resolve, 400));
      }
    }
  })();
  const fromIrc = (async () => {
    for await (const line of linesOf(irc.readable)) {
      if (line.startsWith("PING ")) await send(`PONG ${line.slice(5)}`);
      else if (/^:\S+ 001 /.test(line)) await send(`JOIN ${channel}`);
      const said = saidOnIrc(line, channel);
      if (said !== undefined) {
        await client.ask({ say: `<${said.who}> ${said.text.replaceAll(CONTROL, "")}` });
      }
    }
  })();
  // Whichever end goes first takes the other along: a bridge with one end says so by its own end.
  await Promise.race([fromRoom, fromIrc]);
  Deno.exit(1);
}
