// A bot that answers those who name it:  deno run -A examples/bot.ts --name dice [OPTIONS or a link]
//   you:  dice: 2d6            dice:  alice rolls 2d6: 3 + 5 = 8

import { JsonClient } from "./json_client.ts";

const MOST_DICE = 20;
const HELP = "say how many dice of how many sides, such as 2d6";

/** The answer to a line that names the bot. */
export function answer(sender: string, text: string, roll: (sides: number) => number): string {
  const [, dice = "", sides = ""] = /(\d{1,3})?d(\d{1,4})\b/i.exec(text) ?? [];
  const count = Number(dice || "1");
  if (sides === "" || Number(sides) < 2) return HELP;
  if (count < 1 || count > MOST_DICE) return `I have ${MOST_DICE} dice`;
  const rolls = Array.from({ length: count }, () => roll(Number(sides)));
  const sum = rolls.reduce((a, b) => a + b, 0);
  return `${sender} rolls ${count}d${sides}: ${rolls.join(" + ")}${count > 1 ? ` = ${sum}` : ""}`;
}

if (import.meta.main) {
  const client = new JsonClient(Deno.args);
  for await (const { kind, room, sender = "", text = "", own, mention } of client.lines()) {
    // Only where it is spoken to: what it says itself has no such form, so two bots cannot keep each other talking.
    if (kind !== "chat" || own || !mention || !/^[^\s:,]+[:,]/.test(text)) continue;
    const say = answer(sender, text, (sides) => 1 + Math.floor(Math.random() * sides));
    await client.ask({ say, room });
  }
  Deno.exit(await client.code);
}
