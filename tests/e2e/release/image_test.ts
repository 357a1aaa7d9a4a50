// The image as the Dockerfile makes it, built without a daemon, and a conversation with what stands in it.

import assert from "node:assert/strict";
import { SERVER } from "../../../scripts/build/compile.ts";
import {
  buildExecutables,
  type CompileBase,
  findCompileBase,
} from "../../helpers/programs/executables.ts";
import { type Ended, runProgram } from "../../helpers/programs/programs.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipIf } from "../../helpers/repo/skip.ts";
import { whyMissing } from "../../helpers/repo/system_needs.ts";
import { readText, ROOT } from "../../helpers/repo/sources.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const base = await findCompileBase();

function whyNot(): string | undefined {
  if ("missing" in base) return base.missing;
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "only root can change its root folder";
  return whyMissing("buildah", "unshare", "setpriv", "chroot", "ldd");
}

const why = whyNot();
const test = skipIf(why);

interface Config {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly StopSignal: Deno.Signal;
  readonly Healthcheck: { readonly Test: readonly string[] };
}

interface Image extends AsyncDisposable {
  /** Its file system. */
  readonly root: string;
  readonly config: Config;
}

async function done(path: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(path, { args, env: { HOME: "/nonexistent" } });
  assert.equal(code, 0, `${path} ${args.join(" ")}\n${stderr}`);
  return stdout.trim();
}

/**
 * Builds the image. The first stage needs the network for its base and for Deno: here its two results are made by
 * the same script from our own executable, and all that follows is the Dockerfile as it stands.
 */
async function buildImage(base: CompileBase): Promise<Image> {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-image-" });
  await using built = await buildExecutables(base, SERVER);
  const script = new URL("scripts/build/image_root.sh", ROOT).pathname;
  await done("sh", [script, built.paths[0] as string, `${folder}/context/image`]);
  const dockerfile = await readText("Dockerfile");
  const last = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));
  await Deno.writeTextFile(
    `${folder}/context/Dockerfile`,
    `FROM scratch AS build\nCOPY image /image\n${last}`,
  );
  const store = ["--root", `${folder}/store`, "--runroot", `${folder}/run`];
  const buildah = (...args: string[]) =>
    done("buildah", [...store, "--storage-driver", "vfs", ...args]);
  await buildah(
    "bud",
    "--quiet",
    "--format=docker",
    "--isolation=chroot",
    "-t",
    "cmdchat",
    `${folder}/context`,
  );
  const container = await buildah("from", "cmdchat");
  const { Docker } = JSON.parse(await buildah("inspect", "--type=image", "cmdchat"));
  return {
    root: await buildah("mount", container),
    config: Docker.config,
    async [Symbol.asyncDispose]() {
      await buildah("umount", container);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

// As a container's runtime does: a read-only root of its own, nobody's user, no way up.
const ENTER = `set -e
mount --bind "$0" "$0"
mount -t proc proc "$0/proc"
mount --bind /dev "$0/dev"
mount -o remount,ro,bind "$0"
user=$1
shift
exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$0" "$@"`;

function entering({ root, config }: Image, command: readonly string[]): string[] {
  return ["--mount", "sh", "-c", ENTER, root, config.User, ...command];
}

test("the image holds the executable, libc and the loader, and the server in it serves, is healthy, and stops", async (t) => {
  await using image = await buildImage(base);
  const { config, root } = image;

  await t.step("it holds no shell, no key, and nothing that its user may write", async () => {
    const files = (await done("find", [root, "-type", "f", "-printf", "%P\n"])).split("\n").sort();
    const expected =
      /^usr\/local\/bin\/cmdchat-server$|^lib(?:64)?\/(?:[\w-]+\/)?(?:ld-linux[\w.-]*|lib(?:c|m|dl|rt|pthread|gcc_s))\.so\.\d+$/;
    assert.deepEqual(files.filter((file) => !expected.test(file)), []);
    assert.ok(files.length >= 3, files.join());
    assert.equal(await done("find", [root, "-perm", "/022", "!", "-type", "l"]), "");
    assert.equal(await done("find", [root, "!", "-user", "0"]), "");
  });

  const env = Object.fromEntries(config.Env.map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
  assert.equal(env["CMDCHAT_PORT"], "5050");
  // With its own settings, but for ports that no other program has.
  const own = { ...env, CMDCHAT_PORT: "0", CMDCHAT_ADMIN_LISTEN: "127.0.0.1:0" };
  await using server = await startServer({
    command: { path: "unshare", args: entering(image, config.Entrypoint) },
    bare: true,
    env: own,
  });

  await t.step("two members talk through the server in the image", async () => {
    assert.match(server.banner, /listening on 0\.0\.0\.0:/);
    await using alice = await V1Peer.join({ port: server.port, name: "alice" });
    await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
    await alice.chat("hello out of a container");
    await bob.until("chat", ({ text }) => text === "hello out of a container");
  });

  await t.step(
    "its process is nobody's, and sees a file system without a place to write",
    async () => {
      const status = await Deno.readTextFile(`/proc/${server.pid}/status`);
      assert.match(status, /^Uid:\t65532\t/m);
      assert.match(status, /^CapEff:\t0+$/m);
      assert.match(await Deno.readTextFile(`/proc/${server.pid}/mounts`), / \/ \S+ ro,/);
    },
  );

  await t.step("its health check is healthy while it serves, and not when it is gone", async () => {
    const [kind, ...command] = config.Healthcheck.Test;
    assert.equal(kind, "CMD");
    const [, pages = ""] = await server.printed(/^admin pages on http:\/\/(\S+)$/m);
    const check = (): Promise<Ended> =>
      runProgram("unshare", {
        args: entering(image, command),
        env: { ...env, CMDCHAT_ADMIN_LISTEN: pages },
      });
    assert.deepEqual(await check(), { code: 0, stdout: "ready\n", stderr: "" });
    assert.equal(config.StopSignal, "SIGTERM");
    assert.equal((await server.stop(config.StopSignal)).code, 0);
    assert.equal((await check()).code, 1);
  });
});
