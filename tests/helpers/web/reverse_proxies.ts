// Real web servers in front of a server, with the configurations of docs/OPERATIONS.md.

import { within } from "../peers/v1_peer.ts";
import { blocksBelow } from "../repo/document_blocks.ts";
import { programPath, type SystemProgram } from "../repo/system_needs.ts";
import type { TestCertificate } from "../system/certificates.ts";

/** A proxy that runs. */
export interface ReverseProxy extends AsyncDisposable {
  readonly port: number;
}

/** Where it leads, and as whom. */
export interface ReverseProxyOptions {
  readonly target: number;
  readonly certificate?: TestCertificate;
  /** Address from which it connects to the server: one that no client has. */
  readonly source: string;
  /** Changes of the documented configuration. */
  readonly change?: (config: string) => string;
}

const START_MS = 10_000;

/** A port that nothing uses now, on IPv4 and IPv6. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** nginx with the server block of docs/OPERATIONS.md. */
export async function startNginx(options: ReverseProxyOptions): Promise<ReverseProxy> {
  const { target, source, certificate, change = (config) => config } = options;
  const port = freePort();
  const [block = ""] = await blocksBelow("docs/OPERATIONS.md", "### Behind nginx", "nginx");
  const server = change(block)
    .replaceAll(/(listen (?:\[::\]:)?)443/g, `$1${port}`)
    .replaceAll(/ssl_certificate .*;/g, `ssl_certificate ${certificate?.certFile};`)
    .replaceAll(/ssl_certificate_key .*;/g, `ssl_certificate_key ${certificate?.keyFile};`)
    .replace("http://127.0.0.1:5050;", `http://127.0.0.1:${target}; proxy_bind ${source};`);
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-nginx-" });
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  const user = Deno.uid() === 0 ? "user root;" : "";
  await Deno.writeTextFile(
    `${folder}/nginx.conf`,
    `${user} daemon off; worker_processes 1; pid ${folder}/pid; events {}\n` +
      `http { access_log off; ${temporary}\n${server}\n}`,
  );
  const args = ["-e", `${folder}/error.log`, "-p", folder, "-c", `${folder}/nginx.conf`];
  return await start("nginx", { args, port, folder });
}

/** HAProxy with one of the blocks of docs/OPERATIONS.md: `http` for WebSocket, `tcp` for the PROXY protocol. */
export async function startHaproxy(
  mode: "http" | "tcp",
  options: ReverseProxyOptions,
): Promise<ReverseProxy> {
  const { target, source, certificate, change = (config) => config } = options;
  const port = freePort();
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-haproxy-" });
  const blocks = await blocksBelow("docs/OPERATIONS.md", "### Behind HAProxy", "haproxy");
  const block = blocks.find((text) => text.includes(`mode ${mode}`)) ?? "";
  if (certificate !== undefined) {
    await Deno.writeTextFile(`${folder}/all.pem`, certificate.cert + certificate.key);
  }
  const config = change(block)
    .replaceAll(/bind :\d+,\[::\]:\d+/g, `bind 127.0.0.1:${port},[::1]:${port}`)
    .replace(/crt \S+/, `crt ${folder}/all.pem`)
    .replace("127.0.0.1:5050", `127.0.0.1:${target} source ${source}`);
  await Deno.writeTextFile(
    `${folder}/haproxy.cfg`,
    "defaults\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n timeout tunnel 1h\n" +
      config,
  );
  return await start("haproxy", { args: ["-db", "-f", `${folder}/haproxy.cfg`], port, folder });
}

/** Caddy with the block of docs/OPERATIONS.md, for every host and with a certificate of ours; it chooses its source. */
export async function startCaddy(
  { target, certificate }: Pick<ReverseProxyOptions, "target" | "certificate">,
): Promise<ReverseProxy> {
  const port = freePort();
  const [block = ""] = await blocksBelow("docs/OPERATIONS.md", "### Behind Caddy", "caddy");
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-caddy-" });
  const site = `https://:${port} {\n    tls ${certificate?.certFile} ${certificate?.keyFile}`;
  const options = `admin off\nauto_https disable_redirects\nstorage file_system ${folder}`;
  await Deno.writeTextFile(
    `${folder}/Caddyfile`,
    `{\n${options}\n}\n` +
      block.replace("chat.example.org {", site).replace("127.0.0.1:5050", `127.0.0.1:${target}`),
  );
  const args = ["run", "--config", `${folder}/Caddyfile`, "--adapter", "caddyfile"];
  return await start("caddy", { args, port, folder });
}

interface Start {
  readonly args: readonly string[];
  readonly port: number;
  /** Removed at the end. */
  readonly folder: string;
}

async function start(name: SystemProgram, { args, port, folder }: Start): Promise<ReverseProxy> {
  const child = new Deno.Command(programPath(name) as string, {
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const complaint = new Response(child.stderr).text();
  const proxy: ReverseProxy = {
    port,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGTERM");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // It has ended.
      }
      await Promise.all([child.status, complaint]);
      await Deno.remove(folder, { recursive: true });
    },
  };
  const ended = child.status.then(async () => {
    throw new Error(`${name} did not start: ${await complaint}`);
  });
  ended.catch(() => {});
  try {
    await within(Promise.race([listening(port), ended]), `the start of ${name}`, START_MS);
  } catch (error) {
    await proxy[Symbol.asyncDispose]();
    throw error;
  }
  return proxy;
}

async function listening(port: number): Promise<void> {
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
