// deno-lint-ignore-file no-console
// The unit under a systemd that runs, installed with the very commands of docs/OPERATIONS.md.

import assert from "node:assert/strict";
import { CLIENT, SERVER } from "../../../scripts/build/compile.ts";
import {
  type BootedSystem,
  bootSystem,
  INSIDE,
  whyNoBoot,
} from "../../helpers/system/booted_system.ts";
import { documentedCertificateLine } from "../../helpers/system/certificates.ts";
import { blocksBelow } from "../../helpers/repo/document_blocks.ts";
import { buildExecutables, findCompileBase } from "../../helpers/programs/executables.ts";
import { runHelper } from "../../helpers/programs/programs.ts";
import type { Restarts } from "../../helpers/programs/talk_over_restarts.ts";
import { skipIf } from "../../helpers/repo/skip.ts";
import { whyMissing } from "../../helpers/repo/system_needs.ts";
import { ROOT } from "../../helpers/repo/sources.ts";

const base = await findCompileBase();
const why = whyNoBoot() ?? ("missing" in base ? base.missing : undefined) ??
  whyMissing("curl", "openssl");
const test = skipIf(why);

const OPERATIONS = "docs/OPERATIONS.md";
const HEADING = "### As a systemd service";
const ENCRYPT = "## With Let's Encrypt";
// The documents ask through sudo; whoever boots a system is root already.
const MEMBERS = 30;
const UPDATES = 2;
const SUDO = 'set -e\nsudo() { "$@"; }\n';
const PROPERTIES = "systemctl show --property=";
const STATE = `${PROPERTIES}MainPID,NRestarts,ActiveState cmdchat-server`;

/** Runs what must succeed; gives what it printed. */
async function done(system: BootedSystem, script: string): Promise<string> {
  const { code, stdout, stderr } = await system.run(`${SUDO}${script}`);
  assert.equal(code, 0, `${script}\n${stdout}${stderr}`);
  return stdout;
}

/** Sends one line as a client in the system; gives its exit code. */
async function say(system: BootedSystem, text: string, token: string): Promise<number> {
  const script = `printf '%s\\n' '${text}' | dist/cmdchat-client --tls --ca-file cert.pem`;
  return (await system.run(script, { CMDCHAT_TOKEN: token, HOME: "/tmp" })).code;
}

async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + 20_000;
  while (!await isSo()) {
    assert.ok(performance.now() < end, `never ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("on a booted Debian, the commands of OPERATIONS.md install a service that serves, reloads, is watched and stops", async (t) => {
  const [install = "", reload = "", update = ""] = await blocksBelow(OPERATIONS, HEADING, "sh");
  const [plain = ""] = await blocksBelow(OPERATIONS, HEADING, "ini");
  await using built = await buildExecutables(base, SERVER, CLIENT);
  const { folder } = built;
  await Deno.mkdir(`${folder}/dist`);
  for (const path of built.paths) await Deno.rename(path, path.replace(folder, `${folder}/dist`));
  for (const unit of ["cmdchat-server.service", "cmdchat-keeper.service"]) {
    await Deno.copyFile(new URL(unit, ROOT), `${folder}/${unit}`);
  }
  await using system = await bootSystem(folder);
  const newCertificate = async () => void await done(system, await documentedCertificateLine());
  const token = async () => (await done(system, "sudo cat /etc/cmdchat/tokens")).trim();
  const log = () => done(system, "journalctl --unit=cmdchat-server --no-pager --output=cat");

  await t.step(
    "installed as written, it is started when it listens, and lets in by the token",
    async () => {
      await newCertificate();
      await done(system, install);
      assert.match(await done(system, STATE), /ActiveState=active/);
      assert.match(await log(), /listening on \[::\]:5050 \(TLS, token needed\)/);
      assert.equal(await say(system, "hello", await token()), 0);
      assert.equal(await say(system, "hello", "wrong"), 7);
      await until(
        async () =>
          /Status: "\d+ members in \d+ rooms"/.test(
            await done(system, "systemctl status cmdchat-server"),
          ),
        "told its status",
      );
      assert.match(await done(system, "journalctl -u cmdchat-server"), /SHA256:[\w-]{43}/);
      assert.doesNotMatch(await done(system, "journalctl -p warning"), / INFO /);
    },
  );

  await t.step(
    "it is nobody, holds nothing, cannot dump its memory, and sees its files in memory",
    async () => {
      const status = await done(system, 'cat "/proc/$(pidof cmdchat-server)/status"');
      assert.match(status, /^CapEff:\t0+$/m);
      assert.match(status, /^NoNewPrivs:\t1$/m);
      assert.match(status, /^Seccomp:\t2$/m);
      assert.doesNotMatch(status, /^Uid:\t0\t/m);
      assert.match(
        await done(system, 'cat "/proc/$(pidof cmdchat-server)/limits"'),
        /^Max core file size +0 +0 /m,
      );
      assert.match(
        await done(system, "cat /proc/mounts"),
        /^ramfs \/run\/credentials\/cmdchat-server/m,
      );
    },
  );

  await t.step(
    "reload as written renews certificate and tokens, and is one process all the while",
    async () => {
      const before = await done(system, STATE);
      const old = await token();
      await newCertificate();
      await done(
        system,
        "install -m 644 cert.pem /etc/cmdchat/; install -m 600 key.pem /etc/cmdchat/\n" +
          "echo the-second-token > /etc/cmdchat/tokens",
      );
      await done(system, reload);
      await until(
        async () => /INFO read certificate, tokens, bans and settings again/.test(await log()),
        "read again",
      );
      assert.equal(await say(system, "hello", "the-second-token"), 0);
      assert.equal(await say(system, "hello", old), 7);
      assert.equal(await done(system, STATE), before);
      assert.match(await done(system, "cat /proc/mounts"), /cmdchat-server.service ramfs ro,/);
    },
  );

  await t.step(
    "files as certbot lays them are served, half a renewal changes nothing",
    async () => {
      const [dropIn = ""] = await blocksBelow(OPERATIONS, ENCRYPT, "ini");
      const [hook = ""] = await blocksBelow(OPERATIONS, ENCRYPT, "sh");
      await Deno.writeTextFile(`${folder}/le.conf`, dropIn);
      const lay = (n: number) =>
        `install -m 644 cert.pem /etc/letsencrypt/archive/chat.example.org/fullchain${n}.pem
       install -m 600 key.pem /etc/letsencrypt/archive/chat.example.org/privkey${n}.pem\n`;
      const link = (file: string, n: number) =>
        `ln -sfn ../../archive/chat.example.org/${file}${n}.pem /etc/letsencrypt/live/chat.example.org/${file}.pem\n`;
      const renew = async () => {
        const before = (await log()).length;
        const since = async () => (await log()).slice(before);
        await done(system, "sh /etc/letsencrypt/renewal-hooks/deploy/cmdchat-server");
        // The manager's own lines may come before the server's, which says what it read again or could not.
        await until(async () => /\bagain\b/.test(await since()), "reloaded");
        return await since();
      };
      await newCertificate();
      await done(
        system,
        "mkdir -p /etc/letsencrypt/archive/chat.example.org /etc/letsencrypt/live/chat.example.org\n" +
          lay(1) + link("fullchain", 1) + link("privkey", 1) + hook +
          "mkdir -p /run/systemd/system/cmdchat-server.service.d\n" +
          "cp le.conf /run/systemd/system/cmdchat-server.service.d/; systemctl daemon-reload\n" +
          "systemctl restart cmdchat-server",
      );
      assert.equal(await say(system, "hello", await token()), 0);
      await newCertificate();
      await done(system, lay(2) + link("fullchain", 2));
      assert.match(await renew(), /its former content stays in effect why=.*it is not the key of/);
      await done(system, link("privkey", 2));
      assert.match(await renew(), /read certificate, tokens, bans and settings again/);
      assert.equal(await say(system, "hello", await token()), 0);
      await done(
        system,
        "install -m 644 cert.pem /etc/cmdchat/; install -m 600 key.pem /etc/cmdchat/\n" +
          "rm /run/systemd/system/cmdchat-server.service.d/le.conf; systemctl daemon-reload\n" +
          "systemctl restart cmdchat-server",
      );
    },
  );

  await t.step("the operator asks the service, by the token that root can read", async () => {
    const [, ask = ""] = await blocksBelow(OPERATIONS, "## Acting on a running server", "sh");
    assert.match(await done(system, ask), /^session +token +connection /);
    const [, top = ""] = await blocksBelow(OPERATIONS, "### Without an outage", "sh");
    assert.match(await done(system, top), /^members +\d+ v1, \d+ v2, \d+ away$/m);
  });

  await t.step(
    "named tokens, limits and bans are read again by a reload, and a file that is gone lifts them",
    async () => {
      const changed = (files: string) =>
        done(system, `${files}\nsystemctl reload cmdchat-server; sleep 0.5`);
      await changed(
        "cp /etc/cmdchat/tokens tokens.old; sed -i s/^/alice:/ /etc/cmdchat/tokens\n" +
          "echo CMDCHAT_MAX_PER_ADDRESS=7 > /etc/cmdchat/cmdchat-server.env\n" +
          "echo CMDCHAT_HOLD=30 >> /etc/cmdchat/cmdchat-server.env\n" +
          "echo 198.51.100.0/24 > /etc/cmdchat/bans",
      );
      assert.match(await log(), /settings that take effect at the next start options="hold"/);
      assert.equal(await say(system, "hello", (await token()).replace("alice:", "")), 0);
      const [, ask = ""] = await blocksBelow(OPERATIONS, "## Acting on a running server", "sh");
      const bans = await done(system, ask.replace("admin sessions", "admin bans"));
      assert.match(bans, /^and what --bans-file has: 1$/m);
      await changed("cp tokens.old /etc/cmdchat/tokens; rm /etc/cmdchat/bans");
      assert.doesNotMatch(
        await done(system, ask.replace("admin sessions", "admin bans")),
        /--bans-file/,
      );
      await changed("rm /etc/cmdchat/cmdchat-server.env");
    },
  );

  await t.step("Prometheus, set up as written, scrapes what the documented job names", async () => {
    const [commands = ""] = await blocksBelow(OPERATIONS, "### With Prometheus", "sh");
    const [job = ""] = await blocksBelow(OPERATIONS, "### With Prometheus", "yaml");
    await done(
      system,
      "getent group prometheus > /dev/null || echo prometheus:x:991: >> /etc/group\n" +
        `mkdir -p /etc/prometheus\n${commands}`,
    );
    const [, file] = /credentials_file: (\S+)/.exec(job) ?? [];
    const [, target] = /targets: \["(\S+)"\]/.exec(job) ?? [];
    const scrape = (path: string) =>
      done(
        system,
        `curl -sS -H "Authorization: Bearer $(cat ${file})" http://${target}${path}`,
      );
    assert.match(await scrape("/metrics"), /^cmdchat_members\{connection="v2"\} 0$/m);
    assert.match(await scrape("/metrics"), /^cmdchat_certificate_expiry_timestamp_seconds /m);
    const command = '/admin -H "content-type: application/json" -d \'{"command":"bans"}\'';
    assert.match(await scrape(command), /admin token is required/, "and it opens nothing else");
  });

  await t.step("a server that hangs is started anew, and leaves no core dump", async () => {
    await done(
      system,
      "mkdir -p /run/systemd/system/cmdchat-server.service.d\n" +
        "printf '[Service]\\nWatchdogSec=2\\n' > /run/systemd/system/cmdchat-server.service.d/a.conf\n" +
        "systemctl daemon-reload; systemctl restart cmdchat-server; sleep 3",
    );
    assert.match(await done(system, STATE), /NRestarts=0/);
    await done(system, 'kill -STOP "$(pidof cmdchat-server)"');
    await until(
      async () => /NRestarts=1(?:.|\n)*ActiveState=active/.test(await done(system, STATE)),
      "started anew",
    );
    assert.match(await log(), /listening on (?:.|\n)*listening on (?:.|\n)*listening on /);
  });

  await t.step("stopped, killed and started again, it has the fingerprint it had", async () => {
    await done(
      system,
      "for n in 1 2; do systemctl stop cmdchat-server; systemctl start cmdchat-server; done",
    );
    const prints = [...(await log()).matchAll(/^fingerprint (\S+)$/gm)].map(([, text]) => text);
    assert.ok(prints.length > 2 && new Set(prints).size === 1, prints.join(" "));
  });

  await t.step("with the drop-in for no TLS, it serves without", async () => {
    await Deno.writeTextFile(`${folder}/c.conf`, plain);
    await done(
      system,
      "cp c.conf /run/systemd/system/cmdchat-server.service.d/; systemctl daemon-reload\n" +
        "systemctl restart cmdchat-server",
    );
    assert.match(await log(), /listening on \[::\]:5050 \(no TLS, token needed\)/);
  });

  await t.step(
    `updated as written ${UPDATES} times while ${MEMBERS} members talk: nobody sees it, nothing is lost`,
    async () => {
      await done(
        system,
        "rm /run/systemd/system/cmdchat-server.service.d/a.conf\n" +
          "echo CMDCHAT_RATE_LIMIT=off > /etc/cmdchat/cmdchat-server.env\n" +
          "systemctl daemon-reload; systemctl restart cmdchat-server",
      );
      const [fingerprint] = [...(await log()).matchAll(/^fingerprint (\S+)$/gm)].at(-1)?.slice(1) ??
        [];
      const command = [...system.inside, "sh", "-c", `cd ${INSIDE}\n${SUDO}${update}`];
      const told: Restarts = {
        members: MEMBERS,
        port: 5_050,
        token: await token(),
        commands: Array.from({ length: UPDATES }, () => command),
      };
      const { insideNetwork: under } = system;
      const takenOver = async () => (await log()).match(/^.* INFO took over .*$/gm)?.length ?? 0;
      const before = await takenOver();
      console.log(await runHelper("programs/talk_over_restarts.ts", told, { under, ms: 60_000 }));
      assert.equal(await takenOver(), before + UPDATES);
      assert.equal([...(await log()).matchAll(/^fingerprint (\S+)$/gm)].at(-1)?.[1], fingerprint);
      assert.match(
        await done(system, "systemctl show --property=ActiveState cmdchat-keeper"),
        /inactive/,
      );
    },
  );

  await t.step("what is backed up as written makes the same server elsewhere", async () => {
    const [keep = "", restore = ""] = await blocksBelow(OPERATIONS, "## Backup", "sh");
    const before = (await log()).match(/^fingerprint \S+$/gm)?.at(-1);
    await done(system, `${keep}\nsystemctl stop cmdchat-server; rm -r /etc/cmdchat\n${restore}`);
    await done(system, "systemctl start cmdchat-server");
    assert.equal((await log()).match(/^fingerprint \S+$/gm)?.at(-1), before);
    const modes = await done(system, "stat -c '%a %U %n' /etc/cmdchat /etc/cmdchat/identity.pem");
    assert.equal(modes, "700 root /etc/cmdchat\n600 root /etc/cmdchat/identity.pem\n");
  });

  await t.step("stopping it is a clean end, and no secret is in its log", async () => {
    await done(system, "systemctl stop cmdchat-server");
    const result = `${PROPERTIES}Result,ExecMainStatus cmdchat-server`;
    assert.equal(await done(system, result), "Result=success\nExecMainStatus=0\n");
    const text = await log();
    assert.match(text, /stopping: no new connections(?:.|\n)*stopped/);
    assert.ok(!text.includes(await token()) && !text.includes("hello"), text);
    await done(
      system,
      "test ! -e /run/cmdchat && test ! -e /run/credentials/cmdchat-server.service",
    );
  });
});
