import assert from "node:assert/strict";
import { parse } from "yaml";
import { SERVER } from "../../../scripts/build/compile.ts";
import { KEEP_PATIENCE_MS } from "../../../server/commands/keep.ts";
import { GIVE_MS } from "../../../server/commands/take_over.ts";
import { ENVIRONMENT_ONLY, SERVER_OPTIONS } from "../../../server/config/server_options.ts";
import {
  OUTBOX_BUDGET,
  ROOM_MEMORY_BUDGET,
  SEALED_MEMORY_BUDGET,
  STOP_DRAIN_MS,
  UNDECIDED_MAX_BYTES,
} from "../../../server/config/limits.ts";
import { newIdentityText } from "../../../server/config/identity_file.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import { buildExecutables, findCompileBase } from "../../helpers/programs/executables.ts";
import { runProgram } from "../../helpers/programs/programs.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipIf, skipWithout } from "../../helpers/repo/skip.ts";
import { whyMissing } from "../../helpers/repo/system_needs.ts";
import { readSources, readText, ROOT } from "../../helpers/repo/sources.ts";

const INSTALLED = "/usr/local/bin/cmdchat-server";
const EXPOSURE_MAX = 1.5;
const STOP_MAX_MS = STOP_DRAIN_MS + 2_000;

const base = await findCompileBase();
const canBuild = !("missing" in base);
const systemdTest = skipWithout("systemd-analyze");
const builtTest = skipIf(canBuild ? whyMissing("openssl") : base.missing);

/** Values of a setting of the unit, in their order. */
async function unitSettings(name: string): Promise<string[]> {
  const unit = await readText("cmdchat-server.service");
  return [...unit.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, value]) => value ?? "");
}

interface TemporaryUnit extends AsyncDisposable {
  readonly path: string;
}

/** The unit as it stands, but for the program's path: nothing is installed where tests run. */
async function unitWithProgram(name: string, program: string): Promise<TemporaryUnit> {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-unit-" });
  const path = `${folder}/${name}`;
  const unit = await readText(name);
  await Deno.writeTextFile(path, unit.replace(INSTALLED, program));
  return { path, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

function variables(): Set<string> {
  const ofOptions = Object.values(SERVER_OPTIONS).flatMap((row) => "env" in row ? [row.env] : []);
  return new Set([...ofOptions, ...Object.keys(ENVIRONMENT_ONLY)]);
}

for (const name of ["cmdchat-server.service", "cmdchat-keeper.service"]) {
  systemdTest(`systemd-analyze verify has nothing to say about ${name}`, async () => {
    await using unit = await unitWithProgram(name, "/bin/true");
    const { code, stdout, stderr } = await runProgram("systemd-analyze", {
      args: ["verify", "--man=no", unit.path],
    });
    assert.equal(stdout + stderr, "");
    assert.equal(code, 0);
  });

  systemdTest(`systemd-analyze security gives ${name} at most ${EXPOSURE_MAX}`, async () => {
    const { stdout, stderr } = await runProgram("systemd-analyze", {
      args: ["security", "--offline=true", new URL(name, ROOT).pathname],
    });
    const exposure = /Overall exposure level for \S+\.service: ([\d.]+)/.exec(stdout);
    assert.ok(exposure, stderr);
    assert.ok(Number(exposure[1]) <= EXPOSURE_MAX, exposure[0]);
  });
}

Deno.test("the unit keeps memory off the disk and bounds what the relay may take", async () => {
  const expected = {
    DynamicUser: ["yes"],
    ProtectSystem: ["strict"],
    LimitCORE: ["0"],
    MemorySwapMax: ["0"],
    CPUQuota: ["200%"],
  };
  for (const [name, values] of Object.entries(expected)) {
    assert.deepEqual(await unitSettings(name), values, name);
  }
  const files = Number((await unitSettings("LimitNOFILE"))[0]);
  assert.ok(files > Number(SERVER_OPTIONS["max-connections"].fallback) + 64, "descriptors");
});

Deno.test("whoever fills all that the relay bounds itself has it killed neither by systemd nor by Docker", async () => {
  const budgets = [OUTBOX_BUDGET, ROOM_MEMORY_BUDGET, SEALED_MEMORY_BUDGET];
  const bounded = budgets.reduce((sum, { most }) => sum + most, UNDECIDED_MAX_BYTES);
  // A connection as OPERATIONS.md has it, an idle server, and as much garbage as V8 leaves for a while.
  const connections = 12_288 * Number(SERVER_OPTIONS["max-connections"].fallback);
  const needed = bounded + connections + 65 * 2 ** 20 + 256 * 2 ** 20;
  const [unit = ""] = await unitSettings("MemoryMax");
  const { services } = parse(await readText("docker-compose.yml"));
  const [container] = Object.values(services) as { mem_limit: string }[];
  for (const limit of [unit, container?.mem_limit.toUpperCase() ?? ""]) {
    assert.match(limit, /^\d+G$/);
    assert.ok(parseInt(limit) * 2 ** 30 >= needed, `${limit}: ${needed} bytes may be taken`);
  }
});

Deno.test("the keeper has the time to ask a server and to get its state, and the server waits for it", async () => {
  const seconds = async (unit: string, name: string) =>
    Number(new RegExp(`^${name}=(\\d+)$`, "m").exec(await readText(unit))?.[1]);
  const keeper = await seconds("cmdchat-keeper.service", "TimeoutStartSec");
  assert.ok(keeper * 1_000 > KEEP_PATIENCE_MS + GIVE_MS, `${keeper} s`);
  const server = await seconds("cmdchat-server.service", "TimeoutStopSec");
  assert.ok(server * 1_000 > keeper * 1_000 + STOP_DRAIN_MS, `${server} s`);
});

builtTest(
  "the unit's ExecStart line serves TLS, and SIGTERM ends it with exit code 0",
  async () => {
    const [line] = await unitSettings("ExecStart");
    const [program, ...args] = (line ?? "").split(" ");
    assert.equal(program, INSTALLED);
    await using built = await buildExecutables(base, SERVER);
    await using certificate = await makeCertificate();
    const folder = certificate.certFile.replace(/\/cert\.pem$/, "");
    const env = Object.fromEntries((await unitSettings("Environment")).map((setting) => {
      const [name, value] = setting.split("=");
      return [name ?? "", (value ?? "").replace(/%d|%t\/cmdchat/, folder)];
    }));
    // These, too, with ports that no other program has.
    Object.assign(env, { CMDCHAT_ADMIN_LISTEN: "127.0.0.1:0", CMDCHAT_TAKE_OVER: "127.0.0.1:1" });
    Object.assign(env, { CMDCHAT_ADMIN_TOKEN: "for-the-admin-alone" });
    for (const name of ["cmdchat-server.env", "bans"]) {
      await Deno.writeTextFile(`${folder}/${name}`, "", { mode: 0o600 });
    }
    await Deno.writeTextFile(`${folder}/tokens`, "a-token\n", { mode: 0o600 });
    await Deno.writeTextFile(`${folder}/identity.pem`, await newIdentityText(), { mode: 0o600 });
    // The line as written, with one thing changed: a port that no other program has.
    await using server = await startServer({
      command: { path: built.paths[0] as string, args: [] },
      args: [...args, "--port", "0"],
      env,
    });
    assert.match(server.banner, /listening on \[::\]:\d+ \(TLS, token needed\)/);
    using connection = await Deno.connectTls({
      hostname: "127.0.0.1",
      port: server.port,
      caCerts: [certificate.cert],
    });
    await connection.handshake();
    // That connection never says what it wants, and must not delay the stop.
    const asked = performance.now();
    const { code, stderr } = await server.stop();
    assert.equal(code, 0, stderr);
    assert.ok(performance.now() - asked < STOP_MAX_MS);
  },
);

interface Service {
  readonly [key: string]: unknown;
  readonly ports: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}

function servicesOf(text: string): { readonly cmdchat: Service; readonly nats: Service } {
  return (parse(text, { strict: true }) as { services: { cmdchat: Service; nats: Service } })
    .services;
}

function serviceOf(text: string): Service {
  return servicesOf(text).cmdchat;
}

Deno.test("docker-compose.yml parses, gives no way up, nothing to write to, and limits", async () => {
  const service = serviceOf(await readText("docker-compose.yml"));
  const wanted = {
    read_only: true,
    user: "65532:65532",
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
    mem_limit: "2g",
    memswap_limit: "2g",
    cpus: 2,
    pids_limit: 64,
    env_file: ".env",
  };
  for (const [key, value] of Object.entries(wanted)) assert.deepEqual(service[key], value, key);
  assert.deepEqual(service.ports, ["${CMDCHAT_PUBLISH:-127.0.0.1:5050}:5050"]);
});

Deno.test("docker-compose.yml starts NATS only when its profile is asked for, held as tightly and out of reach", async () => {
  const { cmdchat, nats } = servicesOf(await readText("docker-compose.yml"));
  assert.deepEqual(nats["profiles"], ["nats"]);
  assert.equal(nats.ports, undefined);
  const held = ["read_only", "user", "cap_drop", "security_opt", "pids_limit"];
  for (const key of held) assert.deepEqual(nats[key], cmdchat[key], key);
  assert.equal(nats["mem_limit"], nats["memswap_limit"]);
});

Deno.test("docker-compose.yml with its TLS section uncommented parses and names real variables", async () => {
  const text = await readText("docker-compose.yml");
  const [before, section] = text.split(/^ *# TLS and identity: .*\n/m);
  assert.ok(section !== undefined, "docker-compose.yml has no TLS section");
  const [own = "", others = ""] = section.split(/\n(?=\n)/);
  const uncommented = `${own.replaceAll("    # ", "    ")}\n${others}`;
  const { environment, volumes } = serviceOf(before + uncommented);
  assert.deepEqual(environment, {
    CMDCHAT_CERTFILE: "/certs/cert.pem",
    CMDCHAT_KEYFILE: "/certs/key.pem",
    CMDCHAT_IDENTITY_FILE: "/certs/identity.pem",
  });
  assert.deepEqual(volumes, ["./certs:/certs:ro"]);
  for (const name of Object.keys(environment ?? {})) assert.ok(variables().has(name), name);
});

/** Instructions of the Dockerfile after continuation lines are joined, comments left out. */
async function dockerInstructions(): Promise<string[]> {
  return (await readText("Dockerfile")).replaceAll("\\\n", " ").split("\n")
    .filter((line) => line !== "" && !line.startsWith("#")).map((line) =>
      line.replaceAll(/\s+/g, " ")
    );
}

Deno.test("the image is built in stages, runs as nobody, and starts the file that it holds", async () => {
  const instructions = await dockerInstructions();
  const starts = instructions.flatMap((line, index) => line.startsWith("FROM ") ? [index] : []);
  assert.equal(starts.length, 3);
  // An image for another kind of processor is built without emulating it: nothing runs on its system.
  assert.equal(starts[1], 1, "the stage that is only copied from has no further line");
  assert.match(instructions[1] ?? "", /^FROM --platform=\$BUILDPLATFORM /);
  const last = instructions.slice(starts[2]);
  assert.equal(last[0], "FROM scratch");
  assert.ok(last.includes("COPY --from=build /image /"));
  assert.ok(last.some((line) => line.endsWith(`CMD ["${INSTALLED}", "health"]`)));
  assert.ok(last.includes(`ENTRYPOINT ["${INSTALLED}"]`));
  assert.ok(last.includes("USER 65532:65532"));
  assert.ok(last.includes("STOPSIGNAL SIGTERM"));
  assert.equal(last.filter((line) => line.startsWith("COPY ")).length, 1);
  for (const name of last.join("\n").match(/CMDCHAT_[A-Z_]+/g) ?? []) {
    assert.ok(variables().has(name), name);
  }
});

Deno.test("an image's libraries come from the system that it is for, through links that mean that system", async () => {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-root-" });
  try {
    const script = `cd ${folder}
      triple=aarch64-linux-gnu; mkdir system; cd system
      mkdir -p usr/lib/$triple && ln -s usr/lib lib
      cd lib/$triple
      for name in ld-linux-aarch64 libc libm libz libgcc_s; do echo $name > $name.so.0; done
      ln -s /lib/$triple/ld-linux-aarch64.so.0 ../ld-linux-aarch64.so.1
      ln -s libc.so.0 libc.so.6
      cd ${folder}; echo 'ELF ld-linux-aarch64.so.1 libc.so.6 libgcc_s.so.0 libz.so.0' > program
      sh ${new URL("scripts/build/image_root.sh", ROOT).pathname} program image system
      find image/lib -type f -printf '%P\\n' | sort; cat image/*/ld-linux*`;
    const { stdout, stderr } = await runProgram("sh", { args: ["-ec", script] });
    assert.equal(
      stdout,
      "aarch64-linux-gnu/libc.so.6\naarch64-linux-gnu/libgcc_s.so.0\nld-linux-aarch64.so.1\n" +
        "ld-linux-aarch64\n",
      stderr,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the image's build gets every file that the executables are made of", async () => {
  const copied = (await dockerInstructions()).filter((line) => /^COPY (?!--from)/.test(line))
    .flatMap((line) => line.split(" ").slice(1, -1));
  const ignored = (await readText(".dockerignore")).split("\n");
  for (const path of copied) {
    await Deno.stat(new URL(path, ROOT));
    assert.ok(ignored.includes(`!${path}`), `.dockerignore hides ${path}`);
  }
  const imports = (await readSources("server", "client", "shared", "scripts"))
    .filter(({ path }) => !path.startsWith("scripts/") || path === "scripts/build/compile.ts")
    .flatMap((source) => source.imports.filter((target) => target.endsWith(".ts")));
  const left = imports.filter((target) => !copied.some((path) => target.startsWith(`${path}/`)));
  assert.deepEqual(left, []);
  const { tasks } = JSON.parse(await readText("deno.json")) as { tasks: Record<string, unknown> };
  assert.ok(Object.hasOwn(tasks, "compile"));
});

Deno.test(".env.example names every variable of the server and no other, and shows their defaults", async () => {
  const known = variables().add("CMDCHAT_PUBLISH");
  const compose = await readText("docker-compose.yml");
  const defaults = new Map<string, string>([["CMDCHAT_METRICS", "1"], ["CMDCHAT_TOKENS", ""]]);
  for (const row of Object.values(SERVER_OPTIONS)) {
    if ("env" in row && "fallback" in row) defaults.set(row.env, row.fallback);
    if ("env" in row && !("value" in row)) defaults.set(row.env, "0");
  }
  const lines = (await readText(".env.example")).split("\n");
  const settings = lines.flatMap((line) => {
    const [, name, value] = /^(?:# )?([A-Z_]+)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value ?? ""] as const];
  });
  for (const [name, value] of settings) {
    assert.ok(known.has(name), name);
    if (name === "CMDCHAT_PUBLISH") assert.ok(compose.includes(`\${CMDCHAT_PUBLISH:-${value}}`));
    else assert.equal(value, defaults.get(name) ?? "", name);
  }
  const listed = new Set<string>(settings.map(([name]) => name));
  assert.deepEqual([...variables()].filter((name) => !listed.has(name)), []);
});

Deno.test("the workflow parses and runs the same check as everybody else", async () => {
  const { jobs } = parse(await readText(".github/workflows/ci.yml"), { strict: true }) as {
    jobs: Record<string, { steps: { run?: string }[] }>;
  };
  assert.ok(jobs["test"]?.steps.some(({ run }) => run?.endsWith("bash .ci/run")));
});
