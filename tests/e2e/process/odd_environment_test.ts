// Both programs in an environment whose variables are not all UTF-8.

import assert from "node:assert/strict";
import { skipWithout } from "../../helpers/repo/skip.ts";

const ROOT = new URL("../../..", import.meta.url);
const BYTES = "no\\377text";

interface OddStart {
  readonly program: "client" | "server";
  readonly variable: string;
  readonly args?: readonly string[];
  /** What it prints on standard error, from its beginning. */
  readonly says: RegExp;
  readonly code: number;
}

function refuses(program: OddStart["program"], variable: string, ...args: string[]): OddStart {
  const error = `error: Cannot use the variable ${variable}: it is not text in UTF-8`;
  const says = new RegExp(`^${error}\nhint: set it again, or remove it: unset ${variable}\n$`);
  return { program, variable, args, says, code: 3 };
}

/** Nothing listens there; a start that gets so far has read all its variables. */
const NOWHERE = ["--host", "127.0.0.1", "--port", "1"];
const TRIED = /^error: Cannot connect to "127\.0\.0\.1:1"/m;
const USAGE = /^error: Cannot use --port/;

const STARTS: readonly OddStart[] = [
  refuses("client", "HOME", ...NOWHERE),
  refuses("client", "XDG_CONFIG_HOME", ...NOWHERE),
  refuses("client", "CMDCHAT_TOKEN", ...NOWHERE),
  refuses("client", "CMDCHAT_ROOM", ...NOWHERE, "send", "hello"),
  refuses("client", "ALL_PROXY", "--host", "192.0.2.1"),
  { program: "client", variable: "TERM", args: NOWHERE, says: TRIED, code: 4 },
  { program: "client", variable: "NO_COLOR", args: NOWHERE, says: TRIED, code: 4 },
  { program: "client", variable: "LANG", args: NOWHERE, says: TRIED, code: 4 },
  // What only the server reads is not the client's to refuse.
  { program: "client", variable: "CMDCHAT_TOKENS", args: NOWHERE, says: TRIED, code: 4 },
  refuses("server", "CMDCHAT_PORT"),
  refuses("server", "CMDCHAT_TOKENS", "--port", "0"),
  refuses("server", "CMDCHAT_ADMIN_TOKEN", "check"),
  { program: "server", variable: "HOME", args: ["--port", "x"], says: USAGE, code: 2 },
  { program: "server", variable: "CMDCHAT_NAME", args: ["--port", "x"], says: USAGE, code: 2 },
];

async function tryStart({ program, variable, args = [], says, code }: OddStart): Promise<void> {
  const script = `${variable}=$(printf '${BYTES}'); export ${variable}; exec "$@"`;
  const run = ["run", "--quiet", "--no-check", "-A", `${program}/main.ts`, ...args];
  const denoDir = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  const output = await new Deno.Command("sh", {
    args: ["-c", script, "sh", Deno.execPath(), ...run],
    cwd: ROOT,
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent", DENO_DIR: denoDir },
    stdin: "null",
  }).output();
  const [stdout, stderr] = [output.stdout, output.stderr].map((b) => new TextDecoder().decode(b));
  const about = `${program} with an odd ${variable}: ${stdout}${stderr}`;
  assert.match(stderr ?? "", says, about);
  assert.equal(output.code, code, about);
}

skipWithout("sh")("no program meets a variable that is no UTF-8 with a stack trace", async () => {
  const left = STARTS[Symbol.iterator]();
  await Promise.all([1, 2].map(async () => {
    for (const start of left) await tryStart(start);
  }));
});
