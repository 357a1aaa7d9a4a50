// A program to be killed: appends to the history given as its argument and prints each number once it is stored.

import { openHistory } from "../../../client/history/history.ts";
import { chatEntry, CHEAP } from "../fakes/history.ts";

const [path = ""] = Deno.args;
const history = await openHistory(path, "open sesame", CHEAP);
for (let index = 0;; index++) {
  await history.append(chatEntry(`${index} ${"x".repeat(20_000)}`));
  await Deno.stdout.write(new TextEncoder().encode(`${index}\n`));
}
