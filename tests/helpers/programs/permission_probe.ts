// deno-lint-ignore-file no-console
// Compiled with a program's permissions: tries what that program must not be able to do, and prints what it could.

const attempts: Record<string, () => unknown> = {
  write: () => Deno.writeTextFileSync(`${Deno.cwd()}/probe.txt`, "x"),
  temporary: () => Deno.makeTempFileSync(),
  socketFolder: () => Deno.mkdirSync("/run/cmdchat"),
  besideSocket: () => Deno.writeTextFileSync("/run/cmdchat/probe.txt", "x"),
  besideManager: () => Deno.writeTextFileSync("/run/systemd/probe.txt", "x"),
  folder: () => Deno.mkdirSync(`${Deno.cwd()}/probe`),
  link: () => Deno.linkSync(Deno.execPath(), `${Deno.cwd()}/probe-link`),
  remove: () => Deno.removeSync(`${Deno.cwd()}/keep.txt`),
  run: () => new Deno.Command("true").outputSync(),
  library: () => Deno.dlopen("libc.so.6", {}),
  variable: () => Deno.env.get("AWS_SECRET_ACCESS_KEY"),
};

const could: string[] = [];
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    attempt();
    could.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) could.push(`${name}: ${error}`);
  }
}
console.log(JSON.stringify(could));
