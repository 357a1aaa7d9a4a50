// Which proxy leads to the server: the one that was asked for, else the one that the environment names for all programs.

import { SOURCES } from "../../shared/cli/command_line.ts";
import { ConfigError, UsageError } from "../../shared/base/errors.ts";
import { parseProxy, type Proxy } from "../config/proxy_url.ts";
import type { ClientConfig } from "../config/read_options.ts";
import { readProxyAuth } from "../config/read_secrets.ts";
import { isExempt, isLoopback } from "./no_proxy.ts";

/** What the choice depends on. */
export type ProxyConfig = Pick<
  ClientConfig,
  "host" | "transport" | "proxy" | "proxy-auth-file" | "sources"
>;

type Env = (name: string) => string | undefined;

/**
 * The proxy for this server; undefined = none. One that is typed, or stands in a profile, is used for every host; any
 * other is not used for this machine and for what NO_PROXY names. Throws UsageError or ConfigError.
 */
export async function readProxy(config: ProxyConfig, env: Env): Promise<Proxy | undefined> {
  const source = config.sources.get("proxy");
  if (source === "typed" && config.proxy?.auth !== undefined) {
    throw new UsageError(
      "Cannot use --proxy with a password in it: everyone who can list this machine's processes reads it",
      { hint: "CMDCHAT_PROXY_AUTH or --proxy-auth-file FILE" },
    );
  }
  const isChosen = source === "typed" || source === "profile";
  if (!isChosen && isDirect(config.host, env)) return undefined;
  if (source === undefined) return fromEnvironment(config, env);
  return config.proxy === undefined ? undefined : await withAuth(config.proxy, config, env);
}

function isDirect(host: string, env: Env): boolean {
  return isLoopback(host) || isExempt(host, env("no_proxy") || env("NO_PROXY") || "");
}

// What is given apart belongs to the proxy that was given to this program, and to no other.
async function withAuth(proxy: Proxy, config: ProxyConfig, env: Env): Promise<Proxy> {
  const path = isOfAnother(config) ? undefined : config["proxy-auth-file"];
  const auth = await readProxyAuth({ "proxy-auth-file": path }, { env, warn: () => {} });
  return auth === undefined ? proxy : { ...proxy, auth };
}

/** Whether the settings file says who the user is to a proxy, and another proxy was asked for. */
function isOfAnother({ sources }: ProxyConfig): boolean {
  const [proxy, auth] = [sources.get("proxy"), sources.get("proxy-auth-file")];
  if (proxy === undefined || (auth !== "settings" && auth !== "profile")) return false;
  return SOURCES.indexOf(proxy) < SOURCES.indexOf(auth);
}

/** The variables of curl; HTTPS_PROXY speaks of the web alone, and only wss is that. */
function fromEnvironment({ transport }: ProxyConfig, env: Env): Proxy | undefined {
  const web = transport === "wss" ? ["https_proxy", "HTTPS_PROXY"] : [];
  for (const name of [...web, "all_proxy", "ALL_PROXY"]) {
    const text = env(name);
    if (text) return parseVariable(name, text);
  }
  return undefined;
}

// One that cannot be used is no reason to go without.
function parseVariable(name: string, text: string): Proxy | undefined {
  try {
    return parseProxy(text);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new ConfigError(`Cannot use the proxy in ${name}: ${cause.message}`, {
      hint: "--proxy none goes without a proxy",
    });
  }
}
