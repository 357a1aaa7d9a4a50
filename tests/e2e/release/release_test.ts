// What a release is made of: executables that can be built again, a Debian package, a script that installs, and lists.

import assert from "node:assert/strict";
import { blocksBelow } from "../../helpers/repo/document_blocks.ts";
import { createHash } from "node:crypto";
import { parse } from "yaml";
import { CLIENT, SERVER, TARGETS } from "../../../scripts/build/compile.ts";
import { completionFiles } from "../../../scripts/build/completion_files.ts";
import { billOfMaterials, checksums, formula } from "../../../scripts/build/release_files.ts";
import { VERSION } from "../../../shared/base/version.ts";
import { bootSystem, whyNoBoot } from "../../helpers/system/booted_system.ts";
import { documentedCertificateLine } from "../../helpers/system/certificates.ts";
import {
  buildExecutables,
  type Built,
  findCompileBase,
} from "../../helpers/programs/executables.ts";
import { runProgram } from "../../helpers/programs/programs.ts";
import { skipIf } from "../../helpers/repo/skip.ts";
import { programPath, whyMissing } from "../../helpers/repo/system_needs.ts";
import { outputOf, readText, ROOT } from "../../helpers/repo/sources.ts";

const base = await findCompileBase();
const missing = "missing" in base ? base.missing : undefined;
const isClean = await outputOf("git", "status", "--porcelain") === "";
const reproducible = skipIf(
  missing ?? whyMissing("git") ??
    (isClean ? undefined : "the work tree has changes, and a release is of a commit"),
);
const whyNoPackage = missing ?? whyMissing("dpkg-deb");
const packaged = skipIf(whyNoPackage);
// The shells whose completions are tried, and where bash finds its own.
const whyNotInstalled = whyNoPackage ?? whyNoBoot() ??
  whyMissing("openssl", "bash", "/usr/share/bash-completion/bash_completion", "zsh", "fish");
const installed = skipIf(whyNotInstalled);
const linux = skipIf(
  Deno.build.os === "linux" && Deno.build.arch === "x86_64"
    ? whyMissing("curl", "sha256sum")
    : "it is tried on Linux on x86_64",
);

const path = (name: string) => new URL(name, ROOT).pathname;

async function temporary(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "cmdchat-release-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function sumOf(file: string): Promise<string> {
  return createHash("sha256").update(await Deno.readFile(file)).digest("hex");
}

reproducible(
  "the same commit gives the same executables, from another folder and at another time",
  async () => {
    await using folder = await temporary();
    const sums: string[][] = [];
    for (const name of ["here", "there"]) {
      const clone = `${folder.path}/${name}`;
      const cloned = await runProgram("git", { args: ["clone", "--quiet", path("."), clone] });
      assert.equal(cloned.code, 0, cloned.stderr);
      const { code, stderr } = await runProgram("sh", {
        args: [`${clone}/scripts/build/release_build.sh`],
        env: {
          ...("environment" in base ? base.environment : {}),
          HOME: Deno.env.get("HOME") ?? "",
          DENO: Deno.execPath(),
          CMDCHAT_RELEASE_CACHE: `${folder.path}/cache`,
        },
      });
      assert.equal(code, 0, stderr);
      sums.push(
        await Promise.all([SERVER, CLIENT].map(({ name }) => sumOf(`${clone}/dist/${name}`))),
      );
    }
    assert.deepEqual(sums[0], sums[1]);
  },
);

/** A Debian package of both executables, in the folder in which they are. */
async function makePackage(
  built: Pick<Built, "folder">,
  // A release takes xz, which needs half a minute for nothing that is tested here.
  compression = "none",
): Promise<string> {
  const architecture = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
  const { code, stderr } = await runProgram("sh", {
    args: [path("scripts/build/make_deb.sh"), built.folder, architecture],
    env: {
      COMPRESSION: compression,
      DENO: Deno.execPath(),
      HOME: Deno.env.get("HOME") ?? "",
      DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
    },
  });
  assert.equal(code, 0, stderr);
  return `${built.folder}/cmdchat_${VERSION}_${architecture}.deb`;
}

packaged(
  "the Debian package holds both programs and the unit, belongs to root, and is the same when made again",
  async () => {
    await using built = await buildExecutables(base, SERVER, CLIENT);
    const deb = await makePackage(built);
    const { stdout } = await runProgram("dpkg-deb", { args: ["--contents", deb] });
    const files = stdout.trim().split("\n").map((line) => line.split(/ +/));
    assert.deepEqual(files.filter(([, owner]) => owner !== "root/root"), []);
    const folders = files.filter(([mode]) => mode?.startsWith("d"));
    assert.deepEqual(folders.filter(([mode]) => mode !== "drwxr-xr-x"), []);
    const names = files.map((fields) => fields.at(-1));
    for (
      const name of [
        "./usr/bin/cmdchat-server",
        "./usr/bin/cmdchat-client",
        "./lib/systemd/system/cmdchat-server.service",
        "./lib/systemd/system/cmdchat-keeper.service",
        "./usr/share/doc/cmdchat/OPERATIONS.md",
        "./usr/share/man/man1/cmdchat-server.1.gz",
        "./usr/share/man/man1/cmdchat-client.1.gz",
        ...Object.keys(completionFiles()).map((name) => `./${name}`),
      ]
    ) assert.ok(names.includes(name), name);
    const first = await sumOf(deb);
    await Deno.remove(deb);
    assert.equal(await sumOf(await makePackage(built)), first);
  },
);

skipIf(whyMissing("dpkg-deb", "lintian", "true"))(
  "lintian finds no error in the Debian package",
  async () => {
    await using folder = await temporary();
    // Of the programs themselves lintian has nothing to say that is not overridden, and reads them for a minute.
    for (const { name } of [SERVER, CLIENT]) {
      await Deno.copyFile(programPath("true") ?? "", `${folder.path}/${name}`);
    }
    const deb = await makePackage({ folder: folder.path }, "xz");
    const { code, stdout, stderr } = await runProgram("lintian", {
      args: ["--allow-root", "--fail-on=error", "--suppress-tags=unstripped-binary-or-object", deb],
      env: { LC_ALL: "C", TMPDIR: folder.path },
    });
    assert.equal(code, 0, stdout + stderr);
  },
);

/** What each shell finds by itself where the package has put it, and offers behind `cmdchat-client doc`. */
const COMPLETING = {
  bash: `. /usr/share/bash-completion/bash_completion
__load_completion cmdchat-client || _completion_loader cmdchat-client
COMP_LINE="cmdchat-client doc" COMP_POINT=18 COMP_WORDS=(cmdchat-client doc) COMP_CWORD=1
$(complete -p cmdchat-client | sed "s/.*-F \\([^ ]*\\) .*/\\1/") cmdchat-client doc cmdchat-client
printf "%s\\n" "\${COMPREPLY[@]}"`,
  zsh: `autoload -U compinit; compinit -u -D
[[ $_comps[cmdchat-client] == _cmdchat-client ]] && autoload +X _cmdchat-client && whence -f _cmdchat-client |
  grep -o doctor`,
  fish: 'complete -C "cmdchat-client doc"',
} as const;

installed(
  "on a booted Debian, the package installs, its service serves, an update keeps it running, and removal leaves nothing of it",
  async () => {
    await using built = await buildExecutables(base, SERVER, CLIENT);
    await makePackage(built);
    await using system = await bootSystem(built.folder);
    const done = async (script: string) => {
      const { code, stdout, stderr } = await system.run(`set -e\n${script}`, { HOME: "/tmp" });
      assert.equal(code, 0, `${script}\n${stdout}${stderr}`);
      return stdout;
    };
    await done("dpkg --install --force-depends ./*.deb");
    assert.match(await done("cmdchat-server --version"), new RegExp(`^cmdchat-server ${VERSION}`));
    assert.equal((await system.run("systemctl is-active cmdchat-server")).stdout, "inactive\n");
    for (const [shell, script] of Object.entries(COMPLETING)) {
      assert.match(await done(`${shell} -c '${script}'`), /^doctor\b/m, shell);
    }
    await done(
      `${await documentedCertificateLine()}
install -m 644 cert.pem /etc/cmdchat/
install -m 600 key.pem /etc/cmdchat/
echo a-token | install -m 600 /dev/stdin /etc/cmdchat/tokens
systemctl enable --now cmdchat-server`,
    );
    const pid = () => done("systemctl show --property=MainPID --value cmdchat-server");
    const before = await pid();
    await done(
      "echo hello | CMDCHAT_TOKEN=a-token cmdchat-client --tls --ca-file cert.pem --renderer minimal",
    );
    const identity = () => done("stat --format=%a%U%Y /etc/cmdchat/identity.pem");
    const made = await identity();
    assert.match(made, /^600root\d+$/m);
    await done("dpkg --install --force-depends ./*.deb");
    assert.equal(await identity(), made);
    assert.equal(await done("systemctl is-active cmdchat-server"), "active\n");
    assert.notEqual(await pid(), before);
    await done("journalctl --unit=cmdchat-server --output=cat | grep 'INFO took over'");
    await done("dpkg --remove cmdchat");
    await done(
      "! pidof cmdchat-server; test ! -e /usr/bin/cmdchat-server; test -e /etc/cmdchat/tokens",
    );
    assert.notEqual((await system.run("systemctl cat cmdchat-server")).code, 0);
    await done("dpkg --purge cmdchat; test ! -e /etc/cmdchat");
  },
);

const TARGET = "x86_64-unknown-linux-gnu";

linux(
  "install.sh installs what SHA256SUMS says, and nothing where one file is another",
  async () => {
    const files = new Map<string, Uint8Array<ArrayBuffer>>(
      ["cmdchat-client", "cmdchat-server"].map((name) =>
        [`${name}-${TARGET}`, new TextEncoder().encode(`#!/bin/sh\necho ${name}\n`)] as const
      ),
    );
    const sums = checksums(files);
    let wrong = "";
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => {
        const { pathname } = new URL(request.url);
        const name = pathname.replace(/^\/v1\//, "");
        if (name === "SHA256SUMS") return new Response(sums);
        const bytes = files.get(name);
        if (bytes === undefined) return new Response("none", { status: 404 });
        return new Response(name === wrong ? "#!/bin/sh\necho evil\n" : bytes);
      },
    );
    const from = `http://127.0.0.1:${server.addr.port}/v1/`;
    await using folder = await temporary();
    const to = `${folder.path}/bin`;
    const install = (...args: string[]) =>
      runProgram("sh", {
        args: [path("scripts/build/install.sh"), ...args],
        env: { HOME: folder.path },
      });

    wrong = `cmdchat-server-${TARGET}`;
    const refused = await install("--from", from, "--to", to);
    assert.deepEqual([refused.code, refused.stdout], [1, ""]);
    assert.match(refused.stderr, /^error: cmdchat-server-\S+ is not what SHA256SUMS says/m);
    assert.rejects(Deno.stat(to));

    wrong = "";
    const good = await install("--from", from, "--to", to);
    assert.deepEqual(good, {
      code: 0,
      stdout: `${to}/cmdchat-client\n${to}/cmdchat-server\n`,
      stderr: `hint: ${to} is not in PATH: export PATH="${to}:$PATH"\n`,
    });
    assert.equal((await runProgram(`${to}/cmdchat-server`)).stdout, "cmdchat-server\n");

    const [block = ""] = await blocksBelow("docs/OPERATIONS.md", "## Install", "sh");
    const typed = await runProgram("sh", {
      args: ["-c", `cd scripts/build; ${block.replace("ADDRESS_OF_THE_RELEASE", from)}`],
      env: { HOME: folder.path },
      cwd: path("."),
    });
    assert.equal(typed.stdout, `${folder.path}/.local/bin/cmdchat-server\n`, typed.stderr);
    const one = await install("--from", from, "cmdchat-client");
    assert.equal(one.stdout, `${folder.path}/.local/bin/cmdchat-client\n`);
    assert.match((await install("--from", from.replace("v1", "v2"))).stderr, /error: Cannot fetch/);
    const file = `${folder.path}/a-file`;
    await Deno.writeTextFile(file, "");
    const blocked = await install("--from", from, "--to", `${file}/bin`);
    assert.deepEqual([blocked.code, blocked.stdout], [1, ""]);
    assert.match(
      blocked.stderr,
      /^error: Cannot write to \S+: --to FOLDER names another folder\n$/,
    );
    assert.match((await install()).stderr, /^error: --from URL is needed/);
    assert.match((await install("--form", from)).stderr, /^error: Cannot use "--form"/);
  },
);

Deno.test("SHA256SUMS is what sha256sum -c reads", async () => {
  await using folder = await temporary();
  const files = new Map([["b", new Uint8Array([1, 2])], ["a", new Uint8Array()]]);
  for (const [name, bytes] of files) await Deno.writeFile(`${folder.path}/${name}`, bytes);
  await Deno.writeTextFile(`${folder.path}/SHA256SUMS`, checksums(files));
  const { code } = await runProgram("sha256sum", {
    args: ["--check", "--strict", "SHA256SUMS"],
    cwd: folder.path,
  });
  assert.equal(code, 0);
});

Deno.test("the bill of materials names every package of the lock file, with version and hash", async () => {
  const lock = JSON.parse(await readText("deno.lock"));
  const { components } = JSON.parse(billOfMaterials(lock)) as {
    components: { name: string; version: string; purl: string; hashes: { content: string }[] }[];
  };
  assert.equal(components.length, Object.keys(lock.npm).length);
  assert.ok(components.some(({ purl }) => /^pkg:npm\/zod@\d+\.\d+\.\d+$/.test(purl)));
  for (const { name, version, hashes } of components) {
    assert.match(version, /^\d+\.\d+\.\d+/, name);
    assert.match(hashes[0]?.content ?? "", /^[0-9a-f]{128}$/, name);
  }
});

Deno.test("the formula has an address and a checksum for each system that Homebrew knows", () => {
  const targets = TARGETS.filter((target) => !target.includes("windows"));
  const names = targets.flatMap((target) =>
    [SERVER, CLIENT].map(({ name }) => `${name}-${target}`)
  );
  const sums = checksums(new Map(names.map((name) => [name, new TextEncoder().encode(name)])));
  const text = formula(sums, "https://example.org/releases/v1");
  for (const name of names) {
    const sum = createHash("sha256").update(name).digest("hex");
    const at = text.indexOf(`url "https://example.org/releases/v1/${name}"`);
    assert.ok(at > 0, name);
    assert.ok(text.slice(at).split("\n")[1]?.includes(`sha256 "${sum}"`), name);
  }
  assert.equal(
    text.match(/^ *(?:class|on_\w+ do|resource "server" do|def|test do)\b/gm)?.length,
    text.match(/^ *end$/gm)?.length,
  );
  assert.throws(() => formula("", "https://example.org"), /no checksum/);
});

Deno.test("the workflows parse, run with few rights, and name scripts that there are", async () => {
  for (const name of ["ci", "release"]) {
    const text = await readText(`.github/workflows/${name}.yml`);
    const { permissions, jobs } = parse(text, { strict: true }) as {
      permissions: unknown;
      jobs: Record<string, { "timeout-minutes"?: number; steps: { uses?: string }[] }>;
    };
    assert.deepEqual(permissions, { contents: "read" });
    for (const job of Object.values(jobs)) {
      assert.ok((job["timeout-minutes"] ?? 0) > 0);
      for (const { uses } of job.steps) if (uses) assert.match(uses, /@v\d+$|@[0-9a-f]{40}$/);
    }
    for (const [script] of text.matchAll(/\bscripts\/[\w/]+\.\w+/g)) await Deno.stat(path(script));
  }
});
