// What documents tell people to type, so that tests can type it.

import { readText } from "./sources.ts";

/** The fenced blocks of a language below a heading, down to the next heading of its rank or above. */
export async function blocksBelow(
  path: string,
  heading: string,
  language: string,
): Promise<string[]> {
  const lines = (await readText(path)).split("\n");
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`${path} has no heading "${heading}"`);
  const rank = heading.indexOf(" ");
  const blocks: string[] = [];
  let block: string[] | undefined;
  for (const line of lines.slice(start + 1)) {
    if (block === undefined && new RegExp(`^#{1,${rank}} `).test(line)) break;
    if (block === undefined) {
      if (line === `\`\`\`${language}`) block = [];
    } else if (line === "```") {
      blocks.push(`${block.join("\n")}\n`);
      block = undefined;
    } else block.push(line);
  }
  return blocks;
}
