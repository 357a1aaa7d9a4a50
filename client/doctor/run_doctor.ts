// `cmdchat-client doctor [LINK]`: looks at everything that a chat needs, and says what to do.

import { CmdchatError, UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { versionText } from "../../shared/base/version.ts";
import { PROXY_TIMEOUT_MS } from "../base/limits.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import { type LinkInput, readConnection } from "../config/read_options.ts";
import { hostAndPort } from "../../shared/text/host_and_port.ts";
import { defaultDownloadFolder } from "../files/save_download.ts";
import { printError } from "../base/exit.ts";
import { KnownServers } from "../net/known_servers.ts";
import { readToken } from "../config/read_secrets.ts";
import { StdoutLines } from "../base/stdout_lines.ts";
import {
  besideSettings,
  defaultKnownServersPath,
  openSettings,
  type SettingsFile,
} from "../config/settings_file.ts";
import { detectColorDepth } from "../terminal/style.ts";
import { isInteractive, openTty } from "../terminal/tty.ts";
import { readProxy } from "../net/proxy_choice.ts";
import { readTlsSettings } from "../net/tls_trust.ts";
import { DOCTOR_OPTIONS, STEP_S } from "../config/doctor_options.ts";
import { type Check, checkJson, checksExitCode, checkText, failed, ok } from "./check.ts";
import { checkFolder, checkSettings, checkTerminal } from "./local_checks.ts";
import { checkPeople } from "./people_checks.ts";
import { checkServer } from "./server_checks.ts";

/** Looks, prints, and gives the exit code: that of the first thing that failed. Throws UsageError. */
export async function runDoctor(input: LinkInput, build: string | undefined): Promise<number> {
  let settings: SettingsFile | undefined;
  let settingsFault: CmdchatError | undefined;
  try {
    settings = await openSettings(input);
  } catch (error) {
    if (!(error instanceof CmdchatError)) throw error;
    settingsFault = error;
  }
  const { values, positionals } = readConnection(DOCTOR_OPTIONS, {
    ...withLink(input),
    setting: settings?.find,
  });
  if (positionals.length > 0) {
    throw new UsageError(`Cannot use ${quote(positionals[0] ?? "")}: expected a link or options`);
  }
  const stdout = new StdoutLines();
  const checks: Check[] = [];
  const tell = (check: Check) => {
    checks.push(check);
    stdout.print(values.json ? checkJson(check, SYSTEM_CLOCK.utc()) : checkText(check));
  };
  tell(ok("version", `${versionText("cmdchat-client", build)} on ${Deno.build.os}`));
  tell(checkSettings(settings, settingsFault));
  const isTerminal = isInteractive(input.env) && !values.json;
  const depth = detectColorDepth(input.env, isTerminal);
  for (const check of await checkTerminal(isTerminal ? openTty : undefined, depth)) tell(check);
  const home = input.env("HOME") ?? input.env("USERPROFILE");
  tell(await checkFolder(values["download-dir"] ?? defaultDownloadFolder(home)));
  const { "device-key": device, "known-people": known } = values;
  const beside = device === undefined ? undefined : besideSettings("known_people", input.env);
  for (const check of await checkPeople({ device, known: known ?? beside })) tell(check);
  for await (const check of serverChecks(values, input)) tell(check);
  await stdout.flush();
  return checksExitCode(checks);
}

/** A link may stand behind the command as well. */
function withLink(input: LinkInput): LinkInput {
  const at = input.args.findIndex((arg) => /^cmdchat:/i.test(arg));
  if (at < 0 || input.args[at - 1] === "--link") return input;
  const args = [...input.args.slice(0, at), "--link", ...input.args.slice(at)];
  return { ...input, args };
}

type DoctorValues = ReturnType<typeof readConnection<typeof DOCTOR_OPTIONS>>["values"];

async function* serverChecks(
  values: DoctorValues,
  { env }: LinkInput,
): AsyncGenerator<Check, void> {
  const { host, port, name, fingerprint: expected, "known-servers": knownPath } = values;
  let token: string | undefined;
  let tls: Awaited<ReturnType<typeof readTlsSettings>>;
  let proxy: Awaited<ReturnType<typeof readProxy>>;
  let known: KnownServers | undefined;
  try {
    token = await readToken(values, { env, warn: (text) => printError(`warning: ${text}`) });
    tls = await readTlsSettings(values);
    proxy = await readProxy(values, env);
    known = knownPath === undefined
      ? await whereRemembered(hostAndPort(host, port), env)
      : new KnownServers(knownPath);
  } catch (error) {
    yield failed("options", error);
    return;
  }
  yield* checkServer({
    endpoint: { host, port, tls, webSocket: values.transport === "wss", proxy },
    name,
    expected,
    clock: SYSTEM_CLOCK,
    token: token ?? values.linkToken,
    known,
    patienceMs: values.timeout === undefined ? patienceFor(proxy) : 1_000 * values.timeout,
  });
}

/** The servers of `/remember`, where they have this one. Throws ConfigError. */
async function whereRemembered(
  address: string,
  env: LinkInput["env"],
): Promise<KnownServers | undefined> {
  const path = defaultKnownServersPath(env);
  if (path === undefined) return undefined;
  const known = new KnownServers(path);
  return await known.find(address) === undefined ? undefined : known;
}

/** Each step through a proxy may take what a chat's connection may. */
function patienceFor(proxy: unknown): number {
  return proxy === undefined ? 1_000 * STEP_S : PROXY_TIMEOUT_MS;
}
